//! UpdateRecipient.

use std::{collections::BTreeSet, sync::Arc};

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    write::{self, Mutation, Outcome, Write},
    zone,
};
use legalstat_proto::collections::v1::{self as proto, UpdateRecipientRequest};
use sqlx::PgConnection;

use super::{
    CollectionDistribution, door,
    recipients::{self, REASON},
};
use crate::{
    db::{self, recipient_detail, recipient_detail::Recorded},
    domain::{
        copy::CopyState,
        delivery, key,
        recipient::{self, Facts, Known, Rewriting, Unfit},
    },
};

/// The fields that can change.
const PATHS: [&str; 10] = [
    "display_name",
    "display_name.kk",
    "display_name.ru",
    "display_name.en",
    "parent",
    "certificate_name",
    "endpoint",
    "successor",
    "legal_basis",
    "valid_to",
];

pub(super) async fn update_recipient(
    service: &CollectionDistribution,
    call: Call,
    message: UpdateRecipientRequest,
) -> Result<proto::Recipient, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let given = message.recipient.clone().unwrap_or_default();
    let id = door::resource(&mut violations, "recipient.name", &given.name, key::parse_recipient);
    let paths = message.update_mask.clone().unwrap_or_default().paths;
    if paths.is_empty() {
        violations.add("update_mask", FieldReason::Required, "required: the fields that change");
    }
    for path in paths.iter().filter(|path| !PATHS.contains(&path.as_str())) {
        let shown: String = path.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
        violations.add("update_mask", FieldReason::Unknown, format!("{shown:?} cannot change"));
    }
    let from = recipients::day(&mut violations, "effective_from", message.effective_from.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let id = violations.sound(id)?;
    let mutation = Mutation::of(&call, &key::recipient(&id), request_id, message.validate_only, &message);
    let due = Arc::clone(&service.due);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let (name, done) = (key::recipient(&id), call.done(write.now()));
            let today = zone::civil_day(done.at);
            recipient_detail::lock_entitlements(write.connection()).await?;
            let before = recipient_detail::all(write.connection()).await?;
            let rows: Vec<Known> = before.iter().filter(|row| row.id == id).cloned().collect();
            let stands = standing(&rows, from, today, &name)?;
            if !given.etag.is_empty() && given.etag != recipients::etag(stands) {
                return Err(Refusal::changed(&name).into());
            }
            let facts = edited(stands, &given, &paths)?;
            let changed = recipient::change(&rows, from, today, move |stands| *stands = facts).map_err(unfit)?;
            let Some(rewriting) = changed else {
                let answer = recipients::shown(stands, &call);
                return Ok(Outcome::repeated(&name, "recipient.update_repeated", answer));
            };
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            let known = rewrite(write, stands, rewriting, &recorded).await?;
            let after = recipient_detail::all(write.connection()).await?;
            require_followed(write.connection(), &before, &after).await?;
            let from_when = delivery::changed(&before, &after, recorded.at);
            let waiting = [CopyState::Issued, CopyState::Sending, CopyState::Recalled];
            db::delivery::begin_waiting(write.connection(), &from_when, &waiting).await?;
            let changed: Vec<String> = from_when.into_keys().collect();
            db::breaker::close(write.connection(), &changed).await?;
            let outcome = Outcome::of(&name, "recipient.updated", recipients::shown(&known, &call));
            Ok(outcome.once_committed(move || due.notify_one()))
        })
    })
    .await
}

/// The row that the change is about.
fn standing<'a>(rows: &'a [Known], from: Option<Date>, today: Date, name: &str) -> Result<&'a Known, Refusal> {
    let known = recipient::as_of(rows, from.unwrap_or(today)).ok_or_else(|| Refusal::not_found(name))?;
    match from {
        Some(from) if !known.covers(from) => Err(unfit(Unfit::NotInForce)),
        _ => Ok(known),
    }
}

fn unfit(unfit: Unfit) -> Refusal {
    let field = if matches!(unfit, Unfit::NotInForce) {
        "effective_from"
    } else {
        "recipient.valid_to"
    };
    Violations::one(field, FieldReason::OutOfRange, &unfit.to_string())
}

/// What is known with the fields of the mask as they are given, read as a whole: an end and a successor must go together.
fn edited(stands: &Known, given: &proto::Recipient, paths: &[String]) -> Result<Facts, Error> {
    let mut whole = recipients::whole(stands);
    for path in paths {
        match path.as_str() {
            "display_name" => whole.display_name.clone_from(&given.display_name),
            "parent" => whole.parent.clone_from(&given.parent),
            "certificate_name" => whole.certificate_name.clone_from(&given.certificate_name),
            "endpoint" => whole.endpoint.clone_from(&given.endpoint),
            "successor" => whole.successor.clone_from(&given.successor),
            "legal_basis" => whole.legal_basis.clone_from(&given.legal_basis),
            "valid_to" => whole.valid_to = given.valid_to,
            language => edit_name(&mut whole, given, language),
        }
    }
    let mut violations = Violations::new();
    let facts = recipients::facts(&mut violations, &whole);
    violations.sound(facts)
}

fn edit_name(whole: &mut proto::Recipient, given: &proto::Recipient, language: &str) {
    let name = whole.display_name.get_or_insert_default();
    let given = given.display_name.clone().unwrap_or_default();
    match language {
        "display_name.kk" => name.kk = given.kk,
        "display_name.ru" => name.ru = given.ru,
        _ => name.en = given.en,
    }
}

/// Writes the rows in place of the one that is superseded, and gives the last.
async fn rewrite(write: &mut Write, stands: &Known, rewriting: Rewriting, recorded: &Recorded) -> Result<Known, Error> {
    let Rewriting { superseded, written } = rewriting;
    if superseded > 0 && !recipient_detail::supersede(write.connection(), superseded, recorded.at).await? {
        return Err(Refusal::changed(&key::recipient(&stands.id)).into());
    }
    let mut last = None;
    for written in written {
        let stored = recipient_detail::insert(write.connection(), &stands.id, &written, recorded).await;
        last = Some(Known {
            number: recipients::written(&stands.id, stored)?,
            id: stands.id.clone(),
            appendix_column: stands.appendix_column,
            valid_from: written.valid_from,
            facts: written.facts,
            recorded_at: Some(recorded.at),
        });
    }
    Ok(last.ok_or_else(|| anyhow::anyhow!("a change writes a row at least"))?)
}

/// Refuses a change after which nobody gets copies on some day that somebody got before: whoever ended, and whatever that follows.
async fn require_followed(connection: &mut PgConnection, before: &[Known], after: &[Known]) -> Result<(), Error> {
    let mut violations = Violations::new();
    for collection in db::collection::list(connection, &db::collection::Filter::default(), None).await? {
        let mut told = BTreeSet::new();
        for list in db::distribution::in_time(connection, &collection).await? {
            let mut days = recipient::turning_days(before, list.from, list.to);
            days.extend(recipient::turning_days(after, list.from, list.to));
            for day in days {
                let cells = list.distribution.unfollowed(after, day);
                let cells = cells.filter(|cell| recipient::entitled(before, &cell.recipient, day).is_some());
                for cell in cells.filter(|cell| told.insert(cell.column)) {
                    let description = format!(
                        "required: column {} of {} gives {} copies, which nobody gets on {day}; name what follows it, which is in \
                         force then, or change the list before",
                        cell.column,
                        collection.duty.parent,
                        key::recipient(&cell.recipient),
                    );
                    let field = "recipient.successor";
                    violations.add_by_law(field, FieldReason::Required, description, &cell.legal_basis);
                }
            }
        }
    }
    Ok(violations.refuse()?)
}
