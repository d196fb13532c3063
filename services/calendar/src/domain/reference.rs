//! The rules that are embedded in the program, read from the files in `data/`.
//!
//! An empty `known_from` of a moved day off or of a transfer means that it was known before its year began: it is taken as
//! known from 1 December of the year before, which is assumed. A recurring holiday, a general rule, a term and a date that
//! is only computed ahead are then taken as always known. `known_to` names the last day of knowledge, included.

use std::{collections::HashMap, sync::Arc};

use jiff::civil::{Date, date};
use legalstat_kit::{
    door::register,
    law::{LegalBasis, LocalizedText},
    zone,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{
    error::CalendarError,
    rule::{
        Act, ActKind, DayOffRule, DayOffStatus, Grade, HolidayClass, HolidayRule, Knowledge, ProvisionRule, RuleSet,
        TransferRule,
    },
    term::{Span, Term, TermOrigin, TermUnit},
};

const ACTS: (&str, &str) = ("acts.csv", include_str!("../../data/acts.csv"));
const HOLIDAYS: (&str, &str) = ("holidays.csv", include_str!("../../data/holidays.csv"));
const DAYS_OFF: (&str, &str) = ("days_off.csv", include_str!("../../data/days_off.csv"));
const TRANSFERS: (&str, &str) = ("transfers.csv", include_str!("../../data/transfers.csv"));
const PROVISIONS: (&str, &str) = ("provisions.csv", include_str!("../../data/provisions.csv"));
const TERMS: (&str, &str) = ("terms.csv", include_str!("../../data/terms.csv"));
const TERM_SPANS: (&str, &str) = ("term_spans.csv", include_str!("../../data/term_spans.csv"));

/// The rules that are embedded in the program. Refuses with [`CalendarError::ReferenceFault`] or
/// [`CalendarError::ActUnknown`] if the files contradict themselves, which a test excludes.
pub fn embedded_rules() -> Result<RuleSet, CalendarError> {
    let mut rules = RuleSet {
        acts: acts()?,
        ..RuleSet::default()
    };
    rules.holidays = rows(HOLIDAYS, |row: HolidayRow| holiday(&rules, row))?;
    rules.days_off = rows(DAYS_OFF, |row: DayOffRow| day_off(&rules, row))?;
    rules.transfers = rows(TRANSFERS, |row: TransferRow| transfer(&rules, row))?;
    rules.provisions = rows(PROVISIONS, |row: ProvisionRow| provision(&rules, row))?;
    rules.terms = terms(&rules)?;
    Ok(rules)
}

fn rows<Row: DeserializeOwned, Rule>(
    (file, text): (&'static str, &str),
    rule: impl Fn(Row) -> Result<Rule, CalendarError>,
) -> Result<Vec<Rule>, CalendarError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut rules = Vec::new();
    for (number, row) in (2..).zip(reader.deserialize()) {
        let fault = |error: csv::Error| CalendarError::ReferenceFault {
            file,
            line: number,
            fault: error.to_string(),
        };
        rules.push(rule(row.map_err(fault)?)?);
    }
    Ok(rules)
}

fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(serde::de::Error::custom(format!("`{other}` is neither yes nor no"))),
    }
}

fn known(from: Option<Date>, to: Option<Date>, year_if_unpublished: Option<i16>) -> Knowledge {
    let assumed_from = year_if_unpublished
        .filter(|_| from.is_none())
        .map(|year| date(year - 1, 12, 1));
    Knowledge {
        from: from.or(assumed_from).map(zone::beginning),
        to: to.map(zone::end),
        assumed: assumed_from.is_some(),
    }
}

#[derive(Deserialize)]
struct ActRow {
    id: String,
    kind: ActKind,
    citation: String,
    title_kk: String,
    title_ru: String,
    title_en: String,
    number: String,
    adilet_id: String,
    uri: String,
    dated: Option<Date>,
    published_on: Option<Date>,
    grade: Grade,
    known_from: Option<Date>,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
}

fn acts() -> Result<Vec<Act>, CalendarError> {
    let mut acts = rows(ACTS, |row: ActRow| {
        Ok(Act {
            id: row.id,
            sequence: 0,
            kind: row.kind,
            citation: row.citation,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            number: row.number,
            adilet_id: row.adilet_id,
            uri: row.uri,
            dated: row.dated,
            published_on: row.published_on,
            grade: row.grade,
            known_from: row.known_from.map(zone::beginning),
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            recorded_at: None,
            withdrawn_at: None,
        })
    })?;
    for (sequence, act) in (1..).zip(&mut acts) {
        act.sequence = sequence;
    }
    Ok(acts)
}

