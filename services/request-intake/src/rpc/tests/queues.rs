//! What waits for officials: requests that nobody has, and answers that nobody has approved.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::requests::v1::ListRequestsRequest;

use super::{
    answer_calls::{UNTOLD, approval, approve, draft, draft_of, item, read, registered, update},
    held::INDICATOR,
    lists::{accept, assign},
    stage::{Stage, request},
    visibility::listed,
};

#[tokio::test]
async fn what_nobody_has_and_what_waits_for_an_approval_is_found_from_state_to_state() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let other = accept(&mut stage.client("edms"), request()).await;
    let mut operator = stage.client("operator");
    let unassigned = |order: &str| ListRequestsRequest {
        unassigned: true,
        order_by: order.into(),
        ..Default::default()
    };
    let awaiting = |order: &str| ListRequestsRequest {
        awaiting_approval: true,
        order_by: order.into(),
        ..Default::default()
    };
    for order in ["", "due_date", "received_at desc", "update_time"] {
        assert_eq!(listed(&mut operator, unassigned(order)).await.len(), 2, "{order}");
        assert!(listed(&mut operator, awaiting(order)).await.is_empty(), "{order}");
    }
    assign(&mut operator, &other, "aliya").await;
    assert_eq!(
        listed(&mut operator, unassigned("")).await,
        std::slice::from_ref(&asked.name)
    );

    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    for order in ["", "due_date", "number"] {
        assert_eq!(
            listed(&mut operator, awaiting(order)).await,
            std::slice::from_ref(&asked.name),
            "{order}"
        );
    }
    assert!(
        listed(&mut stage.client("edms"), awaiting("")).await.is_empty(),
        "drafts are for officials"
    );
    let mut approver = stage.client("approver");
    approve(&mut approver, approval(&drafted, UNTOLD))
        .await
        .expect("it is approved");
    assert!(listed(&mut operator, awaiting("")).await.is_empty());
    let approved = read(&mut operator, &asked).await.expect("it is there");
    update(&mut operator, &approved).await.expect("it is edited");
    assert_eq!(
        listed(&mut approver, awaiting("")).await,
        std::slice::from_ref(&asked.name),
        "nobody approved this version"
    );

    let both = ListRequestsRequest {
        assignee: "aliya".into(),
        ..unassigned("")
    };
    assert_eq!(
        violations(operator.list_requests(both).await),
        pairs(&[("unassigned", "CONFLICT")])
    );
}
