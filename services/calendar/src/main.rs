//! The calendar's own process.

fn main() -> std::process::ExitCode {
    legalstat_kit::run::run(&legalstat_calendar::SERVICE)
}
