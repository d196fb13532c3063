use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::*;
use crate::domain::recipient::Facts;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A delivery whose so many-th attempt of the schedule is under way.
fn tried(attempts: i32) -> Delivery {
    Delivery {
        id: Uuid::nil(),
        attempts,
        spared: 0,
        received_bytes: 0,
        next_attempt_at: None,
        fence: None,
        last_outcome: None,
    }
}

fn waiting(recipient: &str) -> Waiting {
    Waiting {
        holder: recipient.into(),
        recipients: vec![recipient.into()],
        is_probe: false,
    }
}

#[test]
fn attempts_follow_the_published_schedule_and_none_follows_the_last() {
    let now = instant("2025-04-03T05:00:00Z");
    let failure = Failure::new(Outcome::Unreachable, "away");
    let waits: Vec<Option<u64>> = (1..=9)
        .map(|attempts| {
            let next = failure.next_attempt(&tried(attempts), now, 0.0)?;
            Some(next.duration_since(now).unsigned_abs().as_secs())
        })
        .collect();
    let expected = [60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400];
    let expected: Vec<_> = expected.into_iter().map(Some).chain([None]).collect();
    assert_eq!(waits, expected);
    let after = |chance| failure.next_attempt(&tried(1), now, chance).map(|next| next - now);
    assert_eq!(after(1.0).map(|span| span.get_seconds()), Some(72));
    assert_eq!(after(-1.0).map(|span| span.get_seconds()), Some(48));
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks_and_no_longer_than_a_day() {
    let now = instant("2025-04-03T05:00:00Z");
    let after = |asked| {
        let failure = Failure {
            retry_after: Some(asked),
            ..Failure::new(Outcome::Busy, "later")
        };
        let next = failure.next_attempt(&tried(1), now, 0.0).expect("one follows");
        next.duration_since(now).unsigned_abs()
    };
    assert_eq!(after(Duration::from_secs(1)), Duration::from_mins(1));
    assert_eq!(after(Duration::from_mins(7)), Duration::from_mins(7));
    assert_eq!(after(Duration::MAX), Duration::from_hours(24));
}

#[test]
fn what_a_lost_sender_left_is_tried_at_once_and_uses_up_nothing_a_hundred_times() {
    let now = instant("2025-04-03T05:00:00Z");
    let spared = |attempts, spared| Delivery {
        spared,
        ..tried(attempts)
    };
    for lost in [Failure::new(Outcome::SenderLost, ""), Failure::stopped()] {
        assert!(!spared(9, 99).counts(&lost) && spared(1, 100).counts(&lost));
        assert_eq!(lost.next_attempt(&spared(9, 99), now, 1.0), Some(now));
        let next = lost.next_attempt(&spared(1, 100), now, 0.0);
        assert_eq!(next, Some(now + Duration::from_mins(1)));
        assert_eq!(lost.next_attempt(&spared(9, 100), now, 1.0), None);
    }
    let away = Failure::of_sender("the store is away");
    assert!(!spared(9, 99).counts(&away) && spared(1, 100).counts(&away));
    assert_eq!(
        away.next_attempt(&spared(9, 99), now, 0.0),
        Some(now + Duration::from_mins(1)),
        "not at once: the store is asked once a minute"
    );
    let nowhere = Failure::new(Outcome::NoEndpoint, "");
    assert_eq!(nowhere.next_attempt(&tried(1), now, 1.0), None);
}

#[test]
fn an_attempt_that_finds_more_of_the_copy_at_the_server_uses_up_nothing_and_is_followed_after_a_minute() {
    let now = instant("2025-04-03T05:00:00Z");
    let broken = |received_bytes| Failure {
        received_bytes,
        ..Failure::new(Outcome::BrokenOff, "")
    };
    let delivery = Delivery {
        received_bytes: 500,
        ..tried(9)
    };
    for (received, counts, next) in [
        (501, false, Some(now + Duration::from_mins(1))),
        (500, true, None),
        (0, true, None),
    ] {
        let failure = broken(received);
        assert_eq!(delivery.counts(&failure), counts, "{received}");
        assert_eq!(delivery.has_moved_on(&failure), !counts, "{received}");
        assert_eq!(failure.next_attempt(&delivery, now, 0.0), next, "{received}");
    }
}

#[test]
fn the_free_places_are_shared_out_and_a_slow_recipient_leaves_most_of_them() {
    let places = Places::of(8);
    let of = |pairs: &[(&str, i32)]| -> BTreeMap<String, i32> {
        pairs.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    };
    let nobody = HashMap::new();
    let two = [waiting("a"), waiting("b")];
    assert_eq!(places.share(&two, &nobody), of(&[("a", 2), ("b", 2)]));
    let slow = HashMap::from([("a".to_owned(), 2), ("c".to_owned(), 5)]);
    assert_eq!(places.share(&two, &slow), of(&[("b", 1)]));
    let many: Vec<_> = ('a'..='j').map(|id| waiting(&id.to_string())).collect();
    assert_eq!(places.share(&many, &nobody).len(), 8, "each has one before any has two");
    let full = HashMap::from([("x".to_owned(), 8)]);
    assert_eq!(places.share(&two, &full), of(&[]));
    let probe = Waiting {
        is_probe: true,
        ..waiting("a")
    };
    assert_eq!(places.share(std::slice::from_ref(&probe), &nobody), of(&[("a", 1)]));
    let probed = HashMap::from([("a".to_owned(), 1)]);
    assert_eq!(places.share(&[probe], &probed), of(&[]));
}

#[test]
fn copies_of_those_that_a_recipient_follows_have_no_places_beside_its_own() {
    let now = instant("2025-04-03T05:00:00Z");
    let address = |holder: &str| Address {
        endpoint: "https://court".into(),
        certificate_name: "court".into(),
        holder: holder.into(),
    };
    let addresses = BTreeMap::from([
        ("council".to_owned(), address("court")),
        ("court".to_owned(), address("court")),
        ("senate".to_owned(), Address::default()),
    ]);
    let due = ["council", "senate", "court"].map(str::to_owned);
    let servers = |open: &[(&str, Timestamp)]| {
        let open = open.iter().map(|(id, until)| ((*id).to_owned(), *until)).collect();
        Waiting::of(&due, &addresses, &open, now)
    };
    let court = Waiting {
        holder: "court".into(),
        recipients: vec!["council".into(), "court".into()],
        is_probe: false,
    };
    assert_eq!(servers(&[]), [court.clone(), waiting("senate")]);
    let later = now + Duration::from_secs(1);
    assert_eq!(servers(&[("court", later), ("council", later)]), [waiting("senate")]);
    let probed = Waiting {
        is_probe: true,
        ..court.clone()
    };
    assert_eq!(
        servers(&[("court", now), ("senate", later)]),
        [probed.clone(), waiting("senate")],
        "who has no server is not called, and nothing is left alone"
    );
    assert_eq!(servers(&[("senate", now)]), [court.clone(), waiting("senate")]);

    let shares = |server: &Waiting, under_way: usize| {
        let under_way = HashMap::from([("court".to_owned(), under_way)]);
        Places::of(16).share(std::slice::from_ref(server), &under_way)
    };
    let of = |council, court| BTreeMap::from([("council".to_owned(), council), ("court".to_owned(), court)]);
    assert_eq!(shares(&servers(&[])[0], 0), of(2, 2));
    assert_eq!(shares(&servers(&[])[0], 4), BTreeMap::new());
    assert_eq!(shares(&probed, 0), BTreeMap::from([("council".to_owned(), 1)]));
}

#[test]
fn copies_go_to_a_server_from_the_day_on_which_it_or_that_of_a_successor_is_there_and_a_change_tells_for_whom() {
    let now = instant("2025-04-03T05:00:00Z");
    let known = |id: &str, from: &str, to: Option<&str>, successor: Option<&str>, endpoint: Option<&str>| Known {
        number: 1,
        id: id.into(),
        appendix_column: Some(11),
        valid_from: from.parse().expect("a day"),
        facts: Facts {
            name: LocalizedText::new("", "", id),
            parent: None,
            certificate_name: Some(id.into()),
            endpoint: endpoint.map(str::to_owned),
            successor: successor.map(str::to_owned),
            legal_basis: LegalBasis::default(),
            valid_to: to.map(|to| to.parse().expect("a day")),
        },
        recorded_at: None,
    };
    let court = known("court", "2023-01-01", None, None, Some("https://court"));
    let senate = known("senate", "2023-01-01", None, None, None);
    let before = [
        known("council", "2019-04-15", None, None, None),
        court.clone(),
        senate.clone(),
    ];
    let after = [
        known("council", "2019-04-15", Some("2025-04-09"), Some("court"), None),
        court.clone(),
        senate.clone(),
    ];
    let begins = BTreeMap::from([("council".to_owned(), instant("2025-04-09T19:00:00Z"))]);
    assert_eq!(changed(&before, &after, now), begins, "with the day in Astana");
    assert_eq!(changed(&after, &after, now), BTreeMap::new());
    assert_eq!(changed(&after, &before, now), BTreeMap::new(), "there is none any more");
    let all = from_when(&after, ["council", "court", "senate"], now);
    assert_eq!(all.into_values().collect::<Vec<_>>(), [begins["council"], now]);
    let moved = [court, known("senate", "2023-01-01", None, None, Some("https://senate"))];
    assert_eq!(
        changed(&after, &moved, now),
        BTreeMap::from([("senate".to_owned(), now)])
    );
}
