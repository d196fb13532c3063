//! Uploading and downloading the file of an edition.

use legalstat_proto::forms::v1::{Channel as Place, EditionState, ListFormsRequest};
use sqlx::Executor as _;
use tokio_stream::StreamExt;

use super::*;

const NOW: &str = "2025-02-03T05:00:00Z";
const JANUARY: &str = "forms/1/editions/2025-M01";

fn digest(content: &[u8]) -> String {
    hex::encode(legalstat_kit::door::wire::sha256(content))
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_uploaded() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let content = vec![7; 1_500_000];
    let announced = UploadEditionFileHeader {
        sha256: digest(&content).to_uppercase(),
        ..header(JANUARY)
    };
    let edition = upload(&mut operator, &announced, &content).await.expect("it is taken");
    assert_eq!(edition.state(), EditionState::Prepared);
    let (file, downloaded) = download(&mut operator, JANUARY).await.expect("an official reads it");
    assert_eq!(Some(&file), edition.file.as_ref());
    assert_eq!(
        (file.filename.as_str(), file.size_bytes, file.sha256),
        ("form.csv", 1_500_000, digest(&content))
    );
    assert!(downloaded == content, "the content is another");
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn the_same_upload_under_the_same_key_in_capitals_is_replayed() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let first = UploadEditionFileHeader {
        sha256: digest(b"a"),
        ..header(JANUARY)
    };
    let prepared = upload(&mut operator, &first, b"a").await.expect("it is taken");
    registry.set_clock("2025-02-03T06:00:00Z");
    let capitals = UploadEditionFileHeader {
        sha256: first.sha256.to_uppercase(),
        request_id: first.request_id.to_uppercase(),
        ..first
    };
    let again = upload(&mut operator, &capitals, b"a")
        .await
        .expect("it is the same call");
    assert_eq!(again, prepared);
    assert_eq!(registry.count("idempotency").await, 1);
}

#[tokio::test]
async fn a_file_name_is_one_line_that_shows_something_and_turns_no_direction() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for (filename, reason) in [
        ("\u{200b}", "REQUIRED"),
        ("a\u{202e}gpj.csv", "DIRECTION"),
        ("a\nb.csv", "INVALID_CHARACTER"),
    ] {
        let named = UploadEditionFileHeader {
            filename: filename.into(),
            ..header(JANUARY)
        };
        let found = violations(upload(&mut operator, &named, b"a").await);
        assert_eq!(found, pairs(&[("header.filename", reason)]), "{filename:?}");
    }
}

#[tokio::test]
async fn a_form_is_found_by_its_code_in_any_spelling_and_told_in_its_own() {
    let registry = Registry::without_calendar(NOW).await;
    registry
        .database()
        .await
        .execute("UPDATE forms.form_version SET code = '1-М' WHERE form = 1")
        .await
        .expect("it is changed");
    let mut client = registry.client(None);
    for code in ["1-М", "1-M", "1m", " 1 – м ", "1\u{2011}M"] {
        let asked = ListFormsRequest {
            code: code.into(),
            ..Default::default()
        };
        let found = client.list_forms(asked).await.expect("it lists").into_inner().forms;
        let told: Vec<_> = found
            .iter()
            .map(|form| (form.name.as_str(), form.code.as_str()))
            .collect();
        assert_eq!(told, [("forms/1", "1-М")], "{code:?}");
    }
}

#[tokio::test]
async fn a_form_that_a_release_edits_is_told_and_stays_as_it_is_stored() {
    let registry = Registry::without_calendar(NOW).await;
    let released = crate::domain::register::appendix_2().expect("it is readable");
    let context = registry.running.context(|| Timestamp::UNIX_EPOCH);
    let stored = crate::db::reference::load(&context).await.expect("it loads");
    assert_eq!(crate::db::reference::edited(&released, &stored), Vec::<String>::new());
    let mut database = registry.database().await;
    let entered = "UPDATE forms.form_version SET title_kk = 'атауы' WHERE form = 3";
    database.execute(entered).await.expect("it is changed");
    let stored = crate::db::reference::load(&context).await.expect("it loads");
    assert_eq!(crate::db::reference::edited(&released, &stored), ["forms/3"]);
    assert_eq!(registry.count("form_version WHERE title_kk = 'атауы'").await, 1);
}

