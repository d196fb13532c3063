//! What becomes of a copy, and what does not.

use super::*;
use crate::domain::receipt::Way;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn copy(state: CopyState) -> Copy {
    Copy {
        key: "collections/crime/editions/2019-Q2/copies/27".parse().expect("a name"),
        due_date: jiff::civil::date(2019, 7, 15),
        due_time: instant("2019-07-15T18:00:00Z"),
        recipient: "supreme-court".into(),
        state,
        status: None,
        sha256: vec![7; 32],
        issued_at: instant("2019-07-15T05:00:00Z"),
        received_at: (state == CopyState::Received).then(|| instant("2019-07-15T06:00:00Z")),
        receipt: None,
        rejection: None,
        legal_basis: LegalBasis::instruction("Appendix 1"),
        list_version: Some(1),
        is_kept: true,
        revision: 1,
        proof: None,
        recalled_at: None,
        recall_confirmed_at: None,
        delivery: None,
        official_use: None,
    }
}

fn receipt(at: &str) -> Receipt {
    Receipt::by_certificate("supreme-court", Way::Pull, instant(at))
}

fn rejection(reason: &str, at: &str) -> Rejection {
    Rejection {
        reason: reason.into(),
        recorded_at: instant(at),
        said_by: "supreme-court".into(),
        way: Way::Pull,
        successor: None,
    }
}

#[test]
fn the_first_receipt_counts() {
    let first = instant("2019-07-16T05:00:00Z");
    let received = copy(CopyState::Issued).receive(receipt("2019-07-16T05:00:00Z"));
    let received = received.expect("nothing was said before");
    assert_eq!(
        (received.state, received.received_at),
        (CopyState::Received, Some(first))
    );
    let again = received.clone().receive(receipt("2019-07-17T05:00:00Z"));
    assert_eq!(again, Ok(received));
}

#[test]
fn another_digest_is_not_the_copys() {
    let copy = copy(CopyState::Issued);
    assert_eq!(copy.require_content(&[8; 32]), Err(NotTaken::OtherContent));
    assert_eq!(copy.require_content(&[7; 32]), Ok(()));
}

#[test]
fn what_a_copy_becomes_depends_on_where_it_stands() {
    use CopyState::{Failed, Issued, Recalled, Received, Rejected, Sending};
    // Where it stands, what a receipt makes of it and whether that is late, what a rejection makes of it.
    let table = [
        (Issued, Some((Received, false)), Some(Rejected)),
        (Sending, Some((Received, false)), Some(Rejected)),
        (Failed, Some((Received, true)), None),
        (Received, Some((Received, false)), None),
        (Rejected, None, Some(Rejected)),
        (Recalled, None, None),
    ];
    assert_eq!(table.len(), CopyState::ALL.len());
    for (state, received, rejected) in table {
        let taken = copy(state).receive(receipt("2019-07-16T05:00:00Z"));
        let late = |copy: &Copy| copy.receipt.as_ref().is_some_and(|receipt| receipt.late);
        let expected = received.ok_or(NotTaken::Settled(state));
        assert_eq!(taken.map(|copy| (copy.state, late(&copy))), expected, "{state:?}");
        let taken = copy(state).reject(rejection("damaged", "2019-07-16T05:00:00Z"));
        let expected = rejected.ok_or(NotTaken::Settled(state));
        assert_eq!(taken.map(|copy| copy.state), expected, "{state:?}");
    }
}

#[test]
fn only_what_is_on_its_way_fails_or_is_left_to_be_fetched_and_only_what_failed_or_is_not_on_its_way_is_delivered_anew()
{
    use CopyState::{Failed, Issued, Sending};
    let at = instant("2019-07-16T05:00:00Z");
    for state in CopyState::ALL.iter().copied() {
        let failed = copy(state).fail("away".into(), at);
        assert_eq!(failed.is_ok(), state == Sending, "{state:?}");
        let left = copy(state).leave_to_fetch("no server".into(), at);
        assert_eq!(
            left.map(|copy| copy.state).ok(),
            (state == Sending).then_some(Issued),
            "{state:?}"
        );
        let redelivered = copy(state).redeliver("the server is back", at);
        assert_eq!(redelivered.is_ok(), matches!(state, Failed | Issued), "{state:?}");
    }
    let mut due = copy(Issued);
    due.delivery = Some(Delivery {
        id: uuid::Uuid::nil(),
        attempts: 0,
        spared: 0,
        received_bytes: 0,
        next_attempt_at: Some(at),
        fence: None,
        last_outcome: None,
    });
    assert_eq!(due.redeliver("twice", at), Err(NotTaken::Settled(Issued)));
}

#[test]
fn a_rejection_says_why_and_the_first_one_counts() {
    let first = rejection("damaged", "2019-07-16T05:00:00Z");
    let rejected = copy(CopyState::Issued).reject(first.clone());
    let rejected = rejected.expect("nothing was said before");
    let status = Status {
        since: first.recorded_at,
        reason: Some("damaged".into()),
    };
    assert_eq!((&rejected.status, &rejected.rejection), (&Some(status), &Some(first)));
    let again = rejected.clone().reject(rejection("not ours", "2019-07-17T05:00:00Z"));
    assert_eq!(again, Ok(rejected));
}

#[test]
fn a_copy_is_overdue_from_the_instant_at_which_its_due_date_ends_while_nothing_was_said_of_it() {
    let (before, due) = (instant("2019-07-15T17:59:59Z"), instant("2019-07-15T18:00:00Z"));
    for state in CopyState::ALL {
        let copy = copy(*state);
        assert!(!copy.is_overdue(before));
        assert_eq!(copy.is_overdue(due), state.is_unconfirmed(), "{state:?}");
        let before_answering = Copy { is_kept: false, ..copy };
        assert!(!before_answering.is_overdue(due), "{state:?}");
    }
}

#[test]
fn a_recalled_copy_is_not_received_any_more_and_what_was_received_stays_so() {
    let not_received = copy(CopyState::Recalled).receive(receipt("2019-07-19T05:00:00Z"));
    assert_eq!(not_received, Err(NotTaken::Settled(CopyState::Recalled)));
    assert_eq!(copy(CopyState::Received).require_current(), Ok(()));
    let held = Copy {
        state: CopyState::Recalled,
        ..copy(CopyState::Received)
    };
    assert_eq!(held.require_current(), Err(Obstacle::Recalled));
    assert_eq!(held.clone().receive(receipt("2019-07-19T05:00:00Z")), Ok(held));
}

#[test]
fn the_first_confirmation_of_a_recall_counts() {
    let (first, later) = (instant("2019-07-19T05:00:00Z"), instant("2019-07-20T05:00:00Z"));
    let not_recalled = copy(CopyState::Issued).confirm_recall(first);
    assert_eq!(not_recalled, Err(Obstacle::NotRecalled));
    let confirmed = copy(CopyState::Recalled).confirm_recall(first);
    let confirmed = confirmed.expect("it was recalled");
    assert_eq!(confirmed.recall_confirmed_at, Some(first));
    assert_eq!(confirmed.clone().confirm_recall(later), Ok(confirmed));
}

#[test]
fn a_position_among_copies_is_read_as_it_is_written() {
    let text = "2019-07-15 collections/crime/editions/2019-Q2/copies/27";
    let position: CopyPosition = text.parse().expect("a position");
    assert_eq!(position.key.number, 27);
    assert_eq!(position.to_string(), text);
    assert_eq!(
        "2019-07-15 collections/crime/editions/2019-Q2".parse::<CopyPosition>(),
        Err(())
    );
}
