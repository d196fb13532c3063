//! Imports that are large, many or odd: what they take of memory, and that their digest is what it always was.

use legalstat_kit::door::wire;
use legalstat_proto::forms::v1::{
    ImportObservationsRequest, Indicator, ObservationRow, ObservationRows, ObservationStatus,
    import_observations_request::Part as ImportPart,
};
use sqlx::Executor as _;
use tokio_stream::StreamExt as _;

use super::{
    imports::{JANUARY, header, import, import_with, row, with_registers},
    registers::{code, create_list, enter, enter_codes, faults, id, indicator, row_faults},
    resume::peak,
    *,
};

const FEBRUARY: &str = "forms/1/editions/2026-M02";

/// The digest as the contract tells it: of the lines of the figures, in the order of their texts.
fn told(rows: &[ObservationRow], dimensions: &[&str]) -> String {
    let lines = rows.iter().map(|row| {
        let mut parts: Vec<String> = dimensions
            .iter()
            .zip(&row.dimensions)
            .filter(|(_, code)| !code.is_empty())
            .map(|(id, code)| format!("{id}={code}"))
            .collect();
        parts.sort();
        let letter = if row.value.is_empty() { "M" } else { "A" };
        let value = match row.value.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
            Some(_) => row.value.trim_end_matches('0'),
            None => &row.value,
        };
        let key = [row.indicator.clone(), row.territory.clone(), parts.join(";")];
        (key, format!("{letter}\t{value}\n"))
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    let lines = lines.iter().map(|(key, rest)| format!("{}\t{rest}", key.join("\t")));
    hex::encode(wire::sha256(lines.collect::<String>().as_bytes()))
}

#[tokio::test]
async fn the_digest_of_an_import_and_of_what_is_stored_is_that_of_the_lines_in_the_order_of_their_bytes() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    create_list(&mut operator, "AGE").await.expect("it is made");
    let odd = ["10", "9", "A", "a", "a-1", "a.1", "a_1", "a1", "Z"];
    for list in ["AGE", "SEX", "KATO"] {
        let codes = odd.map(|text| code(text, "")).to_vec();
        enter_codes(&mut operator, list, codes).await.expect("they are entered");
    }
    let several = |code: &str| Indicator {
        ..indicator(code, &["SEX", "AGE"])
    };
    let indicators = ["i10", "i9", "I", "i-1", "i"].map(several).to_vec();
    enter(&mut operator, "forms/1", indicators)
        .await
        .expect("they are entered");
    let (mut rows, mut dice) = (Vec::new(), 2026_u64);
    let mut roll = |most: usize| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).expect("it fits") % most
    };
    for indicator in ["i10", "i9", "I", "i-1", "i"] {
        for territory in ["", "75", "10", "9", "a", "A", "a-1", "a_1"] {
            for sex in ["", "F", "M", "a.1", "a-1", "a1"] {
                for age in ["", "10", "9", "Z", "a"] {
                    if roll(3) == 0 {
                        continue;
                    }
                    let value = match roll(4) {
                        0 => String::new(),
                        1 => format!("{}", roll(1000)),
                        2 => format!("-{}.{:03}", 1 + roll(1000), roll(1000)),
                        _ => format!("{}.{}00", roll(1_000_000), roll(10)),
                    };
                    let status = if value.is_empty() {
                        ObservationStatus::M
                    } else {
                        ObservationStatus::A
                    };
                    rows.push(ObservationRow {
                        dimensions: vec![sex.into(), age.into()],
                        status: status.into(),
                        ..row(indicator, territory, "", &value)
                    });
                }
            }
        }
    }
    for at in (1..rows.len()).rev() {
        rows.swap(at, roll(at + 1));
    }
    let header = legalstat_proto::forms::v1::ImportObservationsHeader {
        dimensions: vec!["SEX".into(), "AGE".into()],
        ..header(JANUARY)
    };
    let expected = told(&rows, &header.dimensions.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(rows.len() > 500);
    let imported = import_with(&mut operator, header.clone(), rows.clone())
        .await
        .expect("they are imported");
    assert_eq!(imported.sha256, expected);
    let again = import_with(&mut operator, header, rows)
        .await
        .expect("it is the same call");
    assert_eq!(again, imported);
    let sealed = seal(&mut operator, JANUARY).await;
    assert_eq!(
        sealed.revisions[0].figures_sha256, expected,
        "what is stored has it too"
    );
}

