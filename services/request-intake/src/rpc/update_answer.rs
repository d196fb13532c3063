//! UpdateAnswer.

use legalstat_answer_document::{
    MOST_FIGURES,
    answer::{Answer, Breakdown, Figure, Language, Law, Named, Reason, TotalOf, Words},
};
use legalstat_kit::{Call, Error, FieldReason, Violations, door::word, period::ReportingPeriod};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{self as proto, AnswerFigure, AnswerReason, AnsweredItem, NamedCode, UpdateAnswerRequest},
};

use super::{
    RequestIntake,
    answering::{self, language},
    deciding::{self, Asked, Deed, Done},
};
use crate::{
    db,
    domain::{
        answering::{Edit, Written, edited},
        life::Verb,
        names,
    },
    drafting,
};

/// How many items an answer has at most.
const MOST_ITEMS: usize = 100;
/// How many reasons an item has at most.
const MOST_REASONS: usize = 20;
/// How many codes a figure is broken down by.
const MOST_CODES: usize = 8;
const OPENING: usize = 4000;
const TEXT: usize = 2000;
const TITLE: usize = 500;
const CODE: usize = 200;
/// How many digits a value has at most.
const DIGITS: usize = 60;
/// The observation statuses of SDMX that an answer knows.
const STATUSES: &str = "ABDEFGIJKLMNOPQSUVW";

