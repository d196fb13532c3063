//! Lists by every filter and in every order.

use std::collections::BTreeSet;

use legalstat_kit::door::wire;
use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::requests::v1::{self as proto, AssignRequestRequest, ListRequestsRequest, RequestState};
use tonic::Code;
use uuid::Uuid;

use super::{
    bodies::{BIN, day},
    stage::{Client, NOW, Stage, recorded, request, submission, submit},
    visibility::listed,
};

const IIN: &str = "911003342906";

fn instant(text: &str) -> Option<prost_types::Timestamp> {
    Some(wire::to_timestamp(text.parse().expect("an instant")))
}

/// On paper, received on a day.
fn on_paper(received_at: &str) -> proto::Request {
    proto::Request {
        received_at: instant(received_at),
        ..recorded(proto::Channel::Paper)
    }
}

pub(super) async fn accept(client: &mut Client, request: proto::Request) -> proto::Request {
    submit(client, submission(request)).await.expect("it is accepted")
}

pub(super) async fn assign(operator: &mut Client, request: &proto::Request, assignee: &str) {
    let message = AssignRequestRequest {
        name: request.name.clone(),
        assignee: assignee.into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    operator.assign_request(message).await.expect("it is assigned");
}

/// All pages of a list.
pub(super) async fn pages(client: &mut Client, mut message: ListRequestsRequest) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = client
            .list_requests(message.clone())
            .await
            .expect("it lists")
            .into_inner();
        names.extend(page.requests.into_iter().map(|request| request.name));
        if page.next_page_token.is_empty() {
            return names;
        }
        message.page_token = page.next_page_token;
    }
}

/// A registered one from the EDMS, one by an individual on paper in February, and one by word of mouth that is left without
/// consideration.
async fn three(stage: &Stage) -> [proto::Request; 3] {
    let registered = accept(&mut stage.client("edms"), request()).await;
    let mut operator = stage.client("operator");
    let person = proto::Request {
        requester: Some(proto::Requester {
            kind: legalstat_proto::calendar::v1::RequesterKind::Individual.into(),
            full_name: "Серикбаева Айгүл".into(),
            iin: IIN.into(),
            postal_address: "Astana".into(),
            ..Default::default()
        }),
        signatory: Some(proto::Signatory {
            full_name: "Серикбаева Айгүл".into(),
            capacity: proto::SignatoryCapacity::Applicant.into(),
        }),
        essence: "кражи скота".into(),
        ..on_paper("2026-02-10T09:00:00+05:00")
    };
    let person = accept(&mut operator, person).await;
    let oral = accept(&mut operator, recorded(proto::Channel::Oral)).await;
    [registered, person, oral]
}

#[tokio::test]
async fn every_filter_finds_what_it_names_and_they_hold_together() {
    let stage = Stage::set().await;
    let [registered, person, oral] = three(&stage).await;
    let mut operator = stage.client("operator");
    assign(&mut operator, &registered, "aliya").await;
    let filter = ListRequestsRequest::default;
    for (what, message, expected) in [
        (
            "registration number",
            ListRequestsRequest {
                registration_number: registered.registration_number.replace('-', " "),
                ..filter()
            },
            vec![&registered],
        ),
        (
            "words of the name",
            ListRequestsRequest {
                requester: "айгул СЕРИКБАЕВА".replace('у', "ү"),
                ..filter()
            },
            vec![&person],
        ),
        (
            "BIN",
            ListRequestsRequest {
                identification_number: BIN.into(),
                ..filter()
            },
            vec![&oral, &registered],
        ),
        (
            "IIN",
            ListRequestsRequest {
                identification_number: IIN.into(),
                ..filter()
            },
            vec![&person],
        ),
        (
            "channel",
            ListRequestsRequest {
                channel: proto::Channel::Oral.into(),
                ..filter()
            },
            vec![&oral],
        ),
        (
            "states",
            ListRequestsRequest {
                states: vec![
                    RequestState::InPreparation.into(),
                    RequestState::LeftWithoutConsideration.into(),
                ],
                ..filter()
            },
            vec![&oral, &registered],
        ),
        (
            "words of the essence",
            ListRequestsRequest {
                words: "СКОТА краж".into(),
                ..filter()
            },
            vec![&person],
        ),
        (
            "words of an item and of the essence",
            ListRequestsRequest {
                words: "registered quarter".into(),
                ..filter()
            },
            vec![&oral, &registered],
        ),
        (
            "days of receipt",
            ListRequestsRequest {
                received_from: day(2026, 2, 10),
                received_to: day(2026, 2, 10),
                ..filter()
            },
            vec![&person],
        ),
        (
            "changed since",
            ListRequestsRequest {
                changed_since: instant(NOW),
                ..filter()
            },
            vec![&oral, &person, &registered],
        ),
        (
            "changed after all changes",
            ListRequestsRequest {
                changed_since: instant("2026-03-02T10:00:00.123457+05:00"),
                ..filter()
            },
            vec![],
        ),
        (
            "assignee",
            ListRequestsRequest {
                assignee: "aliya".into(),
                ..filter()
            },
            vec![&registered],
        ),
        (
            "nothing overdue",
            ListRequestsRequest {
                overdue: true,
                ..filter()
            },
            vec![],
        ),
        (
            "together",
            ListRequestsRequest {
                identification_number: BIN.into(),
                channel: proto::Channel::Oral.into(),
                words: "crimes".into(),
                ..filter()
            },
            vec![&oral],
        ),
    ] {
        let expected: Vec<&String> = expected.iter().map(|request| &request.name).collect();
        let found = listed(&mut operator, message).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{what}");
    }
}

