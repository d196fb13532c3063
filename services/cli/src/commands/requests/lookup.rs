//! `legalstat requests get`: by the name of a request, or by any of its numbers.

use serde_json::{Value, json};

use super::SERVICE;
use crate::{
    call::Connection,
    commands::name,
    failure::Failure,
    options::Options,
    output::{self, View},
};

/// What is asked for.
pub(crate) struct Lookup(pub(super) String);

impl Lookup {
    /// Shows the request of a name, or every request with a number.
    pub(crate) async fn run(self, connection: &Connection, options: &Options) -> Result<(), Failure> {
        let id = self.0.strip_prefix("requests/");
        if id.is_some() || uuid::Uuid::try_parse(&self.0).is_ok() {
            let request = json!({ "name": name("requests/", &self.0) });
            let found = connection.call(&format!("{SERVICE}/GetRequest"), &request).await?;
            return Ok(output::print(&found, options.output, View::Record)?);
        }
        let request = json!({ "number": self.0, "view": "REQUEST_VIEW_FULL" });
        let mut found = connection.list(&format!("{SERVICE}/LookupRequest"), &request).await?;
        let requests = found["requests"].as_array_mut().map(std::mem::take).unwrap_or_default();
        match &requests[..] {
            [] => Err(anyhow::anyhow!(
                "no request that you see has the number {}: neither its own, nor its coupon, nor its sender's",
                output::escaped(&self.0)
            )
            .into()),
            [one] => Ok(output::print(one, options.output, View::Record)?),
            several => Ok(output::show(
                &json!({ "requests": several }),
                options.output,
                &records(several),
            )?),
        }
    }
}

/// One record after the other.
fn records(requests: &[Value]) -> String {
    let records: Vec<String> = requests.iter().map(output::record).collect();
    format!(
        "{}\n\n{} requests have this number",
        records.join("\n\n"),
        requests.len()
    )
}
