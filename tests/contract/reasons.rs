//! The reasons of violations: the type system lets none be sent that the contract does not list, and this test lets none be
//! listed that is never sent.

use legalstat_proto::common::v1::FieldReason;

use crate::sources;

#[test]
fn every_reason_of_a_violation_is_sent_somewhere() {
    let sources = sources::all();
    let sent = |reason: &FieldReason| {
        let name = format!("FieldReason::{reason:?}");
        sources
            .iter()
            .any(|source| !source.is_test() && source.text.contains(&name))
    };
    let listed = (1..).map_while(|number| FieldReason::try_from(number).ok());
    let never: Vec<FieldReason> = listed.filter(|reason| !sent(reason)).collect();
    assert!(never.is_empty(), "listed, but never sent: {never:?}");
}
