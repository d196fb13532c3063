//! ListFormVersions.

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::forms::v1::{ListFormVersionsRequest, ListFormVersionsResponse};

use super::{FormRegistry, convert, door};
use crate::db;

pub(super) async fn list_form_versions(
    registry: &FormRegistry,
    _: Call,
    request: ListFormVersionsRequest,
) -> Result<ListFormVersionsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let query = [request.parent.as_str()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let number = door::form(&mut violations, "parent", &request.parent);
    let number = violations.sound(number)?;
    let after: i32 = page.after()?.unwrap_or_default();
    let history = db::form::history(&mut *registry.context.db.connection().await?, number).await?;
    let history = history.ok_or_else(|| Refusal::not_found(&request.parent))?;
    let recordings = history.recordings().iter().filter(|recording| recording.number > after);
    let (recordings, next_page_token) = page.cut(recordings.collect(), |recording| recording.number.to_string());
    Ok(languages.keep(ListFormVersionsResponse {
        form_versions: recordings
            .into_iter()
            .map(|one| convert::to_form_version(&history, one))
            .collect(),
        next_page_token,
    }))
}
