//! `legalstat calendar month`.

use std::collections::BTreeMap;

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    SERVICE, Texts, civil,
    day::{MARKS, last_reason, mark},
    due_line::notes,
    requests,
    schedules::{COLLECTIONS, FORMS, Register, due_date},
};
use crate::{
    commands::{connect, instant, object},
    failure::Failure,
    options::Options,
    output::{self, Language, text},
    place::ServiceName,
};

/// The flags of `month`.
#[derive(Args, Debug)]
pub(crate) struct Month {
    /// The month, 2016-01 to 2036-12
    #[arg(value_name = "YYYY-MM", value_parser = month)]
    month: Date,
    #[command(flatten)]
    texts: Texts,
    /// Show the days as they were known at this instant (RFC 3339); due dates are those promised now [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    as_known_at: Option<Value>,
}

/// A month as it is written on the command line, as its first day.
fn month(text: &str) -> Result<Date, String> {
    let first = format!("{text}-01").parse();
    first.map_err(|_| "write a month as 2026-05".to_owned())
}

/// What falls due, or why that cannot be told.
type Due = Result<Vec<Value>, Failure>;
/// The open requests; `None` when the caller may not see them.
type Requests = Result<Option<Vec<Value>>, Failure>;

impl Month {
    /// Prints the month. Without a register its days are still shown, and a line says what is missing.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let (first, last) = (self.month, self.month.last_of_month());
        let request = object([
            ("from", Some(civil::to_json(first))),
            ("to", Some(civil::to_json(last))),
            ("asKnownAt", self.as_known_at),
        ]);
        let calendar = connect(options, ServiceName::Calendar)?;
        let mut response = calendar.list(&format!("{SERVICE}/ListDays"), &request).await?;
        let days = response["days"].take();
        let (forms, collections, requests) = futures::join!(
            FORMS.due(first, last, options),
            COLLECTIONS.due(first, last, options),
            requests::of_month(first, last, options)
        );
        let language = self.texts.language;
        let listed = days.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = [
            grid(first, listed, language),
            marked(listed, language),
            due(&[(FORMS, &forms), (COLLECTIONS, &collections)], &requests, language),
        ];
        let failures = [
            forms.as_ref().err(),
            collections.as_ref().err(),
            requests.as_ref().err(),
        ];
        for failure in failures.into_iter().flatten() {
            output::tell(&failure.to_string());
        }
        // What is missing is null, so that a script does not take it for none.
        let whole = json!({
            "days": days, "forms": forms.ok(), "collections": collections.ok(), "requests": requests.ok().flatten(),
        });
        Ok(output::show(&whole, options.output, &text.join("\n"))?)
    }
}

