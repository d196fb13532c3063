//! ListRequests.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{
        languages::Languages,
        page::Page,
        text, wire,
        word::{self, Word},
    },
    zone,
};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{ListRequestsRequest, ListRequestsResponse},
};

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    listing::{self, PAGE},
    parse, seeing,
};
use crate::{
    db::{
        self,
        listing::{By, Filter, Order},
    },
    domain::{
        identifiers, names,
        request::{Channel, State},
        viewer::Viewer,
    },
};

/// The longest number of a coupon or a registration that is looked up.
const NUMBER: usize = 100;
/// How many characters the words that are looked for may have.
const WORDS: usize = 200;

pub(super) async fn list_requests(
    service: &RequestIntake,
    call: &Call,
    message: ListRequestsRequest,
) -> Result<ListRequestsResponse, Error> {
    let mut connection = service.context.db.snapshot().await?;
    let revision = db::rule::revision(&mut connection).await?;
    let viewer = seeing::viewer(&service.rules, &service.context, call, revision).await?;
    let (filter, order, view, page, languages) = asked(viewer.clone(), &message, service.context.now())?;
    let with_first = order.by != By::Number;
    let after = page
        .after
        .as_deref()
        .map(|key| listing::read(key, with_first))
        .transpose()?;
    let found = db::listing::find(&mut connection, &filter, order, after, page.limit()).await?;
    let (requests, next_page_token) = listing::page_of(service, &mut connection, &page, found, (view, &viewer)).await?;
    Ok(languages.keep(ListRequestsResponse {
        requests,
        next_page_token,
    }))
}

type Asked = (Filter, Order, View, Page, Languages);

/// Reads which requests are asked for, in which order, which page of them, and in which languages.
fn asked(viewer: Viewer, message: &ListRequestsRequest, now: Timestamp) -> Result<Asked, Error> {
    let mut violations = Violations::new();
    let page = page(&mut violations, &viewer, message)?;
    let mut filter = Filter::of(viewer);
    read_days(&mut violations, message, &mut filter);
    filter.states = states(&mut violations, message);
    filter.channel = word::optional(
        &mut violations,
        "channel",
        message.channel,
        Channel::ALL,
        convert::channel,
    );
    read_numbers(&mut violations, message, &mut filter);
    filter.requester = words(&mut violations, "requester", &message.requester);
    filter.words = words(&mut violations, "words", &message.words);
    filter.overdue_at = message.overdue.then_some(now);
    filter.changed_since = wire::optional_timestamp(&mut violations, "changed_since", message.changed_since.as_ref());
    if !message.assignee.is_empty() && !names::is_certificate_name(&message.assignee) {
        let description = "the name in a certificate: letters, digits, '-', '_' and '.'";
        violations.add("assignee", FieldReason::InvalidCharacter, description);
    }
    filter.assignee = Some(message.assignee.clone()).filter(|name| !name.is_empty());
    filter.unassigned = message.unassigned;
    if filter.unassigned && filter.assignee.is_some() {
        violations.add("unassigned", FieldReason::Conflict, "not together with `assignee`");
    }
    filter.awaiting_approval = message.awaiting_approval;
    let order = order(&mut violations, message);
    let view = word::optional(&mut violations, "view", message.view, &VIEWS, convert::view).unwrap_or(View::Basic);
    let languages = Languages::read(&mut violations, &message.languages);
    let order = violations.sound(order)?;
    Ok((filter, order, view, page, languages))
}

/// The page; its token belongs to everything else that is asked for, and to what its caller sees.
fn page(violations: &mut Violations, viewer: &Viewer, message: &ListRequestsRequest) -> Result<Page, Error> {
    let query = ListRequestsRequest {
        page_size: 0,
        page_token: String::new(),
        languages: Vec::new(),
        // The basic view, however it is asked for.
        view: if message.view == convert::view(View::Full) {
            message.view
        } else {
            0
        },
        ..message.clone()
    };
    let query = format!("{query:?}");
    let token = &message.page_token;
    Ok(Page::parse(
        violations,
        message.page_size,
        PAGE,
        token,
        &[&viewer.key(), &query],
    )?)
}

