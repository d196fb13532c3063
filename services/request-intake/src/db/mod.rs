//! All SQL of the service, over its own schema `requests`; one file per noun.

pub mod acceptance;
pub mod due_date;
pub mod examination;
pub mod explanation;
pub mod finding;
pub mod registration;
pub mod request;
pub mod rule;
mod rule_load;

pub use rule_load::load as load_rules;

/// One column of the rows to insert.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
