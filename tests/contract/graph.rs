//! Who calls whom: the README and the access options say the same.

use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");
/// The services of a system, and the server of a recipient.
const SERVICES: [&str; 5] = [
    "calendar",
    "form-registry",
    "request-intake",
    "collection-distribution",
    "inbox",
];

/// Caller and called, as the README's table of services has them.
fn told() -> BTreeSet<(String, String)> {
    let mut calls = BTreeSet::new();
    for line in README.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, caller, called, ..] = cells[..]
            && SERVICES.contains(&caller)
        {
            let called = called.split(", ").filter(|name| SERVICES.contains(name));
            calls.extend(called.map(|called| (caller.to_owned(), called.to_owned())));
        }
    }
    calls
}

/// Caller and called, as the access options admit them: by name under SERVICE, or by the use of a public method, which
/// only the calendar has for services.
pub(crate) fn admitted() -> BTreeSet<(String, String)> {
    let pool = legalstat_proto::descriptors();
    let extension = pool
        .get_extension_by_name("legalstat.common.v1.access")
        .expect("it is in the contracts");
    let mut calls = BTreeSet::new();
    for service in pool.services() {
        let called = match service.package_name() {
            "legalstat.calendar.v1" => "calendar",
            "legalstat.forms.v1" => "form-registry",
            "legalstat.requests.v1" => "request-intake",
            "legalstat.collections.v1" if service.name() == "CopyInboxService" => "inbox",
            "legalstat.collections.v1" => "collection-distribution",
            _ => continue,
        };
        for method in service.methods() {
            let access = method.options().get_extension(&extension).into_owned();
            let access = access.as_message().expect("access is a message").clone();
            let services = access
                .get_field_by_name("services")
                .expect("the field exists")
                .into_owned();
            let callers = services
                .as_list()
                .expect("a list")
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned));
            calls.extend(callers.map(|caller| (caller, called.to_owned())));
        }
    }
    calls
}

#[test]
fn the_readme_and_the_access_options_tell_the_same_call_graph() {
    assert_eq!(told(), admitted());
    assert_eq!(told().len(), 5);
}
