//! The statements by which lists are read. They are put together of a few fixed pieces; whatever a caller gives is a parameter.

use jiff::{Span, Timestamp, civil::Date};
use legalstat_kit::door::word::Word;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};

use super::listing::{AWAITED, By, Filter, Key, Lead, Order, Place};
use crate::domain::{
    request::{Channel, State},
    viewer::Viewer,
};

pub(super) fn push_lead(query: &mut QueryBuilder<Postgres>, lead: &Lead) {
    match lead {
        Lead::Coupon(number) => push_coupon(query, number),
        Lead::Registration(number) => push_registration(query, number),
        Lead::External(number) => push_external(query, number),
        Lead::Bin(bin) => {
            query.push("r.requester_bin = ").push_bind(bin.clone());
        }
        Lead::Iin(iin) => {
            query.push("r.requester_iin = ").push_bind(iin.clone());
        }
        Lead::Assignee(assignee) => {
            query.push("r.assignee = ").push_bind(assignee.clone());
        }
        Lead::AcceptedBy(name) => {
            query.push("r.accepted_by = ").push_bind(name.clone());
        }
        Lead::State(state) => {
            query.push("r.state = ").push_bind(state.word());
        }
        Lead::Owed => {
            // In the words of the index, so that PostgreSQL knows that it has them all.
            query.push(
                "r.state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND r.due_date IS NOT NULL",
            );
        }
        Lead::All => {
            query.push("true");
        }
    }
}

/// However it is spelled: a coupon's number is turned into the one spelling in which it is stored, and so is a registration's.
fn push_coupon(query: &mut QueryBuilder<Postgres>, number: &str) {
    query.push("r.coupon_number = upper(overlay(requests.folded(");
    query.push_bind(number.to_owned());
    query.push(r#") PLACING '-' FROM 9 FOR 0) COLLATE "C") COLLATE "default""#);
}

fn push_registration(query: &mut QueryBuilder<Postgres>, number: &str) {
    query.push("r.registration_number = overlay(requests.folded(");
    query.push_bind(number.to_owned()).push(") PLACING '-' FROM 5 FOR 0)");
}

fn push_external(query: &mut QueryBuilder<Postgres>, number: &str) {
    query.push("r.external_number IS NOT NULL AND requests.folded(r.external_number) = requests.folded(");
    query.push_bind(number.to_owned()).push(")");
}

/// A list behind a place in it.
pub(super) struct Listing<'a> {
    pub(super) filter: &'a Filter,
    pub(super) order: Order,
    pub(super) after: Option<Key>,
}

