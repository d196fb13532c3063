//! ForwardRequest.

use std::collections::BTreeSet;

use legalstat_kit::{Call, Error, FieldReason, Violations};
use legalstat_proto::requests::v1::{self as proto, ForwardRequestRequest};

use uuid::Uuid;

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, GROUND, REASON},
    owed::Said,
    seeing,
};
use crate::{
    db::{self, request::Stored},
    domain::{decision::Terms, life::Verb, owed::Owed},
};

/// The longest name of a body.
const BODY: usize = 500;

pub(super) async fn forward_request(
    service: &RequestIntake,
    call: &Call,
    message: ForwardRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let to_body = violations.name("to_body", &message.to_body, BODY);
    let ground = violations.name("ground", &message.ground, GROUND);
    let reason = violations.text("reason", &message.reason, REASON);
    let notified_on = deciding::notified_on(&mut violations, message.notified_on.as_ref(), service.context.now());
    let items = items(&mut violations, &message.items);
    let ForwardRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let notify = notify(service, call, asked.id).await?;
    let in_part = !items.is_empty();
    let deed = if in_part {
        Deed {
            verb: Verb::ForwardItems,
            events: ("request.items_forwarded", "request.items_forwarded"),
        }
    } else {
        Deed {
            verb: Verb::Forward,
            events: ("request.forwarded", "request.forwarded"),
        }
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Forward, &ground, None)?;
            deciding::told_after_receipt(stands, notified_on)?;
            let gone = db::decision::forwarded_items(write.connection(), stands.receipt.id).await?;
            some_remain(stands, &items, &gone)?;
            let notify = match notify {
                Some(said) => said.current(write, stands).await?,
                None => None,
            };
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    ground: Some(ground),
                    to_body: Some(to_body),
                    items: in_part.then_some(items),
                    notify_by: notify.as_ref().map(|deadline| deadline.due_date),
                    explanation: notify.map(Into::into),
                    notified_on,
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}

/// The day by which the requester is to be told, where the term has a time for it. What is forwarded does not wait for a calendar
/// that is away.
async fn notify(service: &RequestIntake, call: &Call, id: Uuid) -> Result<Option<Said>, Error> {
    let found = service.lookup.get(id).await?;
    let stands = seeing::whole(&service.rules, &service.context, call, id, found).await?;
    Said::of(service, &stands, Owed::Forwarding).await
}

/// The positions of items, each once and in order.
fn items(violations: &mut Violations, given: &[i32]) -> Vec<i32> {
    let mut items = BTreeSet::new();
    for (place, item) in given.iter().enumerate() {
        if !items.insert(*item) {
            violations.add(format!("items[{place}]"), FieldReason::Duplicate, "given twice");
        }
    }
    items.into_iter().collect()
}

/// Refuses items that the request does not have or that are gone already, and a part that is the whole rest.
fn some_remain(stands: &Stored, items: &[i32], gone: &[i32]) -> Result<(), Error> {
    let all = i32::try_from(stands.submission.items.len()).map_err(anyhow::Error::new)?;
    let mut violations = Violations::new();
    for item in items {
        if !(0..all).contains(item) {
            let description = format!("there is no item {item}: the request has {all}, counted from 0");
            violations.add("items", FieldReason::OutOfRange, description);
        } else if gone.contains(item) {
            violations.add(
                "items",
                FieldReason::Duplicate,
                format!("item {item} was forwarded before"),
            );
        }
    }
    if !items.is_empty() && (0..all).all(|item| items.contains(&item) || gone.contains(&item)) {
        let description = "nothing would remain: leave `items` empty to forward the whole request";
        violations.add("items", FieldReason::Conflict, description);
    }
    Ok(violations.refuse()?)
}
