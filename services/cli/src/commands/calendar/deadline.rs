//! `legalstat calendar deadline`.

use std::path::PathBuf;

use clap::Args;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use super::{Known, SERVICE, Texts, civil, due_line::due_line, explain};
use crate::{
    call::Connection,
    commands::{connect, date, instant, name, object, read_file, request},
    failure::Failure,
    message,
    options::Options,
    output::{self, Format, Language, localized, text},
    place::ServiceName,
};

const METHOD: &str = "ComputeDeadline";

/// The flags of `deadline`.
#[derive(Args, Debug)]
pub(crate) struct Deadline {
    /// The reporting period: 2019-M03, 2019-Q1, 2019-S1 or 2019
    #[arg(long, requires = "due_day", conflicts_with_all = ["term", "requester", "received"])]
    period: Option<String>,
    /// The day of the month following the period, 1 to 28
    #[arg(long, requires = "period", allow_negative_numbers = true)]
    due_day: Option<i32>,
    /// A due day that is off moves to the next working day
    #[arg(long, requires = "period")]
    roll_forward: bool,
    /// A term by name, for example application-2021
    #[arg(long, requires = "received", conflicts_with = "requester")]
    term: Option<String>,
    /// The term in force for this kind of requester
    #[arg(long, requires = "received", value_parser = ["state-body", "prosecutor-body", "individual", "legal-entity"])]
    requester: Option<String>,
    /// When the request was received (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    received: Option<Value>,
    /// The day on which the request counts as registered, where that is settled [default: as the calendar says]
    #[arg(long, value_name = "DATE", value_parser = date, requires = "received")]
    registered_on: Option<Value>,
    /// A time during which the clock of the term stood still (RFC 3339); can be repeated
    #[arg(long, value_name = "FROM/TO", value_parser = suspension, requires = "received")]
    suspended: Vec<Value>,
    /// A ComputeDeadlineRequest in proto3 JSON instead of flags that say what is due; `-` reads standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["period", "due_day", "roll_forward", "term", "requester", "received", "as_known_at"])]
    file: Option<PathBuf>,
    /// Show the steps: what each day did, and by which law
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    texts: Texts,
    #[command(flatten)]
    known: Known,
}

/// A suspension as it is written on the command line: two instants with a slash between them, as in ISO 8601.
fn suspension(text: &str) -> Result<Value, String> {
    let Some((from, to)) = text.split_once('/') else {
        return Err("write FROM/TO, as 2026-02-03T09:00:00+05:00/2026-02-10T09:00:00+05:00".into());
    };
    Ok(json!({ "stoppedAt": instant(from)?, "restartedAt": instant(to)? }))
}

impl Deadline {
    /// Computes the deadline and prints it.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let (explain, language) = (self.explain, self.texts.language);
        let request = self.request()?;
        let connection = connect(options, ServiceName::Calendar)?;
        let deadline = connection.send(&format!("{SERVICE}/{METHOD}"), &request).await?;
        let mut text = if explain && options.output == Format::Table {
            let length = working_days(&connection, &deadline, &request).await;
            explain::explained(&deadline, length, language)
        } else {
            format!(
                "{}\n(--explain shows the steps that lead to it)",
                due_line(&deadline, language)
            )
        };
        if let Some(said) = unrolled(&connection, &deadline, &request, language).await {
            match options.output {
                Format::Table => text += &format!("\n{said}"),
                Format::Json => output::tell(&said),
            }
        }
        Ok(output::show(&deadline, options.output, &text)?)
    }

    fn request(self) -> Result<DynamicMessage, Failure> {
        if let Some(file) = self.file {
            return read_file(&file, SERVICE, METHOD);
        }
        let subject = if let Some(period) = self.period {
            let obligation = json!({ "period": period, "dueDay": self.due_day, "rollForward": self.roll_forward });
            ("obligation", obligation)
        } else if self.term.is_some() || self.requester.is_some() {
            let kind = self
                .requester
                .map(|kind| format!("REQUESTER_KIND_{}", kind.replace('-', "_").to_uppercase()));
            let term = self.term.map(|term| json!(name("terms/", &term)));
            let suspensions = (!self.suspended.is_empty()).then(|| json!(self.suspended));
            (
                "termStart",
                object([
                    ("term", term),
                    ("requesterKind", kind.map(Value::from)),
                    ("receivedAt", self.received),
                    ("registeredOn", self.registered_on),
                    ("suspensions", suspensions),
                ]),
            )
        } else {
            return Err(Failure::usage(
                "give --period and --due-day, or --term or --requester and --received, or --file",
            ));
        };
        let fields = object([(subject.0, Some(subject.1)), ("asKnownAt", self.known.as_known_at)]);
        request(SERVICE, METHOD, &fields)
    }
}

