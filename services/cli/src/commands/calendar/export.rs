//! `legalstat calendar export`.

use std::{collections::HashMap, path::PathBuf};

use clap::{Args, ValueEnum};
use jiff::{Timestamp, civil::date};
use legalstat_kit::zone;
use legalstat_local::folder::write_chosen;
use serde_json::{Value, json};

use super::{
    SERVICE, Texts, civil,
    day::{self, mark},
    due_line::remarks,
    history::{self, History},
    ics::{self, Entry, Status, When},
    requests,
    schedules::{COLLECTIONS, FORMS, Register, due_date},
};
use crate::{
    call::Connection,
    commands::connect,
    failure::Failure,
    options::Options,
    output::{self, Language, localized, text},
    place::ServiceName,
};

/// The flags of `export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// A year; can be repeated [default: the current year]
    #[arg(long, value_parser = clap::value_parser!(i16).range(2016..=2036))]
    year: Vec<i16>,
    /// The first of several years
    #[arg(long, requires = "to_year", conflicts_with = "year", value_parser = clap::value_parser!(i16).range(2016..=2036))]
    from_year: Option<i16>,
    /// The last of several years
    #[arg(long, requires = "from_year", value_parser = clap::value_parser!(i16).range(2016..=2036))]
    to_year: Option<i16>,
    /// Only this; can be repeated
    #[arg(long, value_name = "WHAT")]
    only: Vec<Part>,
    /// Open requests too, by number only; without this or `--only requests` they are left out, because a calendar file is
    /// easily passed on
    #[arg(long)]
    requests: bool,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    #[command(flatten)]
    texts: Texts,
}

/// What an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Holidays, days off, moved days off and days worked in their place.
    Days,
    /// The due dates of the forms.
    Forms,
    /// The due dates of the collections.
    Collections,
    /// The due dates of open requests, by number only.
    Requests,
}

impl Export {
    /// Writes the calendar. If a service is away nothing is written: a calendar program would take what is missing for
    /// deleted.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        if let (Some(from), Some(to)) = (self.from_year, self.to_year)
            && to < from
        {
            return Err(Failure::usage("--to-year must not lie before --from-year"));
        }
        let language = self.texts.language;
        // The calendar is asked for its days in any case: they say when it last learned something.
        let (mut entries, mut stamp) = (Vec::new(), Timestamp::UNIX_EPOCH);
        let calendar = connect(options, ServiceName::Calendar)?;
        for year in self.years() {
            let now = days(&calendar, year, None).await?;
            stamp = stamp.max(now.iter().map(revised_at).max().unwrap_or(stamp));
            if self.holds(Part::Days) {
                let mut history = History::default();
                for instant in history::instants(&calendar, year, stamp).await? {
                    let known = days(&calendar, year, Some(instant)).await?;
                    history.add(known.iter().filter_map(|day| day_off(day, language)));
                }
                history.add(now.iter().filter_map(|day| day_off(day, language)));
                entries.extend(history.entries());
            }
        }
        for (part, register) in [(Part::Forms, FORMS), (Part::Collections, COLLECTIONS)] {
            if self.holds(part) {
                entries.extend(self.deadlines(register, options).await?);
            }
        }
        if self.requests || self.only.contains(&Part::Requests) {
            entries.extend(self.answers(options).await?);
        }
        let calendar = ics::calendar(&entries, stamp)?;
        match self.to {
            Some(file) => {
                write_chosen(&file, calendar.as_bytes())?;
                output::tell(&format!("{} entries are in {}", entries.len(), file.display()));
                Ok(())
            }
            None => output::write_content(calendar.as_bytes()),
        }
    }

    fn holds(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn years(&self) -> Vec<i16> {
        let mut years = self.year.clone();
        if let (Some(from), Some(to)) = (self.from_year, self.to_year) {
            years.extend(from..=to);
        }
        if years.is_empty() {
            years.push(zone::civil_day(Timestamp::now()).year());
        }
        years.sort_unstable();
        years.dedup();
        years
    }

    /// What a register says falls due in the years.
    async fn deadlines(&self, register: Register, options: &Options) -> Result<Vec<Entry>, Failure> {
        let owners = register.owners(options).await?;
        let owners: HashMap<String, &Value> = owners.iter().map(|owner| (text(&owner["name"]), owner)).collect();
        let mut deadlines = Vec::new();
        for year in self.years() {
            for item in register.due(date(year, 1, 1), date(year, 12, 31), options).await? {
                let owner = owners
                    .get(&text(&item[register.owner]))
                    .copied()
                    .unwrap_or(&Value::Null);
                deadlines.extend(deadline(&item, owner, register, self.texts.language));
            }
        }
        Ok(deadlines)
    }

    /// The open requests to answer in the years, by due date and number.
    async fn answers(&self, options: &Options) -> Result<Vec<Entry>, Failure> {
        let mut answers = Vec::new();
        for year in self.years() {
            let (first, last) = (date(year, 1, 1), date(year, 12, 31));
            let kept = |request: &Value| {
                let number = text(&request["registrationNumber"]);
                Some((
                    due_date(request)?,
                    number,
                    requests::entry(request, self.texts.language)?,
                ))
            };
            answers.extend(requests::due(first, last, requests::View::Full, options, kept).await?);
        }
        answers.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        Ok(answers.into_iter().map(|(_, _, entry)| entry).collect())
    }
}

