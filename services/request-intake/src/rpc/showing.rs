//! Stored requests as their callers see them.

use std::sync::Arc;

use legalstat_kit::{Call, Context, Error, due::moves, write::Write};
use legalstat_proto::requests::v1 as proto;
use sqlx::PgConnection;

use super::{
    RequestIntake,
    convert::{self, View},
    deciding::{self, Asked},
    earlier, seeing,
};
use crate::{
    current_rules::CurrentRules,
    db::{self, request::Stored},
    domain::{earlier::Earlier, names, viewer::Viewer},
    earlier_requests::{self, EarlierRequests},
    shared_texts::SharedTexts,
};

/// By what requests are shown, in a transaction too.
pub(super) struct Showing {
    texts: Arc<SharedTexts>,
    earlier: Arc<EarlierRequests>,
    pub rules: Arc<CurrentRules>,
    pub context: Context,
}

impl Showing {
    pub fn of(service: &RequestIntake) -> Self {
        Self {
            texts: Arc::clone(&service.texts),
            earlier: Arc::clone(&service.earlier),
            rules: Arc::clone(&service.rules),
            context: service.context.clone(),
        }
    }

    /// Requests in their order, as a view shows them, with the moves of their due dates, what they come after and, in the full view, what was
    /// done with them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests(
        &self,
        connection: &mut PgConnection,
        stored: Vec<Stored>,
        view: View,
        viewer: &Viewer,
    ) -> Result<Vec<proto::Request>, Error> {
        let moved = stored.iter().filter(|request| request.moved);
        let moved: Vec<String> = moved.map(|request| names::request(request.receipt.id)).collect();
        let mut moves = moves::of_each(&mut *connection, &moved).await?;
        let decided = stored
            .iter()
            .filter(|request| request.standing.version > 0 && view == View::Full);
        let decided: Vec<_> = decided.map(|request| request.receipt.id).collect();
        let mut decisions = db::decision::of_each(connection, &decided).await?;
        let ids = earlier_requests::ids(&stored);
        let read = self.earlier.read(connection, &ids, viewer).await?;
        let comes_after: Vec<Earlier> = stored.iter().map(|stored| earlier::of(stored, &read)).collect();
        let requests = self.texts.complete(connection, stored, view == View::Full).await?;
        let requests = requests.into_iter().zip(comes_after).map(|(request, comes_after)| {
            let id = request.receipt.as_ref().map(|receipt| receipt.id);
            let decisions = id.and_then(|id| decisions.remove(&id)).unwrap_or_default();
            let mut request = convert::as_of(convert::request_in(view, request), self.context.now());
            request.decisions = decisions.into_iter().map(convert::decision).collect();
            request.due_date_changes = moves.remove(&request.name).unwrap_or_default();
            earlier::tell(&mut request, viewer, &comes_after);
            request
        });
        Ok(requests.collect())
    }

    /// One request, as [`Self::requests`] shows it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(
        &self,
        connection: &mut PgConnection,
        stored: Stored,
        view: View,
        viewer: &Viewer,
    ) -> Result<proto::Request, Error> {
        let shown = self.requests(connection, vec![stored], view, viewer).await?.pop();
        Ok(shown.ok_or_else(|| anyhow::anyhow!("one request is shown as one"))?)
    }

    /// The locked request as the transaction leaves it, in its basic view.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn left(&self, write: &mut Write, asked: &Asked, call: &Call) -> Result<proto::Request, Error> {
        let left = deciding::locked(write.connection(), asked).await?;
        let left = left.ok_or_else(|| anyhow::anyhow!("a locked request is gone"))?;
        let viewer = seeing::viewer(&self.rules, &self.context, call, left.rules_revision).await?;
        self.request(write.connection(), left, View::Basic, &viewer).await
    }
}
