//! EndOpenDataEntry.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    common::v1::ErrorReason,
    forms::v1::{EndOpenDataEntryRequest, OpenDataEntry},
};
use sqlx::PgConnection;
use tonic::Code;

use super::{FormRegistry, convert, read_form};
use crate::{
    db::open_data::{self, Filter},
    domain::open_data::{Entry, EntryKey},
};

pub(super) async fn end_open_data_entry(
    registry: &FormRegistry,
    call: Call,
    request: EndOpenDataEntryRequest,
) -> Result<OpenDataEntry, Error> {
    let mut violations = Violations::new();
    let key: Option<EntryKey> = match request.name.as_str() {
        "" => {
            violations.add("name", FieldReason::Required, "required");
            None
        }
        name => violations.check("name", FieldReason::ResourceName, name.parse()),
    };
    let last = read_form::day(&mut violations, "last_day", request.last_day.as_ref());
    if let Some((key, last)) = key.zip(last)
        && last < key.valid_from
    {
        violations.add("last_day", FieldReason::Range, "not before the first day");
    }
    let reason = violations.text("reason", &request.reason, read_form::REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (key, last) = violations.sound(key.zip(last))?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let ended = open_data::end(write.connection(), key, last, &reason).await?;
            let entry = find(write.connection(), key).await?;
            if !ended {
                return repeated(entry, last, &reason);
            }
            let answer = convert::to_open_data_entry(entry);
            Ok(Outcome::of(&key, "open-data-entry.ended", answer))
        })
    })
    .await
}

async fn find(connection: &mut PgConnection, key: EntryKey) -> Result<Entry, Error> {
    let filter = Filter {
        form: Some(key.form),
        on: Some(key.valid_from),
        after: None,
    };
    let found = open_data::list(connection, &filter, 2).await?;
    let found = found.into_iter().find(|entry| entry.key == key);
    Ok(found.ok_or_else(|| Refusal::not_found(&key.to_string()))?)
}

/// It has ended already: the same end changes nothing, another is refused.
fn repeated(entry: Entry, last: Date, reason: &str) -> Result<Outcome<OpenDataEntry>, Error> {
    if entry.valid_to == Some(last) && entry.end_reason == reason {
        let key = entry.key;
        let answer = convert::to_open_data_entry(entry);
        return Ok(Outcome::repeated(&key, "open-data-entry.end_repeated", answer));
    }
    let message = format!("{} has ended already", entry.key);
    Err(Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message).into())
}