#[tokio::test]
async fn a_file_is_open_to_everyone_once_it_is_placed() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let missing = download(&mut operator, JANUARY).await;
    assert_refused(
        missing,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
        "Instruction, para 14",
    );
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    for caller in [None, Some("edms")] {
        let early = download(&mut registry.client(caller), JANUARY).await;
        assert_refused(
            early,
            Code::FailedPrecondition,
            "EDITION_NOT_PLACED",
            "Instruction, para 14",
        );
    }
    assert_eq!(seen_file(&registry, None).await, None);
    assert!(seen_file(&registry, Some("operator")).await.is_some());
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert!(seen_file(&registry, None).await.is_some());
    assert_eq!(
        download(&mut registry.client(None), JANUARY)
            .await
            .expect("it is open")
            .1,
        b"a"
    );
}

async fn seen_file(registry: &Registry, caller: Option<&str>) -> Option<EditionFile> {
    get(&mut registry.client(caller), JANUARY).await.file
}

#[tokio::test]
async fn a_new_upload_replaces_the_file_until_the_edition_is_placed() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for content in [b"first".as_slice(), b"second"] {
        upload(&mut operator, &header(JANUARY), content)
            .await
            .expect("it is taken");
    }
    assert_eq!(
        download(&mut operator, JANUARY).await.expect("an official reads it").1,
        b"second"
    );
    assert_eq!(registry.count("edition_file").await, 2);
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::OfficialWebsite))
        .await
        .expect("it is placed");
    let late = upload(&mut operator, &header(JANUARY), b"third").await;
    assert_refused(late, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
    assert_eq!(registry.count("edition_file").await, 2);
}

#[tokio::test]
async fn the_same_upload_again_has_the_same_answer_even_after_placing() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let header = header(JANUARY);
    let first = upload(&mut operator, &header, b"a").await.expect("it is taken");
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(
        upload(&mut operator, &header, b"a").await.expect("it is replayed"),
        first
    );
    let other = upload(&mut operator, &header, b"b").await;
    assert_refused(other, Code::InvalidArgument, "REQUEST_ID_REUSED", "");
    assert_eq!(registry.count("edition_file").await, 1);
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn a_repeated_call_has_the_same_answer_whatever_has_become_of_its_form() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let (header, placing) = (header(JANUARY), placing(JANUARY, Place::InformationService));
    let uploaded = upload(&mut operator, &header, b"a").await.expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let placed = place(&mut operator, &placing).await.expect("it is placed");
    sqlx::query("UPDATE forms.form_version SET periodicity = 'QUARTERLY' WHERE form = 1")
        .execute(&mut registry.database().await)
        .await
        .expect("it is changed");
    let again = upload(&mut operator, &header, b"a").await;
    assert_eq!(again.expect("it is replayed"), uploaded);
    let again = place(&mut operator, &placing).await;
    assert_eq!(again.expect("it is replayed"), placed);
}

