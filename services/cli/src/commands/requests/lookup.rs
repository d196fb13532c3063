//! Requests by whatever number is at hand: `legalstat requests get`, and what every other command is about.

use serde_json::{Value, json};

use super::SERVICE;
use crate::{
    call::Connection,
    commands::{self, name},
    failure::Failure,
    options::Options,
    output::{self, View, text},
    place::ServiceName,
};

/// What is asked for.
pub(crate) struct Lookup(pub(super) String);

impl Lookup {
    /// Shows the request of a name, or every request with a number.
    pub(crate) async fn run(self, connection: &Connection, options: &Options) -> Result<(), Failure> {
        if is_name(&self.0) {
            let request = json!({ "name": name("requests/", &self.0) });
            let found = connection.call(&format!("{SERVICE}/GetRequest"), &request).await?;
            return Ok(output::print(&found, options.output, View::Record)?);
        }
        let request = json!({ "number": self.0, "view": "REQUEST_VIEW_FULL" });
        let mut found = connection.list(&format!("{SERVICE}/LookupRequest"), &request).await?;
        let requests = found["requests"].as_array_mut().map(std::mem::take).unwrap_or_default();
        match &requests[..] {
            [] => Err(none(&self.0)),
            [one] => Ok(output::print(one, options.output, View::Record)?),
            several => Ok(output::show(
                &json!({ "requests": several }),
                options.output,
                &records(several),
            )?),
        }
    }
}

/// Whether a request is named as the contracts name it, and not by a number.
fn is_name(text: &str) -> bool {
    text.starts_with("requests/") || uuid::Uuid::try_parse(text).is_ok()
}

/// Makes the name of a request of what names it on the command line: its name, or a number that only it has.
pub(super) async fn resolve(asked: &mut String, options: &Options) -> Result<(), Failure> {
    if is_name(asked) {
        return Ok(());
    }
    let connection = commands::connect(options, ServiceName::RequestIntake)?;
    let found = connection
        .list(&format!("{SERVICE}/LookupRequest"), &json!({ "number": asked }))
        .await?;
    *asked = only(
        asked,
        found["requests"].as_array().map(Vec::as_slice).unwrap_or_default(),
    )?;
    Ok(())
}

/// The name of the one request that has a number.
fn only(number: &str, found: &[Value]) -> Result<String, Failure> {
    match found {
        [] => Err(none(number)),
        [one] => Ok(text(&one["name"])),
        several => {
            let several: Vec<String> = several.iter().map(told).collect();
            Err(Failure::usage(format!(
                "{} requests have the number {}; give the registration number, the coupon's or the name of one:{}",
                several.len(),
                output::escaped(number),
                several.concat()
            )))
        }
    }
}

/// One of several, in a line.
fn told(request: &Value) -> String {
    format!(
        "\n  {}  coupon {}  {}  {}",
        text(&request["registrationNumber"]),
        text(&request["coupon"]["number"]),
        text(&request["name"]),
        text(&request["requester"]["fullName"])
    )
}

fn none(number: &str) -> Failure {
    let told = format!(
        "no request that you see has the number {}: neither its own, nor its coupon, nor its sender's",
        output::escaped(number)
    );
    anyhow::anyhow!(told).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_the_one_request_that_has_it() {
        for (text, name) in [
            ("requests/0198c0de-0000-7000-8000-000000000000", true),
            ("0198c0de-0000-7000-8000-000000000000", true),
            ("2026-000042", false),
            ("20260302-7K3M9QZ0", false),
            ("12-3/45", false),
        ] {
            assert_eq!(is_name(text), name, "{text}");
        }
        let found =
            |name: &str| json!({ "name": name, "coupon": { "number": "20260302-7K3M9QZ0" }, "registrationNumber": "" });
        assert_eq!(only("1", &[found("requests/a")]).ok().as_deref(), Some("requests/a"));
        let several = only("12-3/45", &[found("requests/a"), found("requests/b")]);
        let told = several.expect_err("there are two").to_string();
        assert!(
            told.contains("requests/a") && told.contains("20260302-7K3M9QZ0"),
            "{told}"
        );
        assert!(
            only("1\u{1b}", &[])
                .expect_err("there is none")
                .to_string()
                .contains("\\u{1b}")
        );
    }
}
