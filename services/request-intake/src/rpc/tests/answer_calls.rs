//! The calls of an answer's life, as the tests make them.

use legalstat_proto::requests::v1::{
    self as proto, Answer, AnswerFormat, ApproveAnswerRequest, DispatchMeans, DownloadAnswerRequest,
    DownloadAnswerResponse, DraftAnswerRequest, GetAnswerRequest, OfficialCapacity, RecordDispatchRequest,
    RequestState, UpdateAnswerRequest, download_answer_response::Part,
};
use tonic::{Response, Status, Streaming};
use uuid::Uuid;

use super::{
    held::Holdings,
    stage::{Client, Stage, request, submission, submit_for_secret},
};

/// A signature of which the service can say nothing, whatever it stands for.
pub(super) const UNTOLD: &[u8] = include_bytes!("../../signature/fixtures/without_attributes.p7s");
/// One by RSA, over something else.
pub(super) const ANOTHERS: &[u8] = include_bytes!("../../signature/fixtures/rsa.p7s");

pub(super) fn id() -> String {
    Uuid::new_v4().to_string()
}

pub(super) fn item(indicator: &str, territories: &[&str]) -> proto::Item {
    proto::Item {
        indicator: indicator.into(),
        territories: territories.iter().map(|&code| code.into()).collect(),
        ..request().items[0].clone()
    }
}

/// A registered request for these items, with a registry that holds figures.
pub(super) async fn registered(stage: &Stage, items: Vec<proto::Item>) -> proto::Request {
    let mut registered = registered_for_secret(stage, items).await;
    registered.coupon.as_mut().expect("it has one").secret.clear();
    registered
}

/// The same, with the secret of its coupon.
pub(super) async fn registered_for_secret(stage: &Stage, items: Vec<proto::Item>) -> proto::Request {
    *stage.fakes.answers.holdings.lock().expect("no test panics here") = Holdings {
        figures: vec![
            ("2025-Q1", "11", "10"),
            ("2025-Q1", "15", "20"),
            ("2025-Q2", "11", "30"),
            ("2025-Q2", "15", ""),
            ("2025-Q3", "", "7"),
        ],
        by_words: false,
    };
    let asked = proto::Request { items, ..request() };
    let registered = submit_for_secret(&mut stage.client("edms"), submission(asked)).await;
    let registered = registered.expect("it is accepted");
    assert_eq!(
        registered.state(),
        RequestState::Registered,
        "{:?}",
        registered.examination
    );
    registered
}

pub(super) fn draft_of(request: &proto::Request) -> DraftAnswerRequest {
    DraftAnswerRequest {
        name: request.name.clone(),
        request_id: id(),
        ..DraftAnswerRequest::default()
    }
}

pub(super) async fn draft(client: &mut Client, message: DraftAnswerRequest) -> Result<Answer, Status> {
    client.draft_answer(message).await.map(Response::into_inner)
}

pub(super) async fn update(client: &mut Client, answer: &Answer) -> Result<Answer, Status> {
    let message = UpdateAnswerRequest {
        answer: Some(answer.clone()),
        etag: answer.etag.clone(),
        request_id: id(),
        validate_only: false,
    };
    client.update_answer(message).await.map(Response::into_inner)
}

pub(super) fn approval(answer: &Answer, signature: &[u8]) -> ApproveAnswerRequest {
    ApproveAnswerRequest {
        name: answer.name.trim_end_matches("/answer").into(),
        sha256: answer.sha256.clone(),
        capacity: OfficialCapacity::Deputy.into(),
        signature: signature.to_vec(),
        etag: answer.etag.clone(),
        request_id: id(),
        validate_only: false,
    }
}

pub(super) async fn approve(client: &mut Client, message: ApproveAnswerRequest) -> Result<Answer, Status> {
    client.approve_answer(message).await.map(Response::into_inner)
}

pub(super) fn dispatch_of(answer: &Answer) -> RecordDispatchRequest {
    RecordDispatchRequest {
        name: answer.name.trim_end_matches("/answer").into(),
        means: DispatchMeans::Post.into(),
        sha256: answer.sha256.clone(),
        proof: "registered letter 17".into(),
        request_id: id(),
        ..RecordDispatchRequest::default()
    }
}

pub(super) async fn dispatch(client: &mut Client, message: RecordDispatchRequest) -> Result<Answer, Status> {
    client.record_dispatch(message).await.map(Response::into_inner)
}

pub(super) async fn read(client: &mut Client, request: &proto::Request) -> Result<Answer, Status> {
    let message = GetAnswerRequest {
        name: request.name.clone(),
        languages: Vec::new(),
    };
    client.get_answer(message).await.map(Response::into_inner)
}

/// Drafts, approves and dispatches the answer to a request.
pub(super) async fn answered(stage: &Stage, request: &proto::Request) -> Answer {
    let mut operator = stage.client("operator");
    let drafted = draft(&mut operator, draft_of(request)).await.expect("it is drafted");
    finished(stage, &drafted).await
}

/// Approves and dispatches an answer.
pub(super) async fn finished(stage: &Stage, drafted: &Answer) -> Answer {
    let approved = approve(&mut stage.client("approver"), approval(drafted, UNTOLD)).await;
    let approved = approved.expect("it is approved");
    let dispatched = dispatch(&mut stage.client("operator"), dispatch_of(&approved)).await;
    dispatched.expect("it is dispatched")
}

pub(super) async fn download(client: &mut Client, name: &str, format: AnswerFormat) -> (proto::AnswerFile, Vec<u8>) {
    let message = DownloadAnswerRequest {
        name: name.into(),
        format: format.into(),
        ..DownloadAnswerRequest::default()
    };
    let stream = client.download_answer(message).await.expect("it is there").into_inner();
    whole(stream).await.expect("it comes whole")
}

/// Reads a download to its end.
pub(super) async fn whole(
    mut stream: Streaming<DownloadAnswerResponse>,
) -> Result<(proto::AnswerFile, Vec<u8>), Status> {
    let (mut file, mut content) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("each message has a part") {
            Part::File(described) => file = Some(described),
            Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((file.expect("it is described first"), content))
}
