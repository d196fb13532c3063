//! GetEdition.

use legalstat_kit::{Error, Violations};
use legalstat_proto::collections::v1::{Edition, GetEditionRequest};

use super::{CollectionDistribution, convert, door};

pub(super) async fn get_edition(
    service: &CollectionDistribution,
    request: GetEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let key = door::sound(violations, key)?;
    service.schedule.require()?;
    let edition = door::find_edition(&context.db, &key).await?;
    Ok(convert::to_edition(edition))
}
