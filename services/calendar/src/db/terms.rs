//! Reads the terms.

use anyhow::Context as _;
use legalstat_kit::law::LegalBasis;
use sqlx::PgConnection;

use crate::domain::term::{RequesterKind, Span, Term, TermOrigin, TermUnit};

/// All terms by id.
///
/// # Errors
/// What the database says, or a row that is not a term.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> anyhow::Result<Vec<Term>> {
    let rows = sqlx::query!("SELECT * FROM calendar.term ORDER BY id")
        .fetch_all(connection)
        .await?;
    let terms = rows.into_iter().map(|row| {
        let base = span(Some(row.base), None, Some(row.base_basis))?.context("a term has a base")?;
        Ok(Term {
            requester_kinds: row
                .requester_kinds
                .iter()
                .map(|kind| requester_kind(kind))
                .collect::<anyhow::Result<_>>()?,
            received_from: row.received_from.map(jiff_sqlx::Date::to_jiff),
            received_to: row.received_to.map(jiff_sqlx::Date::to_jiff),
            selected: row.selected,
            base,
            base_assumed_before: row.base_assumed_before.map(jiff_sqlx::Date::to_jiff),
            origin: if row.origin == "RECEIPT" {
                TermOrigin::Receipt
            } else {
                TermOrigin::Registration
            },
            origin_basis: LegalBasis::parse(&row.origin_basis),
            roll_forward: row.roll_forward,
            roll_forward_basis: LegalBasis::parse(&row.roll_forward_basis),
            long_base: span(row.long_base, row.long_base_note, row.long_base_basis)?,
            extension: span(row.extension, row.extension_note, row.extension_basis)?,
            extension_notice: span(row.notice, row.notice_note, row.notice_basis)?,
            forwarding: span(row.forwarding, row.forwarding_note, row.forwarding_basis)?,
            id: row.id,
        })
    });
    terms.collect()
}

fn requester_kind(kind: &str) -> anyhow::Result<RequesterKind> {
    match kind {
        "STATE_BODY" => Ok(RequesterKind::StateBody),
        "PROSECUTOR_BODY" => Ok(RequesterKind::ProsecutorBody),
        "INDIVIDUAL" => Ok(RequesterKind::Individual),
        "LEGAL_ENTITY" => Ok(RequesterKind::LegalEntity),
        other => anyhow::bail!("{other:?} is no kind of requester"),
    }
}

fn span(length: Option<String>, note: Option<String>, basis: Option<String>) -> anyhow::Result<Option<Span>> {
    let Some(text) = length else { return Ok(None) };
    let (length, unit) = text.split_once(' ').with_context(|| format!("{text:?} is no length"))?;
    let unit = match unit {
        "CALENDAR_DAY" => TermUnit::CalendarDay,
        "WORKING_DAY" => TermUnit::WorkingDay,
        "MONTH" => TermUnit::Month,
        other => anyhow::bail!("{other:?} is no unit of a term"),
    };
    let length = length.parse().with_context(|| format!("{text:?} is no length"))?;
    let (note, basis) = (note.unwrap_or_default(), LegalBasis::parse(&basis.unwrap_or_default()));
    Ok(Some(Span {
        length,
        unit,
        note,
        basis,
    }))
}
