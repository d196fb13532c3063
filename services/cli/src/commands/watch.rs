//! Feeds of changes: `legalstat forms watch`, `legalstat requests watch`, `legalstat calendar watch`.

use std::{pin::pin, time::Duration};

use clap::Args;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{call::Connection, failure::Failure, options::Options, output};

/// How long until a feed that ended is watched again, where the service does not say it.
const PAUSE: Duration = Duration::from_secs(1);

/// From where to watch, and for how long
#[derive(Args, Debug)]
pub(crate) struct Watching {
    /// Only what comes after this token, which an earlier watch has told
    #[arg(long, value_name = "TOKEN")]
    after: Option<String>,
    /// End once everything that has happened is told
    #[arg(long)]
    until_caught_up: bool,
}

/// A feed, and how its messages are shown.
pub(crate) struct Feed {
    /// To the service that has it.
    pub(crate) connection: Connection,
    /// Its method, `legalstat.forms.v1.FormRegistryService/WatchForms`.
    pub(crate) method: String,
    /// The request, without a token.
    pub(crate) request: Value,
    /// What a person is told of a message; nothing of a heartbeat.
    pub(crate) line: fn(&Value) -> Option<String>,
}

impl Feed {
    /// The request for what comes after a token.
    fn after(&self, token: &str) -> Value {
        let mut request = self.request.clone();
        if !token.is_empty() {
            request["resumeToken"] = json!(token);
            request["onlyNew"].take();
        }
        request
    }
}

