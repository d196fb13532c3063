//! RecallEdition.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, Violations,
    due::moves,
    write::{self, Change, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{Edition, RecallEditionRequest};

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{delivery, edition::Recall},
};

/// How many characters a reason has at most.
const REASON: usize = 1000;

pub(super) async fn recall_edition(
    service: &CollectionDistribution,
    call: Call,
    request: RecallEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let reason = violations.text("reason", &request.reason, REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &context.db, ("name", key.as_ref()), key.clone()).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let (schedule, due) = (service.schedule.clone(), Arc::clone(&service.due));
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, "name", &key).await?;
            let done = call.done(now);
            let recalled = edition.recall(Recall { done, reason });
            let edition = recalled.map_err(|obstacle| obstacle.refusal(&key))?;
            db::edition::save(connection, &edition).await?;
            // Whose server is entered meanwhile, to those recalls are told that are there then: this one among them.
            db::recipient_detail::share_entitlements(connection).await?;
            let copies = db::copy::recall(connection, &key, edition.revision, now).await?;
            db::delivery::end(connection, &copies).await?;
            let known = db::recipient_detail::all(connection).await?;
            let from_when = delivery::from_when(&known, known.iter().map(|row| row.id.as_str()), now);
            db::delivery::begin_recall(connection, &key, edition.revision, &from_when).await?;
            let moves = moves::of(&mut *connection, &key).await?;
            let revisions = db::revision::list(connection, &key).await?;
            let answer = convert::with_revisions(convert::to_edition(edition, moves), revisions);
            let told = copies.iter().map(|copy| Change::of(copy, "copy.recalled"));
            let changes = std::iter::once(Change::of(&key, "edition.recalled")).chain(told);
            Ok(Outcome::each(changes.collect(), answer).once_committed(move || due.notify_one()))
        })
    })
    .await
}
