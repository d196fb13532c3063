//! DeliverCopy.

use std::pin::pin;

use futures::StreamExt as _;
use legalstat_kit::{Error, FieldReason, Refusal, Violations, upload};
use legalstat_proto::{
    collections::v1::{DeliverCopyHeader, DeliverCopyRequest, Delivery, deliver_copy_request, delivery::Answer},
    common::v1::ErrorReason,
};
use tonic::{Code, Streaming};

use super::{Inbox, on_disk, require_served};
use crate::{
    door::{self, Announced},
    store::{Claim, Known, Part},
};

/// How a delivery begins.
enum Begun {
    /// There is nothing to receive.
    Answered(Box<Delivery>),
    /// What follows is added.
    Comes(Box<Part>),
}

pub(super) async fn deliver_copy(inbox: &Inbox, messages: Streaming<DeliverCopyRequest>) -> Result<Delivery, Error> {
    let mut messages = pin!(upload::arriving(messages, part));
    let header = upload::header(messages.next().await)?;
    let announced = door::announced(header, inbox.limit)?;
    let id = announced.id;
    let claim = inbox.store.claim(id, &announced.place);
    let claim = claim.ok_or_else(|| Refusal::unavailable("this copy is being delivered in another call"))?;
    let own = inbox.clone();
    let mut part = match on_disk(move || begin(&own, claim, announced)).await? {
        Begun::Answered(delivery) => return Ok(*delivery),
        Begun::Comes(part) => part,
    };
    while let Some(message) = messages.next().await {
        let chunk = upload::chunk(message)?;
        if chunk.len() as u64 > part.size() - part.received() {
            let description = "the content has more bytes than its files have together";
            return Err(Violations::one("chunk", FieldReason::Size, description).into());
        }
        // The part goes with the work: while that runs on, no other call gets at the files.
        part = on_disk(move || {
            part.add(&chunk)?;
            Ok(part)
        })
        .await?;
    }
    if part.received() < part.size() {
        return Ok(part.record().delivery(id, part.received()));
    }
    let own = inbox.clone();
    on_disk(move || received(&own, *part)).await
}

fn part(message: DeliverCopyRequest) -> Option<upload::Part<DeliverCopyHeader>> {
    Some(match message.part? {
        deliver_copy_request::Part::Header(header) => upload::Part::Header(header),
        deliver_copy_request::Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

fn begin(inbox: &Inbox, claim: Claim, announced: Announced) -> Result<Begun, Error> {
    let (id, header) = (announced.id, announced.header);
    match claim.known()? {
        Known::Nothing => {}
        Known::OtherCopy => return Err(reused().into()),
        Known::Copy(record) if !record.is_same(&header) && record.deliveries.contains(&id) => {
            return Err(reused().into());
        }
        Known::Copy(record) if !record.is_same(&header) => {
            let name = &record.copy().name;
            let message = format!("{name} is here already, and is another one");
            let refusal = Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message);
            return Err(refusal.about(name).into());
        }
        Known::Copy(mut record) => {
            claim.note(&mut record)?;
            return Ok(answered(record.delivery(id, 0)));
        }
    }
    let copy = header.copy.clone().unwrap_or_default();
    inbox.trusted.require_signed(&copy)?;
    require_served(inbox, &copy.recipient)?;
    let part = Part::open(claim, &header)?.ok_or_else(reused)?;
    if announced.offset != part.received() {
        return Ok(answered(part.record().delivery(id, part.received())));
    }
    Ok(Begun::Comes(Box::new(part)))
}

fn answered(delivery: Delivery) -> Begun {
    Begun::Answered(Box::new(delivery))
}

fn reused() -> Refusal {
    let message = "another copy was delivered under this delivery_id";
    Refusal::new(Code::InvalidArgument, ErrorReason::RequestIdReused, message)
}

/// Signs for a copy that has come whole, if it is what was announced.
fn received(inbox: &Inbox, part: Part) -> Result<Delivery, Error> {
    if !part.verify()? {
        let name = &part.record().copy().name;
        let message =
            format!("the content of {name} has changed on its way, and was thrown away; deliver it again from 0");
        let refusal = Refusal::new(Code::DataLoss, ErrorReason::DigestMismatch, message);
        return Err(refusal.about(name).into());
    }
    let receipt = inbox.receipts.give(part.record().copy(), inbox.process.now())?;
    let (id, size) = (part.id(), part.size());
    let kept = part.keep(Answer::Receipt(receipt))?;
    tracing::info!(copy = kept.copy().name, delivery = %id, "received");
    Ok(kept.delivery(id, size))
}
