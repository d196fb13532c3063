//! How much a verb takes.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::requests::v1::{CheckReview, CheckRule, Verdict};

use super::verbs::{Desk, forwarding, leaving, question, review};

#[tokio::test]
async fn a_verb_takes_so_many_parts_and_characters_and_no_more() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    let fields: Vec<String> = (0..21).map(|place| format!("items[{place}]")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let answer = operator.ask_clarification(question(&request, &fields)).await;
    assert_eq!(violations(answer), pairs(&[("defects", "TOO_MANY")]));
    let verdict = |place: usize| CheckReview {
        rule: CheckRule::Unit.into(),
        field: format!("items[{place}].unit"),
        verdict: Verdict::Kept.into(),
    };
    let answer = operator
        .review_decision(review(&request, (0..401).map(verdict).collect()))
        .await;
    assert_eq!(violations(answer), pairs(&[("reviews", "TOO_MANY")]));
    let mut left = leaving(&request, &"A".repeat(61));
    left.reason = "б".repeat(2001);
    let answer = operator.leave_without_consideration(left).await;
    assert_eq!(
        violations(answer),
        pairs(&[("ground", "TOO_LONG"), ("reason", "TOO_LONG")])
    );
    let mut forwarded = forwarding(&request, &[]);
    forwarded.to_body = "Б".repeat(501);
    let answer = operator.forward_request(forwarded).await;
    assert_eq!(violations(answer), pairs(&[("to_body", "TOO_LONG")]));
    let mut most = leaving(&request, "OPENLY_AVAILABLE");
    most.reason = "б".repeat(2000);
    operator.leave_without_consideration(most).await.expect("it is left");
}
