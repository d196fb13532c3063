//! GetCopy.

use legalstat_kit::{Call, Error, FieldReason, Violations};
use legalstat_proto::collections::v1::{Copy, CopyView, GetCopyRequest};

use super::{CollectionDistribution, convert, door};

pub(super) async fn get_copy(
    service: &CollectionDistribution,
    call: Call,
    request: GetCopyRequest,
) -> Result<Copy, Error> {
    let mut violations = Violations::new();
    let key = door::copy(&mut violations, "name", &request.name);
    let view = CopyView::try_from(request.view);
    if view.is_err() {
        let problem = format!("{} is not a value of this enumeration", request.view);
        violations.add("view", FieldReason::Enum, problem);
    }
    let edition = key.as_ref().map(|key| key.edition.clone());
    let db = &service.context.db;
    let key = door::sound(violations, db, ("name", edition.as_ref()), key).await?;

    let mut connection = db.connection().await?;
    let now = service.context.now();
    let copy = door::visible_copy(&mut connection, &call, "name", &key, now).await?;
    Ok(match view {
        Ok(CopyView::Full) => convert::to_full_copy(copy, now),
        _ => convert::to_copy(copy, now),
    })
}
