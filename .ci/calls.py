#!/usr/bin/env python3
"""Calls a running system as others do, by the service config that is published, and says what became of every call.

    calls.py load CERTIFICATES SERVICE_CONFIG [--once]   calls until it is sent SIGTERM; one line of JSON on standard output for each call
    calls.py judge [--none-fails] [--outage FROM UNTIL]  reads these lines and tells the figures; 1 when they are not as they should be

`load` writes to all four services and reads from them. A change that fails is called again with its `request_id` until it is done. In the
end each is looked for and called once more: 1 when one was lost, was done twice or is answered otherwise than before. With `--once` the
library repeats nothing by itself, so that a line tells how long the service took. FROM and UNTIL are seconds since 1970: between them the
database was away.
"""
import argparse, collections, json, pathlib, signal, sys, threading, time, uuid

WRITES = ("SubmitRequest", "CreateCodeList", "AddRecipientKey", "CreateCalendarAct")
TIMEOUT = 30  # seconds, as the service config says
GIVE_UP = 180  # seconds after which a change that nobody carries out is lost
FAST = 6  # seconds within which a call has to fail while the database is away
BACK = 5  # seconds after which changes have to be carried out again


def load(options):
    import grpc
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from legalstat.calendar.v1 import calendar_act_pb2, calendar_service_pb2 as calendar, calendar_service_pb2_grpc, deadline_pb2
    from legalstat.collections.v1 import collection_distribution_service_pb2_grpc, recipient_pb2
    from legalstat.collections.v1 import collection_distribution_service_pb2 as distribution
    from legalstat.forms.v1 import code_list_pb2, form_registry_service_pb2 as forms, form_registry_service_pb2_grpc
    from legalstat.requests.v1 import request_intake_service_pb2 as intake, request_intake_service_pb2_grpc, request_pb2

    read = lambda name: pathlib.Path(options.certificates, name).read_bytes()
    config = [("grpc.service_config", pathlib.Path(options.service_config).read_text())]
    if options.once:
        config.append(("grpc.enable_retries", 0))

    def stub(kind, service, caller):
        credentials = grpc.ssl_channel_credentials(read("ca.pem"), read(f"{caller}.key"), read(f"{caller}.pem"))
        return kind(grpc.secure_channel(f"dns:///{service}:8443", credentials, options=config))

    requests = stub(request_intake_service_pb2_grpc.RequestIntakeServiceStub, "request-intake", "edms")
    registry = stub(form_registry_service_pb2_grpc.FormRegistryServiceStub, "form-registry", "operator")
    copies = stub(collection_distribution_service_pb2_grpc.CollectionDistributionServiceStub, "collection-distribution", "administrator")
    days = stub(calendar_service_pb2_grpc.CalendarServiceStub, "calendar", "administrator")

    run = uuid.uuid4().hex[:8]
    ended = threading.Event()
    written = threading.Lock()
    done, lost = collections.defaultdict(list), []  # of each method, what was asked and what was answered

    def once(method, name, message):
        began = time.time()
        try:
            answer, code, told = method(message, timeout=TIMEOUT), "OK", ""
        except grpc.RpcError as failed:
            answer, code, told = None, failed.code().name, failed.details()
        line = json.dumps(dict(method=name, began=round(began, 3), took=round(time.time() - began, 3), code=code, told=told))
        with written:
            print(line, flush=True)
        return answer

    def until_done(method, name, message):
        give_up = time.monotonic() + GIVE_UP
        while time.monotonic() < give_up:
            answer = once(method, name, message)
            if answer is not None:
                done[name].append((method, message, answer))
                return
            time.sleep(0.2)
        lost.append((name, message.request_id))

    def submission(number):
        return intake.SubmitRequestRequest(request_id=str(uuid.uuid4()), request=request_pb2.Request(
            requester=request_pb2.Requester(kind="REQUESTER_KIND_STATE_BODY", full_name="Ministry of Justice"),
            signatory=request_pb2.Signatory(full_name="The head", capacity="SIGNATORY_CAPACITY_HEAD"),
            channel="CHANNEL_UNIFIED_EDMS", external_number=f"{run}-{number}", external_date=dict(year=2026, month=2, day=2),
            essence="Registered crimes", language="LANGUAGE_RU",
            items=[request_pb2.Item(kind="ITEM_KIND_STATISTICS", description="Registered crimes", unit="UNIT_CRIME", period="2025-Q4")]))

    def code_list(number):
        return code_list_pb2.CreateCodeListRequest(request_id=str(uuid.uuid4()), code_list=code_list_pb2.CodeList(
            name=f"codeLists/T{run.upper()}_{number}", title=dict(en="Under load"), legal_basis=dict(act="Order", provision="para 1")))

    def recipient_key(number):
        return recipient_pb2.AddRecipientKeyRequest(request_id=str(uuid.uuid4()), parent="recipients/supreme-court", key_id=f"{run}-{number}",
            public_key=Ed25519PrivateKey.generate().public_key().public_bytes_raw(), reason="under load")

    def act(number):
        return calendar.CreateCalendarActRequest(request_id=str(uuid.uuid4()), calendar_act=calendar_act_pb2.CalendarAct(
            name=f"calendarActs/{run}-{number}", kind="CALENDAR_ACT_KIND_ORDER", citation="Order", grade="GRADE_ACT_READ"))

    def go_on(pause, work):
        number = 0
        while not ended.wait(pause):
            number += 1
            work(number)

    obligation = deadline_pb2.Obligation(period="2019-Q2", due_day=14, roll_forward=True)
    writes = [(0.05, lambda number, thread=thread: until_done(requests.SubmitRequest, "SubmitRequest", submission(f"{thread}-{number}")))
              for thread in range(2)]
    writes += [(0.2, lambda number: until_done(registry.CreateCodeList, "CreateCodeList", code_list(number))),
               (0.2, lambda number: until_done(copies.AddRecipientKey, "AddRecipientKey", recipient_key(number))),
               (2, lambda number: until_done(days.CreateCalendarAct, "CreateCalendarAct", act(number)))]
    reads = [(0.05, lambda _: once(days.ComputeDeadline, "ComputeDeadline", calendar.ComputeDeadlineRequest(obligation=obligation))),
             (0.05, lambda _: once(registry.GetForm, "GetForm", forms.GetFormRequest(name="forms/25"))),
             (0.05, lambda _: once(requests.ListRequests, "ListRequests", intake.ListRequestsRequest(page_size=5))),
             (0.05, lambda _: once(copies.ListCopies, "ListCopies", distribution.ListCopiesRequest(page_size=5)))]
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    threads = [threading.Thread(target=go_on, args=one) for one in writes + reads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def pages(method, asked, of):
        while True:
            page = method(asked, timeout=TIMEOUT)
            yield from of(page)
            asked.page_token = page.next_page_token
            if not asked.page_token:
                return

    found = {
        "SubmitRequest": (pages(requests.ListRequests, intake.ListRequestsRequest(page_size=1000), lambda page: page.requests),
                          lambda one: one.external_number, lambda message: message.request.external_number),
        "CreateCodeList": (pages(registry.ListCodeLists, code_list_pb2.ListCodeListsRequest(page_size=1000), lambda page: page.code_lists),
                           lambda one: one.name, lambda message: message.code_list.name),
        "AddRecipientKey": (pages(copies.ListRecipientKeys, recipient_pb2.ListRecipientKeysRequest(parent="recipients/supreme-court",
                            page_size=1000), lambda page: page.keys), lambda one: one.name.split("/")[-1], lambda message: message.key_id),
        "CreateCalendarAct": (pages(days.ListCalendarActs, calendar.ListCalendarActsRequest(page_size=1000), lambda page: page.calendar_acts),
                              lambda one: one.name, lambda message: message.calendar_act.name),
    }
    for name, (stored, of_stored, of_asked) in found.items():
        times = collections.Counter(of_stored(one) for one in stored if run in of_stored(one).lower())
        asked = collections.Counter(of_asked(message) for _, message, _ in done[name])
        lost += [(name, which) for which in asked - times]
        twice = [(name, which) for which, count in times.items() if count > 1]
        # Also what was asked for and never answered may not be there: every call was repeated until it was.
        lost += twice + [(name, which) for which in times - asked]
        for method, message, answer in done[name]:
            if method(message, timeout=TIMEOUT, wait_for_ready=True) != answer:
                lost.append((name, f"{message.request_id} is answered otherwise"))
    counts = {name: len(done[name]) for name in WRITES}
    print(f"changes, each done once, found and answered as before: {counts}" if not lost else f"wrong: {lost[:20]}", file=sys.stderr)
    return 1 if lost or not all(counts.values()) else 0


def judge(options):
    calls = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    failed = [call for call in calls if call["code"] != "OK"]
    faults = []
    counts = collections.Counter((call["method"], call["code"]) for call in failed)
    print(f"{len(calls)} calls, {len(failed)} failed, the longest took {max(call['took'] for call in calls)} s")
    for (method, code), count in sorted(counts.items()):
        of = [call for call in failed if (call["method"], call["code"]) == (method, code)]
        print(f"  {method} {code} {count}: up to {max(call['took'] for call in of)} s; {of[0]['told'][:160]}")
    if options.none_fails and failed:
        faults.append("calls failed")
    if options.outage:
        begin, end = options.outage
        within = [call["took"] for call in failed if begin < call["began"] < end]
        after = [call for call in calls if call["began"] + call["took"] > end and call["code"] == "OK"]
        print(f"while the database was away {len(within)} calls failed, within {max(within, default=0)} s each")
        if not within or max(within) > FAST:
            faults.append(f"calls do not fail within {FAST} s")
        for name in WRITES:
            first = min((call["began"] + call["took"] for call in after if call["method"] == name), default=float("inf")) - end
            print(f"  {name}: carried out again after {first:.1f} s")
            if first > BACK:
                faults.append(f"{name} is not carried out within {BACK} s")
        late = [call for call in failed if call["began"] > end + BACK]
        if late:
            faults.append(f"{len(late)} calls fail more than {BACK} s after its return")
    print("\n".join(f"fault: {fault}" for fault in faults), end="\n" if faults else "")
    return 1 if faults else 0


commands = argparse.ArgumentParser()
which = commands.add_subparsers(required=True)
loading = which.add_parser("load")
loading.add_argument("certificates")
loading.add_argument("service_config")
loading.add_argument("--once", action="store_true")
loading.set_defaults(run=load)
judging = which.add_parser("judge")
judging.add_argument("--none-fails", action="store_true")
judging.add_argument("--outage", nargs=2, type=float, metavar=("FROM", "UNTIL"))
judging.set_defaults(run=judge)
options = commands.parse_args()
sys.exit(options.run(options))
