//! The methods of a recipient's server.

mod deliver_copy;
mod get_delivery;
mod recall_copy;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use legalstat_kit::{Call, Error, Process, Refusal, repeated};
use legalstat_proto::{
    collections::v1::{
        DeliverCopyRequest, Delivery, GetDeliveryRequest, RecallCopyRequest, RecallCopyResponse,
        copy_inbox_service_server::CopyInboxService,
    },
    common::v1::ErrorReason,
};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::{AGAIN, receipts::Receipts, store::Store, trust::Trusted};

/// The inbox of a recipient.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) process: Process,
    pub(crate) store: Arc<Store>,
    pub(crate) trusted: Trusted,
    /// Whose copies it takes.
    pub(crate) recipients: Vec<String>,
    pub(crate) receipts: Receipts,
    /// How many bytes a copy may have.
    pub(crate) limit: u64,
}

#[tonic::async_trait]
impl CopyInboxService for Inbox {
    async fn deliver_copy(
        &self,
        request: Request<Streaming<DeliverCopyRequest>>,
    ) -> Result<Response<Delivery>, Status> {
        let (_, messages) = Call::with_message(request);
        let delivery = deliver_copy::deliver_copy(self, messages).await?;
        Ok(Response::new(delivery))
    }

    async fn get_delivery(&self, request: Request<GetDeliveryRequest>) -> Result<Response<Delivery>, Status> {
        let (_, message) = Call::with_message(request);
        let delivery = get_delivery::get_delivery(self, message).await?;
        Ok(Response::new(delivery))
    }

    async fn recall_copy(&self, request: Request<RecallCopyRequest>) -> Result<Response<RecallCopyResponse>, Status> {
        let (_, message) = Call::with_message(request);
        let answer = recall_copy::recall_copy(self, message).await?;
        Ok(Response::new(answer))
    }
}

/// Refuses what is for somebody of whom this inbox was not told: a person may have it taken for him, and then nothing is lost.
fn require_served(inbox: &Inbox, recipient: &str) -> Result<(), Refusal> {
    if inbox.recipients.iter().any(|served| served == recipient) {
        return Ok(());
    }
    let own = inbox.recipients.join(", ");
    let message = format!(
        "the copy is for {recipient}, and this inbox takes those of {own}: whoever runs it has to say whom it takes them for as well"
    );
    if let Some(unlogged) = repeated::to_log(&format!("a copy came for {recipient}")) {
        let told = "a copy came for a recipient that this inbox does not take copies for";
        tracing::warn!(recipient, unlogged, "{told}");
    }
    let mut refusal = Refusal::new(Code::Unavailable, ErrorReason::RecipientNotServed, message);
    refusal.retry_after = Some(AGAIN);
    Err(refusal.with("recipient", recipient))
}

/// Does what waits for the disk in a thread where waiting is no harm. It goes on to its end though nobody waits for it any more.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::new)?
}
