#!/usr/bin/env python3
"""Tells every change of the working calendar once, also over restarts of this program and of the service.

    watch_calendar.py FOLDER_OF_CERTIFICATES https://localhost:7601 FILE_FOR_THE_TOKEN
"""
import sys

from connection import connect, follow, remember, remembered
from legalstat.calendar.v1 import calendar_act_pb2
from legalstat.calendar.v1 import calendar_service_pb2 as calendar
from legalstat.calendar.v1.calendar_service_pb2_grpc import CalendarServiceStub

certificates, url, file = sys.argv[1:]
service = CalendarServiceStub(connect(certificates, url, "edms"))
asked = calendar.WatchCalendarRequest(heartbeats=True)
for change in follow(service.WatchCalendar, asked, remembered(file), lambda token: remember(file, token)):
    kind = calendar_act_pb2.CalendarChangeKind.Name(change.kind).removeprefix("CALENDAR_CHANGE_KIND_").lower()
    if change.kind:
        print("told:", kind, change.effect.calendar_act.name, len(change.effect.changed_days), "days", flush=True)
    elif change.caught_up:
        print("caught up", flush=True)
