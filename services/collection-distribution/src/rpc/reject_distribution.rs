//! RejectDistribution.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::collections::v1::{DistributionList, RejectDistributionRequest};

use super::{
    CollectionDistribution,
    distribution_lists::{self, Deciding},
    door,
    recipients::REASON,
};
use crate::domain::key;

pub(super) async fn reject_distribution(
    service: &CollectionDistribution,
    call: Call,
    message: RejectDistributionRequest,
) -> Result<DistributionList, Error> {
    let mut violations = Violations::new();
    let list = door::resource(
        &mut violations,
        "name",
        &message.name,
        key::parse_distribution_list_version,
    );
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let deciding = Deciding {
        call,
        list: violations.sound(list)?,
        reason,
        request_id,
        validate_only: message.validate_only,
        kind: "distribution-list.rejected",
        decide: |version, by, reason, _| version.reject(by, reason),
    };
    distribution_lists::decide(service, deciding, &message).await
}
