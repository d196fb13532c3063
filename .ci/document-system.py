#!/usr/bin/env python3
"""A document system that learns everything from one feed: an example for who connects one.

Three systems bring ten requests each of state bodies (the Unified EDMS), prosecutor's bodies (Kadagalau), and, recorded by an
official, of persons and legal entities. Each follows its own requests by WatchRequests alone: it never asks where a request
stands, it is told. The office works from its feed too, until every answer is approved by a second official and dispatched.
Each line is cut again and again, and goes on from the last token. In the end everything that was built from the feed is
compared with what GetRequest says, and with the feed told anew from the start.

    document-system.py FOLDER_OF_CERTIFICATES https://localhost:7603

Needs grpcio with code made from proto/, rfc8785 and cryptography.
"""
import hashlib, json, sys, threading, uuid
from dataclasses import dataclass, field

import grpc, rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import pkcs7
from google.protobuf import field_mask_pb2, json_format
from legalstat.requests.v1 import answer_pb2, feed_pb2, life_pb2, request_pb2
from legalstat.requests.v1 import request_intake_service_pb2 as intake
from legalstat.requests.v1.request_intake_service_pb2_grpc import RequestIntakeServiceStub

CERTIFICATES, URL = sys.argv[1:]
EACH = 10  # requests of each kind
TIMEOUT = 30  # seconds of one call
PATIENCE = 300  # seconds until everything is answered


def connect(caller):
    """A line to request intake, as who the certificate names; of nobody when there is no caller."""
    read = lambda name: open(f"{CERTIFICATES}/{name}", "rb").read()
    key, chain = (read(f"{caller}.key"), read(f"{caller}.pem")) if caller else (None, None)
    credentials = grpc.ssl_channel_credentials(read("ca.pem"), key, chain)
    return RequestIntakeServiceStub(grpc.secure_channel(URL.removeprefix("https://"), credentials))


def change(method, message):
    """Calls a method that changes something. Whatever becomes of the call, it can be repeated with its request_id: it has no
    second effect. So what fails for the moment is simply tried again."""
    message.request_id = str(uuid.uuid4())
    for attempt in range(5):
        try:
            return method(message, timeout=TIMEOUT)
        except grpc.RpcError as failed:
            if failed.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED) or attempt == 4:
                raise
            threading.Event().wait(0.5 * 2**attempt)


# ---------------------------------------------------------------------------------------------------------------- the feed


@dataclass
class Known:
    """A request as the feed told of it."""

    state: int = 0
    due_date: object = None
    executor: str = ""
    registration_number: str = ""
    external_number: str = ""
    notices: list = field(default_factory=list)  # what our own users were notified of, in our system's words


# The notices of the contract in the words of a document system: an adapter translates, and decides nothing.
OUR_WORDS = {
    feed_pb2.NOTICE_DELIVERED: "delivered",
    feed_pb2.NOTICE_REGISTERED: "registered",
    feed_pb2.NOTICE_REFUSED: "refused",
    feed_pb2.NOTICE_EXECUTION: "execution",
    feed_pb2.NOTICE_PROLONGED: "prolonged",
    feed_pb2.NOTICE_NEW_DATE: "new date",
    feed_pb2.NOTICE_NEW_CONTROL: "new control",
    feed_pb2.NOTICE_TAKEN_OFF_CONTROL: "taken off control",
    feed_pb2.NOTICE_FINISHED: "finished",
    feed_pb2.NOTICE_NOT_VALID: "not valid",
}


