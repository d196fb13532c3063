//! What persons send, and what is said without a paper.

use std::time::Duration;

use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{self as proto, CheckOutcome, CheckRule, RequestState},
};

use super::{
    stage::{Client, Stage, as_answered, get, outcome, recorded, submission, submit},
    verbs::PATIENCE,
};

fn of(kind: RequesterKind, channel: proto::Channel) -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: kind.into(),
            ..Default::default()
        }),
        channel: channel.into(),
        language: proto::Language::Kk.into(),
        ..Default::default()
    }
}

/// The request as soon as it is computed by when it is given back.
async fn with_return_day(client: &mut Client, name: &str) -> proto::Request {
    let computed = async {
        loop {
            let read = get(client, name).await.expect("it is there");
            if read.return_by.is_some() {
                return read;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, computed).await.expect("it is computed")
}

#[tokio::test]
async fn a_persons_application_is_accepted_whatever_it_lacks_and_read_back() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    for kind in [RequesterKind::Individual, RequesterKind::LegalEntity] {
        let mut lacking = of(kind, proto::Channel::Paper);
        lacking.requester.as_mut().expect("it has one").full_name = "A name".into();
        let awaiting = submit(&mut operator, submission(lacking))
            .await
            .expect("it is accepted");
        assert_eq!(awaiting.state(), RequestState::AwaitingClarification);
        assert!(awaiting.coupon.is_some());
        let asked = [
            CheckRule::Address,
            CheckRule::Signed,
            CheckRule::Dated,
            CheckRule::Essence,
            CheckRule::Unit,
            CheckRule::Period,
        ];
        for rule in asked {
            assert_eq!(outcome(&awaiting, rule), CheckOutcome::Failed, "{rule:?}");
        }
        assert_eq!(outcome(&awaiting, CheckRule::Considerable), CheckOutcome::Proposed);
        let entity = usize::from(kind == RequesterKind::LegalEntity);
        assert_eq!(
            awaiting.clarifications.len(),
            asked.len() + entity,
            "the BIN of a legal entity is asked for"
        );
        let read = with_return_day(&mut operator, &awaiting.name).await;
        assert!(read.return_deadline.is_some());
        assert_eq!(as_answered(read), awaiting);
    }
    let anonymous = of(RequesterKind::Individual, proto::Channel::Paper);
    let anonymous = submit(&mut operator, submission(anonymous))
        .await
        .expect("it is accepted");
    assert_eq!(anonymous.state(), RequestState::Registered);
    assert!(anonymous.clarifications.is_empty() && anonymous.due_date.is_some());
    assert_eq!(outcome(&anonymous, CheckRule::Considerable), CheckOutcome::Proposed);
}

#[tokio::test]
async fn an_application_has_its_date_without_a_number_and_its_number_without_a_date() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let whole = {
        let mut whole = recorded(proto::Channel::Paper);
        let requester = whole.requester.as_mut().expect("it has one");
        requester.kind = RequesterKind::LegalEntity.into();
        requester.postal_address = "Astana".into();
        whole.signatory.as_mut().expect("it has one").capacity = proto::SignatoryCapacity::Applicant.into();
        whole
    };
    let date = legalstat_proto::common::v1::Date {
        year: 2026,
        month: 3,
        day: 1,
    };
    for (number, date, state) in [
        ("", Some(date), RequestState::Registered),
        ("7", Some(date), RequestState::Registered),
        ("7", None, RequestState::AwaitingClarification),
        ("", None, RequestState::AwaitingClarification),
    ] {
        let request = proto::Request {
            external_number: number.into(),
            external_date: date,
            ..whole.clone()
        };
        let accepted = submit(&mut operator, submission(request))
            .await
            .expect("it is accepted");
        assert_eq!(accepted.state(), state, "{number:?} {date:?}");
        assert_eq!(
            (accepted.external_number.as_str(), accepted.external_date),
            (number, date)
        );
        let read = get(&mut operator, &accepted.name).await.expect("it is there");
        assert_eq!(as_answered(read), accepted);
    }
}

#[tokio::test]
async fn what_was_said_needs_name_and_essence_and_is_left_without_consideration() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    for channel in [proto::Channel::Oral, proto::Channel::Messenger] {
        for kind in [
            RequesterKind::StateBody,
            RequesterKind::ProsecutorBody,
            RequesterKind::Individual,
            RequesterKind::LegalEntity,
        ] {
            let mut said = of(kind, channel);
            said.requester.as_mut().expect("it has one").full_name = "Somebody".into();
            said.essence = "crimes of last year".into();
            let left = submit(&mut operator, submission(said)).await.expect("it is accepted");
            assert_eq!(
                left.state(),
                RequestState::LeftWithoutConsideration,
                "{channel:?} {kind:?}"
            );
            assert!(left.items.is_empty() && left.coupon.is_some());
            assert_eq!(get(&mut operator, &left.name).await.expect("it is there"), left);
        }
    }
}
