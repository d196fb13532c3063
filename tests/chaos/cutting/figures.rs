//! Calls about figures and what they are of, for the form registry.

use legalstat_proto::{
    common::v1::{Date, LegalBasis, LocalizedText},
    forms::v1::{
        AccountingDetail, BatchCreateCodesRequest, BatchCreateDetailsRequest, BatchCreateIndicatorsRequest, Code,
        CodeList, CreateCodeListRequest, CreateTotalRuleRequest, Dimension, ImportObservationsHeader,
        ImportObservationsRequest, Indicator, ListCodeListsRequest, ListCodesRequest, ListDetailsRequest,
        ListIndicatorsRequest, ListTotalRulesRequest, ObservationRow, ObservationRows, QueryObservationsRequest,
        RetireCodesRequest, RetireDetailsRequest, RetireIndicatorsRequest, TotalRule,
        import_observations_request::Part,
    },
};
use prost::Message;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.forms.v1.FormRegistryService/", $method)
    };
}

const LIST: &str = "codeLists/SEX";
const DOCUMENT: &str = "accountingDocuments/card-1";

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn day() -> Option<Date> {
    Some(Date {
        year: 2019,
        month: 4,
        day: 15,
    })
}

fn basis() -> Option<LegalBasis> {
    Some(LegalBasis {
        act: "Order No. 7".into(),
        ..LegalBasis::default()
    })
}

fn title() -> Option<LocalizedText> {
    Some(LocalizedText {
        en: "a title".into(),
        ..LocalizedText::default()
    })
}

fn list(channel: &Channel, name: &str) -> Call {
    let list = CodeList {
        name: name.into(),
        title: title(),
        legal_basis: basis(),
    };
    let message = CreateCodeListRequest {
        code_list: Some(list),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("CreateCodeList"), &message)
}