impl Listing<'_> {
    /// What the order is by, besides the number.
    fn key(&self) -> Option<&'static str> {
        match self.order.by {
            By::Number => None,
            By::ReceivedAt => Some("r.received_at"),
            By::DueDate => Some("r.due_date"),
            By::UpdateTime => Some("coalesce(r.changed_at, r.accepted_at)"),
        }
    }

    fn push_order(&self, query: &mut QueryBuilder<Postgres>) {
        let direction = if self.order.descending { " DESC" } else { "" };
        query.push(" ORDER BY ");
        if let Some(key) = self.key() {
            query.push(format!("{key}{direction}, "));
        }
        query.push(format!("r.number{direction}"));
    }

    /// That a request comes behind the place, and within what the index of the order decides.
    fn push_range(&self, query: &mut QueryBuilder<Postgres>) {
        let beyond = if self.order.descending { "<" } else { ">" };
        match (self.after, self.key()) {
            (None, _) => {}
            (Some(after), None) => {
                query.push(format!(" AND r.number {beyond} ")).push_bind(after.number);
            }
            (Some(after), Some(key)) => {
                query.push(format!(" AND ({key}, r.number) {beyond} ("));
                let first = after.first.unwrap_or_default();
                match self.order.by {
                    By::DueDate => query.push_bind(jiff_sqlx::Date::from(day(first))),
                    _ => query.push_bind(jiff_sqlx::Timestamp::from(instant(first))),
                };
                query.push(", ").push_bind(after.number).push(")");
            }
        }
        match self.order.by {
            By::Number => {}
            By::ReceivedAt => self.push_received(query),
            By::DueDate => {
                query.push(" AND r.due_date IS NOT NULL");
                self.push_due(query);
            }
            By::UpdateTime => self.push_changed(query),
        }
    }

    fn push_received(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(from) = self.filter.received_from {
            query
                .push(" AND r.received_at >= ")
                .push_bind(jiff_sqlx::Timestamp::from(from));
        }
        if let Some(before) = self.filter.received_before {
            query
                .push(" AND r.received_at < ")
                .push_bind(jiff_sqlx::Timestamp::from(before));
        }
    }

    fn push_due(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(from) = self.filter.due_from {
            query.push(" AND r.due_date >= ").push_bind(jiff_sqlx::Date::from(from));
        }
        if let Some(to) = self.filter.due_to {
            query.push(" AND r.due_date <= ").push_bind(jiff_sqlx::Date::from(to));
        }
    }

    fn push_changed(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(since) = self.filter.changed_since {
            query.push(" AND coalesce(r.changed_at, r.accepted_at) >= ");
            query.push_bind(jiff_sqlx::Timestamp::from(since));
        }
    }

    /// The requests that are looked through: what the leads lead to, in the order, and as many of them.
    fn push_looked_through(&self, query: &mut QueryBuilder<Postgres>, leads: &[Lead], window: Option<i64>) {
        for (place, lead) in leads.iter().enumerate() {
            query.push(if place == 0 { "(" } else { " UNION ALL (" });
            query.push("SELECT r.* FROM requests.request AS r WHERE ");
            push_lead(query, lead);
            for earlier in &leads[..place] {
                // What two of them lead to is found by the first.
                query.push(" AND (");
                push_lead(query, earlier);
                query.push(") IS NOT TRUE");
            }
            self.push_range(query);
            // What the caller does not see is not counted either: where a page ends tells nothing of it.
            self.push_viewer(query);
            if let Some(window) = window {
                self.push_order(query);
                query.push(" LIMIT ").push_bind(window);
            }
            query.push(")");
        }
    }

    /// Those of them that the filter takes. Behind the first of all that were led to, some may be missing.
    pub(super) fn matching(&self, leads: &[Lead], window: Option<i64>, most: i64) -> Query {
        let mut query = QueryBuilder::new(COLUMNS);
        query.push("SELECT r.* FROM (");
        self.push_looked_through(&mut query, leads, window);
        query.push(") AS r");
        if let Some(window) = window {
            self.push_order(&mut query);
            query.push(" LIMIT ").push_bind(window);
        }
        query.push(") AS r WHERE true");
        self.push_filters(&mut query);
        self.push_order(&mut query);
        query.push(" LIMIT ").push_bind(most);
        Query(query, self.order.by)
    }

    /// How many of them have no more text than this together with those before them, and how many have more.
    pub(super) fn by_text(&self, leads: &[Lead], window: Option<i64>, bytes: i64) -> Counts {
        let mut query = QueryBuilder::new("SELECT count(*) FILTER (WHERE r.bytes <= ");
        query
            .push_bind(bytes)
            .push("), count(*) FILTER (WHERE r.bytes > ")
            .push_bind(bytes);
        query.push(") FROM (SELECT sum(r.bytes) OVER (");
        self.push_order(&mut query);
        // What a text has in bytes is known without its being read.
        query.push(") AS bytes FROM (SELECT r.*, octet_length(r.essence) + coalesce(");
        query.push("(SELECT sum(octet_length(i.description)) FROM requests.item AS i WHERE i.request = r.id), 0) AS bytes FROM (");
        self.push_looked_through(&mut query, leads, window);
        query.push(") AS r) AS r) AS r");
        Counts(query)
    }

    /// The last of them, when there are as many as may be looked through.
    pub(super) fn last(&self, leads: &[Lead], window: i64) -> Query {
        let mut query = QueryBuilder::new(COLUMNS);
        self.push_looked_through(&mut query, leads, Some(window));
        query.push(") AS r");
        self.push_order(&mut query);
        query.push(" OFFSET ").push_bind(window - 1).push(" LIMIT 1");
        Query(query, self.order.by)
    }

    /// Whether there are filters that neither what leads to the requests nor the order decides.
    pub(super) fn leaves_filters(&self, leads: &[Lead]) -> bool {
        let filter = self.filter;
        let led = |is: fn(&Lead) -> bool| leads.iter().all(is);
        let by = self.order.by;
        let open = [
            filter.any_number.is_some() && !led(|lead| !matches!(lead, Lead::All | Lead::Owed)),
            filter.coupon_number.is_some() && !led(|lead| matches!(lead, Lead::Coupon(_))),
            filter.registration_number.is_some() && !led(|lead| matches!(lead, Lead::Registration(_))),
            filter.external_number.is_some() && !led(|lead| matches!(lead, Lead::External(_))),
            filter.iin.is_some() && !led(|lead| matches!(lead, Lead::Iin(_))),
            filter.bin.is_some() && !led(|lead| matches!(lead, Lead::Bin(_))),
            filter.assignee.is_some() && !led(|lead| matches!(lead, Lead::Assignee(_))),
            !filter.states.is_empty() && !led(|lead| matches!(lead, Lead::State(_))),
            filter.channel.is_some(),
            filter.overdue_at.is_some(),
            filter.unassigned,
            filter.awaiting_approval,
            !filter.requester.is_empty(),
            !filter.words.is_empty(),
            by != By::ReceivedAt && (filter.received_from.is_some() || filter.received_before.is_some()),
            by != By::DueDate && (filter.due_from.is_some() || filter.due_to.is_some()),
            by != By::UpdateTime && filter.changed_since.is_some(),
        ];
        open.contains(&true)
    }

    /// Everything that is filtered by, also what leads there: that costs little, and nothing is forgotten.
    fn push_filters(&self, query: &mut QueryBuilder<Postgres>) {
        let filter = self.filter;
        self.push_numbers(query);
        for (column, value) in [
            ("requester_bin", filter.bin.as_deref()),
            ("requester_iin", filter.iin.as_deref()),
            ("assignee", filter.assignee.as_deref()),
            ("channel", filter.channel.map(Channel::word)),
        ] {
            if let Some(value) = value {
                query.push(format!(" AND r.{column} = ")).push_bind(value.to_owned());
            }
        }
        if !filter.states.is_empty() {
            push_states(query, &filter.states);
        }
        self.push_received(query);
        self.push_due(query);
        self.push_changed(query);
        if let Some(now) = filter.overdue_at {
            query
                .push(" AND r.due_time < ")
                .push_bind(jiff_sqlx::Timestamp::from(now));
            push_states(query, &AWAITED);
        }
        if filter.unassigned {
            query.push(" AND r.assignee IS NULL");
        }
        if filter.awaiting_approval {
            push_states(query, &[State::InPreparation]);
            // A draft is for officials.
            query.push(if filter.viewer == Viewer::Official {
                UNAPPROVED
            } else {
                " AND false"
            });
        }
        push_words(query, "r.requester_full_name", &filter.requester);
        let items = "concat_ws(' ', r.essence,
            (SELECT string_agg(i.description, ' ') FROM requests.item AS i WHERE i.request = r.id))";
        push_words(query, items, &filter.words);
    }

    fn push_viewer(&self, query: &mut QueryBuilder<Postgres>) {
        let Viewer::Other { name, bin } = &self.filter.viewer else {
            return;
        };
        query.push(" AND (r.accepted_by = ").push_bind(name.clone());
        if let Some(bin) = bin {
            query.push(" OR r.requester_bin = ").push_bind(bin.clone());
        }
        query.push(")");
    }

    fn push_numbers(&self, query: &mut QueryBuilder<Postgres>) {
        let filter = self.filter;
        type Push = fn(&mut QueryBuilder<Postgres>, &str);
        for (number, push) in [
            (&filter.coupon_number, push_coupon as Push),
            (&filter.registration_number, push_registration),
            (&filter.external_number, push_external),
        ] {
            if let Some(number) = number {
                query.push(" AND ");
                push(query, number);
            }
        }
    }
}

