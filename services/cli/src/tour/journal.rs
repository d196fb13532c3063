use serde_json::json;

use super::{Tour, ensure};
use crate::{failure::Failure, place::ServiceName};

const LIST_ENTRIES: &str = "legalstat.journal.v1.JournalService/ListEntries";

impl Tour {
    pub(super) async fn journal(&mut self) -> Result<(), Failure> {
        self.chapter("The journal (para 2(1))")?;
        for (service, method, resource) in std::mem::take(&mut self.mutations) {
            self.steps += 1;
            let connection = self.connection(service, Some("administrator"))?;
            let request = json!({ "resource": resource, "method": method, "outcome": "OUTCOME_DONE" });
            let response = connection.list(LIST_ENTRIES, &request).await?;
            let entries = response["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
            ensure(entries.len() == 1, &format!("{method} on {resource} left one entry"))?;
            let entry = &entries[0];
            let name = method.rsplit('/').next().unwrap_or_default();
            let line = format!(
                "{} {} {name} {resource}",
                super::text(&entry["recordedAt"]),
                super::text(&entry["caller"])
            );
            self.came_back(&line)?;
        }
        self.steps += 1;
        let connection = self.connection(ServiceName::RequestIntake, Some("operator"))?;
        let refused = connection
            .call(LIST_ENTRIES, &json!({}))
            .await
            .err()
            .and_then(|failure| failure.reason());
        ensure(
            refused.as_deref() == Some("ROLE_MISSING"),
            "only administrators and auditors read the journal",
        )?;
        self.came_back("an operator may not read it: ROLE_MISSING")
    }
}