impl Watching {
    /// Tells the messages of a feed as they come. A feed that ends because the service is away is watched again from the last
    /// token, and nothing is told twice; Ctrl-C ends.
    pub(crate) async fn run(self, feed: Feed, options: &Options) -> Result<(), Failure> {
        let mut told = Told {
            token: self.after.clone().unwrap_or_default(),
            caught_up: false,
            heard: None,
        };
        let watched = tokio::select! {
            watched = self.watch(&feed, options, &mut told) => watched,
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
        if !told.token.is_empty() {
            output::tell(&format!("go on later with --after {}", told.token));
        }
        watched
    }

    async fn watch(&self, feed: &Feed, options: &Options, told: &mut Told) -> Result<(), Failure> {
        loop {
            let Err(failure) = self.follow(feed, options, told).await else {
                return Ok(());
            };
            if failure.retry_after().is_some() {
                // It is there, and says when to try again, as it may to every call.
                told.heard.get_or_insert_with(Instant::now);
            }
            let pause = failure.retry_after().unwrap_or(PAUSE);
            let is_away = matches!(failure, Failure::Away(_) | Failure::Unreachable(_));
            let may_come_back = |heard: Instant| is_away && heard.elapsed() + pause < options.timeout();
            if !told.heard.is_some_and(may_come_back) {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Tells until the feed ends, or everything is told and that is enough.
    async fn follow(&self, feed: &Feed, options: &Options, told: &mut Told) -> Result<(), Failure> {
        let mut messages = pin!(feed.connection.watch(&feed.method, &feed.after(&told.token)).await?);
        while let Some(message) = messages.next().await {
            let message = match message {
                Ok(message) => message,
                Err(failure) => {
                    told.heard = Some(Instant::now());
                    return Err(failure);
                }
            };
            told.hear(&message);
            let line = (feed.line)(&message);
            output::stream(&message, options.output, line.as_deref())?;
            if told.caught_up && self.until_caught_up {
                return Ok(());
            }
        }
        Err(Failure::Unreachable("the feed ended".into()))
    }
}

/// What was told so far.
struct Told {
    token: String,
    caught_up: bool,
    /// When something was heard last; how the feed ended counts, too.
    heard: Option<Instant>,
}

impl Told {
    fn hear(&mut self, message: &Value) {
        if let Some(token) = message["resumeToken"].as_str().filter(|token| !token.is_empty()) {
            self.token = token.to_owned();
        }
        self.caught_up = message["caughtUp"].as_bool().unwrap_or_default();
        self.heard = Some(Instant::now());
    }
}

/// What a person is told of an event.
pub(crate) fn event_line(message: &Value) -> Option<String> {
    let event = message.get("event").filter(|event| event.is_object())?;
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    Some(format!(
        "{}  {}  {}",
        text("occurredAt"),
        text("kind"),
        text("resource")
    ))
}

/// What a person is told of an event of a request: also its number, where it stands, and the notices of a document system.
pub(crate) fn request_line(message: &Value) -> Option<String> {
    let line = event_line(message)?;
    let event = &message["requestEvent"];
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let state = text("state");
    let state = match state.trim_start_matches("REQUEST_STATE_") {
        "UNSPECIFIED" => "",
        state => state,
    };
    let notices = event["notices"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let notices: Vec<&str> = notices.map(|notice| notice.trim_start_matches("NOTICE_")).collect();
    let parts = [line, text("registrationNumber"), state.to_owned(), notices.join(", ")];
    let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some(told.join("  "))
}

/// What a person is told of a change of the calendar.
pub(crate) fn change_line(message: &Value) -> Option<String> {
    let known = message["knownFrom"].as_str()?;
    let kind = message["kind"].as_str()?.trim_start_matches("CALENDAR_CHANGE_KIND_");
    let effect = &message["effect"];
    let days = effect["changedDays"].as_array().map_or(0, Vec::len);
    let act = effect["calendarAct"]["name"]
        .as_str()
        .unwrap_or("the calendar's registers");
    Some(format!("{known}  {kind}  {act}  days changed: {days}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_of_events_and_not_of_heartbeats() {
        let event = json!({ "resumeToken": "ab", "event": {
            "kind": "edition.placed", "resource": "forms/1/editions/2025-M01", "occurredAt": "2025-02-03T05:00:00Z",
        }});
        let line = "2025-02-03T05:00:00Z  edition.placed  forms/1/editions/2025-M01";
        assert_eq!(event_line(&event).as_deref(), Some(line));
        assert_eq!(
            event_line(&json!({ "resumeToken": "ab", "event": null, "caughtUp": true })),
            None
        );

        let change = json!({ "resumeToken": "x", "kind": "CALENDAR_CHANGE_KIND_ACT_RECORDED",
            "knownFrom": "2025-02-03T05:00:00Z",
            "effect": { "calendarAct": { "name": "calendarActs/order-1" }, "changedDays": [{}, {}] } });
        let line = "2025-02-03T05:00:00Z  ACT_RECORDED  calendarActs/order-1  days changed: 2";
        assert_eq!(change_line(&change).as_deref(), Some(line));
        assert_eq!(
            change_line(&json!({ "resumeToken": "x", "knownFrom": null, "caughtUp": true })),
            None
        );
    }

    #[test]
    fn a_person_is_told_where_a_request_stands_and_what_its_sender_hears() {
        let mut message = json!({ "event": { "kind": "request.accepted", "resource": "requests/1",
            "occurredAt": "2026-03-02T05:00:00Z" }, "requestEvent": { "registrationNumber": "2026-000001",
            "state": "REQUEST_STATE_REGISTERED", "notices": ["NOTICE_DELIVERED", "NOTICE_REGISTERED"] } });
        let line = "2026-03-02T05:00:00Z  request.accepted  requests/1  2026-000001  REGISTERED  DELIVERED, REGISTERED";
        assert_eq!(request_line(&message).as_deref(), Some(line));
        message["requestEvent"] = Value::Null;
        let line = "2026-03-02T05:00:00Z  request.accepted  requests/1";
        assert_eq!(request_line(&message).as_deref(), Some(line), "of a body, say");
    }

    #[test]
    fn a_heartbeat_moves_the_token_and_a_message_without_one_does_not() {
        let mut told = Told {
            token: "a".into(),
            caught_up: false,
            heard: None,
        };
        told.hear(&json!({ "resumeToken": "b", "caughtUp": true }));
        assert!(told.token == "b" && told.caught_up);
        told.hear(&json!({ "resumeToken": "" }));
        assert!(told.token == "b" && !told.caught_up);
    }
}
