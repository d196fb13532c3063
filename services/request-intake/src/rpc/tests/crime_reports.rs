//! Anonymous requests that report a crime or a threat.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::{
    calendar::v1::{RequesterKind, TermPart},
    requests::v1::{
        self as proto, Channel, CheckOutcome, CheckRule, CorrectRequestRequest, ForwardRequestRequest, RequestState,
    },
};
use prost_types::FieldMask;
use uuid::Uuid;

use super::{
    stage::{outcome, recorded},
    verbs::{Desk, day, forwarding, termination},
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
    let stands = desk.get(&marked).await;
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
    let marked = desk.until(&other, |now| considerable(now) != before).await;
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
