//! Grounds that what was submitted contradicts: nobody ends a request on a fact that is not so. What needs judgement is an official's,
//! and so is every ground that an operator entered.

use super::{
    request::{Channel, ItemKind, Submission},
    rules::{CRIME_OR_THREAT, Rules},
};

/// What contradicts a ground, by its code; none when nothing does.
pub fn of(ground: &str, submission: &Submission, rules: &Rules) -> Option<&'static str> {
    let asks = |kind| submission.items.iter().any(|item| item.kind == kind);
    let (kind, channel, day) = (submission.requester.kind, submission.channel, submission.received_on());
    let (is_so, otherwise) = match ground {
        "ANONYMOUS" => (
            submission.is_anonymous(),
            "its author, signature or postal address is known",
        ),
        // Whether words have any sense is for an official; who names items too has said what he asks for.
        "WITHOUT_ESSENCE" => (
            submission.essence.is_empty() || submission.items.is_empty(),
            "it says what it is about, and names what it asks for",
        ),
        CRIME_OR_THREAT => (
            submission.is_to_be_forwarded(),
            "its author, signature or postal address is known, or it is not marked as reporting a crime or a threat",
        ),
        "ORAL" => (channel == Channel::Oral, "it did not come by word of mouth"),
        "OTHER_CHANNEL" => (
            !rules.channel(kind, channel, day).is_some_and(|rule| rule.allowed),
            "its channel is open to its requester",
        ),
        "DOCUMENT_COPIES" => (
            asks(ItemKind::AccountingDocumentCopy),
            "no item of it asks for copies of accounting documents",
        ),
        "PRIMARY_ACCOUNTING" => (
            asks(ItemKind::PrimaryAccountingForm),
            "no item of it asks for documents or forms of primary accounting",
        ),
        _ => return None,
    };
    (!is_so).then_some(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        register,
        samples::{item, submission},
    };

    #[test]
    fn a_ground_of_facts_holds_only_where_they_are_so() {
        let rules = register::embedded().expect("the registers are readable");
        type Make = fn(&mut Submission);
        let cases: [(&str, Make); 7] = [
            ("ANONYMOUS", |one| {
                (one.requester.full_name, one.requester.postal_address) = (String::new(), String::new());
            }),
            ("CRIME_OR_THREAT", |one| {
                (one.requester.full_name, one.requester.postal_address) = (String::new(), String::new());
                one.reports_crime_or_threat = true;
            }),
            ("WITHOUT_ESSENCE", |one| one.essence.clear()),
            ("ORAL", |one| one.channel = Channel::Oral),
            ("OTHER_CHANNEL", |one| one.channel = Channel::Email),
            ("DOCUMENT_COPIES", |one| {
                one.items.push(item(ItemKind::AccountingDocumentCopy))
            }),
            ("PRIMARY_ACCOUNTING", |one| {
                one.items.push(item(ItemKind::PrimaryAccountingForm))
            }),
        ];
        for (ground, make_so) in cases {
            let mut request = submission();
            assert!(of(ground, &request, &rules).is_some(), "{ground}");
            make_so(&mut request);
            assert_eq!(of(ground, &request, &rules), None, "{ground}");
        }
        for judged in [
            "REPEATED",
            "OPENLY_AVAILABLE",
            "RESTRICTED",
            "OUTSIDE_INDICATORS",
            "SECRET",
        ] {
            assert_eq!(of(judged, &submission(), &rules), None, "{judged}");
        }
    }
}