#[tokio::test]
async fn two_equal_uploads_at_once_have_one_effect() {
    let registry = Registry::at(NOW).await;
    let (mut one, mut other) = (registry.operator(), registry.operator());
    let header = header(JANUARY);
    let (first, second) = tokio::join!(upload(&mut one, &header, b"a"), upload(&mut other, &header, b"a"));
    assert_eq!(first.expect("it is taken"), second.expect("it is taken or replayed"));
    assert_eq!(registry.count("edition_file").await, 1);
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn every_wrong_field_of_a_header_is_named() {
    let registry = Registry::at(NOW).await;
    let wrong = UploadEditionFileHeader {
        name: "forms/1/editions/2025-Q1".into(),
        filename: "a/b".into(),
        content_type: "csv".into(),
        sha256: "00".into(),
        request_id: "1".into(),
        ..Default::default()
    };
    let expected = [
        ("header.name", "PERIOD_KIND"),
        ("header.filename", "FOLDER"),
        ("header.content_type", "MEDIA_TYPE"),
        ("header.sha256", "SHA256"),
        ("header.request_id", "REQUEST_ID"),
        ("header.filename", "MEDIA_TYPE"),
    ];
    assert_eq!(
        violations(upload(&mut registry.operator(), &wrong, b"a").await),
        pairs(&expected)
    );
}

#[tokio::test]
async fn messages_out_of_order_change_nothing() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let head = || message(Part::Header(header(JANUARY)));
    let chunk = |size: usize| message(Part::Chunk(vec![1; size]));
    for (messages, expected) in [
        (vec![], ("header", "REQUIRED")),
        (vec![chunk(1)], ("header", "REQUIRED")),
        (vec![UploadEditionFileRequest { part: None }], ("header", "REQUIRED")),
        (vec![head()], ("chunk", "REQUIRED")),
        (vec![head(), chunk(1), head()], ("header", "REPEATED")),
        (vec![head(), chunk(0)], ("chunk", "SIZE")),
        (vec![head(), chunk(1024 * 1024 + 1)], ("chunk", "SIZE")),
        (vec![head(), chunk(5 * 1024 * 1024)], ("chunk", "SIZE")),
        (
            vec![head(), UploadEditionFileRequest { part: None }],
            ("chunk", "REQUIRED"),
        ),
    ] {
        assert_eq!(violations(send(&mut operator, messages).await), pairs(&[expected]));
    }
    assert_eq!(registry.count("edition_file").await, 0);
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn content_that_is_too_large_or_not_the_announced_one_changes_nothing() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let large = upload(&mut operator, &header(JANUARY), &vec![0; 2_000_001]).await;
    let details = large.as_ref().expect_err("over the limit").get_error_details();
    assert_eq!(
        details.error_info().expect("it has a reason").metadata["limit_bytes"],
        "2000000"
    );
    assert_refused(large, Code::InvalidArgument, "FILE_TOO_LARGE", "");
    let announced = UploadEditionFileHeader {
        sha256: digest(b"a"),
        ..header(JANUARY)
    };
    let other = upload(&mut operator, &announced, b"b").await;
    assert_refused(other, Code::InvalidArgument, "DIGEST_MISMATCH", "");
    assert_eq!(registry.count("edition_file").await, 0);
    assert_eq!(
        registry
            .count("journal_entry WHERE outcome = 'REFUSED' AND resource = 'forms/1/editions/2025-M01'")
            .await,
        2
    );
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_halfway_leaves_nothing() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let begun = [
        message(Part::Header(header(JANUARY))),
        message(Part::Chunk(vec![1; 300_000])),
    ];
    let endless = tokio_stream::iter(begun).chain(tokio_stream::pending());
    let uploading = tokio::spawn(async move { operator.upload_edition_file(endless).await });
    registry.until_staged(true).await;
    uploading.abort();
    registry.until_nothing_is_staged().await;
    assert_eq!(registry.count("edition_file").await, 0);
}

#[tokio::test]
async fn validating_an_upload_changes_nothing() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let header = UploadEditionFileHeader {
        validate_only: true,
        ..header(JANUARY)
    };
    let would_be = upload(&mut operator, &header, b"a").await.expect("it would be taken");
    assert_eq!(would_be.state(), EditionState::Prepared);
    let missing = download(&mut operator, JANUARY).await;
    assert_refused(
        missing,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
        "Instruction, para 14",
    );
    registry.until_nothing_is_staged().await;
    assert!(!registry.files.path().join("sha256").exists(), "content was kept");
}

