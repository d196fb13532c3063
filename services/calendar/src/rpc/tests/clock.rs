//! Terms whose registration is settled, and terms whose clock was stopped.

use std::time::Duration;

use legalstat_local::testing::refusals::{metadata, refused, violations};

use super::*;
use crate::domain::{self, RuleSet};

fn wire(instant: &str) -> Option<prost_types::Timestamp> {
    let instant = instant.parse::<Timestamp>().expect("an instant");
    Some(legalstat_kit::door::wire::to_timestamp(instant))
}

fn suspension(stopped_at: &str, restarted_at: &str) -> Suspension {
    Suspension {
        stopped_at: wire(stopped_at),
        restarted_at: wire(restarted_at),
    }
}

fn start(term: &str, received_at: &str) -> TermStart {
    TermStart {
        rule: Some(Rule::Term(term.into())),
        received_at: wire(received_at),
        ..TermStart::default()
    }
}

fn request(start: TermStart) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(start)),
        ..Default::default()
    }
}

/// A term of three working days whose clock may be stopped, brought by an act of its own.
fn stoppable() -> RuleSet {
    let embedded = embedded_rules().expect("the registers");
    let mut act = embedded.acts[0].clone();
    act.id = "stoppable".into();
    let mut term = embedded.terms[2].clone();
    term.name = "stoppable".into();
    term.source.act = "stoppable".into();
    term.base.length = 3;
    let code = embedded.act("code-350-vi").expect("the Code is embedded");
    term.suspension = Some(code.cite("art. 70", domain::Grade::D));
    RuleSet {
        acts: vec![act],
        terms: vec![term],
        ..RuleSet::default()
    }
}

async fn terms(service: &Running) -> Vec<Term> {
    let listed = public(service).list_terms(ListTermsRequest::default()).await;
    listed.expect("terms").into_inner().terms
}

/// Stores the term that may be stopped, and waits until the service has taken it over.
async fn store_stoppable(service: &Running) {
    let loaded = crate::db::reference::load(&service.context(|| NOW), &stoppable()).await;
    loaded.expect("stored");
    let taken_over = async {
        while terms(service).await.len() < 6 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, taken_over).await.expect("taken over");
}

#[tokio::test]
async fn a_clock_is_stopped_where_the_term_shows_the_law_for_it() {
    let service = running().await;
    assert!(terms(&service).await.iter().all(|term| term.suspension_basis.is_none()));
    store_stoppable(&service).await;
    let listed = terms(&service).await;
    let bases = listed.iter().filter_map(|term| term.suspension_basis.clone());
    let bases: Vec<_> = bases.map(|basis| (basis.act, basis.provision, basis.assumed)).collect();
    assert_eq!(bases, [("Code 350-VI".to_owned(), "art. 70".to_owned(), true)]);

    let stopped = TermStart {
        suspensions: vec![suspension("2026-02-03T10:00:00Z", "2026-02-04T10:00:00Z")],
        ..start("terms/stoppable", "2026-02-02T05:00:00Z")
    };
    let answer = public(&service).compute_deadline(request(stopped)).await;
    let deadline = answer.expect("a deadline").into_inner();
    assert_eq!((deadline.due_date, deadline.assumed), (date(2026, 2, 9), true));
    let effects: Vec<_> = deadline.steps.iter().map(Step::effect).collect();
    use StepEffect::{Counted, Due, Skipped, Start, Suspended};
    assert_eq!(
        effects,
        [Start, Suspended, Suspended, Counted, Counted, Skipped, Skipped, Due]
    );
    let basis = deadline.steps[1].legal_basis.clone().expect("a law");
    assert_eq!(
        (basis.act.as_str(), basis.provision.as_str()),
        ("Code 350-VI", "art. 70")
    );
    let text = deadline.steps[1].text.clone().expect("a text");
    assert!([text.kk, text.ru, text.en].iter().all(|text| !text.is_empty()));

    let running = request(start("terms/stoppable", "2026-02-02T05:00:00Z"));
    let running = public(&service).compute_deadline(running).await;
    let running = running.expect("a deadline").into_inner();
    assert_eq!((running.due_date, running.assumed), (date(2026, 2, 5), false));
}

#[tokio::test]
async fn a_suspension_of_a_term_that_knows_none_is_refused() {
    let service = running().await;
    let stopped = request(TermStart {
        suspensions: vec![suspension("2025-03-17T10:00:00Z", "2025-03-18T10:00:00Z")],
        ..start("terms/application-2021", "2025-03-14T05:00:00Z")
    });
    let refused = public(&service).compute_deadline(stopped.clone()).await;
    let refused = refused.expect_err("no law lets it stop");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "ERROR_REASON_SUSPENSION_NOT_ALLOWED")
    );
    let details = refused.get_error_details();
    let metadata = &details.error_info().expect("every refusal has one").metadata;
    assert_eq!(metadata["resource"], "terms/application-2021");

    let mut operator = CalendarServiceClient::new(service.channel(Some("operator")));
    let batch = BatchComputeDeadlinesRequest {
        requests: vec![obligation("2019-M03", 5), stopped],
        ..Default::default()
    };
    let refused = operator
        .batch_compute_deadlines(batch)
        .await
        .expect_err("one is refused");
    assert_eq!(reason(&refused), "ERROR_REASON_SUSPENSION_NOT_ALLOWED");
}

