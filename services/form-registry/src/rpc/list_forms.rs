//! ListForms.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
    zone,
};
use legalstat_proto::forms::v1::{ListFormsRequest, ListFormsResponse};

use super::{FormRegistry, convert, door, read_form};
use crate::{db, domain::history::Version};

pub(super) async fn list_forms(
    registry: &FormRegistry,
    _: Call,
    request: ListFormsRequest,
) -> Result<ListFormsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let as_of = door::query_date(request.as_of.as_ref());
    let query = [request.code.as_str(), &request.periodicity.to_string(), &as_of];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let code = violations.optional_name("code", &request.code, 40);
    let periodicity = convert::optional_periodicity(&mut violations, "periodicity", request.periodicity);
    let as_of = read_form::optional_day(&mut violations, "as_of", request.as_of.as_ref());
    violations.refuse()?;
    let after: i32 = page.after()?.unwrap_or_default();
    let mut snapshot = registry.context.db.snapshot().await?;
    let coded = match code.as_str() {
        "" => None,
        code => Some(db::form::coded(&mut snapshot, code).await?),
    };
    let today = zone::civil_day(registry.context.now());
    let shown = db::form::histories(&mut snapshot, None)
        .await?
        .into_iter()
        .filter_map(|history| {
            let version = match as_of {
                None => Some(history.shown_on(today)),
                Some(day) => history.on(day),
            };
            Some((history, version?))
        });
    let wanted = shown.filter(|(_, Version { number, form })| {
        form.list_number > after
            && periodicity.is_none_or(|wanted| wanted == form.periodicity)
            && coded
                .as_ref()
                .is_none_or(|coded| coded.contains(&(form.list_number, *number)))
    });
    let (forms, next_page_token) = page.cut(wanted.collect(), |(_, version)| version.form.list_number.to_string());
    Ok(languages.keep(ListFormsResponse {
        forms: forms
            .into_iter()
            .map(|(history, version)| convert::to_form(&history, version))
            .collect(),
        next_page_token,
    }))
}
