//! GetEdition.

use legalstat_kit::{Error, Violations};
use legalstat_proto::forms::v1::{Edition, GetEditionRequest};

use super::{FormRegistry, convert, door};

pub(super) async fn get_edition(registry: &FormRegistry, request: GetEditionRequest) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let key = door::sound(violations, key)?;
    registry.schedule.require()?;
    let edition = door::find(&context.db, key).await?;
    Ok(convert::to_edition(edition, context.now()))
}
