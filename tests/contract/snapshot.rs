//! The contracts as one text: a change of a number, a name or a type shows here before it reaches a caller.

use std::fmt::Write;

use prost_reflect::{Cardinality, FieldDescriptor, Kind};

const SNAPSHOT: &str = include_str!("contracts.txt");

fn kind(field: &FieldDescriptor) -> String {
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    if field.cardinality() == Cardinality::Repeated {
        format!("repeated {kind}")
    } else {
        kind
    }
}

fn contracts() -> String {
    let mut text = String::new();
    let pool = legalstat_proto::descriptors();
    let own = |name: &str| name.starts_with("legalstat.");
    for service in pool.services() {
        for method in service.methods() {
            let stream = |streams| if streams { "stream " } else { "" };
            let (from, to) = (
                stream(method.is_client_streaming()),
                stream(method.is_server_streaming()),
            );
            let (input, output) = (method.input(), method.output());
            writeln!(
                text,
                "rpc {} {from}{} -> {to}{}",
                method.full_name(),
                input.full_name(),
                output.full_name()
            )
            .expect("a string takes everything");
        }
    }
    for message in pool.all_messages().filter(|message| own(message.full_name())) {
        for field in message.fields() {
            let oneof = field
                .containing_oneof()
                .map(|oneof| format!(" oneof {}", oneof.name()))
                .unwrap_or_default();
            writeln!(
                text,
                "field {} = {} {}{oneof}",
                field.full_name(),
                field.number(),
                kind(&field)
            )
            .expect("a string takes everything");
        }
    }
    for values in pool.all_enums().filter(|values| own(values.full_name())) {
        for value in values.values() {
            writeln!(
                text,
                "value {} {} = {}",
                values.full_name(),
                value.name(),
                value.number()
            )
            .expect("a string takes everything");
        }
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

#[test]
fn the_contracts_are_those_of_the_snapshot() {
    let contracts = contracts();
    if std::env::var_os("LEGALSTAT_UPDATE_SNAPSHOT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/contracts.txt");
        std::fs::write(path, &contracts).expect("the snapshot can be written");
        return;
    }
    let changed: Vec<&str> = contracts
        .lines()
        .filter(|line| !SNAPSHOT.lines().any(|known| known == *line))
        .collect();
    let gone: Vec<&str> = SNAPSHOT
        .lines()
        .filter(|line| !contracts.lines().any(|known| known == *line))
        .collect();
    assert!(
        changed.is_empty() && gone.is_empty(),
        "the contracts changed; if that is meant, run this test with LEGALSTAT_UPDATE_SNAPSHOT=1\nnew: {changed:#?}\ngone: {gone:#?}"
    );
}
