//! ListBodies.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{
        languages::Languages,
        page::{self, Page},
        word,
        word::Word as _,
    },
};
use legalstat_proto::requests::v1::{ListBodiesRequest, ListBodiesResponse};

use super::{RequestIntake, bodies};
use crate::{
    db::{self, body::Filter},
    domain::{
        body::{Body, BodyKind},
        identifiers,
    },
};

/// How many bodies a page has when its caller does not say.
const PAGE: usize = 50;

pub(super) async fn list_bodies(
    service: &RequestIntake,
    call: &Call,
    message: ListBodiesRequest,
) -> Result<ListBodiesResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let as_of = bodies::day(&mut violations, "as_of", message.as_of.as_ref());
    let kind = word::optional(&mut violations, "kind", message.kind, BodyKind::ALL, bodies::kind);
    let bin = Some(message.bin.clone()).filter(|bin| !bin.is_empty());
    if let Some(bin) = &bin {
        violations.check("bin", FieldReason::Bin, identifiers::check_bin(bin));
    }
    let day = as_of.map(|day| day.to_string()).unwrap_or_default();
    let query = [&*day, &message.kind.to_string(), &message.bin];
    let page = Page::parse(&mut violations, message.page_size, PAGE, &message.page_token, &query)?;
    violations.refuse()?;
    let after = page.after.as_deref().map(place).transpose()?;
    let filter = Filter {
        as_of,
        kind,
        bin,
        after,
    };
    let rows = db::body::list(&mut *service.context.db.connection().await?, &filter, page.limit()).await?;
    let (rows, next_page_token) = page.cut(rows, |body: &Body| format!("{} {}", body.id, body.valid_from));
    Ok(languages.keep(ListBodiesResponse {
        bodies: rows.iter().map(|body| bodies::shown(body, call)).collect(),
        next_page_token,
    }))
}

/// Reads the body and the day at which the last page ended.
fn place(key: &str) -> Result<(String, Date), Refusal> {
    let place = key
        .split_once(' ')
        .and_then(|(id, day)| Some((id.to_owned(), day.parse().ok()?)));
    place.ok_or_else(page::invalid)
}
