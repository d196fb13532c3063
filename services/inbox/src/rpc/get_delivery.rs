//! GetDelivery.

use legalstat_kit::{Error, Refusal, Violations};
use legalstat_proto::collections::v1::{Delivery, GetDeliveryRequest};

use super::{Inbox, on_disk};

pub(super) async fn get_delivery(inbox: &Inbox, message: GetDeliveryRequest) -> Result<Delivery, Error> {
    let mut violations = Violations::new();
    let id = violations.request_id("delivery_id", &message.delivery_id);
    violations.refuse()?;
    let store = inbox.store.clone();
    on_disk(move || {
        // A part may become a copy between the two looks, and never the other way.
        let coming = store.coming(id)?;
        if let Some(record) = store.answered(id)? {
            return Ok(record.delivery(id, 0));
        }
        let (record, received) = coming.ok_or_else(|| Refusal::not_found(&format!("delivery {id}")))?;
        Ok(record.delivery(id, received))
    })
    .await
}
