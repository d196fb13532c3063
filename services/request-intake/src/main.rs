//! Request intake as a process of its own.

fn main() -> std::process::ExitCode {
    legalstat_kit::run::run(&legalstat_request_intake::SERVICE)
}
