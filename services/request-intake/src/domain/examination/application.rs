//! What an application of a person or a legal entity must have (Law 221, art. 6; Code 350-VI, art. 63). Of a body the door demands
//! it, for its systems can send it again.

use super::{Channel, CheckRule, Decider, Outcome, RulesInForce, Verdict, texts};
use crate::domain::request::RequesterKind;

const RULES: [CheckRule; 6] = [
    CheckRule::Identity,
    CheckRule::Address,
    CheckRule::Signed,
    CheckRule::Dated,
    CheckRule::Essence,
    CheckRule::Considerable,
];

impl RulesInForce<'_> {
    /// None for a body. An oral request and one by messenger bring no application.
    pub(super) fn application(&self) -> Vec<Verdict> {
        if self.submission.requester.kind.is_body() {
            return Vec::new();
        }
        if !self.submission.channel.carries_signatures() {
            let not_applicable = |rule| self.kept(rule, Outcome::NotApplicable, "", texts::no_document());
            return RULES.into_iter().map(not_applicable).collect();
        }
        let of = |rule| self.lacking(rule, self.missing(rule));
        RULES.into_iter().flat_map(of).collect()
    }

    /// The fields by which an application breaks a rule.
    fn missing(&self, rule: CheckRule) -> Vec<&'static str> {
        let submission = self.submission;
        let requester = &submission.requester;
        let (nameless, silent) = (requester.full_name.is_empty(), submission.essence.is_empty());
        let undated = submission
            .external
            .as_ref()
            .is_none_or(|external| external.date.is_none());
        let lacks = |field, lacks: bool| lacks.then_some(field);
        let fields = match rule {
            CheckRule::Identity => {
                let is_entity = requester.kind == RequesterKind::LegalEntity;
                let bin = lacks("requester.bin", is_entity && requester.bin.is_none());
                [lacks("requester.full_name", nameless), bin]
            }
            CheckRule::Address => [
                lacks("requester.postal_address", requester.postal_address.is_empty()),
                None,
            ],
            CheckRule::Signed => [lacks("signatory", !submission.is_signed()), None],
            // What comes electronically bears the time of its sending.
            CheckRule::Dated => [
                lacks("external_date", submission.channel == Channel::Paper && undated),
                None,
            ],
            CheckRule::Essence => [lacks("essence", silent), None],
            CheckRule::Considerable => [lacks("requester", submission.is_anonymous()), lacks("essence", silent)],
            _ => [None, None],
        };
        fields.into_iter().flatten().collect()
    }

    fn lacking(&self, rule: CheckRule, fields: Vec<&str>) -> Vec<Verdict> {
        if fields.is_empty() {
            return vec![self.passed(rule)];
        }
        let verdict = |field| match rule {
            CheckRule::Considerable if field == "requester" => self.forwarded_at_once(field),
            _ => None,
        };
        fields
            .into_iter()
            .map(|field| verdict(field).unwrap_or_else(|| self.broken(rule, field)))
            .collect()
    }

    /// An anonymous application that reports a crime or a threat is not terminated: an official forwards it at once, by the rule of
    /// that verb.
    fn forwarded_at_once(&self, field: &str) -> Option<Verdict> {
        let rule = self.rules.forwarding_at_once(self.submission)?;
        let mut verdict = self.kept(CheckRule::Considerable, Outcome::Proposed, field, rule.text.clone());
        verdict.broken = Some(Decider::Official);
        Some(self.citing(verdict, Some(&rule.legal_basis)))
    }
}
