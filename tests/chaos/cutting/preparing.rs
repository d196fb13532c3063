//! Messages about the content of a collection's edition, until its seal.

use legalstat_proto::collections::v1::{
    GetEditionContentUploadRequest, MarkEditionRequest, OfficialUse, RemoveEditionFileRequest, SetEmbargoRequest,
    UploadEditionContentHeader, UploadEditionContentRequest, upload_edition_content_request::Part,
};
use prost::Message;
use tonic::{Code, transport::Channel};

use super::distributing::{new_id, rpc};
use crate::call::Call;

/// Uploads a file of an edition.
pub(super) fn upload(operator: &Channel, name: &str, filename: &str, content: &str) -> Call {
    let header = UploadEditionContentHeader {
        name: name.into(),
        filename: filename.into(),
        content_type: "application/pdf".into(),
        request_id: new_id(),
        ..Default::default()
    };
    sent(operator, header, content)
}

fn sent(operator: &Channel, header: UploadEditionContentHeader, content: &str) -> Call {
    let parts = [Part::Header(header), Part::Chunk(content.as_bytes().to_vec())];
    let messages = parts.map(|part| UploadEditionContentRequest { part: Some(part) }.encode_to_vec());
    Call::streamed(operator, rpc!("UploadEditionContent"), messages.to_vec())
}

/// Begins an upload that waits for its rest, and gives its id.
pub(super) async fn begun(operator: &Channel, name: &str) -> String {
    let id = new_id();
    let header = UploadEditionContentHeader {
        name: name.into(),
        filename: "begun.pdf".into(),
        content_type: "application/pdf".into(),
        request_id: id.clone(),
        sha256: hex::encode(legalstat_kit::door::wire::sha256(b"ab")),
        resumable: true,
        size_bytes: 2,
        ..Default::default()
    };
    let broken = sent(operator, header, "a").make(None).await;
    let broken = broken.expect_err("half of it is missing");
    assert_eq!(broken.code(), Code::FailedPrecondition, "{broken:?}");
    id
}

/// What has come of an upload.
pub(super) fn come(operator: &Channel, upload_id: &str) -> Call {
    let message = GetEditionContentUploadRequest {
        upload_id: upload_id.into(),
    };
    Call::new(operator, rpc!("GetEditionContentUpload"), &message)
}

/// A change of an edition that has two files; none for another method.
pub(super) fn change(operator: &Channel, method: &str, name: &str) -> Option<Call> {
    let (name, request_id) = (name.to_owned(), new_id());
    Some(match method {
        "RemoveEditionFile" => {
            let message = RemoveEditionFileRequest {
                name,
                filename: "more.pdf".into(),
                request_id,
                validate_only: false,
            };
            Call::new(operator, rpc!("RemoveEditionFile"), &message)
        }
        "MarkEdition" => {
            let official_use = OfficialUse {
                copies: 33,
                reason: "it tells of pending cases".into(),
                expires_on: None,
            };
            let message = MarkEditionRequest {
                name,
                official_use: Some(official_use),
                request_id,
                validate_only: false,
            };
            Call::new(operator, rpc!("MarkEdition"), &message)
        }
        "SetEmbargo" => {
            let message = SetEmbargoRequest {
                name,
                until: None,
                request_id,
                validate_only: false,
            };
            Call::new(operator, rpc!("SetEmbargo"), &message)
        }
        _ => return None,
    })
}
