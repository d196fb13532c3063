//! Code lists, indicators and details: entered, replaced from a day on, ended, and listed as of a day.

use legalstat_proto::{
    common::v1::{Date, FieldReason, LegalBasis, LocalizedText, RowFaults},
    forms::v1::{
        AccountingDetail, BatchCreateCodesRequest, BatchCreateDetailsRequest, BatchCreateIndicatorsRequest,
        Code as ListCode, CodeList, CreateCodeListRequest, CreateTotalRuleRequest, Dimension, Indicator,
        ListCodeListsRequest, ListCodesRequest, ListDetailsRequest, ListIndicatorsRequest, ListTotalRulesRequest,
        RegisterChange, RetireIndicatorsRequest, TotalRule,
    },
};
use prost::Message as _;

use super::*;
const NOW: &str = "2026-11-05T05:00:00Z";

pub(super) fn id() -> String {
    Uuid::new_v4().to_string()
}

pub(super) fn day(text: &str) -> Option<Date> {
    let numbers: Vec<i32> = text.split('-').map(|part| part.parse().expect("a number")).collect();
    Some(Date {
        year: numbers[0],
        month: numbers[1],
        day: numbers[2],
    })
}

pub(super) fn basis() -> Option<LegalBasis> {
    Some(LegalBasis {
        act: "Order No. 7".into(),
        provision: "para 1".into(),
        ..LegalBasis::default()
    })
}

pub(super) fn title(en: &str) -> Option<LocalizedText> {
    Some(LocalizedText {
        en: en.into(),
        ..LocalizedText::default()
    })
}

pub(super) fn code(code: &str, parent: &str) -> ListCode {
    ListCode {
        code: code.into(),
        title: title(code),
        parent: parent.into(),
        valid_from: day("2020-01-01"),
        legal_basis: basis(),
        ..ListCode::default()
    }
}

pub(super) fn indicator(code: &str, dimensions: &[&str]) -> Indicator {
    let dimension = |id: &&str| Dimension {
        id: (*id).into(),
        code_list: format!("codeLists/{id}"),
    };
    Indicator {
        code: code.into(),
        title: title(code),
        unit: "CRIME".into(),
        measure: "number".into(),
        by_territory: true,
        dimensions: dimensions.iter().map(dimension).collect(),
        valid_from: day("2020-01-01"),
        legal_basis: basis(),
        ..Indicator::default()
    }
}

pub(super) async fn create_list(client: &mut Client, id_of_list: &str) -> Result<CodeList, Status> {
    let request = CreateCodeListRequest {
        code_list: Some(CodeList {
            name: format!("codeLists/{id_of_list}"),
            title: title(id_of_list),
            legal_basis: basis(),
        }),
        request_id: id(),
        validate_only: false,
    };
    client.create_code_list(request).await.map(tonic::Response::into_inner)
}

pub(super) async fn enter_codes(
    client: &mut Client,
    list: &str,
    codes: Vec<ListCode>,
) -> Result<RegisterChange, Status> {
    let request = BatchCreateCodesRequest {
        parent: format!("codeLists/{list}"),
        codes,
        request_id: id(),
        validate_only: false,
    };
    client
        .batch_create_codes(request)
        .await
        .map(tonic::Response::into_inner)
}

pub(super) async fn enter(
    client: &mut Client,
    form: &str,
    indicators: Vec<Indicator>,
) -> Result<RegisterChange, Status> {
    let request = BatchCreateIndicatorsRequest {
        parent: form.into(),
        indicators,
        request_id: id(),
        validate_only: false,
    };
    client
        .batch_create_indicators(request)
        .await
        .map(tonic::Response::into_inner)
}

/// The faults of rows that a refusal carries, with their count.
pub(super) fn row_faults<T: std::fmt::Debug>(answer: Result<T, Status>) -> (i64, Vec<(i64, String, String)>) {
    let status = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    let details = tonic_types::pb::Status::decode(status.details())
        .expect("a status")
        .details;
    let detail = details.iter().find(|detail| detail.type_url.ends_with("RowFaults"));
    let detail = detail.unwrap_or_else(|| panic!("no faults of rows: {status:?}"));
    let faults = RowFaults::decode(detail.value.as_slice()).expect("they are readable");
    let told = faults.faults.into_iter().map(|fault| {
        let reason = FieldReason::try_from(fault.reason).expect("a reason").as_str_name();
        (
            fault.row,
            fault.column,
            reason.trim_start_matches("FIELD_REASON_").to_owned(),
        )
    });
    (faults.count, told.collect())
}

