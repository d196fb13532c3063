#!/usr/bin/env python3
"""Verifies a proof of delivery, as `legalstat collections prove` writes it, without asking anybody.

    verify-delivery-proof.py PROOF [--keys KEYS] [--content FILE]

KEYS is a saved answer of ListSigningKeys, in proto3 JSON. Needs the packages rfc8785 and cryptography. The format is described at
DeliveryProof in proto/legalstat/collections/v1/proof.proto.
"""
import argparse, base64, datetime, hashlib, json, sys
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

arguments = argparse.ArgumentParser()
arguments.add_argument("proof")
arguments.add_argument("--keys")
arguments.add_argument("--content")
given = arguments.parse_args()


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def is_signed(keys, name, message, signature):
    key = next((key for key in keys if name in (key.get("id"), key.get("name"))), None)
    if key is None:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["publicKey"]))
        public.verify(base64.b64decode(signature), rfc8785.dumps(message))
        return True
    except InvalidSignature:
        return False


def instant(text):
    return datetime.datetime.fromisoformat(text)


def counts(key, received):
    """Whether a recipient's key counts at an instant: from its beginning on, and before its end where it has one."""
    is_over = "validTo" in key and instant(key["validTo"]) <= instant(received)
    return instant(key["validFrom"]) <= instant(received) and not is_over


proof = read(given.proof)
keys = read(given.keys)["signingKeys"] if given.keys else proof["signingKeys"]
statement, receipt, manifest = proof.get("statement"), proof.get("receipt", {}), proof.get("manifest")
said, recipient_key = receipt.get("statement", {}), proof.get("recipientKey")
unsigned = {name: value for name, value in proof.items() if name != "signature"}
digest = statement and hashlib.sha256(rfc8785.dumps(statement)).hexdigest()
# A recipient that ended has a successor, which signs in its place.
line = [said.get("recipient")]
for step in proof.get("successions", []):
    line += [step["successor"]] if step["recipient"] == line[-1] else []
signer = receipt.get("successor", line[0])
same = lambda names: all(said.get(name) == statement.get(name) for name in names)

is_whole = proof["format"] == "legalstat-delivery-proof/1" and is_signed(keys, proof["key"], unsigned, proof["signature"])
points = {
    "the keys are those that you know as the service's": bool(given.keys),
    "the service put this proof together": is_whole,
    "the service issued this copy": bool(statement) and statement["format"] == "legalstat-copy/1"
    and statement["copy"] == proof["copy"] and digest == proof["copySha256"]
    and is_signed(keys, proof["copyKey"], statement, proof["copySignature"]),
    "its recipient signed that it received it": bool(is_whole and statement and recipient_key)
    and said.get("format") == "legalstat-receipt/1" and said.get("copySha256") == digest
    and same(["copy", "contentSha256", "recipient"])
    and signer in line and receipt["signingKey"].startswith(signer + "/signingKeys/")
    and counts(recipient_key, said["receivedAt"])
    and is_signed([recipient_key], receipt["signingKey"], said, receipt["signature"]),
}
files = [statement["contentSha256"]] if statement else []
if manifest:
    fits = bool(statement) and hashlib.sha256(rfc8785.dumps(manifest)).hexdigest() == statement["contentSha256"]
    files = [file["sha256"] for file in manifest["files"]] if fits else []
    points[f"its content is the {len(manifest['files'])} files of the manifest"] = fits
if given.content:
    with open(given.content, "rb") as file:
        points["the file is its content"] = hashlib.file_digest(file, "sha256").hexdigest() in files
for point, holds in points.items():
    print(f"{'yes' if holds else 'NO ':3} {point}")
sys.exit(0 if all(points.values()) else 1)