#[tokio::test]
async fn words_are_found_within_longer_ones_and_marks_of_a_pattern_are_taken_as_they_are() {
    let stage = Stage::set().await;
    let accepted = accept(&mut stage.client("edms"), request()).await;
    let mut operator = stage.client("operator");
    for (words, found) in [
        ("rime QUARTER", true),
        ("%", false),
        ("cr_mes", false),
        ("'; --", false),
    ] {
        let message = ListRequestsRequest {
            words: words.into(),
            ..Default::default()
        };
        let expected: &[&String] = if found { &[&accepted.name] } else { &[] };
        let names = listed(&mut operator, message).await;
        assert_eq!(names.iter().collect::<Vec<_>>(), expected, "{words:?}");
    }
}

#[tokio::test]
async fn what_is_overdue_waits_for_its_answer_after_its_due_time() {
    let stage = Stage::set().await;
    let accepted = accept(&mut stage.client("edms"), request()).await;
    let withdrawn = accept(&mut stage.client("edms"), request()).await;
    stage
        .execute("UPDATE requests.request SET due_date = '2026-02-20', due_time = '2026-02-20T18:30:00+05:00'")
        .await;
    let message = proto::WithdrawRequestRequest {
        name: withdrawn.name,
        reason: "by letter".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    stage
        .client("edms")
        .withdraw_request(message)
        .await
        .expect("it is taken back");
    let overdue = ListRequestsRequest {
        overdue: true,
        ..Default::default()
    };
    assert_eq!(
        listed(&mut stage.client("operator"), overdue.clone()).await,
        std::slice::from_ref(&accepted.name)
    );
    let by_date = ListRequestsRequest {
        order_by: "due_date".into(),
        ..overdue
    };
    assert_eq!(listed(&mut stage.client("edms"), by_date).await, [accepted.name]);
}

#[tokio::test]
async fn every_order_is_kept_across_pages_both_ways_for_each_caller() {
    let stage = Stage::set().await;
    let (mut edms, mut operator) = (stage.client("edms"), stage.client("operator"));
    for (place, at) in [
        "2026-02-20T09:00:00+05:00",
        "2026-02-10T09:00:00+05:00",
        "2026-02-27T09:00:00+05:00",
    ]
    .iter()
    .enumerate()
    {
        accept(&mut operator, on_paper(at)).await;
        let of_edms = accept(&mut edms, request()).await;
        if place == 1 {
            assign(&mut operator, &of_edms, "aliya").await;
        }
    }
    stage
        .execute("UPDATE requests.request SET due_date = date '2026-03-20' + (number % 3)::integer WHERE due_date IS NOT NULL")
        .await;
    stage
        .execute("UPDATE requests.request SET changed_at = accepted_at + (number * 7 % 5) * interval '1 minute'")
        .await;
    let mut connection = stage.running.superuser().await;
    for (caller, own) in [("operator", ""), ("edms", "AND accepted_by = 'edms'")] {
        for (order, column) in [
            ("number", "number"),
            ("received_at", "received_at"),
            ("due_date", "due_date"),
            ("update_time", "coalesce(changed_at, accepted_at)"),
        ] {
            for direction in ["", " desc"] {
                let sql = format!(
                    "SELECT 'requests/' || id FROM requests.request WHERE {column} IS NOT NULL {own}
                     ORDER BY {column}{direction}, number{direction}"
                );
                let expected: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                    .fetch_all(&mut connection)
                    .await
                    .expect("it orders");
                assert!(expected.len() >= 3);
                let message = ListRequestsRequest {
                    order_by: format!("{order}{direction}"),
                    page_size: 2,
                    ..Default::default()
                };
                let found = pages(&mut stage.client(caller), message).await;
                assert_eq!(found, expected, "{caller} by {order}{direction}");
            }
        }
    }
}

#[tokio::test]
async fn what_arrives_between_two_pages_neither_repeats_nor_drops_what_was_there() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut before = BTreeSet::new();
    for _ in 0..6 {
        before.insert(accept(&mut edms, request()).await.name);
    }
    for order_by in [
        "number desc",
        "number",
        "received_at",
        "due_date desc",
        "update_time desc",
    ] {
        let mut message = ListRequestsRequest {
            order_by: order_by.into(),
            page_size: 2,
            ..Default::default()
        };
        let (mut found, mut arrived) = (Vec::new(), BTreeSet::new());
        loop {
            let page = edms
                .list_requests(message.clone())
                .await
                .expect("it lists")
                .into_inner();
            found.extend(page.requests.into_iter().map(|request| request.name));
            if page.next_page_token.is_empty() {
                break;
            }
            message.page_token = page.next_page_token;
            if arrived.len() < 2 {
                arrived.insert(accept(&mut edms, request()).await.name);
            }
        }
        let once: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(once.len(), found.len(), "{order_by}: none twice");
        assert!(before.is_subset(&once), "{order_by}: none is missing");
        before.extend(arrived);
    }
}