class Feed(threading.Thread):
    """Follows one caller's feed over as many lines as it takes. A real system keeps `token` where it keeps `known`, in the same
    transaction, and so goes on after a restart too."""

    def __init__(self, caller, cut_after, act):
        super().__init__(daemon=True)
        self.stub, self.cut_after, self.act = connect(caller), cut_after, act
        self.token, self.known, self.events = "", {}, []
        self.cuts_at = {"event": 0, "heartbeat": 0}
        self.changed, self.caught_up, self.over, self.failure = threading.Condition(), False, False, None

    def run(self):
        try:
            while not self.over:
                self.follow()
        except BaseException as failure:  # whoever waits is told
            self.failure = failure
        with self.changed:
            self.changed.notify_all()

    def follow(self):
        """One line, until it is cut. Only who has no token yet says from where: here, nothing of what was before."""
        asked = feed_pb2.WatchRequestsRequest(resume_token=self.token, only_new=not self.token)
        line, taken = self.stub.WatchRequests(asked), 0
        try:
            for message in line:
                self.take(message)
                taken += 1
                at = "event" if message.HasField("event") else "heartbeat"
                # A line that is cut: by a network, say. What was on its way is lost and will be told again.
                if self.over or (at == "event" and taken >= self.cut_after) or (at == "heartbeat" and self.cuts_at[at] < 3):
                    self.cuts_at[at] += 1
                    line.cancel()
                    return
        except grpc.RpcError as ended:
            # The service stops or cannot read its events; then the same token serves, at any replica.
            if ended.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                raise
            threading.Event().wait(0.5)

    def take(self, message):
        assert message.resume_token, "every message says from where to go on"
        happened = message.request_event if message.HasField("request_event") else None
        with self.changed:
            if message.HasField("event"):
                assert message.resume_token not in {token for token, *_ in self.events}, "an event was told twice"
                self.events.append((message.resume_token, message.event.kind, message.event.resource))
            self.caught_up = not message.HasField("event") and message.caught_up
            if happened:
                self.apply(happened)
            self.token = message.resume_token  # only when everything of the message is kept
            self.changed.notify_all()
        if happened:
            try:
                self.act(message.event.kind, happened)
            except grpc.RpcError as failed:  # not to be taken for the end of the line
                raise RuntimeError(f"{message.event.kind} of {happened.request}") from failed

    def apply(self, happened):
        """What an event leaves as it was is not set in it."""
        assert not happened.as_of_now, happened
        known = self.known.setdefault(happened.request, Known())
        known.state = happened.state or known.state
        known.due_date = happened.due_date if happened.HasField("due_date") else known.due_date
        known.executor = happened.executor or known.executor
        known.registration_number = happened.registration_number or known.registration_number
        known.external_number = happened.external_number or known.external_number
        known.notices += [OUR_WORDS[notice] for notice in happened.notices]

    def wait(self, holds, what):
        with self.changed:
            reached = self.changed.wait_for(lambda: self.failure or holds(), timeout=PATIENCE)
        if self.failure:
            raise self.failure
        assert reached, f"{what}: {[(k.external_number, k.state, k.notices) for k in self.known.values()]}"


# ------------------------------------------------------------------------------------------------------------ what is asked


def items(place):
    """Statistics of several units and periods, one item or more; of one request copies, and of one the period is missing."""
    units = ["UNIT_CRIME", "UNIT_OFFENCE", "UNIT_CRIMINAL_CASE", "UNIT_PERSON"]
    periods = [("2024-M11", ""), ("2024-Q3", "2024-Q4"), ("2024-S1", ""), ("2023", "2024")]
    made = []
    for nth in range(1 + place % 3):
        first, last = periods[(place + nth) % 4]
        kind = "ITEM_KIND_ACCOUNTING_DOCUMENT_COPY" if place == 8 else "ITEM_KIND_STATISTICS"
        made.append(request_pb2.Item(kind=kind, description=f"registered, series {place}.{nth}", unit=units[(place + nth) % 4],
                                     period="" if place == 9 else first, until_period="" if place == 9 else last))
    return made


def request(kind, place):
    """The nth request of a kind of requester."""
    channels = dict(STATE_BODY=["UNIFIED_EDMS"], PROSECUTOR_BODY=["KADAGALAU"], INDIVIDUAL=["PAPER", "E_GOVERNMENT", "EMAIL"],
                    LEGAL_ENTITY=["E_GOVERNMENT", "PAPER"])[kind]
    is_body = kind.endswith("BODY")
    named = dict(iin="911003342906") if kind == "INDIVIDUAL" else dict(bin="160340014245")
    if not is_body:
        named["postal_address"] = "Астана қ., Тәуелсіздік даңғылы, 1"
    capacities = ["HEAD", "SUBSTITUTE", "AUTHORIZED_OFFICIAL"] if is_body else ["APPLICANT"]
    name = dict(STATE_BODY="Әділет министрлігі", PROSECUTOR_BODY="Бас прокуратура", INDIVIDUAL="Айгүл Нұрланова",
                LEGAL_ENTITY="«Қазына» ЖШС")[kind]
    return request_pb2.Request(
        requester=request_pb2.Requester(kind=f"REQUESTER_KIND_{kind}", full_name=name, **named),
        signatory=request_pb2.Signatory(full_name="Т. Әлиев" if is_body else name,
                                        capacity=f"SIGNATORY_CAPACITY_{capacities[place % len(capacities)]}"),
        channel=f"CHANNEL_{channels[place % len(channels)]}", external_number=f"{kind}/{place}",
        external_date=dict(year=2026, month=2, day=2), essence=f"Crimes of series {place}",
        language=["LANGUAGE_KK", "LANGUAGE_RU"][place % 2], items=items(place))


