//! RecallCopy.

use legalstat_kit::{Error, door::wire};
use legalstat_proto::collections::v1::{RecallCopyRequest, RecallCopyResponse};

use super::{Inbox, on_disk, require_served};
use crate::{door, recall::Recall};

pub(super) async fn recall_copy(inbox: &Inbox, message: RecallCopyRequest) -> Result<RecallCopyResponse, Error> {
    let (place, told) = door::recalled(message)?;
    require_served(inbox, &told.recipient)?;
    let recorded_at = Some(wire::to_timestamp(wire::whole_microseconds(inbox.process.now())));
    let recall = Recall {
        told,
        answer: RecallCopyResponse { recorded_at },
    };
    let store = inbox.store.clone();
    let kept = on_disk(move || Ok(store.recall(&place, recall)?)).await?;
    tracing::warn!(
        copy = kept.told.copy,
        "a copy was recalled, and is not to be used any more"
    );
    Ok(kept.answer)
}
