//! What a request comes after: the same document, or the same asked before.

use std::collections::HashSet;

use legalstat_kit::door::folded::folded;
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{self as proto, CheckOutcome, CheckRule, ListRequestsRequest, RequestState, SubmitRequestRequest},
};
use tokio::task::JoinSet;

use super::{
    bodies::{create, ministry},
    stage::{Client, Stage, get, outcome, recorded, request, submission, submit},
};

fn numbered(number: &str, period: &str) -> proto::Request {
    let mut numbered = proto::Request {
        external_number: number.into(),
        ..request()
    };
    (numbered.items[0].period, numbered.items[0].until_period) = (period.into(), String::new());
    numbered
}

async fn accept(client: &mut Client, request: proto::Request) -> proto::Request {
    submit(client, submission(request)).await.expect("it is accepted")
}

fn told(request: &proto::Request) -> proto::EarlierRequest {
    proto::EarlierRequest {
        name: request.name.clone(),
        coupon_number: request.coupon.as_ref().expect("it has one").number.clone(),
        registration_number: request.registration_number.clone(),
    }
}

/// The outcomes of the two checks.
fn outcomes(request: &proto::Request) -> [CheckOutcome; 2] {
    [CheckRule::LikelyDuplicate, CheckRule::Repeated].map(|rule| outcome(request, rule))
}

#[tokio::test]
async fn the_same_document_from_the_same_body_is_accepted_and_names_the_first() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, numbered("12-3/45 М", "2024")).await;
    assert_eq!(outcomes(&first), [CheckOutcome::Passed; 2]);
    assert_eq!((&first.likely_duplicate_of, &first.repeats), (&None, &None));
    for (place, spelled) in ["12-3/45 М", "12 3/45-m"].into_iter().enumerate() {
        let period = format!("{}", 2020 + place);
        let again = accept(&mut edms, numbered(spelled, &period)).await;
        assert_eq!(again.state(), RequestState::Registered);
        assert_eq!(again.likely_duplicate_of, Some(told(&first)), "{spelled}");
        assert_eq!(outcomes(&again), [CheckOutcome::Proposed, CheckOutcome::Passed]);
        assert_eq!(get(&mut edms, &again.name).await.expect("it is there"), again);
    }
    let mut others = vec![
        numbered("12-3/46", "2019"),
        numbered("12-3/45 М", "2018"),
        numbered("12-3/45 М", "2017"),
    ];
    others[1].external_date = Some(common::Date {
        year: 2025,
        month: 2,
        day: 27,
    });
    others[2].requester.as_mut().expect("it has one").bin = "940740000911".into();
    for other in others {
        let accepted = accept(&mut edms, other).await;
        assert_eq!(outcome(&accepted, CheckRule::LikelyDuplicate), CheckOutcome::Passed);
    }
}

#[tokio::test]
async fn the_same_asked_by_the_same_body_is_proposed_with_the_first_that_is_not_closed() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    // What was left without consideration is no answer to anybody.
    let left = accept(&mut operator, recorded(proto::Channel::Paper)).await;
    assert_eq!(left.state(), RequestState::LeftWithoutConsideration);
    let mut edms = stage.client("edms");
    let number = |number: &str| proto::Request {
        external_number: number.into(),
        ..request()
    };
    let first = accept(&mut edms, number("1")).await;
    assert_eq!(outcomes(&first), [CheckOutcome::Passed; 2]);
    for again in ["2", "3"] {
        let again = accept(&mut edms, number(again)).await;
        assert_eq!(again.repeats, Some(told(&first)));
        assert_eq!(outcomes(&again), [CheckOutcome::Passed, CheckOutcome::Proposed]);
        assert_eq!(again.state(), RequestState::Registered);
        let list = ListRequestsRequest {
            external_number: again.external_number.clone(),
            ..Default::default()
        };
        let listed = edms.list_requests(list).await.expect("it lists").into_inner().requests;
        assert_eq!(listed[0].repeats, again.repeats);
    }
}

