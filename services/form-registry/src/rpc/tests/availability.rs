//! What request-intake learns about the items of a request.

use legalstat_proto::forms::v1::{
    Availability, AvailabilityItem, Channel as Place, CheckAvailabilityRequest, ItemAvailability,
};

use super::*;

const NOW: &str = "2025-03-05T05:00:00Z";

async fn check(client: &mut Client, items: Vec<AvailabilityItem>) -> Result<Vec<ItemAvailability>, Status> {
    Ok(client
        .check_availability(CheckAvailabilityRequest { items })
        .await?
        .into_inner()
        .items)
}

fn item(form: &str, period: &str, until_period: &str) -> AvailabilityItem {
    AvailabilityItem {
        form: form.into(),
        period: period.into(),
        until_period: until_period.into(),
    }
}

#[tokio::test]
async fn each_item_has_its_finding_in_the_order_asked() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for month in ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"] {
        upload(&mut operator, &header(month), b"a").await.expect("it is taken");
        seal(&mut operator, month).await;
    }
    place(
        &mut operator,
        &placing("forms/1/editions/2025-M01", Place::InformationService),
    )
    .await
    .expect("it is placed");
    place(
        &mut operator,
        &placing("forms/1/editions/2025-M02", Place::OfficialWebsite),
    )
    .await
    .expect("it is placed");

    let asked = [
        (item("forms/1", "2025-M01", ""), Availability::Placed, "para 7"),
        (
            item("forms/1", "2025-M01", "2025-M02"),
            Availability::Undetermined,
            "para 5",
        ),
        (item("forms/1", "2025-Q1", ""), Availability::Undetermined, "para 5"),
        (item("", "2025-M01", ""), Availability::Undetermined, "para 5"),
        (item("forms/99", "2025-M01", ""), Availability::NotRegistered, "para 5"),
    ];
    let items = asked.iter().map(|(item, ..)| item.clone()).collect();
    let found = check(&mut registry.client(Some("request-intake")), items)
        .await
        .expect("it answers");
    for ((item, availability, provision), found) in asked.iter().zip(&found) {
        assert_eq!(found.availability(), *availability, "{item:?}");
        assert_eq!(
            found.legal_basis.as_ref().map(|basis| basis.provision.as_str()),
            Some(*provision),
            "{item:?}"
        );
    }
    assert_eq!(found[1].editions, ["forms/1/editions/2025-M01"]);
}

#[tokio::test]
async fn a_call_asks_about_1_to_100_items() {
    let registry = Registry::at(NOW).await;
    let mut intake = registry.client(Some("request-intake"));
    for count in [0, 101] {
        let answer = check(&mut intake, vec![item("forms/1", "2025-M01", ""); count]).await;
        assert_eq!(violations(answer), pairs(&[("items", "OUT_OF_RANGE")]), "{count}");
    }
    assert_eq!(
        check(&mut intake, vec![item("forms/1", "2025-M01", ""); 100])
            .await
            .expect("it answers")
            .len(),
        100
    );
}

#[tokio::test]
async fn only_intake_and_officials_ask() {
    let registry = Registry::at(NOW).await;
    for caller in ["edms", "calendar", "auditor"] {
        let answer = check(
            &mut registry.client(Some(caller)),
            vec![item("forms/1", "2025-M01", "")],
        )
        .await;
        assert_refused(answer, Code::PermissionDenied, "ROLE_MISSING", "");
    }
}
