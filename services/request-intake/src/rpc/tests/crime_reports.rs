//! Anonymous requests that report a crime or a threat.

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::{
    calendar::v1::{RequesterKind, TermPart},
    requests::v1::{
        self as proto, Channel, CheckOutcome, CheckRule, CorrectRequestRequest, ForwardRequestRequest, RequestState,
    },
};
use prost_types::FieldMask;
use tonic::Code;
use uuid::Uuid;

use super::{
    stage::{outcome, recorded},
    verbs::{Desk, day, forwarding, leaving, question, returning, termination},
};

/// A letter without name, signature and address.
fn anonymous() -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: RequesterKind::Individual.into(),
            ..Default::default()
        }),
        signatory: None,
        essence: "a shop in Kenesary street is threatened".into(),
        ..recorded(Channel::Paper)
    }
}

fn considerable(request: &proto::Request) -> proto::Check {
    let checks = &request.examination.as_ref().expect("it was examined").checks;
    let check = checks.iter().find(|check| check.rule() == CheckRule::Considerable);
    check.expect("every rule has a check").clone()
}

#[tokio::test]
async fn one_that_is_marked_is_forwarded_at_once_and_cannot_be_terminated_as_anonymous() {
    let desk = Desk::open().await;
    let marked = proto::Request {
        reports_crime_or_threat: true,
        ..anonymous()
    };
    let marked = desk.recorded(marked).await;
    assert_eq!(marked.state(), RequestState::Registered);
    let check = considerable(&marked);
    assert_eq!(
        (check.outcome(), check.field.as_str()),
        (CheckOutcome::Proposed, "requester")
    );
    let text = check.text.expect("it says why").en;
    assert!(text.contains("forwarded at once"), "{text}");
    assert_eq!(check.legal_basis.expect("it has a law").provision, "art. 88");
    let stands = desk.until(&marked, |now| now.forward_by.is_some()).await;
    assert!(stands.reports_crime_or_threat);
    assert_eq!(stands.forward_by, day(2026, 3, 5));
    let explained = stands.forward_deadline.expect("it is explained");
    assert_eq!((explained.part(), explained.steps.len()), (TermPart::Forwarding, 1));

    let mut approver = desk.approver();
    let refusal = approver.terminate_request(termination(&marked, "ANONYMOUS")).await;
    assert_eq!(violations(refusal), pairs(&[("ground", "CONFLICT")]));
    let forwarded = ForwardRequestRequest {
        to_body: "Department of Police of Astana".into(),
        ground: "CRIME_OR_THREAT".into(),
        ..forwarding(&marked, &[])
    };
    desk.operator()
        .forward_request(forwarded)
        .await
        .expect("it is forwarded");
    let stands = desk.get(&marked).await;
    assert_eq!((stands.state(), &stands.forward_by), (RequestState::Forwarded, &None));
    assert_eq!(stands.decisions[0].notify_by, day(2026, 3, 5));
    let explanation = stands.decisions[0].explanation.as_ref().expect("it is explained");
    assert_eq!(explanation.steps, explained.steps);
}

#[tokio::test]
async fn one_that_is_not_marked_is_terminated_as_before_unless_an_official_marks_it() {
    let desk = Desk::open().await;
    let (plain, other) = (desk.recorded(anonymous()).await, desk.recorded(anonymous()).await);
    let before = considerable(&plain);
    assert_eq!(before.outcome(), CheckOutcome::Proposed);
    assert_eq!(desk.get(&plain).await.forward_by, None);
    let terminated = desk
        .approver()
        .terminate_request(termination(&plain, "ANONYMOUS"))
        .await;
    assert_eq!(
        terminated.expect("it is terminated").into_inner().state(),
        RequestState::Terminated
    );

    let mark = CorrectRequestRequest {
        name: other.name.clone(),
        request: Some(proto::Request {
            reports_crime_or_threat: true,
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["reports_crime_or_threat".into()],
        }),
        reason: "the letter tells of a threat".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    desk.operator().correct_request(mark).await.expect("it is marked");
    let marked = desk
        .until(&other, |now| considerable(now) != before && now.forward_by.is_some())
        .await;
    assert_eq!(outcome(&marked, CheckRule::Considerable), CheckOutcome::Proposed);
    assert_eq!(
        (&marked.forward_by, marked.registration_number),
        (&day(2026, 3, 5), other.registration_number)
    );
    let changed = &marked.decisions[0].changed_fields[0];
    assert_eq!(
        (changed.field.as_str(), changed.after.as_str()),
        ("reports_crime_or_threat", "true")
    );
}

#[tokio::test]
async fn no_verb_but_its_forwarding_and_its_withdrawal_ends_one_that_is_marked() {
    let desk = Desk::open().await;
    let marked = proto::Request {
        reports_crime_or_threat: true,
        items: Vec::new(),
        ..anonymous()
    };
    let request = desk.recorded(marked).await;
    let (mut operator, mut approver) = (desk.operator(), desk.approver());
    let terminated = approver
        .terminate_request(termination(&request, "WITHOUT_ESSENCE"))
        .await;
    assert_eq!(violations(terminated), pairs(&[("ground", "CONFLICT")]));
    for ground in ["OUTSIDE_INDICATORS", "OPENLY_AVAILABLE", "RESTRICTED"] {
        let left = operator.leave_without_consideration(leaving(&request, ground)).await;
        assert_eq!(violations(left), pairs(&[("ground", "CONFLICT")]), "{ground}");
    }
    operator
        .ask_clarification(question(&request, &["essence"]))
        .await
        .expect("it is asked");
    desk.set_clock("2026-06-01T10:00:00+05:00");
    let returned = operator.return_request(returning(&request)).await;
    assert_eq!(violations(returned), pairs(&[("name", "CONFLICT")]));
    let stands = desk.until(&request, |now| now.forward_by.is_some()).await;
    assert_eq!(stands.state(), RequestState::AwaitingClarification);
    assert_eq!((stands.forward_by, stands.return_by), (day(2026, 3, 5), None));
}

#[tokio::test]
async fn one_that_came_by_messenger_or_word_of_mouth_is_registered_and_not_left_by_the_system() {
    let desk = Desk::open().await;
    for channel in [Channel::Messenger, Channel::Oral, Channel::Email] {
        let marked = proto::Request {
            channel: channel.into(),
            reports_crime_or_threat: true,
            ..anonymous()
        };
        let request = desk.recorded(marked).await;
        assert_eq!(request.state(), RequestState::Registered, "{channel:?}");
        let checks = &request.examination.as_ref().expect("it was examined").checks;
        let broken = checks.iter().find(|check| check.field == "channel");
        let broken = broken.expect("its channel is not open to it");
        assert_eq!(broken.outcome(), CheckOutcome::Proposed, "{channel:?}");
        let text = &broken.text.as_ref().expect("it says why").en;
        assert!(text.contains("forwarded at once"), "{text}");
        let stands = desk.until(&request, |now| now.forward_by.is_some()).await;
        assert_eq!(stands.forward_by, day(2026, 3, 5), "{channel:?}");
    }
}

#[tokio::test]
async fn one_whose_author_is_known_is_not_forwarded_as_anonymous() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let forwarded = ForwardRequestRequest {
        ground: "CRIME_OR_THREAT".into(),
        ..forwarding(&request, &[])
    };
    let refusal = desk.operator().forward_request(forwarded).await;
    refused(refusal, Code::FailedPrecondition, "GROUND_CONTRADICTED");
}
