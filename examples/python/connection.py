"""What every program that calls legalstat needs once: a channel, a call that may be repeated, and a refusal told to a person."""
import os, pathlib, time, uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

CONFIG = pathlib.Path(__file__).parents[2] / "proto" / "service-config.json"
TIMEOUT = 30  # seconds: grpcio does not tell the server the time of the service config, so each call says it
LANGUAGE = [("accept-language", "ru")]  # of the person to whom a refusal is shown


def connect(certificates, url, caller=None):
    """A channel, as who the certificate names; as nobody without a caller. One serves all calls to a service."""
    read = lambda name: pathlib.Path(certificates, name).read_bytes()
    key, chain = (read(f"{caller}.key"), read(f"{caller}.pem")) if caller else (None, None)
    credentials = grpc.ssl_channel_credentials(read("ca.pem"), key, chain)
    options = [("grpc.service_config", CONFIG.read_text())]
    return grpc.secure_channel(url.removeprefix("https://"), credentials, options=options)


NOBODY_KNOWS = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE)


def change(method, message, first_timeout=TIMEOUT):
    """Carries out one change, once, whatever becomes of the calls. A real program keeps the message with its request_id on its disk
    before it sends it, so that it can go on after a crash too."""
    message.request_id = message.request_id or str(uuid.uuid4())
    timeout = first_timeout
    for _ in range(10):
        try:
            return method(message, timeout=timeout, metadata=LANGUAGE)
        except grpc.RpcError as failed:
            if failed.code() not in NOBODY_KNOWS:
                raise
            time.sleep(0.5)
        timeout = TIMEOUT
    raise SystemExit(f"the service stays away; repeat request {message.request_id}")


def refusal(failed):
    """A refusal as lines for a person: what, in the language asked for too, by which law, and every field at fault."""
    lines = [failed.details()]
    for detail in rpc_status.from_call(failed).details:
        info, fields, told = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.LocalizedMessage()
        if detail.Unpack(info):
            lines += [f"  {info.reason}"] + [f"  {key}: {value}" for key, value in sorted(info.metadata.items())]
        elif detail.Unpack(told):
            lines += [f"  {told.locale}: {told.message}"]
        elif detail.Unpack(fields):
            for one in fields.field_violations:
                lines += [f"  {one.field}: {one.reason}: {one.description}"]
                lines += [f"    {one.localized_message.message}"] if one.HasField("localized_message") else []
    return "\n".join(lines)


def remembered(file):
    """The token that was kept; empty at first."""
    return pathlib.Path(file).read_text() if os.path.exists(file) else ""


def remember(file, token):
    """Keeps a token, wholly or not at all. A real program keeps it in the transaction in which it keeps what it was told."""
    pathlib.Path(f"{file}.new").write_text(token)
    os.replace(f"{file}.new", file)


def follow(watch, asked, token, keep):
    """Follows a feed over as many lines as it takes: gives its messages, each once its token is set. `watch` opens a line; a line
    that ends, however it ends, is opened again from the last token. Of a message whose handling fails, the token is not kept."""
    while True:
        asked.resume_token = token
        try:
            for message in watch(asked):
                yield message
                token = message.resume_token or token
                keep(token)
        except grpc.RpcError as ended:
            if ended.code() not in NOBODY_KNOWS + (grpc.StatusCode.RESOURCE_EXHAUSTED,):
                raise
        time.sleep(0.5)
