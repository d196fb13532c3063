//! Pages of requests, for the methods that list them.

use jiff::Timestamp;
use legalstat_kit::{
    Error, Refusal,
    door::page::{self, Page},
};
use legalstat_proto::requests::v1 as proto;
use prost::Message;
use sqlx::PgConnection;

use super::{RequestIntake, convert::View, showing::Showing};
use crate::{
    db::{
        self,
        listing::{Found, Key, Place},
    },
    domain::viewer::Viewer,
};

/// How many requests a page has when its caller does not say.
pub(super) const PAGE: usize = 50;
/// How many bytes a page may have: clients take 4 MiB unless told otherwise, and one request alone can have 1.6 MB.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// How many requests are read at once.
const BATCH: usize = 20;

/// A place in a list as a token carries it.
fn written(key: Key) -> String {
    match key.first {
        None => key.number.to_string(),
        Some(first) => format!("{first} {}", key.number),
    }
}

/// Reads a place in a list; `with_first` when it is ordered by more than the number.
pub(super) fn read(text: &str, with_first: bool) -> Result<Key, Refusal> {
    let key = match text.split_once(' ') {
        Some((first, number)) if with_first => number.parse().ok().zip(first.parse().ok().map(Some)),
        None if !with_first => text.parse().ok().map(|number| (number, None)),
        _ => None,
    };
    // A forged instant outside of all calendars is no place.
    let key = key.filter(|(_, first)| first.is_none_or(|first| Timestamp::from_microsecond(first).is_ok()));
    let (number, first) = key.ok_or_else(page::invalid)?;
    Ok(Key { number, first })
}

/// A page of what was found, and the token of the next one. It ends where the bytes of a page or the requests that a page may look
/// through do.
pub(super) async fn page_of(
    service: &RequestIntake,
    connection: &mut PgConnection,
    page: &Page,
    found: Found,
    (view, viewer): (View, &Viewer),
) -> Result<(Vec<proto::Request>, String), Error> {
    let (places, whole_token) = page.cut(found.places, |place| written(place.key));
    let (requests, filled) = fill(service, connection, &places, (view, viewer)).await?;
    let next_page_token = match (places.get(filled.saturating_sub(1)), found.looked_to) {
        (Some(last), _) if filled < places.len() => page.token(&written(last.key)),
        (_, Some(looked_to)) if whole_token.is_empty() => page.token(&written(looked_to)),
        _ => whole_token,
    };
    Ok((requests, next_page_token))
}

/// The requests of a page, and how many of its places they fill: fewer when they reach the bytes that a page may have.
async fn fill(
    service: &RequestIntake,
    connection: &mut PgConnection,
    places: &[Place],
    (view, viewer): (View, &Viewer),
) -> Result<(Vec<proto::Request>, usize), Error> {
    let showing = Showing::of(service);
    let mut requests = Vec::new();
    let (mut bytes, mut filled) = (0, 0);
    for batch in places.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|place| place.id).collect();
        let mut found = db::request::get(connection, &ids).await?;
        let stored = ids.iter().filter_map(|id| found.remove(id));
        let stored = stored.collect::<Result<Vec<_>, _>>()?;
        for request in showing.requests(connection, stored, view, viewer).await? {
            bytes += request.encoded_len();
            if bytes > PAGE_BYTES && !requests.is_empty() {
                return Ok((requests, filled));
            }
            requests.push(request);
            filled += 1;
        }
    }
    Ok((requests, places.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_read_again_in_its_own_order_only(number: i64, first in proptest::option::of(-1_000_000_000_000_i64..2_000_000_000_000_000)) {
            let key = Key { number, first };
            prop_assert_eq!(read(&written(key), first.is_some()).ok(), Some(key));
            prop_assert!(read(&written(key), first.is_none()).is_err());
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for (text, with_first) in [("", false), ("x", false), ("1 ", true), ("9223372036854775807 1", true)] {
            assert!(read(text, with_first).is_err(), "{text:?}");
        }
    }
}
