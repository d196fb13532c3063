//! Reads what a caller says about a form, with every violation.

use jiff::civil::{Date, date};
use legalstat_kit::{
    FieldReason, Violations,
    door::{wire, word, word::Word},
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{common::v1 as common, forms::v1 as proto};

use super::convert;
use crate::domain::{
    edition::Channel,
    form::{Body, Form, Periodicity, Responsible},
    key,
    revised::Edit,
};

/// The days that can be given: from the Instruction's first, before which nothing is known, to the end of a century.
const FIRST_DAY: Date = date(2019, 4, 15);
const LAST_DAY: Date = date(2099, 12, 31);

/// The numbers that a form can have.
const NUMBERS: std::ops::RangeInclusive<i32> = 1..=999_999;

const CODE: usize = 40;
const TITLE: usize = 2000;
const LAW: usize = 300;
const URI: usize = 500;
const UNIT: usize = 200;
pub(super) const REASON: usize = 1000;

/// Reads a required day within the bounds.
pub(super) fn day(violations: &mut Violations, field: &str, given: Option<&common::Date>) -> Option<Date> {
    let day = wire::required_date(violations, field, given)?;
    if !(FIRST_DAY..=LAST_DAY).contains(&day) {
        violations.add(field, FieldReason::OutOfRange, format!("{FIRST_DAY} to {LAST_DAY}"));
        return None;
    }
    Some(day)
}

/// Reads an optional day within the bounds.
pub(super) fn optional_day(violations: &mut Violations, field: &str, given: Option<&common::Date>) -> Option<Date> {
    given.and_then(|given| day(violations, field, Some(given)))
}

/// Reads the law of something, its act required.
pub(super) fn legal_basis(
    violations: &mut Violations,
    field: &str,
    given: Option<&common::LegalBasis>,
) -> Option<LegalBasis> {
    let Some(given) = given else {
        violations.add(field, FieldReason::Required, "required: the act and its provision");
        return None;
    };
    let path = |name: &str| format!("{field}.{name}");
    let act = violations.name(&path("act"), &given.act, LAW);
    let provision = violations.optional_name(&path("provision"), &given.provision, LAW);
    let uri = violations.optional_name(&path("uri"), &given.uri, URI);
    if !uri.is_empty() && !uri.starts_with("https://") {
        violations.add(path("uri"), FieldReason::Uri, "begins with https://");
    }
    Some(LegalBasis::of_row(act, provision, uri, given.assumed))
}

fn periodicity(violations: &mut Violations, given: i32) -> Option<Periodicity> {
    word::required(
        violations,
        "form.periodicity",
        given,
        Periodicity::ALL,
        convert::to_periodicity,
    )
}

fn due_day(violations: &mut Violations, given: i32) -> Option<i32> {
    if !(1..=28).contains(&given) {
        violations.add(
            "form.due_day",
            FieldReason::OutOfRange,
            "a day of the month from 1 to 28",
        );
        return None;
    }
    Some(given)
}

fn code(violations: &mut Violations, given: &str) -> Option<String> {
    Some(violations.optional_name("form.code", given, CODE)).filter(|code| !code.is_empty())
}

fn channels(violations: &mut Violations, given: &[i32]) -> Option<Vec<Channel>> {
    if given.is_empty() {
        violations.add("form.channels", FieldReason::Required, "one channel at least");
        return None;
    }
    let mut channels: Vec<Channel> = Vec::new();
    for (place, number) in given.iter().enumerate() {
        let field = format!("form.channels[{place}]");
        let Some(channel) = convert::channel(violations, &field, *number) else {
            continue;
        };
        if channels.contains(&channel) {
            violations.add(field, FieldReason::Duplicate, "this channel is given twice");
        }
        channels.push(channel);
    }
    Some(channels)
}

fn responsible(violations: &mut Violations, given: Option<&proto::Responsible>) -> Option<Responsible> {
    let Some(given) = given else {
        violations.add(
            "form.responsible",
            FieldReason::Required,
            "required: the body that answers for it",
        );
        return None;
    };
    let field = "form.responsible.territory";
    let body = word::required(
        violations,
        "form.responsible.body",
        given.body,
        Body::ALL,
        convert::to_body,
    )?;
    let is_kato = given.territory.len() == 9 && given.territory.bytes().all(|byte| byte.is_ascii_digit());
    match body {
        Body::Committee if !given.territory.is_empty() => {
            violations.add(
                field,
                FieldReason::Conflict,
                "the Committee has no territory: leave it empty",
            );
        }
        Body::Territorial if !is_kato => {
            violations.add(field, FieldReason::Territory, "required: a KATO code of nine digits");
        }
        Body::Committee | Body::Territorial => {}
    }
    Some(Responsible {
        body,
        territory: given.territory.clone(),
        unit: violations.optional_name("form.responsible.unit", &given.unit, UNIT),
    })
}

fn title(violations: &mut Violations, language: &str, given: &common::LocalizedText) -> String {
    let text = match language {
        "kk" => &given.kk,
        "ru" => &given.ru,
        _ => &given.en,
    };
    violations.optional_name(&format!("form.title.{language}"), text, TITLE)
}

/// Refuses what a form that is to be entered does not have yet. An update takes a form as it was read, with these fields.
fn set_by_service(violations: &mut Violations, given: &proto::Form) {
    for (field, is_given, description) in [
        ("valid_to", given.valid_to.is_some(), "RetireForm ends a form"),
        (
            "missing_languages",
            !given.missing_languages.is_empty(),
            "they follow from the title",
        ),
        ("version", given.version != 0, "nothing is recorded yet"),
        ("etag", !given.etag.is_empty(), "nothing is recorded yet"),
    ] {
        if is_given {
            let description = format!("must be empty: {description}");
            violations.add(format!("form.{field}"), FieldReason::SetByService, description);
        }
    }
}

/// Reads a form that is to be entered.
pub(super) fn new(violations: &mut Violations, given: &proto::Form) -> Option<Form> {
    let number = given.list_number;
    if !NUMBERS.contains(&number) {
        violations.add("form.list_number", FieldReason::OutOfRange, "a number from 1 to 999999");
    } else if !given.name.is_empty() && given.name != key::form(number) {
        let description = format!("leave it empty or write {}", key::form(number));
        violations.add("form.name", FieldReason::Conflict, description);
    }
    let code = code(violations, &given.code);
    let titles = given.title.clone().unwrap_or_default();
    let [kk, ru, en] = ["kk", "ru", "en"].map(|language| title(violations, language, &titles));
    if kk.is_empty() && ru.is_empty() && en.is_empty() {
        violations.add("form.title", FieldReason::Required, "one language at least");
    }
    let periodicity = periodicity(violations, given.periodicity);
    let due_day = due_day(violations, given.due_day);
    let roll_forward_basis = legal_basis(violations, "form.roll_forward_basis", given.roll_forward_basis.as_ref());
    let law = legal_basis(violations, "form.legal_basis", given.legal_basis.as_ref());
    let valid_from = day(violations, "form.valid_from", given.valid_from.as_ref());
    set_by_service(violations, given);
    let channels = channels(violations, &given.channels);
    let responsible = responsible(violations, given.responsible.as_ref());
    let periodicity = periodicity?;
    Some(Form {
        list_number: number,
        code,
        title: LocalizedText { kk, ru, en },
        periodicity,
        duty: Duty {
            parent: key::form(number),
            position: number,
            periods: periodicity.periods(),
            due_day: due_day?,
            roll_forward: given.roll_forward,
            roll_forward_basis: roll_forward_basis?,
            legal_basis: law?,
            valid_from: valid_from?,
            valid_to: None,
        },
        channels: channels?,
        responsible: responsible?,
    })
}

/// What an update can change.
const PATHS: [&str; 12] = [
    "code",
    "title",
    "title.kk",
    "title.ru",
    "title.en",
    "periodicity",
    "due_day",
    "roll_forward",
    "roll_forward_basis",
    "legal_basis",
    "channels",
    "responsible",
];

/// Reads what of a form is to change, by the mask.
pub(super) fn edit(violations: &mut Violations, given: &proto::Form, mask: &[String]) -> Edit {
    if mask.is_empty() {
        let description = format!("required: of {}, or *", PATHS.join(", "));
        violations.add("update_mask", FieldReason::Required, description);
    }
    for path in mask {
        if path != "*" && !PATHS.contains(&path.as_str()) {
            let description = format!("{path:?} is none of {}", PATHS.join(", "));
            violations.add("update_mask", FieldReason::Unknown, description);
        }
    }
    let masked = |path: &str| mask.iter().any(|one| one == path || one == "*");
    let titles = given.title.clone().unwrap_or_default();
    let mut titled = |language: &str| {
        let named = masked("title") || masked(&format!("title.{language}"));
        named.then(|| title(violations, language, &titles))
    };
    let (title_kk, title_ru, title_en) = (titled("kk"), titled("ru"), titled("en"));
    let mut edit = Edit {
        title_kk,
        title_ru,
        title_en,
        roll_forward: masked("roll_forward").then_some(given.roll_forward),
        ..Edit::default()
    };
    if masked("code") {
        edit.code = Some(code(violations, &given.code));
    }
    if masked("periodicity") {
        edit.periodicity = periodicity(violations, given.periodicity);
    }
    if masked("due_day") {
        edit.due_day = due_day(violations, given.due_day);
    }
    if masked("roll_forward_basis") {
        let basis = given.roll_forward_basis.as_ref();
        edit.roll_forward_basis = legal_basis(violations, "form.roll_forward_basis", basis);
    }
    if masked("legal_basis") {
        edit.legal_basis = legal_basis(violations, "form.legal_basis", given.legal_basis.as_ref());
    }
    if masked("channels") {
        edit.channels = channels(violations, &given.channels);
    }
    if masked("responsible") {
        edit.responsible = responsible(violations, given.responsible.as_ref());
    }
    edit
}
