//! Retention rules: who enters, approves and ends one, and from when it erases.

use std::time::Duration;

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1 as common,
    requests::v1::{
        ApproveRetentionRuleRequest, CreateRetentionRuleRequest, EndRetentionRuleRequest, GetRetentionRuleRequest,
        ListRetentionRulesRequest, RequestState, RetentionPeriod, RetentionRule, RetentionRuleState,
    },
};
use tonic::Code;

use super::{
    answer_calls::id,
    erasure::until_erased,
    verbs::{Desk, day, leaving},
};

/// A rule for persons, from the day of the stage on.
pub(super) fn rule(days: i32) -> RetentionRule {
    RetentionRule {
        requester_kinds: vec![RequesterKind::Individual.into()],
        period: Some(RetentionPeriod {
            days,
            ..Default::default()
        }),
        legal_basis: Some(common::LegalBasis {
            act: "Order 7".into(),
            provision: "para 2".into(),
            ..Default::default()
        }),
        valid_from: day(2026, 3, 2),
        ..Default::default()
    }
}

fn creating(rule: RetentionRule) -> CreateRetentionRuleRequest {
    CreateRetentionRuleRequest {
        retention_rule: Some(rule),
        reason: "the storage periods of 2026".into(),
        request_id: id(),
        validate_only: false,
    }
}

fn approving(rule: &RetentionRule) -> ApproveRetentionRuleRequest {
    ApproveRetentionRuleRequest {
        name: rule.name.clone(),
        request_id: id(),
        validate_only: false,
    }
}

fn ending(rule: &RetentionRule) -> EndRetentionRuleRequest {
    EndRetentionRuleRequest {
        name: rule.name.clone(),
        reason: "a longer time was ordered".into(),
        request_id: id(),
        validate_only: false,
    }
}

async fn entered(desk: &Desk, rule: RetentionRule) -> RetentionRule {
    let entered = desk
        .stage
        .client("administrator")
        .create_retention_rule(creating(rule))
        .await;
    entered.expect("it is entered").into_inner()
}

/// As if another administrator had entered what is not approved.
async fn by_another(desk: &Desk) {
    desk.stage
        .execute("UPDATE requests.retention_rule SET entered_by = 'another' WHERE approved_by IS NULL")
        .await;
}

/// A rule that one person entered and another approved.
pub(super) async fn approved_rule(desk: &Desk, rule: RetentionRule) -> RetentionRule {
    let entered = entered(desk, rule).await;
    by_another(desk).await;
    let mut administrator = desk.stage.client("administrator");
    let approved = administrator.approve_retention_rule(approving(&entered)).await;
    approved.expect("it is approved").into_inner()
}

async fn get(desk: &Desk, rule: &RetentionRule) -> RetentionRule {
    let name = rule.name.clone();
    let found = desk
        .stage
        .client("auditor")
        .get_retention_rule(GetRetentionRuleRequest {
            name,
            languages: Vec::new(),
        })
        .await;
    found.expect("it is there").into_inner()
}

#[tokio::test]
async fn a_trial_tells_what_a_rule_would_erase_and_which_request_is_the_first() {
    let desk = Desk::open().await;
    let mut left = Vec::new();
    for at in [
        "2026-03-02T10:00:00+05:00",
        "2026-03-03T10:00:00+05:00",
        "2026-03-04T10:00:00+05:00",
    ] {
        desk.set_clock(at);
        let request = desk.of_person().await;
        let leaving = leaving(&request, "OPENLY_AVAILABLE");
        desk.operator()
            .leave_without_consideration(leaving)
            .await
            .expect("it is left");
        left.push(request);
    }
    desk.of_person().await;
    let mut tried = creating(RetentionRule {
        valid_from: day(2026, 4, 3),
        ..rule(30)
    });
    tried.validate_only = true;
    let mut administrator = desk.stage.client("administrator");
    let shown = administrator.create_retention_rule(tried.clone()).await;
    let shown = shown.expect("it could be entered").into_inner();
    assert_eq!((shown.name.as_str(), shown.states.len()), ("", 6));
    let effect = shown.effect.expect("it is told");
    assert_eq!(
        (effect.requests, effect.more, effect.as_of),
        (2, false, day(2026, 4, 3))
    );
    assert_eq!(effect.first_request, left[0].name);
    assert_eq!(
        desk.stage.count("SELECT count(*) FROM requests.retention_rule").await,
        0
    );
    tried.retention_rule.get_or_insert_default().states = vec![RequestState::Answered.into()];
    let shown = administrator.create_retention_rule(tried).await;
    let effect = shown.expect("it could be entered").into_inner().effect;
    assert_eq!(effect.unwrap_or_default().requests, 0);
}