fn push_states(query: &mut QueryBuilder<Postgres>, states: &[State]) {
    let words: Vec<&'static str> = states.iter().map(|state| state.word()).collect();
    query.push(" AND r.state = ANY (").push_bind(words).push(")");
}

/// That all words stand in a text, whatever their case. It is folded once for each request: that takes longer than looking for words.
fn push_words(query: &mut QueryBuilder<Postgres>, text: &str, words: &[String]) {
    if words.is_empty() {
        return;
    }
    query.push(" AND (SELECT true");
    for word in words {
        query.push(" AND strpos(t.text, lower(").push_bind(word.clone());
        query.push(")) > 0");
    }
    query.push(format!(" FROM (SELECT lower({text}) AS text OFFSET 0) AS t)"));
}

/// That there is an answer, that its last version is approved by nobody, and that nothing of the request was changed or went elsewhere
/// since it was drafted: what is outdated waits for another draft. What was changed and changed back counts as changed.
const UNAPPROVED: &str = " AND (SELECT max(a.version) FROM requests.answer AS a WHERE a.request = r.id)
    > coalesce((SELECT max(p.version) FROM requests.answer_approval AS p WHERE p.request = r.id), 0)
    AND NOT EXISTS (SELECT FROM requests.decision AS d WHERE d.request = r.id
        AND d.position > (SELECT max(w.position) FROM requests.decision AS w WHERE w.request = r.id AND w.verb = 'DRAFT_ANSWER')
        AND (d.items IS NOT NULL OR EXISTS (
            SELECT FROM requests.changed_field AS c WHERE c.request = d.request AND c.decision = d.position)))
    AND (SELECT a.submission_sha256 IS NOT NULL FROM requests.answer AS a WHERE a.request = r.id ORDER BY a.version DESC LIMIT 1)";

