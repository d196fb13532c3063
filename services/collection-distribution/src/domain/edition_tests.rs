use super::{super::content::tests::file, *};

const LIMIT: u64 = 1_000;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn recall() -> Recall {
    Recall {
        done: Done {
            at: instant("2025-04-03T04:00:00Z"),
            by: "head".into(),
        },
        reason: "a table is wrong".into(),
    }
}

/// All 33 copies.
const WHOLE: Issue = Issue {
    copies: 33,
    total: 33,
    is_whole: true,
};

fn edition(state: EditionState) -> Edition {
    let done = |by: &str| Done {
        at: instant("2025-04-03T04:00:00Z"),
        by: by.into(),
    };
    let sealed = !matches!(state, EditionState::Scheduled | EditionState::Prepared);
    let released = matches!(state, EditionState::Released | EditionState::Recalled);
    Edition {
        revision: 1,
        key: "collections/crime/editions/2025-Q1".parse().expect("a name"),
        state,
        due: DueDate {
            date: "2025-04-14".parse().expect("a day"),
            time: instant("2025-04-14T19:00:00Z"),
            provisional: false,
            assumed: true,
            calendar_version: "1".into(),
        },
        files: (state != EditionState::Scheduled)
            .then(|| file("crime.pdf", 1))
            .into_iter()
            .collect(),
        official_use: None,
        embargo_until: None,
        sealed: sealed.then(|| done("operator-2")),
        partly_released: (state == EditionState::PartlyReleased).then(|| done("approver")),
        released: released.then(|| done("approver")),
        recalled: (state == EditionState::Recalled).then(recall),
        copies_issued: 0,
        copies_total: 0,
    }
}

#[test]
fn content_is_taken_once_the_period_is_over_in_almaty_and_until_the_seal() {
    let (before, after) = (instant("2025-03-31T18:59:59Z"), instant("2025-03-31T19:00:00Z"));
    for state in [EditionState::Scheduled, EditionState::Prepared] {
        assert_eq!(edition(state).accepts_content(before), Err(Obstacle::PeriodNotEnded));
        assert_eq!(edition(state).accepts_content(after), Ok(()));
    }
    assert_eq!(
        edition(EditionState::Sealed).accepts_content(after),
        Err(Obstacle::AlreadySealed)
    );
    assert_eq!(
        edition(EditionState::Released).accepts_content(after),
        Err(Obstacle::AlreadyReleased)
    );
}

#[test]
fn a_file_is_added_replaced_and_taken_out_until_the_seal_and_one_always_stays() {
    let prepared = edition(EditionState::Prepared);
    let first = edition(EditionState::Scheduled).prepare(file("crime.pdf", 1), LIMIT);
    assert_eq!(first, Ok(prepared.clone()));
    let several = prepared
        .clone()
        .prepare(file("crime.xlsx", 1), LIMIT)
        .expect("there is room");
    assert_eq!(several.files.len(), 2);
    assert_eq!(several.clone().without_file("crime.xlsx"), Ok(prepared.clone()));
    assert_eq!(several.without_file("other"), Err(Obstacle::NoSuchFile));
    assert_eq!(prepared.without_file("crime.pdf"), Err(Obstacle::OnlyFile));
    let sealed = edition(EditionState::Sealed);
    assert_eq!(sealed.without_file("crime.pdf"), Err(Obstacle::AlreadySealed));
    let empty = edition(EditionState::Scheduled);
    assert_eq!(empty.without_file("crime.pdf"), Err(Obstacle::ContentMissing));
    let large = edition(EditionState::Prepared).prepare(file("large.pdf", 40), 10);
    assert_eq!(large, Err(Obstacle::NoRoom(NoRoom::TooLarge(40))));
}

#[test]
fn an_embargo_ends_ahead_and_before_the_due_date_unless_that_is_over_and_refuses_the_release_until_then() {
    let until = |until: &str, now: &str| {
        let prepared = edition(EditionState::Prepared);
        prepared.embargo(Some(instant(until)), instant(now))
    };
    let (before, due, after) = ("2025-04-10T05:00:00Z", "2025-04-14T19:00:00Z", "2025-04-20T00:00:00Z");
    assert_eq!(until(before, before), Err(Obstacle::EmbargoPassed));
    assert_eq!(until(due, before), Err(Obstacle::EmbargoMakesLate));
    assert!(until("2025-04-14T18:59:59Z", before).is_ok());
    assert!(until(after, due).is_ok());
    let sealed = edition(EditionState::Sealed);
    assert_eq!(sealed.embargo(None, instant(before)), Err(Obstacle::AlreadySealed));

    let embargoed = Edition {
        embargo_until: Some(instant(before)),
        ..edition(EditionState::Sealed)
    };
    let release = |at: &str| {
        let (at, by) = (instant(at), "approver".to_owned());
        embargoed.clone().release(WHOLE, Done { at, by })
    };
    let too_early = Err(Obstacle::Embargoed(instant(before)));
    assert_eq!(release("2025-04-10T04:59:59.999999Z"), too_early);
    assert!(release(before).is_ok());
}