#[tokio::test]
async fn a_rule_erases_nothing_until_another_person_approves_it_nor_before_its_day_nor_once_it_is_ended() {
    let desk = Desk::open().await;
    let mut requests = Vec::new();
    for _ in 0..2 {
        let request = desk.of_person().await;
        let leaving = leaving(&request, "OPENLY_AVAILABLE");
        desk.operator()
            .leave_without_consideration(leaving)
            .await
            .expect("it is left");
        requests.push(request);
    }
    let proposed = entered(&desk, rule(1)).await;
    assert_eq!(proposed.state(), RetentionRuleState::Proposed);
    let mut administrator = desk.stage.client("administrator");
    let own = administrator.approve_retention_rule(approving(&proposed)).await;
    refused(own, Code::FailedPrecondition, "SAME_PERSON");
    desk.set_clock("2026-06-01T10:00:00+05:00");
    // A rule for bodies that is in force shows that the job went its round: its request is erased, and no other.
    let body = desk
        .recorded(super::stage::recorded(legalstat_proto::requests::v1::Channel::Oral))
        .await;
    let of_bodies = RetentionRule {
        requester_kinds: vec![RequesterKind::StateBody.into()],
        valid_from: day(2026, 6, 1),
        ..rule(1)
    };
    let of_bodies = approved_rule(&desk, of_bodies).await;
    desk.set_clock("2026-07-01T10:00:00+05:00");
    until_erased(&desk, &body).await;
    assert_eq!(desk.get(&requests[0]).await.erased, None);

    let ended = administrator
        .end_retention_rule(ending(&proposed))
        .await
        .expect("it is ended")
        .into_inner();
    assert_eq!(
        (ended.state(), ended.ended_by.as_str()),
        (RetentionRuleState::Ended, "administrator")
    );
    let again = administrator
        .end_retention_rule(ending(&proposed))
        .await
        .expect("it is ended")
        .into_inner();
    assert_eq!(again, ended);
    let late = administrator.approve_retention_rule(approving(&proposed)).await;
    refused(late, Code::FailedPrecondition, "WRONG_STATE");
    let later = RetentionRule {
        valid_from: day(2026, 8, 1),
        ..rule(1)
    };
    let later = approved_rule(&desk, later).await;
    let body = desk
        .recorded(super::stage::recorded(legalstat_proto::requests::v1::Channel::Oral))
        .await;
    desk.set_clock("2026-07-31T23:59:59+05:00");
    until_erased(&desk, &body).await;
    assert_eq!(desk.get(&requests[0]).await.erased, None);
    desk.set_clock("2026-08-01T00:00:00+05:00");
    let erased = until_erased(&desk, &requests[1]).await;
    assert_eq!(erased.erased.unwrap_or_default().retention_rule, later.name);
    assert_eq!(get(&desk, &of_bodies).await.state(), RetentionRuleState::Approved);
}

