//! Reads the rules that make the days.

use legalstat_kit::law::{LegalBasis, LocalizedText};
use sqlx::PgConnection;

use crate::domain::rules::{DayOff, Holiday, Known, Rules, Transfer};

/// All rules, of every state of knowledge.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> Result<Rules, sqlx::Error> {
    Ok(Rules {
        holidays: holidays(connection).await?,
        days_off: days_off(connection).await?,
        transfers: transfers(connection).await?,
    })
}

fn known(from: Option<jiff_sqlx::Date>, to: Option<jiff_sqlx::Date>) -> Known {
    Known {
        from: from.map(jiff_sqlx::Date::to_jiff),
        to: to.map(jiff_sqlx::Date::to_jiff),
    }
}

fn basis(act: String, provision: String, uri: String, grade: &str) -> LegalBasis {
    LegalBasis {
        act,
        provision,
        uri,
        assumed: grade == "D",
    }
}

/// A number that the table's constraints keep within a month or a year of the calendar.
fn small(number: i16) -> i8 {
    i8::try_from(number).expect("the table allows 1 to 31")
}

async fn holidays(connection: &mut PgConnection) -> Result<Vec<Holiday>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT a.title, a.uri, h.provision, h.name_kk, h.name_ru, h.name_en, h.month, h.day, h.first_year, h.last_year,
                h.class, h.rolls, h.known_from, h.known_to, h.grade
         FROM calendar.holiday h JOIN calendar.act a ON a.id = h.act ORDER BY h.month, h.day, h.first_year"
    );
    let rows = rows.fetch_all(connection).await?;
    let holiday = rows.into_iter().map(|row| Holiday {
        name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
        basis: basis(row.title, row.provision, row.uri, &row.grade),
        month: small(row.month),
        day: small(row.day),
        first_year: row.first_year,
        last_year: row.last_year,
        is_holiday: row.class == "HOLIDAY",
        rolls: row.rolls,
        known: known(row.known_from, row.known_to),
    });
    Ok(holiday.collect())
}

async fn days_off(connection: &mut PgConnection) -> Result<Vec<DayOff>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT a.title, a.uri, d.provision, d.name_kk, d.name_ru, d.name_en, d.date, d.announced, d.known_from, d.known_to
         FROM calendar.day_off d JOIN calendar.act a ON a.id = d.act ORDER BY d.date"
    );
    let rows = rows.fetch_all(connection).await?;
    let day_off = rows.into_iter().map(|row| {
        let (date, known) = (row.date.to_jiff(), known(row.known_from, row.known_to));
        DayOff {
            name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
            basis: basis(row.title, row.provision, row.uri, "B"),
            date,
            announced: row.announced,
            // What is only expected follows from the moon and was always expected.
            known: if row.announced {
                known.or_before(date.year())
            } else {
                known
            },
        }
    });
    Ok(day_off.collect())
}

async fn transfers(connection: &mut PgConnection) -> Result<Vec<Transfer>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT a.title, a.uri, t.becomes_working_day, t.becomes_day_off, t.known_from, t.known_to, t.grade
         FROM calendar.transfer t JOIN calendar.act a ON a.id = t.act ORDER BY t.becomes_working_day"
    );
    let rows = rows.fetch_all(connection).await?;
    let transfer = rows.into_iter().map(|row| {
        let working = row.becomes_working_day.to_jiff();
        Transfer {
            basis: basis(row.title, String::new(), row.uri, &row.grade),
            working,
            off: row.becomes_day_off.to_jiff(),
            known: known(row.known_from, row.known_to).or_before(working.year()),
        }
    });
    Ok(transfer.collect())
}
