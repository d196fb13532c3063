//! Who lives in the system: its services with their schemas, and its officials. Everything else in this crate asks here.

use legalstat_proto::common::v1::Role;

/// The services by name, each with the schema that it owns. `deploy/postgres/roles.sql` makes the roles of the same schemas.
pub const SERVICES: [(&str, &str); 4] = [
    ("calendar", "calendar"),
    ("form-registry", "forms"),
    ("request-intake", "requests"),
    ("collection-distribution", "collections"),
];

/// The officials, each with the role of its certificate.
pub const OFFICIALS: [(&str, Role); 4] = [
    ("operator", Role::Operator),
    ("approver", Role::Approver),
    ("administrator", Role::Administrator),
    ("auditor", Role::Auditor),
];

/// The document systems that bring requests, each with the role of its certificate.
pub const DOCUMENT_SYSTEMS: [(&str, Role); 2] = [("edms", Role::Edms), ("kadagalau", Role::Kadagalau)];

/// Whether a service has this name.
pub fn is_service(name: &str) -> bool {
    SERVICES.iter().any(|(service, _)| *service == name)
}
