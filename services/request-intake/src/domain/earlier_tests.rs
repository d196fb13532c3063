use super::*;
use crate::domain::request::{Channel, ExternalDocument, ItemKind, Language, Requester, RequesterKind, Submission};
use jiff::civil::date;

fn item(words: &str) -> Item {
    Item {
        kind: ItemKind::Statistics,
        description: words.into(),
        unit: Some(Unit::Crime),
        period: Some("2025-Q1".parse().expect("a period")),
        until_period: None,
        form: Some("forms/1".into()),
        indicator: None,
        detail: None,
        territories: vec!["75".into(), "71".into()],
    }
}

fn submission() -> Submission {
    Submission {
        requester: Requester {
            kind: RequesterKind::StateBody,
            full_name: "Ministry of Justice".into(),
            bin: Some("160340014245".into()),
            iin: None,
            postal_address: String::new(),
        },
        signatory: None,
        channel: Channel::UnifiedEdms,
        external: Some(ExternalDocument {
            number: "12-3/45 М".into(),
            date: Some(date(2026, 2, 27)),
        }),
        addressee: String::new(),
        receiving_body: None,
        essence: "crimes".into(),
        language: Language::Ru,
        items: vec![item("registered crimes"), item("persons")],
        reports_crime_or_threat: false,
        attachments: Vec::new(),
        sent_at: None,
        received_at: "2026-03-02T10:00:00+05:00".parse().expect("an instant"),
    }
}

fn changed(change: impl Fn(&mut Submission)) -> Submission {
    let mut changed = submission();
    change(&mut changed);
    changed
}

#[test]
fn the_same_is_asked_however_it_is_put() {
    let same: [fn(&mut Submission); 8] = [
        |request| request.items.reverse(),
        |request| request.items.push(item("Registered Crimes")),
        |request| request.items[0].description = "REGISTERED  crimes".into(),
        |request| request.items[0].territories.reverse(),
        |request| request.items[0].until_period = request.items[0].period,
        |request| request.requester.full_name = "The Ministry".into(),
        |request| request.essence = "something else".into(),
        |request| request.external = None,
    ];
    for (place, change) in same.into_iter().enumerate() {
        assert_eq!(asked(&changed(change)), asked(&submission()), "{place}");
    }
    let other: [fn(&mut Submission); 8] = [
        |request| request.requester.bin = None,
        |request| request.items[0].unit = None,
        |request| request.items[0].period = None,
        |request| request.items[0].until_period = Some("2025-Q2".parse().expect("a period")),
        |request| request.items[0].form = None,
        |request| request.items[0].indicator = Some("forms/1/indicators/a".into()),
        |request| request.items[0].territories.clear(),
        |request| request.items[0].kind = ItemKind::AccountingDocumentCopy,
    ];
    for (place, change) in other.into_iter().enumerate() {
        assert_ne!(asked(&changed(change)), asked(&submission()), "{place}");
    }
    assert_eq!(asked(&changed(|request| request.items.clear())), None);
    let nobody = changed(|request| {
        request.requester.bin = None;
        request.requester.full_name.clear();
    });
    assert_eq!(asked(&nobody), None);
}

#[test]
fn what_an_item_names_counts_and_not_how_it_is_described() {
    let named = |words: &str, form: Option<&str>| {
        changed(|request| {
            request.items = vec![Item {
                indicator: Some("forms/1/indicators/a".into()),
                form: form.map(str::to_owned),
                ..item(words)
            }];
        })
    };
    assert_eq!(
        asked(&named("crimes", Some("forms/1"))),
        asked(&named("other words", None))
    );
}

#[test]
fn a_document_is_known_by_number_date_and_requester() {
    let of = |change: fn(&mut Submission)| document(&changed(change)).expect("it has one");
    let document = document(&submission()).expect("it has one");
    for same in [
        of(|request| request.external.as_mut().expect("it has one").number = "12 3/45-m".into()),
        of(|request| request.requester.full_name = "The Ministry".into()),
        of(|request| (request.requester.bin, request.items) = (None, Vec::new())),
    ] {
        assert!(document.is_like(&same) && same.is_like(&document), "{same:?}");
    }
    for other in [
        of(|request| request.external.as_mut().expect("it has one").number = "12-3/46 М".into()),
        of(|request| request.external.as_mut().expect("it has one").date = Some(date(2025, 2, 27))),
        of(|request| request.requester.bin = Some("940740000911".into())),
        of(|request| {
            request.requester.bin = None;
            request.requester.full_name = "Another".into();
        }),
    ] {
        assert!(!document.is_like(&other), "{other:?}");
    }
    for none in [
        changed(|request| request.external = None),
        changed(|request| request.external.as_mut().expect("it has one").date = None),
        changed(|request| request.external.as_mut().expect("it has one").number = "-".into()),
    ] {
        assert_eq!(super::document(&none), None);
    }
}