pub(super) async fn update_answer(
    service: &RequestIntake,
    call: &Call,
    message: UpdateAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let given = message.answer.clone().unwrap_or_default();
    let name = given.name.strip_suffix("/answer").unwrap_or_default().to_owned();
    if message.etag.is_empty() {
        violations.add(
            "etag",
            FieldReason::Required,
            "required: the etag of the answer as it was read",
        );
    }
    let edit = edit(&mut violations, given);
    if names::parse_request(&name).is_none() {
        let description = "write requests/, the UUID in lower case and /answer";
        violations.add("answer.name", FieldReason::ResourceName, description);
        violations.request_id("request_id", &message.request_id);
        return violations.sound(None);
    }
    let (etag, request_id) = (&message.etag, &message.request_id);
    let asked = Asked::read(&mut violations, &name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let by = call.caller.name.clone();
    let deed = Deed {
        verb: Verb::UpdateAnswer,
        events: ("request.answer_edited", "request.answer_edit_repeated"),
    };
    deciding::decide_to(
        service,
        call,
        &message,
        asked,
        deed,
        move |write, stands| {
            Box::pin(async move {
                let ordered = deciding::ordered(&rules, stands, Verb::UpdateAnswer, "", None)?;
                let (id, now) = (stands.receipt.id, write.now());
                let last = db::answer::last(write.connection(), id).await?;
                let last = last.ok_or_else(|| answering::missing(id))?;
                answering::require_current(write.connection(), stands, &last).await?;
                let before = answering::read(&last)?;
                if edit.items.len() != before.items.len() {
                    let description = format!("one for each of the {} items of the request", before.items.len());
                    return Err(Violations::one("answer.items", FieldReason::Contradiction, &description).into());
                }
                let after = edited(&before, edit, &by);
                let unchanged = Answer {
                    version: after.version,
                    ..before
                };
                // Who edits it first is named in it, and so changes it.
                if after == unchanged {
                    return Ok(Done {
                        is_repeat: true,
                        ..Done::default()
                    });
                }
                let version = drafting::version(&after, last.submission_sha256, &by, now)?;
                db::answer::insert(write.connection(), id, &version).await?;
                Ok(Done {
                    legal_basis: Some(ordered.legal_basis),
                    ..Done::default()
                })
            })
        },
        |connection, _, left| Box::pin(answering::left(connection, left)),
    )
    .await
}

fn edit(violations: &mut Violations, given: proto::Answer) -> Edit {
    if given.items.len() > MOST_ITEMS {
        violations.add("answer.items", FieldReason::TooMany, format!("at most {MOST_ITEMS}"));
    }
    let figures: usize = given.items.iter().map(|item| item.figures.len()).sum();
    if figures > MOST_FIGURES {
        let description = format!("at most {MOST_FIGURES} in an answer, and these are {figures}");
        violations.add("answer.items", FieldReason::TooMany, description);
    }
    Edit {
        language: word::optional(violations, "answer.language", given.language, &Language::ALL, language),
        opening: violations.optional_text("answer.opening", &given.opening, OPENING),
        items: (0..MOST_ITEMS)
            .zip(given.items)
            .map(|(at, item)| written(violations, at, item))
            .collect(),
    }
}

fn written(violations: &mut Violations, at: usize, item: AnsweredItem) -> Written {
    let field = format!("answer.items[{at}]");
    let remark = violations.optional_text(&format!("{field}.remark"), &item.remark, OPENING);
    if item.not_provided.len() > MOST_REASONS {
        let description = format!("at most {MOST_REASONS}");
        violations.add(format!("{field}.not_provided"), FieldReason::TooMany, description);
    }
    if item.figures.is_empty() && item.not_provided.is_empty() && remark.is_empty() {
        let description = "required where there is no figure: why it is not provided, or a remark";
        violations.add(format!("{field}.not_provided"), FieldReason::Required, description);
    }
    let reasons = (0..MOST_REASONS).zip(item.not_provided);
    let not_provided = reasons.map(|(at, one)| reason(violations, &format!("{field}.not_provided[{at}]"), one));
    let not_provided = not_provided.collect();
    let figures = (0..MOST_FIGURES).zip(item.figures);
    let figures = figures
        .map(|(at, one)| figure(violations, &format!("{field}.figures[{at}]"), one))
        .collect();
    Written {
        figures,
        not_provided,
        remark,
    }
}

fn reason(violations: &mut Violations, field: &str, given: AnswerReason) -> Reason {
    let text = words(violations, &format!("{field}.text"), given.text, TEXT);
    if text == Words::default() {
        violations.add(
            format!("{field}.text"),
            FieldReason::Required,
            "required in one language at least",
        );
    }
    let basis = given.legal_basis.unwrap_or_default();
    let law = format!("{field}.legal_basis");
    let word = match given.word.as_str() {
        "" => "OFFICIAL".to_owned(),
        word => violations.optional_name(&format!("{field}.word"), word, 40),
    };
    Reason {
        word,
        text,
        legal_basis: Law {
            act: violations.name(&format!("{law}.act"), &basis.act, CODE),
            provision: violations.optional_name(&format!("{law}.provision"), &basis.provision, CODE),
            uri: violations.optional_name(&format!("{law}.uri"), &basis.uri, TITLE),
            assumed: basis.assumed,
        },
    }
}

fn figure(violations: &mut Violations, field: &str, given: AnswerFigure) -> Figure {
    if given.breakdown.len() > MOST_CODES {
        violations.add(
            format!("{field}.breakdown"),
            FieldReason::TooMany,
            format!("at most {MOST_CODES}"),
        );
    }
    if !given.value.is_empty() && !is_decimal(&given.value) {
        let description = "a decimal such as 12 or -1.50, or empty";
        violations.add(format!("{field}.value"), FieldReason::Decimal, description);
    }
    let status = if given.status.is_empty() {
        "A".to_owned()
    } else {
        given.status
    };
    if status.len() != 1 || !STATUSES.contains(&status) {
        violations.add(
            format!("{field}.status"),
            FieldReason::Status,
            "an observation status of SDMX, one letter",
        );
    }
    let period: Option<ReportingPeriod> =
        violations.check(&format!("{field}.period"), FieldReason::Period, given.period.parse());
    let parts = [("parts", given.parts), ("missing_parts", given.missing_parts)].map(|(name, count)| {
        u32::try_from(count).unwrap_or_else(|_| {
            violations.add(format!("{field}.{name}"), FieldReason::OutOfRange, "0 or more");
            0
        })
    });
    let breakdown = (0..MOST_CODES).zip(given.breakdown).map(|(at, by)| Breakdown {
        dimension: violations.name(&format!("{field}.breakdown[{at}].dimension"), &by.dimension, CODE),
        code: named(violations, &format!("{field}.breakdown[{at}].code"), by.code),
    });
    let breakdown = breakdown.collect();
    Figure {
        indicator: named(violations, &format!("{field}.indicator"), given.indicator),
        territory: named(violations, &format!("{field}.territory"), given.territory),
        period: period.map(|period| period.to_string()).unwrap_or_default(),
        breakdown,
        value: given.value,
        status,
        note: words(violations, &format!("{field}.note"), given.note, TITLE),
        total_of: (parts[0] > 0).then_some(TotalOf {
            parts: parts[0],
            missing: parts[1],
        }),
        edition: violations.optional_name(&format!("{field}.edition"), &given.edition, CODE),
        by_hand: given.by_hand,
    }
}

/// Whether a text is `-?[0-9]+(\.[0-9]+)?`, of a length that a table holds.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    text.len() <= DIGITS && digits(whole) && digits(places)
}

fn named(violations: &mut Violations, field: &str, given: Option<NamedCode>) -> Named {
    let given = given.unwrap_or_default();
    Named {
        code: violations.optional_name(&format!("{field}.code"), &given.code, CODE),
        title: words(violations, &format!("{field}.title"), given.title, TITLE),
    }
}

fn words(violations: &mut Violations, field: &str, given: Option<common::LocalizedText>, most: usize) -> Words {
    let given = given.unwrap_or_default();
    Words {
        kk: violations.optional_text(&format!("{field}.kk"), &given.kk, most),
        ru: violations.optional_text(&format!("{field}.ru"), &given.ru, most),
        en: violations.optional_text(&format!("{field}.en"), &given.en, most),
    }
}
