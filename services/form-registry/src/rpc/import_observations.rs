//! ImportObservations.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::StreamExt;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations, upload,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{
    ImportObservationsHeader, ImportObservationsRequest, ImportObservationsResponse, ObservationRows,
    import_observations_request::Part,
};
use sqlx::PgConnection;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use super::{FormRegistry, changing::decided, door, faults};
use crate::{
    db::{
        self, code_list, figure_set,
        indicator::{self, Filter, Owner},
        observation, total_rule,
    },
    domain::{
        import::{Axis, BREAKDOWNS, Check, Checked, DIMENSIONS, Given, Known, Register, Rule},
        indicator::{KATO, TERRITORY},
        key::EditionKey,
    },
};

const NAME: &str = "header.name";
/// How many rows one message may carry.
const MOST: usize = 20_000;
/// How long an import waits for room for its next rows.
const WAIT: Duration = Duration::from_secs(10);

pub(super) async fn import_observations(
    registry: &FormRegistry,
    call: Call,
    mut messages: Streaming<ImportObservationsRequest>,
) -> Result<ImportObservationsResponse, Error> {
    let header = header(messages.next().await)?;
    let (key, request_id) = read(registry, &header).await?;
    let context = &registry.context;
    let is_repeated = write::was_answered(context, &call, request_id).await?;
    let register = if is_repeated {
        Register::of_repetition(key.period, &header.dimensions)
    } else {
        let edition = {
            let mut connection = context.db.connection().await?;
            registry.schedule.require_whole()?;
            door::find(&mut connection, NAME, key, context.now()).await?
        };
        decided(key, edition.accepts_content(context.now()))?;
        register(&mut *context.db.snapshot().await?, key, &header).await?
    };
    let mut check = Check::new(register, registry.figures.import_rows);
    let room = gather(registry, &mut messages, &mut check)
        .await
        .map_err(|error| error.about(&key))?;
    // Sorting a million rows would keep every other call of this thread waiting.
    let checked = tokio::task::spawn_blocking(|| check.done())
        .await
        .map_err(anyhow::Error::new)?;
    let checked = match checked {
        Ok(checked) => checked,
        Err(found) => {
            faults::refuse("rows", found).map_err(|error| error.about(&key))?;
            return Err(anyhow::anyhow!("an import was refused without a fault").into());
        }
    };
    let only = header.validate_only;
    let mutation = Mutation::of_upload(&call, &key, request_id, only, &header, &checked.sha256);
    let import = Import {
        key,
        checked,
        is_repeated,
        _room: room,
    };
    store(registry, mutation, import).await
}

/// Checks the rows as they come; gives the room that they take.
async fn gather(
    registry: &FormRegistry,
    messages: &mut Streaming<ImportObservationsRequest>,
    check: &mut Check,
) -> Result<Option<OwnedSemaphorePermit>, Error> {
    let most = registry.figures.import_rows;
    let mut room: Option<OwnedSemaphorePermit> = None;
    while let Some(message) = messages.next().await {
        let rows = rows(message)?.rows;
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        if count > most.saturating_sub(check.count()) {
            let description = format!("at most {most} rows in all");
            return Err(Violations::one("rows", FieldReason::TooMany, &description).into());
        }
        let taken = room_for(registry, count).await?;
        match &mut room {
            Some(room) => room.merge(taken),
            None => room = Some(taken),
        }
        for row in &rows {
            check.add(&Given {
                indicator: &row.indicator,
                territory: &row.territory,
                dimensions: &row.dimensions,
                value: &row.value,
                status: row.status,
                period: &row.period,
            });
        }
        if check.has_too_many_breakdowns() {
            let description = format!("at most {BREAKDOWNS} combinations of codes of dimensions");
            return Err(Violations::one("rows", FieldReason::TooMany, &description).into());
        }
    }
    match check.count() {
        0 => Err(Violations::one("rows", FieldReason::Required, "there are no rows").into()),
        _ => Ok(room),
    }
}

/// Room for rows among those that all imports hold; who holds some waits for no more than a time, so that two that are in each
/// other's way do not stay so.
async fn room_for(registry: &FormRegistry, rows: u32) -> Result<OwnedSemaphorePermit, Error> {
    let room = Arc::clone(&registry.importing).acquire_many_owned(rows);
    match tokio::time::timeout(WAIT, room).await {
        Ok(room) => Ok(room.map_err(anyhow::Error::new)?),
        Err(_) => Err(Refusal::overloaded("the imports under way hold as many rows as there is room for").into()),
    }
}

/// What the header says.
async fn read(registry: &FormRegistry, header: &ImportObservationsHeader) -> Result<(EditionKey, Uuid), Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, NAME, &header.name);
    if header.dimensions.len() > DIMENSIONS {
        violations.add(
            "header.dimensions",
            FieldReason::TooMany,
            format!("at most {DIMENSIONS}"),
        );
    }
    for (place, id) in header.dimensions.iter().enumerate() {
        if header.dimensions[..place].contains(id) {
            violations.add(
                format!("header.dimensions[{place}]"),
                FieldReason::Duplicate,
                "each dimension once",
            );
        }
    }
    let request_id = violations.request_id("header.request_id", &header.request_id);
    let key = door::sound(violations, &registry.context.db, (NAME, key), key).await?;
    Ok((key, request_id))
}

fn header(first: Option<Result<ImportObservationsRequest, Status>>) -> Result<ImportObservationsHeader, Refusal> {
    match first.transpose().map_err(broken)?.and_then(|message| message.part) {
        Some(Part::Header(header)) => Ok(header),
        Some(Part::Rows(_)) | None => Err(Violations::one(
            "header",
            FieldReason::Required,
            "the first message carries the header",
        )),
    }
}

