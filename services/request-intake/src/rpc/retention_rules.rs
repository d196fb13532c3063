//! What the methods of retention rules read and show in the same way.

use jiff::civil::Date;
use legalstat_kit::{
    Error, FieldReason, Refusal, Violations,
    door::{wire, word},
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{
    common::v1::{self as common, ErrorReason},
    requests::v1 as proto,
};
use sqlx::PgConnection;
use tonic::Code;
use uuid::Uuid;

use super::convert;
use crate::{
    db::{
        self,
        erasure::{COUNTED, Due},
    },
    domain::{
        names,
        request::RequesterKind,
        retention::{ENDS, Facts, Period, RetentionRule, RuleState},
    },
};
use legalstat_kit::door::word::Word as _;

/// The longest reason in words.
pub(super) const REASON: usize = 1000;
const TEXT: usize = 2000;
const LAW: usize = 300;
const URI: usize = 500;
const YEARS: i32 = 100;
const MONTHS: i32 = 1200;
const DAYS: i32 = 36_600;

/// Reads the name of a rule.
pub(super) fn name(violations: &mut Violations, field: &str, name: &str) -> Option<Uuid> {
    let id = names::parse_retention_rule(name);
    if id.is_none() {
        let description = "write retentionRules/ and the UUID in lower case";
        violations.add(field, FieldReason::ResourceName, description);
    }
    id
}

/// Reads a rule that is entered on a day. `None` only when a violation was found.
pub(super) fn facts(violations: &mut Violations, given: &proto::RetentionRule, today: Date) -> Option<Facts> {
    let kinds = kinds(violations, &given.requester_kinds);
    let states = states(violations, &given.states);
    let period = period(violations, given.period.as_ref());
    let legal_basis = legal_basis(violations, "retention_rule.legal_basis", given.legal_basis.as_ref());
    let text = given.text.clone().unwrap_or_default();
    let mut read =
        |language: &str, text: &str| violations.optional_text(&format!("retention_rule.text.{language}"), text, TEXT);
    let text = LocalizedText::new(read("kk", &text.kk), read("ru", &text.ru), read("en", &text.en));
    let valid_from = wire::required_date(violations, "retention_rule.valid_from", given.valid_from.as_ref());
    if valid_from.is_some_and(|from| from < today) {
        let description = format!("not before today, {today}: a rule erases nothing in the past");
        violations.add("retention_rule.valid_from", FieldReason::OutOfRange, description);
    }
    let valid_to = given
        .valid_to
        .as_ref()
        .and_then(|to| violations.check("retention_rule.valid_to", FieldReason::Date, wire::date(to)));
    if valid_from.zip(valid_to).is_some_and(|(from, to)| to < from) {
        let description = "must not lie before `valid_from`";
        violations.add("retention_rule.valid_to", FieldReason::Range, description);
    }
    Some(Facts {
        kinds,
        states,
        period: period?,
        text,
        legal_basis: legal_basis?,
        valid_from: valid_from?,
        valid_to,
    })
}

fn kinds(violations: &mut Violations, given: &[i32]) -> Vec<RequesterKind> {
    let field = "retention_rule.requester_kinds";
    violations.count(field, given.len(), RequesterKind::ALL.len());
    let mut kinds = Vec::new();
    for (place, kind) in given.iter().enumerate() {
        let field = format!("{field}[{place}]");
        let kind = word::required(violations, &field, *kind, RequesterKind::ALL, convert::requester_kind);
        add_once(violations, &field, &mut kinds, kind);
    }
    kinds
}

fn states(violations: &mut Violations, given: &[i32]) -> Vec<crate::domain::request::State> {
    if given.is_empty() {
        return ENDS.to_vec();
    }
    let field = "retention_rule.states";
    violations.count(field, given.len(), ENDS.len());
    let mut states = Vec::new();
    for (place, state) in given.iter().enumerate() {
        let field = format!("{field}[{place}]");
        let state = word::required(violations, &field, *state, &ENDS, convert::state);
        add_once(violations, &field, &mut states, state);
    }
    states
}

fn add_once<T: PartialEq>(violations: &mut Violations, field: &str, all: &mut Vec<T>, one: Option<T>) {
    let Some(one) = one else { return };
    if all.contains(&one) {
        violations.add(field, FieldReason::Duplicate, "named before");
    } else {
        all.push(one);
    }
}

fn period(violations: &mut Violations, given: Option<&proto::RetentionPeriod>) -> Option<Period> {
    let field = "retention_rule.period";
    let Some(given) = given else {
        violations.add(field, FieldReason::Required, "required: years, months or days");
        return None;
    };
    for (part, number, most) in [
        ("years", given.years, YEARS),
        ("months", given.months, MONTHS),
        ("days", given.days, DAYS),
    ] {
        if !(0..=most).contains(&number) {
            let field = format!("{field}.{part}");
            violations.add(field, FieldReason::OutOfRange, format!("0 to {most}"));
        }
    }
    if (given.years, given.months, given.days) == (0, 0, 0) {
        let description = "one of years, months and days is 1 or more: nothing is erased on the day of its end";
        violations.add(field, FieldReason::Required, description);
    }
    Some(Period {
        years: given.years,
        months: given.months,
        days: given.days,
    })
}

/// Reads the law of an erasure: its act and its provision must be named.
pub(super) fn legal_basis(
    violations: &mut Violations,
    field: &str,
    given: Option<&common::LegalBasis>,
) -> Option<LegalBasis> {
    let Some(given) = given else {
        violations.add(field, FieldReason::Required, "required: the act and its provision");
        return None;
    };
    let act = violations.name(&format!("{field}.act"), &given.act, LAW);
    let provision = violations.name(&format!("{field}.provision"), &given.provision, LAW);
    let uri = violations.optional_name(&format!("{field}.uri"), &given.uri, URI);
    if !uri.is_empty() && !uri.starts_with("https://") {
        violations.add(format!("{field}.uri"), FieldReason::Uri, "begins with https://");
    }
    if given.assumed {
        let description = "what no source was found for erases nothing: name the law";
        violations.add(format!("{field}.assumed"), FieldReason::Conflict, description);
    }
    Some(LegalBasis::of_row(act, provision, uri, false))
}

/// What a rule would erase on the first day on which it could, from a day on.
///
/// # Errors
/// When the database fails.
pub(super) async fn effect(
    connection: &mut PgConnection,
    facts: &Facts,
    today: Date,
) -> Result<proto::RetentionEffect, Error> {
    let as_of = today.max(facts.valid_from);
    let mut all = Due::default();
    if let Some(before) = facts.period.ended_before(as_of) {
        for stretch in facts.stretches() {
            let due = db::erasure::due(connection, stretch, before).await?;
            all.requests += due.requests;
            all.first = match (all.first, due.first) {
                (Some(one), Some(other)) => Some(if other.1 < one.1 { other } else { one }),
                (one, other) => one.or(other),
            };
        }
    }
    Ok(proto::RetentionEffect {
        as_of: Some(wire::to_date(as_of)),
        requests: all.requests.min(COUNTED),
        more: all.requests > COUNTED,
        first_request: all.first.map(|(id, _)| names::request(id)).unwrap_or_default(),
        first_request_time: all.first.map(|(_, at)| wire::to_timestamp(at)),
    })
}

/// The number of a state in the contracts.
pub(super) fn state(state: RuleState) -> i32 {
    match state {
        RuleState::Proposed => proto::RetentionRuleState::Proposed,
        RuleState::Approved => proto::RetentionRuleState::Approved,
        RuleState::Ended => proto::RetentionRuleState::Ended,
    }
    .into()
}

/// A rule as its callers see it.
pub(super) fn shown(rule: RetentionRule) -> proto::RetentionRule {
    let (state, facts) = (state(rule.state()), rule.facts);
    let (ended, end_reason) = rule.ended.unzip();
    let period = facts.period;
    proto::RetentionRule {
        name: names::retention_rule(rule.id),
        requester_kinds: facts.kinds.into_iter().map(convert::requester_kind).collect(),
        states: facts.states.into_iter().map(convert::state).collect(),
        period: Some(proto::RetentionPeriod {
            years: period.years,
            months: period.months,
            days: period.days,
        }),
        legal_basis: Some(facts.legal_basis.into()),
        text: Some(facts.text.into()),
        valid_from: Some(wire::to_date(facts.valid_from)),
        valid_to: facts.valid_to.map(wire::to_date),
        state,
        create_time: Some(wire::to_timestamp(rule.entered.at)),
        created_by: rule.entered.by,
        approve_time: rule.approved.as_ref().map(|did| wire::to_timestamp(did.at)),
        approved_by: rule.approved.map(|did| did.by).unwrap_or_default(),
        end_time: ended.as_ref().map(|did| wire::to_timestamp(did.at)),
        ended_by: ended.map(|did| did.by).unwrap_or_default(),
        end_reason: end_reason.unwrap_or_default(),
        reason: rule.reason,
        effect: None,
    }
}

/// A rule that is there and locked.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn locked(connection: &mut PgConnection, id: Uuid) -> Result<RetentionRule, Error> {
    let rule = db::retention_rule::lock(connection, id).await?;
    Ok(rule.ok_or_else(|| Refusal::not_found(&names::retention_rule(id)))?)
}

/// What a constraint says of a rule that is for the same requests as another.
pub(super) fn one_at_a_time(error: sqlx::Error) -> Error {
    let constraint = match &error {
        sqlx::Error::Database(database) => database.constraint(),
        _ => None,
    };
    if constraint != Some("retention_rule_one_at_a_time") {
        return error.into();
    }
    let message = "another rule is for requests of the same kind and state on some of these days: end it first";
    Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).into()
}
