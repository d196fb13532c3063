//! GetEdition.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, word},
    due::moves,
};
use legalstat_proto::forms::v1::{Edition, GetEditionRequest};
use tonic::Response;

use super::{
    FormRegistry,
    convert::{self, VIEWS, View},
    door,
    showing::Showing,
};
use crate::db;

pub(super) async fn get_edition(
    registry: &FormRegistry,
    call: Call,
    request: GetEditionRequest,
) -> Result<Response<Edition>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let view = word::optional(&mut violations, "view", request.view, &VIEWS, convert::view).unwrap_or(View::Full);
    let languages = Languages::read(&mut violations, &request.languages);
    let key = violations.sound(key)?;
    registry.schedule.require_whole()?;
    let now = context.now();
    // The calendar may take its time with the explanation: nobody else waits for the connection meanwhile.
    let (edition, moves, history) = {
        let mut snapshot = context.db.snapshot().await?;
        let edition = door::find(&mut snapshot, "name", key, now).await?;
        let moves = moves::of(&mut *snapshot, &key).await?;
        let history = match view {
            View::Basic => None,
            View::Full => db::form::history(&mut snapshot, key.form).await?,
        };
        (edition, moves, history)
    };
    let mut showing = Showing::for_answers(&call, now);
    let (edition, _) = showing.edition(edition);
    showing.record(context, &call).await?;
    let due = edition.due.clone();
    let mut shown = convert::to_edition(edition, moves, now);
    if let Some(history) = history {
        match registry.schedule.explain(&history.terms(), key.period, &due).await {
            Ok(steps) => shown.due_date_steps = steps,
            Err(unexplained) => shown.due_date_steps_missing = unexplained.to_string(),
        }
    }
    Ok(showing.answer(languages.keep(shown)))
}
