//! The answer in the hands of who holds the coupon: by number and secret, without a certificate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::{
    harness::Running,
    refusals::{metadata, pairs, refused, violations},
};
use legalstat_proto::requests::v1::{
    self as proto, Answer, AnswerFile, AnswerFormat, AnswerLanguage, DownloadAnswerByCouponRequest,
    DownloadAnswerRequest, GetAnswerByCouponRequest, GetRequestStatusRequest,
};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use super::{
    answer_calls::{
        UNTOLD, answered, approval, approve, dispatch, dispatch_of, draft, draft_of, item, read, registered_for_secret,
        whole,
    },
    held::INDICATOR,
    stage::{Client, NOW, Stage},
};
use crate::SERVICE;

/// A secret that is no coupon's.
const WRONG: &str = "00000-00000-00000-00000";
const FORMATS: [AnswerFormat; 4] = [
    AnswerFormat::Pdf,
    AnswerFormat::Xlsx,
    AnswerFormat::Json,
    AnswerFormat::CanonicalJson,
];

/// The number and the secret of a request's coupon.
fn held(request: &proto::Request) -> (String, String) {
    let coupon = request.coupon.clone().expect("it has one");
    (coupon.number, coupon.secret)
}

async fn get(client: &mut Client, number: &str, secret: &str) -> Result<Answer, Status> {
    let message = GetAnswerByCouponRequest {
        coupon_number: number.into(),
        secret: secret.into(),
        languages: Vec::new(),
    };
    client.get_answer_by_coupon(message).await.map(Response::into_inner)
}

async fn download(
    client: &mut Client,
    (number, secret): (&str, &str),
    format: AnswerFormat,
    language: AnswerLanguage,
) -> Result<(AnswerFile, Vec<u8>), Status> {
    let message = DownloadAnswerByCouponRequest {
        coupon_number: number.into(),
        secret: secret.into(),
        format: format.into(),
        language: language.into(),
    };
    whole(client.download_answer_by_coupon(message).await?.into_inner()).await
}

async fn asked(stage: &Stage) -> proto::Request {
    registered_for_secret(stage, vec![item(INDICATOR, &["11", "15"])]).await
}

#[tokio::test]
async fn the_holder_of_a_coupon_reads_the_answer_once_it_is_dispatched_and_not_before() {
    let stage = Stage::set().await;
    let asked = asked(&stage).await;
    let (number, secret) = held(&asked);
    let (mut stranger, mut operator) = (stage.stranger(), stage.client("operator"));
    let not_yet = async |state: &str| {
        let mut stranger = stage.stranger();
        let told = get(&mut stranger, &number, &secret).await;
        let told = refused(told, Code::FailedPrecondition, "WRONG_STATE");
        assert_eq!(
            (metadata(&told, "state"), metadata(&told, "allowed_states")),
            (state.to_owned(), "ANSWERED".to_owned())
        );
        let format = (AnswerFormat::Pdf, AnswerLanguage::Unspecified);
        let told = download(&mut stranger, (&number, &secret), format.0, format.1).await;
        refused(told, Code::FailedPrecondition, "WRONG_STATE");
    };
    not_yet("REGISTERED").await;
    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    not_yet("IN_PREPARATION").await;
    let approved = approve(&mut stage.client("approver"), approval(&drafted, UNTOLD)).await;
    let approved = approved.expect("it is approved");
    not_yet("IN_PREPARATION").await;
    let answered = dispatch(&mut operator, dispatch_of(&approved)).await;
    let answered = answered.expect("it is dispatched");

    let mut edms = stage.client("edms");
    let told = get(&mut stranger, &number, &secret).await.expect("it is dispatched");
    assert_eq!(told, answered);
    assert_eq!(told, read(&mut edms, &asked).await.expect("it is there"));
    let freely = get(
        &mut stranger,
        &number.to_lowercase().replace('-', " "),
        &secret.replace('-', ""),
    )
    .await;
    assert_eq!(freely.expect("it is the same coupon"), told);
    for format in FORMATS {
        for language in [AnswerLanguage::Unspecified, AnswerLanguage::Kk, AnswerLanguage::En] {
            let by_holder = download(&mut stranger, (&number, &secret), format, language).await;
            let message = DownloadAnswerRequest {
                name: asked.name.clone(),
                format: format.into(),
                language: language.into(),
            };
            let by_requester = edms.download_answer(message).await.expect("it is there").into_inner();
            let by_holder = by_holder.expect("it is dispatched");
            assert_eq!(by_holder.0.answer_sha256, answered.sha256);
            assert_eq!(by_holder.0.sha256, legalstat_answer_document::digest(&by_holder.1));
            assert!(
                by_holder == whole(by_requester).await.expect("it comes whole"),
                "{format:?}"
            );
        }
    }
}