fn rows(message: Result<ImportObservationsRequest, Status>) -> Result<ObservationRows, Refusal> {
    match message.map_err(broken)?.part {
        Some(Part::Rows(rows)) if (1..=MOST).contains(&rows.rows.len()) => Ok(rows),
        Some(Part::Header(_)) => Err(Violations::one(
            "header",
            FieldReason::Repeated,
            "the header comes once, in the first message",
        )),
        Some(Part::Rows(_)) | None => Err(Violations::one(
            "rows",
            FieldReason::Required,
            &format!("1 to {MOST} rows in each message after the first"),
        )),
    }
}

fn broken(status: Status) -> Refusal {
    let is_too_large = match status.code() {
        Code::OutOfRange | Code::InvalidArgument => true,
        Code::ResourceExhausted => status.details().is_empty(),
        _ => false,
    };
    if is_too_large {
        return Violations::one(
            "rows",
            FieldReason::Size,
            "a message of the import is larger than 4 MiB",
        );
    }
    upload::broken(status)
}

/// What the rows are checked against: what holds on the last day of the period.
async fn register(
    connection: &mut PgConnection,
    key: EditionKey,
    header: &ImportObservationsHeader,
) -> Result<Register, Error> {
    let day = key.period.last_day();
    let holding = Filter {
        as_of: Some(day),
        ..Filter::default()
    };
    let indicators = indicator::list(connection, Owner::Form(key.form), &holding, None).await?;
    let numbers = indicator::numbers(connection, key.form).await?;
    let (mut violations, mut lists) = (Violations::new(), vec![KATO.to_owned()]);
    violations.about(&key);
    for (place, id) in header.dimensions.iter().enumerate() {
        let mut declared = indicators.iter().flat_map(|(_, version)| &version.facts.dimensions);
        match declared.find(|dimension| dimension.id == *id) {
            Some(dimension) => lists.push(dimension.code_list.clone()),
            None => violations.add(
                format!("header.dimensions[{place}]"),
                FieldReason::Unknown,
                "no indicator of the form is broken down by it on the last day of the period",
            ),
        }
    }
    violations.refuse()?;
    let holding = code_list::holding_on(connection, &lists, day).await?;
    let codes = |list: &String| holding.get(list).cloned().unwrap_or_default();
    let axes = header.dimensions.iter().zip(&lists[1..]);
    let known = indicators.iter().filter_map(|(code, version)| {
        let mut dimensions = [false; DIMENSIONS];
        for (place, id) in header.dimensions.iter().enumerate() {
            dimensions[place] = version.facts.dimensions.iter().any(|dimension| dimension.id == *id);
        }
        let known = Known {
            id: *numbers.get(code)?,
            by_territory: version.facts.by_territory,
            dimensions,
        };
        Some((code.clone(), known))
    });
    Ok(Register {
        period: key.period,
        indicators: known.collect(),
        territories: codes(&lists[0]),
        axes: axes
            .map(|(id, list)| Axis {
                id: id.clone(),
                codes: codes(list),
            })
            .collect(),
        rules: rules(connection, key, header).await?,
        learns: false,
    })
}

async fn rules(
    connection: &mut PgConnection,
    key: EditionKey,
    header: &ImportObservationsHeader,
) -> Result<Vec<Rule>, Error> {
    let day = key.period.last_day();
    let declared = total_rule::list(connection, key.form, Some(day), None, None).await?;
    let totals: Vec<i32> = declared.iter().map(|(_, total)| *total).collect();
    let mut parts: HashMap<i32, Vec<i32>> = code_list::parts(connection, &totals, day).await?;
    let rules = declared.into_iter().filter_map(|(rule, total)| {
        let axis = header.dimensions.iter().position(|id| *id == rule.dimension);
        // A table without the column has no parts to add up.
        if axis.is_none() && rule.dimension != TERRITORY {
            return None;
        }
        let parts = parts.remove(&total).unwrap_or_default();
        Some(Rule {
            axis,
            total,
            parts: parts.into_iter().collect(),
        })
    });
    Ok(rules.collect())
}

/// An import whose rows are sound.
struct Import {
    key: EditionKey,
    checked: Checked,
    /// Whether it was answered before, and nothing but its digest was looked at.
    is_repeated: bool,
    _room: Option<OwnedSemaphorePermit>,
}

async fn store(
    registry: &FormRegistry,
    mutation: Mutation,
    import: Import,
) -> Result<ImportObservationsResponse, Error> {
    let (schedule, call, keeps) = (
        registry.schedule.clone(),
        mutation.call.clone(),
        !mutation.validate_only,
    );
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            if import.is_repeated {
                return Err(anyhow::anyhow!("an answer that was stored is gone").into());
            }
            schedule.require_whole()?;
            let (key, checked) = (import.key, &import.checked);
            let (now, connection) = (write.now(), write.connection());
            let by = call.done(now);
            let edition = door::lock(connection, NAME, key, now).await?;
            let edition = decided(key, edition.prepare(by.clone()))?;
            let Some(last) = edition.revisions.last() else {
                return Err(anyhow::anyhow!("an edition in preparation has no revision").into());
            };
            let revision = last.number;
            let rows = i64::try_from(checked.rows.len()).map_err(anyhow::Error::new)?;
            if keeps {
                db::revision::save_last(connection, key, last).await?;
                db::edition::save(connection, &edition).await?;
                figure_set::clear(connection, key, revision).await?;
                let set = figure_set::insert(connection, (key, revision), rows, &checked.sha256, &by).await?;
                observation::copy(connection, set, checked).await?;
            }
            let answer = ImportObservationsResponse {
                name: key.to_string(),
                revision,
                rows,
                sha256: hex::encode(checked.sha256),
            };
            Ok(Outcome::of(&key, "observations.imported", answer))
        })
    })
    .await
}
