//! What must hold of requests that were taken, whatever died meanwhile.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use legalstat_proto::{
    journal::v1::{ListEntriesRequest, journal_service_client::JournalServiceClient},
    requests::v1::{
        ListRequestsRequest, Request, RequestState, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use tonic::transport::Channel;

/// How long what was put off may wait for its examination.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was acknowledged, by number.
pub type Acknowledged = BTreeMap<usize, Request>;

/// Every request that intake holds, by the sender's number.
async fn stored(reach: &impl Fn(&str) -> Channel) -> BTreeMap<String, Vec<Request>> {
    let mut client = RequestIntakeServiceClient::new(reach("edms"));
    client = client.max_decoding_message_size(usize::MAX);
    let mut list = ListRequestsRequest {
        page_size: 200,
        ..Default::default()
    };
    let mut stored: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    loop {
        let page = client.list_requests(list.clone()).await;
        let page = page.expect("the system runs").into_inner();
        for request in page.requests {
            stored.entry(request.external_number.clone()).or_default().push(request);
        }
        if page.next_page_token.is_empty() {
            return stored;
        }
        list.page_token = page.next_page_token;
    }
}

/// How many entries of submissions the journal holds by resource.
async fn journaled(reach: &impl Fn(&str) -> Channel) -> BTreeMap<String, usize> {
    let mut client = JournalServiceClient::new(reach("administrator"));
    let mut list = ListEntriesRequest {
        page_size: 1000,
        method: "/legalstat.requests.v1.RequestIntakeService/SubmitRequest".to_owned(),
        ..Default::default()
    };
    let mut entries = BTreeMap::new();
    loop {
        let page = client.list_entries(list.clone()).await;
        let page = page.expect("the system runs").into_inner();
        for entry in page.entries {
            *entries.entry(entry.resource).or_default() += 1;
        }
        if page.next_page_token.is_empty() {
            return entries;
        }
        list.page_token = page.next_page_token;
    }
}

/// Checks that what was acknowledged is there once, as it was acknowledged, and that the journal holds one entry for each
/// request and none for any other. How many there are.
pub async fn holds(reach: &impl Fn(&str) -> Channel, acknowledged: &Acknowledged) -> usize {
    let (stored, entries) = (stored(reach).await, journaled(reach).await);
    for (number, answer) in acknowledged {
        let found = stored
            .get(&format!("chaos-{number}"))
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert_eq!(found.len(), 1, "request {number} was acknowledged and is there once");
        // The secret of its coupon was told once.
        let coupon = |request: &Request| request.coupon.clone().map(|coupon| (coupon.number, coupon.signature));
        assert_eq!((&found[0].name, coupon(&found[0])), (&answer.name, coupon(answer)));
    }
    for (number, found) in &stored {
        assert_eq!(found.len(), 1, "{number} is there once, acknowledged or not");
        let entry = entries.get(&found[0].name);
        assert_eq!(entry, Some(&1), "{number} has one entry in the journal");
    }
    assert_eq!(entries.len(), stored.len(), "the journal names no other request");
    stored.len()
}

/// Waits until every request is registered, and checks that the numbers of each year have no gap.
pub async fn numbers_have_no_gap(reach: &impl Fn(&str) -> Channel) {
    let began = Instant::now();
    let requests = loop {
        let requests: Vec<Request> = stored(reach).await.into_values().flatten().collect();
        let registered = |request: &Request| request.state() == RequestState::Registered;
        if requests.iter().all(registered) {
            break requests;
        }
        assert!(began.elapsed() < PATIENCE, "what was put off is registered in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut years: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for request in &requests {
        let number = request
            .registration_number
            .split_once('-')
            .expect("a year and a number");
        let place = number.1.parse().expect("a number");
        years.entry(number.0).or_default().push(place);
    }
    for (year, numbers) in &mut years {
        numbers.sort_unstable();
        let gapless = numbers.iter().copied().eq(1..=numbers.len());
        assert!(gapless, "the numbers of {year} have no gap: {numbers:?}");
    }
}
