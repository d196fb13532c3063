//! BatchCreateDetails.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{BatchCreateDetailsRequest, RegisterChange};

use super::{
    FormRegistry,
    batch_create_indicators::{MOST, enter},
    faults, registering,
};
use crate::domain::faults::Faults;

pub(super) async fn batch_create_details(
    registry: &FormRegistry,
    call: Call,
    mut request: BatchCreateDetailsRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &request);
    let document = registering::document(&mut violations, "parent", &request.parent);
    violations.count("details", request.details.len(), MOST);
    let request_id = violations.request_id("request_id", &request.request_id);
    let document = violations.sound(document)?;
    let parent = request.parent.clone();
    let mutation = Mutation::of(&call, &parent, request_id, request.validate_only, &request);
    let mut found = Faults::default();
    let given = registering::details(&mut found, std::mem::take(&mut request.details));
    faults::refuse("details", found)?;
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let owner = registering::owner_of_details(write.connection(), &document).await?;
            let change = enter(write, &call, owner, "details", given).await?;
            if change.created + change.replaced == 0 {
                return Ok(Outcome::repeated(&parent, "details.entering_repeated", change));
            }
            Ok(Outcome::of(&parent, "details.entered", change))
        })
    })
    .await
}
