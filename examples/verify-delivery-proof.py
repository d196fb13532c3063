#!/usr/bin/env python3
"""Verifies a proof of delivery, as `legalstat collections prove` writes it, without asking anybody: the format is described at
DeliveryProof in proto/legalstat/collections/v1/proof.proto. KEYS is a saved answer of ListSigningKeys, in proto3 JSON. Needs the
packages rfc8785 and cryptography."""
import argparse, base64, datetime, hashlib, json, sys
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

arguments = argparse.ArgumentParser(description=__doc__)
for name in ("proof", "--keys", "--content"):
    arguments.add_argument(name)
given = arguments.parse_args()
read = lambda path: json.load(open(path, encoding="utf-8"))
sha256 = lambda message: hashlib.sha256(rfc8785.dumps(message)).hexdigest()
instant = datetime.datetime.fromisoformat

def is_signed(keys, name, message, signature):
    try:
        key = next(key for key in keys if name in (key.get("id"), key.get("name")))
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["publicKey"]))
        return public.verify(base64.b64decode(signature), rfc8785.dumps(message)) is None
    except (StopIteration, InvalidSignature):
        return False

def counts(key, received):
    """Whether a recipient's key counts at an instant: from its beginning on, and before its end where it has one."""
    return instant(key["validFrom"]) <= received and ("validTo" not in key or received < instant(key["validTo"]))

proof = read(given.proof)
keys = read(given.keys)["signingKeys"] if given.keys else proof["signingKeys"]
statement, receipt, manifest = proof.get("statement", {}), proof.get("receipt", {}), proof.get("manifest")
said, recipient_key = receipt.get("statement", {}), proof.get("recipientKey")
# A recipient that ended has a successor, which signs in its place.
line = [said.get("recipient")]
for step in proof.get("successions", []):
    line += [step["successor"]] if step["recipient"] == line[-1] else []
signer = receipt.get("successor", line[0])
unsigned = {name: value for name, value in proof.items() if name != "signature"}
is_whole = proof["format"] == "legalstat-delivery-proof/1" and is_signed(keys, proof["key"], unsigned, proof["signature"])
points = {
    "the keys are those that you know as the service's": bool(given.keys),
    "the service put this proof together": is_whole,
    "the service issued this copy": statement.get("format") == "legalstat-copy/1" and statement["copy"] == proof["copy"]
    and sha256(statement) == proof["copySha256"] and is_signed(keys, proof["copyKey"], statement, proof["copySignature"]),
    "its recipient signed that it received it": bool(is_whole and statement and recipient_key)
    and said.get("format") == "legalstat-receipt/1" and said.get("copySha256") == sha256(statement)
    and all(said.get(name) == statement.get(name) for name in ["copy", "contentSha256", "recipient"])
    and signer in line and receipt["signingKey"].startswith(signer + "/signingKeys/")
    and counts(recipient_key, instant(said["receivedAt"])) and is_signed([recipient_key], receipt["signingKey"], said, receipt["signature"]),
}
files = [statement.get("contentSha256")] if not manifest else [file["sha256"] for file in manifest["files"]]
if manifest:
    points[f"its content is the {len(files)} files of the manifest"] = sha256(manifest) == statement.get("contentSha256")
if given.content:
    is_content = hashlib.sha256(open(given.content, "rb").read()).hexdigest() in files
    points["the file is its content"] = is_content and points.get(f"its content is the {len(files)} files of the manifest", True)
for point, holds in points.items():
    print(f"{'yes' if holds else 'NO ':3} {point}")
sys.exit(0 if all(points.values()) else 1)
