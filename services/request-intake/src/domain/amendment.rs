//! What differs between a request as it was sent and as it is after it was mended or its requester has supplied something.

use legalstat_kit::door::word::Word;
use sha2::{Digest as _, Sha256};

use super::{
    decision::ChangedField,
    request::{Item, Submission, Unit},
};

/// The fields that differ, in their order.
pub fn changed(before: &Submission, after: &Submission) -> Vec<ChangedField> {
    let (mut was, mut is) = (fields(before), fields(after));
    // An item that was added had no fields before.
    let missing = |of: &[(String, String)], field: &str| !of.iter().any(|(name, _)| name == field);
    let (added, removed): (Vec<_>, Vec<_>) = (
        is.iter().filter(|(field, _)| missing(&was, field)).cloned().collect(),
        was.iter().filter(|(field, _)| missing(&is, field)).cloned().collect(),
    );
    was.extend(added.into_iter().map(|(field, _)| (field, String::new())));
    is.extend(removed.into_iter().map(|(field, _)| (field, String::new())));
    let changed = is.into_iter().filter_map(|(field, after)| {
        let before = was
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, before)| before.clone())?;
        (before != after).then_some(ChangedField { field, before, after })
    });
    changed.collect()
}

/// The digest of what a request asks for here: all that can be mended, and which items went to other bodies. An answer answers the
/// request of one digest. Empty fields are left out, so that one that a later release adds makes no other digest.
pub fn digest(submission: &Submission, forwarded: &[i32]) -> [u8; 32] {
    let mut sha256 = Sha256::new();
    let mut add = |text: &str| {
        sha256.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        sha256.update(text);
    };
    for (field, value) in fields(submission).iter().filter(|(_, value)| !value.is_empty()) {
        add(field);
        add(value);
    }
    let mut forwarded = forwarded.to_vec();
    forwarded.sort_unstable();
    for item in forwarded {
        add("forwarded");
        add(&item.to_string());
    }
    sha256.finalize().into()
}

/// Whether a request has something at a path: a field, an item, or all of its items; the empty path is the whole request.
pub fn has(submission: &Submission, path: &str) -> bool {
    let groups = ["", "requester", "signatory", "items", "attachments"];
    let items = 0..submission.items.len();
    groups.contains(&path)
        || items.map(|index| format!("items[{index}]")).any(|item| item == path)
        || fields(submission).iter().any(|(field, _)| field == path)
}

/// Whether a field is part of what a requester was asked about. Who was asked about the whole request supplies anything but who he
/// is: what he may see hangs on that.
pub fn is_asked(path: &str, field: &str) -> bool {
    if path.is_empty() {
        return !["requester.bin", "requester.iin"].contains(&field);
    }
    let below = field.strip_prefix(path);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        // A period is one or a row of them.
        || path.strip_suffix(".period").is_some_and(|item| field.strip_prefix(item) == Some(".until_period"))
}

