//! The questions of `legalstat requests new` on a terminal, one after the other; each answer is read before the next one.

use anyhow::Context as _;
use dialoguer::{Input, theme::SimpleTheme};
use legalstat_proto::common::v1::Role;
use serde_json::{Value, json};

use super::{
    draft::{Draft, FIELDS, Need, one_of, some, words},
    items::{ItemKind, Unit, form_or_indicator, period, set_part},
};
use crate::{failure::Failure, invocation::hint_for, options::Options};

/// Asks for everything that the request does not have yet and that concerns it.
pub(super) fn complete(draft: &mut Draft, options: &Options) -> Result<(), Failure> {
    can_bring(draft, options)?;
    for field in &FIELDS {
        let need = field.need(draft);
        if field.is_given(draft) || need == Need::Without {
            continue;
        }
        if let Some(value) = answer(&field.told(), need, field.read)? {
            field.set(draft, value);
        }
        if field.flag == "channel" {
            // Before a dozen further answers.
            can_bring(draft, options)?;
        }
    }
    if !draft.has_items() && draft.needs_items() != Need::Without {
        items(draft)?;
    }
    Ok(())
}

/// Refuses a channel of a document system to whoever else has come: the service would, behind all questions.
fn can_bring(draft: &Draft, options: &Options) -> Result<(), Failure> {
    let (Some(system), caller) = (draft.brings(), options.caller.as_deref()) else {
        return Ok(());
    };
    let role = match system {
        "edms" => Role::Edms,
        _ => Role::Kadagalau,
    };
    if caller.is_some_and(|caller| options.place().has_role(caller, role)) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "only the document system itself brings what comes by this channel (Instruction, para 7): give {}, or record how it came to \
         you; nothing was sent",
        hint_for(system, "requests new")
    )))
}

/// Asks whether it is so; only `yes` says so.
pub(super) fn confirmed(question: &str) -> Result<bool, Failure> {
    let said = line(&format!("{question} (yes, no)"), false, |text| match text {
        "yes" | "y" | "no" | "n" => Ok(json!(text.starts_with('y'))),
        _ => Err("write yes or no".into()),
    })?;
    Ok(said == Some(json!(true)))
}

/// Asks for items until there are no more.
fn items(draft: &mut Draft) -> Result<(), Failure> {
    loop {
        let need = if draft.has_items() {
            Need::Optional
        } else {
            draft.needs_items()
        };
        let number = draft.items() + 1;
        let asked = format!("What is asked for, item {number}, in words");
        let Some(description) = answer(&asked, need, |text| some(text, 4_000))? else {
            return Ok(());
        };
        draft.add_item(item(description)?);
    }
}

/// Asks for the rest of an item.
fn item(description: Value) -> Result<Value, Failure> {
    let mut item = json!({ "description": description });
    let kinds = format!("What kind of thing: {}", words::<ItemKind>().join(", "));
    if let Some(kind) = answer(&kinds, Need::Required, |text| one_of::<ItemKind>(text, "ITEM_KIND_"))? {
        item["kind"] = kind;
    }
    let units = format!("Its unit: {}", words::<Unit>().join(", "));
    if let Some(unit) = answer(&units, Need::Optional, |text| one_of::<Unit>(text, "UNIT_"))? {
        item["unit"] = unit;
    }
    let asked = "The period, or the first of several, as 2026-M01, 2026-Q1, 2026-S1 or 2026";
    if let Some(first) = answer(asked, Need::Optional, period)? {
        item["period"] = first;
        if let Some(last) = answer("The last of several periods", Need::Optional, period)? {
            item["untilPeriod"] = last;
        }
    }
    let named = answer(
        "The form or the indicator, as forms/1 or forms/1/indicators/CODE",
        Need::Optional,
        |text| form_or_indicator(text).map(|(field, value)| json!({ field: value })),
    )?;
    for (field, value) in named.as_ref().and_then(Value::as_object).into_iter().flatten() {
        item[field] = value.clone();
    }
    let details = "The detail of an accounting document that is asked for";
    if let Some(detail) = answer(details, Need::Optional, |text| some(text, 200))? {
        item["detail"] = detail;
    }
    let territories = "The territories, codes of KATO with commas between, as 11,15";
    let listed = |text: &str| {
        let mut item = json!({});
        set_part(&mut item, "territories", text).map(|()| item["territories"].take())
    };
    if let Some(codes) = answer(territories, Need::Optional, listed)? {
        item["territories"] = codes;
    }
    Ok(item)
}

/// Asks one question until its answer can be read; nothing for one that is left empty.
fn answer(question: &str, need: Need, read: impl Fn(&str) -> Result<Value, String>) -> Result<Option<Value>, Failure> {
    match need {
        Need::Optional => line(&format!("{question} (Enter leaves it out)"), true, read),
        _ => line(question, false, read),
    }
}

fn line(
    question: &str,
    can_be_empty: bool,
    read: impl Fn(&str) -> Result<Value, String>,
) -> Result<Option<Value>, Failure> {
    let is_left_out = |text: &str| can_be_empty && text.trim().is_empty();
    let check = |text: &String| match is_left_out(text) {
        true => Ok(()),
        false => read(text.trim()).map(|_| ()),
    };
    let asked = Input::<String>::with_theme(&SimpleTheme)
        .with_prompt(question)
        .allow_empty(true)
        .validate_with(check)
        .interact_text()
        .context("the terminal")?;
    if is_left_out(&asked) {
        return Ok(None);
    }
    read(asked.trim()).map(Some).map_err(Failure::usage)
}
