//! ListRecipients.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
    zone,
};
use legalstat_proto::collections::v1::{ListRecipientsRequest, ListRecipientsResponse};

use super::{CollectionDistribution, recipients};
use crate::{
    db::{recipient_detail, recipient_detail::Filter},
    domain::recipient::{self, Known},
};

pub(super) async fn list_recipients(
    service: &CollectionDistribution,
    call: Call,
    request: ListRecipientsRequest,
) -> Result<ListRecipientsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let day = recipients::day(&mut violations, "as_of", request.as_of.as_ref());
    let asked = day.map(|day| day.to_string());
    let mut query = vec!["recipients"];
    query.extend(asked.as_deref());
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    violations.refuse()?;
    let filter = Filter {
        day,
        ..Filter::default()
    };
    let states = recipient_detail::list(&mut *service.context.db.connection().await?, &filter).await?;
    let today = zone::civil_day(service.context.now());
    let of_each = states.chunk_by(|one, other| one.id == other.id);
    let known: Vec<&Known> = of_each
        .filter_map(|rows| recipient::as_of(rows, day.unwrap_or(today)))
        .collect();
    let behind = page.after.as_deref().map_or(0, |after| {
        let place = known.iter().position(|known| known.id == after);
        place.map_or(known.len(), |place| place + 1)
    });
    let rest = known.into_iter().skip(behind).take(page.size + 1).collect();
    let (known, next_page_token) = page.cut(rest, |known: &&Known| known.id.clone());
    Ok(languages.keep(ListRecipientsResponse {
        recipients: known.into_iter().map(|known| recipients::shown(known, &call)).collect(),
        next_page_token,
    }))
}
