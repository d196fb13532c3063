//! The service as its callers see it: one file per method.

use std::sync::Arc;

use legalstat_kit::{
    Caller, Context, call::caller::Role, due::calendar::Calendar, feed::Outbox, files::FileStore, write::Groups,
};

mod accepting;
mod amending;
mod answering;
mod approve_answer;
mod approve_retention_rule;
mod ask_clarification;
mod assign_request;
pub mod attaching;
mod batch_submit_requests;
mod bodies;
mod convert;
mod convert_attachments;
mod correct_request;
pub mod coupons;
mod create_body;
mod create_retention_rule;
mod deciding;
mod download_answer;
mod download_answer_by_coupon;
mod download_attachment;
mod draft_answer;
mod earlier;
mod end_retention_rule;
mod erase_request;
mod extend_request;
mod forward_request;
mod get_answer;
mod get_answer_by_coupon;
mod get_attachment_upload;
mod get_body;
mod get_request;
mod get_request_statistics;
mod get_request_status;
mod get_retention_rule;
pub mod holder;
mod kept;
mod leave_without_consideration;
mod list_bodies;
mod list_requests;
mod list_retention_rules;
mod list_signing_keys;
mod listing;
mod lookup_request;
mod owed;
mod parse;
mod parse_attachments;
mod preview_recompute;
mod provide_clarification;
mod record_dispatch;
mod record_notice;
mod repeated;
mod retention_rules;
mod return_request;
mod review_decision;
mod seeing;
mod service;
mod showing;
pub mod submit_request;
mod terminate_request;
mod update_answer;
mod update_body;
mod upload_attachment;
mod watch_requests;
mod withdraw_request;

use crate::{
    clients::form_registry::FormRegistry,
    current_rules::CurrentRules,
    domain::request::CallerRole,
    earlier_requests::EarlierRequests,
    examining::Examiner,
    lookup::Lookup,
    rates::Rate,
    rendering::Rendering,
    rpc::{
        coupons::Coupons,
        holder::{Guesses, Readings},
        submit_request::Submissions,
    },
    shared_texts::SharedTexts,
    signatures::Signatures,
    watched::Watched,
};

/// What the handlers work with.
pub struct RequestIntake {
    pub context: Context,
    pub calendar: Calendar,
    pub rules: Arc<CurrentRules>,
    pub texts: Arc<SharedTexts>,
    pub earlier: Arc<EarlierRequests>,
    pub examiner: Arc<Examiner>,
    pub lookup: Lookup,
    pub coupons: Coupons,
    pub guesses: Guesses,
    /// What each caller submits in a day.
    pub submitted: Rate,
    /// What each caller uploads in a day.
    pub uploaded: Rate,
    pub readings: Readings,
    pub watched: Arc<Watched>,
    pub outbox: Outbox,
    pub submissions: Groups<Submissions>,
    pub files: FileStore,
    pub signatures: Arc<Signatures>,
    pub attachments: attaching::Limits,
    /// For the figures of answers.
    pub form_registry: FormRegistry,
    pub rendering: Rendering,
}

/// The roles of a caller that bring requests.
fn bringing_roles(caller: &Caller) -> Vec<CallerRole> {
    let of = |role: &Role| match role {
        Role::Edms => Some(CallerRole::Edms),
        Role::Kadagalau => Some(CallerRole::Kadagalau),
        Role::Operator => Some(CallerRole::Operator),
        _ => None,
    };
    caller.roles.iter().filter_map(of).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
mod tests;
