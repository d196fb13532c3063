//! Submits a request, and asks before it sends what was likely sent already.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Context as _;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use uuid::Uuid;

use super::new_request_id;
use crate::{call::Connection, failure::Failure, message, output};

/// A request to submit.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) message: DynamicMessage,
    /// Whether it is sent unasked.
    pub(crate) yes: bool,
}

impl Submission {
    /// Has the service check it first, and sends it unless it is likely a duplicate and whoever is asked does not want it.
    pub(crate) async fn send(&self, connection: &Connection, method: &str) -> Result<Value, Failure> {
        // Without its own id the call is refused, and told all that is wrong with it.
        let has_id = Uuid::try_parse(&message::text(&self.message, "request_id")).is_ok();
        if !self.yes && has_id && !message::is_trial(&self.message) {
            let mut trial = self.message.clone();
            trial.set_field_by_name("validate_only", prost_reflect::Value::Bool(true));
            // A call with the id of one that was answered is no trial.
            trial.set_field_by_name("request_id", message::string(new_request_id()));
            // What is refused as a trial may be right as a repetition, and is told best by the call itself.
            let shown = connection.send(method, &trial).await.unwrap_or_default();
            if let Some(first) = likely_duplicate(&shown) {
                let asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
                if !asked {
                    output::tell(&format!("{first}; it is sent all the same"));
                } else if !is_wanted(&first, &mut std::io::stdin().lock(), &mut std::io::stderr())? {
                    return Err(Failure::usage(
                        "nothing was sent, because the answer was not yes; --yes gives it beforehand",
                    ));
                }
            }
        }
        connection.send(method, &self.message).await
    }
}

/// In words, the first request with the same document.
fn likely_duplicate(shown: &Value) -> Option<String> {
    let first = shown.get("likelyDuplicateOf")?;
    let text = |field: &str| first.get(field).and_then(Value::as_str).unwrap_or_default();
    let number = match text("registrationNumber") {
        "" => format!("coupon {}", text("couponNumber")),
        number => format!("registered as {number}"),
    };
    Some(format!(
        "a document with the same number and date was received before: {}, {number}",
        text("name")
    ))
}

/// Asks whether to send it all the same; only `yes` says so.
fn is_wanted(first: &str, input: &mut impl BufRead, output: &mut impl Write) -> Result<bool, Failure> {
    write!(output, "{first}. Send it all the same? [yes/no] ")
        .and_then(|()| output.flush())
        .context("standard error")?;
    let mut answer = String::new();
    input.read_line(&mut answer).context("standard input")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "yes" | "y"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_is_named_by_its_number_or_else_by_its_coupon() {
        assert_eq!(likely_duplicate(&json!({ "state": "REQUEST_STATE_REGISTERED" })), None);
        let told = |number: &str| {
            let first = json!({ "name": "requests/1", "couponNumber": "20260302-ABCD", "registrationNumber": number });
            likely_duplicate(&json!({ "likelyDuplicateOf": first })).expect("it is one")
        };
        assert!(told("2026-000001").ends_with("requests/1, registered as 2026-000001"));
        assert!(told("").ends_with("requests/1, coupon 20260302-ABCD"));
    }

    #[test]
    fn only_yes_sends_it() {
        for (answer, wanted) in [
            ("yes\n", true),
            (" Y \r\n", true),
            ("", false),
            ("no\n", false),
            ("yes please\n", false),
        ] {
            let mut asked = Vec::new();
            let found = is_wanted("it was received before", &mut answer.as_bytes(), &mut asked);
            assert_eq!(found.ok(), Some(wanted), "{answer:?}");
            assert!(String::from_utf8_lossy(&asked).ends_with("Send it all the same? [yes/no] "));
        }
    }
}
