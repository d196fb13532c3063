//! Editions of collections by calls, from the upload to the release.

use legalstat_kit::door::wire::sha256;
use legalstat_proto::collections::v1::{
    ReleaseEditionRequest, SealEditionRequest, UploadEditionContentHeader, UploadEditionContentRequest,
    collection_distribution_service_client::CollectionDistributionServiceClient, upload_edition_content_request::Part,
};
use legalstat_test_support::system::System;
use tonic::transport::Channel;
use uuid::Uuid;

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn client(system: &System, caller: &str) -> CollectionDistributionServiceClient<Channel> {
    CollectionDistributionServiceClient::new(system.channel("collection-distribution", Some(caller)))
}

/// Uploads the content of an edition and seals it.
pub(crate) async fn seal(system: &System, name: &str, content: &[u8]) {
    let header = UploadEditionContentHeader {
        name: name.into(),
        filename: "crime.pdf".into(),
        content_type: "application/pdf".into(),
        request_id: id(),
        ..Default::default()
    };
    let parts = [Part::Header(header), Part::Chunk(content.to_vec())];
    let messages = parts.map(|part| UploadEditionContentRequest { part: Some(part) });
    let mut operator = client(system, "operator");
    let uploaded = operator.upload_edition_content(tokio_stream::iter(messages)).await;
    uploaded.expect("it is taken");
    let sealing = SealEditionRequest {
        name: name.into(),
        sha256: hex::encode(sha256(content)),
        request_id: id(),
        validate_only: false,
    };
    operator.seal_edition(sealing).await.expect("it is sealed");
}

/// Releases a sealed edition: its copies are made.
pub(crate) async fn release(system: &System, name: &str) {
    let releasing = ReleaseEditionRequest {
        name: name.into(),
        request_id: id(),
        ..Default::default()
    };
    let released = client(system, "approver").release_edition(releasing).await;
    released.expect("it is released");
}
