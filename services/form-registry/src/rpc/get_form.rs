//! GetForm.

use legalstat_kit::{Call, Error, Refusal, Violations};
use legalstat_proto::forms::v1::{Form, GetFormRequest};

use super::{FormRegistry, convert, door};
use crate::db;

pub(super) async fn get_form(registry: &FormRegistry, _: Call, request: GetFormRequest) -> Result<Form, Error> {
    let mut violations = Violations::new();
    let number = door::form(&mut violations, "name", &request.name);
    let number = violations.sound(number)?;
    let found = db::form::get(&mut *registry.context.db.connection().await?, number).await?;
    Ok(convert::to_form(
        found.ok_or_else(|| Refusal::not_found(&request.name))?,
    ))
}