pub(super) fn faults(expected: &[(i64, &str, &str)]) -> (i64, Vec<(i64, String, String)>) {
    let faults = expected
        .iter()
        .map(|(row, column, reason)| (*row, (*column).to_owned(), (*reason).to_owned()));
    (i64::try_from(expected.len()).expect("few"), faults.collect())
}

async fn indicators(client: &mut Client, as_of: Option<&str>) -> Vec<Indicator> {
    let request = ListIndicatorsRequest {
        parent: "forms/1".into(),
        as_of: as_of.and_then(day),
        ..ListIndicatorsRequest::default()
    };
    client
        .list_indicators(request)
        .await
        .expect("it lists")
        .into_inner()
        .indicators
}

#[tokio::test]
async fn three_lists_are_there_from_the_beginning_and_units_have_their_codes() {
    let registry = Registry::without_calendar(NOW).await;
    let mut anyone = registry.client(None);
    let lists = anyone
        .list_code_lists(ListCodeListsRequest::default())
        .await
        .expect("it lists")
        .into_inner()
        .code_lists;
    let names: Vec<_> = lists.iter().map(|list| list.name.as_str()).collect();
    assert_eq!(
        names,
        ["codeLists/ACCOUNTING_DOCUMENT", "codeLists/KATO", "codeLists/UNIT"]
    );
    let of = |list: &str| ListCodesRequest {
        parent: format!("codeLists/{list}"),
        ..ListCodesRequest::default()
    };
    let units = anyone
        .list_codes(of("UNIT"))
        .await
        .expect("it lists")
        .into_inner()
        .codes;
    let units: Vec<_> = units.iter().map(|unit| unit.code.as_str()).collect();
    assert_eq!(units, ["CRIME", "CRIMINAL_CASE", "OFFENCE", "PERSON"]);
    assert!(
        anyone
            .list_codes(of("KATO"))
            .await
            .expect("it lists")
            .into_inner()
            .codes
            .is_empty()
    );
    refused(
        anyone.list_codes(of("NONE")).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn an_indicator_is_replaced_from_a_day_on_ended_with_another_and_answered_as_of_each() {
    let registry = Registry::without_calendar(NOW).await;
    let mut operator = registry.operator();
    let first = indicator("crimes", &[]);
    let change = enter(&mut operator, "forms/1", vec![first.clone()])
        .await
        .expect("it is entered");
    assert_eq!((change.created, change.replaced, change.unchanged), (1, 0, 0));
    let again = enter(&mut operator, "forms/1", vec![first.clone()])
        .await
        .expect("it is there");
    assert_eq!((again.created, again.replaced, again.unchanged), (0, 0, 1));
    let next = Indicator {
        title: title("registered crimes"),
        valid_from: day("2026-01-01"),
        ..first.clone()
    };
    let change = enter(&mut operator, "forms/1", vec![next])
        .await
        .expect("it is entered");
    assert_eq!((change.created, change.replaced), (0, 1));
    let all = indicators(&mut operator, None).await;
    assert_eq!(all.len(), 2, "the history stays: {all:?}");
    assert_eq!(all[0].valid_to, day("2025-12-31"));
    for (as_of, expected) in [
        ("2019-12-31", None),
        ("2025-12-31", Some("crimes")),
        ("2026-01-01", Some("registered crimes")),
    ] {
        let found = indicators(&mut operator, Some(as_of)).await;
        let titles: Vec<_> = found
            .iter()
            .filter_map(|found| found.title.as_ref().map(|title| title.en.as_str()))
            .collect();
        assert_eq!(titles, expected.into_iter().collect::<Vec<_>>(), "{as_of}");
    }
    let early = Indicator {
        title: title("other"),
        ..first
    };
    let answer = enter(&mut operator, "forms/1", vec![early]).await;
    assert_eq!(row_faults(answer), faults(&[(1, "valid_from", "CONTRADICTION")]));

    let retire = |codes: &[&str], last_day: &str| RetireIndicatorsRequest {
        parent: "forms/1".into(),
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        last_day: day(last_day),
        legal_basis: basis(),
        request_id: id(),
        validate_only: false,
    };
    let answer = operator
        .retire_indicators(retire(&["crimes", "none"], "2025-06-30"))
        .await;
    assert_eq!(
        row_faults(answer),
        faults(&[(1, "last_day", "RANGE"), (2, "codes", "UNKNOWN")])
    );
    let change = operator
        .retire_indicators(retire(&["crimes"], "2026-06-30"))
        .await
        .expect("it ends")
        .into_inner();
    assert_eq!(change.retired, 1);
    let again = operator
        .retire_indicators(retire(&["crimes"], "2026-06-30"))
        .await
        .expect("it ended")
        .into_inner();
    assert_eq!((again.retired, again.unchanged), (0, 1));
    assert!(indicators(&mut operator, Some("2026-07-01")).await.is_empty());
    assert_eq!(
        registry.count("outbox_event WHERE kind = 'indicators.retired'").await,
        1
    );
}

#[tokio::test]
async fn a_batch_is_entered_whole_or_refused_with_every_fault_of_its_rows() {
    let registry = Registry::without_calendar(NOW).await;
    let mut operator = registry.operator();
    let good = indicator("good", &[]);
    let wrong = vec![
        good.clone(),
        Indicator {
            code: "два слова".into(),
            ..good.clone()
        },
        Indicator {
            code: "c".into(),
            title: None,
            legal_basis: None,
            ..good.clone()
        },
        Indicator {
            valid_from: day("2026-02-30"),
            code: "d".into(),
            ..good.clone()
        },
        Indicator {
            valid_to: day("2019-01-01"),
            measure: String::new(),
            code: "e".into(),
            ..good.clone()
        },
        good.clone(),
    ];
    let found = row_faults(enter(&mut operator, "forms/1", wrong).await);
    let expected = faults(&[
        (6, "code", "DUPLICATE"),
        (2, "code", "KEY"),
        (3, "title", "REQUIRED"),
        (3, "legal_basis", "REQUIRED"),
        (4, "valid_from", "DATE"),
        (5, "measure", "REQUIRED"),
        (5, "valid_to", "RANGE"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(registry.count("indicator").await, 0);
    let unit = Indicator {
        unit: "TONNE".into(),
        ..indicator("a", &["SEX"])
    };
    let found = row_faults(enter(&mut operator, "forms/1", vec![unit]).await);
    assert_eq!(found, faults(&[(1, "unit", "UNKNOWN"), (1, "dimensions", "UNKNOWN")]));
    refused(
        enter(&mut operator, "forms/99", vec![good.clone()]).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let many = violations(enter(&mut operator, "forms/1", vec![good; 5001]).await);
    assert_eq!(many, pairs(&[("indicators", "TOO_MANY")]));
}

#[tokio::test]
async fn a_code_list_keeps_its_parents_and_takes_no_circle() {
    let registry = Registry::without_calendar(NOW).await;
    let mut operator = registry.operator();
    create_list(&mut operator, "AGE").await.expect("it is made");
    refused(
        create_list(&mut operator, "AGE").await,
        Code::AlreadyExists,
        "ALREADY_EXISTS",
    );
    let tree = vec![code("Y14", "T"), code("T", ""), code("Y18", "T")];
    assert_eq!(
        enter_codes(&mut operator, "AGE", tree)
            .await
            .expect("they are entered")
            .created,
        3
    );
    let found = row_faults(enter_codes(&mut operator, "AGE", vec![code("X", "NONE")]).await);
    assert_eq!(found, faults(&[(1, "parent", "UNKNOWN")]));
    let turned = ListCode {
        valid_from: day("2026-01-01"),
        ..code("T", "Y14")
    };
    let found = row_faults(enter_codes(&mut operator, "AGE", vec![turned]).await);
    assert_eq!(found, faults(&[(1, "parent", "CONTRADICTION")]));

    let request = |page_token: String| ListCodesRequest {
        parent: "codeLists/AGE".into(),
        page_size: 2,
        page_token,
        as_of: day("2026-05-01"),
        ..ListCodesRequest::default()
    };
    let first = operator
        .list_codes(request(String::new()))
        .await
        .expect("it lists")
        .into_inner();
    let second = operator
        .list_codes(request(first.next_page_token))
        .await
        .expect("it lists")
        .into_inner();
    let codes: Vec<_> = first
        .codes
        .iter()
        .chain(&second.codes)
        .map(|code| (code.code.as_str(), code.parent.as_str()))
        .collect();
    assert_eq!(codes, [("T", ""), ("Y14", "T"), ("Y18", "T")]);
    assert_eq!(second.next_page_token, "");

    let rule = |total: &str| CreateTotalRuleRequest {
        parent: "forms/1".into(),
        total_rule: Some(TotalRule {
            dimension: "AGE".into(),
            total: total.into(),
            valid_from: day("2026-01-01"),
            valid_to: None,
            legal_basis: basis(),
        }),
        request_id: id(),
        validate_only: false,
    };
    let answer = operator.create_total_rule(rule("T")).await;
    assert_eq!(violations(answer), pairs(&[("total_rule.dimension", "UNKNOWN")]));
    enter(&mut operator, "forms/1", vec![indicator("crimes", &["AGE"])])
        .await
        .expect("it is entered");
    let answer = operator.create_total_rule(rule("Y14")).await;
    assert_eq!(violations(answer), pairs(&[("total_rule.total", "UNKNOWN")]));
    operator.create_total_rule(rule("T")).await.expect("it is made");
    let request = ListTotalRulesRequest {
        parent: "forms/1".into(),
        ..ListTotalRulesRequest::default()
    };
    let rules = operator
        .list_total_rules(request)
        .await
        .expect("it lists")
        .into_inner()
        .total_rules;
    assert_eq!(rules.iter().map(|rule| rule.total.as_str()).collect::<Vec<_>>(), ["T"]);
}

#[tokio::test]
async fn details_belong_to_an_accounting_document_that_is_entered() {
    let registry = Registry::without_calendar(NOW).await;
    let mut operator = registry.operator();
    let detail = AccountingDetail {
        code: "iin".into(),
        title: title("IIN of the suspect"),
        unit: "PERSON".into(),
        restricted: true,
        valid_from: day("2020-01-01"),
        legal_basis: basis(),
        ..AccountingDetail::default()
    };
    let request = || BatchCreateDetailsRequest {
        parent: "accountingDocuments/card-1".into(),
        details: vec![detail.clone()],
        request_id: id(),
        validate_only: false,
    };
    refused(
        operator.batch_create_details(request()).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    enter_codes(&mut operator, "ACCOUNTING_DOCUMENT", vec![code("card-1", "")])
        .await
        .expect("it is entered");
    let trial = BatchCreateDetailsRequest {
        validate_only: true,
        ..request()
    };
    assert_eq!(
        operator
            .batch_create_details(trial)
            .await
            .expect("it is sound")
            .into_inner()
            .created,
        1
    );
    assert_eq!(registry.count("indicator").await, 0, "a trial enters nothing");
    operator
        .batch_create_details(request())
        .await
        .expect("they are entered");
    let request = ListDetailsRequest {
        parent: "accountingDocuments/card-1".into(),
        ..ListDetailsRequest::default()
    };
    let details = registry
        .client(None)
        .list_details(request)
        .await
        .expect("it lists")
        .into_inner()
        .details;
    assert_eq!(details.len(), 1);
    assert_eq!(details[0].name, "accountingDocuments/card-1/details/iin");
    assert!(details[0].restricted && details[0].unit == "PERSON");
}

#[tokio::test]
async fn only_an_operator_enters_registers_and_a_name_is_set_by_the_service() {
    let registry = Registry::without_calendar(NOW).await;
    for caller in ["approver", "auditor", "edms"] {
        let answer = enter(&mut registry.client(Some(caller)), "forms/1", vec![indicator("a", &[])]).await;
        refused(answer, Code::PermissionDenied, "ROLE_MISSING");
    }
    let named = Indicator {
        name: "forms/1/indicators/a".into(),
        ..indicator("a", &[])
    };
    let found = violations(enter(&mut registry.operator(), "forms/1", vec![named]).await);
    assert_eq!(found, pairs(&[("indicators[0].name", "SET_BY_SERVICE")]));
}