/// A stage with these settings whose clock the test moves.
async fn moved(settings: &[(&'static str, &str)]) -> (Stage, Arc<Mutex<Timestamp>>) {
    let clock: Arc<Mutex<Timestamp>> = Arc::new(Mutex::new(NOW.parse().expect("an instant")));
    let told = Arc::clone(&clock);
    let stage = Stage::set_on(settings, async |settings| {
        let told = Arc::clone(&told);
        Running::start(&SERVICE, settings, move || *told.lock().expect("no test panics here")).await
    });
    (stage.await, clock)
}

#[tokio::test]
async fn wrong_numbers_and_secrets_are_told_alike_and_counted_together_with_those_for_the_status() {
    let limits = [
        ("LEGALSTAT_SECRET_TRIES", "3"),
        ("LEGALSTAT_SECRET_TRIES_BY_ADDRESS", "1000"),
        ("LEGALSTAT_SECRET_TRIES_SECONDS", "600"),
    ];
    let (stage, clock) = moved(&limits).await;
    let request = asked(&stage).await;
    answered(&stage, &request).await;
    let (number, secret) = held(&request);
    let mut stranger = stage.stranger();
    let any = (AnswerFormat::Json, AnswerLanguage::Unspecified);
    let mut told = Vec::new();
    for (number, secret) in [(number.as_str(), WRONG), ("20260302-00000000", secret.as_str())] {
        let answer = get(&mut stranger, number, secret).await;
        let document = download(&mut stranger, (number, secret), any.0, any.1).await;
        for status in [
            refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND"),
            refused(document, Code::NotFound, "RESOURCE_NOT_FOUND"),
        ] {
            assert!(!status.message().contains(number) && !status.message().contains(secret));
            told.push((status.message().to_owned(), status.details().to_vec()));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // The third wrong secret is tried at the third method.
    let status = GetRequestStatusRequest {
        coupon_number: number.clone(),
        secret: WRONG.into(),
        languages: Vec::new(),
    };
    refused(
        stranger.get_request_status(status).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let exhausted = refused(
        get(&mut stranger, &number, &secret).await,
        Code::ResourceExhausted,
        "TOO_MANY_TRIES",
    );
    let wait = exhausted
        .get_error_details()
        .retry_info()
        .and_then(|told| told.retry_delay);
    assert_eq!(wait, Some(Duration::from_secs(600)));
    let document = download(&mut stranger, (&number, &secret), any.0, any.1).await;
    refused(document, Code::ResourceExhausted, "TOO_MANY_TRIES");
    *clock.lock().expect("no test panics here") += Duration::from_secs(600);
    get(&mut stranger, &number, &secret).await.expect("its time is over");
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_question_by_coupon_is_told_at_once() {
    let stage = Stage::set().await;
    let mut stranger = stage.stranger();
    let nothing = stranger
        .download_answer_by_coupon(DownloadAnswerByCouponRequest::default())
        .await;
    let required = pairs(&[
        ("coupon_number", "REQUIRED"),
        ("secret", "REQUIRED"),
        ("format", "REQUIRED"),
    ]);
    assert_eq!(violations(nothing), required);
    let wrong = DownloadAnswerByCouponRequest {
        coupon_number: "0".repeat(101),
        secret: "a\u{0}".into(),
        format: 9,
        language: 9,
    };
    let reasons = violations(stranger.download_answer_by_coupon(wrong).await);
    let fields: Vec<&str> = reasons.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["coupon_number", "secret", "format", "language"]);
    let nothing = stranger.get_answer_by_coupon(GetAnswerByCouponRequest::default()).await;
    assert_eq!(violations(nothing), required[..2]);
}

#[tokio::test]
async fn what_is_read_and_what_is_refused_is_in_the_journal_and_no_holder_fills_it() {
    let (stage, clock) = moved(&[]).await;
    let request = asked(&stage).await;
    let answered = answered(&stage, &request).await;
    let (number, secret) = held(&request);
    let mut stranger = stage.stranger();
    let readings = async |by: &str| -> i64 {
        let count =
            "SELECT count(*) FROM requests.journal_entry WHERE resource = $1 AND caller = $2 AND outcome = 'DONE'";
        let count = sqlx::query_scalar(count).bind(&answered.name).bind(by);
        count
            .fetch_one(&mut stage.running.superuser().await)
            .await
            .expect("it counts")
    };
    assert_eq!(readings("anonymous").await, 0);
    for _ in 0..3 {
        get(&mut stranger, &number, &secret).await.expect("it is dispatched");
        let document = download(
            &mut stranger,
            (&number, &secret),
            AnswerFormat::Json,
            AnswerLanguage::Kk,
        )
        .await;
        document.expect("it is dispatched");
    }
    assert_eq!(readings("anonymous").await, 1);
    *clock.lock().expect("no test panics here") += Duration::from_secs(3600);
    get(&mut stranger, &number, &secret).await.expect("it is dispatched");
    assert_eq!(readings("anonymous").await, 2);
    // A caller with a certificate is in the journal each time.
    for _ in 0..2 {
        super::answer_calls::download(&mut stage.client("edms"), &request.name, AnswerFormat::Json).await;
    }
    assert_eq!(readings("edms").await, 2);
    refused(
        get(&mut stranger, &number, WRONG).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let refusals = "SELECT count(*) FROM requests.journal_entry
                    WHERE method LIKE '%/GetAnswerByCoupon' AND outcome = 'REFUSED' AND reason = 'ERROR_REASON_RESOURCE_NOT_FOUND'";
    assert_eq!(stage.count(refusals).await, 1, "it is stored before it is told");
}