#[tokio::test]
async fn who_may_not_see_an_earlier_request_does_not_learn_that_there_is_one() {
    let stage = Stage::set().await;
    let first = accept(&mut stage.client("edms"), request()).await;
    let mut kadagalau = stage.client("kadagalau");
    let mut other = proto::Request {
        channel: proto::Channel::Kadagalau.into(),
        ..request()
    };
    other.requester.as_mut().expect("it has one").kind =
        legalstat_proto::calendar::v1::RequesterKind::ProsecutorBody.into();
    let unasked = proto::Request {
        external_number: "unheard of".into(),
        essence: "of a kind that nobody asked for".into(),
        ..other.clone()
    };
    let checks = |request: &proto::Request| request.examination.clone().expect("it was examined").checks;
    let probe = |request: proto::Request| SubmitRequestRequest {
        validate_only: true,
        ..submission(request)
    };
    let asked = submit(&mut kadagalau, probe(other.clone())).await.expect("it is whole");
    assert_eq!(outcomes(&asked), [CheckOutcome::Passed; 2]);
    let mut unasked_items = unasked;
    unasked_items.items[0].period = "2021".into();
    unasked_items.items[0].until_period = String::new();
    let nothing = submit(&mut kadagalau, probe(unasked_items)).await.expect("it is whole");
    assert_eq!(
        checks(&asked),
        checks(&nothing),
        "nothing differs from what is said when there is none"
    );
    let message = submission(other);
    let again = submit(&mut kadagalau, message.clone()).await.expect("it is accepted");
    assert_eq!(outcomes(&again), [CheckOutcome::Passed; 2]);
    assert_eq!((&again.likely_duplicate_of, &again.repeats), (&None, &None));
    assert_eq!(get(&mut kadagalau, &again.name).await.expect("it is there"), again);
    let repeated = submit(&mut kadagalau, message).await.expect("it is answered again");
    assert_eq!(repeated, again, "nor does a repetition tell it");
    let listed = kadagalau.list_requests(ListRequestsRequest::default()).await;
    for listed in listed.expect("it lists").into_inner().requests {
        assert!(
            checks(&listed)
                .iter()
                .all(|check| check.outcome() != CheckOutcome::Proposed)
        );
    }
    let seen = get(&mut stage.client("operator"), &again.name)
        .await
        .expect("it is there");
    assert_eq!(
        outcomes(&seen),
        [CheckOutcome::Proposed; 2],
        "an official decides about it"
    );
    assert_eq!(
        (seen.likely_duplicate_of, seen.repeats),
        (Some(told(&first)), Some(told(&first)))
    );
}

#[tokio::test]
async fn an_earlier_request_whose_bin_was_corrected_is_named_to_the_body_that_has_it_now_and_to_no_other() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, numbered("1", "2024")).await;
    let again = accept(&mut edms, numbered("2", "2024")).await;
    let mut justice = stage.client("justice");
    let seen = get(&mut justice, &again.name).await.expect("it has its BIN");
    assert_eq!(seen.repeats, Some(told(&first)));
    stage
        .execute("ALTER TABLE requests.request DISABLE TRIGGER request_changed")
        .await;
    stage
        .execute("UPDATE requests.request SET requester_bin = '940740000911' WHERE external_number = '1'")
        .await;
    let list = ListRequestsRequest::default();
    let listed = justice.list_requests(list).await.expect("it lists").into_inner();
    let seen = get(&mut justice, &again.name).await.expect("it has its BIN");
    for seen in [&seen, &listed.requests[0]] {
        assert_eq!(seen.name, again.name);
        assert_eq!(seen.repeats, None, "it is another body's now");
    }
    let seen = get(&mut stage.client("operator"), &again.name)
        .await
        .expect("it is there");
    assert_eq!(seen.repeats, Some(told(&first)));
}

#[tokio::test]
async fn of_many_copies_sent_at_the_same_moment_one_is_the_first_and_the_others_name_it() {
    let stage = Stage::set().await;
    let mut sending = JoinSet::new();
    for _ in 0..40 {
        let mut edms = stage.client("edms");
        sending.spawn(async move { accept(&mut edms, request()).await });
    }
    let accepted = sending.join_all().await;
    let firsts: Vec<_> = accepted
        .iter()
        .filter(|one| one.likely_duplicate_of.is_none())
        .collect();
    assert_eq!(firsts.len(), 1);
    let named: HashSet<_> = accepted
        .iter()
        .filter_map(|one| Some((one.likely_duplicate_of.clone()?.name, one.repeats.clone()?.name)))
        .collect();
    assert_eq!(named, HashSet::from([(firsts[0].name.clone(), firsts[0].name.clone())]));
    for one in accepted.iter().filter(|one| one.name != firsts[0].name) {
        assert_eq!(outcomes(one), [CheckOutcome::Proposed; 2]);
    }
}

/// Stores so many requests with the number of those that are there, of another body; nothing was asked in them.
const OF_ANOTHER_BODY: &str = "INSERT INTO requests.request
         (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee, essence,
          language, requester_kind, requester_full_name, requester_bin, requester_postal_address, signatory_full_name,
          signatory_capacity, state, examination_pending, examination_round, examined_at)
     SELECT gen_random_uuid(), accepted_by, accepted_at, gen_random_uuid(), received_at, channel, external_number, external_date,
         addressee, essence, language, requester_kind, 'Another', '940740000911', '', signatory_full_name, signatory_capacity,
         'LEFT_WITHOUT_CONSIDERATION', false, 1, examined_at
     FROM (SELECT * FROM requests.request ORDER BY number LIMIT 1) AS first, generate_series(1, 98)";

