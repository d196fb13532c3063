//! Finds the requests of lists. A page looks through a bounded stretch of one index, whatever is filtered by: which index that is, is
//! decided here and not left to PostgreSQL, which knows how many rows a filter leaves only on the average.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::door::word::Word;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::domain::{
    request::{Channel, State},
    viewer::Viewer,
};

/// How many requests a page looks through at most when filters remain that no index decides.
const WINDOW: i64 = 10_000;
/// How many requests are sorted at most, where no index has the order that is asked for among those of a requester, say.
const SORTED: i64 = 10_000;

/// By what a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The order of arrival.
    Number,
    /// When they were received.
    ReceivedAt,
    /// The due date; those without one are left out.
    DueDate,
    /// When they changed last.
    UpdateTime,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    pub descending: bool,
}

/// Which requests a list holds; empty filters take all.
#[derive(Clone, Debug)]
pub struct Filter {
    pub viewer: Viewer,
    /// Any of the numbers that a request has.
    pub any_number: Option<String>,
    pub registration_number: Option<String>,
    pub coupon_number: Option<String>,
    pub external_number: Option<String>,
    pub bin: Option<String>,
    pub iin: Option<String>,
    pub states: Vec<State>,
    pub channel: Option<Channel>,
    pub assignee: Option<String>,
    /// Words of the requester's name.
    pub requester: Vec<String>,
    /// Words of the essence and the items.
    pub words: Vec<String>,
    /// Received at this instant or later.
    pub received_from: Option<Timestamp>,
    /// Received before this instant.
    pub received_before: Option<Timestamp>,
    pub due_from: Option<Date>,
    pub due_to: Option<Date>,
    /// Waiting for their answer after a due date before this instant.
    pub overdue_at: Option<Timestamp>,
    pub changed_since: Option<Timestamp>,
}

impl Filter {
    /// All that a caller sees.
    pub fn of(viewer: Viewer) -> Self {
        Self {
            viewer,
            any_number: None,
            registration_number: None,
            coupon_number: None,
            external_number: None,
            bin: None,
            iin: None,
            states: Vec::new(),
            channel: None,
            assignee: None,
            requester: Vec::new(),
            words: Vec::new(),
            received_from: None,
            received_before: None,
            due_from: None,
            due_to: None,
            overdue_at: None,
            changed_since: None,
        }
    }
}

/// A request's place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: Uuid,
    pub key: Key,
}

/// Where a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The place in the order of arrival.
    pub number: i64,
    /// What comes before it in the order: a day since the epoch or an instant in microseconds; none in the order of arrival.
    pub first: Option<i64>,
}

/// What a page holds.
#[derive(Debug)]
pub struct Found {
    pub places: Vec<Place>,
    /// How far was looked, when there is more behind it.
    pub looked_to: Option<Key>,
}

/// What leads to the requests of a list: the index that begins with it.
#[derive(Clone, Debug)]
enum Lead {
    Coupon(String),
    Registration(String),
    External(String),
    Bin(String),
    Iin(String),
    Assignee(String),
    AcceptedBy(String),
    State(State),
    All,
}

/// The states in which a due date is waited for.
const AWAITED: [State; 3] = [State::Registered, State::InPreparation, State::AwaitingClarification];

/// Finds the requests of a page, behind `after`.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn find(
    connection: &mut PgConnection,
    filter: &Filter,
    order: Order,
    after: Option<Key>,
    most: i64,
) -> Result<Found, sqlx::Error> {
    let leads = leads(filter);
    let listing = Listing { filter, order, after };
    // Every index but those of the other orders has the order of arrival behind what leads to it.
    let gathered = order.by != By::Number && !matches!(leads[..], [Lead::All]) && few(connection, &leads).await?;
    if gathered {
        let places = listing.matching(&leads, None, most).fetch(connection).await?;
        return Ok(Found { places, looked_to: None });
    }
    let leads = if order.by == By::Number { leads } else { vec![Lead::All] };
    if !listing.leaves_filters(&leads) {
        let places = listing.matching(&leads, Some(most), most).fetch(connection).await?;
        return Ok(Found { places, looked_to: None });
    }
    let window = (WINDOW / i64::try_from(leads.len()).unwrap_or(1)).max(most);
    let places = listing.matching(&leads, Some(window), most).fetch(connection).await?;
    let is_full = i64::try_from(places.len()).is_ok_and(|found| found >= most);
    let looked_to = if is_full {
        None
    } else {
        listing.last(&leads, window).fetch(connection).await?.pop()
    };
    Ok(Found {
        places,
        looked_to: looked_to.map(|place| place.key),
    })
}

/// What leads to the fewest requests, as far as the filter tells.
fn leads(filter: &Filter) -> Vec<Lead> {
    let given = |text: &Option<String>, lead: fn(String) -> Lead| text.clone().map(lead);
    if let Some(number) = &filter.any_number {
        let number = || number.clone();
        return vec![
            Lead::Registration(number()),
            Lead::Coupon(number()),
            Lead::External(number()),
        ];
    }
    let one = given(&filter.coupon_number, Lead::Coupon)
        .or_else(|| given(&filter.registration_number, Lead::Registration))
        .or_else(|| given(&filter.external_number, Lead::External))
        .or_else(|| given(&filter.iin, Lead::Iin))
        .or_else(|| given(&filter.bin, Lead::Bin))
        .or_else(|| given(&filter.assignee, Lead::Assignee));
    if let Some(one) = one {
        return vec![one];
    }
    match &filter.viewer {
        Viewer::Other { name, bin } => {
            let own = Lead::AcceptedBy(name.clone());
            std::iter::once(own).chain(bin.clone().map(Lead::Bin)).collect()
        }
        Viewer::Official if !filter.states.is_empty() => filter.states.iter().copied().map(Lead::State).collect(),
        Viewer::Official if filter.overdue_at.is_some() => AWAITED.map(Lead::State).to_vec(),
        Viewer::Official => vec![Lead::All],
    }
}

