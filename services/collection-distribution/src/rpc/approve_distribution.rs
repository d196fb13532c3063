//! ApproveDistribution.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::collections::v1::{ApproveDistributionRequest, DistributionList};

use super::{
    CollectionDistribution,
    distribution_lists::{self, Deciding},
    door,
    recipients::REASON,
};
use crate::domain::{distribution_list::Version, key};

pub(super) async fn approve_distribution(
    service: &CollectionDistribution,
    call: Call,
    message: ApproveDistributionRequest,
) -> Result<DistributionList, Error> {
    let mut violations = Violations::new();
    let list = door::resource(
        &mut violations,
        "name",
        &message.name,
        key::parse_distribution_list_version,
    );
    let reason = violations.optional_text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let deciding = Deciding {
        call,
        list: violations.sound(list)?,
        reason,
        request_id,
        validate_only: message.validate_only,
        kind: "distribution-list.approved",
        decide: Version::approve,
    };
    distribution_lists::decide(service, deciding, &message).await
}
