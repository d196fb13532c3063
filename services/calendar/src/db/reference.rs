//! Loads the registers that come with the calendar. Loading twice changes nothing.

use jiff::civil::Date;
use serde::{Deserialize, de::DeserializeOwned};
use sqlx::PgConnection;

const ACTS: &str = include_str!("../../data/acts.csv");
const HOLIDAYS: &str = include_str!("../../data/holidays.csv");
const KURBAN_AIT: &str = include_str!("../../data/kurban_ait.csv");
const TRANSFERS: &str = include_str!("../../data/transfers.csv");
const TERMS: &str = include_str!("../../data/terms.csv");

#[derive(Deserialize)]
struct Act {
    id: String,
    kind: String,
    title: String,
    uri: String,
}

#[derive(Deserialize)]
struct Holiday {
    act: String,
    provision: String,
    name_kk: String,
    name_ru: String,
    name_en: String,
    month: i16,
    day: i16,
    first_year: i16,
    last_year: Option<i16>,
    class: String,
    rolls_forward: String,
    known_from: Option<Date>,
    known_to: Option<Date>,
    grade: String,
}

#[derive(Deserialize)]
struct KurbanAit {
    act: String,
    provision: String,
    first_day: Date,
    status: String,
    known_from: Option<Date>,
    known_to: Option<Date>,
}

#[derive(Deserialize)]
struct Transfer {
    act: String,
    becomes_working_day: Date,
    becomes_day_off: Date,
    known_from: Option<Date>,
    known_to: Option<Date>,
    grade: String,
}

#[derive(Deserialize)]
struct Term {
    id: String,
    requester_kinds: String,
    received_from: Option<Date>,
    received_to: Option<Date>,
    selected: String,
    base: String,
    base_basis: String,
    base_assumed_before: Option<Date>,
    origin: String,
    origin_basis: String,
    roll_forward: String,
    roll_forward_basis: String,
    long_base: Option<String>,
    long_base_note: Option<String>,
    long_base_basis: Option<String>,
    extension: Option<String>,
    extension_note: Option<String>,
    extension_basis: Option<String>,
    notice: Option<String>,
    notice_note: Option<String>,
    notice_basis: Option<String>,
    forwarding: Option<String>,
    forwarding_note: Option<String>,
    forwarding_basis: Option<String>,
}

fn rows<T: DeserializeOwned>(register: &str) -> anyhow::Result<Vec<T>> {
    Ok(csv::Reader::from_reader(register.as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()?)
}

fn date(date: Option<Date>) -> Option<jiff_sqlx::Date> {
    date.map(jiff_sqlx::Date::from)
}

/// Loads every register and tells how many rows were new.
///
/// # Errors
/// A register that cannot be read, or what the database says.
pub async fn load(connection: &mut PgConnection) -> anyhow::Result<u64> {
    let mut new = 0;
    for act in rows(ACTS)? {
        new += insert_act(connection, act).await?;
    }
    for holiday in rows(HOLIDAYS)? {
        new += insert_holiday(connection, holiday).await?;
    }
    for kurban_ait in rows(KURBAN_AIT)? {
        new += insert_kurban_ait(connection, kurban_ait).await?;
    }
    for transfer in rows(TRANSFERS)? {
        new += insert_transfer(connection, transfer).await?;
    }
    for term in rows(TERMS)? {
        new += insert_term(connection, term).await?;
    }
    Ok(new)
}

async fn insert_act(connection: &mut PgConnection, act: Act) -> Result<u64, sqlx::Error> {
    let insert = sqlx::query!(
        "INSERT INTO calendar.act (id, kind, title, uri) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        act.id,
        act.kind,
        act.title,
        act.uri,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

async fn insert_holiday(connection: &mut PgConnection, holiday: Holiday) -> Result<u64, sqlx::Error> {
    let insert = sqlx::query!(
        "INSERT INTO calendar.holiday
             (act, provision, name_kk, name_ru, name_en, month, day, first_year, last_year, class, rolls, known_from, known_to, grade)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
        holiday.act,
        holiday.provision,
        holiday.name_kk,
        holiday.name_ru,
        holiday.name_en,
        holiday.month,
        holiday.day,
        holiday.first_year,
        holiday.last_year,
        holiday.class,
        holiday.rolls_forward == "yes",
        date(holiday.known_from) as _,
        date(holiday.known_to) as _,
        holiday.grade,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

async fn insert_kurban_ait(connection: &mut PgConnection, kurban_ait: KurbanAit) -> Result<u64, sqlx::Error> {
    let insert = sqlx::query!(
        "INSERT INTO calendar.day_off (act, provision, name_kk, name_ru, name_en, date, announced, known_from, known_to)
         VALUES ($1, $2, 'Құрбан айттың бірінші күні', 'Первый день Курбан айта', 'The first day of Kurban Ait', $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
        kurban_ait.act,
        kurban_ait.provision,
        jiff_sqlx::Date::from(kurban_ait.first_day) as _,
        kurban_ait.status != "PROVISIONAL",
        date(kurban_ait.known_from) as _,
        date(kurban_ait.known_to) as _,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

async fn insert_transfer(connection: &mut PgConnection, transfer: Transfer) -> Result<u64, sqlx::Error> {
    let insert = sqlx::query!(
        "INSERT INTO calendar.transfer (act, becomes_working_day, becomes_day_off, known_from, known_to, grade)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        transfer.act,
        jiff_sqlx::Date::from(transfer.becomes_working_day) as _,
        jiff_sqlx::Date::from(transfer.becomes_day_off) as _,
        date(transfer.known_from) as _,
        date(transfer.known_to) as _,
        transfer.grade,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

async fn insert_term(connection: &mut PgConnection, term: Term) -> Result<u64, sqlx::Error> {
    let kinds: Vec<String> = term.requester_kinds.split(';').map(str::to_owned).collect();
    let insert = sqlx::query!(
        "INSERT INTO calendar.term
             (id, requester_kinds, received_from, received_to, selected, base, base_basis, base_assumed_before, origin,
              origin_basis, roll_forward, roll_forward_basis, long_base, long_base_note, long_base_basis, extension,
              extension_note, extension_basis, notice, notice_note, notice_basis, forwarding, forwarding_note, forwarding_basis)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
         ON CONFLICT DO NOTHING",
        term.id,
        &kinds,
        date(term.received_from) as _,
        date(term.received_to) as _,
        term.selected == "yes",
        term.base,
        term.base_basis,
        date(term.base_assumed_before) as _,
        term.origin,
        term.origin_basis,
        term.roll_forward == "yes",
        term.roll_forward_basis,
        term.long_base,
        term.long_base_note,
        term.long_base_basis,
        term.extension,
        term.extension_note,
        term.extension_basis,
        term.notice,
        term.notice_note,
        term.notice_basis,
        term.forwarding,
        term.forwarding_note,
        term.forwarding_basis,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}
