//! What stands where: the rooms of a service keep to what they are for, and the kit imports in one direction.

use crate::sources::{Source, all, imports};

const SERVICES: [&str; 4] = [
    "calendar/",
    "form-registry/",
    "request-intake/",
    "collection-distribution/",
];

/// The sources below a room of the four services, such as `src/domain/`.
fn in_room(source: &Source, room: &str) -> bool {
    SERVICES
        .iter()
        .any(|service| source.path.starts_with(&format!("{service}src/{room}/")))
}

/// Whether the code names an identifier, in a path or an import.
fn names(source: &Source, identifier: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = source.code().split(|c: char| !is_part(c));
    words.any(|word| word == identifier)
}

#[test]
fn a_domain_knows_no_database_no_network_and_no_message_and_no_other_room() {
    for source in all().iter().filter(|source| in_room(source, "domain")) {
        for room in source.code().split("crate::").skip(1) {
            assert!(room.starts_with("domain::"), "{} knows another room", source.path);
        }
        for foreign in ["sqlx", "tonic", "tokio", "legalstat_proto", "prost"] {
            assert!(!names(source, foreign), "{} knows {foreign}", source.path);
        }
    }
}

#[test]
fn a_database_room_knows_no_message() {
    for source in all().iter().filter(|source| in_room(source, "db")) {
        assert!(!names(source, "legalstat_proto"), "{} knows a message", source.path);
    }
}

/// Beside `db/` the kit has SQL, for what every schema has, and `local/`, which makes the databases and roles.
#[test]
fn sql_stands_in_the_database_rooms_only() {
    let elsewhere = |source: &&Source| !(in_room(source, "db") || source.is_test() || source.path.starts_with("kit/"));
    for source in all()
        .iter()
        .filter(elsewhere)
        .filter(|source| !source.path.starts_with("local/"))
    {
        for query in [
            "query!",
            "query_as!",
            "query_scalar!",
            "sqlx::query",
            "sqlx::raw_sql",
            "QueryBuilder",
        ] {
            assert!(!source.code().contains(query), "{} has SQL: {query}", source.path);
        }
    }
}

#[test]
fn a_file_has_at_most_500_lines() {
    for source in all() {
        let lines = source.text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", source.path);
    }
}

/// Files of one room may be one algorithm in several files; between rooms a circle means that something stands in the wrong
/// one.
#[test]
fn no_file_of_the_kit_imports_itself_by_a_detour_through_another_room() {
    let imports = imports("kit");
    let room = |file: &str| file.split("::").next().unwrap_or_default().to_owned();
    for (file, imported) in &imports {
        for other in imported.iter().filter(|other| room(other) != room(file)) {
            let (mut reached, mut ahead) = (vec![other.clone()], vec![other.clone()]);
            while let Some(next) = ahead.pop() {
                let new = imports[&next].iter().filter(|new| !reached.contains(*new));
                let new: Vec<String> = new.cloned().collect();
                ahead.extend(new.iter().cloned());
                reached.extend(new);
            }
            assert!(
                !reached.contains(file),
                "{file} imports {other}, from where the way leads back"
            );
        }
    }
}
