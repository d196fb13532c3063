//! GetPunctuality.

use anyhow::Context as _;
use legalstat_kit::{Error, Violations, due::schedule};
use legalstat_proto::forms::v1::{GetPunctualityRequest, PunctualityReport};

use super::{FormRegistry, door};
use crate::db;

pub(super) async fn get_punctuality(
    registry: &FormRegistry,
    request: GetPunctualityRequest,
) -> Result<PunctualityReport, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    let year = violations.sound(year)?;
    door::require_registered(&context.db, form).await?;
    registry.schedule.require()?;
    let counts = db::edition::count_punctuality(&context.db, year, form, context.now()).await?;
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
