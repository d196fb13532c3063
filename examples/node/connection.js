// What every program that calls legalstat needs once: clients, a call that may be repeated, a feed, and a refusal told to a person.
"use strict";
const fs = require("fs");
const path = require("path");
const { randomUUID } = require("crypto");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");

const PROTO = path.join(__dirname, "..", "..", "proto");
const CONFIG = fs.readFileSync(path.join(PROTO, "service-config.json"), "utf8");
const TIMEOUT = 30_000; // milliseconds
const LANGUAGE = "ru"; // of the person to whom a refusal is shown

// A client of a service, as who the certificate names; as nobody without a caller. One serves all calls to a service.
function connect(file, service, certificates, url, caller) {
  const loaded = loader.loadSync(file, { includeDirs: [PROTO], longs: String, enums: String, oneofs: true });
  const read = (name) => fs.readFileSync(path.join(certificates, name));
  const [key, chain] = caller ? [read(`${caller}.key`), read(`${caller}.pem`)] : [null, null];
  const credentials = grpc.credentials.createSsl(read("ca.pem"), key, chain);
  const Client = service.split(".").reduce((within, name) => within[name], grpc.loadPackageDefinition(loaded));
  return new Client(url.replace("https://", ""), credentials, { "grpc.service_config": CONFIG });
}

// One call with one message and one answer.
function call(client, method, message, timeout = TIMEOUT) {
  const metadata = new grpc.Metadata();
  metadata.set("accept-language", LANGUAGE);
  return new Promise((resolve, reject) =>
    client[method](message, metadata, { deadline: Date.now() + timeout }, (error, answer) => (error ? reject(error) : resolve(answer))));
}

const { DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, UNAVAILABLE, RESOURCE_EXHAUSTED } = grpc.status;
const NOBODY_KNOWS = [DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, UNAVAILABLE];
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Carries out one change, once, whatever becomes of the calls. A real program keeps the message with its requestId on its disk before
// it sends it, so that it can go on after a crash too.
async function change(client, method, message, firstTimeout = TIMEOUT) {
  const whole = { requestId: randomUUID(), ...message };
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      return await call(client, method, whole, attempt ? TIMEOUT : firstTimeout);
    } catch (failed) {
      if (!NOBODY_KNOWS.includes(failed.code)) throw failed;
      await pause(500);
    }
  }
  throw new Error(`the service stays away; repeat request ${whole.requestId}`);
}

// What of google/rpc a refusal of legalstat holds.
const rpc = protobuf.parse(`syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message LocalizedMessage { string locale = 1; string message = 2; }
  message BadRequest {
    message FieldViolation { string field = 1; string description = 2; string reason = 3; LocalizedMessage localized_message = 4; }
    repeated FieldViolation field_violations = 1; }`).root;

// A refusal as lines for a person: what, in the language asked for too, by which law, and every field at fault.
function refusal(failed) {
  const lines = [failed.details];
  const [bytes] = failed.metadata.get("grpc-status-details-bin");
  for (const detail of bytes ? rpc.lookupType("Status").decode(bytes).details : []) {
    if (detail.typeUrl.endsWith("google.rpc.ErrorInfo")) {
      const info = rpc.lookupType("ErrorInfo").decode(detail.value);
      lines.push(`  ${info.reason}`, ...Object.entries(info.metadata).map(([key, value]) => `  ${key}: ${value}`));
    } else if (detail.typeUrl.endsWith("google.rpc.LocalizedMessage")) {
      const { locale, message } = rpc.lookupType("LocalizedMessage").decode(detail.value);
      lines.push(`  ${locale}: ${message}`);
    } else if (detail.typeUrl.endsWith("google.rpc.BadRequest")) {
      for (const one of rpc.lookupType("BadRequest").decode(detail.value).fieldViolations) {
        lines.push(`  ${one.field}: ${one.reason}: ${one.description}`);
        if (one.localizedMessage) lines.push(`    ${one.localizedMessage.message}`);
      }
    }
  }
  return lines.join("\n");
}

// Follows a feed over as many lines as it takes: gives its messages. A line that ends, with an error or without one, is opened again
// from the last token; `keep` gets the token of each message once whoever follows has handled it.
async function* follow(client, method, asked, token, keep) {
  for (;;) {
    try {
      for await (const message of client[method]({ ...asked, resumeToken: token })) {
        yield message;
        token = message.resumeToken || token;
        keep(token);
      }
    } catch (ended) {
      if (![...NOBODY_KNOWS, RESOURCE_EXHAUSTED].includes(ended.code)) throw ended;
    }
    await pause(500);
  }
}

module.exports = { NOBODY_KNOWS, call, change, connect, follow, pause, refusal };
