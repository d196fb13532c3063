//! What was done with requests, and the change of their state that goes with it.

use std::{collections::HashMap, sync::Arc};

use legalstat_kit::{door::word::Word, law::LegalBasis, zone};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{changed_field, explanation, notice, review};
use crate::domain::{
    answering::PassedOn,
    decision::{Decision, OfficialCapacity, Terms},
    evidence::{Explanation, Step},
    life::Verb,
    request::State,
};

/// Locks a request until the transaction ends. Of two who decide at the same moment the second waits, and sees what the first
/// has decided.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, request: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT id FROM requests.request WHERE id = $1 FOR UPDATE", request)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// Stores a decision on a locked request, and where the request stands after it.
///
/// # Errors
/// When the database fails.
pub async fn insert(connection: &mut PgConnection, request: Uuid, decision: &Decision) -> Result<(), sqlx::Error> {
    let explained = decision.terms.explanation.as_ref();
    let sha256 = explained.map(|explained| explanation::digest(&explained.steps));
    if let Some((explained, sha256)) = explained.zip(sha256) {
        explanation::insert(connection, &sha256, &explained.steps).await?;
    }
    let position = insert_row(connection, request, decision, sha256).await?;
    review::insert(connection, request, position, &decision.terms.checks).await?;
    changed_field::insert(connection, request, position, &decision.terms.changed).await
}

/// Tells its place among the decisions on the request.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_row(
    connection: &mut PgConnection,
    request: Uuid,
    decision: &Decision,
    explanation: Option<[u8; 32]>,
) -> Result<i32, sqlx::Error> {
    let (basis, terms) = (decision.legal_basis.as_ref(), &decision.terms);
    let explained = terms.explanation.as_ref();
    sqlx::query_scalar!(
        "WITH decided AS (
             INSERT INTO requests.decision
                 (request, position, verb, decided_by, capacity, decided_at, state_before, state_after, reason,
                  legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, ground, to_body, items, until,
                  notify_by, notified_on, explanation, explanation_provisional, explanation_assumed, explanation_calendar_version,
                  explanation_term)
             SELECT $1, coalesce(max(position) + 1, 0), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $20, $21, $22, $23, $24
             FROM requests.decision WHERE request = $1
             RETURNING position
         )
         UPDATE requests.request
         SET state = $7, changed_at = $5,
             examination_pending = (examination_pending OR $19) AND $7 IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION'),
             cure_by = CASE WHEN $7 = 'AWAITING_CLARIFICATION' THEN cure_by END
         FROM decided WHERE id = $1
         RETURNING decided.position",
        request,
        decision.verb.word(),
        decision.decided_by,
        decision.capacity.map(OfficialCapacity::word),
        jiff_sqlx::Timestamp::from(decision.decided_at) as _,
        decision.before.word(),
        decision.after.word(),
        decision.reason,
        basis.map(|basis| basis.act.as_str()),
        basis.map(|basis| basis.provision.as_str()),
        basis.map(|basis| basis.uri.as_str()),
        basis.map(|basis| basis.assumed),
        terms.ground,
        terms.to_body,
        terms.items.as_deref(),
        terms.until.map(jiff_sqlx::Date::from) as _,
        terms.notify_by.map(jiff_sqlx::Date::from) as _,
        terms.notified_on.map(jiff_sqlx::Date::from) as _,
        terms.examine_again,
        explanation.as_ref().map(<[u8; 32]>::as_slice),
        explained.map(|explained| explained.provisional),
        explained.map(|explained| explained.assumed),
        explained.map(|explained| explained.calendar_version.as_str()),
        explained.map(|explained| explained.term.as_str()),
    )
    .fetch_one(connection)
    .await
}

/// Gives a locked request to an official.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn assign(connection: &mut PgConnection, request: Uuid, assignee: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET assignee = $2 WHERE id = $1",
        request,
        assignee
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether somebody has done this with a request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn was_done(connection: &mut PgConnection, request: Uuid, verb: Verb) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM requests.decision WHERE request = $1 AND verb = $2) AS "done!""#,
        request,
        verb.word(),
    )
    .fetch_one(connection)
    .await
}

/// From where a registered request came to await clarification: where it stood when it was asked about, or in preparation when it was
/// given to an official since. None when nobody asked.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn asked_from(connection: &mut PgConnection, request: Uuid) -> Result<Option<State>, sqlx::Error> {
    let word = sqlx::query_scalar!(
        r#"SELECT CASE WHEN state_before = 'REGISTERED' AND EXISTS (
                 SELECT FROM requests.decision later
                 WHERE later.request = asked.request AND later.position > asked.position AND later.verb = 'ASSIGN')
             THEN 'IN_PREPARATION' ELSE state_before END AS "state!"
         FROM requests.decision asked
         WHERE request = $1 AND verb = 'ASK_CLARIFICATION' AND state_before <> 'AWAITING_CLARIFICATION'
         ORDER BY position DESC LIMIT 1"#,
        request,
    );
    let word = word.fetch_optional(connection).await?;
    word.map(|word| State::read_stored(&word, "state_before")).transpose()
}

/// The items of a request that went to other bodies.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn forwarded_items(connection: &mut PgConnection, request: Uuid) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT unnest(items) AS "item!" FROM requests.decision WHERE request = $1 AND items IS NOT NULL"#,
        request,
    )
    .fetch_all(connection)
    .await
}