#[tokio::test]
async fn one_rule_at_a_time_is_for_a_kind_of_requester_and_a_state() {
    let desk = Desk::open().await;
    let first = entered(&desk, rule(30)).await;
    let mut administrator = desk.stage.client("administrator");
    let longer = RetentionRule {
        requester_kinds: vec![RequesterKind::LegalEntity.into(), RequesterKind::Individual.into()],
        states: vec![RequestState::Answered.into()],
        ..rule(60)
    };
    let second = administrator.create_retention_rule(creating(longer.clone())).await;
    refused(second, Code::AlreadyExists, "ALREADY_EXISTS");
    let others = RetentionRule {
        requester_kinds: vec![RequesterKind::LegalEntity.into()],
        ..longer.clone()
    };
    entered(&desk, others).await;
    administrator
        .end_retention_rule(ending(&first))
        .await
        .expect("it is ended");
    let of_persons = RetentionRule {
        requester_kinds: vec![RequesterKind::Individual.into()],
        ..longer
    };
    entered(&desk, of_persons).await;

    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = ListRetentionRulesRequest {
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = desk
            .operator()
            .list_retention_rules(message)
            .await
            .expect("they are listed")
            .into_inner();
        listed.extend(page.retention_rules);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let states: Vec<RetentionRuleState> = listed.iter().map(RetentionRule::state).collect();
    assert_eq!(states.len(), 3);
    assert_eq!(
        states
            .iter()
            .filter(|state| **state == RetentionRuleState::Ended)
            .count(),
        1
    );
    let proposed = ListRetentionRulesRequest {
        state: RetentionRuleState::Proposed.into(),
        ..Default::default()
    };
    let proposed = desk
        .operator()
        .list_retention_rules(proposed)
        .await
        .expect("they are listed");
    assert_eq!(proposed.into_inner().retention_rules.len(), 2);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_rule_is_told_at_once() {
    let desk = Desk::open().await;
    let wrong = RetentionRule {
        requester_kinds: vec![RequesterKind::Individual.into(), RequesterKind::Individual.into()],
        states: vec![RequestState::Registered.into()],
        period: Some(RetentionPeriod {
            years: 101,
            months: -1,
            days: 0,
        }),
        legal_basis: Some(common::LegalBasis {
            act: "Order 7".into(),
            uri: "ftp://x".into(),
            assumed: true,
            ..Default::default()
        }),
        valid_from: day(2026, 3, 1),
        valid_to: day(2026, 2, 1),
        created_by: "x".into(),
        ..Default::default()
    };
    let mut message = creating(wrong);
    (message.reason, message.request_id) = (String::new(), "x".into());
    let mut administrator = desk.stage.client("administrator");
    let mut found = violations(administrator.create_retention_rule(message).await);
    found.sort();
    let mut named = pairs(&[
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
        ("retention_rule.created_by", "SET_BY_SERVICE"),
        ("retention_rule.legal_basis.assumed", "CONFLICT"),
        ("retention_rule.legal_basis.provision", "REQUIRED"),
        ("retention_rule.legal_basis.uri", "URI"),
        ("retention_rule.period.months", "OUT_OF_RANGE"),
        ("retention_rule.period.years", "OUT_OF_RANGE"),
        ("retention_rule.requester_kinds[1]", "DUPLICATE"),
        ("retention_rule.states[0]", "ENUM"),
        ("retention_rule.valid_from", "OUT_OF_RANGE"),
        ("retention_rule.valid_to", "RANGE"),
    ]);
    named.sort();
    assert_eq!(found, named);
    let none = CreateRetentionRuleRequest {
        retention_rule: Some(RetentionRule {
            period: Some(RetentionPeriod::default()),
            ..Default::default()
        }),
        ..creating(RetentionRule::default())
    };
    let named = [
        ("retention_rule.requester_kinds", "REQUIRED"),
        ("retention_rule.period", "REQUIRED"),
        ("retention_rule.legal_basis", "REQUIRED"),
        ("retention_rule.valid_from", "REQUIRED"),
    ];
    assert_eq!(
        violations(administrator.create_retention_rule(none).await),
        pairs(&named)
    );
    let denied = desk.operator().create_retention_rule(creating(rule(30))).await;
    assert_eq!(denied.expect_err("not for operators").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_waits_for_a_lock_is_erased_in_a_later_round() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let leaving = leaving(&request, "OPENLY_AVAILABLE");
    desk.operator()
        .leave_without_consideration(leaving)
        .await
        .expect("it is left");
    let mut holder = desk.stage.running.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT id FROM requests.request FOR UPDATE")
        .execute(&mut holder)
        .await
        .expect("it is held");
    approved_rule(&desk, rule(30)).await;
    desk.set_clock("2026-04-02T00:00:01+05:00");
    // The job passes it over and does not wait: a round that waits would hold its connection.
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    for _ in 0..20 {
        assert_eq!(desk.stage.count(waiting).await, 0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sqlx::raw_sql("COMMIT")
        .execute(&mut holder)
        .await
        .expect("it is let go");
    until_erased(&desk, &request).await;
}
