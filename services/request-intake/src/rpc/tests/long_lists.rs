//! Pages of long lists: how far each looks, and what its token tells.

use std::collections::BTreeSet;

use legalstat_proto::requests::v1::{ListRequestsRequest, RequestState};

use super::{
    bodies::BIN,
    lists::{accept, pages},
    stage::{Stage, request},
};

#[tokio::test]
async fn a_page_that_has_looked_through_enough_is_short_and_says_where_to_go_on() {
    let stage = Stage::set().await;
    let sought = legalstat_proto::requests::v1::Request {
        essence: "needle".into(),
        ..request()
    };
    let sought = accept(&mut stage.client("edms"), sought).await;
    accept(&mut stage.client("edms"), request()).await;
    // More than a page looks through, newer than what is sought.
    stage
        .execute(
            "INSERT INTO requests.request
                 (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
                  essence, language, requester_kind, requester_full_name, requester_postal_address, state,
                  examination_pending, examination_round, examined_at)
             SELECT gen_random_uuid(), 'edms', accepted_at, 'copy-' || n, received_at, channel, external_number,
                 external_date, addressee, essence, language, requester_kind, requester_full_name,
                 requester_postal_address, 'AWAITING_CLARIFICATION', false, 1, examined_at
             FROM requests.request, generate_series(1, 12000) AS n WHERE essence <> 'needle'",
        )
        .await;
    for caller in ["operator", "edms"] {
        let mut client = stage.client(caller);
        let mut message = ListRequestsRequest {
            words: "needle".into(),
            ..Default::default()
        };
        let first = client
            .list_requests(message.clone())
            .await
            .expect("it lists")
            .into_inner();
        assert!(
            first.requests.is_empty() && !first.next_page_token.is_empty(),
            "{caller}"
        );
        message.page_token = first.next_page_token;
        let second = client.list_requests(message).await.expect("it lists").into_inner();
        assert_eq!(second.requests.len(), 1, "{caller}");
        assert_eq!(second.requests[0].name, sought.name);
        assert!(
            second.next_page_token.is_empty(),
            "{caller}: everything is looked through"
        );
    }
}

/// Stores so many requests that this caller brought, as copies of the one that is there.
async fn brought(stage: &Stage, caller: &str, count: i32) {
    let mut connection = stage.running.superuser().await;
    sqlx::query(
        "INSERT INTO requests.request
             (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
              essence, language, requester_kind, requester_full_name, requester_bin, requester_postal_address, state,
              examination_pending, examination_round, examined_at)
         SELECT gen_random_uuid(), $1, accepted_at, gen_random_uuid(), received_at + n * interval '1 microsecond', channel,
             external_number, external_date, addressee, essence, language, requester_kind, requester_full_name, requester_bin,
             requester_postal_address, 'AWAITING_CLARIFICATION', false, 1, examined_at
         FROM (SELECT * FROM requests.request ORDER BY number LIMIT 1) AS first, generate_series(-$2, -1) AS n",
    )
    .bind(caller)
    .bind(count)
    .execute(&mut connection)
    .await
    .expect("they are stored");
}