fn part(part: ImportPart) -> ImportObservationsRequest {
    ImportObservationsRequest { part: Some(part) }
}

fn rows(rows: Vec<ObservationRow>) -> ImportObservationsRequest {
    part(ImportPart::Rows(ObservationRows { rows }))
}

#[tokio::test]
async fn imports_that_hold_all_the_rows_there_is_room_for_have_others_wait_and_refused_after_a_time() {
    let settings = [("LEGALSTAT_IMPORT_ROWS", "3"), ("LEGALSTAT_IMPORT_ROWS_HELD", "1")];
    let registry = with_registers(&settings).await;
    let some = || ["F", "M"].map(|sex| row("crimes", "7501", sex, "1")).to_vec();
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    sender
        .send(part(ImportPart::Header(header(JANUARY))))
        .await
        .expect("it is taken");
    sender.send(rows(some())).await.expect("it is taken");
    let mut slow = registry.operator();
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let slow = tokio::spawn(async move { slow.import_observations(stream).await });
    let refusing = async {
        let mut operator = registry.operator();
        loop {
            assert!(!slow.is_finished(), "the first import holds its rows");
            match import(&mut operator, FEBRUARY, some()).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(status) => break status,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, refusing).await.expect("it is refused");
    let status = refused(Err::<(), _>(status), Code::ResourceExhausted, "OVERLOADED");
    assert!(status.get_details_retry_info().is_some());
    import(&mut registry.operator(), FEBRUARY, vec![row("cases", "", "", "1")])
        .await
        .expect("one row more has room");
    let waiting = tokio::spawn({
        let mut operator = registry.operator();
        async move {
            import(
                &mut operator,
                FEBRUARY,
                ["F", "M"].map(|sex| row("crimes", "7501", sex, "1")).to_vec(),
            )
            .await
        }
    });
    drop(sender);
    slow.await.expect("it ends").expect("it is imported");
    waiting
        .await
        .expect("it ends")
        .expect("it is imported, once the other one is");
}

#[tokio::test]
async fn an_import_has_a_bounded_number_of_combinations_of_codes() {
    let registry = with_registers(&[]).await;
    let many = "INSERT INTO forms.code (code_list, code)
            SELECT l.id, 'C' || n FROM forms.code_list l, generate_series(1, 20001) AS n WHERE l.code = 'SEX';
        INSERT INTO forms.code_version
            (code, valid_from, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, recorded_at, recorded_by)
        SELECT c.id, '2019-04-15', 'kk', 'ru', 'en', 'act', '', '', false, now(), 'operator'
        FROM forms.code c WHERE c.code ~ '^C[0-9]+$'";
    registry.database().await.execute(many).await.expect("they are entered");
    let mut operator = registry.operator();
    let of = |most: i32| (1..=most).map(|n| row("crimes", "", &format!("C{n}"), "1")).collect();
    let found = violations(import(&mut operator, JANUARY, of(20_001)).await);
    assert_eq!(found, pairs(&[("rows", "TOO_MANY")]));
    import(&mut operator, JANUARY, of(20_000))
        .await
        .expect("they are imported");
}

#[tokio::test]
async fn a_repetition_has_the_first_answer_whatever_is_registered_since() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let some = || vec![row("crimes", "7501", "F", "12.50"), row("cases", "", "", "7")];
    let header = header(JANUARY);
    let first = import_with(&mut operator, header.clone(), some())
        .await
        .expect("it is imported");
    let ended = "UPDATE forms.indicator_version SET valid_to = '2025-12-31', ended_by = 'Order No. 8';
        UPDATE forms.code_version SET valid_to = '2025-12-31', ended_by = 'Order No. 8'";
    registry
        .database()
        .await
        .execute(ended)
        .await
        .expect("nothing holds any more");
    let again = import_with(&mut operator, header.clone(), some()).await;
    assert_eq!(again.expect("it is the same call"), first);
    let mut turned = some();
    turned.reverse();
    turned[1].value = "12.5".into();
    let again = import_with(&mut operator, header.clone(), turned).await;
    assert_eq!(again.expect("it is the same call"), first);
    for (at, value) in [(0, "12.51"), (1, "8")] {
        let mut other = some();
        other[at].value = value.into();
        let answer = import_with(&mut operator, header.clone(), other).await;
        refused(answer, Code::InvalidArgument, "REQUEST_ID_REUSED");
    }
    let other = vec![row("crimes", "7502", "F", "12.50"), row("cases", "", "", "7")];
    let answer = import_with(&mut operator, header.clone(), other).await;
    refused(answer, Code::InvalidArgument, "REQUEST_ID_REUSED");
    let wrong = vec![row(&"x".repeat(41), "7501", "F", "1")];
    let found = row_faults(import_with(&mut operator, header.clone(), wrong).await);
    assert_eq!(found, faults(&[(1, "indicator", "UNKNOWN")]));
    let anew = legalstat_proto::forms::v1::ImportObservationsHeader {
        dimensions: Vec::new(),
        request_id: id(),
        ..header
    };
    let cases = ObservationRow {
        dimensions: Vec::new(),
        ..row("cases", "", "", "7")
    };
    let found = row_faults(import_with(&mut operator, anew, vec![cases]).await);
    assert_eq!(
        found,
        faults(&[(1, "indicator", "UNKNOWN")]),
        "another call is checked as of today"
    );
    assert_eq!(
        registry
            .count("outbox_event WHERE kind = 'observations.imported'")
            .await,
        1
    );
}

