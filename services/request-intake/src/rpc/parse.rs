//! The door: what a caller sent, checked against the contract and read into the service's own types. Every violation is
//! found, not only the first.

use jiff::{SignedDuration, Timestamp};
use legalstat_kit::{
    FieldReason, Violations,
    door::{
        wire,
        word::{self, Word},
    },
    law::LegalBasis,
    period::ReportingPeriod,
    zone,
};
use legalstat_proto::requests::v1 as proto;
use uuid::Uuid;

use super::convert;
use crate::domain::{
    identifiers, names,
    request::{
        Capacity, Channel, ExternalDocument, Item, ItemKind, Language, Requester, RequesterKind, Signatory, Submission,
        Unit,
    },
    rules::Rules,
};

/// The most characters of a sender's number.
pub(super) const EXTERNAL_NUMBER: usize = 100;

const NAME: usize = 500;
const ADDRESS: usize = 500;
const ADDRESSEE: usize = 200;
const ESSENCE: usize = 10_000;
const DESCRIPTION: usize = 4_000;
const ITEMS: usize = 100;
const TERRITORIES: usize = 100;

/// Reads the name of a request that is asked for.
pub(super) fn request(violations: &mut Violations, name: &str) -> Option<Uuid> {
    let id = names::parse_request(name);
    if id.is_none() {
        let description = "write requests/ and the UUID in lower case";
        violations.add("name", FieldReason::ResourceName, description);
    }
    id
}

/// What the door knows besides the request.
pub(super) struct Door<'a> {
    /// The rules.
    pub(super) rules: &'a Rules,
    /// The time of the call.
    pub(super) now: Timestamp,
    /// Whether the caller is an official who records what came otherwise.
    pub(super) records: bool,
}

/// What must be there. What else is missing in an application of a person or a legal entity, its examination tells: it may not be
/// refused, and time is given to cure it (Code 350-VI, art. 64). What is malformed is refused of anyone.
#[derive(Clone, Copy)]
struct Demanded {
    /// What tells who asks for what.
    whole: bool,
    /// What a document has: who signed it, and what it lists.
    document: bool,
}

impl Demanded {
    fn of(request: &proto::Request, channel: Option<Channel>) -> Self {
        let kind = request.requester.as_ref().map(|requester| requester.kind);
        let kind = kind.and_then(|kind| word::known(kind, RequesterKind::ALL, convert::requester_kind));
        let whole = kind.is_none_or(RequesterKind::is_body);
        Self {
            whole,
            document: whole && channel.is_none_or(Channel::carries_signatures),
        }
    }
}

/// Reads a request. `None` only when a violation was found.
pub(super) fn submission(violations: &mut Violations, request: &proto::Request, door: &Door<'_>) -> Option<Submission> {
    let channel = word::required(
        violations,
        "request.channel",
        request.channel,
        Channel::ALL,
        convert::channel,
    );
    let demanded = Demanded::of(request, channel);
    let requester = requester(violations, request.requester.as_ref(), demanded);
    let signatory = signatory(violations, request.signatory.as_ref(), channel, demanded);
    let external = external_document(violations, request, channel, demanded);
    let receiving_body = named_body(violations, &request.receiving_body);
    let addressee = violations.optional_name("request.addressee", &request.addressee, ADDRESSEE);
    let essence = match demanded.whole {
        true => violations.text("request.essence", &request.essence, ESSENCE),
        false => violations.optional_text("request.essence", &request.essence, ESSENCE),
    };
    let language = word::required(
        violations,
        "request.language",
        request.language,
        Language::ALL,
        convert::language,
    );
    let items = items(violations, &request.items, demanded);
    let received_at = received_at(violations, request.received_at.as_ref(), door);
    let sent_at = sent_at(violations, request.sent_at.as_ref(), received_at);
    let dated = external.as_ref().and_then(|external| external.date);
    if let (Some(date), Some(received_at)) = (dated, received_at)
        && date > zone::civil_day(received_at)
    {
        let description = "no document is dated after the day of its receipt";
        violations.add("request.external_date", FieldReason::OutOfRange, description);
    }
    if let (Some(id), Some(received_at)) = (&receiving_body, received_at)
        && !door.rules.bodies.provides(id, zone::civil_day(received_at))
    {
        violations.add_by_law(
            RECEIVING_BODY,
            FieldReason::Unknown,
            "no body of legal statistics that was in force on the day of receipt",
            &LegalBasis::instruction("para 11"),
        );
    }
    Some(Submission {
        requester: requester?,
        signatory,
        channel: channel?,
        external,
        addressee,
        receiving_body,
        reports_crime_or_threat: request.reports_crime_or_threat,
        essence,
        language: language?,
        items: items?,
        received_at: received_at?,
        sent_at,
        attachments: Vec::new(),
    })
}

/// By how much the clock of a sender may be ahead of this one.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

const RECEIVING_BODY: &str = "request.receiving_body";

/// The id of the body that received a request; whether there is one, the day of receipt says.
fn named_body(violations: &mut Violations, name: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let id = names::parse_body(name).ok_or("write bodies/ and the id of the body");
    violations
        .check(RECEIVING_BODY, FieldReason::ResourceName, id)
        .map(str::to_owned)
}

