//! The limits of answers, met over the wire.

use legalstat_local::testing::refusals::{metadata, refused};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{
        self as proto, Answer, AnswerFigure, AnswerFormat, AnswerLanguage, DownloadAnswerByCouponRequest,
        DownloadAnswerRequest, DownloadAnswerResponse, GetRequestStatusRequest, NamedCode,
    },
};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{
    answer_calls::{draft, draft_of, finished, item, read, registered, registered_for_secret, update, whole},
    held::INDICATOR,
    stage::{Client, Stage},
};

/// How many lines a remark has here: some forty pages.
const LINES: usize = 1_999;

/// A draft of as many items.
async fn drafted(stage: &Stage, items: usize) -> (proto::Request, Answer) {
    let asked = registered_for_secret(stage, vec![item(INDICATOR, &["11"]); items]).await;
    let drafted = draft(&mut stage.client("operator"), draft_of(&asked)).await;
    (asked, drafted.expect("it is drafted"))
}

/// The same answer with so many long lists of lines in it.
fn lengthened(mut answer: Answer, lists: usize) -> Answer {
    for item in answer.items.iter_mut().take(lists) {
        item.remark = ["x"; LINES].join("\n");
    }
    answer
}

/// A figure of some nine kilobytes.
fn wordy(number: usize) -> AnswerFigure {
    let text = |letter: &str| {
        let text = letter.repeat(500);
        Some(common::LocalizedText {
            kk: text.clone(),
            ru: text.clone(),
            en: text,
        })
    };
    let named = |code: String, letter: &str| {
        Some(NamedCode {
            code,
            title: text(letter),
        })
    };
    AnswerFigure {
        indicator: named("hand".into(), "ә"),
        territory: named(number.to_string(), "қ"),
        period: "2025-Q1".into(),
        value: "1".into(),
        note: text("ң"),
        ..AnswerFigure::default()
    }
}

async fn pdf(
    client: &mut Client,
    name: &str,
    language: AnswerLanguage,
) -> Result<Streaming<DownloadAnswerResponse>, Status> {
    let message = DownloadAnswerRequest {
        name: name.into(),
        format: AnswerFormat::Pdf.into(),
        language: language.into(),
    };
    client.download_answer(message).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn an_answer_has_one_mebibyte_at_most_and_what_is_larger_changes_nothing() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let mut operator = stage.client("operator");
    let mut answer = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    answer.items[0].figures = (0..130).map(wordy).collect();
    let told = refused(
        update(&mut operator, &answer).await,
        Code::ResourceExhausted,
        "DOCUMENT_NOT_RENDERED",
    );
    assert!(metadata(&told, "problem").ends_with("1048576 at most"), "{told:?}");
    let stands = read(&mut operator, &asked).await.expect("it is there");
    assert_eq!((stands.version, &stands.etag), (1, &answer.etag));
    answer.items[0].figures.truncate(100);
    let updated = update(&mut operator, &answer).await.expect("it fits");
    assert_eq!((updated.version, updated.items[0].figures.len()), (2, 100));
}

#[tokio::test]
async fn a_document_of_more_lines_than_fit_four_hundred_pages_is_refused_and_is_to_be_had_as_data_all_the_same() {
    let stage = Stage::set().await;
    let (asked, answer) = drafted(&stage, 12).await;
    let mut operator = stage.client("operator");
    update(&mut operator, &lengthened(answer, 12))
        .await
        .expect("it is no megabyte");
    for _ in 0..2 {
        let told = pdf(&mut operator, &asked.name, AnswerLanguage::Ru).await.map(|_| ());
        let told = refused(told, Code::ResourceExhausted, "DOCUMENT_NOT_RENDERED");
        assert!(metadata(&told, "problem").ends_with("20000 at most"), "{told:?}");
    }
    let (file, _) = super::answer_calls::download(&mut operator, &asked.name, AnswerFormat::Json).await;
    assert!(file.size_bytes > 12 * 2 * 1_999, "{file:?}");
}

