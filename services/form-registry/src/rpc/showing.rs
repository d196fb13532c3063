//! What is shown to whom, for every method that reads: the decision is `domain/visibility.rs`'s, and here it is asked for, and
//! what it wants in the journal is left there.

use jiff::Timestamp;
use legalstat_kit::{Call, Caller, Context, Error, call::caller::Role, write};
use legalstat_proto::common::v1::ErrorReason;
use sqlx::PgConnection;
use tonic::Response;

use crate::{
    db::{self, edition::Filter},
    domain::{
        edition::{Edition, EditionState},
        embargo::Embargo,
        key::EditionKey,
        visibility::{self, Asker, Rank, View},
    },
};

/// What a caller is to the registry.
fn asker(caller: &Caller) -> Asker<'_> {
    let rank = if caller.has(Role::Operator) || caller.has(Role::Approver) {
        Rank::Preparer
    } else if caller.is_official() {
        Rank::Official
    } else {
        Rank::Other
    };
    Asker {
        name: &caller.name,
        rank,
    }
}

/// The service that answers requests. Its certificate is issued by the operator, and no other has its name.
const ANSWERING: &str = "request-intake";

/// What the answers to one call show, and what they withhold.
pub(super) struct Showing<'c> {
    asker: Asker<'c>,
    now: Timestamp,
    /// What was withheld first because of an embargo.
    withheld: Option<EditionKey>,
    /// What was shown before its embargo ended.
    early: Vec<EditionKey>,
}

impl<'c> Showing<'c> {
    /// To a caller, at an instant.
    pub(super) fn to(call: &'c Call, now: Timestamp) -> Self {
        Self {
            asker: asker(&call.caller),
            now,
            withheld: None,
            early: Vec::new(),
        }
    }

    /// To a caller that may ask for the answer to a request: then what is sealed is shown too.
    pub(super) fn for_answers(call: &'c Call, now: Timestamp) -> Self {
        let mut showing = Self::to(call, now);
        if call.caller.has(Role::Service) && call.caller.name == ANSWERING && showing.asker.rank == Rank::Other {
            showing.asker.rank = Rank::Answering;
        }
        showing
    }

    /// How much is shown of an edition under this embargo, when there is something of it: for the journal nothing was tried
    /// where nothing was prepared.
    pub(super) fn view(&mut self, key: EditionKey, embargo: Option<&Embargo>, is_there: bool) -> View {
        let view = visibility::view(embargo, &self.asker, self.now);
        match view {
            View::Dates if is_there => {
                self.withheld.get_or_insert(key);
            }
            View::Early if is_there => self.early.push(key),
            View::Everything | View::Open | View::Sealed | View::Early | View::Dates => {}
        }
        view
    }

    /// The edition as it is shown, and how much of it that is.
    pub(super) fn edition(&mut self, edition: Edition) -> (Edition, View) {
        let is_there = edition.state != EditionState::Scheduled;
        let view = self.view(edition.key, edition.embargo.as_ref(), is_there);
        (visibility::shown(edition, view), view)
    }

    /// The editions of the form and the year asked for, of all where none is, of which only the dates are shown. What asks for
    /// editions by their state leaves it to them: were they dropped from its answer, the length of a page would tell of them. An
    /// attempt is only what asks for one of them by its due date too.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn hidden(
        &mut self,
        connection: &mut PgConnection,
        filter: &Filter,
    ) -> Result<Vec<EditionKey>, sqlx::Error> {
        let embargoes = db::embargo::holding(&mut *connection, None, self.now).await?;
        let is_asked_for = |key: &EditionKey| {
            let parent = filter.parent.as_ref();
            parent.is_none_or(|parent| *parent == key.parent())
                && filter.year.is_none_or(|year| year == key.period.year())
        };
        let is_hidden = |key: &EditionKey| visibility::view(embargoes.get(key), &self.asker, self.now) == View::Dates;
        let keys = embargoes.keys().copied().filter(is_asked_for);
        let hidden: Vec<EditionKey> = keys.filter(is_hidden).collect();
        for key in &hidden {
            // One attempt is recorded for a call, whatever else it asked for.
            if self.withheld.is_some() {
                break;
            }
            let own = Filter {
                parent: Some(key.parent()),
                period: Some(key.period.to_string()),
                is_overdue: filter.is_overdue,
                due_from: filter.due_from,
                due_to: filter.due_to,
                ..Filter::default()
            };
            for edition in db::edition::list(connection, &own, 1, self.now).await? {
                self.edition(edition);
            }
        }
        Ok(hidden)
    }

    /// Records what was shown early, before it is told.
    ///
    /// # Errors
    /// When the journal cannot be written; then nothing may be told.
    pub(super) async fn record(&self, context: &Context, call: &Call) -> Result<(), Error> {
        for key in &self.early {
            write::record_reading(context, call, &key.to_string()).await?;
        }
        Ok(())
    }

    /// The answer, which has the attempt recorded when something was withheld.
    pub(super) fn answer<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        if let Some(key) = self.withheld {
            response.extensions_mut().insert(write::Withheld {
                reason: ErrorReason::EditionEmbargoed,
                resource: key.to_string(),
            });
        }
        response
    }
}
