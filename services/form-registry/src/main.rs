//! The form registry as a process of its own.

fn main() -> std::process::ExitCode {
    legalstat_kit::run::run(&legalstat_form_registry::SERVICE)
}
