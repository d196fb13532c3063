#!/usr/bin/env node
// Fetches every copy of a recipient that it has not confirmed, and confirms each with a signed receipt.
//
//     receive-copies.js FOLDER_OF_CERTIFICATES https://localhost:7604 RECIPIENT KEY.pem KEY_ID FOLDER_FOR_COPIES
//
// The key is an Ed25519 private key (PKCS#8, PEM), whose public part an administrator has entered as KEY_ID.
"use strict";
const fs = require("fs");
const path = require("path");
const { createHash, createPrivateKey, createPublicKey, sign, verify } = require("crypto");
const canonicalize = require("canonicalize");
const { NOBODY_KNOWS, call, change, connect, pause } = require("./connection");

const [certificates, url, recipient, key, keyId, folder] = process.argv.slice(2);
const FILE = "legalstat/collections/v1/collection_distribution_service.proto";
const service = connect(FILE, "legalstat.collections.v1.CollectionDistributionService", certificates, url, recipient);
const privateKey = createPrivateKey(fs.readFileSync(key));

// An instant as proto3 JSON writes it: 0, 3, 6 or 9 digits of a second.
function instant({ seconds, nanos = 0 }) {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const digits = [0, 3, 6, 9].find((digits) => nanos % 10 ** (9 - digits) === 0);
  return digits ? `${whole}.${String(nanos).padStart(9, "0").slice(0, digits)}Z` : `${whole}Z`;
}

// An Ed25519 key of 32 bytes as Node takes it (RFC 8410).
const publicKey = (bytes) => createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), bytes]), format: "der", type: "spki" });

async function* unconfirmed() {
  let pageToken = "";
  do {
    const page = await call(service, "ListCopies", { unconfirmed: true, pageToken });
    yield* page.copies ?? [];
    pageToken = page.nextPageToken;
  } while (pageToken);
}

// The content, on from the last byte that came when the line broke; the whole is verified by its digest.
async function download(name, file) {
  fs.closeSync(fs.openSync(file, "a"));
  for (;;) {
    let content;
    try {
      const offset = fs.statSync(file).size;
      for await (const part of service.DownloadCopy({ name, offset }, { deadline: Date.now() + 600_000 })) {
        if (part.content) content = part.content;
        else fs.appendFileSync(file, part.chunk);
      }
    } catch (broken) {
      if (!NOBODY_KNOWS.includes(broken.code)) throw broken;
      await pause(500);
      continue;
    }
    const digest = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
    if (digest !== content.sha256) throw new Error("what came is not what was sent");
    return digest;
  }
}

async function main() {
  const { signingKeys } = await call(service, "ListSigningKeys", {});
  for await (const listed of unconfirmed()) {
    const copy = await call(service, "GetCopy", { name: listed.name, view: "COPY_VIEW_FULL" });
    // The service signed that it issued this copy, to this recipient, with this content.
    const signer = publicKey(signingKeys.find((one) => one.id === copy.signingKey).publicKey);
    const statement = { ...copy.statement, issuedAt: instant(copy.statement.issuedAt) };
    const isTrue = verify(null, Buffer.from(canonicalize(statement)), signer, copy.signature);
    const digest = await download(copy.name, path.join(folder, copy.name.replaceAll("/", "-")));
    const isOurs = statement.contentSha256 === digest && statement.recipient === `recipients/${recipient}`;
    if (!isTrue || !isOurs) throw new Error(`${copy.name} is not what the service issued to ${recipient}`);

    const now = Date.now();
    const receivedAt = { seconds: String(Math.floor(now / 1000)), nanos: (now % 1000) * 1e6 };
    const receipt = { format: "legalstat-receipt/1", copy: copy.name, copySha256: copy.copySha256, contentSha256: digest,
      recipient: copy.recipient, receivedAt: instant(receivedAt) };
    const signature = sign(null, Buffer.from(canonicalize(receipt)), privateKey);
    const message = { name: copy.name, sha256: digest, receivedAt, signingKey: keyId, signature };
    const confirmed = await change(service, "ConfirmReceipt", message, 1);
    console.log("confirmed:", confirmed.name);
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
