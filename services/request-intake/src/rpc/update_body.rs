//! UpdateBody.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    write::{self, Mutation, Outcome, Write},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, UpdateBodyRequest};

use super::{
    RequestIntake,
    bodies::{self, REASON},
};
use crate::{
    db::{self, body::Recorded},
    domain::{
        body::{self, Body, Facts, Rewriting, Unfit},
        names,
    },
};

/// The fields that can change.
const PATHS: [&str; 10] = [
    "title",
    "title.kk",
    "title.ru",
    "title.en",
    "certificate_name",
    "bin",
    "kind",
    "territory",
    "legal_basis",
    "valid_to",
];

pub(super) async fn update_body(
    service: &RequestIntake,
    call: Call,
    message: UpdateBodyRequest,
) -> Result<proto::Body, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let given = message.body.clone().unwrap_or_default();
    let id = bodies::name(&mut violations, "body.name", &given.name);
    let paths = message.update_mask.clone().unwrap_or_default().paths;
    if paths.is_empty() {
        violations.add("update_mask", FieldReason::Required, "required: the fields that change");
    }
    for path in paths.iter().filter(|path| !PATHS.contains(&path.as_str())) {
        let shown: String = path.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
        violations.add("update_mask", FieldReason::Unknown, format!("{shown:?} cannot change"));
    }
    let from = bodies::day(&mut violations, "effective_from", message.effective_from.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let id = violations.sound(id)?;
    let mutation = Mutation::of(&call, &names::body(&id), request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let name = names::body(&id);
            let done = call.done(write.now());
            let today = zone::civil_day(done.at);
            let rows = db::body::of(write.connection(), &id).await?;
            let stands = standing(&rows, from, today, &name)?;
            if !given.etag.is_empty() && given.etag != bodies::etag(stands) {
                return Err(Refusal::changed(&name).into());
            }
            let facts = edited(stands, &given, &paths)?;
            let changed = body::change(&rows, from, today, move |stands| *stands = facts).map_err(unfit)?;
            let Some(rewriting) = changed else {
                return Ok(Outcome::repeated(
                    &name,
                    "body.update_repeated",
                    bodies::shown(stands, &call),
                ));
            };
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            let body = rewrite(write, &id, rewriting, &recorded).await?;
            Ok(Outcome::of(&name, "body.updated", bodies::shown(&body, &call)))
        })
    })
    .await
}

/// The row that the change is about.
fn standing<'a>(
    rows: &'a [Body],
    from: Option<jiff::civil::Date>,
    today: jiff::civil::Date,
    name: &str,
) -> Result<&'a Body, Refusal> {
    let known = body::as_of(rows, from.unwrap_or(today)).ok_or_else(|| Refusal::not_found(name))?;
    match from {
        Some(from) if !known.covers(from) => Err(unfit(Unfit::NotInForce)),
        _ => Ok(known),
    }
}

fn unfit(unfit: Unfit) -> Refusal {
    let field = if unfit == Unfit::NotInForce {
        "effective_from"
    } else {
        "body.valid_to"
    };
    Violations::one(field, FieldReason::OutOfRange, &unfit.to_string())
}

/// What is known with the fields of the mask as they are given, read as a whole: a kind and a territory must go together.
fn edited(stands: &Body, given: &proto::Body, paths: &[String]) -> Result<Facts, Error> {
    let mut whole = shown_whole(stands);
    for path in paths {
        match path.as_str() {
            "title" => whole.title.clone_from(&given.title),
            "certificate_name" => whole.certificate_name.clone_from(&given.certificate_name),
            "bin" => whole.bin.clone_from(&given.bin),
            "kind" => whole.kind = given.kind,
            "territory" => whole.territory.clone_from(&given.territory),
            "legal_basis" => whole.legal_basis.clone_from(&given.legal_basis),
            "valid_to" => whole.valid_to = given.valid_to,
            language => edit_title(&mut whole, given, language),
        }
    }
    let mut violations = Violations::new();
    let facts = bodies::facts(&mut violations, &whole);
    violations.sound(facts)
}

fn edit_title(whole: &mut proto::Body, given: &proto::Body, language: &str) {
    let title = whole.title.get_or_insert_default();
    let given = given.title.clone().unwrap_or_default();
    match language {
        "title.kk" => title.kk = given.kk,
        "title.ru" => title.ru = given.ru,
        _ => title.en = given.en,
    }
}

fn shown_whole(stands: &Body) -> proto::Body {
    let facts = stands.facts.clone();
    proto::Body {
        name: names::body(&stands.id),
        title: Some(facts.title.into()),
        certificate_name: facts.certificate_name.unwrap_or_default(),
        bin: facts.bin.unwrap_or_default(),
        kind: bodies::kind(facts.kind),
        territory: facts.territory.unwrap_or_default(),
        legal_basis: Some(facts.legal_basis.into()),
        valid_to: facts.valid_to.map(legalstat_kit::door::wire::to_date),
        ..Default::default()
    }
}

/// Writes the rows in place of the one that is superseded, and gives the last.
async fn rewrite(write: &mut Write, id: &str, rewriting: Rewriting, recorded: &Recorded) -> Result<Body, Error> {
    if !db::body::supersede(write.connection(), rewriting.superseded, recorded.at).await? {
        return Err(Refusal::changed(&names::body(id)).into());
    }
    let mut last = None;
    for written in rewriting.written {
        let stored = db::body::insert(write.connection(), id, &written, recorded).await;
        last = Some(Body {
            number: bodies::written(id, stored)?,
            id: id.to_owned(),
            valid_from: written.valid_from,
            facts: written.facts,
            recorded_at: recorded.at,
        });
    }
    Ok(last.ok_or_else(|| anyhow::anyhow!("a change writes a row at least"))?)
}