/// Everything that can change, each field as one text.
fn fields(submission: &Submission) -> Vec<(String, String)> {
    let (requester, signatory) = (&submission.requester, submission.signatory.as_ref());
    let external = submission.external.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let mut fields: Vec<(String, String)> = [
        ("requester.full_name", requester.full_name.clone()),
        ("requester.bin", text(requester.bin.as_ref())),
        ("requester.iin", text(requester.iin.as_ref())),
        ("requester.postal_address", requester.postal_address.clone()),
        (
            "signatory.full_name",
            text(signatory.map(|signatory| &signatory.full_name)),
        ),
        (
            "signatory.capacity",
            signatory
                .map(|signatory| signatory.capacity.word().to_owned())
                .unwrap_or_default(),
        ),
        ("external_number", text(external.map(|external| &external.number))),
        (
            "external_date",
            external
                .and_then(|external| external.date)
                .map(|date| date.to_string())
                .unwrap_or_default(),
        ),
        ("addressee", submission.addressee.clone()),
        ("essence", submission.essence.clone()),
        ("language", submission.language.word().to_owned()),
        (
            "reports_crime_or_threat",
            if submission.reports_crime_or_threat { "true" } else { "" }.to_owned(),
        ),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .into();
    for (index, item) in submission.items.iter().enumerate() {
        let of_item = item_fields(item);
        fields.extend(of_item.map(|(field, value)| (format!("items[{index}].{field}"), value)));
    }
    fields
}

fn item_fields(item: &Item) -> [(&'static str, String); 9] {
    let period = |period: Option<legalstat_kit::period::ReportingPeriod>| {
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    [
        ("kind", item.kind.word().to_owned()),
        ("description", item.description.clone()),
        ("unit", item.unit.map(Unit::word).unwrap_or_default().to_owned()),
        ("period", period(item.period)),
        ("until_period", period(item.until_period)),
        ("form", item.form.clone().unwrap_or_default()),
        ("indicator", item.indicator.clone().unwrap_or_default()),
        ("detail", item.detail.clone().unwrap_or_default()),
        ("territories", item.territories.join(" ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples::submission;

    #[test]
    fn only_what_differs_is_told_as_it_was_and_as_it_is() {
        assert_eq!(changed(&submission(), &submission()), []);
        let mut after = submission();
        after.requester.full_name = "E".into();
        after.items[0].unit = Some(Unit::Crime);
        after.items[0].period = Some("2025-Q1".parse().expect("a period"));
        let told = changed(&submission(), &after);
        let told: Vec<_> = told
            .iter()
            .map(|field| (field.field.as_str(), field.before.as_str(), field.after.as_str()))
            .collect();
        let expected = [
            ("requester.full_name", "A", "E"),
            ("items[0].unit", "", "CRIME"),
            ("items[0].period", "", "2025-Q1"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_path_is_spelled_in_one_way() {
        let request = submission();
        for path in [
            "",
            "essence",
            "items",
            "items[0]",
            "items[0].period",
            "signatory",
            "requester.bin",
        ] {
            assert!(has(&request, path), "{path}");
        }
        for path in [
            "period",
            "Items[0].period",
            "items[00].period",
            "items[0].Period",
            "items[1]",
            " essence",
            "items.",
        ] {
            assert!(!has(&request, path), "{path}");
        }
    }

    #[test]
    fn what_is_supplied_is_part_of_what_was_asked_about() {
        for (path, field, expected) in [
            ("items[0].period", "items[0].period", true),
            ("items[0].period", "items[0].until_period", true),
            ("items[0].period", "items[0].unit", false),
            ("items[1]", "items[10].unit", false),
            ("items[1]", "items[1].unit", true),
            ("items", "items[3].kind", true),
            ("signatory", "signatory.capacity", true),
            ("essence", "requester.bin", false),
            ("", "essence", true),
            ("", "requester.bin", false),
            ("requester", "requester.bin", true),
        ] {
            assert_eq!(is_asked(path, field), expected, "{path} {field}");
        }
    }

    #[test]
    fn whatever_is_mended_or_passed_on_makes_another_digest() {
        let digest = |change: fn(&mut Submission), forwarded: &[i32]| {
            let mut submission = submission();
            change(&mut submission);
            super::digest(&submission, forwarded)
        };
        let digests = [
            digest(|_| (), &[]),
            digest(|_| (), &[0]),
            digest(|_| (), &[0, 1]),
            digest(|one| one.requester.full_name = "E".into(), &[]),
            digest(|one| one.requester.postal_address = "E".into(), &[]),
            digest(
                |one| one.items[0].period = Some("2025-Q1".parse().expect("a period")),
                &[],
            ),
            digest(|one| one.items.push(one.items[0].clone()), &[]),
        ];
        for (place, one) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(one), "{place}");
        }
        assert_eq!(digest(|_| (), &[1, 0]), digests[2]);
    }

    #[test]
    fn an_item_that_comes_to_the_others_is_told_field_by_field() {
        let mut after = submission();
        after.items.push(submission().items.remove(0));
        let told = changed(&submission(), &after);
        let told: Vec<_> = told
            .iter()
            .map(|field| (field.field.as_str(), field.after.as_str()))
            .collect();
        assert_eq!(told, [("items[1].kind", "STATISTICS"), ("items[1].description", "D")]);
    }
}
