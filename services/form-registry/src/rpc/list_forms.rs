//! ListForms.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::forms::v1::{ListFormsRequest, ListFormsResponse};

use super::{FormRegistry, convert};
use crate::db::form::{self, Filter};

pub(super) async fn list_forms(
    registry: &FormRegistry,
    _: Call,
    request: ListFormsRequest,
) -> Result<ListFormsResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.code.as_str(), &request.periodicity.to_string()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let code = violations.optional_name("code", &request.code, 40);
    let periodicity = convert::optional_periodicity(&mut violations, "periodicity", request.periodicity);
    violations.refuse()?;
    let filter = Filter {
        list_number: None,
        code: Some(code.as_str()).filter(|code| !code.is_empty()),
        periodicity,
        after: page.after()?,
        among: None,
    };
    let mut connection = registry.context.db.connection().await?;
    let forms = form::list(&mut connection, &filter, Some(page.limit())).await?;
    let (forms, next_page_token) = page.cut(forms, |form| form.list_number.to_string());
    Ok(ListFormsResponse {
        forms: forms.into_iter().map(convert::to_form).collect(),
        next_page_token,
    })
}
