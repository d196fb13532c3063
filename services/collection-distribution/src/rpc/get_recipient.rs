//! GetRecipient.

use legalstat_kit::{Call, Error, Refusal, Violations, door::languages::Languages, zone};
use legalstat_proto::collections::v1::{self as proto, GetRecipientRequest};

use super::{CollectionDistribution, door, recipients};
use crate::{
    db::recipient_detail,
    domain::{key, recipient},
};

pub(super) async fn get_recipient(
    service: &CollectionDistribution,
    call: Call,
    message: GetRecipientRequest,
) -> Result<proto::Recipient, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "name", &message.name, key::parse_recipient);
    let as_of = recipients::day(&mut violations, "as_of", message.as_of.as_ref());
    let languages = Languages::read(&mut violations, &message.languages);
    let id = violations.sound(id)?;
    let as_of = as_of.unwrap_or_else(|| zone::civil_day(service.context.now()));
    let rows = recipient_detail::of(&mut *service.context.db.connection().await?, &id).await?;
    let known = recipient::as_of(&rows, as_of).ok_or_else(|| Refusal::not_found(&key::recipient(&id)))?;
    Ok(languages.keep(recipients::shown(known, &call)))
}
