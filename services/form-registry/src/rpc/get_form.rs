//! GetForm.

use legalstat_kit::{Call, Error, Refusal, Violations, door::languages::Languages, zone};
use legalstat_proto::forms::v1::{Form, GetFormRequest};

use super::{FormRegistry, convert, door, read_form};
use crate::db;

pub(super) async fn get_form(registry: &FormRegistry, _: Call, request: GetFormRequest) -> Result<Form, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let number = door::form(&mut violations, "name", &request.name);
    let as_of = read_form::optional_day(&mut violations, "as_of", request.as_of.as_ref());
    let languages = Languages::read(&mut violations, &request.languages);
    let number = violations.sound(number)?;
    let found = db::form::history(&mut *context.db.connection().await?, number).await?;
    let history = found.ok_or_else(|| Refusal::not_found(&request.name))?;
    let version = match as_of {
        None => history.shown_on(zone::civil_day(context.now())),
        Some(day) => history.on(day).ok_or_else(|| {
            let mut refusal = Refusal::not_found(&request.name);
            refusal.message = format!("{} was not in force on {day}", request.name).into();
            refusal
        })?,
    };
    Ok(languages.keep(convert::to_form(&history, version)))
}
