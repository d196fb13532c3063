//! What a request comes after, as far as its caller may see it.

use std::collections::HashMap;

use legalstat_proto::requests::v1 as proto;
use uuid::Uuid;

use super::convert;
use crate::{
    db::request::Stored,
    domain::{
        earlier::{Before, Earlier},
        examination::{CheckRule, as_if_first},
        viewer::Viewer,
    },
};

/// What a stored request comes after.
pub(super) fn of(stored: &Stored, read: &HashMap<Uuid, Before>) -> Earlier {
    let before = |id: Option<Uuid>| id.and_then(|id| read.get(&id)).cloned();
    Earlier {
        likely_duplicate_of: before(stored.likely_duplicate_of),
        repeats: before(stored.repeats),
    }
}

/// Tells a caller what a request comes after. Of a request that is not the caller's to see nothing is told, not even that there is
/// one: else whoever may submit would learn what others have asked.
pub(super) fn tell(request: &mut proto::Request, viewer: &Viewer, earlier: &Earlier) {
    let seen = |before: &Option<Before>| {
        let before = before.as_ref()?;
        let sees = viewer.sees(&before.accepted_by, before.requester_bin.as_deref());
        sees.then(|| convert::earlier(before))
    };
    request.likely_duplicate_of = seen(&earlier.likely_duplicate_of);
    request.repeats = seen(&earlier.repeats);
    if *viewer != Viewer::Official {
        conceal(request);
    }
}

/// Tells the checks of what a request comes after as passed, where what it comes after is not named.
pub(super) fn conceal(request: &mut proto::Request) {
    let named = [
        (CheckRule::LikelyDuplicate, request.likely_duplicate_of.is_some()),
        (CheckRule::Repeated, request.repeats.is_some()),
    ];
    let checks = request
        .examination
        .iter_mut()
        .flat_map(|examination| &mut examination.checks);
    for check in checks.filter(|check| check.outcome() == proto::CheckOutcome::Proposed) {
        let of_rule = named.iter().find(|(rule, _)| check.rule == convert::rule(*rule));
        if let Some((rule, false)) = of_rule {
            check.set_outcome(proto::CheckOutcome::Passed);
            check.text = Some(as_if_first(*rule).into());
        }
    }
}
