//! The end of a form.

use legalstat_proto::{
    common::v1::Date,
    forms::v1::{Channel as Place, Form, GetEditionRequest, RetireFormRequest},
};

use super::{forms::law, recompute::date, *};

fn retiring(last_day: Option<Date>) -> RetireFormRequest {
    RetireFormRequest {
        name: "forms/1".into(),
        last_day,
        legal_basis: law("Order No. 9"),
        reason: "it is abolished".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

impl Registry {
    async fn retire(&self, request: RetireFormRequest) -> Result<Form, Status> {
        let retired = self.administrator().retire_form(request).await;
        retired.map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_retired_form_owes_nothing_after_its_last_day_but_keeps_what_was_begun() {
    let registry = Registry::at(super::forms::NOW).await;
    let mut operator = registry.operator();
    let begun = "forms/1/editions/2026-M10";
    upload(&mut operator, &header(begun), b"a").await.expect("it is taken");
    seal(&mut operator, begun).await;
    let retired = registry
        .retire(retiring(date(2026, 11, 4)))
        .await
        .expect("it is retired");
    assert_eq!(retired.valid_to, date(2026, 11, 4));
    let year: Vec<String> = registry
        .scheduled("forms/1", 2026)
        .await
        .into_iter()
        .map(|item| item.0)
        .collect();
    assert_eq!(
        year.last().map(String::as_str),
        Some("2026-M10"),
        "a file was there: {year:?}"
    );
    assert_eq!(year.len(), 10);
    assert!(registry.scheduled("forms/1", 2027).await.is_empty());
    let gone = GetEditionRequest {
        name: "forms/1/editions/2026-M11".into(),
        ..Default::default()
    };
    let gone = registry.client(None).get_edition(gone).await;
    assert_refused(gone, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    place(&mut operator, &placing(begun, Place::InformationService))
        .await
        .expect("it is placed");
    let unscheduled = "outbox_event WHERE kind = 'edition.unscheduled'";
    assert_eq!(registry.count(unscheduled).await, 2 + 9 * 12);
    assert_refused(
        registry.form("forms/1", date(2026, 11, 5)).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
        "",
    );
    assert_eq!(registry.form("forms/1", None).await.expect("as it was last"), retired);

    // The calendar is not needed, neither to end a form nor to let it go on.
    registry.calendar.shut();
    let longer = registry.retire(retiring(date(2027, 1, 5))).await.expect("it goes on");
    assert_eq!(longer.valid_to, date(2027, 1, 5));
    assert_eq!(registry.scheduled("forms/1", 2026).await.len(), 12);
    assert!(registry.scheduled("forms/1", 2027).await.is_empty());
    let again = registry
        .retire(retiring(date(2027, 1, 5)))
        .await
        .expect("nothing changes");
    assert_eq!(again.etag, longer.etag);
    let stale = RetireFormRequest {
        etag: retired.etag,
        ..retiring(date(2026, 12, 31))
    };
    assert_refused(registry.retire(stale).await, Code::Aborted, "ETAG_MISMATCH", "");
    let early = RetireFormRequest {
        name: "forms/27".into(),
        legal_basis: None,
        reason: String::new(),
        ..retiring(date(2018, 1, 1))
    };
    let expected = [
        ("last_day", "OUT_OF_RANGE"),
        ("legal_basis", "REQUIRED"),
        ("reason", "REQUIRED"),
    ];
    assert_eq!(violations(registry.retire(early).await), pairs(&expected));
}