#[tokio::test]
async fn a_stop_of_the_clock_counts_where_the_term_lets_it_stop_and_for_nothing_where_it_does_not() {
    let service = running().await;
    store_stoppable(&service).await;
    let stop = || vec![suspension("2026-02-03T10:00:00Z", "2026-02-04T10:00:00Z")];
    let ends = async |start: TermStart| {
        let answer = public(&service).compute_deadline(request(start)).await;
        let deadline = answer.expect("a deadline").into_inner();
        let stood = deadline.steps.iter().any(|step| step.effect() == StepEffect::Suspended);
        (deadline.due_date, stood)
    };
    let of = |term: &str| start(term, "2026-02-02T05:00:00Z");
    let refusable = TermStart {
        suspensions: stop(),
        ..of("terms/stoppable")
    };
    let stopped = |term: &str| TermStart {
        clock_stops: stop(),
        ..of(term)
    };
    let running = ends(of("terms/stoppable")).await;
    assert_ne!(ends(stopped("terms/stoppable")).await, running);
    assert_eq!(ends(stopped("terms/stoppable")).await, ends(refusable).await);
    let unstoppable = ends(of("terms/application-2026")).await;
    assert_eq!(ends(stopped("terms/application-2026")).await, unstoppable);
    assert!(!unstoppable.1);
}

#[tokio::test]
async fn stops_of_the_clock_are_read_as_suspensions_are_and_not_together_with_them() {
    let service = running().await;
    let both = TermStart {
        suspensions: vec![suspension("2026-02-03T10:00:00Z", "2026-02-04T10:00:00Z")],
        clock_stops: vec![suspension("2026-02-05T10:00:00Z", "2026-02-05T10:00:00Z")],
        ..start("terms/application-2026", "2026-02-02T05:00:00Z")
    };
    let refused = public(&service).compute_deadline(request(both)).await;
    let refused = refused.expect_err("two violations");
    assert_eq!(
        fields(&refused),
        [
            "term_start.clock_stops[0].restarted_at".to_owned(),
            "term_start.clock_stops".to_owned()
        ]
    );
}

#[tokio::test]
async fn suspensions_out_of_order_are_refused_with_every_violation() {
    let service = running().await;
    let received_at = "2026-02-02T05:00:00Z";
    let with = |suspensions| TermStart {
        suspensions,
        ..start("terms/application-2026", received_at)
    };
    let (second, third, fourth) = ("2026-02-02T10:00:00Z", "2026-02-03T10:00:00Z", "2026-02-04T10:00:00Z");
    let half = Suspension {
        stopped_at: None,
        restarted_at: wire(third),
    };
    for (suspensions, expected) in [
        (vec![Suspension::default()], vec!["[0].stopped_at", "[0].restarted_at"]),
        (vec![suspension("2026-02-02T04:59:59Z", third)], vec!["[0].stopped_at"]),
        (vec![suspension(third, third)], vec!["[0].restarted_at"]),
        (
            vec![suspension(fourth, third), half],
            vec!["[0].restarted_at", "[1].stopped_at"],
        ),
        (
            vec![suspension(second, fourth), suspension(third, fourth)],
            vec!["[1].stopped_at"],
        ),
        (
            vec![suspension(third, fourth), suspension(second, third)],
            vec!["[1].stopped_at"],
        ),
        (
            vec![
                suspension(second, third),
                suspension(third, "9999-12-30T00:00:00Z"),
                suspension(third, fourth),
            ],
            vec!["[2].stopped_at"],
        ),
        (vec![suspension(second, third); 101], vec![""]),
    ] {
        let refused = public(&service).compute_deadline(request(with(suspensions))).await;
        let expected: Vec<_> = expected
            .iter()
            .map(|field| format!("term_start.suspensions{field}"))
            .collect();
        assert_eq!(fields(&refused.expect_err("wrong")), expected);
    }
    // Sound ones get as far as the law.
    let sound = with(vec![suspension(second, third), suspension(third, fourth)]);
    let refused = public(&service)
        .compute_deadline(request(sound))
        .await
        .expect_err("no law");
    assert_eq!(reason(&refused), "ERROR_REASON_SUSPENSION_NOT_ALLOWED");
}