#[tokio::test]
async fn one_document_is_rendered_at_a_time_and_who_waits_too_long_is_told_to_try_again() {
    let stage = Stage::set_with(&[("LEGALSTAT_RENDERING_SECONDS", "1")]).await;
    let (asked, answer) = drafted(&stage, 6).await;
    let long = update(&mut stage.client("operator"), &lengthened(answer, 6)).await;
    finished(&stage, &long.expect("it is edited")).await;
    let coupon = asked.coupon.clone().expect("it has one");
    let mut clients = [stage.client("operator"), stage.client("edms"), stage.client("operator")];
    let [one, two, three] = &mut clients;
    let answers = tokio::join!(
        pdf(one, &asked.name, AnswerLanguage::Kk),
        pdf(two, &asked.name, AnswerLanguage::Ru),
        pdf(three, &asked.name, AnswerLanguage::En),
    );
    let languages = [AnswerLanguage::Kk, AnswerLanguage::Ru, AnswerLanguage::En];
    let mut rendered = Vec::new();
    for (language, answer) in languages.into_iter().zip([answers.0, answers.1, answers.2]) {
        match answer {
            Ok(stream) => rendered.push((language, whole(stream).await.expect("it comes whole"))),
            Err(status) => {
                let status = refused(Err::<(), _>(status), Code::ResourceExhausted, "OVERLOADED");
                assert!(status.get_error_details().retry_info().is_some());
            }
        }
    }
    assert!((1..3).contains(&rendered.len()), "{} of three", rendered.len());
    // Who asks for what was rendered waits for nobody, with a certificate or with a coupon.
    let (language, document) = rendered.remove(0);
    let other = if language == AnswerLanguage::Kk {
        AnswerLanguage::Ru
    } else {
        AnswerLanguage::Kk
    };
    let (mut busy, mut stranger) = (stage.client("operator"), stage.stranger());
    let by_coupon = DownloadAnswerByCouponRequest {
        coupon_number: coupon.number,
        secret: coupon.secret,
        format: AnswerFormat::Pdf.into(),
        language: language.into(),
    };
    let (_, kept) = tokio::join!(
        pdf(&mut busy, &asked.name, other),
        stranger.download_answer_by_coupon(by_coupon),
    );
    let kept = whole(kept.expect("it is kept").into_inner()).await;
    assert!(kept.expect("it comes whole") == document, "the same bytes");
}

#[tokio::test]
async fn a_download_that_nobody_reads_ends_and_gives_its_place_back() {
    let settings = [
        ("LEGALSTAT_DOWNLOADS", "1"),
        ("LEGALSTAT_PUBLIC_DOWNLOADS", "1"),
        ("LEGALSTAT_STALL_SECONDS", "5"),
    ];
    let stage = Stage::set_with(&settings).await;
    let (asked, mut answer) = drafted(&stage, 1).await;
    answer.items[0].figures = (0..100).map(wordy).collect();
    let long = update(&mut stage.client("operator"), &answer)
        .await
        .expect("it is edited");
    finished(&stage, &long).await;
    let coupon = asked.coupon.clone().expect("it has one");
    let format = AnswerFormat::CanonicalJson.into();
    let message = DownloadAnswerRequest {
        name: asked.name.clone(),
        format,
        ..DownloadAnswerRequest::default()
    };
    let by_coupon = DownloadAnswerByCouponRequest {
        coupon_number: coupon.number.clone(),
        secret: coupon.secret.clone(),
        format,
        language: 0,
    };
    let (mut known, mut stranger) = (
        Client::new(stage.running.narrow_channel(Some("edms"))),
        Client::new(stage.running.narrow_channel(None)),
    );
    let mut unread = known
        .download_answer(message.clone())
        .await
        .expect("it begins")
        .into_inner();
    let by_holder = stranger.download_answer_by_coupon(by_coupon.clone()).await;
    let mut by_holder = by_holder.expect("it begins").into_inner();
    // Others are answered meanwhile, and the places are free again.
    let status = GetRequestStatusRequest {
        coupon_number: coupon.number,
        secret: coupon.secret,
        languages: Vec::new(),
    };
    stage.stranger().get_request_status(status).await.expect("it is held");
    let again = stage
        .client("edms")
        .download_answer(message)
        .await
        .expect("the place is free again");
    let again = whole(again.into_inner()).await.expect("it comes whole");
    let held = stage.stranger().download_answer_by_coupon(by_coupon).await;
    let held = whole(held.expect("the place is free again").into_inner()).await;
    assert!(again == held.expect("it comes whole"), "the same bytes");
    for unread in [&mut unread, &mut by_holder] {
        let ended = async {
            while unread.message().await?.is_some() {}
            Ok::<_, Status>(())
        };
        ended.await.expect_err("it was cut off");
    }
}
