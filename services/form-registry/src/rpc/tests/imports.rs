//! Importing the figures of an edition: all rows or none.

use legalstat_proto::forms::v1::{
    CreateTotalRuleRequest, ImportObservationsHeader, ImportObservationsRequest, ImportObservationsResponse,
    ObservationRow, ObservationRows, ObservationStatus, TotalRule, import_observations_request::Part,
};
use sqlx::Executor as _;

use super::{
    registers::{basis, code, create_list, day, enter, enter_codes, faults, id, indicator, row_faults},
    *,
};
use crate::domain::key::EditionKey;

pub(super) const NOW: &str = "2026-11-05T05:00:00Z";
pub(super) const JANUARY: &str = "forms/1/editions/2026-M01";

/// Indicators `crimes` by territory and sex, `cases` by neither, territories `75` with parts `7501` and `7502`, and sexes.
pub(super) async fn with_registers(settings: &[(&'static str, &str)]) -> Registry {
    let registry = Registry::start_with(None, NOW, true, settings).await;
    registry.until_whole().await;
    let mut operator = registry.operator();
    create_list(&mut operator, "SEX").await.expect("it is made");
    let sexes = vec![code("T", ""), code("F", "T"), code("M", "T")];
    enter_codes(&mut operator, "SEX", sexes)
        .await
        .expect("they are entered");
    let territories = vec![code("75", ""), code("7501", "75"), code("7502", "75")];
    enter_codes(&mut operator, "KATO", territories)
        .await
        .expect("they are entered");
    let cases = legalstat_proto::forms::v1::Indicator {
        by_territory: false,
        ..indicator("cases", &[])
    };
    enter(&mut operator, "forms/1", vec![indicator("crimes", &["SEX"]), cases])
        .await
        .expect("they are entered");
    registry
}

pub(super) fn row(indicator: &str, territory: &str, sex: &str, value: &str) -> ObservationRow {
    ObservationRow {
        indicator: indicator.into(),
        territory: territory.into(),
        dimensions: vec![sex.into()],
        value: value.into(),
        ..ObservationRow::default()
    }
}

pub(super) fn header(name: &str) -> ImportObservationsHeader {
    ImportObservationsHeader {
        name: name.into(),
        dimensions: vec!["SEX".into()],
        request_id: id(),
        validate_only: false,
    }
}

pub(super) async fn import_with(
    client: &mut Client,
    header: ImportObservationsHeader,
    rows: Vec<ObservationRow>,
) -> Result<ImportObservationsResponse, Status> {
    let part = |part| ImportObservationsRequest { part: Some(part) };
    let batches = rows
        .chunks(700)
        .map(|rows| part(Part::Rows(ObservationRows { rows: rows.to_vec() })));
    let messages: Vec<_> = std::iter::once(part(Part::Header(header))).chain(batches).collect();
    let answer = client.import_observations(tokio_stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

pub(super) async fn import(
    client: &mut Client,
    name: &str,
    rows: Vec<ObservationRow>,
) -> Result<ImportObservationsResponse, Status> {
    import_with(client, header(name), rows).await
}

fn some() -> Vec<ObservationRow> {
    vec![
        row("crimes", "7501", "F", "12.50"),
        row("crimes", "7501", "M", "3"),
        row("cases", "", "", "7"),
    ]
}

#[tokio::test]
async fn an_import_is_stored_once_whatever_its_order_and_takes_the_place_of_the_one_before() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let first = import(&mut operator, JANUARY, some()).await.expect("it is imported");
    assert_eq!((first.name.as_str(), first.revision, first.rows), (JANUARY, 1, 3));
    let mut turned = some();
    turned.reverse();
    turned[2].value = "012.5".into();
    let second = import(&mut operator, JANUARY, turned).await.expect("it is imported");
    assert_eq!(
        second.sha256, first.sha256,
        "the digest is of the figures, not of how they came"
    );
    assert_eq!(registry.count("observation").await, 3);
    let key: EditionKey = JANUARY.parse().expect("a name");
    let mut database = registry.database().await;
    let stored = crate::db::canonical::digest(&mut database, key, 1)
        .await
        .expect("it reads")
        .expect("it has figures");
    assert_eq!(hex::encode(stored), first.sha256);
    let mut other = some();
    other[0].value = "12.51".into();
    let third = import(&mut operator, JANUARY, other).await.expect("it is imported");
    assert_ne!(third.sha256, first.sha256);
    assert_eq!(registry.count("figure_set").await, 1);
    assert_eq!(
        registry
            .count("outbox_event WHERE kind = 'observations.imported'")
            .await,
        3
    );
}

#[tokio::test]
async fn a_trial_checks_everything_and_a_repetition_has_the_same_answer() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let trial = ImportObservationsHeader {
        validate_only: true,
        ..header(JANUARY)
    };
    let tried = import_with(&mut operator, trial, some()).await.expect("it is sound");
    assert_eq!(
        (
            tried.rows,
            registry.count("observation").await,
            registry.count("revision").await
        ),
        (3, 0, 0)
    );
    let header = header(JANUARY);
    let first = import_with(&mut operator, header.clone(), some())
        .await
        .expect("it is imported");
    let again = import_with(&mut operator, header.clone(), some())
        .await
        .expect("it is the same call");
    assert_eq!(again, first);
    assert_eq!(
        registry
            .count("outbox_event WHERE kind = 'observations.imported'")
            .await,
        1
    );
    let answer = import_with(&mut operator, header, vec![row("cases", "", "", "8")]).await;
    refused(answer, Code::InvalidArgument, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn each_row_that_breaks_a_rule_refuses_the_whole_with_row_column_and_reason() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let with = |status: ObservationStatus, value: &str| ObservationRow {
        status: status.into(),
        ..row("crimes", "7502", "M", value)
    };
    for (wrong, expected) in [
        (row("thefts", "7501", "", "1"), (2, "indicator", "UNKNOWN")),
        (row("", "7501", "", "1"), (2, "indicator", "REQUIRED")),
        (row("crimes", "7599", "", "1"), (2, "territory", "UNKNOWN")),
        (row("cases", "7501", "", "1"), (2, "territory", "CONFLICT")),
        (row("crimes", "", "X", "1"), (2, "SEX", "UNKNOWN")),
        (row("cases", "", "F", "1"), (2, "SEX", "CONFLICT")),
        (row("crimes", "", "", "1 000"), (2, "value", "DECIMAL")),
        (row("crimes", "", "", "1,5"), (2, "value", "DECIMAL")),
        (row("crimes", "", "", "many"), (2, "value", "DECIMAL")),
        (row("crimes", "", "", ""), (2, "value", "REQUIRED")),
        (with(ObservationStatus::M, "1"), (2, "status", "STATUS")),
        (with(ObservationStatus::P, ""), (2, "status", "STATUS")),
        (
            ObservationRow {
                status: 99,
                ..row("crimes", "", "", "1")
            },
            (2, "status", "ENUM"),
        ),
        (
            ObservationRow {
                period: "2026-M02".into(),
                ..row("crimes", "", "", "1")
            },
            (2, "period", "PERIOD"),
        ),
        (
            ObservationRow {
                dimensions: Vec::new(),
                ..row("crimes", "", "", "1")
            },
            (2, "dimensions", "OUT_OF_RANGE"),
        ),
        (row("crimes", "75", "F", "2"), (2, "indicator", "DUPLICATE")),
    ] {
        let answer = import(
            &mut operator,
            JANUARY,
            vec![row("crimes", "75", "F", "1"), wrong.clone()],
        )
        .await;
        assert_eq!(row_faults(answer), faults(&[expected]), "{wrong:?}");
    }
    assert_eq!(
        registry.count("observation").await + registry.count("figure_set").await,
        0
    );
}

#[tokio::test]
async fn ten_thousand_faults_are_answered_with_the_first_hundred_and_their_count() {
    let registry = with_registers(&[]).await;
    let mut rows = vec![row("cases", "", "", "1")];
    rows.extend((0..10_000).map(|number| row("crimes", "7501", "F", &format!("no number {number}"))));
    let (count, told) = row_faults(import(&mut registry.operator(), JANUARY, rows).await);
    assert_eq!((count, told.len()), (10_000, 100));
    assert_eq!(told[0], (2, "value".into(), "DECIMAL".into()));
    assert_eq!(told[99].0, 101);
    assert_eq!(registry.count("observation").await, 0);
}

#[tokio::test]
async fn a_total_is_compared_with_the_sum_of_its_parts_where_the_form_says_so() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let rows = |total: &str| {
        vec![
            row("crimes", "75", "T", total),
            row("crimes", "7501", "T", "5"),
            row("crimes", "7502", "T", "6"),
            row("crimes", "7501", "F", "2"),
            row("crimes", "7501", "M", "3"),
        ]
    };
    import(&mut operator, JANUARY, rows("99"))
        .await
        .expect("no rule says so yet");
    for (dimension, total) in [("TERRITORY", "75"), ("SEX", "T")] {
        let rule = TotalRule {
            dimension: dimension.into(),
            total: total.into(),
            valid_from: day("2026-01-01"),
            valid_to: None,
            legal_basis: basis(),
        };
        let request = CreateTotalRuleRequest {
            parent: "forms/1".into(),
            total_rule: Some(rule),
            request_id: id(),
            validate_only: false,
        };
        operator.create_total_rule(request).await.expect("it is made");
    }
    let found = row_faults(import(&mut operator, JANUARY, rows("12")).await);
    assert_eq!(found, faults(&[(1, "value", "TOTAL")]));
    let mut wrong_sex = rows("11");
    wrong_sex[4].value = "4".into();
    let found = row_faults(import(&mut operator, JANUARY, wrong_sex).await);
    assert_eq!(found, faults(&[(2, "value", "TOTAL")]));
    import(&mut operator, JANUARY, rows("11")).await.expect("they add up");
    let mut missing = rows("12");
    missing[2] = ObservationRow {
        value: String::new(),
        status: ObservationStatus::O.into(),
        ..missing[2].clone()
    };
    import(&mut operator, JANUARY, missing)
        .await
        .expect("a sum with a missing part cannot be compared");
}

#[tokio::test]
async fn figures_come_into_an_open_revision_of_a_period_that_ended() {
    let registry = with_registers(&[("LEGALSTAT_IMPORT_ROWS", "3")]).await;
    let mut operator = registry.operator();
    let early = import(&mut operator, "forms/1/editions/2026-M11", some()).await;
    refused(early, Code::FailedPrecondition, "PERIOD_NOT_ENDED");
    let kind = violations(import(&mut operator, "forms/1/editions/2026-Q1", some()).await);
    assert_eq!(kind, pairs(&[("header.name", "PERIOD_KIND")]));
    let four = [some(), vec![row("crimes", "", "", "1")]].concat();
    assert_eq!(
        violations(import(&mut operator, JANUARY, four).await),
        pairs(&[("rows", "TOO_MANY")])
    );
    assert_eq!(
        violations(import(&mut operator, JANUARY, Vec::new()).await),
        pairs(&[("rows", "REQUIRED")])
    );
    let twice = ImportObservationsHeader {
        dimensions: vec!["SEX".into(), "SEX".into()],
        ..header(JANUARY)
    };
    let found = violations(import_with(&mut operator, twice, some()).await);
    assert_eq!(found, pairs(&[("header.dimensions[1]", "DUPLICATE")]));
    let unknown = ImportObservationsHeader {
        dimensions: vec!["AGE".into()],
        ..header(JANUARY)
    };
    let found = violations(import_with(&mut operator, unknown, some()).await);
    assert_eq!(found, pairs(&[("header.dimensions[0]", "UNKNOWN")]));
    import(&mut operator, JANUARY, some()).await.expect("it is imported");
    let mut database = registry.database().await;
    seal(&mut operator, JANUARY).await;
    refused(
        import(&mut operator, JANUARY, some()).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    let changed = database.execute("DELETE FROM forms.figure_set").await;
    assert!(
        changed.is_err_and(|error| error.to_string().contains("only by a correction")),
        "the database refuses it too"
    );
}

#[tokio::test]
async fn an_import_that_breaks_off_or_is_out_of_order_leaves_nothing() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let part = |part| ImportObservationsRequest { part: Some(part) };
    let rows = || part(Part::Rows(ObservationRows { rows: some() }));
    let head = || part(Part::Header(header(JANUARY)));
    for (messages, field) in [
        (vec![rows()], "header"),
        (vec![], "header"),
        (vec![head(), rows(), head()], "header"),
        (vec![head(), part(Part::Rows(ObservationRows::default()))], "rows"),
    ] {
        let answer = operator.import_observations(tokio_stream::iter(messages)).await;
        assert_eq!(violations(answer)[0].0, field);
    }
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    sender.send(head()).await.expect("it is taken");
    sender.send(rows()).await.expect("it is taken");
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut unfinished = tonic::Request::new(stream);
    unfinished.set_timeout(Duration::from_millis(500));
    let answer = operator.import_observations(unfinished).await;
    let code = answer.expect_err("it waits for more rows").code();
    assert!(
        matches!(code, Code::DeadlineExceeded | Code::Cancelled),
        "{code:?}: the service or its client notices first"
    );
    drop(sender);
    assert_eq!(
        registry.count("observation").await + registry.count("revision").await,
        0
    );
}