#[test]
fn an_import_and_its_sealing_take_little_more_memory_than_the_rows_themselves() {
    in_a_process_of_its_own("rpc::tests::large::a_large_import_is_sealed");
}

/// How many rows are imported, unless more are asked for by `LEGALSTAT_TEST_ROWS`.
const ROWS: usize = 120_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, in a process of its own"]
async fn a_large_import_is_sealed() {
    let asked = std::env::var("LEGALSTAT_TEST_ROWS").ok();
    let count = asked.and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let territories = (0..1000).map(|n| code(&format!("T{n}"), "")).collect();
    enter_codes(&mut operator, "KATO", territories)
        .await
        .expect("they are entered");
    let indicators = (0..250).map(|n| indicator(&format!("i{n}"), &["SEX"])).collect();
    enter(&mut operator, "forms/1", indicators)
        .await
        .expect("they are entered");
    let figure = |n: usize| {
        let sex = ["", "T", "F", "M"][n / 1000 % 4];
        row(
            &format!("i{}", n / 4000),
            &format!("T{}", n * 7 % 1000),
            sex,
            &(n % 977).to_string(),
        )
    };
    // Once, so that what is made at the first use is there.
    import(&mut operator, FEBRUARY, (0..5000).map(figure).collect())
        .await
        .expect("they are imported");
    seal(&mut operator, FEBRUARY).await;

    std::fs::write("/proc/self/clear_refs", "5").expect("the mark is reset");
    let before = peak();
    let batches =
        (0..count.div_ceil(5000)).map(move |batch| rows((batch * 5000..(batch + 1) * 5000).map(figure).collect()));
    let first = part(ImportPart::Header(header(JANUARY)));
    let messages = tokio_stream::iter(std::iter::once(first).chain(batches)).map(|message| message);
    let imported = operator.import_observations(messages).await.expect("they are imported");
    let importing = peak().saturating_sub(before);
    std::fs::write("/proc/self/clear_refs", "5").expect("the mark is reset");
    let before = peak();
    let sealed = seal(&mut operator, JANUARY).await;
    let sealing = peak().saturating_sub(before);
    assert_eq!(sealed.revisions[0].figures_sha256, imported.into_inner().sha256);
    eprintln!("{count} rows: {before} bytes held, {importing} more for the import, {sealing} for sealing it");
    let fixed = 24 * 1024 * 1024;
    assert!(
        importing < fixed + 44 * count as u64,
        "importing took {importing} bytes"
    );
    assert!(sealing < fixed, "sealing took {sealing} bytes");
}
