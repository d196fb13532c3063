//! GetForm.

use legalstat_kit::{Error, Violations};
use legalstat_proto::forms::v1::{Form, GetFormRequest};

use super::{FormRegistry, convert, door};
use crate::{db, error::FormsError};

pub(super) async fn get_form(registry: &FormRegistry, request: GetFormRequest) -> Result<Form, Error> {
    let mut violations = Violations::new();
    let number = door::form(&mut violations, "name", &request.name);
    let number = violations.sound(number)?;
    let found = db::form::get(&registry.context.db, number).await?;
    Ok(convert::to_form(found.ok_or(FormsError::NotFound(request.name))?))
}
