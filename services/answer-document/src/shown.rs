//! What a document shows of an answer, in one language: the same for the PDF and for the workbook.

use serde::Serialize;

use crate::{
    answer::{Answer, AnsweredItem, Document, Figure, Language, Reason},
    labels::{self, Labels, labels},
};

/// Everything that is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Sheet {
    pub language: &'static str,
    pub labels: &'static Labels,
    pub title: String,
    /// Of the canonical form.
    pub digest: String,
    pub is_draft: bool,
    /// Year, month and day of the document.
    pub date: [u16; 3],
    pub body: String,
    /// What the head of the document tells, each with its heading.
    pub facts: Vec<[String; 2]>,
    pub opening: String,
    pub items: Vec<Item>,
    pub sources: Vec<Source>,
    pub appeal: Vec<Told>,
    /// Who drafted, edited and approved, each with its heading.
    pub people: Vec<[String; 2]>,
    pub is_signed: bool,
}

/// An item.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    pub heading: String,
    pub description: String,
    pub facts: Vec<[String; 2]>,
    pub remark: String,
    pub rows: Vec<Row>,
    /// Whether any row has a breakdown, and whether any has a note.
    pub has_breakdown: bool,
    pub has_note: bool,
    pub not_provided: Vec<Told>,
}

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub indicator: String,
    pub territory: String,
    pub period: String,
    pub breakdown: String,
    pub value: String,
    /// The value as it is stored.
    pub exact: String,
    pub note: String,
    /// Which source, from 1; empty for none.
    pub source: String,
    pub is_total: bool,
}

/// A source.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub number: String,
    pub title: String,
    pub edition: String,
    pub revision: String,
    pub sha256: String,
    pub address: String,
}

/// A reason.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub text: String,
    pub law: String,
}

/// What a document shows, with the digest of its answer.
pub fn sheet(document: &Document, digest: &str) -> Sheet {
    let (answer, language) = (&document.answer, document.language);
    let l = labels(language);
    let approval = document.approval.as_ref();
    let day = approval.map_or(&answer.drafted_on, |approval| &approval.approved_on);
    Sheet {
        language: language.tag(),
        labels: l,
        title: format!("{} № {}", l.title, number(answer)),
        digest: digest.to_owned(),
        is_draft: approval.is_none(),
        date: date(day),
        body: body(answer, l).to_owned(),
        facts: facts(answer, l, day),
        opening: answer.opening.clone(),
        items: (1..)
            .zip(&answer.items)
            .map(|(at, shown)| item(at, shown, answer, language))
            .collect(),
        sources: sources(answer, language),
        appeal: answer.appeal.iter().map(|reason| told(reason, language)).collect(),
        people: people(document, l),
        is_signed: approval.is_some_and(|approval| !approval.signature.is_empty()),
    }
}

/// The number that a document is titled with.
fn number(answer: &Answer) -> &str {
    match answer.request.registration_number.as_str() {
        "" => &answer.request.coupon_number,
        number => number,
    }
}

fn body<'a>(answer: &'a Answer, l: &'static Labels) -> &'a str {
    if answer.body.is_empty() {
        l.committee
    } else {
        &answer.body
    }
}

/// Year, month and day; the first day of the calendar where it is none, which only a file that nobody rendered has.
fn date(day: &str) -> [u16; 3] {
    let parts: Vec<u16> = day.split('-').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [year, month @ 1..=12, day @ 1..=31] => [year, month, day],
        _ => [1, 1, 1],
    }
}

/// `2026-03-14` as `14.03.2026`; English keeps ISO 8601.
fn civil(day: &str, l: &Labels) -> String {
    let parts: Vec<&str> = day.split('-').collect();
    match parts[..] {
        [year, month, date] if l.title != labels(Language::En).title => format!("{date}.{month}.{year}"),
        _ => day.to_owned(),
    }
}

fn facts(answer: &Answer, l: &'static Labels, day: &str) -> Vec<[String; 2]> {
    let (request, requester) = (&answer.request, &answer.requester);
    let dated = |number: &str, day: &str| match day {
        "" => number.to_owned(),
        day => format!("{number}, {}", civil(day, l)),
    };
    let all = [
        (l.from, body(answer, l).to_owned()),
        (l.date, civil(day, l)),
        (l.to, requester.full_name.clone()),
        (l.bin, requester.bin.clone()),
        (l.address, requester.postal_address.clone()),
        (
            l.registration,
            dated(&request.registration_number, &request.registered_on),
        ),
        (l.external, dated(&request.external_number, &request.external_date)),
        (l.received, civil(&request.received_on, l)),
        (l.coupon, request.coupon_number.clone()),
    ];
    told_facts(all)
}

fn told_facts<const N: usize>(all: [(&str, String); N]) -> Vec<[String; 2]> {
    let told = all.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(label, value)| [label.to_owned(), value]).collect()
}

