// What every program that calls legalstat needs once: a service, a call that may be repeated, a feed, and a refusal told to a person.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";

const PROTO = fileURLToPath(new URL("../../../proto", import.meta.url));
const CONFIG = readFileSync(join(PROTO, "service-config.json"), "utf8");
const TIMEOUT = 30_000; // milliseconds
const LANGUAGE = "ru"; // of the person to whom a refusal is shown

const { DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, UNAVAILABLE, RESOURCE_EXHAUSTED } = grpc.status;
export const nobodyKnows = (failed: unknown) => [DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, UNAVAILABLE].includes((failed as grpc.ServiceError).code);

// What a method takes and what it answers, of the definitions that proto-loader-gen-types writes from the contracts.
type Asked<Method> = Method extends MethodDefinition<infer Message extends object, any, any, any> ? Message : never;
type Told<Method> = Method extends MethodDefinition<any, any, any, infer Message> ? Message : never;

// A service with these methods. One serves all calls to it.
export class Service<Methods> {
  private readonly client: grpc.Client;
  private readonly methods: grpc.ServiceDefinition;

  // As who the certificate names; as nobody without a caller.
  constructor(file: string, name: string, certificates: string, url: string, caller?: string) {
    const read = (name: string) => readFileSync(join(certificates, name));
    const [key, chain] = caller ? [read(`${caller}.key`), read(`${caller}.pem`)] : [null, null];
    const contracts = loadSync(file, { includeDirs: [PROTO], longs: String, enums: String, oneofs: true });
    this.methods = contracts[name] as grpc.ServiceDefinition;
    const credentials = grpc.credentials.createSsl(read("ca.pem"), key, chain);
    this.client = new grpc.Client(url.replace("https://", ""), credentials, { "grpc.service_config": CONFIG });
  }

  // One call with one message and one answer.
  call<M extends keyof Methods & string>(method: M, message: Asked<Methods[M]>, timeout = TIMEOUT): Promise<Told<Methods[M]>> {
    const { path, requestSerialize, responseDeserialize } = this.methods[method];
    const metadata = new grpc.Metadata();
    metadata.set("accept-language", LANGUAGE);
    const options = { deadline: Date.now() + timeout };
    return new Promise((resolve, reject) =>
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, options,
        (failed, answer) => (failed ? reject(failed) : resolve(answer))));
  }

  // One call with one message and many answers, without a deadline unless one is given.
  stream<M extends keyof Methods & string>(method: M, message: Asked<Methods[M]>, timeout?: number): AsyncIterable<Told<Methods[M]>> {
    const { path, requestSerialize, responseDeserialize } = this.methods[method];
    const options = timeout ? { deadline: Date.now() + timeout } : {};
    return this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message, options);
  }

  // Carries out one change, once, whatever becomes of the calls. A real program keeps the message with its requestId on its disk before
  // it sends it, so that it can go on after a crash too.
  async change<M extends keyof Methods & string>(method: M, message: Asked<Methods[M]>, firstTimeout = TIMEOUT): Promise<Told<Methods[M]>> {
    const requestId = randomUUID();
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        return await this.call(method, { ...message, requestId }, attempt ? TIMEOUT : firstTimeout);
      } catch (failed) {
        if (!nobodyKnows(failed)) throw failed;
        await pause(500);
      }
    }
    throw new Error(`the service stays away; repeat request ${requestId}`);
  }

  // Follows a feed over as many lines as it takes: gives its messages. A line that ends, with an error or without one, is opened again
  // from the last token; `keep` gets the token of each message once whoever follows has handled it.
  async *follow<M extends keyof Methods & string>(method: M, asked: Asked<Methods[M]>, token = "", keep = (_token: string) => {}) {
    for (;;) {
      try {
        for await (const message of this.stream(method, { ...asked, resumeToken: token })) {
          yield message;
          token = (message as { resumeToken?: string }).resumeToken || token;
          keep(token);
        }
      } catch (ended) {
        if (!nobodyKnows(ended) && (ended as grpc.ServiceError).code !== RESOURCE_EXHAUSTED) throw ended;
      }
      await pause(500);
    }
  }
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
interface Any { typeUrl: string; value: Uint8Array }
const read = (type: string, bytes: Uint8Array): any => rpc.lookupType(type).decode(bytes);

// A refusal as lines for a person: what, in the language asked for too, by which law, and every field at fault.
export function refusal(failed: unknown): string {
  const { details, metadata } = failed as grpc.ServiceError;
  const lines = [details];
  const [bytes] = metadata.get("grpc-status-details-bin");
  for (const { typeUrl, value } of bytes ? (read("Status", bytes as Buffer).details as Any[]) : []) {
    const detail = ["ErrorInfo", "LocalizedMessage", "BadRequest"].find((name) => typeUrl.endsWith(`google.rpc.${name}`));
    if (!detail) continue;
    const { reason, metadata, locale, message, fieldViolations } = read(detail, value);
    if (reason) lines.push(`  ${reason}`, ...Object.entries(metadata).map(([key, value]) => `  ${key}: ${value}`));
    if (locale) lines.push(`  ${locale}: ${message}`);
    for (const one of fieldViolations ?? []) {
      lines.push(`  ${one.field}: ${one.reason}: ${one.description}`);
      if (one.localizedMessage) lines.push(`    ${one.localizedMessage.message}`);
    }
  }
  return lines.join("\n");
}