#[derive(Deserialize)]
struct HolidayRow {
    key: String,
    name_kk: String,
    name_ru: String,
    name_en: String,
    month: i8,
    day: i8,
    first_year: i16,
    last_year: Option<i16>,
    #[serde(deserialize_with = "yes")]
    rolls_forward: bool,
    class: HolidayClass,
    act: String,
    basis_act: String,
    provision: String,
    known_from: Option<Date>,
    known_to: Option<Date>,
    grade: Grade,
    note: String,
}

fn holiday(rules: &RuleSet, row: HolidayRow) -> Result<HolidayRule, CalendarError> {
    let known = known(row.known_from, row.known_to, None);
    Ok(HolidayRule {
        key: row.key,
        name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
        month: row.month,
        day: row.day,
        first_year: row.first_year,
        last_year: row.last_year,
        rolls_forward: row.rolls_forward,
        class: row.class,
        source: rules.source((row.act, row.basis_act), &row.provision, row.grade, known)?,
        note: row.note,
    })
}

#[derive(Deserialize)]
struct DayOffRow {
    key: String,
    date: Date,
    status: DayOffStatus,
    name_kk: String,
    name_ru: String,
    name_en: String,
    act: String,
    basis_act: String,
    provision: String,
    known_from: Option<Date>,
    known_to: Option<Date>,
}

fn day_off(rules: &RuleSet, row: DayOffRow) -> Result<DayOffRule, CalendarError> {
    let announced_for = Some(row.date.year()).filter(|_| row.status != DayOffStatus::Provisional);
    let known = known(row.known_from, row.known_to, announced_for);
    let grade = rules.act(&row.basis_act)?.grade;
    Ok(DayOffRule {
        key: row.key,
        date: row.date,
        status: row.status,
        name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
        source: rules.source((row.act, row.basis_act), &row.provision, grade, known)?,
    })
}

#[derive(Deserialize)]
struct TransferRow {
    working_day: Date,
    day_off: Date,
    act: String,
    basis_act: String,
    provision: String,
    known_from: Option<Date>,
    known_to: Option<Date>,
    grade: Grade,
}

fn transfer(rules: &RuleSet, row: TransferRow) -> Result<TransferRule, CalendarError> {
    let known = known(row.known_from, row.known_to, Some(row.day_off.year()));
    let source = rules.source((row.act, row.basis_act), &row.provision, row.grade, known)?;
    Ok(TransferRule {
        working_day: row.working_day,
        day_off: row.day_off,
        source,
    })
}

#[derive(Deserialize)]
struct ProvisionRow {
    key: String,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
    act: String,
    basis_act: String,
    provision: String,
    grade: Grade,
    note: String,
}

fn provision(rules: &RuleSet, row: ProvisionRow) -> Result<ProvisionRule, CalendarError> {
    let source = rules.source(
        (row.act, row.basis_act),
        &row.provision,
        row.grade,
        Knowledge::default(),
    )?;
    Ok(ProvisionRule {
        key: row.key,
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        source,
        note: row.note,
    })
}