/// How many working days the term applied has, so that its days can be numbered. That the terms cannot be had is no reason
/// to keep the answer back.
async fn working_days(connection: &Connection, deadline: &Value, request: &DynamicMessage) -> Option<i64> {
    let term = deadline["term"].as_str().filter(|term| !term.is_empty())?;
    let known = message::to_json(request).ok()?["asKnownAt"].take();
    let request = json!({ "asKnownAt": known });
    let terms = connection.list(&format!("{SERVICE}/ListTerms"), &request).await.ok()?;
    let rule = terms["terms"].as_array()?.iter().find(|rule| rule["name"] == term)?;
    let base = &rule["base"];
    base["length"]
        .as_i64()
        .filter(|_| base["unit"] == "TERM_UNIT_WORKING_DAY")
}

/// What must be said of an obligation whose last day is off and that was not asked to move: just that, and what moving it
/// gives.
async fn unrolled(
    connection: &Connection,
    deadline: &Value,
    request: &DynamicMessage,
    language: Language,
) -> Option<String> {
    let rolled = connection
        .send(&format!("{SERVICE}/{METHOD}"), &rolling(request)?)
        .await;
    moved(deadline, &rolled.ok()?, language)
}

/// The same request with a last day that moves, if it is one whose last day does not.
fn rolling(request: &DynamicMessage) -> Option<DynamicMessage> {
    let mut rolling = request.clone();
    if !rolling.has_field_by_name("obligation") {
        return None;
    }
    let obligation = rolling.get_field_by_name_mut("obligation")?.as_message_mut()?;
    if obligation.get_field_by_name("roll_forward")?.as_bool()? {
        return None;
    }
    obligation.set_field_by_name("roll_forward", prost_reflect::Value::Bool(true));
    Some(rolling)
}

/// That the last day is off, by the step that moves on from it, and the due date that follows.
fn moved(deadline: &Value, rolled: &Value, language: Language) -> Option<String> {
    let due = &deadline["dueDate"];
    let mut steps = rolled["steps"].as_array()?.iter();
    let left = steps.find(|step| step["effect"] == "STEP_EFFECT_ROLLED" && step["date"] == *due)?;
    let day = civil::with_weekday(due, language);
    let why = format!("{} [{}]", localized(&left["text"], language), text(&left["legalBasis"]));
    let rolled = due_line(rolled, language);
    Some(language.of(
        format!("{day} — демалыс күні: {why}\n--roll-forward болса: {rolled}"),
        format!("{day} — нерабочий день: {why}\nс --roll-forward: {rolled}"),
        format!("{day} is a day off: {why}\nwith --roll-forward: {rolled}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_that_is_off_is_told_with_what_moving_it_gives() {
        let request = request(
            SERVICE,
            METHOD,
            &json!({ "obligation": { "period": "2019-Q2", "dueDay": 14 } }),
        );
        let rolling = rolling(&request.expect("a request")).expect("its last day does not move");
        assert!(super::rolling(&rolling).is_none(), "it moves already");
        let date = |day: i32| json!({ "year": 2019, "month": 7, "day": day });
        let step = |day: i32, effect: &str| {
            json!({
                "date": date(day), "effect": effect, "text": { "en": "Sunday" },
                "legalBasis": { "act": "Labour Code", "provision": "art. 84", "assumed": false },
            })
        };
        let rolled = json!({
            "dueDate": date(15), "dueTime": "2019-07-15T18:00:00Z",
            "steps": [step(14, "STEP_EFFECT_ROLLED"), step(15, "STEP_EFFECT_DUE")],
        });
        assert_eq!(
            moved(&json!({ "dueDate": date(14) }), &rolled, Language::En).as_deref(),
            Some(
                "2019-07-14 (Sun) is a day off: Sunday [Labour Code, art. 84]\n\
                 with --roll-forward: due 2019-07-15 (Mon), until 2019-07-16 00:00 UTC+06:00 (Astana)"
            )
        );
        assert_eq!(moved(&json!({ "dueDate": date(15) }), &rolled, Language::En), None);
    }

    #[test]
    fn a_suspension_is_two_instants_with_a_slash() {
        assert_eq!(
            suspension("2026-02-03T09:00:00+05:00/2026-02-10T09:00:00+05:00"),
            Ok(json!({ "stoppedAt": "2026-02-03T04:00:00Z", "restartedAt": "2026-02-10T04:00:00Z" }))
        );
        for wrong in ["2026-02-03T09:00:00+05:00", "2026-02-03/2026-02-10", "/"] {
            assert!(suspension(wrong).is_err(), "{wrong}");
        }
    }
}
