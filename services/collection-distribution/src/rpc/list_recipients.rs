//! ListRecipients.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListRecipientsRequest, ListRecipientsResponse};

use super::{CollectionDistribution, convert};
use crate::db;

pub(super) async fn list_recipients(
    service: &CollectionDistribution,
    _: Call,
    request: ListRecipientsRequest,
) -> Result<ListRecipientsResponse, Error> {
    let mut violations = Violations::new();
    let page = Page::parse(
        &mut violations,
        request.page_size,
        100,
        &request.page_token,
        &["recipients"],
    )?;
    violations.refuse()?;
    let recipients = db::recipient::list(
        &mut *service.context.db.connection().await?,
        page.after.as_deref(),
        page.limit(),
    )
    .await?;
    let (recipients, next_page_token) = page.cut(recipients, |recipient| recipient.id.clone());
    let recipients = recipients.into_iter().map(convert::to_recipient).collect();
    Ok(ListRecipientsResponse {
        recipients,
        next_page_token,
    })
}
