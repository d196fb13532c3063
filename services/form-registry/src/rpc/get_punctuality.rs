//! GetPunctuality.

use anyhow::Context as _;
use legalstat_kit::{
    Call, Error, Violations,
    due::{schedule, scheduled},
};
use legalstat_proto::forms::v1::{GetPunctualityRequest, PunctualityReport};

use super::{FormRegistry, door};
use crate::domain::key;

pub(super) async fn get_punctuality(
    registry: &FormRegistry,
    _: Call,
    request: GetPunctualityRequest,
) -> Result<PunctualityReport, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    let year = violations.sound(year)?;
    let mut connection = context.db.connection().await?;
    door::require_registered(&mut connection, form).await?;
    registry.schedule.require_whole()?;
    let parent = form.map(key::form);
    let counts = scheduled::punctuality(&mut connection, year, parent.as_deref(), context.now()).await?;
    let number = |count: i64| i32::try_from(count).context("more editions than a year can have");
    Ok(PunctualityReport {
        year: request.year,
        on_time: number(counts.on_time)?,
        late: number(counts.late)?,
        overdue: number(counts.overdue)?,
        not_due: number(counts.not_due)?,
        total: number(counts.on_time + counts.late + counts.overdue + counts.not_due)?,
    })
}
