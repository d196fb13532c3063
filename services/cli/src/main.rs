//! The legalstat command line: `up` runs the whole system, `tour` shows it at work, and a group per service calls it.

#![expect(
    clippy::disallowed_methods,
    reason = "a command is where the time is read and ids are chosen"
)]

mod call;
mod certificates;
mod commands;
mod contract;
mod doctor;
mod failure;
mod invocation;
mod json;
mod message;
mod options;
mod output;
mod place;
mod ports;
mod sandbox;
mod service;
mod signing_keys;
mod table;
mod tls;
mod tour;
mod up;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use legalstat_kit::call::telemetry::{self, LogFormat, Telemetry};
use tracing::Instrument as _;

use crate::{failure::Failure, options::Options};

/// Where traces go over OTLP.
const OTLP_ENDPOINT: &str = "LEGALSTAT_OTLP_ENDPOINT";

/// Provides legal statistical information the way the Instruction orders it.
///
/// Exit status: 0 done; 1 refused, so that the same call is refused again, or failed on this machine; 2 wrong usage or
/// settings; 3 away for the moment, so that the same call can succeed later.
#[derive(Parser, Debug)]
#[command(name = "legalstat", version = telemetry::RELEASE.as_str(), max_term_width = 120)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    group: Group,
}

#[derive(Subcommand, Debug)]
enum Group {
    /// Run the whole system on this machine until Ctrl-C
    Up(up::Up),
    Tour(tour::Arguments),
    Certificates(certificates::Certificates),
    SigningKeys(signing_keys::SigningKeys),
    #[command(subcommand)]
    Contract(contract::Contract),
    #[command(subcommand)]
    Calendar(commands::calendar::Calendar),
    #[command(subcommand)]
    Forms(commands::forms::Forms),
    #[command(subcommand)]
    Requests(commands::requests::Requests),
    #[command(subcommand)]
    Bodies(commands::bodies::Bodies),
    #[command(subcommand)]
    Collections(commands::collections::Collections),
    #[command(subcommand)]
    Inbox(commands::inbox::Inbox),
    #[command(subcommand)]
    Journal(commands::journal::Journal),
    Doctor(doctor::Doctor),
}

fn main() -> ExitCode {
    if let Some(exit) = service::run_by_name() {
        return exit;
    }
    let CommandLine { options, group } = CommandLine::parse();
    let folder = options.folder.clone();
    let target = match &group {
        Group::Tour(arguments) => arguments.target.clone(),
        _ => None,
    };
    invocation::remember(&options);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime
        .map_err(|error| Failure::Other(error.into()))
        .and_then(|runtime| {
            let result = runtime.block_on(run(options, group));
            runtime.shutdown_timeout(Duration::from_secs(1));
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(&failure.to_string());
            if matches!(failure, Failure::Unreachable(_)) {
                output::tell(&format!("  {}", place::whom_to_start(&folder, target.as_deref())));
            }
            failure.exit_code()
        }
    }
}

async fn run(options: Options, group: Group) -> Result<(), Failure> {
    // What serves starts its own.
    let _telemetry = match group {
        Group::Up(_) | Group::Tour { .. } | Group::Inbox(_) => None,
        _ => exporting()?,
    };
    let command = tracing::info_span!("command", otel.kind = "client");
    carry_out(options, group).instrument(command).await
}

/// Exports the trace that a command begins, where the environment says whither.
fn exporting() -> anyhow::Result<Option<Telemetry>> {
    let endpoint = std::env::var(OTLP_ENDPOINT)
        .ok()
        .filter(|endpoint| !endpoint.is_empty());
    let start = |endpoint: String| telemetry::start("legalstat-cli", "off", LogFormat::Text, Some(&endpoint));
    endpoint.map(start).transpose()
}

async fn carry_out(options: Options, group: Group) -> Result<(), Failure> {
    let command = match group {
        Group::Up(up) => return up.run(&options.folder).await,
        Group::Certificates(certificates) => return certificates.run(&options),
        Group::Tour(arguments) => return arguments.run(&options).await,
        Group::Calendar(command) => return command.run(&options).await,
        Group::Requests(command) => return command.run(&options).await,
        Group::Inbox(inbox) => return inbox.run(&options).await,
        Group::SigningKeys(keys) => return keys.run(&options.folder),
        Group::Contract(contract) => return contract.run(),
        Group::Forms(command) => command.command()?,
        Group::Bodies(command) => command.command()?,
        Group::Collections(command) => return command.run(&options).await,
        Group::Journal(command) => command.command()?,
        Group::Doctor(doctor) => return doctor.run(&options).await,
    };
    command.run(&options).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }
}
