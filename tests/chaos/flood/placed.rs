//! What is there to be asked for: an edition with as much as a page and a file hold, and an answer.

use legalstat_proto::{
    forms::v1::{
        ImportObservationsHeader, ImportObservationsRequest, ObservationRow, ObservationRows, UploadEditionFileHeader,
        UploadEditionFileRequest, import_observations_request, upload_edition_file_request::Part,
    },
    requests::v1::{
        AnswerFigure, ApproveAnswerRequest, DispatchMeans, DraftAnswerRequest, OfficialCapacity, RecordDispatchRequest,
        UpdateAnswerRequest, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use legalstat_test_support::system::System;
use prost::Message;
use serde_json::json;
use tonic::transport::Channel;
use uuid::Uuid;

use super::call;
use crate::call::Call;

/// A signature of which the service can say nothing, whatever it stands for: so it is kept.
const SIGNATURE: &[u8] =
    include_bytes!("../../../services/request-intake/src/signature/fixtures/without_attributes.p7s");
/// An edition with as large a file as is taken.
pub(super) const EDITION: &str = "forms/1/editions/2025-M12";
/// The dimension by which its figures are broken down.
pub(super) const DIMENSION: &str = "ARTICLE";
/// The largest page.
const PAGE: usize = 1000;
/// Of ten pages of figures, how many are of one indicator: each of so many territories by so many articles.
const TERRITORIES: usize = 20;
const ARTICLES: usize = 50;

async fn upload(operator: &Channel, filename: &str, content: impl Iterator<Item = Vec<u8>>) {
    let header = UploadEditionFileHeader {
        name: EDITION.into(),
        filename: filename.into(),
        content_type: "text/csv".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let parts = std::iter::once(Part::Header(header)).chain(content.map(Part::Chunk));
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) }.encode_to_vec());
    let path = "/legalstat.forms.v1.FormRegistryService/UploadEditionFile";
    let uploaded = Call::streamed(operator, path, messages.collect()).make(None).await;
    uploaded.expect("it is taken");
}

