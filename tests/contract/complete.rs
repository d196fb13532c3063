//! What every method has that others call: who may call it, a time, a comment, how it is refused, and an example. A method beside the
//! contracts that has nothing shows that each lack is found.

use prost_reflect::{DescriptorPool, MethodDescriptor};
use prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

use crate::{
    lint::{is_commented, own_methods},
    methods::{access, table},
    service_config::has_time,
    shown::Shown,
};

const ALL: [&str; 5] = ["access", "deadline", "comment", "errors", "example"];

fn lacks(method: &MethodDescriptor, shown: &Shown) -> Vec<&'static str> {
    let (roles, _) = access(method);
    // Services of the system call with settings of their own, and need no example.
    let is_inner = roles.starts_with("SERVICE(") && roles.ends_with(')');
    let name = method.full_name().trim_start_matches("legalstat.");
    let row = name
        .rsplit_once('.')
        .map(|(service, method)| format!("{service}/{method}"));
    let has = [
        !roles.is_empty(),
        is_inner || has_time(method),
        is_commented(method),
        row.is_some_and(|row| table().contains_key(&row)),
        is_inner || shown.shows(method.name()),
    ];
    ALL.into_iter()
        .zip(has)
        .filter(|(_, has)| !has)
        .map(|(what, _)| what)
        .collect()
}

#[test]
fn no_method_lacks_access_deadline_comment_errors_or_example() {
    let shown = Shown::read();
    for method in own_methods() {
        let lacking = lacks(&method, &shown);
        assert!(lacking.is_empty(), "{} has no {lacking:?}", method.full_name());
    }
}

/// The contracts with a feed more, of which nothing is said.
fn with_a_bare_method() -> DescriptorPool {
    let mut contracts = legalstat_proto::descriptors().clone();
    let feed = MethodDescriptorProto {
        name: Some("WatchNights".into()),
        input_type: Some(".legalstat.calendar.v1.WatchCalendarRequest".into()),
        output_type: Some(".legalstat.calendar.v1.CalendarChange".into()),
        server_streaming: Some(true),
        ..Default::default()
    };
    let file = FileDescriptorProto {
        name: Some("legalstat/calendar/v1/night_service.proto".into()),
        package: Some("legalstat.calendar.v1".into()),
        dependency: ["calendar_act", "calendar_service"]
            .map(|file| format!("legalstat/calendar/v1/{file}.proto"))
            .into(),
        service: vec![ServiceDescriptorProto {
            name: Some("NightService".into()),
            method: vec![feed],
            ..Default::default()
        }],
        syntax: Some("proto3".into()),
        ..Default::default()
    };
    contracts.add_file_descriptor_proto(file).expect("it is sound");
    contracts
}

#[test]
fn a_method_of_which_nothing_is_said_is_found_to_lack_everything() {
    let contracts = with_a_bare_method();
    let service = contracts.get_service_by_name("legalstat.calendar.v1.NightService");
    let bare = service
        .and_then(|service| service.methods().next())
        .expect("it was added");
    assert_eq!(lacks(&bare, &Shown::read()), ALL);
}