/// The items of a request that went to other bodies, each with where, when and by which law.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn passed_on(connection: &mut PgConnection, request: Uuid) -> Result<Vec<PassedOn>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT unnest(items) AS "item!", to_body AS "to_body!", decided_at AS "decided_at: jiff_sqlx::Timestamp",
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed
         FROM requests.decision WHERE request = $1 AND items IS NOT NULL AND to_body IS NOT NULL ORDER BY position"#,
        request,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| PassedOn {
        item: usize::try_from(row.item).unwrap_or(usize::MAX),
        to_body: row.to_body,
        on: zone::civil_day(row.decided_at.to_jiff()),
        legal_basis: basis(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
    });
    Ok(rows.collect())
}

/// A legal basis whose columns are all there or none, which is a constraint of the table.
fn basis(
    act: Option<String>,
    provision: Option<String>,
    uri: Option<String>,
    assumed: Option<bool>,
) -> Option<LegalBasis> {
    Some(LegalBasis {
        act: act?,
        provision: provision?,
        uri: uri?,
        assumed: assumed?,
    })
}

struct Row {
    request: Uuid,
    position: i32,
    verb: String,
    decided_by: String,
    capacity: Option<String>,
    decided_at: jiff_sqlx::Timestamp,
    state_before: String,
    state_after: String,
    reason: String,
    legal_basis_act: Option<String>,
    legal_basis_provision: Option<String>,
    legal_basis_uri: Option<String>,
    legal_basis_assumed: Option<bool>,
    ground: Option<String>,
    to_body: Option<String>,
    items: Option<Vec<i32>>,
    until: Option<jiff_sqlx::Date>,
    notify_by: Option<jiff_sqlx::Date>,
    notified_on: Option<jiff_sqlx::Date>,
    explanation: Option<Vec<u8>>,
    explanation_provisional: Option<bool>,
    explanation_assumed: Option<bool>,
    explanation_calendar_version: Option<String>,
    explanation_term: Option<String>,
}

impl Row {
    /// How its day was computed: that who has one of the columns has all is a constraint of the table.
    fn explanation(&self, steps: &HashMap<Vec<u8>, Arc<Vec<Step>>>) -> Option<Explanation> {
        Some(Explanation {
            provisional: self.explanation_provisional?,
            assumed: self.explanation_assumed?,
            calendar_version: self.explanation_calendar_version.clone()?,
            term: self.explanation_term.clone()?,
            steps: steps.get(self.explanation.as_ref()?).cloned()?,
        })
    }
}

impl TryFrom<Row> for Decision {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let legal_basis = basis(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        );
        let capacity = row
            .capacity
            .map(|word| OfficialCapacity::read_stored(&word, "capacity"));
        Ok(Self {
            verb: Verb::read_stored(&row.verb, "verb")?,
            decided_by: row.decided_by,
            capacity: capacity.transpose()?,
            decided_at: row.decided_at.to_jiff(),
            before: State::read_stored(&row.state_before, "state_before")?,
            after: State::read_stored(&row.state_after, "state_after")?,
            reason: row.reason,
            legal_basis,
            terms: Terms {
                ground: row.ground,
                to_body: row.to_body,
                items: row.items,
                until: row.until.map(jiff_sqlx::Date::to_jiff),
                notify_by: row.notify_by.map(jiff_sqlx::Date::to_jiff),
                notified_on: row.notified_on.map(jiff_sqlx::Date::to_jiff),
                ..Terms::default()
            },
        })
    }
}

/// What was done with these requests, by request, each in order.
///
/// # Errors
/// When the database fails.
pub async fn of_each(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Decision>>, sqlx::Error> {
    let mut decisions: HashMap<Uuid, Vec<Decision>> = HashMap::new();
    if requests.is_empty() {
        return Ok(decisions);
    }
    let rows = rows(connection, requests).await?;
    let of = |verbs: &[Verb]| -> Vec<Uuid> {
        let done = |row: &&Row| verbs.iter().any(|verb| verb.word() == row.verb);
        rows.iter().filter(done).map(|row| row.request).collect()
    };
    let mut checks = review::of_each(connection, &of(&[Verb::ReviewDecision])).await?;
    let changing = of(&[Verb::Correct, Verb::ProvideClarification]);
    let mut changed = changed_field::of_each(connection, &changing).await?;
    let mut notices = notice::of_each(connection, &of(&[Verb::Forward, Verb::ForwardItems, Verb::Extend])).await?;
    let explanations: Vec<&[u8]> = rows.iter().filter_map(|row| row.explanation.as_deref()).collect();
    let steps = explanation::of_each(connection, &explanations).await?;
    for row in rows {
        let place = (row.request, row.position);
        let explanation = row.explanation(&steps);
        let mut decision = Decision::try_from(row)?;
        decision.terms.explanation = explanation;
        decision.terms.notice = notices.remove(&place);
        decision.terms.checks = checks.remove(&place).unwrap_or_default();
        decision.terms.changed = changed.remove(&place).unwrap_or_default();
        decisions.entry(place.0).or_default().push(decision);
    }
    Ok(decisions)
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn rows(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"SELECT request, position, verb, decided_by, capacity, decided_at AS "decided_at: jiff_sqlx::Timestamp",
             state_before, state_after, reason, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
             ground, to_body, items, until AS "until: jiff_sqlx::Date", notify_by AS "notify_by: jiff_sqlx::Date",
             notified_on AS "notified_on: jiff_sqlx::Date", explanation, explanation_provisional, explanation_assumed,
             explanation_calendar_version, explanation_term
         FROM requests.decision WHERE request = ANY ($1) ORDER BY request, position"#,
        requests,
    )
    .fetch_all(connection)
    .await
}