fn people(document: &Document, l: &'static Labels) -> Vec<[String; 2]> {
    let answer = &document.answer;
    let approved = document.approval.as_ref().map(|approval| {
        let capacity = labels::capacity(approval.capacity, document.language);
        format!(
            "{} ({capacity}), {}",
            approval.approved_by,
            civil(&approval.approved_on, l)
        )
    });
    told_facts([
        (
            l.drafted,
            format!("{}, {}", answer.drafted_by, civil(&answer.drafted_on, l)),
        ),
        (l.edited, answer.edited_by.join(", ")),
        (l.approved, approved.unwrap_or_default()),
    ])
}

fn told(reason: &Reason, language: Language) -> Told {
    Told {
        text: reason.text.in_language(language).to_owned(),
        law: labels::citation(&reason.legal_basis, language),
    }
}

fn sources(answer: &Answer, language: Language) -> Vec<Source> {
    let shown = (1..).zip(&answer.sources).map(|(number, source): (usize, _)| Source {
        number: number.to_string(),
        title: source.title.in_language(language).to_owned(),
        edition: source.edition.clone(),
        revision: source.revision.to_string(),
        sha256: source.sha256.clone(),
        address: source.address.clone(),
    });
    shown.collect()
}

fn item(at: usize, item: &AnsweredItem, answer: &Answer, language: Language) -> Item {
    let l = labels(language);
    let period = match item.until_period.as_str() {
        "" => item.period.clone(),
        until => format!("{} – {until}", item.period),
    };
    let rows: Vec<Row> = item
        .figures
        .iter()
        .map(|figure| row(figure, answer, language))
        .collect();
    Item {
        heading: format!("{} {at}", l.item),
        description: item.description.clone(),
        facts: told_facts([
            (l.unit, labels::unit(&item.unit, language).to_owned()),
            (l.period, period),
            (l.state, labels::provision(item.provision, language).to_owned()),
        ]),
        remark: item.remark.clone(),
        has_breakdown: rows.iter().any(|row| !row.breakdown.is_empty()),
        has_note: rows.iter().any(|row| !row.note.is_empty()),
        rows,
        not_provided: item.not_provided.iter().map(|reason| told(reason, language)).collect(),
    }
}

fn row(figure: &Figure, answer: &Answer, language: Language) -> Row {
    let l = labels(language);
    let named = |code: &str, title: &str| {
        if title.is_empty() {
            code.to_owned()
        } else {
            title.to_owned()
        }
    };
    let territory = named(&figure.territory.code, figure.territory.title.in_language(language));
    let place = answer
        .sources
        .iter()
        .position(|source| source.edition == figure.edition);
    let breakdown: Vec<String> = figure
        .breakdown
        .iter()
        .map(|by| named(&by.code.code, by.code.title.in_language(language)))
        .collect();
    let notes = [
        labels::status(&figure.status, language),
        figure.note.in_language(language),
        if figure.by_hand { l.by_hand } else { "" },
    ];
    let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
    let total = figure.total_of.map(|of| match of.missing {
        0 => format!("{} ({})", l.total, of.parts),
        missing => format!("{} ({} − {missing})", l.total, of.parts),
    });
    let whole = if territory.is_empty() {
        l.whole_country.to_owned()
    } else {
        territory
    };
    Row {
        indicator: named(&figure.indicator.code, figure.indicator.title.in_language(language)),
        is_total: total.is_some(),
        territory: total.unwrap_or(whole),
        period: figure.period.clone(),
        breakdown: breakdown.join("; "),
        value: number_in(&figure.value, language),
        exact: figure.value.clone(),
        note: notes.join("; "),
        source: place.map_or_else(String::new, |place| (place + 1).to_string()),
    }
}

/// A decimal with its thousands apart, by no-break spaces and with a comma before its places, in English by commas and with a
/// point. A missing one is a dash; what is no decimal stays as it is.
fn number_in(value: &str, language: Language) -> String {
    if value.is_empty() {
        return "–".to_owned();
    }
    let (thousands, point) = if language == Language::En {
        (',', '.')
    } else {
        ('\u{a0}', ',')
    };
    let (sign, digits) = value.strip_prefix('-').map_or(("", value), |digits| ("-", digits));
    let (whole, places) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, places)| (whole, Some(places)));
    let is_decimal = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_decimal(whole) || !places.is_none_or(is_decimal) {
        return value.to_owned();
    }
    let mut shown = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            shown.push(thousands);
        }
        shown.push(digit);
    }
    if let Some(places) = places {
        shown.push(point);
        shown.push_str(places);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_thousands_apart_and_loses_no_digit() {
        for (value, ru, en) in [
            ("", "–", "–"),
            ("0", "0", "0"),
            ("999", "999", "999"),
            ("1000", "1\u{a0}000", "1,000"),
            ("-1234567.50", "-1\u{a0}234\u{a0}567,50", "-1,234,567.50"),
            ("=1+1", "=1+1", "=1+1"),
            ("1.", "1.", "1."),
            ("-", "-", "-"),
        ] {
            assert_eq!(number_in(value, Language::Ru), ru);
            assert_eq!(number_in(value, Language::En), en);
        }
    }
}
