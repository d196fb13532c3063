use legalstat_kit::{call::Done, due::DueDate, files::Content, law::LegalBasis};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    edition::{Channel, Figures, Placing},
    embargo::Reader,
    form::Form,
    register,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_738_000_000 + second).expect("an instant")
}

fn done() -> Done {
    Done {
        at: "2025-02-03T00:00:00Z".parse().expect("an instant"),
        by: "operator".into(),
    }
}

fn file(filename: &str, restricted: bool) -> EditionFile {
    EditionFile {
        content: Content {
            filename: filename.into(),
            content_type: "text/csv".into(),
            size_bytes: 1,
            sha256: legalstat_kit::door::wire::sha256(filename.as_bytes()).to_vec(),
            uploaded: done(),
        },
        language: String::new(),
        restricted,
    }
}

fn form() -> Form {
    register::appendix_2().expect("the register is readable").swap_remove(0)
}

fn scheduled() -> Edition {
    Edition {
        key: "forms/1/editions/2025-M01".parse().expect("a name"),
        state: EditionState::Scheduled,
        due: DueDate {
            date: "2025-02-05".parse().expect("a day"),
            time: "2025-02-05T19:00:00Z".parse().expect("an instant"),
            provisional: false,
            assumed: true,
            calendar_version: "1".into(),
        },
        met_at: None,
        is_not_kept: false,
        effective: None,
        revisions: Vec::new(),
        placements: Vec::new(),
        embargo: None,
    }
}

fn sealed(filename: &str) -> Edition {
    let prepared = scheduled().with_file(file(filename, false)).expect("it is taken");
    prepared.seal(Figures::default(), done()).expect("it is sealed")
}

fn place(edition: Edition) -> Edition {
    let placing = Placing {
        channel: Channel::InformationService,
        revision: None,
        address: String::new(),
        on_open_data_list: false,
        form: form(),
    };
    edition.place(placing, done()).expect("it is placed")
}

/// Placed, and its correction sealed.
fn corrected() -> Edition {
    let begun = place(sealed("one.csv"))
        .correct("why".into(), done())
        .expect("it is begun");
    let prepared = begun.with_file(file("two.csv", false)).expect("it is taken");
    prepared.seal(Figures::default(), done()).expect("it is sealed")
}

fn embargo(until: Timestamp) -> Embargo {
    let reader = Reader {
        caller: "supreme-court".into(),
        legal_basis: LegalBasis::instruction("para 16"),
    };
    Embargo {
        until,
        reason: "a press conference".into(),
        readers: vec![reader],
    }
}

fn asker(name: &str, rank: Rank) -> Asker<'_> {
    Asker { name, rank }
}

const EVERYONE: [(&str, Rank); 5] = [
    ("operator", Rank::Preparer),
    ("auditor", Rank::Official),
    ("supreme-court", Rank::Other),
    ("anonymous", Rank::Other),
    ("request-intake", Rank::Answering),
];

#[test]
fn before_its_instant_an_embargo_holds_for_all_but_preparers_and_its_readers() {
    let embargo = embargo(at(100));
    let views = |embargo: Option<&Embargo>, now| EVERYONE.map(|(name, rank)| view(embargo, &asker(name, rank), now));
    use View::{Dates, Early, Everything, Open, Sealed};
    for second in [0, 99] {
        assert_eq!(
            views(Some(&embargo), at(second)),
            [Everything, Dates, Early, Dates, Dates],
            "{second}"
        );
    }
    let open = [Everything, Everything, Open, Open, Sealed];
    assert_eq!(views(Some(&embargo), at(100)), open);
    assert_eq!(views(None, at(0)), open);
}

fn readable_name(edition: &Edition, seen: View, wanted: &Wanted) -> Result<String, Obstacle> {
    let edition = shown(edition.clone(), seen);
    readable(&edition, seen, wanted).map(|file| file.content.filename.clone())
}

fn of_revision(number: i32) -> Wanted {
    Wanted {
        revision: Some(number),
        ..Wanted::default()
    }
}

#[test]
fn what_is_not_placed_is_for_officials() {
    let wanted = Wanted::default();
    for (edition, everyone, officials) in [
        (scheduled(), Err(Obstacle::NotPlaced), Err(Obstacle::ContentMissing)),
        (sealed("one.csv"), Err(Obstacle::NotPlaced), Ok("one.csv".to_owned())),
        (
            place(sealed("one.csv")),
            Ok("one.csv".to_owned()),
            Ok("one.csv".to_owned()),
        ),
    ] {
        assert_eq!(readable_name(&edition, View::Open, &wanted), everyone);
        assert_eq!(readable_name(&edition, View::Everything, &wanted), officials);
    }
}

#[test]
fn the_placed_revision_is_served_until_its_correction_is_placed_and_can_be_named_ever_after() {
    let corrected = corrected();
    for seen in [View::Open, View::Everything] {
        assert_eq!(
            readable_name(&corrected, seen, &Wanted::default()).as_deref(),
            Ok("one.csv")
        );
    }
    assert_eq!(
        readable_name(&corrected, View::Open, &of_revision(2)),
        Err(Obstacle::NoSuchRevision(2))
    );
    assert_eq!(
        readable_name(&corrected, View::Everything, &of_revision(2)).as_deref(),
        Ok("two.csv")
    );
    let replaced = place(corrected);
    assert_eq!(
        readable_name(&replaced, View::Open, &Wanted::default()).as_deref(),
        Ok("two.csv")
    );
    assert_eq!(
        readable_name(&replaced, View::Open, &of_revision(1)).as_deref(),
        Ok("one.csv")
    );
    assert_eq!(
        readable_name(&replaced, View::Open, &of_revision(3)),
        Err(Obstacle::NoSuchRevision(3))
    );
}

