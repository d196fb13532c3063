//! The rules for the time a request may take, each with its lengths of time.

use std::collections::HashMap;

use anyhow::Context as _;
use legalstat_kit::{door::word::Word as _, law::LocalizedText};
use sqlx::PgConnection;

use super::{knowledge, to_date, to_instant};
use crate::domain::{Act, Grade, RequesterKind, RuleSet, Span, Term, TermOrigin, TermUnit};

/// A term with its lengths, by the word for what each is for.
fn spans(term: &Term) -> impl Iterator<Item = (&'static str, &Span)> {
    let spans = [
        ("BASE", Some(&term.base)),
        ("LONG_BASE", term.long_base.as_ref()),
        ("EXTENSION", term.extension.as_ref()),
        ("EXTENSION_NOTICE", term.extension_notice.as_ref()),
        ("FORWARDING", term.forwarding.as_ref()),
        ("RETURN", term.returning.as_ref()),
    ];
    spans.into_iter().filter_map(|(role, span)| Some((role, span?)))
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert(connection: &mut PgConnection, term: &Term) -> anyhow::Result<u64> {
    let kinds = term.requester_kinds.iter();
    let kinds: Vec<_> = kinds.map(|kind| kind.word().to_owned()).collect();
    let source = &term.source;
    let id = sqlx::query_scalar!(
        "INSERT INTO calendar.term_rule
             (name, requester_kinds, received_from, received_to, selected, origin, origin_provision, origin_assumed,
              roll_forward, roll_forward_provision, roll_forward_assumed, suspension_provision, suspension_assumed, act,
              basis_act, known_from, known_to, known_from_assumed, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT DO NOTHING RETURNING id",
        term.name,
        &kinds,
        to_date(term.received_from) as _,
        to_date(term.received_to) as _,
        term.selected,
        term.origin.word(),
        term.origin_basis.provision,
        term.origin_basis.assumed,
        term.roll_forward,
        term.roll_forward_basis.provision,
        term.roll_forward_basis.assumed,
        term.suspension.as_ref().map(|basis| &basis.provision),
        term.suspension.as_ref().map(|basis| basis.assumed),
        source.act,
        source.cited_act,
        to_instant(source.known.from) as _,
        to_instant(source.known.to) as _,
        source.known.assumed,
        term.note,
    );
    let Some(id) = id.fetch_optional(&mut *connection).await? else {
        return Ok(0);
    };
    for (role, span) in spans(term) {
        insert_span(connection, id, role, span).await?;
    }
    Ok(1)
}

async fn insert_span(connection: &mut PgConnection, term: i64, role: &str, span: &Span) -> anyhow::Result<()> {
    sqlx::query!(
        "INSERT INTO calendar.term_span
             (term_rule, role, length, unit, note_kk, note_ru, note_en, provision, grade, assumed_before)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        term,
        role,
        i32::try_from(span.length)?,
        span.unit.word(),
        span.note.kk,
        span.note.ru,
        span.note.en,
        span.legal_basis.provision,
        span.grade.word(),
        to_date(span.assumed_before) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn all(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<Vec<Term>> {
    let rows = sqlx::query!("SELECT id, name, requester_kinds, received_from, received_to, selected, origin, origin_provision, origin_assumed,
             roll_forward, roll_forward_provision, roll_forward_assumed, suspension_provision, suspension_assumed, act,
             basis_act, known_from, known_to, known_from_assumed, note
         FROM calendar.term_rule ORDER BY id");
    let rows = rows.fetch_all(&mut *connection).await?;
    let cited: HashMap<i64, &Act> = rows
        .iter()
        .map(|row| Ok((row.id, rules.act(&row.basis_act)?)))
        .collect::<anyhow::Result<_>>()?;
    let mut spans = all_spans(connection, &cited).await?;
    let grade = |assumed| if assumed { Grade::D } else { Grade::A };
    let terms = rows.into_iter().map(|row| {
        let mut span = |role: &str| spans.remove(&(row.id, role.to_owned()));
        let base = span("BASE").with_context(|| format!("the term {:?} has no base", row.name))?;
        let known = knowledge(row.known_from, row.known_to, row.known_from_assumed);
        let kinds = row.requester_kinds.iter();
        let kinds = kinds.map(|kind| RequesterKind::read_stored(kind, "requester_kinds"));
        let act = cited[&row.id];
        let suspension = row.suspension_provision.zip(row.suspension_assumed);
        Ok(Term {
            requester_kinds: kinds.collect::<Result<_, _>>()?,
            received_from: row.received_from.map(jiff_sqlx::Date::to_jiff),
            received_to: row.received_to.map(jiff_sqlx::Date::to_jiff),
            selected: row.selected,
            origin: TermOrigin::read_stored(&row.origin, "origin")?,
            origin_basis: act.cite(&row.origin_provision, grade(row.origin_assumed)),
            roll_forward: row.roll_forward,
            roll_forward_basis: act.cite(&row.roll_forward_provision, grade(row.roll_forward_assumed)),
            long_base: span("LONG_BASE"),
            extension: span("EXTENSION"),
            extension_notice: span("EXTENSION_NOTICE"),
            forwarding: span("FORWARDING"),
            returning: span("RETURN"),
            suspension: suspension.map(|(provision, assumed)| act.cite(&provision, grade(assumed))),
            source: rules.source((row.act, row.basis_act), &base.legal_basis.provision, base.grade, known)?,
            base,
            note: row.note,
            name: row.name,
        })
    });
    terms.collect()
}

/// The lengths of all terms, by the term and what each is for.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn all_spans(
    connection: &mut PgConnection,
    cited: &HashMap<i64, &Act>,
) -> anyhow::Result<HashMap<(i64, String), Span>> {
    let rows = sqlx::query!(
        "SELECT term_rule, role, length, unit, note_kk, note_ru, note_en, provision, grade, assumed_before
         FROM calendar.term_span"
    );
    let spans = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let grade = Grade::read_stored(&row.grade, "grade")?;
        let act = cited
            .get(&row.term_rule)
            .context("the table lets no length be without its term")?;
        let span = Span {
            length: u32::try_from(row.length)?,
            unit: TermUnit::read_stored(&row.unit, "unit")?,
            note: LocalizedText::new(row.note_kk, row.note_ru, row.note_en),
            legal_basis: act.cite(&row.provision, grade),
            grade,
            assumed_before: row.assumed_before.map(jiff_sqlx::Date::to_jiff),
        };
        Ok(((row.term_rule, row.role), span))
    });
    spans.collect()
}
