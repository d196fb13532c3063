//! `proto/ERRORS.md`, the published catalogue: every reason of a refusal and of a violation with its code and its texts, written from
//! what the services send.

use std::fmt::Write;

use legalstat_kit::told::{self, Text};
use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use tonic::Code;

use crate::{
    reasons::{self, ERRORS, FIELDS},
    sources,
};

pub(crate) const CATALOGUE: &str = include_str!("../../proto/ERRORS.md");
const HEAD: &str = "\
# Reasons of refusals

A test writes this page from the code (`LEGALSTAT_UPDATE_SNAPSHOT=1 cargo test -p legalstat --test contract`). What each reason means, and
which metadata it has, stands beside it in [error_reason.proto](legalstat/common/v1/error_reason.proto) and
[field_reason.proto](legalstat/common/v1/field_reason.proto). The texts are those of `google.rpc.LocalizedMessage`, which a call that has
the header `accept-language` gets beside the English message. Decide by reasons, not by texts: texts may change.
";

/// The name of a code with which refusals are sent.
pub(crate) fn name(code: Code) -> &'static str {
    let is_sent = !matches!(code, Code::Ok | Code::Cancelled | Code::Unknown);
    assert!(is_sent, "no refusal is sent with {code:?}");
    told::code(code)
}

fn codes(reason: ErrorReason) -> Vec<&'static str> {
    told::codes(reason).iter().map(|code| name(*code)).collect()
}

pub(crate) fn short(reason: FieldReason) -> &'static str {
    reason.as_str_name().trim_start_matches("FIELD_REASON_")
}

fn catalogue() -> String {
    let mut page = HEAD.to_owned();
    let line = |page: &mut String, reason: &str, code: &str, Text { kk, ru, en }: Text| {
        writeln!(page, "| `{reason}` |{code} {kk} | {ru} | {en} |").expect("a string takes everything");
    };
    page += "\n## ErrorInfo.reason\n\n| Reason | Code | Қазақша | По-русски | English |\n|---|---|---|---|---|\n";
    for reason in reasons::values::<ErrorReason>(ERRORS) {
        let code = format!(" {} |", codes(reason).join(", "));
        line(&mut page, reason.as_str_name(), &code, told::error(reason));
    }
    page += "\n## BadRequest.field_violations[].reason\n\nAll of them come with `INVALID_FIELDS` or `ACT_CONTRADICTS`, and some beside other reasons.\n\n";
    page += "| Reason | Қазақша | По-русски | English |\n|---|---|---|---|\n";
    for reason in reasons::values::<FieldReason>(FIELDS) {
        line(&mut page, short(reason), "", told::field(reason));
    }
    page
}

#[test]
fn the_published_catalogue_is_what_the_services_send() {
    let catalogue = catalogue();
    if std::env::var_os("LEGALSTAT_UPDATE_SNAPSHOT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/ERRORS.md");
        std::fs::write(path, &catalogue).expect("the catalogue can be written");
        return;
    }
    assert!(
        catalogue == CATALOGUE,
        "the reasons changed; write proto/ERRORS.md anew with LEGALSTAT_UPDATE_SNAPSHOT=1"
    );
}

#[test]
fn the_comment_of_each_reason_begins_with_the_code_with_which_it_is_sent_and_names_the_others() {
    let listed = legalstat_proto::descriptors().get_enum_by_name(ERRORS);
    let listed = listed.expect("it is in the contracts");
    let file = listed.parent_file().file_descriptor_proto().clone();
    let locations = file.source_code_info.expect("the set carries comments").location;
    let values = &file.enum_type.first().expect("the file has the enumeration").value;
    for (place, value) in (0..).zip(values).filter(|(_, value)| value.number() != 0) {
        let comment = locations.iter().find(|location| location.path == [5, 0, 2, place]);
        let comment = comment.map(|found| found.leading_comments().trim()).unwrap_or_default();
        let codes = codes(ErrorReason::try_from(value.number()).expect("the code knows it"));
        assert!(
            comment.starts_with(&format!("{}: ", codes[0])),
            "{}: {comment}",
            value.name()
        );
        for code in codes {
            assert!(comment.contains(code), "{} comes with {code} too", value.name());
        }
    }
}

/// The kit refuses what carries another code than the catalogue's ([`legalstat_kit::Refusal::new`]), so a reason that a test expects by
/// its name comes as it stands there.
#[test]
fn every_reason_is_expected_by_name_in_some_test() {
    let tests: Vec<String> = sources::tests();
    let expected = |names: [&str; 2]| {
        let quoted = names.map(|name| format!("\"{name}\""));
        let found = |text: &String| quoted.iter().any(|name| text.contains(name));
        tests.iter().any(found)
    };
    let errors = reasons::values::<ErrorReason>(ERRORS).into_iter().map(|reason| {
        let name = reason.as_str_name();
        [name, name.trim_start_matches("ERROR_REASON_")]
    });
    let fields = reasons::values::<FieldReason>(FIELDS)
        .into_iter()
        .map(|reason| [reason.as_str_name(), short(reason)]);
    let never: Vec<_> = errors.chain(fields).filter(|names| !expected(*names)).collect();
    assert!(never.is_empty(), "no test expects them: {never:?}");
}
