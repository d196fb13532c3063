// Submits a request as a document system and follows it until it is answered or refused.
//
//     submit-and-follow.js FOLDER_OF_CERTIFICATES https://localhost:7603 EXTERNAL_NUMBER
import { Service, refusal } from "./connection.js";
import type { Request } from "./made/legalstat/requests/v1/Request.js";
import type { RequestIntakeServiceDefinition } from "./made/legalstat/requests/v1/RequestIntakeService.js";

const [certificates, url, externalNumber] = process.argv.slice(2);
const FILE = "legalstat/requests/v1/request_intake_service.proto";
const service = new Service<RequestIntakeServiceDefinition>(FILE, "legalstat.requests.v1.RequestIntakeService", certificates, url, "edms");
const item = { kind: "ITEM_KIND_STATISTICS", description: "Registered crimes", unit: "UNIT_CRIME", period: "2025-Q4" } as const;
const request: Request = {
  requester: { kind: "REQUESTER_KIND_STATE_BODY", fullName: "Әділет министрлігі" },
  signatory: { fullName: "Т. Әлиев", capacity: "SIGNATORY_CAPACITY_HEAD" },
  channel: "CHANNEL_UNIFIED_EDMS", externalNumber, externalDate: { year: 2026, month: 2, day: 2 },
  essence: "Crimes registered in the fourth quarter of 2025", language: "LANGUAGE_RU", items: [item],
};
const ENDS = ["ANSWERED", "WITHDRAWN", "LEFT_WITHOUT_CONSIDERATION", "RETURNED", "FORWARDED", "TERMINATED"];

// A request that breaks rules is refused with all of them, and nothing of it is stored.
const wrong = { ...request, essence: "", items: [{ ...item, period: "2025-Q5" }] };
const failed = await service.change("SubmitRequest", { request: wrong }).then(() => null, (failed) => failed);
if (!failed) throw new Error("a wrong request was taken");
console.log("refused:", refusal(failed));

// Where the feed stands before the request is sent: its first heartbeat says it.
const begun = service.follow("WatchRequests", { onlyNew: true });
const start = (await begun.next()).value?.resumeToken;
await begun.return();

// The first call is cut after a millisecond, so that nobody knows whether it was carried out. The next one has the same id.
const accepted = await service.change("SubmitRequest", { request }, 1);
console.log("accepted:", accepted.name, accepted.coupon?.number, accepted.registrationNumber);

for await (const { event, requestEvent } of service.follow("WatchRequests", {}, start)) {
  if (requestEvent?.request !== accepted.name) continue; // a heartbeat, or another request
  const state = (requestEvent?.state ?? "").replace("REQUEST_STATE_", "");
  const notices = (requestEvent?.notices ?? []).map((notice) => notice.replace("NOTICE_", "").toLowerCase());
  console.log("told:", event?.kind, state.toLowerCase(), ...notices);
  if (ENDS.includes(state)) process.exit();
}
