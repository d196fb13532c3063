// Tells every change of the working calendar once, also over restarts of this program and of the service.
//
//     watch-calendar.js FOLDER_OF_CERTIFICATES https://localhost:7601 FILE_FOR_THE_TOKEN
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Service } from "./connection.js";
import type { CalendarServiceDefinition } from "./made/legalstat/calendar/v1/CalendarService.js";

const [certificates, url, file] = process.argv.slice(2);
const FILE = "legalstat/calendar/v1/calendar_service.proto";
const service = new Service<CalendarServiceDefinition>(FILE, "legalstat.calendar.v1.CalendarService", certificates, url, "edms");

// Wholly or not at all. A real program keeps the token in the transaction in which it keeps what it was told.
function keep(token: string) {
  writeFileSync(`${file}.new`, token);
  renameSync(`${file}.new`, file);
}

const token = existsSync(file) ? readFileSync(file, "utf8") : "";
for await (const { kind, effect, caughtUp } of service.follow("WatchCalendar", { heartbeats: true }, token, keep)) {
  if (effect) {
    const word = kind?.replace("CALENDAR_CHANGE_KIND_", "").toLowerCase();
    console.log("told:", word, effect.calendarAct?.name, effect.changedDays?.length ?? 0, "days");
  } else if (caughtUp) {
    console.log("caught up");
  }
}
