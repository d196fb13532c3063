//! What falls due within some days, from the two registers that have schedules.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::civil;
use crate::{commands::connect, failure::Failure, options::Options, place::ServiceName};

/// A register whose editions have due dates.
#[derive(Clone, Copy)]
pub(super) struct Register {
    /// The service that keeps it.
    pub(super) service: ServiceName,
    grpc_service: &'static str,
    /// The List method of what has editions, and the field with its answer.
    list: (&'static str, &'static str),
    /// The field of a schedule's line that names what has editions.
    pub(super) owner: &'static str,
}

/// The report forms.
pub(super) const FORMS: Register = Register {
    service: ServiceName::FormRegistry,
    grpc_service: "legalstat.forms.v1.FormRegistryService",
    list: ("ListForms", "forms"),
    owner: "form",
};

/// The collections.
pub(super) const COLLECTIONS: Register = Register {
    service: ServiceName::CollectionDistribution,
    grpc_service: "legalstat.collections.v1.CollectionDistributionService",
    list: ("ListCollections", "collections"),
    owner: "collection",
};

/// The years whose periods are scheduled.
const YEARS: std::ops::RangeInclusive<i16> = 2019..=2035;

impl Register {
    /// The lines of the schedules whose due date is from `first` to `last`, by due date.
    pub(super) async fn due(&self, first: Date, last: Date, options: &Options) -> Result<Vec<Value>, Failure> {
        let connection = connect(options, self.service)?;
        let method = format!("{}/ListSchedule", self.grpc_service);
        let mut due = Vec::new();
        // A period falls due in its own year or at the beginning of the next.
        for year in (first.year() - 1..=last.year()).filter(|year| YEARS.contains(year)) {
            let mut schedule = connection.list(&method, &json!({ "year": year })).await?;
            if let Value::Array(items) = schedule["items"].take() {
                due.extend(items);
            }
        }
        due.retain(|item| due_date(item).is_some_and(|date| (first..=last).contains(&date)));
        due.sort_by_key(due_date);
        Ok(due)
    }

    /// What has editions: the forms, or the collections.
    pub(super) async fn owners(&self, options: &Options) -> Result<Vec<Value>, Failure> {
        let connection = connect(options, self.service)?;
        let method = format!("{}/{}", self.grpc_service, self.list.0);
        let mut response = connection.list(&method, &json!({})).await?;
        match response[self.list.1].take() {
            Value::Array(owners) => Ok(owners),
            _ => Ok(Vec::new()),
        }
    }
}

/// The due date of a line of a schedule.
pub(super) fn due_date(item: &Value) -> Option<Date> {
    civil::from_json(&item["dueDate"])
}