#[test]
fn what_is_withdrawn_is_for_officials_and_everyone_is_told_why() {
    let withdrawn = place(corrected())
        .withdraw("a mistake", &done())
        .expect("it is withdrawn");
    for wanted in [Wanted::default(), of_revision(1), of_revision(2)] {
        assert_eq!(readable_name(&withdrawn, View::Open, &wanted), Err(Obstacle::Withdrawn));
        assert!(readable_name(&withdrawn, View::Everything, &wanted).is_ok());
    }
    let seen = shown(withdrawn, View::Open);
    assert_eq!(seen.state, EditionState::Withdrawn);
    let reasons: Vec<&str> = seen
        .revisions
        .iter()
        .filter_map(|revision| revision.withdrawal.as_ref())
        .map(|withdrawal| withdrawal.reason.as_str())
        .collect();
    assert_eq!(reasons, ["a mistake", "a mistake"]);
}

#[test]
fn a_file_is_found_by_name_or_digest_and_must_be_told_apart() {
    let edition = scheduled().with_file(file("a.csv", false)).expect("it is taken");
    let edition = edition.with_file(file("b.csv", false)).expect("it is taken");
    let edition = place(edition.seal(Figures::default(), done()).expect("it is sealed"));
    let by = |filename: Option<&str>, of: Option<&str>| Wanted {
        filename: filename.map(str::to_owned),
        sha256: of.map(|of| legalstat_kit::door::wire::sha256(of.as_bytes())),
        revision: None,
    };
    for (wanted, expected) in [
        (by(None, None), Err(Obstacle::SeveralFiles)),
        (by(Some("b.csv"), None), Ok("b.csv")),
        (by(None, Some("b.csv")), Ok("b.csv")),
        (
            by(Some("a.csv"), Some("b.csv")),
            Err(Obstacle::NoSuchFile("a.csv".into())),
        ),
        (by(Some("c.csv"), None), Err(Obstacle::NoSuchFile("c.csv".into()))),
    ] {
        let found = readable_name(&edition, View::Open, &wanted);
        assert_eq!(found, expected.map(str::to_owned), "{wanted:?}");
    }
}

#[test]
fn a_reader_named_sees_what_is_sealed_and_open_and_no_more() {
    let wanted = Wanted::default();
    let prepared = scheduled().with_file(file("one.csv", false)).expect("it is taken");
    assert_eq!(readable_name(&prepared, View::Early, &wanted), Err(Obstacle::NotPlaced));
    assert_eq!(
        readable_name(&sealed("one.csv"), View::Early, &wanted).as_deref(),
        Ok("one.csv")
    );
    let secret = prepared
        .with_file(file("two.csv", true))
        .and_then(|edition| edition.seal(Figures::default(), done()));
    let secret = secret.expect("it is sealed");
    assert_eq!(readable_name(&secret, View::Early, &wanted), Err(Obstacle::NotPlaced));
}

#[test]
fn persons_are_named_to_officials_alone() {
    let edition = place(sealed("one.csv"));
    assert_eq!(edition.placements[0].placed.by, "operator");
    for seen in [View::Open, View::Early] {
        let edition = shown(edition.clone(), seen);
        let revision = &edition.revisions[0];
        let sealed_by = revision.seal.as_ref().map(|seal| seal.sealed.by.as_str());
        assert_eq!((revision.prepared.by.as_str(), sealed_by), ("", Some("")));
        assert_eq!(edition.placements[0].placed.by, "");
    }
}

fn any_edition() -> impl Strategy<Value = Edition> {
    prop_oneof![
        Just(scheduled()),
        Just(sealed("one.csv")),
        Just(place(sealed("one.csv"))),
        Just(corrected()),
        Just(place(corrected())),
        Just(place(corrected()).withdraw("why", &done()).expect("it is withdrawn")),
        Just(
            scheduled()
                .declare_nil("why".into(), false, done())
                .expect("it is declared")
        ),
    ]
}

proptest! {
    #[test]
    fn under_an_embargo_every_edition_looks_the_same_whatever_is_asked(
        edition in any_edition(), revision in prop::option::of(0..4), filename in prop::option::of("(one|two|x)\\.csv"),
        digest in prop::option::of("(one|two)\\.csv"),
    ) {
        let mut edition = edition;
        edition.embargo = Some(embargo(at(100)));
        let seen = shown(edition, View::Dates);
        prop_assert_eq!(&seen, &scheduled());
        let sha256 = digest.map(|of| legalstat_kit::door::wire::sha256(of.as_bytes()));
        let wanted = Wanted { filename, revision, sha256 };
        prop_assert_eq!(readable(&seen, View::Dates, &wanted), Err(Obstacle::Embargoed));
    }

    #[test]
    fn nothing_restricted_is_read_by_anyone_but_officials(edition in any_edition(), seen in 0..3_usize) {
        let mut edition = edition;
        for revision in &mut edition.revisions {
            revision.files.iter_mut().for_each(|file| file.restricted = true);
        }
        let view = [View::Open, View::Early, View::Dates][seen];
        for number in [None, Some(1), Some(2)] {
            let wanted = Wanted { revision: number, ..Wanted::default() };
            prop_assert!(readable_name(&edition, view, &wanted).is_err());
        }
    }
}