#[tokio::test]
async fn of_many_documents_with_one_number_the_last_hundred_are_compared_and_name_the_first() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, request()).await;
    stage.execute(OF_ANOTHER_BODY).await;
    for _ in 0..2 {
        let again = accept(&mut edms, request()).await;
        assert_eq!(again.likely_duplicate_of, Some(told(&first)));
    }
    // The first is not among the last hundred any more, and those that name it soon are not either.
    stage.execute(OF_ANOTHER_BODY).await;
    let again = accept(&mut edms, request()).await;
    assert_eq!(again.likely_duplicate_of, Some(told(&first)));
    for _ in 0..2 {
        stage.execute(OF_ANOTHER_BODY).await;
    }
    let late = accept(&mut edms, request()).await;
    assert_eq!(outcomes(&late), [CheckOutcome::Passed, CheckOutcome::Proposed]);
    assert_eq!(late.repeats, Some(told(&first)), "what was asked is found by itself");
}

#[tokio::test]
async fn who_only_checks_is_told_what_it_would_come_after() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, request()).await;
    let check = SubmitRequestRequest {
        validate_only: true,
        ..submission(request())
    };
    let shown = submit(&mut edms, check).await.expect("it is whole");
    assert_eq!(
        (shown.likely_duplicate_of.clone(), shown.repeats.clone()),
        (Some(told(&first)), Some(told(&first)))
    );
    assert_eq!(outcomes(&shown), [CheckOutcome::Proposed; 2]);
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 1);
}

#[tokio::test]
async fn what_was_found_at_acceptance_stands_when_the_examination_is_completed_later() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, request()).await;
    stage.fakes.set_away(true);
    let received = accept(&mut edms, request()).await;
    assert_eq!(received.state(), RequestState::Received);
    assert_eq!(outcomes(&received), [CheckOutcome::Proposed; 2]);
    stage.fakes.set_away(false);
    let examined = loop {
        let request = get(&mut edms, &received.name).await.expect("it is there");
        if request.state() != RequestState::Received {
            break request;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(examined.state(), RequestState::Registered);
    assert_eq!(outcomes(&examined), [CheckOutcome::Proposed; 2]);
    assert_eq!(examined.likely_duplicate_of, Some(told(&first)));
}

#[tokio::test]
async fn a_number_is_folded_here_as_the_database_folds_it() {
    let stage = Stage::set().await;
    let mut connection = stage.running.superuser().await;
    let mut texts: Vec<String> = ('\u{20}'..='\u{52f}').map(|c| format!("x{c}7")).collect();
    texts.extend(
        [
            "",
            "№ 15–и\u{306}/Қ",
            "ﬁ①Ⅷ",
            "１２-３",
            "\u{2060}a\u{feff}",
            "ǅ",
            "İ",
            "ß",
        ]
        .map(str::to_owned),
    );
    let folded_there: Vec<String> = sqlx::query_scalar(
        "SELECT requests.folded(t) FROM unnest($1::text[]) WITH ORDINALITY AS n (t, at) ORDER BY at",
    )
    .bind(&texts)
    .fetch_all(&mut connection)
    .await
    .expect("it folds");
    let folded_here: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    assert_eq!(folded_here, folded_there);
}

#[tokio::test]
async fn what_is_supplied_later_is_compared_with_what_came_before_and_with_nothing_else() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let first = accept(&mut edms, numbered("1", "2024")).await;
    let mut incomplete = numbered("2", "2024");
    incomplete.items[0].unit = 0;
    let incomplete = accept(&mut edms, incomplete).await;
    assert_eq!(incomplete.state(), RequestState::AwaitingClarification);
    let later = accept(&mut edms, numbered("3", "2023")).await;
    let supplied = proto::ProvideClarificationRequest {
        name: incomplete.name.clone(),
        clarification: "crimes are meant".into(),
        request: Some(proto::Request {
            items: numbered("2", "2024").items,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["items".into()],
        }),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    edms.provide_clarification(supplied).await.expect("it is supplied");
    let registered = loop {
        let stands = get(&mut edms, &incomplete.name).await.expect("it is there");
        if stands.state() == RequestState::Registered {
            break stands;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(registered.repeats, Some(told(&first)));
    assert_eq!(outcomes(&registered), [CheckOutcome::Passed, CheckOutcome::Proposed]);

    // The first is mended to ask for what only the later one asks for: it came before that, and repeats nothing.
    let mended = proto::CorrectRequestRequest {
        name: first.name.clone(),
        request: Some(proto::Request {
            items: numbered("1", "2023").items,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["items".into()],
        }),
        reason: "the clerk mistyped the year".into(),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let mut operator = stage.client("operator");
    operator.correct_request(mended).await.expect("it is mended");
    while stage
        .count("SELECT count(*) FROM requests.request WHERE examination_pending")
        .await
        > 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let first = get(&mut operator, &first.name).await.expect("it is there");
    assert_eq!((&first.items[0].period, &first.repeats), (&"2023".to_owned(), &None));
    assert_eq!(outcome(&later, CheckRule::Repeated), CheckOutcome::Passed);
}