def submit(stub, kind):
    """Ten requests: six by a batch, each with its own request_id and its own answer, and four alone."""
    asked = [intake.SubmitRequestRequest(request_id=str(uuid.uuid4()), request=request(kind, place)) for place in range(EACH)]
    results = stub.BatchSubmitRequests(intake.BatchSubmitRequestsRequest(requests=asked[:6]), timeout=TIMEOUT).results
    assert all(result.HasField("request") for result in results), results
    accepted = [result.request for result in results]
    return list(zip(asked, accepted + [stub.SubmitRequest(one, timeout=TIMEOUT) for one in asked[6:]]))


def verify_coupon(asked, accepted, keys):
    """The service signed, by a key that it lists, that it received just this (RFC 8785 over proto3 JSON, SHA-256, Ed25519)."""
    received = rfc8785.dumps(json_format.MessageToDict(asked.request))
    assert hashlib.sha256(received).hexdigest() == accepted.coupon.content_sha256, asked
    told = json_format.MessageToDict(accepted.coupon)
    signed = {name: told[name] for name in ("acceptedAt", "acceptedBy", "contentSha256", "number")} | {"request": accepted.name}
    key = Ed25519PublicKey.from_public_bytes(keys[accepted.coupon.key])
    key.verify(accepted.coupon.signature, rfc8785.dumps(signed))


def clarify(stub, happened):
    """A system that is told that its request waits for a clarification supplies what is missing: here the period."""
    if happened.state == request_pb2.REQUEST_STATE_AWAITING_CLARIFICATION:
        kind, place = happened.external_number.split("/")
        whole = request(kind, int(place))
        for item in whole.items:
            item.period = "2024-Q4"
        change(stub.ProvideClarification, life_pb2.ProvideClarificationRequest(
            name=happened.request, clarification="The fourth quarter is meant", request=whole,
            update_mask=field_mask_pb2.FieldMask(paths=["items"])))


# --------------------------------------------------------------------------------------------------------------- the office


class Office:
    """The officials, who work from the feed as well: one drafts and dispatches, another approves and signs."""

    def __init__(self):
        self.operator, self.approver = connect("operator"), connect("approver")
        read = lambda name: open(f"{CERTIFICATES}/{name}", "rb").read()
        self.certificate = x509.load_pem_x509_certificate(read("approver.pem"))
        self.key = serialization.load_pem_private_key(read("approver.key"), None)

    def act(self, kind, happened):
        if feed_pb2.NOTICE_REGISTERED in happened.notices:
            change(self.operator.AssignRequest, intake.AssignRequestRequest(name=happened.request, assignee="operator"))
        elif feed_pb2.NOTICE_REFUSED in happened.notices:
            self.reverse(happened.request)
        elif happened.state == request_pb2.REQUEST_STATE_AWAITING_CLARIFICATION and happened.external_number[0] in "IL":
            clarify(self.operator, happened)  # what an official recorded an official completes
        elif kind == "request.assigned":
            change(self.operator.DraftAnswer, answer_pb2.DraftAnswerRequest(name=happened.request))
        elif kind == "request.answer_drafted":
            self.approve(happened.request)
        elif kind == "request.answer_approved":
            change(self.operator.RecordDispatch, answer_pb2.RecordDispatchRequest(
                name=happened.request, means="DISPATCH_MEANS_POST", proof=f"outgoing {happened.registration_number}"))

    def reverse(self, name):
        """The system left it without consideration; an official finds every rule kept, and it is registered."""
        stands = self.operator.GetRequest(intake.GetRequestRequest(name=name), timeout=TIMEOUT)
        failed = [check for check in stands.examination.checks if check.outcome == request_pb2.CHECK_OUTCOME_FAILED]
        kept = [life_pb2.CheckReview(rule=check.rule, field=check.field, verdict="VERDICT_KEPT") for check in failed]
        change(self.operator.ReviewDecision, life_pb2.ReviewDecisionRequest(
            name=name, reviews=kept, reason="Figures are asked for, and no copies"))

    def approve(self, name):
        """Who approves reads the very bytes, and signs them on his own side. The key is never sent."""
        asked = answer_pb2.DownloadAnswerRequest(name=name, format="ANSWER_FORMAT_CANONICAL_JSON")
        file, canonical = download(self.approver.DownloadAnswer, asked)
        assert hashlib.sha256(canonical).hexdigest() == file.answer_sha256
        builder = pkcs7.PKCS7SignatureBuilder().set_data(canonical).add_signer(self.certificate, self.key, hashes.SHA256())
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        signature = builder.sign(serialization.Encoding.DER, options)
        change(self.approver.ApproveAnswer, answer_pb2.ApproveAnswerRequest(
            name=name, sha256=file.answer_sha256, capacity="OFFICIAL_CAPACITY_DEPUTY", signature=signature))