fn requester(
    violations: &mut Violations,
    requester: Option<&proto::Requester>,
    demanded: Demanded,
) -> Option<Requester> {
    let Some(requester) = requester else {
        violations.add("request.requester", FieldReason::Required, "required");
        return None;
    };
    let kind = word::required(
        violations,
        "request.requester.kind",
        requester.kind,
        RequesterKind::ALL,
        convert::requester_kind,
    );
    let field = "request.requester.full_name";
    let full_name = match demanded.whole {
        true => violations.name(field, &requester.full_name, NAME),
        false => violations.optional_name(field, &requester.full_name, NAME),
    };
    let bin = bin(violations, &requester.bin, kind);
    let iin = iin(violations, &requester.iin, kind);
    let field = "request.requester.postal_address";
    let postal_address = violations.optional_name(field, &requester.postal_address, ADDRESS);
    Some(Requester {
        kind: kind?,
        full_name,
        bin,
        iin,
        postal_address,
    })
}

fn bin(violations: &mut Violations, bin: &str, kind: Option<RequesterKind>) -> Option<String> {
    let field = "request.requester.bin";
    match (bin, kind) {
        ("", _) => None,
        (_, Some(RequesterKind::Individual)) => {
            violations.add(
                field,
                FieldReason::NotOfKind,
                "must be empty: a person has an IIN, not a BIN",
            );
            None
        }
        (bin, _) => violations
            .check(field, FieldReason::Bin, identifiers::check_bin(bin))
            .map(|()| bin.to_owned()),
    }
}

fn iin(violations: &mut Violations, iin: &str, kind: Option<RequesterKind>) -> Option<String> {
    let field = "request.requester.iin";
    match (iin, kind) {
        ("", _) => None,
        (iin, Some(RequesterKind::Individual) | None) => violations
            .check(field, FieldReason::Iin, identifiers::check_iin(iin))
            .map(|()| iin.to_owned()),
        _ => {
            violations.add(field, FieldReason::NotOfKind, "must be empty: only a person has an IIN");
            None
        }
    }
}

fn signatory(
    violations: &mut Violations,
    signatory: Option<&proto::Signatory>,
    channel: Option<Channel>,
    demanded: Demanded,
) -> Option<Signatory> {
    // One of whom nothing is said is none.
    let signatory = signatory.filter(|signatory| demanded.whole || **signatory != proto::Signatory::default());
    let Some(signatory) = signatory else {
        if demanded.document && channel.is_some() {
            let description = "required of a body except for an oral request or one by messenger";
            violations.add_by_law(
                "request.signatory",
                FieldReason::Required,
                description,
                &LegalBasis::instruction("para 6"),
            );
        }
        return None;
    };
    let full_name = violations.name("request.signatory.full_name", &signatory.full_name, NAME);
    let field = "request.signatory.capacity";
    let capacity = word::required(violations, field, signatory.capacity, Capacity::ALL, convert::capacity);
    Some(Signatory {
        full_name,
        capacity: capacity?,
    })
}

fn external_document(
    violations: &mut Violations,
    request: &proto::Request,
    channel: Option<Channel>,
    demanded: Demanded,
) -> Option<ExternalDocument> {
    let (number_field, date_field) = ("request.external_number", "request.external_date");
    let number = violations.optional_name(number_field, &request.external_number, EXTERNAL_NUMBER);
    let date = request
        .external_date
        .as_ref()
        .map(|date| violations.check(date_field, FieldReason::Date, wire::date(date)));
    let required = channel.is_some_and(Channel::numbers_documents);
    if demanded.whole && number.is_empty() && (required || date.is_some()) {
        let description = "required from the Unified EDMS and Kadagalau, and of a body with external_date";
        violations.add(number_field, FieldReason::Required, description);
    }
    if demanded.whole && date.is_none() && (required || !number.is_empty()) {
        violations.add(
            date_field,
            FieldReason::Required,
            "required of a body with external_number",
        );
    }
    let date = date.flatten();
    (!number.is_empty() || date.is_some()).then_some(ExternalDocument { number, date })
}

fn items(violations: &mut Violations, items: &[proto::Item], demanded: Demanded) -> Option<Vec<Item>> {
    if items.is_empty() && demanded.document {
        violations.add("request.items", FieldReason::Required, "required: what is asked for");
        return None;
    }
    if items.len() > ITEMS {
        violations.add("request.items", FieldReason::TooMany, format!("at most {ITEMS} items"));
        return None;
    }
    // Every item is read before any is missed: each may have violations.
    let read: Vec<Option<Item>> = items
        .iter()
        .enumerate()
        .map(|(index, one)| item(violations, index, one))
        .collect();
    read.into_iter().collect()
}

