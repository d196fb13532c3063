//! The methods of a recipient's server.

mod deliver_copy;
mod get_delivery;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use legalstat_kit::{Call, Error, Process};
use legalstat_proto::collections::v1::{
    DeliverCopyRequest, Delivery, GetDeliveryRequest, copy_inbox_service_server::CopyInboxService,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{receipts::Receipts, store::Store, trust::Trusted};

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
}

/// Does what waits for the disk in a thread where waiting is no harm. It goes on to its end though nobody waits for it any more.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::new)?
}
