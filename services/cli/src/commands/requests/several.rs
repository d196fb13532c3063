//! `legalstat requests submit` of a file with several requests: they go in batches, and each has its own answer.

use std::path::Path;

use legalstat_proto::requests::v1::SubmissionFailure;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use super::SERVICE;
use crate::{
    call::{self, Connection},
    commands::{self, Mutation},
    failure::Failure,
    message,
    options::Options,
    output,
};

/// How many requests go together.
const TOGETHER: usize = 100;
/// How many bytes of their JSON go together: a message has at most 4 MiB, and is shorter than its JSON.
const BYTES: usize = 3 * 1024 * 1024;

/// The requests of a file.
pub(crate) struct Several {
    requests: Vec<(usize, DynamicMessage)>,
    made_ids: Option<String>,
}

/// Reads the requests of a file, one JSON object after the other; `None` when it holds one, or none.
pub(super) fn read(file: &Path, mutation: &Mutation) -> Result<Result<Several, DynamicMessage>, Failure> {
    let (text, source) = commands::read_text(file)?;
    let input = call::method(&format!("{SERVICE}/SubmitRequest")).input();
    let pieces = pieces(&text);
    if pieces.len() < 2 {
        return Ok(Err(mutation.add_to(message::read(&input, &text, &source)?)));
    }
    let base = mutation.request_id.clone().unwrap_or_else(commands::new_request_id);
    let base = Uuid::try_parse(&base).map_err(|_| Failure::usage("--request-id is not a UUID"))?;
    let mut requests = Vec::with_capacity(pieces.len());
    for (place, piece) in pieces.iter().enumerate() {
        let number = place + 1;
        let mut request = message::read(&input, piece, &format!("request {number} of {source}"))?;
        if message::text(&request, "request_id").is_empty() {
            // The same file under the same id has no second effect, wherever it broke off.
            let id = Uuid::new_v5(&base, number.to_string().as_bytes());
            request.set_field_by_name("request_id", message::string(id.to_string()));
        }
        if mutation.validate_only {
            request.set_field_by_name("validate_only", prost_reflect::Value::Bool(true));
        }
        requests.push((piece.len(), request));
    }
    let made = mutation.request_id.is_none() && !mutation.validate_only;
    Ok(Ok(Several {
        requests,
        made_ids: made.then(|| base.to_string()),
    }))
}

/// The JSON values of a text, one after the other. What is no JSON stays one piece, which is refused as such.
fn pieces(text: &str) -> Vec<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let (mut pieces, mut begin) = (Vec::new(), 0);
    while let Some(value) = values.next() {
        if value.is_err() {
            pieces.push(&text[begin..]);
            return pieces;
        }
        let end = values.byte_offset();
        pieces.push(&text[begin..end]);
        begin = end;
    }
    pieces
}

impl Several {
    /// Submits them, and tells what became of each as it is known.
    pub(crate) async fn run(self, connection: &Connection, options: &Options) -> Result<(), Failure> {
        if let Some(id) = &self.made_ids {
            output::tell(&format!(
                "request id {id}; the same file with --request-id {id} has no second effect"
            ));
        }
        let method = format!("{SERVICE}/BatchSubmitRequests");
        let all = self.requests.len();
        let (mut number, mut refused) = (0, 0);
        for together in batches(self.requests) {
            let mut batch = DynamicMessage::new(call::method(&method).input());
            let submissions = together.into_iter().map(prost_reflect::Value::Message).collect();
            batch.set_field_by_name("requests", prost_reflect::Value::List(submissions));
            let answer = connection.send(&method, &batch).await?;
            for result in answer["results"].as_array().into_iter().flatten() {
                number += 1;
                refused += usize::from(told(number, result, options)?);
            }
        }
        if refused > 0 {
            return Err(anyhow::anyhow!("{refused} of {all} requests were refused").into());
        }
        Ok(())
    }
}

/// Parts them so that each part fits into a message.
fn batches(requests: Vec<(usize, DynamicMessage)>) -> Vec<Vec<DynamicMessage>> {
    let (mut batches, mut bytes) = (vec![Vec::new()], 0);
    for (size, request) in requests {
        let last = batches.last_mut().expect("there is one from the start");
        if last.len() == TOGETHER || (bytes + size > BYTES && !last.is_empty()) {
            batches.push(vec![request]);
            bytes = size;
        } else {
            last.push(request);
            bytes += size;
        }
    }
    batches
}

/// Tells what became of one; whether it was refused.
fn told(number: usize, result: &Value, options: &Options) -> Result<bool, Failure> {
    let failure = result.get("failure").filter(|failure| failure.is_object());
    let line = match failure {
        Some(failure) => format!("{number}: {}", refusal(failure)?),
        None => {
            let text = |field: &str| result["request"][field].as_str().unwrap_or_default().to_owned();
            let coupon = result["request"]["coupon"]["number"].as_str().unwrap_or_default();
            let state = text("state").trim_start_matches("REQUEST_STATE_").to_owned();
            format!(
                "{number}: {}  {state}  {coupon}  {}",
                text("name"),
                text("registrationNumber")
            )
        }
    };
    let mut whole = json!({ "number": number });
    let kind = if failure.is_some() { "failure" } else { "request" };
    whole[kind] = result[kind].clone();
    output::stream(&whole, options.output, Some(&line))?;
    Ok(failure.is_some())
}

/// The refusal as the call alone would have had it.
fn refusal(failure: &Value) -> Result<Failure, Failure> {
    let descriptor = message::named("legalstat.requests.v1.SubmissionFailure");
    let failure = message::of(&descriptor, failure)?.transcode_to::<SubmissionFailure>();
    let failure = failure.map_err(|error| anyhow::Error::new(error).context("an answer to a batch"))?;
    let code = Code::from_i32(failure.code);
    let status = Status::with_details(code, failure.message, failure.status.into());
    Ok(Failure::from(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_parted_at_its_objects_whatever_stands_between_and_within_them() {
        assert_eq!(pieces("{\"a\": \"}{\"}\n{}\n\n {\"b\": [1,\n2]}\n").len(), 3);
        assert_eq!(pieces("{}"), ["{}"]);
        assert_eq!(pieces(""), Vec::<&str>::new());
        assert_eq!(
            pieces("{} nonsense"),
            ["{}", " nonsense"],
            "the second is refused when it is read"
        );
    }

    #[test]
    fn batches_are_bounded_by_number_and_by_bytes() {
        let input = call::method(&format!("{SERVICE}/SubmitRequest")).input();
        let of = |sizes: Vec<usize>| {
            let requests = sizes.into_iter().map(|size| (size, DynamicMessage::new(input.clone())));
            batches(requests.collect()).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(of(vec![10; 250]), [100, 100, 50]);
        assert_eq!(of(vec![BYTES - 1, 1, 1]), [2, 1]);
        assert_eq!(of(vec![BYTES + 1, BYTES + 1]), [1, 1]);
    }
}
