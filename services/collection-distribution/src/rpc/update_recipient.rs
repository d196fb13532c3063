//! UpdateRecipient.

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
        key,
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
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let (name, done) = (key::recipient(&id), call.done(write.now()));
            let today = zone::civil_day(done.at);
            let rows = recipient_detail::of(write.connection(), &id).await?;
            let stands = standing(&rows, from, today, &name)?;
            if !given.etag.is_empty() && given.etag != recipients::etag(stands) {
                return Err(Refusal::changed(&name).into());
            }
            let facts = edited(stands, &given, &paths)?;
            let ends = facts.valid_to.filter(|_| facts.successor.is_none());
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
            if let Some(to) = ends {
                require_no_copies(write.connection(), &id, to).await?;
            }
            Ok(Outcome::of(
                &name,
                "recipient.updated",
                recipients::shown(&known, &call),
            ))
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

/// Refuses the end of a recipient that gets copies afterwards, or may get some: nobody would be entitled to them.
async fn require_no_copies(connection: &mut PgConnection, id: &str, last: Date) -> Result<(), Error> {
    let Ok(day) = last.tomorrow() else {
        return Ok(());
    };
    let on = recipient_detail::of(connection, id).await?;
    if on.iter().any(|known| known.covers(day)) {
        return Ok(());
    }
    let collections = db::collection::list(connection, &db::collection::Filter::default(), None).await?;
    let mut violations = Violations::new();
    for collection in collections {
        let list = db::distribution::get(connection, &collection, day).await?;
        let cells = list.cells().iter();
        for cell in cells.filter(|cell| cell.recipient == id && cell.copies != Some(0)) {
            let description = format!(
                "required: column {} of {} gives it copies from {day} on; name what gets them, or change the list before",
                cell.column, collection.duty.parent
            );
            violations.add_by_law(
                "recipient.successor",
                FieldReason::Required,
                description,
                &cell.legal_basis,
            );
        }
    }
    Ok(violations.refuse()?)
}
