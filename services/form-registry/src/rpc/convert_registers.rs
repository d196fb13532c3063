//! Code lists, indicators and details as messages.

use legalstat_kit::door::wire;
use legalstat_proto::forms::v1 as proto;

use crate::{
    db::total_rule::TotalRule,
    domain::indicator::{Code, CodeList, Indicator},
};

pub(super) fn to_list(list: CodeList) -> proto::CodeList {
    proto::CodeList {
        name: format!("codeLists/{}", list.id),
        title: Some(list.title.into()),
        legal_basis: Some(list.legal_basis.into()),
    }
}

pub(super) fn to_code(list: &str, (code, version): Code) -> proto::Code {
    proto::Code {
        name: format!("codeLists/{list}/codes/{code}"),
        code,
        title: Some(version.title.into()),
        parent: version.facts.parent.unwrap_or_default(),
        valid_from: Some(wire::to_date(version.validity.from)),
        valid_to: version.validity.to.map(wire::to_date),
        legal_basis: Some(version.legal_basis.into()),
    }
}

pub(super) fn to_indicator(form: i32, (code, version): Indicator) -> proto::Indicator {
    let dimensions = version.facts.dimensions.into_iter().map(|dimension| proto::Dimension {
        id: dimension.id,
        code_list: format!("codeLists/{}", dimension.code_list),
    });
    proto::Indicator {
        name: format!("forms/{form}/indicators/{code}"),
        code,
        title: Some(version.title.into()),
        unit: version.facts.unit,
        measure: version.facts.measure,
        by_territory: version.facts.by_territory,
        dimensions: dimensions.collect(),
        restricted: version.facts.restricted,
        valid_from: Some(wire::to_date(version.validity.from)),
        valid_to: version.validity.to.map(wire::to_date),
        legal_basis: Some(version.legal_basis.into()),
    }
}

pub(super) fn to_detail(document: &str, (code, version): Indicator) -> proto::AccountingDetail {
    proto::AccountingDetail {
        name: format!("accountingDocuments/{document}/details/{code}"),
        code,
        title: Some(version.title.into()),
        unit: version.facts.unit,
        restricted: version.facts.restricted,
        valid_from: Some(wire::to_date(version.validity.from)),
        valid_to: version.validity.to.map(wire::to_date),
        legal_basis: Some(version.legal_basis.into()),
    }
}

pub(super) fn to_rule(rule: TotalRule) -> proto::TotalRule {
    proto::TotalRule {
        dimension: rule.dimension,
        total: rule.total,
        valid_from: Some(wire::to_date(rule.validity.from)),
        valid_to: rule.validity.to.map(wire::to_date),
        legal_basis: Some(rule.legal_basis.into()),
    }
}