fn codes(channel: &Channel, parent: &str, codes: &[(&str, &str)]) -> Call {
    let codes = codes.iter().map(|(code, whole)| Code {
        code: (*code).into(),
        parent: (*whole).into(),
        title: title(),
        valid_from: day(),
        legal_basis: basis(),
        ..Code::default()
    });
    let message = BatchCreateCodesRequest {
        parent: parent.into(),
        codes: codes.collect(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("BatchCreateCodes"), &message)
}

fn indicator(channel: &Channel, form: i32, code: &str) -> Call {
    let dimension = Dimension {
        id: "SEX".into(),
        code_list: LIST.into(),
    };
    let indicator = Indicator {
        code: code.into(),
        title: title(),
        unit: "CRIME".into(),
        measure: "number".into(),
        dimensions: vec![dimension],
        valid_from: day(),
        legal_basis: basis(),
        ..Indicator::default()
    };
    let message = BatchCreateIndicatorsRequest {
        parent: format!("forms/{form}"),
        indicators: vec![indicator],
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("BatchCreateIndicators"), &message)
}

fn detail(channel: &Channel, code: &str) -> Call {
    let detail = AccountingDetail {
        code: code.into(),
        title: title(),
        unit: "PERSON".into(),
        valid_from: day(),
        legal_basis: basis(),
        ..AccountingDetail::default()
    };
    let message = BatchCreateDetailsRequest {
        parent: DOCUMENT.into(),
        details: vec![detail],
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("BatchCreateDetails"), &message)
}

fn total_rule(channel: &Channel) -> Call {
    let rule = TotalRule {
        dimension: "SEX".into(),
        total: "T".into(),
        valid_from: day(),
        valid_to: None,
        legal_basis: basis(),
    };
    let message = CreateTotalRuleRequest {
        parent: "forms/1".into(),
        total_rule: Some(rule),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("CreateTotalRule"), &message)
}

/// What is entered from the beginning: a list with a total, an accounting document, and an indicator of each of these forms.
pub fn registers(operator: &Channel, forms: &[i32]) -> Vec<Call> {
    let lists = [
        list(operator, LIST),
        codes(operator, LIST, &[("T", ""), ("F", "T"), ("M", "T")]),
        codes(operator, "codeLists/ACCOUNTING_DOCUMENT", &[("card-1", "")]),
    ];
    let indicators = forms.iter().map(|form| indicator(operator, *form, "cut"));
    lists.into_iter().chain(indicators).collect()
}

/// A call that reads figures or a register.
pub fn reading(anyone: &Channel, method: &str) -> Option<Call> {
    let (form, parent) = (|| "forms/1".to_owned(), |name: &str| name.to_owned());
    Some(match method {
        "ListCodeLists" => Call::new(anyone, path!("ListCodeLists"), &ListCodeListsRequest::default()),
        "ListCodes" => {
            let message = ListCodesRequest {
                parent: parent(LIST),
                page_size: 5,
                ..ListCodesRequest::default()
            };
            Call::new(anyone, path!("ListCodes"), &message)
        }
        "ListIndicators" => {
            let message = ListIndicatorsRequest {
                parent: form(),
                page_size: 5,
                ..ListIndicatorsRequest::default()
            };
            Call::new(anyone, path!("ListIndicators"), &message)
        }
        "ListDetails" => {
            let message = ListDetailsRequest {
                parent: parent(DOCUMENT),
                page_size: 5,
                ..ListDetailsRequest::default()
            };
            Call::new(anyone, path!("ListDetails"), &message)
        }
        "ListTotalRules" => {
            let message = ListTotalRulesRequest {
                parent: form(),
                ..ListTotalRulesRequest::default()
            };
            Call::new(anyone, path!("ListTotalRules"), &message)
        }
        "QueryObservations" => {
            let message = QueryObservationsRequest {
                parent: form(),
                growth: true,
                ..QueryObservationsRequest::default()
            };
            Call::new(anyone, path!("QueryObservations"), &message)
        }
        _ => return None,
    })
}

/// A call that changes a register, with the one that must have been made before it.
pub fn registering(operator: &Channel, method: &str) -> Option<(Option<Call>, Call)> {
    let code = new_id();
    Some(match method {
        "CreateCodeList" => {
            let id = format!("codeLists/L{}", Uuid::new_v4().simple()).to_uppercase();
            (None, list(operator, &id.replace("CODELISTS", "codeLists")))
        }
        "BatchCreateCodes" => (None, codes(operator, LIST, &[(&code, "")])),
        "BatchCreateIndicators" => (None, indicator(operator, 1, &code)),
        "BatchCreateDetails" => (None, detail(operator, &code)),
        "CreateTotalRule" => (None, total_rule(operator)),
        "RetireCodes" => {
            let call = {
                let message = RetireCodesRequest {
                    parent: LIST.into(),
                    codes: vec![code.clone()],
                    last_day: day(),
                    legal_basis: basis(),
                    request_id: new_id(),
                    validate_only: false,
                };
                Call::new(operator, path!("RetireCodes"), &message)
            };
            (Some(codes(operator, LIST, &[(&code, "")])), call)
        }
        "RetireIndicators" => {
            let call = {
                let message = RetireIndicatorsRequest {
                    parent: "forms/1".into(),
                    codes: vec![code.clone()],
                    last_day: day(),
                    legal_basis: basis(),
                    request_id: new_id(),
                    validate_only: false,
                };
                Call::new(operator, path!("RetireIndicators"), &message)
            };
            (Some(indicator(operator, 1, &code)), call)
        }
        "RetireDetails" => {
            let call = {
                let message = RetireDetailsRequest {
                    parent: DOCUMENT.into(),
                    codes: vec![code.clone()],
                    last_day: day(),
                    legal_basis: basis(),
                    request_id: new_id(),
                    validate_only: false,
                };
                Call::new(operator, path!("RetireDetails"), &message)
            };
            (Some(detail(operator, &code)), call)
        }
        _ => return None,
    })
}

/// A call that imports figures into an edition.
pub fn import(operator: &Channel, name: &str) -> Call {
    let header = Part::Header(ImportObservationsHeader {
        name: name.into(),
        dimensions: vec!["SEX".into()],
        request_id: new_id(),
        validate_only: false,
    });
    let row = |sex: &str| ObservationRow {
        indicator: "cut".into(),
        dimensions: vec![sex.into()],
        value: "1.5".into(),
        ..ObservationRow::default()
    };
    let rows = Part::Rows(ObservationRows {
        rows: vec![row("F"), row("M")],
    });
    let messages = [header, rows].map(|part| ImportObservationsRequest { part: Some(part) }.encode_to_vec());
    Call::streamed(operator, path!("ImportObservations"), messages.to_vec())
}
