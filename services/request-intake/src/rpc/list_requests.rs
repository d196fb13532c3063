//! ListRequests.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{
        page::Page,
        wire,
        word::{self, Word},
    },
    due::moves,
};
use legalstat_proto::requests::v1::{ListRequestsRequest, ListRequestsResponse};
use prost::Message;

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    parse, sees_only_own,
};
use crate::{
    db::{self, request::Filter},
    domain::{names, request::State},
};

/// How many requests a page has when its caller does not say.
const PAGE: usize = 50;
/// How many bytes a page may have: clients take 4 MiB unless told otherwise, and one request alone can have 1.6 MB.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// How many requests are read at once.
const BATCH: usize = 20;
/// The longest coupon number that is looked up.
const COUPON: usize = 100;

pub(super) async fn list_requests(
    service: &RequestIntake,
    call: &Call,
    message: ListRequestsRequest,
) -> Result<ListRequestsResponse, Error> {
    let (filter, view, page) = asked(sees_only_own(&call.caller), &message)?;
    let mut connection = service.context.db.snapshot().await?;
    let places = db::request::find(&mut connection, &filter, page.limit()).await?;
    let (places, whole_token) = page.cut(places, |place| place.number.to_string());
    let mut requests = Vec::new();
    let mut bytes = 0;
    for batch in places.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|place| place.id).collect();
        let mut found = db::request::get(&mut connection, &ids).await?;
        let stored = ids.iter().filter_map(|id| found.remove(id));
        let stored = stored.collect::<Result<Vec<_>, _>>()?;
        let moved = stored.iter().filter(|request| request.moved);
        let moved: Vec<String> = moved.map(|request| names::request(request.receipt.id)).collect();
        let mut moves = moves::of_each(&mut *connection, &moved).await?;
        let decided = stored
            .iter()
            .filter(|request| request.standing.version > 0 && view == View::Full);
        let decided: Vec<_> = decided.map(|request| request.receipt.id).collect();
        let mut decisions = db::decision::of_each(&mut connection, &decided).await?;
        for request in service
            .texts
            .complete(&mut connection, stored, view == View::Full)
            .await?
        {
            let id = request.receipt.as_ref().map(|receipt| receipt.id);
            let decisions = id.and_then(|id| decisions.remove(&id)).unwrap_or_default();
            let mut request = convert::as_of(convert::request_in(view, request), service.context.now());
            request.decisions = decisions.into_iter().map(convert::decision).collect();
            request.due_date_changes = moves.remove(&request.name).unwrap_or_default();
            bytes += request.encoded_len();
            if bytes > PAGE_BYTES && !requests.is_empty() {
                let last = &places[requests.len() - 1];
                let next_page_token = page.token(&last.number.to_string());
                return Ok(ListRequestsResponse {
                    requests,
                    next_page_token,
                });
            }
            requests.push(request);
        }
    }
    Ok(ListRequestsResponse {
        requests,
        next_page_token: whole_token,
    })
}

/// Reads which requests are asked for, and which page of them.
fn asked(own: Option<&str>, message: &ListRequestsRequest) -> Result<(Filter, View, Page), Error> {
    let mut violations = Violations::new();
    let (due_from, due_to) = due(&mut violations, message);
    let query = [
        own.unwrap_or_default(),
        &message.state.to_string(),
        &message.external_number,
        &message.coupon_number,
        &due_from.map(|day| day.to_string()).unwrap_or_default(),
        &due_to.map(|day| day.to_string()).unwrap_or_default(),
        if message.view == convert::view(View::Full) {
            "full"
        } else {
            ""
        },
    ];
    let page = Page::parse(&mut violations, message.page_size, PAGE, &message.page_token, &query)?;
    let state = word::optional(&mut violations, "state", message.state, State::ALL, convert::state);
    let view = word::optional(&mut violations, "view", message.view, &VIEWS, convert::view).unwrap_or(View::Basic);
    let external_number = violations.optional_name("external_number", &message.external_number, parse::EXTERNAL_NUMBER);
    let coupon_number = violations.optional_name("coupon_number", &message.coupon_number, COUPON);
    violations.refuse()?;
    let filter = Filter {
        accepted_by: own.map(str::to_owned),
        state,
        external_number: Some(external_number).filter(|number| !number.is_empty()),
        coupon_number: Some(coupon_number).filter(|number| !number.is_empty()),
        due_from,
        due_to,
        before: page.after()?,
    };
    Ok((filter, view, page))
}

/// The first and the last due date asked for.
fn due(violations: &mut Violations, message: &ListRequestsRequest) -> (Option<Date>, Option<Date>) {
    let mut read = |field, value: Option<&_>| {
        value.and_then(|value| violations.check(field, FieldReason::Date, wire::date(value)))
    };
    let from = read("due_from", message.due_from.as_ref());
    let to = read("due_to", message.due_to.as_ref());
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        violations.add("due_to", FieldReason::Range, "must not lie before `due_from`");
    }
    (from, to)
}