#[derive(Deserialize)]
struct TermRow {
    name: String,
    requester_kinds: String,
    received_from: Option<Date>,
    received_to: Option<Date>,
    #[serde(deserialize_with = "yes")]
    selected: bool,
    origin: TermOrigin,
    origin_provision: String,
    origin_grade: Grade,
    #[serde(deserialize_with = "yes")]
    roll_forward: bool,
    roll_forward_provision: String,
    roll_forward_grade: Grade,
    suspension_provision: Option<String>,
    suspension_grade: Option<Grade>,
    act: String,
    basis_act: String,
    note: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SpanRole {
    Base,
    LongBase,
    Extension,
    ExtensionNotice,
    Forwarding,
    Return,
}

#[derive(Clone, Deserialize)]
struct SpanRow {
    term: String,
    role: SpanRole,
    length: u32,
    unit: TermUnit,
    note_kk: String,
    note_ru: String,
    note_en: String,
    provision: String,
    grade: Grade,
    assumed_before: Option<Date>,
}

fn terms(rules: &RuleSet) -> Result<Vec<Term>, CalendarError> {
    let mut spans: HashMap<String, Vec<SpanRow>> = HashMap::new();
    for row in rows(TERM_SPANS, |row: SpanRow| Ok(row))? {
        spans.entry(row.term.clone()).or_default().push(row);
    }
    rows(TERMS, |row: TermRow| {
        term(rules, spans.get(&row.name).map_or(&[], Vec::as_slice), row)
    })
}

fn term(rules: &RuleSet, spans: &[SpanRow], row: TermRow) -> Result<Term, CalendarError> {
    let fault = |fault: String| CalendarError::ReferenceFault {
        file: TERMS.0,
        line: 0,
        fault,
    };
    let cited = rules.act(&row.basis_act)?;
    let of_role = |role: SpanRole| {
        spans
            .iter()
            .find(|span| span.role == role)
            .map(|span| self::span(cited, span))
    };
    let base = of_role(SpanRole::Base).ok_or_else(|| fault(format!("the term `{}` has no base time", row.name)))?;
    let kinds: Result<Vec<_>, _> = row.requester_kinds.split(' ').map(register::word).collect();
    let (origin_basis, roll_forward_basis) = (
        cited.cite(&row.origin_provision, row.origin_grade),
        cited.cite(&row.roll_forward_provision, row.roll_forward_grade),
    );
    let suspension = suspension(cited, &row).map_err(fault)?;
    let basis = Arc::clone(&base.legal_basis);
    let source = rules.source(
        (row.act, row.basis_act),
        &basis.provision,
        base.grade,
        Knowledge::default(),
    )?;
    Ok(Term {
        name: row.name,
        requester_kinds: kinds.map_err(|error: anyhow::Error| fault(error.to_string()))?,
        received_from: row.received_from,
        received_to: row.received_to,
        selected: row.selected,
        base,
        origin: row.origin,
        origin_basis,
        roll_forward: row.roll_forward,
        roll_forward_basis,
        long_base: of_role(SpanRole::LongBase),
        extension: of_role(SpanRole::Extension),
        extension_notice: of_role(SpanRole::ExtensionNotice),
        forwarding: of_role(SpanRole::Forwarding),
        returning: of_role(SpanRole::Return),
        suspension,
        source,
        note: row.note,
    })
}

/// The law that lets the clock of a term stop: both of its columns or neither.
fn suspension(cited: &Act, row: &TermRow) -> Result<Option<Arc<LegalBasis>>, String> {
    match (&row.suspension_provision, row.suspension_grade) {
        (Some(provision), Some(grade)) => Ok(Some(cited.cite(provision, grade))),
        (None, None) => Ok(None),
        _ => Err(format!("the term `{}` has half a suspension", row.name)),
    }
}

fn span(cited: &Act, row: &SpanRow) -> Span {
    Span {
        length: row.length,
        unit: row.unit,
        note: LocalizedText::new(&row.note_kk, &row.note_ru, &row.note_en),
        legal_basis: cited.cite(&row.provision, row.grade),
        grade: row.grade,
        assumed_before: row.assumed_before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_that_lets_a_clock_stop_has_both_of_its_columns_or_neither() {
        let rules = embedded_rules().expect("the embedded reference data reads");
        let code = rules.act("code-350-vi").expect("it is embedded");
        let suspended = |provision: Option<&str>, suspension_grade| {
            let mut row = rows(TERMS, |row: TermRow| Ok(row)).expect("the rows read").remove(0);
            row.suspension_provision = provision.map(str::to_owned);
            row.suspension_grade = suspension_grade;
            suspension(code, &row).map(|basis| basis.map(|basis| basis.notation()))
        };
        let half = Err("the term `application-2007` has half a suspension".to_owned());
        let law = "Code 350-VI, art. 70";
        assert_eq!(suspended(Some("art. 70"), Some(Grade::A)), Ok(Some(law.to_owned())));
        assert_eq!(
            suspended(Some("art. 70"), Some(Grade::D)),
            Ok(Some(format!("assumed: {law}")))
        );
        assert_eq!(suspended(None, None), Ok(None));
        assert_eq!(suspended(Some("art. 70"), None), half);
        assert_eq!(suspended(None, Some(Grade::A)), half);
    }
}
