//! Distribution lists: what an operator resolves, what a second person approves, and which version holds on which day.

use legalstat_proto::{
    collections::v1::{
        ApproveDistributionRequest, DistributionCell, DistributionList, DistributionListState,
        GetDistributionListRequest, ListDistributionListsRequest, Recipient, RejectDistributionRequest,
        ResolveDistributionRequest,
    },
    common::v1 as common,
};
use prost::Message as _;

use super::{
    recipients::{court, creating, day, law, updating},
    *,
};

fn cell(recipient: &str, copies: i32) -> DistributionCell {
    DistributionCell {
        recipient: format!("recipients/{recipient}"),
        copies,
        ..Default::default()
    }
}

/// The cells that the text of Appendix 1 leaves open, with as many copies as their groups have.
async fn open_cells(distribution: &Distribution, collection: &str) -> Vec<DistributionCell> {
    let list = distribution
        .list_of(&format!("{collection}/distributionLists/1"), None)
        .await;
    let mut cells = Vec::new();
    for group in &list.unresolved_groups {
        let of_group = |cell: &&DistributionCell| (group.first_column..=group.last_column).contains(&cell.column);
        let open = list.cells.iter().filter(|cell| cell.unresolved).filter(of_group);
        cells.extend(open.zip(0..).map(|(open, place)| DistributionCell {
            recipient: open.recipient.clone(),
            copies: i32::from(place < group.copies),
            ..Default::default()
        }));
    }
    cells
}

