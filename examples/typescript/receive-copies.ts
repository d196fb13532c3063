// Fetches every copy of a recipient that it has not confirmed, and confirms each with a signed receipt.
//
//     receive-copies.js FOLDER_OF_CERTIFICATES https://localhost:7604 RECIPIENT KEY.pem KEY_ID FOLDER_FOR_COPIES
//
// The key is an Ed25519 private key (PKCS#8, PEM), whose public part an administrator has entered as KEY_ID.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import canonicalize from "canonicalize";
import { Service, nobodyKnows } from "./connection.js";
import type { Timestamp__Output } from "./made/google/protobuf/Timestamp.js";
import type { CollectionDistributionServiceDefinition } from "./made/legalstat/collections/v1/CollectionDistributionService.js";

const [certificates, url, recipient, key, keyId, folder] = process.argv.slice(2);
const FILE = "legalstat/collections/v1/collection_distribution_service.proto";
const NAME = "legalstat.collections.v1.CollectionDistributionService";
const service = new Service<CollectionDistributionServiceDefinition>(FILE, NAME, certificates, url, recipient);
const privateKey = createPrivateKey(readFileSync(key));
const canonical = (statement: object) => Buffer.from(canonicalize(statement) as string);

// An instant as proto3 JSON writes it: 0, 3, 6 or 9 digits of a second.
function instant({ seconds = "0", nanos = 0 }: Timestamp__Output): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const digits = [0, 3, 6, 9].find((digits) => nanos % 10 ** (9 - digits) === 0);
  return digits ? `${whole}.${String(nanos).padStart(9, "0").slice(0, digits)}Z` : `${whole}Z`;
}

// An Ed25519 key of 32 bytes as Node takes it (RFC 8410).
const publicKey = (bytes: Buffer) =>
  createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), bytes]), format: "der", type: "spki" });

async function* unconfirmed() {
  let pageToken: string | undefined;
  do {
    const page = await service.call("ListCopies", { unconfirmed: true, pageToken });
    yield* page.copies ?? [];
    pageToken = page.nextPageToken;
  } while (pageToken);
}

// The content, on from the last byte that came when the line broke; the whole is verified by its digest.
async function download(name: string, file: string): Promise<string> {
  appendFileSync(file, "");
  for (;;) {
    let sha256: string | undefined;
    try {
      for await (const part of service.stream("DownloadCopy", { name, offset: statSync(file).size }, 600_000)) {
        if (part.content) sha256 = part.content.sha256;
        else if (part.chunk) appendFileSync(file, part.chunk);
      }
    } catch (broken) {
      if (!nobodyKnows(broken)) throw broken;
      await pause(500);
      continue;
    }
    const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
    if (digest !== sha256) throw new Error("what came is not what was sent");
    return digest;
  }
}

const { signingKeys = [] } = await service.call("ListSigningKeys", {});
for await (const { name = "" } of unconfirmed()) {
  const copy = await service.call("GetCopy", { name, view: "COPY_VIEW_FULL" });
  const signer = signingKeys.find((one) => one.id === copy.signingKey);
  if (!copy.statement?.issuedAt || !copy.signature || !signer?.publicKey) throw new Error(`nobody signed ${name}`);
  // The service signed that it issued this copy, to this recipient, with this content.
  const statement = { ...copy.statement, issuedAt: instant(copy.statement.issuedAt) };
  const isTrue = verify(null, canonical(statement), publicKey(signer.publicKey), copy.signature);
  const digest = await download(name, join(folder, name.replaceAll("/", "-")));
  const isOurs = statement.copy === name && statement.contentSha256 === digest && statement.recipient === `recipients/${recipient}`;
  if (!isTrue || !isOurs) throw new Error(`${name} is not what the service issued to ${recipient}`);

  const now = Date.now();
  const receivedAt = { seconds: String(Math.floor(now / 1000)), nanos: (now % 1000) * 1e6 };
  const receipt = { format: "legalstat-receipt/1", copy: name, copySha256: copy.copySha256, contentSha256: digest,
    recipient: copy.recipient, receivedAt: instant(receivedAt) };
  const signature = sign(null, canonical(receipt), privateKey);
  const confirmed = await service.change("ConfirmReceipt", { name, sha256: digest, receivedAt, signingKey: keyId, signature }, 1);
  console.log("confirmed:", confirmed.name);
}
process.exit();
