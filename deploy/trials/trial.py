"""What the trials share: servers of PostgreSQL, the services on a database of theirs, and bodies that submit requests.

Everything runs on this machine's loopback in a folder that is gone afterwards. The programs are those of LEGALSTAT_PROGRAMS, target/debug
unless it is set; PostgreSQL is the newest that Debian's packages have put into /usr/lib/postgresql.
"""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("LEGALSTAT_PROGRAMS", REPOSITORY / "target/debug")).resolve()
POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: int(bin.parent.name))
# Each service with its schema.
SERVICES = {"calendar": "calendar", "form-registry": "forms", "request-intake": "requests", "collection-distribution": "collections"}
# Those that keep files.
KEEPERS = [service for service in SERVICES if service != "calendar"]
PATIENCE = 180


def tell(text):
    print(text, flush=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def require(holds, what):
    if not holds:
        raise SystemExit(what)


def until(what, found, patience=PATIENCE):
    """Tries again and again until something is found."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = found()
        if answer:
            return answer
        time.sleep(0.1)
    sys.exit(f"{what}: not within {patience} s")


def as_postgres(arguments):
    """PostgreSQL does not run as root. The command takes the place of what changes the user, so that signals reach it."""
    switch = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    return [*switch, *arguments] if os.getuid() == 0 else list(arguments)


def run(*arguments, **options):
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{arguments[0]} {arguments[1:3]} fails: {done.stdout}{done.stderr}")
    return done.stdout


def psql(port, sql, database="legalstat", user="postgres", check=True):
    """The rows of a query, unadorned; None where it fails and that may be."""
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", database, "-c", sql]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PGCONNECT_TIMEOUT": "3"})
    if done.returncode == 0:
        return done.stdout.strip()
    if check:
        sys.exit(f"{sql[:80]}: {done.stderr}")
    return None


def prepare_database(port):
    """The database with its roles and schemas, which whoever reaches the loopback may use: there is no password."""
    psql(port, "CREATE DATABASE legalstat", database="postgres")
    run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "legalstat",
        "-f", REPOSITORY / "deploy/postgres/roles.sql")


class Folder:
    """A folder for the processes of a trial, which end with it."""

    def __init__(self, name):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"legalstat-{name}-"))
        self.path.chmod(0o711)
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        for said in sorted(self.path.glob("*.said")) if failed else ():
            tell("\n".join([f"{said.stem} said:", *said.read_text(errors="replace").splitlines()[-8:]]))
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.path, ignore_errors=True)

    def make(self, name):
        """A folder of PostgreSQL's user."""
        made = self.path / name
        made.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(made, "postgres")
        return made

    def start(self, name, arguments, env=None):
        said = open(self.path / f"{name}.said", "ab")
        process = subprocess.Popen([str(one) for one in arguments], stdout=said, stderr=said, cwd=self.path, env=env)
        self.processes.append(process)
        return process

    def said(self, name):
        return (self.path / f"{name}.said").read_text(errors="replace")


class Server:
    """One PostgreSQL in a folder that is empty at first."""

    def __init__(self, folder, name, port=None):
        self.folder, self.name, self.port = folder, name, port or free_port()
        self.data = folder.make(name)
        # Not among the data, where a backup would take its lock along.
        self.socket = folder.make(f"{name}-socket")

    def initialise(self, settings=""):
        run(*as_postgres([POSTGRES / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8"]))
        self.configure(settings)
        return self

    def configure(self, settings):
        own = f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.socket}'\n"
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(own + settings)

    def start(self):
        self.process = self.folder.start(self.name, as_postgres([POSTGRES / "postgres", "-D", self.data]))
        until("PostgreSQL takes connections", lambda: psql(self.port, "SELECT 1", "postgres", check=False))

    def stop(self):
        run(*as_postgres([POSTGRES / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop"]))


class Services:
    """The services, each a process, on a database that is reached by `url(role)`."""

    def __init__(self, folder, url, owner_url=None):
        self.folder, self.running = folder, {}
        home = self.home = folder.path / "home"
        run(PROGRAMS / "legalstat", "certificates", "--folder", home)
        ports = {service: (free_port(), free_port()) for service in SERVICES}
        urls = {f"LEGALSTAT_{service.upper().replace('-', '_')}_URL": f"https://localhost:{calls}"
                for service, (calls, _) in ports.items()}
        base = {"PATH": os.environ["PATH"], "LEGALSTAT_AUTOMATIC_DRAFTS": "off"}
        self.client = {**base, **urls, "LEGALSTAT_CERTIFICATES": str(home / "certificates")}
        del self.client["LEGALSTAT_AUTOMATIC_DRAFTS"]
        self.settings = {}
        for service, schema in SERVICES.items():
            calls, health = ports[service]
            own = {
                "LEGALSTAT_LISTEN": f"127.0.0.1:{calls}",
                "LEGALSTAT_HEALTH_LISTEN": f"127.0.0.1:{health}",
                "LEGALSTAT_DATABASE_URL": url(f"{schema}_runtime"),
                "LEGALSTAT_OWNER_DATABASE_URL": (owner_url or url)(f"{schema}_owner"),
                "LEGALSTAT_TLS_CERTIFICATE": str(home / f"certificates/{service}.pem"),
                "LEGALSTAT_TLS_KEY": str(home / f"certificates/{service}.key"),
                "LEGALSTAT_TLS_AUTHORITY": str(home / "authority/ca.pem"),
            }
            if service != "calendar":
                own["LEGALSTAT_CALENDAR_URL"] = urls["LEGALSTAT_CALENDAR_URL"]
                files = folder.path / f"files-{service}"
                files.mkdir()
                own["LEGALSTAT_FILES"] = str(files)
            if service in ("request-intake", "collection-distribution"):
                own["LEGALSTAT_SIGNING_KEYS"] = str(home / f"signing-keys/{service}")
            if service == "request-intake":
                own["LEGALSTAT_FORM_REGISTRY_URL"] = urls["LEGALSTAT_FORM_REGISTRY_URL"]
                own["LEGALSTAT_AUTOMATIC_DRAFTS"] = "off"
                own["LEGALSTAT_SUBMISSIONS_A_DAY"] = "1000000"
            self.settings[service] = {"PATH": os.environ["PATH"], **own}

    def program(self, service):
        return PROGRAMS / f"legalstat-{service}"

    def migrate(self, programs=PROGRAMS):
        for service in SERVICES:
            run(programs / f"legalstat-{service}", "migrate", env=self.settings[service], cwd=self.folder.path)

    def start(self):
        for service in SERVICES:
            settings = {name: value for name, value in self.settings[service].items() if "OWNER" not in name}
            self.running[service] = self.folder.start(service, [self.program(service)], settings)
        for service in SERVICES:
            until(f"{service} serves", lambda: self.is_healthy(service))

    def is_healthy(self, service):
        asked = subprocess.run([self.program(service), "health"], env=self.settings[service], cwd=self.folder.path, capture_output=True)
        return asked.returncode == 0

    def stop(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)

    def call(self, *arguments):
        """How a command ends, 0 done, 1 refused, 3 away, and what it answers."""
        command = [PROGRAMS / "legalstat", "--timeout", "10", "-o", "json", *arguments]
        done = subprocess.run([str(one) for one in command], env=self.client, cwd=self.folder.path, capture_output=True, text=True)
        if done.returncode == 2:
            sys.exit(f"{arguments}: {done.stderr}")
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else {}


class Load:
    """Bodies that submit one request after the other, each under one request id until it is acknowledged, and read it back at once."""

    def __init__(self, services, bodies=4):
        self.services, self.ending = services, threading.Event()
        # When each was acknowledged, by name; how many calls failed; what was acknowledged and is not found when it is read.
        self.acknowledged, self.failed, self.stale = {}, 0, []
        # Why a body has ended before it was told to.
        self.faults = []
        self.lock, self.longest = threading.Lock(), (0.0, 0.0)
        self.threads = [threading.Thread(target=self.bring, args=(body,), daemon=True) for body in range(bodies)]

    def start(self):
        self.last = time.monotonic()
        for thread in self.threads:
            thread.start()

    def bring(self, body):
        try:
            self.submit(body)
        except BaseException as fault:
            self.faults.append(fault)

    def submit(self, body):
        while not self.ending.is_set():
            request = {"request": {
                "requester": {"kind": "REQUESTER_KIND_STATE_BODY", "fullName": f"Body {body}"},
                "signatory": {"fullName": "The head", "capacity": "SIGNATORY_CAPACITY_HEAD"},
                "channel": "CHANNEL_UNIFIED_EDMS", "externalNumber": f"{uuid.uuid4()}",
                "externalDate": {"year": 2026, "month": 2, "day": 2}, "essence": "Registered crimes", "language": "LANGUAGE_RU",
                "items": [{"kind": "ITEM_KIND_STATISTICS", "description": "Crimes", "unit": "UNIT_CRIME", "period": "2025-Q4"}]}}
            file, request_id = self.services.folder.path / f"request-{body}.json", str(uuid.uuid4())
            file.write_text(json.dumps(request))
            command = ["requests", "submit", "--as", "edms", "--file", file, "--yes", "--request-id", request_id]
            ended, answer = self.services.call(*command)
            while ended != 0:
                with self.lock:
                    self.failed += 1
                time.sleep(0.2)
                ended, answer = self.services.call(*command)
            self.acknowledge(answer["name"])
            # Who is away says nothing and is asked again; who answers must know what was acknowledged.
            ended = 3
            while ended == 3:
                ended, _ = self.services.call("requests", "get", answer["name"], "--as", "operator")
            if ended == 1:
                self.stale.append(answer["name"])

    def acknowledge(self, name):
        with self.lock:
            now = time.monotonic()
            self.longest = max(self.longest, (now - self.last, now))
            self.last = now
            self.acknowledged[name] = time.time()

    def count(self):
        with self.lock:
            return len(self.acknowledged)

    def until_more(self, more):
        before = self.count()
        until("requests are acknowledged", lambda: self.count() >= before + more)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                sys.exit("a request is still not acknowledged")


class Bodies:
    """Requests with files, and what has become of the files."""

    def __init__(self, services):
        self.services, self.folder = services, services.folder.path

    def made(self, size):
        file = self.folder / f"{uuid.uuid4()}.txt"
        file.write_text(secrets.token_hex(size // 2))
        return file

    def submit(self, *files, request_id=None):
        request = {"request": {
            "requester": {"kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Body"},
            "signatory": {"fullName": "The head", "capacity": "SIGNATORY_CAPACITY_HEAD"},
            "channel": "CHANNEL_UNIFIED_EDMS", "externalNumber": str(uuid.uuid4()),
            "externalDate": {"year": 2026, "month": 2, "day": 2}, "essence": "Registered crimes", "language": "LANGUAGE_RU",
            "items": [{"kind": "ITEM_KIND_STATISTICS", "description": "Crimes", "unit": "UNIT_CRIME", "period": "2025-Q4"}]}}
        file = self.folder / "request.json"
        file.write_text(json.dumps(request))
        attached = [word for one in files for word in ("--attach", one)]
        began = time.monotonic()
        ended, answer = self.services.call("requests", "submit", "--as", "edms", "--file", file, "--yes",
                                           "--request-id", request_id or str(uuid.uuid4()), *attached)
        return ended, answer.get("name"), time.monotonic() - began

    def attachments(self, request):
        ended, answer = self.services.call("requests", "attachments", request)
        require(ended == 0, f"the files of {request} are not told")
        return {one["filename"]: one["name"] for one in answer["attachments"]}

    def downloaded(self, attachment):
        to, began = self.folder / "downloaded", time.monotonic()
        to.unlink(missing_ok=True)
        ended, _ = self.services.call("requests", "download", attachment, "--to", to)
        return ended, to.read_bytes() if ended == 0 else b"", time.monotonic() - began

    def require_whole(self, request, *files):
        named = self.attachments(request)
        for file in files:
            ended, content, _ = self.downloaded(named[file.name])
            require(ended == 0 and content == file.read_bytes(), f"{file.name} does not come back as it was")


def require_each_once(port, load):
    """Each request that was acknowledged is there, and none besides: none was lost, and none was taken twice."""
    if load.faults:
        sys.exit(f"bodies ended: {load.faults}")
    stored = set(psql(port, "SELECT 'requests/' || id FROM requests.request").split())
    lost, besides = set(load.acknowledged) - stored, stored - set(load.acknowledged)
    if lost or besides or load.stale:
        sys.exit(f"{len(lost)} lost, {len(besides)} taken twice, {len(load.stale)} read too late: {sorted(lost)[:3]} {sorted(besides)[:3]}")


def digests(port):
    """Rows and digest of every table of the services."""
    tables = psql(port, "SELECT schemaname || '.' || tablename FROM pg_tables"
                  " WHERE schemaname IN ('calendar', 'forms', 'requests', 'collections') ORDER BY 1").split()
    rows = {}
    for table in tables:
        sql = f"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")), '-') FROM {table} t"
        rows[table] = psql(port, sql)
    return rows
