//! An operator enters the law by which a term's clock stops: from then on a requester who is asked stops the clock of his request, and its
//! explanation tells each day on which it stood.

use jiff::{Timestamp, civil::date};
use legalstat_kit::door::wire;
use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    calendar::v1::{RequesterKind, Step, StepEffect},
    common::v1 as common,
    requests::v1::{
        AskClarificationRequest, Channel, Defect, GetRequestRequest, Item, ItemKind, Language,
        ProvideClarificationRequest, Request, RequestState, Requester, Signatory, SignatoryCapacity,
        SubmitRequestRequest, Unit,
    },
};
use legalstat_test_support::calls::answered;
use uuid::Uuid;

use crate::desk::{Desk, PATIENCE, PAUSE, today};

fn at(instant: &str) -> Timestamp {
    instant.parse().expect("an instant")
}

fn id(of: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, of.as_bytes()).to_string()
}

/// A calendar whose term for applications of 2026 may be stopped.
async fn calendar() -> Running {
    let loading = Running::start(&legalstat_calendar::SERVICE, &[], today).await;
    let entered = sqlx::query(
        "UPDATE calendar.term_rule SET suspension_provision = 'art. 64(6)', suspension_assumed = true
         WHERE name = 'application-2026'",
    )
    .execute(&mut loading.superuser().await)
    .await
    .expect("the term is there");
    assert_eq!(entered.rows_affected(), 1);
    // Who starts reads the rows.
    loading.replica(&legalstat_calendar::SERVICE, &[], today).await
}

fn application() -> Request {
    Request {
        requester: Some(Requester {
            kind: RequesterKind::Individual.into(),
            full_name: "Akhmetov Daniyar".into(),
            postal_address: "Astana".into(),
            ..Default::default()
        }),
        signatory: Some(Signatory {
            full_name: "Akhmetov Daniyar".into(),
            capacity: SignatoryCapacity::Applicant.into(),
        }),
        channel: Channel::Paper.into(),
        external_date: Some(wire::to_date(date(2026, 4, 3))),
        essence: "Crimes".into(),
        language: Language::Ru.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            unit: Unit::Crime.into(),
            period: "2026-M01".into(),
            indicator: "forms/1/indicators/crimes".into(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The request once it is as it is to be.
async fn until(desk: &Desk, name: &str, is_so: impl Fn(&Request) -> bool) -> Request {
    let client = desk.clients["operator"].clone();
    let waiting = async {
        loop {
            let asked = GetRequestRequest {
                name: name.into(),
                ..Default::default()
            };
            let read = answered(&client, &asked, |mut client, asked| async move {
                client.get_request(asked).await
            });
            let read = read.await;
            if is_so(&read) {
                return read;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to that")
}

/// The days on which the clock stood, each told in three languages by the law that lets it, whose days are assumed.
fn stood(request: &Request) -> Vec<i32> {
    let deadline = request.deadline.as_ref().expect("it is registered");
    assert!(deadline.assumed, "which days stand still is assumed");
    let is_stop = |step: &&Step| step.effect() == StepEffect::Suspended;
    let stops = deadline.steps.iter().filter(is_stop).map(|step| {
        let basis = step.legal_basis.as_ref().expect("a law");
        assert!(basis.provision == "art. 64(6)" && basis.assumed, "{basis:?}");
        let text = step.text.as_ref().expect("a text");
        assert!([&text.kk, &text.ru, &text.en].iter().all(|text| !text.is_empty()));
        step.date.as_ref().expect("a day").day
    });
    stops.collect()
}

#[tokio::test]
async fn who_is_asked_stops_the_clock_of_a_term_whose_law_lets_it_and_every_day_is_told() {
    let desk = Desk::beside(calendar().await).await;
    let official = desk.clients["operator"].clone();
    desk.set_clock(at("2026-04-06T10:00:00+05:00"));
    let submission = SubmitRequestRequest {
        request: Some(application()),
        request_id: id("submission"),
        validate_only: false,
    };
    let accepted = answered(&official, &submission, |mut official, submission| async move {
        official.submit_request(submission).await
    });
    let accepted = accepted.await;
    let registered = until(&desk, &accepted.name, |now| now.state() == RequestState::Registered).await;
    // Fifteen working days from the 7th.
    assert_eq!(registered.due_date, Some(wire::to_date(date(2026, 4, 27))));

    desk.set_clock(at("2026-04-08T10:00:00+05:00"));
    let question = AskClarificationRequest {
        name: accepted.name.clone(),
        defects: vec![Defect {
            field: "items[0].period".into(),
            text: Some(common::LocalizedText {
                ru: "Уточните период".into(),
                ..Default::default()
            }),
        }],
        cure_by: Some(wire::to_date(date(2026, 4, 15))),
        request_id: id("question"),
        ..Default::default()
    };
    answered(&official, &question, |mut official, question| async move {
        official.ask_clarification(question).await
    })
    .await;
    let waiting = until(&desk, &accepted.name, |now| now.due_date != registered.due_date).await;
    assert_eq!(stood(&waiting), [8, 9, 10, 11, 12, 13, 14, 15]);
    // Six of them are working days, and so is none of 1 May.
    assert_eq!(waiting.due_date, Some(wire::to_date(date(2026, 5, 6))));

    desk.set_clock(at("2026-04-10T16:00:00+05:00"));
    let clarification = ProvideClarificationRequest {
        name: accepted.name.clone(),
        clarification: "by a letter".into(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["items".into()],
        }),
        request: Some(Request {
            items: application().items,
            ..Default::default()
        }),
        request_id: id("clarification"),
        ..Default::default()
    };
    answered(&official, &clarification, |mut official, clarification| async move {
        official.provide_clarification(clarification).await
    })
    .await;
    // One job counts anew, and another examines anew.
    let is_back = |now: &Request| now.due_date != waiting.due_date && now.state() == RequestState::Registered;
    let back = until(&desk, &accepted.name, is_back).await;
    assert_eq!(stood(&back), [8, 9, 10]);
    assert_eq!(back.due_date, Some(wire::to_date(date(2026, 4, 30))));
}
