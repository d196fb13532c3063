//! Why an edition is due on its day.

use std::time::Instant;

use legalstat_proto::{
    calendar::v1::StepEffect,
    forms::v1::{EditionView, GetEditionRequest},
};

use super::{
    schedule::{NOW, get},
    *,
};

#[tokio::test]
async fn an_edition_tells_why_it_is_due_on_its_day_and_says_so_when_the_calendar_is_away() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    // 7 November 2026 is a Saturday.
    let edition = get(&mut client, "forms/7/editions/2026-M10")
        .await
        .expect("it is scheduled");
    let told: Vec<StepEffect> = edition.due_date_steps.iter().map(|step| step.effect()).collect();
    assert_eq!(told.last(), Some(&StepEffect::Due));
    assert!(told.contains(&StepEffect::Rolled), "{told:?}");
    assert_eq!(
        edition.due_date_steps.last().map(|step| step.date),
        Some(edition.due_date)
    );
    assert_eq!(edition.due_date_steps_missing, "");
    let laws: Vec<String> = edition
        .due_date_steps
        .iter()
        .filter_map(|step| Some(step.legal_basis.clone()?.provision))
        .collect();
    assert!(laws.contains(&"Appendix 2, No. 7".to_owned()), "{laws:?}");
    let basic = GetEditionRequest {
        name: edition.name.clone(),
        view: EditionView::Basic.into(),
        languages: Vec::new(),
    };
    let basic = client.get_edition(basic).await.expect("it is scheduled").into_inner();
    assert!(basic.due_date_steps.is_empty() && basic.due_date_steps_missing.is_empty());

    registry.calendar.shut();
    let without = get(&mut client, &edition.name)
        .await
        .expect("the rest is told all the same");
    assert_eq!(without.due_date_steps_missing, "the calendar is away; ask again");
    assert_eq!(
        Edition {
            due_date_steps_missing: String::new(),
            ..without
        },
        basic
    );
}

#[tokio::test]
async fn the_log_does_not_grow_with_how_often_an_edition_is_read_while_the_calendar_is_away() {
    const CALLS: u64 = 100;
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    registry.calendar.shut();
    let (lines, began) = (tempfile::NamedTempFile::new().expect("a file"), Instant::now());
    let written = Mutex::new(lines.reopen().expect("it opens"));
    let log = tracing_subscriber::fmt().with_writer(written).finish();
    let logging = tracing::subscriber::set_default(log);
    for _ in 0..CALLS {
        let edition = get(&mut client, "forms/7/editions/2026-M10").await;
        let edition = edition.expect("the rest is told all the same");
        assert_eq!(edition.due_date_steps_missing, "the calendar is away; ask again");
    }
    drop(logging);
    let text = std::fs::read_to_string(lines.path()).expect("it is text");
    let told = text.matches("a due date is not explained").count() as u64;
    // A line cut and one that nobody takes are two kinds, each of which is told again after ten seconds.
    assert!(told <= 3 * (1 + began.elapsed().as_secs() / 10), "{told} lines: {text}");
}
