//! Collection distribution as a process of its own.

fn main() -> std::process::ExitCode {
    legalstat_kit::run::run(&legalstat_collection_distribution::SERVICE)
}
