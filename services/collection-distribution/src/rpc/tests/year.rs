//! A year of the collections as the Instruction orders it (paras 11 to 13 and Appendix 1), on a clock that moves.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use legalstat_proto::{
    collections::v1::{
        ApproveDistributionRequest, ConfirmReceiptRequest, CopyState, DistributionCell, EditionState,
        GetDistributionListRequest, GetPunctualityRequest, ResolveDistributionRequest, ScheduleItem,
    },
    common::v1::{Date, LegalBasis},
};

use super::*;

/// The service's clock, in seconds.
static CLOCK: AtomicI64 = AtomicI64::new(0);
/// What Appendix 1 has in all, by collection: crime, corruption, drugs, courts and supervision four times a year, prosecution bodies
/// twice.
const TOTALS: [(&str, usize); 6] = [
    ("corruption", 4 * 32),
    ("courts", 4 * 28),
    ("crime", 4 * 33),
    ("drugs", 4 * 24),
    ("prosecution-bodies", 2 * 29),
    ("supervision", 4 * 30),
];

fn clock() -> Timestamp {
    Timestamp::from_second(CLOCK.load(Ordering::SeqCst)).expect("an instant")
}

fn move_clock(to: Timestamp) {
    CLOCK.store(to.as_second(), Ordering::SeqCst);
}

/// Lets an act say who gets what Appendix 1 leaves open: of each group the first columns.
async fn resolve(distribution: &Distribution, collection: &str) {
    let name = format!("collections/{collection}/distributionList");
    let asked = GetDistributionListRequest {
        name,
        ..Default::default()
    };
    let list = distribution.operator().get_distribution_list(asked).await;
    let list = list.expect("it is there").into_inner();
    let mut cells: Vec<DistributionCell> = Vec::new();
    for group in &list.unresolved_groups {
        let columns = group.first_column..=group.last_column;
        let hidden = list
            .cells
            .iter()
            .filter(|cell| cell.unresolved && columns.contains(&cell.column));
        cells.extend((0..).zip(hidden).map(|(place, cell)| DistributionCell {
            copies: i32::from(place < group.copies),
            unresolved: false,
            ..cell.clone()
        }));
    }
    if cells.is_empty() {
        return;
    }
    let proposing = ResolveDistributionRequest {
        parent: format!("collections/{collection}"),
        cells,
        legal_basis: Some(LegalBasis {
            act: "Order of the Prosecutor General".into(),
            provision: "Annex".into(),
            ..Default::default()
        }),
        valid_from: Some(Date {
            year: 2025,
            month: 1,
            day: 1,
        }),
        reason: "the order tells the cells".into(),
        request_id: new_id(),
        ..Default::default()
    };
    let proposed = distribution.operator().resolve_distribution(proposing).await;
    let name = proposed.expect("it agrees with the totals").into_inner().name;
    let approving = ApproveDistributionRequest {
        name,
        request_id: new_id(),
        ..Default::default()
    };
    let approved = distribution.approver().approve_distribution(approving).await;
    approved.expect("another person approves");
}

/// Prepares and releases an edition two days before it is due.
async fn send_out(distribution: &Distribution, item: &ScheduleItem) {
    let due = item.due_date.as_ref().expect("it is due");
    let due = legalstat_kit::door::wire::date(due).expect("a day");
    let midday = due
        .at(12, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .expect("a time")
        .timestamp();
    move_clock(midday - SignedDuration::from_hours(48));
    let content = format!("the content of {}", item.edition).into_bytes();
    upload(&mut distribution.operator(), &header(&item.edition), &content)
        .await
        .expect("it is taken");
    seal(&mut distribution.operator(), &sealing(&item.edition, &content))
        .await
        .expect("it is sealed");
    let released = release(&mut distribution.approver(), &releasing(&item.edition)).await;
    assert_eq!(released.expect("it is released").state(), EditionState::Released);
}

/// Lets every recipient fetch and confirm what it has not confirmed.
async fn receive(distribution: &Distribution, recipient: &str) {
    let mut client = distribution.client(Some(recipient));
    for copy in distribution.copies(recipient).await {
        if copy.state() == CopyState::Issued {
            let confirming = ConfirmReceiptRequest {
                name: copy.name,
                sha256: copy.sha256,
                request_id: new_id(),
                ..Default::default()
            };
            client.confirm_receipt(confirming).await.expect("it is its own");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_has_22_editions_and_646_copies_that_are_all_received_in_time() {
    move_clock(instant("2025-01-20T05:00:00Z"));
    let distribution = Distribution::started(true, async |settings| {
        Running::start(&crate::SERVICE, settings, clock).await
    })
    .await;
    distribution.until_whole().await;
    for (collection, _) in TOTALS {
        resolve(&distribution, collection).await;
    }
    let year = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let items = distribution
        .operator()
        .list_schedule(year)
        .await
        .expect("it is whole")
        .into_inner()
        .items;
    assert_eq!(items.len(), 22);
    let recipients = crate::recipients_of_appendix_1().expect("the register is readable");
    assert_eq!(recipients.len(), 23);
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for item in &items {
        send_out(&distribution, item).await;
    }
    for recipient in &recipients {
        receive(&distribution, recipient).await;
        for copy in distribution.copies(recipient).await {
            assert_eq!(copy.state(), CopyState::Received, "{}", copy.name);
            let collection = copy.name.split('/').nth(1).expect("its name has one");
            *received.entry(collection.to_owned()).or_default() += 1;
        }
    }
    let expected: BTreeMap<String, usize> = TOTALS
        .map(|(collection, copies)| (collection.to_owned(), copies))
        .into();
    assert_eq!(received, expected);
    assert_eq!(received.values().sum::<usize>(), 646);
    let asked = GetPunctualityRequest {
        year: 2025,
        ..Default::default()
    };
    let counted = distribution.operator().get_punctuality(asked).await;
    let counted = counted.expect("it is whole").into_inner();
    let editions = counted.editions.expect("they are counted");
    assert_eq!((editions.expected, editions.on_time), (22, 22));
    let copies = counted.copies.expect("an operator sees them");
    // Nobody fetched anything before the last edition was out.
    let fetched = (copies.issued, copies.on_time + copies.late, copies.unconfirmed);
    assert_eq!(fetched, (646, 646, 0));
    assert!(copies.on_time > 0 && copies.late > copies.on_time, "{copies:?}");
    let late = "SELECT count(*) FROM collections.scheduled WHERE met_at > due_time";
    assert_eq!(distribution.count(late).await, 0);
    let met = "SELECT count(*) FROM collections.scheduled WHERE met_at IS NOT NULL";
    assert_eq!(distribution.count(met).await, 22);
}
