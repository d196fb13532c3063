#!/usr/bin/env python3
"""Fetches every copy of a recipient that it has not confirmed, and confirms each with a signed receipt.

    receive_copies.py FOLDER_OF_CERTIFICATES https://localhost:7604 RECIPIENT KEY.pem KEY_ID FOLDER_FOR_COPIES

The key is an Ed25519 private key (PKCS#8, PEM), whose public part an administrator has entered as KEY_ID.
"""
import hashlib, pathlib, sys, time

import grpc, rfc8785
from connection import NOBODY_KNOWS, TIMEOUT, change, connect, refusal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf import json_format
from legalstat.collections.v1 import collection_distribution_service_pb2 as distribution
from legalstat.collections.v1 import delivery_pb2
from legalstat.collections.v1.collection_distribution_service_pb2_grpc import CollectionDistributionServiceStub

certificates, url, recipient, key, key_id, folder = sys.argv[1:]
service = CollectionDistributionServiceStub(connect(certificates, url, recipient))
private = load_pem_private_key(pathlib.Path(key).read_bytes(), None)
canonical = lambda message: rfc8785.dumps(json_format.MessageToDict(message))


def unconfirmed():
    """Every page of the list."""
    asked = distribution.ListCopiesRequest(unconfirmed=True)
    while True:
        page = service.ListCopies(asked, timeout=TIMEOUT)
        yield from page.copies
        asked.page_token = page.next_page_token
        if not asked.page_token:
            return


def download(name, file):
    """The content, on from the last byte that came when the line broke; the whole is verified by its digest."""
    file.touch()
    while True:
        try:
            with file.open("ab") as out:
                parts = service.DownloadCopy(distribution.DownloadCopyRequest(name=name, offset=out.tell()), timeout=600)
                content = next(parts).content
                for part in parts:
                    out.write(part.chunk)
            break
        except grpc.RpcError as broken:
            if broken.code() not in NOBODY_KNOWS:
                raise
            time.sleep(0.5)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != content.sha256:
        raise SystemExit("what came is not what was sent")
    return digest


keys = {one.id: one.public_key for one in service.ListSigningKeys(distribution.ListSigningKeysRequest(), timeout=TIMEOUT).signing_keys}
for listed in unconfirmed():
    copy = service.GetCopy(distribution.GetCopyRequest(name=listed.name, view="COPY_VIEW_FULL"), timeout=TIMEOUT)
    # The service signed that it issued this copy, to this recipient, with this content.
    Ed25519PublicKey.from_public_bytes(keys[copy.signing_key]).verify(copy.signature, canonical(copy.statement))
    digest = download(copy.name, pathlib.Path(folder, copy.name.replace("/", "-")))
    said = copy.statement
    if (said.copy, said.content_sha256, said.recipient) != (copy.name, digest, f"recipients/{recipient}"):
        raise SystemExit(f"{copy.name} is not what the service issued to {recipient}")

    receipt = delivery_pb2.ReceiptStatement(format="legalstat-receipt/1", copy=copy.name, copy_sha256=copy.copy_sha256,
                                            content_sha256=digest, recipient=copy.recipient)
    receipt.received_at.FromMicroseconds(time.time_ns() // 1000)
    confirmation = distribution.ConfirmReceiptRequest(name=copy.name, sha256=digest, received_at=receipt.received_at,
                                                      signing_key=key_id)
    try:
        change(service.ConfirmReceipt, confirmation)
        raise SystemExit("a receipt without its signature was taken")
    except grpc.RpcError as failed:
        print("refused:", refusal(failed), flush=True)
    confirmation.request_id = ""  # another call, another id
    confirmation.signature = private.sign(canonical(receipt))
    confirmed = change(service.ConfirmReceipt, confirmation, first_timeout=0.001)
    assert confirmed.receipt.signature == confirmation.signature, confirmed
    print("confirmed:", confirmed.name, flush=True)
