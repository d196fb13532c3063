//! Changes of one edition: each is decided on the edition as it is held against other writers, and stored with its last revision.

use futures::future::BoxFuture;
use legalstat_kit::{
    Call, Error,
    call::Done,
    due::moves,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::Edition as Shown;
use sqlx::PgConnection;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::{
        edition::{Edition, Figures, Obstacle},
        key::EditionKey,
    },
};

/// What was asked of which edition.
pub(super) struct Asked {
    /// The field that names the edition.
    pub field: &'static str,
    pub key: EditionKey,
    pub call: Call,
    pub mutation: Mutation,
}

/// What became of the edition.
pub(super) enum Changed {
    /// It is another, and the event has this name.
    To(Edition, &'static str),
    /// It was so already, and the event has this name.
    Not(Edition, &'static str),
}

/// Carries out a change in one transaction. It decides on the edition, and stores what is not the edition itself.
///
/// # Errors
/// What the change refuses.
pub(super) async fn carry_out<F>(registry: &FormRegistry, asked: Asked, change: F) -> Result<Shown, Error>
where
    F: for<'w> FnOnce(Edition, &'w mut PgConnection, Done) -> BoxFuture<'w, Result<Changed, Error>> + Send + 'static,
{
    let (schedule, field, key, call) = (registry.schedule.clone(), asked.field, asked.key, asked.call);
    write::carry_out(&registry.context, asked.mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, field, key, now).await?;
            let moves = moves::of(&mut *connection, &key).await?;
            match change(edition, &mut *connection, call.done(now)).await? {
                Changed::Not(edition, kind) => {
                    let answer = convert::to_edition(edition, moves, now);
                    Ok(Outcome::repeated(&key, kind, answer))
                }
                Changed::To(edition, kind) => {
                    if let Some(last) = edition.revisions.last() {
                        db::revision::save_last(connection, key, last).await?;
                    }
                    db::edition::save(connection, &edition).await?;
                    let answer = convert::to_edition(edition, moves, now);
                    Ok(Outcome::of(&key, kind, answer))
                }
            }
        })
    })
    .await
}

/// What a decision of the domain comes to for the caller.
pub(super) fn decided<T>(key: EditionKey, decision: Result<T, Obstacle>) -> Result<T, Error> {
    Ok(decision.map_err(|obstacle| obstacle.refusal(&key))?)
}

/// What the figures of the revision in preparation come to.
pub(super) async fn figures(connection: &mut PgConnection, edition: &Edition) -> Result<Figures, Error> {
    match edition.open_revision() {
        Some(open) => Ok(db::revision::figures(connection, edition.key, open.number).await?),
        None => Ok(Figures::default()),
    }
}
