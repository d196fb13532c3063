//! What a request comes after, as far as its caller may see it.

use std::collections::HashMap;

use legalstat_kit::Caller;
use legalstat_proto::requests::v1 as proto;
use uuid::Uuid;

use super::{convert, sees_only_own};
use crate::{
    db::request::Stored,
    domain::earlier::{Before, Earlier},
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
pub(super) fn tell(request: &mut proto::Request, caller: &Caller, earlier: &Earlier) {
    let own = sees_only_own(caller);
    let seen = |before: &Option<Before>| {
        let before = before.as_ref()?;
        own.is_none_or(|own| own == before.accepted_by)
            .then(|| convert::earlier(before))
    };
    request.likely_duplicate_of = seen(&earlier.likely_duplicate_of);
    request.repeats = seen(&earlier.repeats);
}
