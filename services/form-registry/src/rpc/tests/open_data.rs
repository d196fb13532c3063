//! The approved list of open data.

use legalstat_proto::{
    common::v1::{Date, LocalizedText},
    forms::v1::{
        Channel as Place, CreateOpenDataEntryRequest, EndOpenDataEntryRequest, Form, ListOpenDataEntriesRequest,
        OpenDataEntry,
    },
};

use super::{
    forms::{law, updating},
    recompute::date,
    *,
};

const JANUARY: &str = "forms/1/editions/2025-M01";

fn entering(form: &str, valid_from: Option<Date>) -> CreateOpenDataEntryRequest {
    CreateOpenDataEntryRequest {
        parent: form.into(),
        valid_from,
        legal_basis: law("Order No. 22"),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

fn ending(name: &str, last_day: Option<Date>) -> EndOpenDataEntryRequest {
    EndOpenDataEntryRequest {
        name: name.into(),
        last_day,
        reason: "Order No. 23".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

async fn listed(registry: &Registry, as_of: Option<Date>) -> Vec<OpenDataEntry> {
    let (mut entries, mut request) = (
        Vec::new(),
        ListOpenDataEntriesRequest {
            parent: "forms/-".into(),
            page_size: 1,
            as_of,
            ..Default::default()
        },
    );
    loop {
        let page = registry.client(None).list_open_data_entries(request.clone()).await;
        let page = page.expect("it lists").into_inner();
        entries.extend(page.open_data_entries);
        if page.next_page_token.is_empty() {
            return entries;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_form_is_on_the_list_from_one_day_to_another_and_placed_there_meanwhile() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let on_the_portal = placing(JANUARY, Place::OpenDataPortal);
    let refused = place(&mut operator, &on_the_portal).await;
    assert_refused(
        refused,
        Code::FailedPrecondition,
        "NOT_ON_OPEN_DATA_LIST",
        "Instruction, para 9",
    );
    let entry = operator
        .create_open_data_entry(entering("forms/1", date(2025, 2, 5)))
        .await;
    let entry = entry.expect("it is entered").into_inner();
    assert_eq!(entry.name, "forms/1/openDataEntries/2025-02-05");
    let unnamed = place(&mut operator, &on_the_portal)
        .await
        .expect_err("names are missing");
    let reason = unnamed.get_error_details().error_info().map(|info| info.reason.clone());
    assert_eq!(reason.as_deref(), Some("ERROR_REASON_NAMES_MISSING"));
    let named = Form {
        name: "forms/1".into(),
        title: Some(LocalizedText {
            kk: "Тіркелген қылмыстық құқық бұзушылықтар".into(),
            ru: "О зарегистрированных уголовных правонарушениях".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let naming = updating(named, &["title.kk", "title.ru"], None);
    registry.update(naming).await.expect("its texts are entered");
    place(&mut operator, &on_the_portal)
        .await
        .expect("it is on the list and has its names");
    let overlapping = operator
        .create_open_data_entry(entering("forms/1", date(2024, 1, 1)))
        .await;
    assert_refused(overlapping, Code::AlreadyExists, "ALREADY_EXISTS", "");

    let ended = operator
        .end_open_data_entry(ending(&entry.name, date(2025, 6, 30)))
        .await;
    let ended = ended.expect("it ends").into_inner();
    assert_eq!(
        (ended.valid_to, ended.end_reason.as_str()),
        (date(2025, 6, 30), "Order No. 23")
    );
    let again = operator
        .end_open_data_entry(ending(&entry.name, date(2025, 6, 30)))
        .await;
    assert_eq!(again.expect("nothing changes").into_inner(), ended);
    let other = operator
        .end_open_data_entry(ending(&entry.name, date(2025, 7, 31)))
        .await;
    assert_refused(other, Code::FailedPrecondition, "WRONG_STATE", "");
    for (form, day) in [("forms/1", date(2025, 7, 1)), ("forms/2", date(2025, 1, 1))] {
        operator
            .create_open_data_entry(entering(form, day))
            .await
            .expect("it is apart");
    }
    assert_eq!(listed(&registry, None).await.len(), 3);
    let then: Vec<String> = listed(&registry, date(2025, 6, 30))
        .await
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(
        then,
        [
            "forms/1/openDataEntries/2025-02-05",
            "forms/2/openDataEntries/2025-01-01"
        ]
    );
}

#[tokio::test]
async fn an_entry_needs_a_registered_form_and_a_law() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    let unregistered = operator
        .create_open_data_entry(entering("forms/27", date(2025, 2, 5)))
        .await;
    assert_refused(unregistered, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    let wrong = operator
        .create_open_data_entry(CreateOpenDataEntryRequest::default())
        .await;
    let expected = [
        ("parent", "REQUIRED"),
        ("valid_from", "REQUIRED"),
        ("legal_basis", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(wrong), pairs(&expected));
    let early = operator
        .end_open_data_entry(ending("forms/1/openDataEntries/2025-02-05", date(2025, 2, 4)))
        .await;
    assert_eq!(violations(early), pairs(&[("last_day", "RANGE")]));
    let unknown = operator
        .end_open_data_entry(ending("forms/1/openDataEntries/2025-02-05", date(2025, 2, 5)))
        .await;
    assert_refused(unknown, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    let refused = registry
        .client(Some("approver"))
        .end_open_data_entry(EndOpenDataEntryRequest::default())
        .await;
    assert_refused(refused, Code::PermissionDenied, "ROLE_MISSING", "");
}