/// The number of the request whose place a token holds.
fn number_in(token: &str) -> i64 {
    let bytes = hex::decode(token).expect("it is hexadecimal");
    let key = String::from_utf8(bytes[8..].to_vec()).expect("it is a text");
    key.rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[tokio::test]
async fn where_a_page_ends_tells_nothing_of_what_its_caller_does_not_see() {
    let stage = Stage::set().await;
    accept(&mut stage.client("edms"), request()).await;
    brought(&stage, "kadagalau", 10_001).await;
    brought(&stage, "edms", 10_001).await;
    let of_bin = ListRequestsRequest {
        identification_number: BIN.into(),
        words: "needle".into(),
        ..Default::default()
    };
    // Nobody: it brought nothing and is no body.
    let page = stage.client("stranger-body").list_requests(of_bin.clone()).await;
    let page = page.expect("it lists").into_inner();
    assert_eq!((page.requests.len(), page.next_page_token.as_str()), (0, ""));
    let mut kadagalau = stage.client("kadagalau");
    for order_by in ["number", "received_at", "received_at desc", "update_time"] {
        let mut message = ListRequestsRequest {
            order_by: order_by.into(),
            ..of_bin.clone()
        };
        let mut pages = 0;
        loop {
            let page = kadagalau
                .list_requests(message.clone())
                .await
                .expect("it lists")
                .into_inner();
            if page.next_page_token.is_empty() {
                break;
            }
            pages += 1;
            let number = number_in(&page.next_page_token);
            assert!((2..=10_002).contains(&number), "{order_by}: {number} is another's");
            message.page_token = page.next_page_token;
        }
        assert!(pages > 0, "{order_by}");
    }
}

#[tokio::test]
async fn words_are_looked_for_in_so_much_text_at_most_and_the_page_says_where_to_go_on() {
    let stage = Stage::set().await;
    accept(&mut stage.client("edms"), request()).await;
    brought(&stage, "edms", 200).await;
    // Some of a megabyte each, in items that do not stand in what is listed.
    stage
        .execute(
            "INSERT INTO requests.item (request, position, kind, description)
             SELECT r.id, p, 'STATISTICS', repeat('сведения ', 444) FROM requests.request AS r, generate_series(1, 99) AS p
             WHERE r.number > 1",
        )
        .await;
    for order_by in ["number", "received_at"] {
        for caller in ["operator", "edms"] {
            let mut message = ListRequestsRequest {
                words: "needle".into(),
                order_by: order_by.into(),
                ..Default::default()
            };
            let (mut pages, mut client) = (1, stage.client(caller));
            loop {
                let page = client
                    .list_requests(message.clone())
                    .await
                    .expect("it lists")
                    .into_inner();
                assert!(page.requests.is_empty());
                if page.next_page_token.is_empty() {
                    break;
                }
                pages += 1;
                message.page_token = page.next_page_token;
            }
            assert!((5..50).contains(&pages), "{caller} by {order_by}: {pages}");
        }
    }
}

#[tokio::test]
async fn what_two_ways_lead_to_is_listed_once_across_pages() {
    let stage = Stage::set().await;
    let first = accept(&mut stage.client("edms"), request()).await;
    brought(&stage, "edms", 12_000).await;
    stage
        .execute("ALTER TABLE requests.request DISABLE TRIGGER request_changed")
        .await;
    // The second stands where the requests of one state that are looked through end behind those of both.
    stage
        .execute("UPDATE requests.request SET essence = 'needle' WHERE number IN (5, 5001, 11990)")
        .await;
    let message = ListRequestsRequest {
        states: vec![
            RequestState::AwaitingClarification.into(),
            RequestState::Registered.into(),
        ],
        words: "needle".into(),
        order_by: "number".into(),
        ..Default::default()
    };
    assert_eq!(first.state(), RequestState::Registered);
    let found = pages(&mut stage.client("operator"), message).await;
    let once: BTreeSet<&String> = found.iter().collect();
    assert_eq!((found.len(), once.len()), (3, 3));
}

#[tokio::test]
async fn what_is_owed_is_listed_by_due_date_however_much_is_owed_and_was_answered_before() {
    let stage = Stage::set().await;
    accept(&mut stage.client("edms"), request()).await;
    // The oldest due dates are of answered ones: more of them than a page looks through, and of open ones more than are sorted.
    stage
        .execute(
            "INSERT INTO requests.request
                 (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
                  essence, language, requester_kind, requester_full_name, requester_postal_address, state,
                  examination_pending, examination_round, examined_at, registration_number, registered_on, due_date, due_time,
                  due_provisional, due_assumed, due_calendar_version, due_term)
             SELECT gen_random_uuid(), accepted_by, accepted_at, 'copy-' || n, received_at, channel, external_number,
                 external_date, addressee, essence, language, requester_kind, requester_full_name, requester_postal_address,
                 CASE WHEN n <= 10000 THEN 'ANSWERED' WHEN n % 2 = 0 THEN 'REGISTERED' ELSE 'IN_PREPARATION' END, false, 1,
                 examined_at, 'copy-' || n, registered_on, due_date - 100 + n / 300, due_time - interval '100 days',
                 due_provisional, due_assumed, due_calendar_version, due_term
             FROM requests.request, generate_series(1, 20002) AS n",
        )
        .await;
    stage.execute("ANALYZE requests.request").await;
    let by_due_date = ListRequestsRequest {
        order_by: "due_date".into(),
        page_size: 50,
        ..Default::default()
    };
    let mut operator = stage.client("operator");
    for (what, message) in [
        (
            "of a state",
            ListRequestsRequest {
                state: RequestState::Registered.into(),
                ..by_due_date.clone()
            },
        ),
        (
            "of all that wait",
            ListRequestsRequest {
                states: vec![RequestState::Registered.into(), RequestState::InPreparation.into()],
                ..by_due_date.clone()
            },
        ),
        (
            "overdue",
            ListRequestsRequest {
                overdue: true,
                ..by_due_date.clone()
            },
        ),
    ] {
        let page = operator.list_requests(message).await.expect("it lists").into_inner();
        assert_eq!(page.requests.len(), 50, "{what}: the first page is full");
        assert!(!page.next_page_token.is_empty(), "{what}");
    }
}
