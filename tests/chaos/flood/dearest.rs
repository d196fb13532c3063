//! Every public method and what it is dearest to be asked.

use std::collections::BTreeSet;

use prost_reflect::Value;
use serde_json::json;

use super::placed::{DIMENSION, EDITION};

/// Every public method with the dearest message that it takes: what it computes anew, the longest range, the largest page. Of a
/// request's status and answer it is what the holder of a coupon asks: after a few wrong secrets nothing is looked up any more.
pub(super) fn dearest((coupon, secret): &(String, String)) -> Vec<(&'static str, &'static str, serde_json::Value)> {
    let (calendar, forms, collections) = ("calendar", "form-registry", "collection-distribution");
    let intake = "request-intake";
    // On a hundred days of the year, so that every year has other days.
    let holidays: Vec<_> = (0..100)
        .map(|number| {
            json!({ "key": format!("day-{number}"), "title": { "en": "A day" }, "kind": "DAY_KIND_HOLIDAY",
                    "month": number % 12 + 1, "day": number / 12 * 3 + 1, "firstYear": 2016, "rollsForward": true })
        })
        .collect();
    let trial = json!({
        "termStart": { "term": "terms/application-2026", "receivedAt": "2026-01-30T14:00:00Z" },
        "hypotheticalAct": { "kind": "CALENDAR_ACT_KIND_ORDER", "citation": "An order", "grade": "GRADE_STATE_BODY",
                             "holidays": holidays },
    });
    let from_to = json!({ "from": { "year": 2016, "month": 1, "day": 1 }, "to": { "year": 2035, "month": 12, "day": 31 }, "pageSize": 1000 });
    let page = json!({ "pageSize": 1000 });
    let year = json!({ "year": 2026, "pageSize": 1000 });
    vec![
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/GetDay",
            json!({ "name": "days/2026-11-26" }),
        ),
        (calendar, "/legalstat.calendar.v1.CalendarService/ListDays", from_to),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ComputeDeadline",
            trial,
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListTerms",
            page.clone(),
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListReportingPeriods",
            json!({ "firstYear": 2016, "lastYear": 2035, "periodicity": "PERIODICITY_MONTHLY", "pageSize": 1000 }),
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListCalendarActs",
            json!({ "pageSize": 1000, "showWithdrawn": true }),
        ),
        (forms, "/legalstat.forms.v1.FormRegistryService/ListForms", page.clone()),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetForm",
            json!({ "name": "forms/1" }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListSchedule",
            year.clone(),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListEditions",
            json!({ "parent": "forms/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetEdition",
            json!({ "name": EDITION }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/DownloadEditionFile",
            json!({ "name": EDITION, "filename": "form.csv" }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetPunctuality",
            json!({ "year": 2026 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListPlacements",
            json!({ "parent": "forms/-/editions/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetAnsweringDay",
            json!({}),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListOpenDataEntries",
            json!({ "parent": "forms/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListCodeLists",
            json!({ "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListCodes",
            json!({ "parent": format!("codeLists/{DIMENSION}"), "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListIndicators",
            json!({ "parent": "forms/1", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListDetails",
            json!({ "parent": "accountingDocuments/CARD", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListTotalRules",
            json!({ "parent": "forms/1", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/QueryObservations",
            json!({ "parent": "forms/1", "pageSize": 1000, "growth": true }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/QueryObservations",
            json!({ "parent": "forms/1", "pageSize": 1000, "growth": true, "totalOver": ["TERRITORY"] }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetOpenDataPackage",
            json!({ "name": EDITION }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/DownloadOpenDataFile",
            json!({ "name": format!("{EDITION}/openDataPackages/v1"), "path": "datapackage.json" }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/GetRequestStatus",
            json!({ "couponNumber": coupon, "secret": secret }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/GetAnswerByCoupon",
            json!({ "couponNumber": coupon, "secret": secret }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/DownloadAnswerByCoupon",
            json!({ "couponNumber": coupon, "secret": secret, "format": "ANSWER_FORMAT_PDF" }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/ListSigningKeys",
            json!({ "pageSize": 1000 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListSigningKeys",
            json!({ "pageSize": 1000 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListCollections",
            page.clone(),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetCollection",
            json!({ "name": "collections/crime" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListRecipients",
            page,
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetRecipient",
            json!({ "name": "recipients/senate" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetDistributionList",
            json!({ "name": "collections/crime/distributionList" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListDistributionLists",
            json!({ "parent": "collections/crime" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListSchedule",
            year,
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetPunctuality",
            json!({ "year": 2026 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetAnsweringDay",
            json!({}),
        ),
    ]
}

/// The full names of all methods that anyone may call.
pub(super) fn public() -> BTreeSet<String> {
    let access = legalstat_proto::descriptors().get_extension_by_name("legalstat.common.v1.access");
    let access = access.expect("it is in the contracts");
    let services = legalstat_proto::descriptors().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let public = methods.filter(|method| {
        let options = method.options();
        let option = options.get_extension(&access);
        let roles = option
            .as_message()
            .and_then(|option| option.get_field_by_name("roles").map(|roles| roles.into_owned()));
        roles.is_some_and(|roles| roles.as_list() == Some(&[Value::EnumNumber(1)]))
    });
    public
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
}