def download(method, asked):
    """A file in its parts: first its description, then its content."""
    parts = list(method(asked, timeout=TIMEOUT))
    file, content = parts[0].file, b"".join(part.chunk for part in parts[1:])
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size_bytes, file.sha256), file
    return file, content


def verify_answer(stub, accepted):
    """The document of an answer carries what was approved: its canonical form has the digest that is told with it."""
    told = stub.GetAnswer(answer_pb2.GetAnswerRequest(name=accepted.name), timeout=TIMEOUT)
    asked = answer_pb2.DownloadAnswerRequest(name=accepted.name, format="ANSWER_FORMAT_JSON")
    file, content = download(stub.DownloadAnswer, asked)
    document = json.loads(content)
    digest = hashlib.sha256(rfc8785.dumps(document["answer"])).hexdigest()
    assert digest == told.sha256 == file.answer_sha256 == document["document"]["sha256"], file
    assert told.dispatch.proof and told.approval.approved_by == "approver" not in {told.drafted_by, *told.edited_by}, told
    # Who has no certificate reads the same with the coupon's number and secret.
    coupon = dict(coupon_number=accepted.coupon.number, secret=accepted.coupon.secret)
    stranger = connect(None)
    assert stranger.GetAnswerByCoupon(answer_pb2.GetAnswerByCouponRequest(**coupon), timeout=TIMEOUT) == told
    asked = answer_pb2.DownloadAnswerByCouponRequest(**coupon, format="ANSWER_FORMAT_JSON")
    assert download(stranger.DownloadAnswerByCoupon, asked) == (file, content)


# --------------------------------------------------------------------------------------------------------------- the whole


def compare(feed, start):
    """What was built from the feed is what the service says; and the feed told anew has the same events, none left out."""
    for name, known in feed.known.items():
        stands = feed.stub.GetRequest(intake.GetRequestRequest(name=name), timeout=TIMEOUT)
        told = (known.state, known.due_date, known.executor, known.registration_number, known.external_number)
        assert told == (stands.state, stands.due_date, stands.assignee, stands.registration_number, stands.external_number), told
        assert known.notices[0] == "delivered" and known.notices[-2:] == ["finished", "taken off control"], known
        assert known.notices.index("registered") + 1 == known.notices.index("new control"), known
        assert known.notices.count("registered") == known.notices.count("finished") == 1, known
    again = []
    for message in feed.stub.WatchRequests(feed_pb2.WatchRequestsRequest(resume_token=start), timeout=TIMEOUT):
        if message.HasField("event"):
            again.append((message.resume_token, message.event.kind, message.event.resource))
        elif message.caught_up:
            break
    assert again == feed.events, (len(again), len(feed.events))
    assert all(feed.cuts_at.values()), f"the line was never cut: {feed.cuts_at}"


def main():
    office = Office()
    edms, kadagalau = connect("edms"), connect("kadagalau")
    feeds = dict(
        edms=Feed("edms", 7, lambda kind, happened: clarify(edms, happened)),
        kadagalau=Feed("kadagalau", 5, lambda kind, happened: clarify(kadagalau, happened)),
        operator=Feed("operator", 11, office.act),
    )
    for feed in feeds.values():
        feed.start()
        # The first heartbeat says where the feed stands before anything is sent.
        feed.wait(lambda: feed.token, "the feed begins")
    starts = {caller: feed.token for caller, feed in feeds.items()}

    brought = dict(edms=submit(edms, "STATE_BODY"), kadagalau=submit(kadagalau, "PROSECUTOR_BODY"))
    brought["operator"] = submit(office.operator, "INDIVIDUAL") + submit(office.operator, "LEGAL_ENTITY")
    everything = sum(brought.values(), [])
    keys = {key.id: key.public_key for key in connect(None).ListSigningKeys(intake.ListSigningKeysRequest()).signing_keys}
    for asked, accepted in everything:
        verify_coupon(asked, accepted, keys)

    for caller, feed in feeds.items():
        own = {accepted.name for _, accepted in (everything if caller == "operator" else brought[caller])}
        answered = lambda: {name for name, known in feed.known.items() if "taken off control" in known.notices}
        feed.wait(lambda: own <= answered() and feed.caught_up, f"{caller} is told of every answer")
        assert caller == "operator" or set(feed.known) == own, f"{caller} was told of requests that it does not see"
        feed.over = True
    for caller, feed in feeds.items():
        compare(feed, starts[caller])
    for caller, stub in (("edms", edms), ("kadagalau", kadagalau), ("operator", office.operator)):
        for _, accepted in brought[caller]:
            verify_answer(stub, accepted)
    cuts = sum(sum(feed.cuts_at.values()) for feed in feeds.values())
    print(f"Python brings {len(everything)} requests of four kinds and learns of their answers from the feed alone, cut {cuts} times")


main()
