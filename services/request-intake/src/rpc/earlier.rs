//! What a request comes after, as far as its caller may see it.

use std::collections::HashMap;

use legalstat_proto::requests::v1 as proto;
use uuid::Uuid;

use super::convert;
use crate::{
    db::request::Stored,
    domain::{
        earlier::{Before, Earlier},
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

/// Tells a caller what a request comes after. Of a request that is not the caller's to see nothing is told but that there is one.
pub(super) fn tell(request: &mut proto::Request, viewer: &Viewer, earlier: &Earlier) {
    let seen = |before: &Option<Before>| {
        let before = before.as_ref()?;
        let sees = viewer.sees(&before.accepted_by, before.requester_bin.as_deref());
        sees.then(|| convert::earlier(before))
    };
    request.likely_duplicate_of = seen(&earlier.likely_duplicate_of);
    request.repeats = seen(&earlier.repeats);
}
