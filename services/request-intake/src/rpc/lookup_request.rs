//! LookupRequest.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page, word},
};
use legalstat_proto::requests::v1::{LookupRequestRequest, LookupRequestResponse};

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    listing::{self, PAGE},
    seeing,
};
use crate::db::{
    self,
    listing::{By, Filter, Order},
};

/// The longest number that is looked up.
const NUMBER: usize = 100;

pub(super) async fn lookup_request(
    service: &RequestIntake,
    call: &Call,
    message: LookupRequestRequest,
) -> Result<LookupRequestResponse, Error> {
    let mut connection = service.context.db.snapshot().await?;
    let revision = db::rule::revision(&mut connection).await?;
    let viewer = seeing::viewer(&service.rules, &service.context, call, revision).await?;
    let mut violations = Violations::new();
    let view = word::optional(&mut violations, "view", message.view, &VIEWS, convert::view).unwrap_or(View::Basic);
    let languages = Languages::read(&mut violations, &message.languages);
    let number = violations.name("number", &message.number, NUMBER);
    let query = [&*viewer.key(), &number, if view == View::Full { "full" } else { "" }];
    let page = Page::parse(&mut violations, message.page_size, PAGE, &message.page_token, &query)?;
    violations.refuse()?;
    let filter = Filter {
        any_number: Some(number),
        ..Filter::of(viewer.clone())
    };
    let newest_first = Order {
        by: By::Number,
        descending: true,
    };
    let after = page.after.as_deref().map(|key| listing::read(key, false)).transpose()?;
    let found = db::listing::find(&mut connection, &filter, newest_first, after, page.limit()).await?;
    let (requests, next_page_token) = listing::page_of(service, &mut connection, &page, found, (view, &viewer)).await?;
    Ok(languages.keep(LookupRequestResponse {
        requests,
        next_page_token,
    }))
}