#[test]
fn the_copies_of_a_marking_are_those_of_the_distribution() {
    let marked = |copies| {
        let official_use = Some(OfficialUse {
            copies,
            reason: "personal data".into(),
            expires_on: None,
        });
        let marked = edition(EditionState::Prepared)
            .mark(official_use)
            .expect("it is prepared");
        let done = edition(EditionState::Sealed).sealed.expect("it is sealed");
        let sealed = marked.seal(&[7; 32], done.clone()).expect("it is prepared");
        let by = "approver".to_owned();
        sealed.release(WHOLE, Done { by, ..done })
    };
    let differ = Obstacle::MarkedCopies { marked: 32, total: 33 };
    assert_eq!(marked(32), Err(differ));
    assert_eq!(marked(33).map(|released| released.copies_issued), Ok(33));
    let sealed = edition(EditionState::Sealed);
    assert_eq!(sealed.mark(None), Err(Obstacle::AlreadySealed));
    let recalled = edition(EditionState::Recalled);
    assert_eq!(recalled.mark(None), Err(Obstacle::Recalled));
}

#[test]
fn only_the_content_that_was_seen_is_sealed_and_only_once() {
    let seal = edition(EditionState::Sealed).sealed.expect("it is sealed");
    let sealing = |state, sha256: [u8; 32]| edition(state).seal(&sha256, seal.clone());
    assert_eq!(sealing(EditionState::Scheduled, [7; 32]), Err(Obstacle::ContentMissing));
    assert_eq!(sealing(EditionState::Prepared, [8; 32]), Err(Obstacle::OtherContent));
    assert_eq!(
        sealing(EditionState::Prepared, [7; 32]),
        Ok(edition(EditionState::Sealed))
    );
    assert_eq!(sealing(EditionState::Sealed, [7; 32]), Err(Obstacle::AlreadySealed));
    assert_eq!(sealing(EditionState::Released, [7; 32]), Err(Obstacle::AlreadyReleased));
}

#[test]
fn a_sealed_edition_is_released_by_a_person_who_did_not_prepare_it() {
    let releasing = |state, person: &str| {
        let (at, by) = (instant("2025-04-03T04:00:00Z"), person.to_owned());
        edition(state).release(WHOLE, Done { at, by })
    };
    let released = Edition {
        copies_issued: 33,
        copies_total: 33,
        ..edition(EditionState::Released)
    };
    assert_eq!(
        releasing(EditionState::Scheduled, "approver"),
        Err(Obstacle::ContentMissing)
    );
    assert_eq!(releasing(EditionState::Prepared, "approver"), Err(Obstacle::NotSealed));
    assert_eq!(releasing(EditionState::Sealed, "operator-1"), Err(Obstacle::SamePerson));
    assert_eq!(releasing(EditionState::Sealed, "operator-2"), Err(Obstacle::SamePerson));
    assert_eq!(releasing(EditionState::Sealed, "approver"), Ok(released));
    assert_eq!(
        releasing(EditionState::Released, "approver"),
        Err(Obstacle::AlreadyReleased)
    );
}

#[test]
fn the_rest_follows_a_part_and_both_releases_stay_known() {
    let done = |by: &str| Done {
        at: instant("2025-04-03T04:00:00Z"),
        by: by.into(),
    };
    let part = Issue {
        copies: 20,
        total: 33,
        is_whole: false,
    };
    let partly = edition(EditionState::Sealed).release(part, done("approver"));
    let partly = partly.expect("it is sealed");
    assert_eq!((partly.state, partly.copies_issued), (EditionState::PartlyReleased, 20));
    assert_eq!(partly.released, None, "it is not released yet");
    let same = partly.clone().release(part, done("operator-2"));
    assert_eq!(same, Err(Obstacle::SamePerson));
    let rest = Issue { copies: 13, ..WHOLE };
    let whole = partly.release(rest, done("approver-2")).expect("the rest follows");
    assert_eq!((whole.state, whole.copies_issued), (EditionState::Released, 33));
    assert_eq!(whole.partly_released, Some(done("approver")));
    assert_eq!(whole.released, Some(done("approver-2")));
}

#[test]
fn what_was_released_is_recalled_once_and_stays_so_until_its_replacement_is_released() {
    for state in [EditionState::Scheduled, EditionState::Prepared, EditionState::Sealed] {
        assert_eq!(edition(state).recall(recall()), Err(Obstacle::NotReleased));
    }
    assert_eq!(
        edition(EditionState::Recalled).recall(recall()),
        Err(Obstacle::Recalled)
    );
    assert!(edition(EditionState::PartlyReleased).recall(recall()).is_ok());
    let recalled = edition(EditionState::Released)
        .recall(recall())
        .expect("it was released");
    assert_eq!(recalled, edition(EditionState::Recalled));
    let seal = recalled.sealed.clone().expect("it was sealed");
    let approver = Done {
        by: "approver".into(),
        ..seal.clone()
    };
    let released = recalled.clone().release(WHOLE, approver.clone());
    assert_eq!(released, Err(Obstacle::Recalled));
    assert_eq!(recalled.clone().seal(&[7; 32], seal.clone()), Err(Obstacle::Recalled));

    let marked = Edition {
        official_use: Some(OfficialUse {
            copies: 33,
            reason: "personal data".into(),
            expires_on: None,
        }),
        embargo_until: Some(instant("2025-04-02T00:00:00Z")),
        ..recalled
    };
    let replacement = marked.prepare(file("crime.pdf", 1), LIMIT).expect("it is taken");
    let expected = Edition {
        revision: 2,
        ..edition(EditionState::Prepared)
    };
    assert_eq!(replacement, expected);
    let sealed = replacement.clone().seal(&[7; 32], seal).expect("it is prepared");
    assert_eq!(
        (replacement.standing(), sealed.standing()),
        (EditionState::Recalled, EditionState::Recalled)
    );
    assert!(!sealed.is_out());
    let released = sealed.release(WHOLE, approver).expect("it is sealed");
    assert_eq!((released.standing(), released.revision), (EditionState::Released, 2));
}
