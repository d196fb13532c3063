//! What is decided of an edition before its seal, each decision on the edition as it is held against other writers.

use futures::future::BoxFuture;
use legalstat_kit::{
    Error,
    call::Done,
    due::moves,
    write::{self, Change, Mutation, Outcome},
};
use legalstat_proto::collections::v1::Edition as Shown;
use sqlx::PgConnection;

use super::{CollectionDistribution, convert, door};
use crate::domain::{edition::Edition, key::EditionKey};

/// Carries out a change in one transaction: it decides on the edition, stores what it comes to, and says what was done.
///
/// # Errors
/// What the change refuses.
pub(super) async fn carry_out<F>(
    service: &CollectionDistribution,
    mutation: Mutation,
    key: EditionKey,
    change: F,
) -> Result<Shown, Error>
where
    F: for<'w> FnOnce(Edition, &'w mut PgConnection, Done) -> BoxFuture<'w, Result<(Edition, Change), Error>>
        + Send
        + 'static,
{
    let (schedule, call) = (service.schedule.clone(), mutation.call.clone());
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, "name", &key).await?;
            let (edition, done) = change(edition, &mut *connection, call.done(now)).await?;
            let moves = moves::of(connection, &key).await?;
            Ok(Outcome::each(vec![done], convert::to_edition(edition, moves)))
        })
    })
    .await
}