/// Places an edition with a large file on the information service, and with its open data package on the portal.
pub(super) async fn place(system: &System) {
    let operator = system.channel("form-registry", Some("operator"));
    let administrator = system.channel("form-registry", Some("administrator"));
    upload(
        &operator,
        "form.csv",
        (0..31).map(|number| vec![number + 1; 1024 * 1024]),
    )
    .await;
    upload(&operator, "short.csv", std::iter::once(b"a,b\n1,2\n".to_vec())).await;
    let (act, from) = (
        json!({ "act": "Order No. 22" }),
        json!({ "year": 2019, "month": 4, "day": 15 }),
    );
    registers(&operator, &act, &from).await;
    import(&operator).await;
    let card = json!({ "code": "CARD", "title": title("A card"), "validFrom": from, "legalBasis": act });
    let detail = |number: usize| json!({ "code": format!("d{number}"), "title": title("A detail"), "unit": "PERSON", "validFrom": from, "legalBasis": act });
    let details: Vec<_> = (0..PAGE).map(detail).collect();
    for (channel, path, message) in [
        (
            &administrator,
            "/legalstat.forms.v1.FormRegistryService/UpdateForm",
            json!({ "form": { "name": "forms/1", "title": { "kk": "атауы", "ru": "название" } },
                    "updateMask": "title.kk,title.ru", "reason": "they were missing" }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/CreateOpenDataEntry",
            json!({ "parent": "forms/1", "validFrom": from, "legalBasis": act }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/BatchCreateCodes",
            json!({ "parent": "codeLists/ACCOUNTING_DOCUMENT", "codes": [card] }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/BatchCreateDetails",
            json!({ "parent": "accountingDocuments/CARD", "details": details }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/SealEdition",
            json!({ "name": EDITION }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/PlaceEdition",
            json!({ "name": EDITION, "channel": "CHANNEL_INFORMATION_SERVICE" }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/PlaceEdition",
            json!({ "name": EDITION, "channel": "CHANNEL_OPEN_DATA_PORTAL" }),
        ),
    ] {
        make(channel, path, message).await;
    }
}

async fn make(channel: &Channel, path: &'static str, mut message: serde_json::Value) {
    message["requestId"] = json!(Uuid::new_v4().to_string());
    let made = call(channel, path, &message).make(None).await;
    made.unwrap_or_else(|status| panic!("{path}: {status:?}"));
}

/// Enters a page full of codes, of which one has all others as its parts, and of indicators.
async fn registers(operator: &Channel, act: &serde_json::Value, from: &serde_json::Value) {
    let code = |code: String, parent: &str| json!({ "code": code, "parent": parent, "title": title("A code"), "validFrom": from, "legalBasis": act });
    let articles: Vec<_> = std::iter::once(code("ALL".into(), ""))
        .chain((0..PAGE).map(|number| code(article(number), "ALL")))
        .collect();
    let territories: Vec<_> = (0..TERRITORIES).map(|number| code(territory(number), "")).collect();
    let dimension = json!({ "id": DIMENSION, "codeList": format!("codeLists/{DIMENSION}") });
    let indicator = |number: usize| {
        json!({ "code": indicator(number), "title": title("An indicator"), "unit": "CRIME", "measure": "number", "byTerritory": true,
                "dimensions": [dimension], "validFrom": from, "legalBasis": act })
    };
    let indicators: Vec<_> = (0..PAGE).map(indicator).collect();
    let list = json!({ "name": format!("codeLists/{DIMENSION}"), "title": title("Articles"), "legalBasis": act });
    let rule = json!({ "dimension": DIMENSION, "total": "ALL", "validFrom": from, "legalBasis": act });
    for (path, message) in [
        (
            "/legalstat.forms.v1.FormRegistryService/CreateCodeList",
            json!({ "codeList": list }),
        ),
        (
            "/legalstat.forms.v1.FormRegistryService/BatchCreateCodes",
            json!({ "parent": format!("codeLists/{DIMENSION}"), "codes": articles }),
        ),
        (
            "/legalstat.forms.v1.FormRegistryService/BatchCreateCodes",
            json!({ "parent": "codeLists/KATO", "codes": territories }),
        ),
        (
            "/legalstat.forms.v1.FormRegistryService/BatchCreateIndicators",
            json!({ "parent": "forms/1", "indicators": indicators }),
        ),
        (
            "/legalstat.forms.v1.FormRegistryService/CreateTotalRule",
            json!({ "parent": "forms/1", "totalRule": rule }),
        ),
    ] {
        make(operator, path, message).await;
    }
}

fn title(text: &str) -> serde_json::Value {
    json!({ "kk": text, "ru": text, "en": text })
}

fn article(number: usize) -> String {
    format!("a{number}")
}

fn indicator(number: usize) -> String {
    format!("i{number}")
}

fn territory(number: usize) -> String {
    (710_000_001 + number).to_string()
}

/// Imports ten pages of figures.
async fn import(operator: &Channel) {
    let header = ImportObservationsHeader {
        name: EDITION.into(),
        dimensions: vec![DIMENSION.into()],
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    let row = |at: usize| ObservationRow {
        indicator: indicator(at / (TERRITORIES * ARTICLES)),
        territory: territory(at / ARTICLES % TERRITORIES),
        dimensions: vec![article(at % ARTICLES)],
        value: at.to_string(),
        ..ObservationRow::default()
    };
    let rows = ObservationRows {
        rows: (0..10 * PAGE).map(row).collect(),
    };
    let parts = [
        import_observations_request::Part::Header(header),
        import_observations_request::Part::Rows(rows),
    ];
    let messages = parts.map(|part| ImportObservationsRequest { part: Some(part) }.encode_to_vec());
    let path = "/legalstat.forms.v1.FormRegistryService/ImportObservations";
    let imported = Call::streamed(operator, path, messages.into()).make(None).await;
    imported.expect("the figures are taken");
}

/// Answers a request with as many figures as an answer has.
pub(super) async fn answer(system: &System, name: &str) {
    let intake = |caller| RequestIntakeServiceClient::new(system.channel("request-intake", Some(caller)));
    let (mut operator, mut approver, request_id) =
        (intake("operator"), intake("approver"), || Uuid::new_v4().to_string());
    let drafting = DraftAnswerRequest {
        name: name.into(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut draft = operator
        .draft_answer(drafting)
        .await
        .expect("it is drafted")
        .into_inner();
    let figure = |number: usize| AnswerFigure {
        period: "2025-Q4".into(),
        value: number.to_string(),
        ..Default::default()
    };
    draft.items[0].figures = (0..1000).map(figure).collect();
    let editing = UpdateAnswerRequest {
        etag: draft.etag.clone(),
        answer: Some(draft),
        request_id: request_id(),
        ..Default::default()
    };
    let edited = operator
        .update_answer(editing)
        .await
        .expect("it is edited")
        .into_inner();
    let approval = ApproveAnswerRequest {
        name: name.into(),
        sha256: edited.sha256.clone(),
        capacity: OfficialCapacity::Head.into(),
        signature: SIGNATURE.to_vec(),
        request_id: request_id(),
        ..Default::default()
    };
    approver.approve_answer(approval).await.expect("it is approved");
    let dispatch = RecordDispatchRequest {
        name: name.into(),
        means: DispatchMeans::Post.into(),
        proof: "7".into(),
        sha256: edited.sha256,
        request_id: request_id(),
        ..Default::default()
    };
    operator.record_dispatch(dispatch).await.expect("it is dispatched");
}
