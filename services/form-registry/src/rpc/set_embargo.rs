//! SetEmbargo.

use jiff::Timestamp;
use legalstat_kit::{Call, Error, FieldReason, Violations, door::wire, law::LegalBasis, write::Mutation};
use legalstat_proto::forms::v1::{Edition, PreReleaseReader, SetEmbargoRequest};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};
use crate::{
    db,
    domain::{
        edition,
        embargo::{self, Embargo, Reader},
    },
};

/// How many readers an embargo may name.
const MOST_READERS: usize = 100;

pub(super) async fn set_embargo(
    registry: &FormRegistry,
    call: Call,
    request: SetEmbargoRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let until = wire::optional_timestamp(&mut violations, "until", request.until.as_ref());
    let until = until.map(wire::whole_microseconds);
    let reason = door::reason(&mut violations, &request.reason);
    let readers = readers(&mut violations, &request);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &registry.context.db, ("name", key), key).await?;
    let asked = Asked {
        field: "name",
        key,
        mutation: Mutation::of(&call, &key, request_id, request.validate_only, &request),
        call,
    };
    changing::carry_out(registry, asked, move |mut edition, connection, set| {
        Box::pin(async move {
            decided(key, edition.accepts_embargo())?;
            let wanted = until.map(|until| Embargo {
                until,
                reason: reason.clone(),
                readers: readers.clone(),
            });
            let is_so = match (&edition.embargo, &wanted) {
                (Some(stands), Some(wanted)) => stands.says(wanted),
                (stands, wanted) => stands.is_none() && wanted.is_none(),
            };
            if is_so {
                return Ok(Changed::Not(edition, "edition.embargo_repeated"));
            }
            if let Some(wanted) = &wanted {
                check(wanted.until, set.at, &edition).map_err(|refusal| refusal.about(&key))?;
            }
            db::embargo::set(connection, key, until, &reason, &readers, &set).await?;
            edition.embargo = wanted;
            Ok(Changed::To(edition, "edition.embargo_set"))
        })
    })
    .await
}

fn check(until: Timestamp, now: Timestamp, edition: &edition::Edition) -> Result<(), legalstat_kit::Refusal> {
    let mut violations = Violations::new();
    if let Err(problem) = embargo::check(until, now, edition.due.time) {
        let basis = LegalBasis::instruction("para 14");
        violations.add_by_law("until", FieldReason::OutOfRange, problem, &basis);
    }
    violations.refuse()
}

fn readers(violations: &mut Violations, request: &SetEmbargoRequest) -> Vec<Reader> {
    if request.readers.len() > MOST_READERS {
        violations.add("readers", FieldReason::TooMany, format!("at most {MOST_READERS}"));
        return Vec::new();
    }
    if request.until.is_none() && !request.readers.is_empty() {
        let description = "without `until` the embargo is lifted, and has no readers";
        violations.add("readers", FieldReason::Conflict, description);
    }
    let mut read: Vec<Reader> = Vec::new();
    for (place, given) in request.readers.iter().enumerate() {
        let reader = reader(violations, &format!("readers[{place}]"), given);
        if read.iter().any(|known| known.caller == reader.caller) {
            let field = format!("readers[{place}].caller");
            violations.add(field, FieldReason::Duplicate, "each reader is named once");
        }
        read.push(reader);
    }
    read
}

fn reader(violations: &mut Violations, field: &str, given: &PreReleaseReader) -> Reader {
    let basis = given.legal_basis.clone().unwrap_or_default();
    let field_of = |name: &str| format!("{field}.legal_basis.{name}");
    Reader {
        caller: violations.name(&format!("{field}.caller"), &given.caller, 100),
        legal_basis: LegalBasis {
            act: violations.name(&field_of("act"), &basis.act, 200),
            provision: violations.optional_name(&field_of("provision"), &basis.provision, 200),
            uri: violations.optional_name(&field_of("uri"), &basis.uri, 2000),
            assumed: basis.assumed,
        },
    }
}
