//! ListPlacements.

use legalstat_kit::{Call, Error, FieldReason, Violations, door::page::Page};
use legalstat_proto::forms::v1::{ListPlacementsRequest, ListPlacementsResponse};
use tonic::Response;

use super::{FormRegistry, convert, door, showing::Showing};
use crate::{
    db::{
        embargo,
        placement::{self, Filter, Place},
    },
    domain::{
        key::{self, EditionKey},
        visibility::View,
    },
};

pub(super) async fn list_placements(
    registry: &FormRegistry,
    call: Call,
    request: ListPlacementsRequest,
) -> Result<Response<ListPlacementsResponse>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let query = [request.parent.as_str(), &request.channel.to_string()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let (form, edition) = parent(&mut violations, &request.parent);
    let channel = convert::optional_channel(&mut violations, "channel", request.channel);
    violations.refuse()?;
    let (now, mut showing) = (context.now(), Showing::to(&call, context.now()));
    let mut snapshot = context.db.snapshot().await?;
    match edition {
        Some(key) => drop(door::find(&mut snapshot, "parent", key, now).await?),
        None => door::require_registered(&mut snapshot, form).await?,
    }
    // What is withheld is left out of the question, so that neither the length of a page nor its token tells of it.
    let embargoes = embargo::holding(&mut snapshot, edition, now).await?;
    let keys: Vec<EditionKey> = embargoes.keys().copied().collect();
    let placed = placement::of_each(&mut snapshot, &keys).await?;
    let is_asked_for = |key: &EditionKey| form.is_none_or(|form| form == key.form) && placed.contains_key(key);
    let hidden = embargoes
        .iter()
        .filter(|(key, embargo)| showing.view(**key, Some(embargo), is_asked_for(key)) == View::Dates);
    let filter = Filter {
        form,
        period: edition.map(|key| key.period.to_string()),
        channel,
        hidden: hidden.map(|(key, _)| *key).collect(),
        after: page.after()?,
    };
    let found = placement::list(&mut snapshot, &filter, page.limit()).await?;
    drop(snapshot);
    let (found, next_page_token) = page.cut(found, |placement| Place::of(placement).to_string());
    let placements = found.into_iter().map(|placement| {
        let view = showing.view(placement.edition, embargoes.get(&placement.edition), false);
        convert::to_placement(placement.shown(view == View::Everything))
    });
    let answer = ListPlacementsResponse {
        placements: placements.collect(),
        next_page_token,
    };
    showing.record(context, &call).await?;
    Ok(showing.answer(answer))
}

/// Reads the form and the edition that a parent names, `-` standing for all.
fn parent(violations: &mut Violations, given: &str) -> (Option<i32>, Option<EditionKey>) {
    match given.strip_suffix("/editions/-") {
        Some(key::ALL_FORMS) => (None, None),
        Some(form) => (door::form(violations, "parent", form), None),
        None if given.is_empty() => {
            violations.add(
                "parent",
                FieldReason::Required,
                "required; forms/-/editions/- means all",
            );
            (None, None)
        }
        None => {
            let edition = door::edition(violations, "parent", given);
            (edition.map(|key| key.form), edition)
        }
    }
}