#[tokio::test]
async fn wrong_filters_are_told_all_at_once() {
    let stage = Stage::set().await;
    let message = ListRequestsRequest {
        page_size: 1001,
        state: RequestState::Registered.into(),
        states: vec![0, 99],
        channel: 99,
        identification_number: "160340014246".into(),
        received_from: day(2026, 3, 2),
        received_to: day(2026, 3, 1),
        order_by: "essence".into(),
        words: "x".repeat(201),
        assignee: "a b".into(),
        registration_number: "1".repeat(101),
        ..Default::default()
    };
    let mut found = violations(stage.client("operator").list_requests(message).await);
    found.sort();
    assert_eq!(
        found,
        pairs(&[
            ("assignee", "INVALID_CHARACTER"),
            ("channel", "ENUM"),
            ("identification_number", "BIN"),
            ("order_by", "UNKNOWN"),
            ("page_size", "OUT_OF_RANGE"),
            ("received_to", "RANGE"),
            ("registration_number", "TOO_LONG"),
            ("states", "CONFLICT"),
            ("states[0]", "REQUIRED"),
            ("states[1]", "ENUM"),
            ("words", "TOO_LONG"),
        ])
    );
}

#[tokio::test]
async fn a_token_belongs_to_its_filters_and_its_order() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    for _ in 0..2 {
        accept(&mut edms, request()).await;
    }
    let message = ListRequestsRequest {
        page_size: 1,
        order_by: "update_time".into(),
        ..Default::default()
    };
    let page = edms
        .list_requests(message.clone())
        .await
        .expect("it lists")
        .into_inner();
    let of_token = |message: ListRequestsRequest| ListRequestsRequest {
        page_token: page.next_page_token.clone(),
        ..message
    };
    assert_eq!(listed(&mut edms, of_token(message.clone())).await.len(), 1);
    for other in [
        ListRequestsRequest {
            order_by: "received_at".into(),
            ..message.clone()
        },
        ListRequestsRequest {
            words: "crimes".into(),
            ..message
        },
    ] {
        refused(
            edms.list_requests(of_token(other)).await,
            Code::InvalidArgument,
            "PAGE_TOKEN_INVALID",
        );
    }
}