fn resolving(collection: &str, cells: Vec<DistributionCell>) -> ResolveDistributionRequest {
    ResolveDistributionRequest {
        parent: format!("collections/{collection}"),
        cells,
        legal_basis: law(),
        valid_from: day(2019, 4, 15),
        reason: "the official text was found".into(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn approving(name: &str) -> ApproveDistributionRequest {
    ApproveDistributionRequest {
        name: name.into(),
        request_id: new_id(),
        ..Default::default()
    }
}

async fn resolve(distribution: &Distribution, message: ResolveDistributionRequest) -> Result<DistributionList, Status> {
    let proposed = distribution.operator().resolve_distribution(message).await;
    proposed.map(tonic::Response::into_inner)
}

async fn approve(distribution: &Distribution, name: &str) -> Result<DistributionList, Status> {
    let approved = distribution.approver().approve_distribution(approving(name)).await;
    approved.map(tonic::Response::into_inner)
}

async fn versions(
    distribution: &Distribution,
    caller: Option<&str>,
    page_size: i32,
) -> Vec<(i32, DistributionListState)> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListDistributionListsRequest {
            parent: "collections/drugs".into(),
            page_size,
            page_token,
            ..Default::default()
        };
        let page = distribution.client(caller).list_distribution_lists(request).await;
        let page = page.expect("it is public").into_inner();
        found.extend(page.distribution_lists.iter().map(|list| (list.version, list.state())));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn an_unresolved_collection_is_resolved_by_one_approved_by_another_and_then_released_with_its_total() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    upload(&mut operator, &header(DRUGS), CONTENT)
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(DRUGS, CONTENT))
        .await
        .expect("it is sealed");
    let cells = open_cells(&distribution, "drugs").await;
    let proposed = resolve(&distribution, resolving("drugs", cells))
        .await
        .expect("it agrees");
    assert_eq!(proposed.name, "collections/drugs/distributionLists/2");
    assert_eq!(
        (proposed.state(), proposed.base_version),
        (DistributionListState::Proposed, 1)
    );
    let early = release(&mut distribution.approver(), &releasing(DRUGS)).await;
    refused(early, Code::FailedPrecondition, "DISTRIBUTION_UNRESOLVED");
    let approved = approve(&distribution, &proposed.name)
        .await
        .expect("another person does");
    assert_eq!(
        (approved.state(), approved.decided_by.as_str()),
        (DistributionListState::InForce, "approver")
    );
    let released = release(&mut distribution.approver(), &releasing(DRUGS))
        .await
        .expect("it is resolved");
    assert_eq!(released.copies_issued, 24);
    let by_this_law = "SELECT count(*) FROM collections.copy
        WHERE collection = 'drugs' AND legal_basis_act = 'Constitutional Law 153-VII'";
    assert_eq!(
        distribution.count(by_this_law).await,
        12,
        "the copies that were open rest on the resolution"
    );
    let events = "SELECT count(*) FROM collections.outbox_event
        WHERE resource = 'collections/drugs/distributionLists/2' AND kind LIKE 'distribution-list.%'";
    assert_eq!(distribution.count(events).await, 2);
}

#[tokio::test]
async fn whoever_is_no_official_sees_versions_in_force_and_no_persons() {
    let distribution = Distribution::without_calendar().await;
    let cells = open_cells(&distribution, "drugs").await;
    let proposed = resolve(&distribution, resolving("drugs", cells))
        .await
        .expect("it agrees");
    assert_eq!(proposed.proposed_by, "operator");
    let asked = GetDistributionListRequest {
        name: proposed.name.clone(),
        as_of: None,
    };
    let hidden = distribution.client(None).get_distribution_list(asked.clone()).await;
    refused(hidden, Code::NotFound, "RESOURCE_NOT_FOUND");
    let official = distribution.client(Some("auditor")).get_distribution_list(asked).await;
    assert_eq!(official.expect("an official sees it").into_inner(), proposed);
    let (loaded, later) = (
        (1, DistributionListState::InForce),
        (2, DistributionListState::Proposed),
    );
    assert_eq!(versions(&distribution, None, 1).await, [loaded]);
    assert_eq!(versions(&distribution, Some("auditor"), 1).await, [loaded, later]);
    approve(&distribution, &proposed.name)
        .await
        .expect("another person does");
    assert_eq!(
        versions(&distribution, None, 1).await,
        [loaded, (2, DistributionListState::InForce)]
    );
    let public = distribution.list_of("drugs/distributionList", None).await;
    assert_eq!((public.version, public.unresolved_groups.len()), (2, 0));
    assert_eq!((public.proposed_by.as_str(), public.decided_by.as_str()), ("", ""));
}

#[tokio::test]
async fn what_does_not_agree_with_the_list_is_told_all_at_once_with_its_law() {
    let distribution = Distribution::without_calendar().await;
    let wrong = ResolveDistributionRequest {
        cells: vec![
            cell("gpo-leadership", 8),
            cell("senate", 2),
            cell("weather-bureau", 1),
            cell("gpo-office", 1),
            cell("gpo-office", 1),
            DistributionCell {
                column: 1,
                copies: -1,
                unresolved: true,
                recipient: "majilis".into(),
                ..Default::default()
            },
        ],
        copies_total: 25,
        reason: String::new(),
        ..resolving("drugs", Vec::new())
    };
    let mut found = violations(distribution.operator().resolve_distribution(wrong).await);
    found.sort();
    let expected = [
        ("cells[0].copies", "CONTRADICTION"),
        ("cells[1].copies", "OUT_OF_RANGE"),
        ("cells[2].recipient", "UNKNOWN"),
        ("cells[4].recipient", "DUPLICATE"),
        ("cells[5].column", "OUT_OF_RANGE"),
        ("cells[5].copies", "OUT_OF_RANGE"),
        ("cells[5].recipient", "RESOURCE_NAME"),
        ("cells[5].unresolved", "CONFLICT"),
        ("copies_total", "CONFLICT"),
        ("reason", "REQUIRED"),
    ];
    assert_eq!(found, pairs(&expected));
    let mut cells = open_cells(&distribution, "drugs").await;
    cells[0].copies = 1 - cells[0].copies;
    let refusal = distribution
        .operator()
        .resolve_distribution(resolving("drugs", cells))
        .await;
    let told = refusal.as_ref().expect_err("a sum is wrong").get_error_details();
    let told = told.bad_request().expect("it names the fields").field_violations[0]
        .description
        .clone();
    assert!(
        told.contains("columns 3-8 have 3 copies together") && told.contains("Appendix 1"),
        "{told}"
    );
    assert_eq!(violations(refusal), pairs(&[("cells", "TOTAL")]));
    let early = ResolveDistributionRequest {
        valid_from: day(2019, 4, 14),
        ..resolving("drugs", vec![cell("senate", 1)])
    };
    let early = violations(distribution.operator().resolve_distribution(early).await);
    assert_eq!(early, pairs(&[("valid_from", "OUT_OF_RANGE")]));
    assert_eq!(
        distribution
            .count("SELECT count(*) FROM collections.distribution_list")
            .await,
        0
    );
}

#[tokio::test]
async fn a_resolution_has_200_cells_at_most() {
    let distribution = Distribution::without_calendar().await;
    let cells = |count: usize| (0..count).map(|place| cell(&format!("body-{place}"), 1)).collect();
    let told = violations(
        distribution
            .operator()
            .resolve_distribution(resolving("drugs", cells(201)))
            .await,
    );
    assert!(told.contains(&("cells".to_owned(), "TOO_MANY".to_owned())), "{told:?}");
    let told = violations(
        distribution
            .operator()
            .resolve_distribution(resolving("drugs", cells(200)))
            .await,
    );
    assert!(told.iter().all(|(_, reason)| reason != "TOO_MANY"), "{told:?}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_stores_nothing() {
    let distribution = Distribution::without_calendar().await;
    let trial = ResolveDistributionRequest {
        validate_only: true,
        ..resolving("drugs", open_cells(&distribution, "drugs").await)
    };
    let would_be = resolve(&distribution, trial).await.expect("it agrees");
    assert_eq!((would_be.version, would_be.unresolved_groups.len()), (2, 0));
    assert_eq!(
        distribution
            .count("SELECT count(*) FROM collections.distribution_list")
            .await,
        0
    );
}

#[tokio::test]
async fn the_proposer_decides_nothing_whatever_roles_the_certificate_has_and_the_database_holds_to_it() {
    let distribution = Distribution::without_calendar().await;
    let cells = open_cells(&distribution, "drugs").await;
    let proposed = resolve(&distribution, resolving("drugs", cells))
        .await
        .expect("it agrees");
    distribution
        .execute("UPDATE collections.distribution_list SET proposed_by = 'approver'")
        .await;
    refused(
        approve(&distribution, &proposed.name).await,
        Code::FailedPrecondition,
        "SAME_PERSON",
    );
    let same =
        "UPDATE collections.distribution_list SET state = 'IN_FORCE', decided_at = now(), decided_by = proposed_by,
        decision_reason = ''";
    let refusal = sqlx::query(same)
        .execute(&mut distribution.running.superuser().await)
        .await;
    let refusal = refusal.expect_err("two persons must do it").to_string();
    assert!(refusal.contains("distribution_list_four_eyes"), "{refusal}");
    for caller in ["approver", "administrator", "senate"] {
        let message = resolving("drugs", vec![cell("senate", 1)]);
        let refusal = distribution.client(Some(caller)).resolve_distribution(message).await;
        refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
    }
    let refusal = distribution
        .operator()
        .approve_distribution(approving(&proposed.name))
        .await;
    refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
}

#[tokio::test]
async fn a_rejected_version_holds_on_no_day_and_nothing_more_is_decided_about_it() {
    let distribution = Distribution::without_calendar().await;
    let message = resolving("drugs", vec![cell("senate", 1)]);
    let proposed = resolve(&distribution, message).await.expect("it agrees");
    let rejecting = RejectDistributionRequest {
        name: proposed.name.clone(),
        reason: "the text says otherwise".into(),
        request_id: new_id(),
        validate_only: false,
    };
    let rejected = distribution
        .approver()
        .reject_distribution(rejecting)
        .await
        .expect("another person does");
    let rejected = rejected.into_inner();
    assert_eq!(
        (rejected.state(), rejected.decision_reason.as_str()),
        (DistributionListState::Rejected, "the text says otherwise")
    );
    refused(
        approve(&distribution, &proposed.name).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(distribution.list_of("drugs/distributionList", None).await.version, 1);
    let loaded = approve(&distribution, "collections/drugs/distributionLists/1").await;
    refused(loaded, Code::FailedPrecondition, "WRONG_STATE");
    let missing = approve(&distribution, "collections/drugs/distributionLists/9").await;
    refused(missing, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_proposal_over_a_version_that_is_not_in_force_any_more_is_refused() {
    let distribution = Distribution::without_calendar().await;
    let one = resolve(&distribution, resolving("drugs", vec![cell("senate", 1)]))
        .await
        .expect("it agrees");
    let other = resolve(&distribution, resolving("drugs", vec![cell("senate", 0)]))
        .await
        .expect("it agrees");
    approve(&distribution, &one.name).await.expect("another person does");
    refused(
        approve(&distribution, &other.name).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    let rest = resolve(
        &distribution,
        resolving("drugs", vec![cell("constitutional-council", 1)]),
    )
    .await;
    let rest = rest.expect("it goes on from there");
    assert_eq!(rest.base_version, 2);
    let group = rest
        .unresolved_groups
        .iter()
        .find(|group| group.first_column == 10)
        .map(|group| group.copies);
    assert_eq!(group, Some(0));
}

#[tokio::test]
async fn an_act_changes_the_list_from_a_day_on_and_the_days_before_keep_theirs() {
    let distribution = Distribution::without_calendar().await;
    distribution
        .administrator()
        .create_recipient(creating(court()))
        .await
        .expect("it is entered");
    let changing = ResolveDistributionRequest {
        cells: vec![DistributionCell {
            column: 11,
            ..cell("constitutional-court", 2)
        }],
        act_changes: true,
        copies_total: 34,
        valid_from: day(2023, 1, 1),
        ..resolving("crime", Vec::new())
    };
    let short = ResolveDistributionRequest {
        copies_total: 0,
        request_id: new_id(),
        ..changing.clone()
    };
    let short = violations(distribution.operator().resolve_distribution(short).await);
    assert_eq!(short, pairs(&[("copies_total", "TOTAL")]));
    let proposed = resolve(&distribution, changing).await.expect("the act says so");
    approve(&distribution, &proposed.name)
        .await
        .expect("another person does");
    let of = async |as_of: Option<common::Date>| {
        let list = distribution.list_of("crime/distributionList", as_of).await;
        let recipient = list
            .cells
            .iter()
            .find(|cell| cell.column == 11)
            .map(|cell| cell.recipient.clone());
        (list.version, list.copies_total, recipient.unwrap_or_default())
    };
    assert_eq!(
        of(day(2022, 12, 31)).await,
        (1, 33, "recipients/constitutional-council".to_owned())
    );
    assert_eq!(
        of(day(2023, 1, 1)).await,
        (2, 34, "recipients/constitutional-court".to_owned())
    );
    let both = GetDistributionListRequest {
        name: proposed.name,
        as_of: day(2023, 1, 1),
    };
    let both = violations(distribution.client(None).get_distribution_list(both).await);
    assert_eq!(both, pairs(&[("as_of", "CONFLICT")]));
}

#[tokio::test]
async fn a_list_names_no_recipient_of_copies_that_has_ended_and_that_nothing_follows() {
    let distribution = Distribution::without_calendar().await;
    let bureau = |valid_to| Recipient {
        name: "recipients/bureau".into(),
        display_name: court().display_name,
        column: 25,
        legal_basis: law(),
        valid_from: day(2019, 4, 15),
        valid_to,
        ..Default::default()
    };
    let created = distribution
        .administrator()
        .create_recipient(creating(bureau(None)))
        .await;
    created.expect("it is entered");
    let giving = |copies| ResolveDistributionRequest {
        act_changes: true,
        copies_total: 33 + copies,
        valid_from: day(2026, 1, 1),
        ..resolving(
            "crime",
            vec![DistributionCell {
                column: 25,
                ..cell("bureau", copies)
            }],
        )
    };
    let proposed = resolve(&distribution, giving(1)).await.expect("it is in force");
    let ended = distribution
        .update(updating(bureau(day(2026, 6, 30)), &["valid_to"], None))
        .await;
    ended.expect("no list in force gives it copies");
    let refusal = approve(&distribution, &proposed.name).await;
    let refusal = refused(refusal, Code::FailedPrecondition, "RECIPIENT_ENDED");
    assert_eq!(metadata(&refusal, "recipients"), "recipients/bureau");
    let again = resolve(&distribution, giving(2)).await;
    let told = again.as_ref().expect_err("nobody would get them").details();
    let told = tonic_types::pb::Status::decode(told).expect("it has details").details;
    let by_row = told.iter().find(|detail| detail.type_url.ends_with("RowFaults"));
    let by_row = by_row.expect("cells are told by row too");
    let by_row = common::RowFaults::decode(by_row.value.as_slice()).expect("it is readable");
    let rows: Vec<_> = by_row
        .faults
        .iter()
        .map(|fault| (fault.row, fault.column.as_str()))
        .collect();
    assert_eq!((by_row.count, rows.as_slice()), (1, &[(1, "recipient")][..]));
    assert_eq!(violations(again), pairs(&[("cells[0].recipient", "CONFLICT")]));
    let followed = Recipient {
        successor: "recipients/senate".into(),
        ..bureau(day(2026, 6, 30))
    };
    let followed = distribution.update(updating(followed, &["successor"], None)).await;
    followed.expect("the senate follows it");
    approve(&distribution, &proposed.name)
        .await
        .expect("the senate gets its copies then");
    let alone = distribution
        .update(updating(bureau(day(2026, 6, 30)), &["successor"], None))
        .await;
    assert_eq!(violations(alone), pairs(&[("recipient.successor", "REQUIRED")]));
}
