//! Finds the requests of lists. A page looks through a bounded stretch of one index, whatever is filtered by: which index that is, is
//! decided here and not left to PostgreSQL, which knows how many rows a filter leaves only on the average.

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::listing_statement::{Listing, push_lead};
use crate::domain::{
    request::{Channel, State},
    viewer::Viewer,
};

/// How many requests a page looks through at most when filters remain that no index decides.
const WINDOW: i64 = 10_000;
/// How many of what its caller sees a page looks through where what leads there is shared with others: what lies between them is looked
/// through as well.
const SEEN: i64 = 2_000;
/// How many bytes of essences and items a page looks for words in at most: some of a second. One request has a tenth of that at most.
const TEXT: i64 = 16 * 1024 * 1024;
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
    /// Whether only those are wanted that nobody has.
    pub unassigned: bool,
    /// Whether only those are wanted whose answer waits for its approval.
    pub awaiting_approval: bool,
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
            unassigned: false,
            awaiting_approval: false,
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
    /// How far was looked, when there is more behind it: always a place of a request that the caller sees.
    pub looked_to: Option<Key>,
}

/// What leads to the requests of a list: the index that begins with it.
#[derive(Clone, Debug)]
pub(super) enum Lead {
    Coupon(String),
    Registration(String),
    External(String),
    Bin(String),
    Iin(String),
    Assignee(String),
    AcceptedBy(String),
    State(State),
    /// All that wait for their answer, in the order of their due dates.
    Owed,
    All,
}

/// The states in which a due date is waited for.
pub(super) const AWAITED: [State; 3] = [State::Registered, State::InPreparation, State::AwaitingClarification];

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
    let sorts = order.by != By::Number && !matches!(leads[..], [Lead::All]);
    if sorts && can_be_sorted(connection, &listing, &leads).await? {
        let places = listing.matching(&leads, None, most).fetch(connection).await?;
        return Ok(Found {
            places,
            looked_to: None,
        });
    }
    let leads = if order.by == By::Number {
        leads
    } else {
        vec![of_order(filter, order)]
    };
    if !listing.leaves_filters(&leads) {
        let places = listing.matching(&leads, Some(most), most).fetch(connection).await?;
        return Ok(Found {
            places,
            looked_to: None,
        });
    }
    let is_shared = filter.viewer != Viewer::Official && matches!(leads[..], [Lead::All | Lead::Owed]);
    let window = if is_shared { SEEN } else { WINDOW };
    let mut window = (window / i64::try_from(leads.len()).unwrap_or(1)).max(most);
    if !filter.words.is_empty() {
        let (within, beyond) = listing.by_text(&leads, Some(window), TEXT).fetch(connection).await?;
        if beyond > 0 {
            window = within.max(1);
        }
    }
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
        Viewer::Official if filter.awaiting_approval => vec![Lead::State(State::InPreparation)],
        Viewer::Official if filter.overdue_at.is_some() => AWAITED.map(Lead::State).to_vec(),
        Viewer::Official => vec![Lead::All],
    }
}

/// What leads to requests in an order other than that of arrival: what is owed has an index of its own by due date, for all that was
/// answered comes before it there.
fn of_order(filter: &Filter, order: Order) -> Lead {
    let states = &filter.states;
    let in_states = !states.is_empty() && states.iter().all(|state| AWAITED.contains(state));
    if order.by == By::DueDate && (in_states || filter.overdue_at.is_some()) {
        Lead::Owed
    } else {
        Lead::All
    }
}

/// Whether these lead to so few requests, and where words are looked for to so little text, that they can be sorted.
async fn can_be_sorted(
    connection: &mut PgConnection,
    listing: &Listing<'_>,
    leads: &[Lead],
) -> Result<bool, sqlx::Error> {
    let count = count(connection, leads).await?;
    if count > SORTED || listing.filter.words.is_empty() {
        return Ok(count <= SORTED);
    }
    let (_, beyond) = listing.by_text(leads, None, TEXT).fetch(connection).await?;
    Ok(beyond == 0)
}

/// To how many requests these lead, as far as that many are sorted.
async fn count(connection: &mut PgConnection, leads: &[Lead]) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    for (place, lead) in leads.iter().enumerate() {
        query.push(if place == 0 { "(" } else { " UNION ALL (" });
        query.push("SELECT FROM requests.request AS r WHERE ");
        push_lead(&mut query, lead);
        query.push(format!(" LIMIT {})", SORTED + 1));
    }
    query.push(") AS led");
    query.build_query_scalar().fetch_one(connection).await
}
