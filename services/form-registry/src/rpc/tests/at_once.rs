//! What two do to one edition at the same time: it stands as if one had come after the other, and the later is told.

use std::fmt::Write as _;

use legalstat_kit::door::wire::sha256;
use legalstat_proto::forms::v1::{Channel as Place, EditionState};

use super::{
    imports::{import, row, with_registers},
    *,
};

const NOW: &str = "2026-01-20T05:00:00Z";
/// How often each pair meets: which of the two is first is left to chance.
const MONTHS: std::ops::RangeInclusive<i32> = 1..=12;

fn month(number: i32) -> String {
    format!("forms/1/editions/2025-M{number:02}")
}

fn called(name: &str, filename: &str) -> UploadEditionFileHeader {
    UploadEditionFileHeader {
        filename: filename.into(),
        ..header(name)
    }
}

/// The hash over the files that are shown, written as the contract tells anyone to.
fn hash_of_what_is_shown(edition: &Edition, figures: &str) -> String {
    let mut lines = format!(
        "legalstat-content/1\nedition:{}\nrevision:{}\n",
        edition.name, edition.revision
    );
    for file in &edition.files {
        let (digest, size, name) = (&file.sha256, file.size_bytes, &file.filename);
        writeln!(lines, "file:{digest} {size} text/csv - open {name}").expect("it is in memory");
    }
    writeln!(lines, "figures:{figures}").expect("it is in memory");
    hex::encode(sha256(lines.as_bytes()))
}

fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> Option<String> {
    let status = answer.err()?;
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_error_details();
    let reason = details.error_info().expect("it has a reason").reason.clone();
    Some(reason.trim_start_matches("ERROR_REASON_").to_owned())
}

/// A placed edition.
async fn placed(registry: &Registry, name: &str) {
    let mut operator = registry.operator();
    upload(&mut operator, &header(name), b"a").await.expect("it is taken");
    seal(&mut operator, name).await;
    let placed = place(&mut operator, &placing(name, Place::InformationService)).await;
    placed.expect("it is placed");
}

#[tokio::test]
async fn a_file_that_comes_while_an_edition_is_sealed_is_in_its_hash_or_refused() {
    let registry = Registry::at(NOW).await;
    for number in MONTHS {
        let name = month(number);
        let (mut one, mut other) = (registry.operator(), registry.operator());
        upload(&mut one, &called(&name, "a.csv"), b"a")
            .await
            .expect("it is taken");
        let second = called(&name, "b.csv");
        let (uploaded, sealed) = tokio::join!(upload(&mut one, &second, b"b"), try_seal(&mut other, &name));
        let sealed = sealed.expect("it is sealed");
        let shown = get(&mut one, &name).await;
        let expected = if uploaded.is_ok() { 2 } else { 1 };
        assert_eq!((shown.files.len(), sealed.files.len()), (expected, expected));
        assert!(matches!(reason(uploaded).as_deref(), None | Some("WRONG_STATE")));
        assert_eq!(sealed.content_sha256, hash_of_what_is_shown(&shown, "none"));
        assert_eq!(shown.content_sha256, sealed.content_sha256);
    }
}

#[tokio::test]
async fn figures_that_come_while_an_edition_is_sealed_are_in_its_hash_or_refused() {
    let registry = with_registers(&[]).await;
    for number in 1..=6 {
        let name = month(number);
        let (mut one, mut other) = (registry.operator(), registry.operator());
        upload(&mut one, &header(&name), b"a").await.expect("it is taken");
        let rows = |value: &str| vec![row("crimes", "7501", "F", value)];
        let first = import(&mut one, &name, rows("1")).await.expect("it is imported");
        let (imported, sealed) = tokio::join!(import(&mut one, &name, rows("2")), try_seal(&mut other, &name));
        let sealed = sealed.expect("it is sealed");
        let figures = imported.as_ref().map_or(&first.sha256, |imported| &imported.sha256);
        assert_eq!(sealed.content_sha256, hash_of_what_is_shown(&sealed, figures));
        assert!(matches!(
            reason(imported.clone()).as_deref(),
            None | Some("WRONG_STATE")
        ));
    }
}

#[tokio::test]
async fn of_two_corrections_one_begins_and_of_two_withdrawals_one_is_recorded() {
    let registry = Registry::at(NOW).await;
    let (mut one, mut other) = (registry.operator(), registry.operator());
    for number in 1..=4 {
        let name = month(number);
        placed(&registry, &name).await;
        let (first, second) = tokio::join!(
            try_correct(&mut one, &name, "a sum was wrong"),
            try_correct(&mut other, &name, "a name was wrong")
        );
        let mut refused: Vec<_> = [first, second].into_iter().filter_map(reason).collect();
        assert_eq!(refused.pop().as_deref(), Some("WRONG_STATE"), "one comes too late");
        assert!(refused.is_empty());
        let revisions = get(&mut one, &name).await.revisions;
        assert_eq!(
            revisions.iter().map(|revision| revision.number).collect::<Vec<_>>(),
            [1, 2]
        );
        let (first, second) = tokio::join!(
            try_withdraw(&mut one, &name, "it named persons"),
            try_withdraw(&mut other, &name, "it was wrong")
        );
        assert!(first.is_ok() || second.is_ok());
        let recorded = registry
            .count(&format!("withdrawal WHERE period = '2025-M{number:02}'"))
            .await;
        assert_eq!(recorded, 1);
    }
}

#[tokio::test]
async fn what_is_withdrawn_while_it_is_placed_elsewhere_is_withdrawn_everywhere() {
    let registry = Registry::at(NOW).await;
    let (mut one, mut other) = (registry.operator(), registry.operator());
    for number in MONTHS {
        let name = month(number);
        placed(&registry, &name).await;
        let elsewhere = placing(&name, Place::OfficialWebsite);
        let (withdrawn, placed) = tokio::join!(
            try_withdraw(&mut one, &name, "it named persons"),
            place(&mut other, &elsewhere)
        );
        assert_eq!(withdrawn.expect("it is withdrawn").state(), EditionState::Withdrawn);
        assert!(matches!(reason(placed).as_deref(), None | Some("EDITION_WITHDRAWN")));
        let gone = download(&mut registry.client(None), &name).await;
        refused(gone, Code::FailedPrecondition, "EDITION_WITHDRAWN");
    }
}

#[tokio::test]
async fn of_two_files_of_one_name_the_later_counts_and_both_are_kept() {
    let registry = Registry::at(NOW).await;
    let (mut one, mut other) = (registry.operator(), registry.operator());
    for number in MONTHS {
        let name = month(number);
        let (first, second) = (header(&name), header(&name));
        let (first, second) = tokio::join!(upload(&mut one, &first, b"one"), upload(&mut other, &second, b"two"));
        first.expect("it is taken");
        second.expect("it is taken");
        let stored = format!("edition_file WHERE period = '2025-M{number:02}'");
        assert_eq!(registry.count(&stored).await, 2);
        assert_eq!(registry.count(&format!("{stored} AND removed_at IS NULL")).await, 1);
        assert_eq!(get(&mut one, &name).await.files.len(), 1);
    }
}
