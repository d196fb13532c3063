//! QueryObservations.

use std::collections::HashMap;

use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{languages::Languages, page::Page},
    period::ReportingPeriod,
};
use legalstat_proto::forms::v1::{QueryObservationsRequest, QueryObservationsResponse};
use sqlx::PgConnection;
use tonic::Response;

use super::{
    FormRegistry, door,
    figures::{Telling, Told, compare, keys_before, to_messages},
    narrowing::{Asked, hidden, narrow},
    showing::Showing,
    summing::Sums,
};
use crate::{
    db::{
        figure_set,
        observation::{self, Breakdown},
    },
    domain::{
        query::{Mark, Narrowing, Place},
        serving::Held,
    },
};

/// How many totals of the year before are looked through for those of a page.
const TOTALS_BEFORE: i64 = 100_000;

pub(super) async fn query_observations(
    registry: &FormRegistry,
    call: Call,
    request: QueryObservationsRequest,
) -> Result<Response<QueryObservationsResponse>, Error> {
    let mut violations = Violations::new();
    let page = page(&mut violations, &request)?;
    let languages = Languages::read(&mut violations, &request.languages);
    let form = door::form(&mut violations, "parent", &request.parent);
    let asked = Asked::read(&mut violations, &request);
    let (form, asked) = violations.sound(form.zip(asked))?;
    let mark = page.after::<MarkOf>()?.map(|mark| mark.0);
    let now = registry.context.now();
    let mut showing = Showing::for_answers(&call, now);
    let answer = {
        let mut snapshot = registry.context.db.snapshot().await?;
        door::require_registered(&mut snapshot, Some(form)).await?;
        let telling = Telling::at(&mut snapshot, now, registry.figures.suppression).await?;
        let filter = figure_set::Filter {
            form,
            first: asked.first,
            last: asked.last,
            among: None,
        };
        let mut sets = telling
            .served(&mut snapshot, &filter, asked.revision, &mut showing)
            .await?;
        if asked.descending {
            sets.reverse();
        }
        let sees_restricted = call.caller.is_official();
        let query = Query {
            form,
            sees_restricted,
            narrowing: narrow(&mut snapshot, form, &asked, &sets, sees_restricted).await?,
            sums: Sums::over(&mut snapshot, &asked, telling.suppression).await?,
            telling,
        };
        let periods: Vec<ReportingPeriod> = sets.iter().map(|set| set.key.period).collect();
        let after = mark.map(|mark| mark.place(&periods, asked.descending));
        let told = query.page(&mut snapshot, &sets, after, page.limit()).await?;
        let (mut told, next_page_token) = page.cut(told, |told| mark_of(&sets, told).to_string());
        if request.growth {
            query.compare(&mut snapshot, &sets, &mut told, &mut showing).await?;
        }
        let none = HashMap::<i32, Breakdown>::new();
        let made = query.sums.as_ref().map_or(&none, |sums| &sums.made);
        QueryObservationsResponse {
            observations: to_messages(&mut snapshot, &sets, told, made).await?,
            next_page_token,
        }
    };
    showing.record(&registry.context, &call).await?;
    Ok(showing.answer(languages.keep(answer)))
}

/// A mark as a page reads it.
struct MarkOf(Mark);

impl std::str::FromStr for MarkOf {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().map(Self)
    }
}

fn page(violations: &mut Violations, request: &QueryObservationsRequest) -> Result<Page, Error> {
    let query = QueryObservationsRequest {
        page_size: 0,
        page_token: String::new(),
        languages: Vec::new(),
        ..request.clone()
    };
    let query = format!("{query:?}");
    Ok(Page::parse(
        violations,
        request.page_size,
        100,
        &request.page_token,
        &[&query],
    )?)
}

fn mark_of(sets: &[Held], told: &Told) -> Mark {
    let figure = &told.figure;
    let set = sets.iter().find(|set| set.set == figure.set).or(sets.first());
    Mark {
        period: set
            .map(|set| set.key.period)
            .expect("a figure comes from one of the sets"),
        indicator: figure.indicator,
        territory: figure.territory,
        breakdown: figure.breakdown,
    }
}

/// A query whose names are read.
struct Query {
    form: i32,
    sees_restricted: bool,
    narrowing: Narrowing,
    sums: Option<Sums>,
    telling: Telling,
}

impl Query {
    async fn page(
        &self,
        connection: &mut PgConnection,
        sets: &[Held],
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Told>, Error> {
        if let Some(sums) = &self.sums {
            let totals = observation::totals(connection, &self.narrowing, &sums.summing(), after, limit).await?;
            return Ok(totals
                .into_iter()
                .map(|total| self.telling.total(sets, total))
                .collect());
        }
        let figures = observation::list(connection, &self.narrowing, after, limit).await?;
        Ok(figures
            .into_iter()
            .map(|figure| self.telling.single(sets, figure))
            .collect())
    }

    async fn compare(
        &self,
        connection: &mut PgConnection,
        sets: &[Held],
        told: &mut [Told],
        showing: &mut Showing<'_>,
    ) -> Result<(), Error> {
        let before = self.telling.year_before(connection, self.form, sets, showing).await?;
        // What is open now may have been restricted then.
        let hidden = hidden(connection, self.form, &before, self.sees_restricted).await?;
        let earlier: Vec<Told> = if let Some(sums) = &self.sums {
            let narrowing = Narrowing {
                sets: before.iter().map(|set| set.set).collect(),
                hidden,
                ..self.narrowing.clone()
            };
            let totals = observation::totals(connection, &narrowing, &sums.summing(), None, TOTALS_BEFORE).await?;
            totals
                .into_iter()
                .map(|total| self.telling.total(&before, total))
                .collect()
        } else {
            let mut keys = keys_before(told, sets, &before);
            keys.retain(|key| !hidden.contains(&key.1));
            let figures = observation::at(connection, &keys).await?;
            figures
                .into_iter()
                .map(|figure| self.telling.single(&before, figure))
                .collect()
        };
        compare(told, sets, &before, &earlier);
        Ok(())
    }
}

/// Reads a period of a form's figures.
pub(super) fn period(violations: &mut Violations, field: &str, text: &str) -> Option<ReportingPeriod> {
    if text.is_empty() {
        return None;
    }
    violations.check(field, FieldReason::Period, text.parse())
}