/// Whether these lead to so few requests that they can be sorted.
async fn few(connection: &mut PgConnection, leads: &[Lead]) -> Result<bool, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    for (place, lead) in leads.iter().enumerate() {
        query.push(if place == 0 { "(" } else { " UNION ALL (" });
        query.push("SELECT FROM requests.request AS r WHERE ");
        push_lead(&mut query, lead);
        query.push(format!(" LIMIT {})", SORTED + 1));
    }
    query.push(") AS led");
    let count: i64 = query.build_query_scalar().fetch_one(connection).await?;
    Ok(count <= SORTED)
}

fn push_lead(query: &mut QueryBuilder<Postgres>, lead: &Lead) {
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
struct Listing<'a> {
    filter: &'a Filter,
    order: Order,
    after: Option<Key>,
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
                    By::DueDate => query.push("date '1970-01-01' + ").push_bind(i32::try_from(first).unwrap_or_default()),
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
            query.push(" AND r.received_at >= ").push_bind(jiff_sqlx::Timestamp::from(from));
        }
        if let Some(before) = self.filter.received_before {
            query.push(" AND r.received_at < ").push_bind(jiff_sqlx::Timestamp::from(before));
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
            if let Some(window) = window {
                self.push_order(query);
                query.push(" LIMIT ").push_bind(window);
            }
            query.push(")");
        }
    }

    /// Those of them that the filter takes.
    fn matching(&self, leads: &[Lead], window: Option<i64>, most: i64) -> Query {
        let mut query = QueryBuilder::new(COLUMNS);
        self.push_looked_through(&mut query, leads, window);
        query.push(") AS r WHERE true");
        self.push_filters(&mut query);
        self.push_order(&mut query);
        query.push(" LIMIT ").push_bind(most);
        Query(query, self.order.by)
    }

    /// The last of them, when there are as many as may be looked through.
    fn last(&self, leads: &[Lead], window: i64) -> Query {
        let mut query = QueryBuilder::new(COLUMNS);
        self.push_looked_through(&mut query, leads, Some(window));
        query.push(") AS r");
        self.push_order(&mut query);
        query.push(" OFFSET ").push_bind(window - 1).push(" LIMIT 1");
        Query(query, self.order.by)
    }

    /// Whether there are filters that neither what leads to the requests nor the order decides.
    fn leaves_filters(&self, leads: &[Lead]) -> bool {
        let filter = self.filter;
        let led = |is: fn(&Lead) -> bool| leads.iter().all(is);
        let by = self.order.by;
        let open = [
            filter.viewer != Viewer::Official && !led(|lead| matches!(lead, Lead::AcceptedBy(_) | Lead::Bin(_))),
            filter.viewer != Viewer::Official && filter.bin.is_some(),
            filter.any_number.is_some() && !led(|lead| !matches!(lead, Lead::All)),
            filter.coupon_number.is_some() && !led(|lead| matches!(lead, Lead::Coupon(_))),
            filter.registration_number.is_some() && !led(|lead| matches!(lead, Lead::Registration(_))),
            filter.external_number.is_some() && !led(|lead| matches!(lead, Lead::External(_))),
            filter.iin.is_some() && !led(|lead| matches!(lead, Lead::Iin(_))),
            filter.bin.is_some() && !led(|lead| matches!(lead, Lead::Bin(_))),
            filter.assignee.is_some() && !led(|lead| matches!(lead, Lead::Assignee(_))),
            !filter.states.is_empty() && !led(|lead| matches!(lead, Lead::State(_))),
            filter.channel.is_some(),
            filter.overdue_at.is_some(),
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
        self.push_viewer(query);
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
            query.push(" AND r.due_time < ").push_bind(jiff_sqlx::Timestamp::from(now));
            push_states(query, &AWAITED);
        }
        push_words(query, "r.requester_full_name", &filter.requester);
        let items = "r.essence || ' ' || coalesce(
            (SELECT string_agg(i.description, ' ') FROM requests.item AS i WHERE i.request = r.id), '')";
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

/// That all words stand in a text, folded as numbers are.
fn push_words(query: &mut QueryBuilder<Postgres>, text: &str, words: &[String]) {
    if words.is_empty() {
        return;
    }
    query.push(" AND (SELECT bool_and(strpos(t.text, requests.folded(w.word)) > 0) FROM unnest(");
    query.push_bind(words.to_vec());
    query.push(format!("::text[]) AS w (word), (SELECT requests.folded({text}) AS text OFFSET 0) AS t)"));
}

/// What a place is read from, and in which list.
const COLUMNS: &str = "SELECT r.id, r.number, r.received_at, r.due_date, coalesce(r.changed_at, r.accepted_at) AS update_time
    FROM (";

/// A statement that finds places.
struct Query(QueryBuilder<Postgres>, By);

impl Query {
    async fn fetch(mut self, connection: &mut PgConnection) -> Result<Vec<Place>, sqlx::Error> {
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

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