fn item(violations: &mut Violations, index: usize, item: &proto::Item) -> Option<Item> {
    let field = |name: &str| format!("request.items[{index}].{name}");
    let kind = word::required(violations, &field("kind"), item.kind, ItemKind::ALL, convert::item_kind);
    let description = violations.text(&field("description"), &item.description, DESCRIPTION);
    let unit = word::optional(violations, &field("unit"), item.unit, Unit::ALL, convert::unit);
    let period = period(violations, &field("period"), &item.period);
    let until_period = until_period(violations, &field("until_period"), item, period);
    let form = Some(item.form.clone()).filter(|form| !form.is_empty());
    if form.as_deref().is_some_and(|form| !names::is_form(form)) {
        violations.add(
            field("form"),
            FieldReason::ResourceName,
            "write forms/ and the number in the list, for example forms/1",
        );
    }
    let (indicator, detail) = asked_by_name(violations, index, item);
    territories(violations, index, &item.territories);
    Some(Item {
        kind: kind?,
        description,
        unit,
        period,
        until_period,
        form,
        indicator,
        detail,
        territories: item.territories.clone(),
    })
}

/// The indicator or the detail that an item names.
fn asked_by_name(violations: &mut Violations, index: usize, item: &proto::Item) -> (Option<String>, Option<String>) {
    let field = |name: &str| format!("request.items[{index}].{name}");
    let given = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    let (indicator, detail) = (given(&item.indicator), given(&item.detail));
    let of_form = indicator.as_deref().map(names::form_of_indicator);
    match of_form {
        Some(None) => {
            let description = "write forms/, the number in the list, /indicators/ and the code";
            violations.add(field("indicator"), FieldReason::ResourceName, description);
        }
        Some(Some(form)) if !item.form.is_empty() && item.form != form => {
            violations.add(field("indicator"), FieldReason::Conflict, "not an indicator of `form`");
        }
        Some(Some(_)) | None => {}
    }
    if detail.as_deref().is_some_and(|name| !names::is_detail(name)) {
        let description = "write accountingDocuments/, the code of the document, /details/ and the code";
        violations.add(field("detail"), FieldReason::ResourceName, description);
    }
    if detail.is_some() && (indicator.is_some() || !item.form.is_empty()) {
        let description = "not together with `indicator` or `form`: an item asks for one thing";
        violations.add(field("detail"), FieldReason::Conflict, description);
    }
    (indicator, detail)
}

fn territories(violations: &mut Violations, index: usize, territories: &[String]) {
    let field = format!("request.items[{index}].territories");
    if territories.len() > TERRITORIES {
        violations.add(&field, FieldReason::TooMany, format!("at most {TERRITORIES}"));
    }
    for (place, code) in territories.iter().enumerate().take(TERRITORIES) {
        if !names::is_code(code) {
            let description = "a code of KATO: Latin letters and digits, at most 40";
            violations.add(format!("{field}[{place}]"), FieldReason::Key, description);
        }
    }
}

/// Reads a period. A missing one is no violation: the requester is asked for it (Instruction, para 8).
fn period(violations: &mut Violations, field: &str, period: &str) -> Option<ReportingPeriod> {
    if period.is_empty() {
        return None;
    }
    violations.check(field, FieldReason::Period, period.parse::<ReportingPeriod>())
}

fn until_period(
    violations: &mut Violations,
    field: &str,
    item: &proto::Item,
    first: Option<ReportingPeriod>,
) -> Option<ReportingPeriod> {
    let last = period(violations, field, &item.until_period)?;
    if item.period.is_empty() {
        violations.add(field, FieldReason::WithoutPeriod, "must be empty when period is empty");
        return None;
    }
    let first = first?;
    if first.kind() != last.kind() {
        violations.add(field, FieldReason::OtherKind, "must be of the same kind as period");
    } else if last < first {
        violations.add(field, FieldReason::BeforePeriod, "must not come before period");
    }
    Some(last)
}

/// When it was sent, which is before it was received.
fn sent_at(
    violations: &mut Violations,
    sent_at: Option<&prost_types::Timestamp>,
    received_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let field = "request.sent_at";
    let sent_at = wire::whole_microseconds(wire::optional_timestamp(violations, field, sent_at)?);
    if received_at.is_some_and(|received_at| sent_at.duration_since(received_at) > CLOCKS) {
        let description = "no document is sent later than five minutes after its receipt";
        violations.add(field, FieldReason::OutOfRange, description);
    }
    Some(sent_at)
}

fn received_at(
    violations: &mut Violations,
    received_at: Option<&prost_types::Timestamp>,
    door: &Door<'_>,
) -> Option<Timestamp> {
    let field = "request.received_at";
    if received_at.is_none() {
        return Some(door.now);
    }
    if !door.records {
        violations.add(
            field,
            FieldReason::SetByService,
            "must be empty: for a system it is the time of the call",
        );
        return None;
    }
    let instant = wire::whole_microseconds(wire::optional_timestamp(violations, field, received_at)?);
    if instant > door.now {
        violations.add(field, FieldReason::InFuture, "must not be in the future");
    }
    if door
        .rules
        .first_day()
        .is_none_or(|first| zone::civil_day(instant) < first)
    {
        let description = "must not be before the day from which the rules are known";
        violations.add_by_law(
            field,
            FieldReason::BeforeRules,
            description,
            &LegalBasis::instruction(""),
        );
    }
    Some(instant)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
