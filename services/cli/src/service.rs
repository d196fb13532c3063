//! The program of a service, under which name this program runs as that service.

use std::{env, path::Path, process::ExitCode};

use legalstat_kit::run;

/// Runs a service where this program was called by the name of the service's own, such as `legalstat-calendar`; `None` under any other name.
pub fn run_by_name() -> Option<ExitCode> {
    let called = env::args_os().next()?;
    let name = Path::new(&called).file_name()?.to_str()?;
    match name.strip_prefix("legalstat-")? {
        "calendar" => Some(run::run(&legalstat_calendar::SERVICE)),
        "form-registry" => Some(run::run(&legalstat_form_registry::SERVICE)),
        "request-intake" => Some(run::run(&legalstat_request_intake::SERVICE)),
        "collection-distribution" => Some(run::run(&legalstat_collection_distribution::SERVICE)),
        _ => None,
    }
}
