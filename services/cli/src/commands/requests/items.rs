//! What a request asks for, as `legalstat requests new` reads it.

use clap::ValueEnum;
use legalstat_kit::period::ReportingPeriod;
use serde_json::{Value, json};

use super::draft::{one_of, some};

/// What an item asks for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ItemKind {
    /// Numbers by indicators of reports
    Statistics,
    /// A copy of an information accounting document
    AccountingDocumentCopy,
    /// A document or form of primary accounting
    PrimaryAccountingForm,
}

/// The unit of the information.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Unit {
    /// Crimes
    Crime,
    /// Offences
    Offence,
    /// Criminal cases
    CriminalCase,
    /// Persons
    Person,
}

/// A period.
pub(super) fn period(text: &str) -> Result<Value, String> {
    let period: ReportingPeriod = text.trim().parse().map_err(|_| {
        "write a month as 2026-M01, a quarter as 2026-Q1, a half-year as 2026-S1, a year as 2026".to_owned()
    })?;
    Ok(json!(period.to_string()))
}

/// A form, `forms/1` or `1`, or an indicator, `forms/1/indicators/CODE`, under the name of the field that it is for.
pub(super) fn form_or_indicator(text: &str) -> Result<(&'static str, Value), String> {
    let text = text.trim();
    let name = if text.starts_with("forms/") {
        text.to_owned()
    } else {
        format!("forms/{text}")
    };
    let told = "write a form as forms/1, or an indicator as forms/1/indicators/CODE";
    let (number, code) = match name["forms/".len()..].split_once("/indicators/") {
        Some((number, code)) => (number.to_owned(), Some(code.to_owned())),
        None => (name["forms/".len()..].to_owned(), None),
    };
    if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(told.into());
    }
    match code {
        Some(code) if code.is_empty() => Err(told.into()),
        Some(_) => Ok(("indicator", json!(name))),
        None => Ok(("form", json!(name))),
    }
}

/// An item as a flag writes it: `kind=statistics;unit=crime;period=2026-Q1;form=1;words=Registered crimes`. What follows `words=`
/// is taken as it is.
pub(super) fn item(text: &str) -> Result<Value, String> {
    let mut item = json!({ "kind": "ITEM_KIND_STATISTICS" });
    let mut rest = text;
    while !rest.trim().is_empty() {
        let (name, value) = rest
            .split_once('=')
            .ok_or_else(|| format!("{rest:?} is no NAME=VALUE"))?;
        let (value, behind) = match name.trim() {
            "words" => (value, ""),
            _ => value.split_once(';').unwrap_or((value, "")),
        };
        set_part(&mut item, name.trim(), value)?;
        rest = behind;
    }
    match item["description"].is_string() {
        true => Ok(item),
        false => Err("words= says what is asked for, and stands last".into()),
    }
}

/// Sets a part of an item by the name that it has on the command line.
pub(super) fn set_part(item: &mut Value, name: &str, value: &str) -> Result<(), String> {
    match name {
        "kind" => item["kind"] = one_of::<ItemKind>(value, "ITEM_KIND_")?,
        "unit" => item["unit"] = one_of::<Unit>(value, "UNIT_")?,
        "period" => item["period"] = period(value)?,
        "until" => item["untilPeriod"] = period(value)?,
        "form" | "indicator" => {
            let (field, value) = form_or_indicator(value)?;
            item[field] = value;
        }
        "detail" => item["detail"] = some(value, 200)?,
        "territories" => item["territories"] = value.split(',').map(|code| json!(code.trim())).collect(),
        "words" => item["description"] = some(value, 4_000)?,
        other => {
            return Err(format!(
                "{other:?} is none of kind, unit, period, until, form, indicator, detail, territories, words"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_written_in_one_flag() {
        let text =
            "kind=statistics; unit=criminal-case;period=2026-01;until=2026-M03;form=1;territories=11, 15;words=a=b; c";
        let read = item(text).expect("it is read");
        let expected = json!({
            "kind": "ITEM_KIND_STATISTICS", "unit": "UNIT_CRIMINAL_CASE", "period": "2026-M01", "untilPeriod": "2026-M03",
            "form": "forms/1", "territories": ["11", "15"], "description": "a=b; c",
        });
        assert_eq!(read, expected);
        assert_eq!(
            item("form=forms/1/indicators/1.1;words=x").expect("it is read")["indicator"],
            "forms/1/indicators/1.1"
        );
        for (text, part) in [
            ("", "words="),
            ("words=", "something"),
            ("colour=red;words=x", "none of kind"),
            ("unit=pound;words=x", "crime, offence"),
            ("period=2026-Q5;words=x", "a quarter as"),
            ("form=one;words=x", "forms/1"),
            ("crimes", "NAME=VALUE"),
        ] {
            let refused = item(text).expect_err("it is refused");
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
