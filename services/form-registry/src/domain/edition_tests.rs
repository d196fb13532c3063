use legalstat_kit::{door::word::Word as _, files::Content};
use proptest::prelude::*;

use super::*;
use crate::domain::register;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn done(at: &str) -> Done {
    let (at, by) = (instant(at), "operator".into());
    Done { at, by }
}

/// The day after the period, before the due date.
const NOW: &str = "2025-01-02T04:00:00Z";

fn file(filename: &str) -> EditionFile {
    EditionFile {
        content: Content {
            filename: filename.into(),
            content_type: "text/csv".into(),
            size_bytes: 1,
            sha256: vec![0; 32],
            uploaded: done(NOW),
        },
        language: String::new(),
        restricted: false,
    }
}

fn form() -> Form {
    register::appendix_2().expect("the register is readable").swap_remove(0)
}

pub(super) fn scheduled() -> Edition {
    Edition {
        key: "forms/1/editions/2024-M12".parse().expect("a name"),
        state: EditionState::Scheduled,
        due: DueDate {
            date: "2025-01-05".parse().expect("a day"),
            time: instant("2025-01-05T19:00:00Z"),
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

fn prepared() -> Edition {
    scheduled().with_file(file("a.csv")).expect("it is taken")
}

fn sealed() -> Edition {
    prepared().seal(Figures::default(), done(NOW)).expect("it is sealed")
}

fn placing(channel: Channel) -> Placing {
    Placing {
        channel,
        revision: None,
        address: String::new(),
        on_open_data_list: false,
        form: form(),
    }
}

const SERVICE: Channel = Channel::InformationService;

fn placed() -> Edition {
    sealed().place(placing(SERVICE), done(NOW)).expect("it is placed")
}

fn corrected() -> Edition {
    placed()
        .correct("a sum was wrong".into(), done(NOW))
        .expect("it is begun")
}

fn named(edition: &Edition) -> Vec<&str> {
    let files = edition.open_revision().into_iter().flat_map(|open| &open.files);
    files.map(|file| file.content.filename.as_str()).collect()
}

/// Placed on these channels one hour after the other, of a form that names those.
fn placed_on(channels: &[Channel], named: &[Channel]) -> Result<Edition, Obstacle> {
    let mut edition = sealed();
    for (hour, channel) in (5..).zip(channels) {
        let mut placing = placing(*channel);
        placing.form.channels = named.to_vec();
        placing.on_open_data_list = true;
        edition = edition.place(placing, done(&format!("2025-01-02T0{hour}:00:00Z")))?;
    }
    Ok(edition)
}

#[test]
fn the_due_date_is_met_once_an_edition_stands_on_every_channel_that_its_form_names() {
    let [website, portal] = [Channel::OfficialWebsite, Channel::OpenDataPortal];
    for (channels, named, met) in [
        (&[SERVICE][..], &[SERVICE, website][..], None),
        (&[SERVICE, website], &[SERVICE, website], Some("2025-01-02T06:00:00Z")),
        (
            &[website, SERVICE, portal],
            &[SERVICE, website],
            Some("2025-01-02T06:00:00Z"),
        ),
        (&[website], &[website], Some("2025-01-02T05:00:00Z")),
        (&[SERVICE], &[SERVICE, portal], Some("2025-01-02T05:00:00Z")),
        (&[portal], &[portal], Some("2025-01-02T05:00:00Z")),
    ] {
        let edition = placed_on(channels, named).expect("it is placed");
        assert_eq!(edition.met_at, met.map(instant), "{channels:?} of {named:?}");
    }
}

#[test]
fn a_channel_where_only_what_was_withdrawn_was_placed_does_not_count() {
    let named = [SERVICE, Channel::OfficialWebsite];
    let edition = placed_on(&[SERVICE], &named)
        .and_then(|edition| edition.withdraw("a mistake", &done(NOW)))
        .and_then(|edition| edition.correct("the right figures".into(), done(NOW)))
        .and_then(|edition| edition.with_file(file("a.csv")))
        .and_then(|edition| edition.seal(Figures::default(), done(NOW)))
        .expect("it is corrected");
    let mut placing = placing(named[1]);
    placing.form.channels = named.to_vec();
    let placed = edition.place(placing, done(NOW)).expect("it is placed");
    assert_eq!(placed.met_at, None, "nothing stands on the service");
}

#[test]
fn what_the_form_does_not_name_stays_off_the_information_service_and_stands_on_the_website_unordered() {
    let website = Channel::OfficialWebsite;
    assert_eq!(placed_on(&[SERVICE], &[website]), Err(Obstacle::ChannelNotOrdered));
    let edition = placed_on(&[website, SERVICE], &[SERVICE]).expect("it is placed");
    let ordered = |channel| edition.placement(channel, 1).map(|placement| placement.ordered);
    assert_eq!((ordered(website), ordered(SERVICE)), (Some(false), Some(true)));
}

#[test]
fn only_the_information_service_counts_for_punctuality_where_the_form_names_nothing_else() {
    let late = instant("2025-01-06T00:00:00Z");
    let website = sealed()
        .place(placing(Channel::OfficialWebsite), done(NOW))
        .expect("it is placed");
    assert_eq!(website.punctuality(late), Punctuality::Overdue);
    let both = website.place(placing(SERVICE), done(NOW)).expect("it is placed");
    assert_eq!(both.punctuality(late), Punctuality::OnTime);
}

#[test]
fn a_period_has_ended_once_its_last_day_is_over_in_almaty() {
    let early = instant("2024-12-31T18:59:59Z");
    assert_eq!(scheduled().accepts_content(early), Err(Obstacle::PeriodNotEnded));
    assert_eq!(scheduled().accepts_content(instant("2024-12-31T19:00:00Z")), Ok(()));
    let early = || done("2024-12-31T18:59:59Z");
    assert_eq!(sealed().place(placing(SERVICE), early()), Err(Obstacle::PeriodNotEnded));
    assert_eq!(
        prepared().seal(Figures::default(), early()),
        Err(Obstacle::PeriodNotEnded)
    );
    assert_eq!(
        scheduled().declare_nil("nothing".into(), false, early()),
        Err(Obstacle::PeriodNotEnded)
    );
}

#[test]
fn a_file_stands_beside_the_others_by_name_and_takes_the_place_of_its_own() {
    let edition = prepared().with_file(file("c.csv")).expect("it is taken");
    let edition = edition.with_file(file("b.csv")).expect("it is taken");
    let mut other = file("c.csv");
    other.content.sha256 = vec![1; 32];
    let edition = edition.with_file(other.clone()).expect("it is taken");
    assert_eq!(named(&edition), ["a.csv", "b.csv", "c.csv"]);
    assert_eq!(edition.revisions[0].files[2], other);
    let edition = edition.without_file("b.csv").expect("it is there");
    assert_eq!(named(&edition), ["a.csv", "c.csv"]);
    assert_eq!(edition.without_file("b.csv"), Err(Obstacle::NoSuchFile("b.csv".into())));
    assert_eq!(
        scheduled().without_file("b.csv"),
        Err(Obstacle::NoSuchFile("b.csv".into()))
    );
    assert_eq!(sealed().without_file("a.csv"), Err(Obstacle::Sealed));
}

#[test]
fn figures_go_from_a_revision_in_preparation_alone() {
    assert_eq!(prepared().figures_can_go(), Ok(1));
    assert_eq!(scheduled().figures_can_go(), Err(Obstacle::NoFigures));
    assert_eq!(sealed().figures_can_go(), Err(Obstacle::Sealed));
    let corrected = sealed().correct("a slip".into(), done(NOW)).expect("it is begun");
    assert_eq!(corrected.figures_can_go(), Ok(2));
}

#[test]
fn sealing_needs_files_or_figures_and_marks_what_is_restricted() {
    let empty = prepared().without_file("a.csv").expect("it is there");
    assert_eq!(
        empty.clone().seal(Figures::default(), done(NOW)),
        Err(Obstacle::ContentMissing)
    );
    let figures = Figures {
        sha256: Some([7; 32]),
        restricted: false,
    };
    let of_figures = empty.seal(figures, done(NOW)).expect("figures are enough");
    let seal = of_figures.revisions[0].seal.as_ref().expect("it is sealed");
    assert_eq!((seal.figures_sha256, seal.restricted), (Some([7; 32]), false));
    let hash = content::sha256(&of_figures.key, 1, &[], Some([7; 32]));
    assert_eq!(seal.content_sha256, hash);

    let secret = Figures {
        restricted: true,
        ..figures
    };
    let restricted_file = EditionFile {
        restricted: true,
        ..file("b.csv")
    };
    for restricted in [
        prepared().seal(secret, done(NOW)),
        prepared()
            .with_file(restricted_file)
            .and_then(|edition| edition.seal(Figures::default(), done(NOW))),
    ] {
        let restricted = restricted.expect("it is sealed");
        assert!(
            restricted.revisions[0]
                .seal
                .as_ref()
                .is_some_and(|seal| seal.restricted)
        );
        for &channel in Channel::ALL {
            let listed = Placing {
                on_open_data_list: true,
                ..placing(channel)
            };
            assert_eq!(
                restricted.clone().place(listed, done(NOW)),
                Err(Obstacle::Restricted),
                "{channel:?}"
            );
        }
    }
}

#[test]
fn only_what_is_sealed_is_placed_and_on_the_open_data_portal_by_the_list() {
    let place = |edition: Edition, channel, on_open_data_list| {
        let placing = Placing {
            on_open_data_list,
            ..placing(channel)
        };
        let placed = edition.place(placing, done(NOW));
        placed.map(|edition| (edition.state, edition.placements.len()))
    };
    let portal = Channel::OpenDataPortal;
    assert_eq!(place(scheduled(), SERVICE, false), Err(Obstacle::ContentMissing));
    assert_eq!(place(prepared(), SERVICE, false), Err(Obstacle::NotSealed));
    assert_eq!(place(sealed(), SERVICE, false), Ok((EditionState::Placed, 1)));
    assert_eq!(place(sealed(), portal, false), Err(Obstacle::NotOnOpenDataList));
    assert_eq!(place(sealed(), portal, true), Ok((EditionState::Placed, 1)));
    for (number, expected) in [(2, Obstacle::NotSealed), (3, Obstacle::NoSuchRevision(3))] {
        let named = Placing {
            revision: Some(number),
            ..placing(Channel::OfficialWebsite)
        };
        assert_eq!(corrected().place(named, done(NOW)), Err(expected));
    }
}

#[test]
fn a_correction_is_linked_and_changes_nothing_of_what_is_placed_until_it_is_placed() {
    let corrected = corrected();
    assert_eq!((corrected.state, corrected.effective), (EditionState::Placed, Some(1)));
    assert_eq!(corrected.revisions[0], placed().revisions[0]);
    assert_eq!(
        (corrected.revisions[1].number, corrected.revisions[1].replaces()),
        (2, Some(1))
    );
    assert_eq!(corrected.revisions[1].reason, "a sum was wrong");
    assert_eq!(corrected.shown_revision().map(|shown| shown.number), Some(1));
    let sealed = corrected
        .with_file(file("a.csv"))
        .and_then(|edition| edition.seal(Figures::default(), done(NOW)));
    let sealed = sealed.expect("it is sealed");
    assert_eq!((sealed.state, sealed.effective), (EditionState::Placed, Some(1)));
    let late = done("2025-03-06T00:00:00Z");
    let replaced = sealed.place(placing(SERVICE), late.clone()).expect("it is placed");
    assert_eq!((replaced.state, replaced.effective), (EditionState::Placed, Some(2)));
    let lateness: Vec<_> = replaced
        .placements
        .iter()
        .map(|placement| placement.lateness.punctuality)
        .collect();
    assert_eq!(
        lateness,
        [Punctuality::OnTime, Punctuality::OnTime],
        "the duty was met by the first"
    );
    assert_eq!(replaced.punctuality(late.at), Punctuality::OnTime);
    let earlier = Placing {
        revision: Some(1),
        ..placing(Channel::OfficialWebsite)
    };
    assert_eq!(replaced.place(earlier, late), Err(Obstacle::Superseded));
}

#[test]
fn what_is_withdrawn_is_not_placed_again_but_a_correction_is() {
    let withdrawn = placed().withdraw("a mistake", &done(NOW)).expect("it is withdrawn");
    assert_eq!(
        (withdrawn.state, withdrawn.effective),
        (EditionState::Withdrawn, Some(1))
    );
    assert_eq!(
        withdrawn.clone().place(placing(Channel::OfficialWebsite), done(NOW)),
        Err(Obstacle::Withdrawn)
    );
    let corrected = withdrawn
        .correct("the right figures".into(), done(NOW))
        .expect("it is begun");
    let sealed = corrected
        .with_file(file("a.csv"))
        .and_then(|edition| edition.seal(Figures::default(), done(NOW)));
    let placed = sealed
        .and_then(|edition| edition.place(placing(SERVICE), done(NOW)))
        .expect("it is placed");
    assert_eq!((placed.state, placed.effective), (EditionState::Placed, Some(2)));
    assert!(placed.revisions[0].withdrawal.is_some() && placed.revisions[1].withdrawal.is_none());
}

#[test]
fn what_is_late_is_so_by_the_days_of_astana_from_its_due_date_to_when_it_was_met_or_to_now() {
    let now = instant("2025-01-20T04:00:00Z");
    let met = |at: Option<&str>| Edition {
        met_at: at.map(instant),
        ..scheduled()
    };
    for (met_at, now, days) in [
        (Some("2025-01-05T18:59:59Z"), now, 0),
        (Some("2025-01-05T19:00:00Z"), now, 1),
        (Some("2025-01-07T18:59:59Z"), now, 2),
        (None, now, 15),
        (None, instant("2025-01-05T18:59:59Z"), 0),
    ] {
        assert_eq!(met(met_at).days_late(now), days, "{met_at:?} {now}");
    }
    let not_kept = Edition {
        is_not_kept: true,
        ..met(Some("2025-01-07T18:59:59Z"))
    };
    assert_eq!(not_kept.days_late(now), 0);
    let expected = Edition {
        is_not_kept: true,
        ..scheduled()
    };
    assert!(!expected.is_recorded_afterwards(), "nothing was recorded");
    let recorded = Edition {
        is_not_kept: true,
        ..placed()
    };
    assert!(recorded.is_recorded_afterwards() && !placed().is_recorded_afterwards());
}

#[test]
fn what_is_declared_nil_is_empty_and_meets_the_duty() {
    let nil = scheduled()
        .declare_nil("no such cases".into(), false, done(NOW))
        .expect("it is declared");
    assert_eq!(
        (nil.state, nil.effective, nil.met_at),
        (EditionState::Nil, Some(1), Some(instant(NOW)))
    );
    assert_eq!(nil.punctuality(instant("2025-02-01T00:00:00Z")), Punctuality::OnTime);
    assert!(nil.revisions[0].is_nil());
    assert_eq!(nil.place(placing(SERVICE), done(NOW)), Err(Obstacle::Nil));
    let late = scheduled().declare_nil("no such cases".into(), false, done("2025-01-05T19:00:00Z"));
    assert_eq!(
        late.expect("it is declared")
            .punctuality(instant("2025-02-01T00:00:00Z")),
        Punctuality::Late
    );
    let (reason, now) = (|| "nothing".to_owned(), || done(NOW));
    assert_eq!(prepared().declare_nil(reason(), false, now()), Err(Obstacle::NotEmpty));
    assert_eq!(scheduled().declare_nil(reason(), true, now()), Err(Obstacle::NotEmpty));
    assert_eq!(placed().declare_nil(reason(), false, now()), Err(Obstacle::Sealed));
    let instead = corrected()
        .declare_nil(reason(), false, now())
        .expect("the correction is that there is nothing");
    assert_eq!((instead.state, instead.effective), (EditionState::Nil, Some(2)));
}

#[test]
fn under_an_embargo_a_placement_is_out_and_on_time_by_its_end() {
    for (until, expected, days) in [
        ("2025-01-05T18:59:59Z", Punctuality::OnTime, 0),
        ("2025-01-05T19:00:00Z", Punctuality::Late, 1),
        ("2025-01-01T00:00:00Z", Punctuality::OnTime, 0),
    ] {
        let mut edition = sealed();
        edition.embargo = Some(Embargo {
            until: instant(until),
            reason: "a press conference".into(),
            readers: Vec::new(),
        });
        assert_eq!(edition.accepts_embargo(), Ok(()));
        let placed = edition.place(placing(SERVICE), done(NOW)).expect("it is placed");
        let placement = &placed.placements[0];
        assert_eq!(placement.effective_at, instant(until).max(instant(NOW)));
        assert_eq!(
            (placement.lateness.punctuality, placement.lateness.days),
            (expected, days),
            "{until}"
        );
        assert_eq!(placed.met_at, Some(placement.effective_at));
        assert_eq!(placed.accepts_embargo(), Err(Obstacle::AlreadyOut));
    }
}

/// Carries out an event as its caller would, with a file where the revision needs one.
fn happen(edition: Edition, event: Event) -> Result<Edition, Obstacle> {
    let now = done(NOW);
    match event {
        Event::Prepare => edition.with_file(file("a.csv")),
        Event::Seal => edition.seal(
            Figures {
                sha256: Some([1; 32]),
                restricted: false,
            },
            now,
        ),
        Event::Place => {
            let number = edition.to_be_placed(None, now.at)?.number;
            let is_placed = edition.placement(SERVICE, number).is_some();
            if is_placed {
                return Ok(edition);
            }
            edition.place(placing(SERVICE), now)
        }
        Event::Correct => edition.correct("why".into(), now),
        Event::Withdraw => edition.withdraw("why", &now),
        Event::DeclareNil => edition.declare_nil("why".into(), false, now),
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Prepare),
        Just(Event::Seal),
        Just(Event::Place),
        Just(Event::Correct),
        Just(Event::Withdraw),
        Just(Event::DeclareNil),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_it_stands_where_the_table_says_and_nothing_sealed_changes(
        events in prop::collection::vec(event(), 0..40),
    ) {
        let mut edition = scheduled();
        for event in events {
            let before = edition.clone();
            let expected = before.standing().after(event);
            match happen(edition.clone(), event) {
                Ok(after) => {
                    prop_assert_eq!(expected.map(|expected| expected.state), Ok(after.state));
                    prop_assert_eq!(before.standing().after(event), Ok(after.standing()));
                    edition = after;
                }
                Err(obstacle) => {
                    // Content may stand in the way, which the table does not know.
                    let of_content = [Obstacle::NotEmpty, Obstacle::ContentMissing];
                    prop_assert!(expected.is_err() || of_content.contains(&obstacle), "{:?} {:?}", event, obstacle);
                }
            }
            for (sealed, now) in before.revisions.iter().zip(&edition.revisions) {
                if sealed.seal.is_some() {
                    prop_assert_eq!((&sealed.seal, &sealed.files), (&now.seal, &now.files));
                }
            }
            prop_assert!(edition.placements.starts_with(&before.placements), "a record of a placement stays");
            prop_assert!(edition.revisions.len() >= before.revisions.len(), "a revision stays");
            let open = edition.revisions.iter().filter(|revision| revision.seal.is_none()).count();
            prop_assert!(open <= 1);
        }
    }
}
