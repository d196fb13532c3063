//! Stories of those who use the system, through the command line and gRPC only.

mod bad_input;
mod calendar_command;
mod calendar_export;
mod certificates;
mod command_line;
mod feeds;
mod editions;
mod figures;
mod files;
mod life;