/// The weeks from Monday to Sunday, each marked day with its sign, and what the signs mean.
fn grid(first: Date, days: &[Value], language: Language) -> String {
    let monday = first.weekday().to_monday_zero_offset();
    let mut cells = vec!["     ".to_owned(); usize::try_from(monday).unwrap_or(0)];
    cells.extend(
        days.iter()
            .map(|day| format!("{:>3}{} ", text(&day["date"]["day"]), mark(day).unwrap_or(' '))),
    );
    let heading: String = (0..7)
        .map(|offset| {
            let day = jiff::civil::Weekday::Monday.wrapping_add(offset);
            format!("{:>3}  ", civil::weekday(day, language))
        })
        .collect();
    let mut lines = vec![format!("{}-{:02}", first.year(), first.month()), heading];
    lines.extend(cells.chunks(7).map(|week| week.concat()));
    let signs: Vec<String> = MARKS
        .iter()
        .map(|(_, mark, meaning)| format!("{mark} {meaning}"))
        .collect();
    lines.push(signs.join(", "));
    lines.push("Saturdays and Sundays without a sign are off".into());
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The marked days with the reason that had the last word.
fn marked(days: &[Value], language: Language) -> String {
    let marked = days.iter().filter_map(|day| Some((mark(day)?, day)));
    let lines = marked.map(|(mark, day)| {
        let provisional = if day["provisional"] == true {
            language.of(" (алдын ала)", " (предварительно)", " (provisional)")
        } else {
            ""
        };
        let date = civil::with_weekday(&day["date"], language);
        format!("  {date} {mark}  {}{provisional}\n", last_reason(day, language))
    });
    let lines: String = lines.collect();
    if lines.is_empty() {
        return "No day is out of the ordinary.\n".into();
    }
    lines
}

/// What falls due, by day, and what is not known of it.
fn due(registers: &[(Register, &Due)], requests: &Requests, language: Language) -> String {
    let (mut groups, mut missing) = (BTreeMap::new(), String::new());
    for (register, due) in registers {
        match due {
            Ok(items) => items
                .iter()
                .for_each(|item| add(&mut groups, *register, item, language)),
            Err(_) => missing += &unknown(register.service),
        }
    }
    let mut told: Vec<(Date, String)> = groups.into_iter().map(grouped).collect();
    match requests {
        Ok(Some(requests)) => told.extend(requests::by_day(requests)),
        Ok(None) => missing += "  requests: not shown without a certificate that may see them\n",
        Err(_) => missing += &unknown(ServiceName::RequestIntake),
    }
    if told.is_empty() && missing.is_empty() {
        return "Nothing falls due.".into();
    }
    told.sort_by_key(|(date, _)| *date);
    let lines = told.iter().map(|(date, told)| {
        let date = civil::with_weekday(&civil::to_json(*date), language);
        format!("  {date}  {told}\n")
    });
    format!("Due:\n{}{missing}", lines.collect::<String>())
}

fn unknown(service: ServiceName) -> String {
    format!("  what {} knows is missing: it does not answer\n", service.as_str())
}

/// The day of a group, and the group in words.
fn grouped(((date, _, owner, remarks), ids): (Group, Vec<String>)) -> (Date, String) {
    let plural = if ids.len() == 1 { "" } else { "s" };
    (date, format!("{owner}{plural} {} ({remarks})", ids.join(", ")))
}

/// What falls due together and is told in one line, `forms 1, 3, 7 (2026-M04)`: by day, service, what it is, and remarks.
type Groups = BTreeMap<Group, Vec<String>>;
type Group = (Date, ServiceName, &'static str, String);

fn add(groups: &mut Groups, register: Register, item: &Value, language: Language) {
    let Some(date) = due_date(item) else { return };
    let mut remarks = text(&item["period"]);
    for note in notes(item, language) {
        remarks += &format!(", {note}");
    }
    let name = text(&item[register.owner]);
    let id = name.rsplit('/').next().unwrap_or_default().to_owned();
    let group = (date, register.service, register.owner, remarks);
    groups.entry(group).or_default().push(id);
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn day(date: Date, kind: &str) -> Value {
        let reason = json!({
            "text": { "kk": "", "ru": "", "en": "why" },
            "legalBasis": { "act": "Labour Code", "provision": "art. 84", "uri": "", "assumed": false },
        });
        json!({
            "date": civil::to_json(date), "kind": format!("DAY_KIND_{kind}"), "working": kind == "WORKING",
            "reasons": [reason], "provisional": date.day() == 27,
        })
    }

    fn may() -> Vec<Value> {
        let first = jiff::civil::date(2026, 5, 1);
        let kind = |date: Date| match date.day() {
            1 | 7 | 9 => "HOLIDAY",
            11 => "ROLLED_DAY_OFF",
            27 => "DAY_OFF",
            _ => "WORKING",
        };
        let days = (0..31).map(|offset| first.saturating_add(offset.days()));
        days.map(|date| day(date, kind(date))).collect()
    }

    #[test]
    fn weeks_begin_on_monday_and_days_out_of_the_ordinary_have_a_sign() {
        let grid = grid(jiff::civil::date(2026, 5, 1), &may(), Language::En);
        let lines: Vec<&str> = grid.lines().collect();
        assert_eq!(lines[1], "Mon  Tue  Wed  Thu  Fri  Sat  Sun");
        assert_eq!(lines[2], "                      1H   2    3");
        assert_eq!(lines[3], "  4    5    6    7H   8    9H  10");
        assert_eq!(lines[4], " 11R  12   13   14   15   16   17");
        assert_eq!(lines[6], " 25   26   27D  28   29   30   31");
        assert!(lines[7].contains("R off for a holiday") && lines.len() == 9, "{grid}");
    }

    #[test]
    fn marked_days_are_listed_with_reason_law_and_whether_they_are_provisional() {
        let listed = marked(&may(), Language::En);
        assert!(
            listed.contains("  2026-05-07 (Thu) H  why [Labour Code, art. 84]\n"),
            "{listed}"
        );
        assert!(
            listed.contains("  2026-05-27 (Wed) D  why [Labour Code, art. 84] (provisional)\n"),
            "{listed}"
        );
        assert_eq!(listed.lines().count(), 5);
    }

    #[test]
    fn what_falls_due_is_grouped_and_what_is_missing_is_named() {
        let item = |form: i32, day: i32| {
            let form = format!("forms/{form}");
            json!({ "form": form, "period": "2026-M04", "dueDate": { "year": 2026, "month": 5, "day": day }, "assumed": true })
        };
        let forms: Due = Ok(vec![item(1, 5), item(3, 5), item(7, 20)]);
        let collections: Due = Err(Failure::Unreachable("away".into()));
        let request = |number: i32, day: i32| {
            let date = json!({ "year": 2026, "month": 5, "day": day });
            json!({ "registrationNumber": format!("2026-{number:06}"), "dueDate": date })
        };
        let requests: Requests = Ok(Some(vec![request(1, 5), request(2, 5), request(3, 6)]));
        let said = due(&[(FORMS, &forms), (COLLECTIONS, &collections)], &requests, Language::En);
        assert!(
            said.contains(
                "  2026-05-05 (Tue)  forms 1, 3 (2026-M04, assumed)\n  2026-05-05 (Tue)  2 requests (2026-000001, \
                 2026-000002)\n  2026-05-06 (Wed)  1 request (2026-000003)\n"
            ),
            "{said}"
        );
        assert!(
            said.contains("  2026-05-20 (Wed)  form 7 (2026-M04, assumed)\n"),
            "{said}"
        );
        assert!(said.contains("what collection-distribution knows is missing"), "{said}");
        let nothing = due(&[(FORMS, &Ok(Vec::new()))], &Ok(Some(Vec::new())), Language::En);
        assert_eq!(nothing, "Nothing falls due.");
        let hidden = due(&[(FORMS, &Ok(Vec::new()))], &Ok(None), Language::En);
        assert_eq!(
            hidden,
            "Due:\n  requests: not shown without a certificate that may see them\n"
        );
        let away = due(&[], &Err(Failure::Unreachable("away".into())), Language::En);
        assert!(away.contains("what request-intake knows is missing"), "{away}");
    }

    #[test]
    fn a_month_is_a_year_and_a_month() {
        assert_eq!(month("2026-05"), Ok(jiff::civil::date(2026, 5, 1)));
        for wrong in ["2026-13", "2026", "2026-05-01", "may"] {
            assert!(month(wrong).is_err(), "{wrong}");
        }
    }
}