/// What a place is read from, and in which list.
const COLUMNS: &str =
    "SELECT r.id, r.number, r.received_at, r.due_date, coalesce(r.changed_at, r.accepted_at) AS update_time
    FROM (";

/// A statement that counts twice.
pub(super) struct Counts(QueryBuilder<Postgres>);

impl Counts {
    pub(super) async fn fetch(mut self, connection: &mut PgConnection) -> Result<(i64, i64), sqlx::Error> {
        self.0.build_query_as().fetch_one(connection).await
    }
}

/// A statement that finds places.
pub(super) struct Query(QueryBuilder<Postgres>, By);

impl Query {
    pub(super) async fn fetch(mut self, connection: &mut PgConnection) -> Result<Vec<Place>, sqlx::Error> {
        let rows = self.0.build().fetch_all(connection).await?;
        rows.iter().map(|row| place(row, self.1)).collect()
    }
}

fn place(row: &PgRow, by: By) -> Result<Place, sqlx::Error> {
    let instant = |column| -> Result<i64, sqlx::Error> {
        let instant: jiff_sqlx::Timestamp = row.try_get(column)?;
        Ok(instant.to_jiff().as_microsecond())
    };
    let first = match by {
        By::Number => None,
        By::ReceivedAt => Some(instant("received_at")?),
        By::UpdateTime => Some(instant("update_time")?),
        By::DueDate => {
            let day: jiff_sqlx::Date = row.try_get("due_date")?;
            Some(days(day.to_jiff()))
        }
    };
    Ok(Place {
        id: row.try_get("id")?,
        key: Key {
            number: row.try_get("number")?,
            first,
        },
    })
}

/// Days since the epoch.
fn days(day: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    day.since(epoch).map_or(0, |span| i64::from(span.get_days()))
}

/// A day and an instant of a token, which may be forged: PostgreSQL knows neither outside of these years.
fn day(days: i64) -> Date {
    let epoch = jiff::civil::date(1970, 1, 1);
    let day = epoch.checked_add(Span::new().try_days(days).unwrap_or_default());
    day.ok().filter(|day| day.year() >= 1).unwrap_or(epoch)
}

fn instant(microseconds: i64) -> Timestamp {
    let instant = Timestamp::from_microsecond(microseconds).ok();
    let first = Timestamp::from_second(-62_000_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    instant
        .filter(|instant| *instant >= first)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_in_the_states_that_wait_for_an_answer() {
        let mut query = QueryBuilder::new("");
        push_lead(&mut query, &Lead::Owed);
        let words = AWAITED.map(|state| format!("'{}'", state.word())).join(", ");
        assert!(query.sql().as_str().contains(&format!("r.state IN ({words})")));
    }

    #[test]
    fn a_day_is_found_again_and_what_no_calendar_has_is_none() {
        for date in [
            jiff::civil::date(2026, 3, 2),
            jiff::civil::date(1969, 12, 31),
            jiff::civil::date(9999, 12, 31),
        ] {
            assert_eq!(day(days(date)), date);
        }
        for forged in [i64::MAX, i64::MIN, 4_000_000, -4_000_000] {
            assert_eq!(day(forged), jiff::civil::date(1970, 1, 1), "{forged}");
            assert!(instant(forged).as_second().abs() < 63_000_000_000);
        }
    }
}