#[tokio::test]
async fn an_upload_waits_for_the_end_of_its_period() {
    let registry = Registry::at("2025-01-31T18:59:59Z").await;
    let mut operator = registry.operator();
    let early = upload(&mut operator, &header(JANUARY), b"a").await;
    assert_refused(
        early,
        Code::FailedPrecondition,
        "PERIOD_NOT_ENDED",
        "Instruction, Appendix 2",
    );
    registry.set_clock("2025-01-31T19:00:00Z");
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("February has begun in Almaty");
}

#[tokio::test]
async fn a_bounded_number_of_uploads_is_under_way_and_of_the_others_as_many_wait() {
    let registry = Registry::start_with(None, NOW, true, &[("LEGALSTAT_UPLOADS", "1")]).await;
    registry.until_whole().await;
    let begin = || {
        let mut operator = registry.operator();
        let begun = [
            message(Part::Header(header(JANUARY))),
            message(Part::Chunk(vec![1; 300_000])),
        ];
        let endless = tokio_stream::iter(begun).chain(tokio_stream::pending());
        tokio::spawn(async move { operator.upload_edition_file(endless).await })
    };
    let first = begin();
    registry.until_staged(true).await;
    let mut others: Vec<_> = (0..17).map(|_| begin()).collect();
    let (answer, _, waiting) = futures::future::select_all(others.drain(..)).await;
    let refusal = answer.expect("it does not panic").expect_err("sixteen wait");
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    let delay = refusal
        .get_error_details()
        .retry_info()
        .and_then(|retry| retry.retry_delay);
    assert!(delay.is_some());
    // One file is under way, whoever waits; given up, it is gone, and so is all that waited.
    let received = std::fs::read_dir(registry.files.path().join("received")).expect("a folder");
    assert_eq!(received.count(), 1);
    waiting.iter().chain([&first]).for_each(tokio::task::JoinHandle::abort);
    registry.until_nothing_is_staged().await;
    let taken = upload(&mut registry.operator(), &header(JANUARY), b"content").await;
    taken.expect("the place is free again");
}

#[tokio::test]
async fn an_upload_that_stands_still_ends_and_gives_its_place_back() {
    let settings = [("LEGALSTAT_UPLOADS", "1"), ("LEGALSTAT_STALL_SECONDS", "1")];
    let registry = Registry::start_with(None, NOW, true, &settings).await;
    registry.until_whole().await;
    let begun = [
        message(Part::Header(header(JANUARY))),
        message(Part::Chunk(vec![1; 300_000])),
    ];
    let endless = tokio_stream::iter(begun).chain(tokio_stream::pending());
    let refused = registry.operator().upload_edition_file(endless).await;
    assert_refused(refused, Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "");
    registry.until_nothing_is_staged().await;
    let taken = upload(&mut registry.operator(), &header(JANUARY), b"content").await;
    taken.expect("the place is free again");
}

#[tokio::test]
async fn a_download_that_nobody_reads_ends_and_gives_its_place_back() {
    let settings = [
        ("LEGALSTAT_DOWNLOADS", "1"),
        ("LEGALSTAT_STALL_SECONDS", "5"),
        ("LEGALSTAT_FILE_LIMIT", "20000000"),
    ];
    let registry = Registry::start_with(None, NOW, true, &settings).await;
    registry.until_whole().await;
    // More than a client's library takes ahead of its reader.
    let content = vec![7; 16_000_000];
    let uploaded = upload(&mut registry.operator(), &header(JANUARY), &content).await;
    uploaded.expect("it is taken");
    let request = DownloadEditionFileRequest {
        name: JANUARY.into(),
        ..Default::default()
    };
    let unread = registry.operator().download_edition_file(request).await;
    let mut unread = unread.expect("it begins").into_inner();
    let read = download(&mut registry.operator(), JANUARY).await;
    assert!(
        read.expect("the place is free again").1 == content,
        "the content is another"
    );
    let ended = async {
        while unread.message().await?.is_some() {}
        Ok::<_, Status>(())
    };
    ended.await.expect_err("it was cut off");
}