/// The days of receipt and the due dates that are asked for.
fn read_days(violations: &mut Violations, message: &ListRequestsRequest, filter: &mut Filter) {
    let due = (message.due_from.as_ref(), message.due_to.as_ref());
    (filter.due_from, filter.due_to) = days(violations, ("due_from", "due_to"), due);
    let received = (message.received_from.as_ref(), message.received_to.as_ref());
    let (from, to) = days(violations, ("received_from", "received_to"), received);
    filter.received_from = from.map(zone::beginning);
    // Nobody waits for the end of time.
    filter.received_before = to.filter(|day| day.year() < 9999).map(zone::end);
}

/// The first and the last day.
fn days(
    violations: &mut Violations,
    fields: (&str, &str),
    given: (Option<&common::Date>, Option<&common::Date>),
) -> (Option<Date>, Option<Date>) {
    let mut read = |field: &str, value: Option<&_>| {
        value.and_then(|value| violations.check(field, FieldReason::Date, wire::date(value)))
    };
    let (from, to) = (read(fields.0, given.0), read(fields.1, given.1));
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        violations.add(
            fields.1,
            FieldReason::Range,
            format!("must not lie before `{}`", fields.0),
        );
    }
    (from, to)
}

fn states(violations: &mut Violations, message: &ListRequestsRequest) -> Vec<State> {
    let one = word::optional(violations, "state", message.state, State::ALL, convert::state);
    if message.state != 0 && !message.states.is_empty() {
        violations.add("states", FieldReason::Conflict, "not together with `state`");
    }
    if message.states.len() > State::ALL.len() {
        let description = format!("at most {}", State::ALL.len());
        violations.add("states", FieldReason::TooMany, description);
    }
    let mut states: Vec<State> = one.into_iter().collect();
    for (place, state) in message.states.iter().enumerate().take(State::ALL.len()) {
        let field = format!("states[{place}]");
        states.extend(word::required(violations, &field, *state, State::ALL, convert::state));
    }
    states.sort_unstable();
    states.dedup();
    states
}

fn read_numbers(violations: &mut Violations, message: &ListRequestsRequest, filter: &mut Filter) {
    let mut read = |field: &str, number: &str, most: usize| {
        Some(violations.optional_name(field, number, most)).filter(|number| !number.is_empty())
    };
    filter.external_number = read("external_number", &message.external_number, parse::EXTERNAL_NUMBER);
    filter.coupon_number = read("coupon_number", &message.coupon_number, NUMBER);
    filter.registration_number = read("registration_number", &message.registration_number, NUMBER);
    let number = &message.identification_number;
    if number.is_empty() {
        return;
    }
    match (identifiers::check_bin(number), identifiers::check_iin(number)) {
        (Ok(()), _) => filter.bin = Some(number.clone()),
        (_, Ok(())) => filter.iin = Some(number.clone()),
        (Err(error), Err(_)) => violations.add("identification_number", FieldReason::Bin, error.to_string()),
    }
}

/// The words of a text, which stand in it apart.
fn words(violations: &mut Violations, field: &str, given: &str) -> Vec<String> {
    let given = violations.optional_name(field, given, WORDS);
    let words = given.split_whitespace().filter(|word| text::shows(word));
    words.map(str::to_owned).collect()
}

fn order(violations: &mut Violations, message: &ListRequestsRequest) -> Option<Order> {
    let of_receipt = message.received_from.is_some() || message.received_to.is_some();
    let asked = match message.order_by.trim() {
        "" if message.changed_since.is_some() => "update_time desc",
        "" if of_receipt => "received_at desc",
        "" => "number desc",
        asked => asked,
    };
    let (by, direction) = asked.split_once(' ').unwrap_or((asked, "asc"));
    let by = match by {
        "number" => Some(By::Number),
        "received_at" => Some(By::ReceivedAt),
        "due_date" => Some(By::DueDate),
        "update_time" => Some(By::UpdateTime),
        _ => None,
    };
    let descending = match direction.trim() {
        "desc" => Some(true),
        "asc" => Some(false),
        _ => None,
    };
    let order = by.zip(descending).map(|(by, descending)| Order { by, descending });
    if order.is_none() {
        let description = "number, received_at, due_date or update_time, with ` desc` for the last first";
        violations.add("order_by", FieldReason::Unknown, description);
    }
    order
}
