#!/usr/bin/env python3
"""Submits a request as a document system and follows it until it is answered or refused.

    submit_and_follow.py FOLDER_OF_CERTIFICATES https://localhost:7603 EXTERNAL_NUMBER
"""
import sys

import grpc
from connection import change, connect, follow, refusal
from legalstat.requests.v1 import feed_pb2, request_pb2
from legalstat.requests.v1 import request_intake_service_pb2 as intake
from legalstat.requests.v1.request_intake_service_pb2_grpc import RequestIntakeServiceStub

certificates, url, number = sys.argv[1:]
service = RequestIntakeServiceStub(connect(certificates, url, "edms"))
request = request_pb2.Request(
    requester=request_pb2.Requester(kind="REQUESTER_KIND_STATE_BODY", full_name="Әділет министрлігі"),
    signatory=request_pb2.Signatory(full_name="Т. Әлиев", capacity="SIGNATORY_CAPACITY_HEAD"),
    channel="CHANNEL_UNIFIED_EDMS", external_number=number, external_date=dict(year=2026, month=2, day=2),
    essence="Crimes registered in the fourth quarter of 2025", language="LANGUAGE_RU",
    items=[request_pb2.Item(kind="ITEM_KIND_STATISTICS", description="Registered crimes", unit="UNIT_CRIME", period="2025-Q4")])

# A request that breaks rules is refused with all of them, and nothing of it is stored.
wrong = request_pb2.Request()
wrong.CopyFrom(request)
wrong.ClearField("essence")
wrong.items[0].period = "2025-Q5"
try:
    change(service.SubmitRequest, intake.SubmitRequestRequest(request=wrong))
    raise SystemExit("a wrong request was taken")
except grpc.RpcError as failed:
    print("refused:", refusal(failed), flush=True)

# Where the feed stands before the request is sent: its first heartbeat says it.
start = next(iter(service.WatchRequests(feed_pb2.WatchRequestsRequest(only_new=True)))).resume_token

# The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
accepted = change(service.SubmitRequest, intake.SubmitRequestRequest(request=request), first_timeout=0.001)
print("accepted:", accepted.name, accepted.coupon.number, accepted.registration_number, flush=True)

ENDS = ("ANSWERED", "WITHDRAWN", "LEFT_WITHOUT_CONSIDERATION", "RETURNED", "FORWARDED", "TERMINATED")
for message in follow(service.WatchRequests, feed_pb2.WatchRequestsRequest(), start, lambda token: None):
    happened = message.request_event
    if happened.request != accepted.name:
        continue  # a heartbeat, or another request
    notices = " ".join(feed_pb2.Notice.Name(notice).removeprefix("NOTICE_").lower() for notice in happened.notices)
    state = request_pb2.RequestState.Name(happened.state).removeprefix("REQUEST_STATE_")
    print("told:", message.event.kind, state.lower(), notices, flush=True)
    if state in ENDS:
        break
