#!/usr/bin/env node
// Tells every change of the working calendar once, also over restarts of this program and of the service.
//
//     watch-calendar.js FOLDER_OF_CERTIFICATES https://localhost:7601 FILE_FOR_THE_TOKEN
"use strict";
const fs = require("fs");
const { connect, follow } = require("./connection");

const [certificates, url, file] = process.argv.slice(2);
const FILE = "legalstat/calendar/v1/calendar_service.proto";
const service = connect(FILE, "legalstat.calendar.v1.CalendarService", certificates, url, "edms");

// Wholly or not at all. A real program keeps the token in the transaction in which it keeps what it was told.
function keep(token) {
  fs.writeFileSync(`${file}.new`, token);
  fs.renameSync(`${file}.new`, file);
}

async function main() {
  const token = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  for await (const change of follow(service, "WatchCalendar", { heartbeats: true }, token, keep)) {
    if (change.effect) {
      const kind = change.kind.replace("CALENDAR_CHANGE_KIND_", "").toLowerCase();
      console.log("told:", kind, change.effect.calendarAct?.name ?? "", (change.effect.changedDays ?? []).length, "days");
    } else if (change.caughtUp) {
      console.log("caught up");
    }
  }
}

main().catch((error) => { console.error(error); process.exit(1); });