/// The days of a year, as they were known at an instant or are now.
async fn days(connection: &Connection, year: i16, known: Option<Timestamp>) -> Result<Vec<Value>, Failure> {
    let request = json!({
        "from": civil::to_json(date(year, 1, 1)), "to": civil::to_json(date(year, 12, 31)),
        "asKnownAt": known.map(|instant| instant.to_string()),
    });
    let mut response = connection.list(&format!("{SERVICE}/ListDays"), &request).await?;
    match response["days"].take() {
        Value::Array(days) => Ok(days),
        _ => Ok(Vec::new()),
    }
}

/// When the calendar last learned something: the instant in its version. Without one nothing was ever added to it.
fn revised_at(day: &Value) -> Timestamp {
    let version = day["calendarVersion"].as_str().unwrap_or_default();
    let since = version.split_once('@').and_then(|(_, since)| since.parse().ok());
    since.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The entry of a day that is out of the ordinary.
fn day_off(day: &Value, language: Language) -> Option<Entry> {
    mark(day)?;
    let date = civil::from_json(&day["date"])?;
    let last = day["reasons"].as_array()?.last()?;
    let mut lines = day::reasons(day, language);
    lines.extend(remarks(day, language));
    let (uid, sequence) = named(day, last);
    Some(Entry {
        uid,
        sequence,
        when: When::Day(date),
        summary: localized(&last["text"], language),
        description: lines.join("\n"),
        status: Status::of(day["provisional"] == true),
    })
}

/// The UID and SEQUENCE of a day. It keeps its name when its date moves, which the holiday and the year give; what no
/// holiday names is named by its date. So is a day off for a holiday that fell on one: when that moves, another day is off.
fn named(day: &Value, last: &Value) -> (String, i64) {
    let date = text(&day["date"]);
    let revision = last["revision"].as_i64().unwrap_or(0);
    match text(&last["key"]).as_str() {
        _ if day["kind"] == "DAY_KIND_ROLLED_DAY_OFF" => (format!("days-{date}-rolled@legalstat"), 0),
        "" => (format!("days-{date}@legalstat"), revision),
        key => (format!("days-{key}-{}@legalstat", text(&day["date"]["year"])), revision),
    }
}

/// The entry of a line of a schedule.
fn deadline(item: &Value, owner: &Value, register: Register, language: Language) -> Option<Entry> {
    let mut lines = vec![text(&owner["legalBasis"]), roll(owner, language)];
    lines.extend(remarks(item, language));
    Some(Entry {
        // A file name in some calendar servers, so without slashes.
        uid: format!("{}@legalstat", text(&item["edition"]).replace('/', "-")),
        sequence: item["dueDateRevision"].as_i64().unwrap_or(0),
        when: When::DayInAstana(due_date(item)?),
        summary: summary(item, owner, register, language),
        description: lines.join("\n"),
        status: Status::of(item["provisional"] == true),
    })
}

/// What falls due, and for which period.
fn summary(item: &Value, owner: &Value, register: Register, language: Language) -> String {
    let (period, title) = (text(&item["period"]), localized(&owner["title"], language));
    if register.service == ServiceName::CollectionDistribution {
        return language.of(
            format!("Жинақ, {period}: {title}"),
            format!("Сборник за {period}: {title}"),
            format!("Collection for {period}: {title}"),
        );
    }
    let number = text(&owner["listNumber"]);
    language.of(
        format!("№ {number} нысан, {period}: {title}"),
        format!("Форма № {number} за {period}: {title}"),
        format!("Form {number} for {period}: {title}"),
    )
}

/// Whether a due day that is off moves, and by which law.
fn roll(owner: &Value, language: Language) -> String {
    let rolls = if owner["rollForward"] == true {
        language.of(
            "демалыс күнінен ауысады",
            "с выходного дня переносится",
            "moves on from a day off",
        )
    } else {
        language.of(
            "демалыс күнінен ауыспайды",
            "с выходного дня не переносится",
            "does not move from a day off",
        )
    };
    format!("{rolls}: {}", text(&owner["rollForwardBasis"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(kind: &str, key: &str) -> Value {
        let basis = json!({ "act": "Labour Code", "provision": "art. 84", "uri": "", "assumed": false });
        let reason = |text: &str, key: &str| json!({ "text": { "kk": "", "ru": "", "en": text }, "legalBasis": basis, "key": key, "revision": 1 });
        json!({
            "date": { "year": 2026, "month": 5, "day": 27 }, "kind": format!("DAY_KIND_{kind}"), "provisional": true,
            "reasons": [reason("Wednesday", ""), reason("Kurban Ait", key)], "calendarVersion": "3@2026-01-05T06:07:08Z",
        })
    }

    #[test]
    fn a_day_off_is_named_by_its_holiday_and_year_or_by_its_date() {
        for (kind, key, uid, sequence) in [
            ("DAY_OFF", "kurban-ait", "days-kurban-ait-2026@legalstat", 1),
            (
                "ROLLED_DAY_OFF",
                "victory-day-05-09",
                "days-2026-05-27-rolled@legalstat",
                0,
            ),
            ("TRANSFERRED_DAY_OFF", "", "days-2026-05-27@legalstat", 1),
        ] {
            let entry = day_off(&off(kind, key), Language::Ru).expect("it is out of the ordinary");
            assert_eq!(
                (entry.uid.as_str(), entry.sequence, entry.status),
                (uid, sequence, Status::Tentative)
            );
            assert_eq!(entry.summary, "Kurban Ait");
            assert!(
                entry
                    .description
                    .starts_with("Wednesday [Labour Code, art. 84]\nKurban Ait ["),
                "{entry:?}"
            );
        }
        assert!(
            day_off(&off("WEEKEND", ""), Language::En).is_none(),
            "a plain weekend is no entry"
        );
    }

    #[test]
    fn a_deadline_is_named_by_its_edition_and_says_its_law() {
        let item = json!({
            "edition": "forms/1/editions/2026-M01", "form": "forms/1", "period": "2026-M01",
            "dueDate": { "year": 2026, "month": 2, "day": 5 }, "provisional": false, "assumed": true, "dueDateRevision": 3,
        });
        let form = json!({
            "listNumber": 1, "rollForward": true, "title": { "kk": "", "ru": "О преступлениях", "en": "" },
            "legalBasis": { "act": "Instruction", "provision": "para 14", "uri": "", "assumed": false },
            "rollForwardBasis": { "act": "Instruction", "provision": "para 13", "uri": "", "assumed": true },
        });
        let entry = deadline(&item, &form, FORMS, Language::En).expect("it has a due date");
        assert_eq!(entry.uid, "forms-1-editions-2026-M01@legalstat");
        assert_eq!((entry.sequence, entry.status), (3, Status::Confirmed));
        assert_eq!(entry.when, When::DayInAstana(date(2026, 2, 5)));
        assert_eq!(entry.summary, "Form 1 for 2026-M01: О преступлениях");
        assert!(
            entry
                .description
                .starts_with("Instruction, para 14\nmoves on from a day off: Instruction, para 13 (assumed)\nassumed:")
        );
    }

    #[test]
    fn the_stamp_is_when_the_calendar_last_learned_something() {
        assert_eq!(revised_at(&off("DAY_OFF", "")).to_string(), "2026-01-05T06:07:08Z");
        assert_eq!(revised_at(&json!({ "calendarVersion": "3" })), Timestamp::UNIX_EPOCH);
    }
}