#[tokio::test]
async fn an_answer_given_its_own_registration_stays_the_same_and_another_one_moves_it() {
    let service = running().await;
    let mut client = public(&service);
    let first = client
        .compute_deadline(request(start("terms/application-2026", "2026-01-30T19:00:00+05:00")))
        .await
        .expect("a deadline")
        .into_inner();
    assert_eq!(
        (first.registered_on, first.due_date),
        (date(2026, 2, 2), date(2026, 2, 23))
    );
    let settled = |registered_on| {
        request(TermStart {
            registered_on,
            ..start("terms/application-2026", "2026-01-30T19:00:00+05:00")
        })
    };
    let again = client.compute_deadline(settled(first.registered_on)).await;
    assert_eq!(again.expect("a deadline").into_inner(), first);
    let later = client.compute_deadline(settled(date(2026, 2, 3))).await;
    assert_eq!(later.expect("a deadline").into_inner().due_date, date(2026, 2, 24));

    for (registered_on, expected) in [
        (date(2026, 1, 29), "ERROR_REASON_INVALID_FIELDS"),
        (date(2026, 2, 30), "ERROR_REASON_INVALID_FIELDS"),
        (date(2037, 1, 1), "ERROR_REASON_YEAR_OUT_OF_RANGE"),
    ] {
        let refused = client
            .compute_deadline(settled(registered_on))
            .await
            .expect_err(expected);
        assert_eq!(reason(&refused), expected);
        if expected == "ERROR_REASON_INVALID_FIELDS" {
            assert_eq!(fields(&refused), ["term_start.registered_on"]);
        }
    }
}

#[tokio::test]
async fn the_days_of_kurban_ait_2024_carry_its_key_and_how_often_it_was_moved() {
    let service = running().await;
    for (known_at, day, revision) in [
        ("2024-06-01T00:00:00+05:00", "days/2024-06-17", 0),
        ("2024-06-08T00:00:00+05:00", "days/2024-06-16", 1),
    ] {
        let request = GetDayRequest {
            name: day.into(),
            as_known_at: wire(known_at),
            languages: Vec::new(),
        };
        let day = public(&service).get_day(request).await.expect("a day").into_inner();
        let reason = day.reasons.last().expect("a reason");
        assert_eq!((reason.key.as_str(), reason.revision), ("kurban-ait", revision));
    }
}

#[tokio::test]
async fn the_table_keeps_a_law_of_suspension_whole_or_not_at_all() {
    let service = running().await;
    let mut connection = service.superuser().await;
    for half in ["suspension_provision = 'art. 70'", "suspension_assumed = false"] {
        let update = format!("UPDATE calendar.term_rule SET {half}");
        let refused = sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut connection).await;
        let refused = refused.expect_err("half a law");
        let constraint = refused.as_database_error().and_then(|error| error.constraint());
        assert_eq!(constraint, Some("term_rule_suspension"));
    }
}

#[tokio::test]
async fn a_time_of_a_term_is_asked_for_with_the_day_from_which_it_counts() {
    let service = running().await;
    let day = |month, day| date(2026, month, day);
    let part = |part: TermPart, counted_from, until| TermStart {
        part: part.into(),
        counted_from,
        until,
        ..start("terms/application-2026", "2026-03-02T10:00:00+05:00")
    };
    let mut calendar = public(&service);
    let extended = part(TermPart::Extension, day(3, 12), day(4, 20));
    let extended = calendar
        .compute_deadline(request(extended))
        .await
        .expect("computed")
        .into_inner();
    assert_eq!((extended.due_date, extended.part()), (day(4, 20), TermPart::Extension));
    let beyond = part(TermPart::Extension, day(3, 12), day(6, 1));
    let beyond = calendar.compute_deadline(request(beyond)).await;
    let beyond = refused(beyond, Code::OutOfRange, "EXTENSION_TOO_LONG");
    assert_eq!(metadata(&beyond, "latest"), "2026-05-12");
    let body = TermStart {
        rule: Some(Rule::Term("terms/state-body".into())),
        ..part(TermPart::Forwarding, None, None)
    };
    refused(
        calendar.compute_deadline(request(body)).await,
        Code::OutOfRange,
        "NO_TERM_APPLIES",
    );
    for (faulty, field, reason) in [
        (part(TermPart::Extension, None, None), "counted_from", "REQUIRED"),
        (part(TermPart::Forwarding, day(3, 12), None), "counted_from", "CONFLICT"),
        (part(TermPart::Extension, day(3, 1), None), "counted_from", "RANGE"),
        (
            part(TermPart::ExtensionNotice, day(3, 12), day(4, 1)),
            "until",
            "CONFLICT",
        ),
        (part(TermPart::Extension, day(3, 12), day(3, 12)), "until", "RANGE"),
    ] {
        let answer = calendar.compute_deadline(request(faulty)).await;
        assert_eq!(violations(answer), [(format!("term_start.{field}"), reason.to_owned())]);
    }
}
