//! What whoever asks for erased data is told.

use legalstat_local::testing::refusals::{metadata, refused};
use legalstat_proto::requests::v1::{
    self as proto, AnswerFormat, AttachmentKind as Kind, DownloadAnswerRequest, Erasure, GetAnswerByCouponRequest,
    GetRequestStatusRequest, RequestState, WatchRequestsRequest,
};
use tonic::{Code, Status};

use super::{
    answer_calls::{draft, draft_of, read},
    attachments::{download, upload},
    erasure::{DUE, plant, until_erased},
    retention::{approved_rule, rule},
    stage::{recorded, submit_for_secret},
    verbs::{Desk, leaving, person, review},
};

fn told(status: &Status, name: &str, erasure: &Erasure) {
    assert_eq!(metadata(status, "resource"), name);
    assert_eq!(metadata(status, "retention_rule"), erasure.retention_rule);
    assert_eq!(metadata(status, "legal_basis"), "Order 7, para 2");
    assert!(metadata(status, "erase_time").starts_with("2026-04-0"), "{status:?}");
}

#[tokio::test]
async fn whoever_asks_for_erased_data_is_told_when_and_by_which_rule_they_were_erased() {
    let desk = Desk::open().await;
    let planted = plant(&desk).await;
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    let erased = until_erased(&desk, &planted.request).await;
    let erasure = erased.erased.clone().expect("it tells so");
    let mut operator = desk.operator();
    let name = &erased.name;

    let again = submit_for_secret(&mut operator, planted.submitted.clone()).await;
    told(&refused(again, Code::FailedPrecondition, "DATA_ERASED"), name, &erasure);
    // Whatever its body: the digest of it is gone too.
    let mut otherwise = planted.submitted;
    otherwise.request.get_or_insert_default().essence = "otherwise".into();
    let again = submit_for_secret(&mut operator, otherwise).await;
    refused(again, Code::FailedPrecondition, "DATA_ERASED");
    let is_original = |file: &&proto::Attachment| file.kind() == Kind::SignedOriginal;
    let file = erased
        .attachments
        .iter()
        .find(is_original)
        .expect("that there was one stays");
    assert!(
        file.filename.is_empty() && file.sha256.is_empty() && file.size_bytes > 0,
        "{file:?}"
    );
    let again = upload(&mut operator, &planted.header, &planted.content).await;
    told(
        &refused(again, Code::FailedPrecondition, "DATA_ERASED"),
        &file.name,
        &erasure,
    );
    let again = draft(&mut operator, planted.drafted).await;
    told(&refused(again, Code::FailedPrecondition, "DATA_ERASED"), name, &erasure);
    let again = download(&mut operator, &file.name, 0).await;
    told(
        &refused(again, Code::FailedPrecondition, "DATA_ERASED"),
        &file.name,
        &erasure,
    );
    let answer = format!("{name}/answer");
    let again = read(&mut operator, &erased).await;
    told(
        &refused(again, Code::FailedPrecondition, "DATA_ERASED"),
        &answer,
        &erasure,
    );
    let document = DownloadAnswerRequest {
        name: name.clone(),
        format: AnswerFormat::Pdf.into(),
        ..Default::default()
    };
    let again = operator.download_answer(document).await.map(|_| ());
    told(
        &refused(again, Code::FailedPrecondition, "DATA_ERASED"),
        &answer,
        &erasure,
    );
    let again = draft(&mut operator, draft_of(&erased)).await;
    refused(again, Code::FailedPrecondition, "DATA_ERASED");

    let coupon_number = erased.coupon.map(|coupon| coupon.number).unwrap_or_default();
    let secret = planted.secret;
    let holder = GetAnswerByCouponRequest {
        coupon_number: coupon_number.clone(),
        secret: secret.clone(),
        languages: Vec::new(),
    };
    let again = desk.stage.stranger().get_answer_by_coupon(holder).await;
    told(
        &refused(again, Code::FailedPrecondition, "DATA_ERASED"),
        &answer,
        &erasure,
    );
    let holder = GetRequestStatusRequest {
        coupon_number,
        secret,
        languages: Vec::new(),
    };
    let status = desk.stage.stranger().get_request_status(holder).await;
    let status = status.expect("the coupon is held").into_inner();
    assert_eq!(status.state(), RequestState::Answered);
    let held = status.erased.expect("it tells so");
    assert_eq!(
        (held.erase_time, held.retention_rule, held.erased_by),
        (erasure.erase_time, erasure.retention_rule, String::new())
    );
    let mut feed = desk.operator().watch_requests(WatchRequestsRequest::default()).await;
    let feed = feed.as_mut().expect("it is watched").get_mut();
    loop {
        let message = feed.message().await.expect("it goes on").expect("it is not over");
        let event = message.event.expect("an event comes before the end");
        let told = message.request_event.unwrap_or_default();
        assert_eq!(told.external_number, "", "{event:?}");
        if event.kind == "request.erased" {
            assert_eq!((told.request, told.notices), (erased.name.clone(), vec![]));
            break;
        }
    }
}

#[tokio::test]
async fn no_verb_is_left_for_an_erased_request_and_nothing_repeats_it() {
    let desk = Desk::open().await;
    let numbered = || proto::Request {
        external_number: "7-1".into(),
        ..person()
    };
    let first = desk.recorded(numbered()).await;
    let second = desk.recorded(numbered()).await;
    let before = second.likely_duplicate_of.map(|before| before.name);
    assert_eq!(before.as_ref(), Some(&first.name));
    let mut operator = desk.operator();
    let left = leaving(&first, "OPENLY_AVAILABLE");
    operator.leave_without_consideration(left).await.expect("it is left");
    let oral = desk.recorded(recorded(proto::Channel::Oral)).await;
    assert_eq!(oral.state(), RequestState::LeftWithoutConsideration);
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    until_erased(&desk, &first).await;
    // A rule for persons erases nothing of a body's.
    assert_eq!(desk.get(&oral).await.erased, None);
    let kept = proto::CheckReview {
        rule: proto::CheckRule::Unit.into(),
        field: "items[0].unit".into(),
        verdict: proto::Verdict::Kept.into(),
    };
    let reviewed = operator.review_decision(review(&first, vec![kept])).await;
    refused(reviewed, Code::FailedPrecondition, "DATA_ERASED");
    let again = leaving(&first, "OPENLY_AVAILABLE");
    let again = operator.leave_without_consideration(again).await;
    refused(again, Code::FailedPrecondition, "DATA_ERASED");
    let third = desk.recorded(numbered()).await;
    let before = third.likely_duplicate_of.map(|before| before.name);
    assert_eq!(before.as_ref(), Some(&second.name));
}
