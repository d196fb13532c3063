//! Stories of those who use the system, through the command line and gRPC only.

mod answers;
mod attachments;
mod availability;
mod bad_input;
mod calendar_command;
mod calendar_export;
mod certificates;
mod command_line;
mod coupons;
mod decisions;
mod distribution_lists;
mod editions;
mod examination;
mod feeds;
mod figures;
mod files;
mod forms_command;
mod held_answers;
mod life;
mod new_request;
mod official_day;
mod openssl;
mod requests_command;
mod retention;
mod signer;
