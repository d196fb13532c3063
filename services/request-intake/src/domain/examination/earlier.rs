//! That a request is no duplicate of an earlier one and repeats none. Earlier requests are looked for while it is stored, so that of
//! two that come at the same moment one is the first.

use legalstat_kit::law::LocalizedText;

use super::{Check, CheckRule, Examination, Outcome, RulesInForce, Submission, Verdict, texts};
use crate::domain::{earlier, life::Verb, rules::Rules};

impl RulesInForce<'_> {
    /// Both rules, as they are as long as nothing is found.
    pub(super) fn not_earlier(&self) -> [Verdict; 2] {
        let has_document = earlier::document(self.submission).is_some();
        let asks = earlier::asked(self.submission).is_some();
        let of = |rule, applies, otherwise| match applies {
            true => self.passed(rule),
            false => self.kept(rule, Outcome::NotApplicable, "", otherwise),
        };
        [
            of(CheckRule::LikelyDuplicate, has_document, texts::no_number()),
            of(CheckRule::Repeated, asks, texts::nothing_to_compare()),
        ]
    }
}

/// What either check says of a request that comes after none: also to who may not learn that it does.
pub fn as_if_first(rule: CheckRule) -> LocalizedText {
    texts::passed(rule)
}

impl Examination {
    /// What changes in it because an earlier request was found: the places of its checks with what they come to. They are proposed
    /// and no more, whoever decides by the ground: whether there is anything new in it needs judgement.
    pub fn found(
        &self,
        likely_duplicate: bool,
        repeats: bool,
        submission: &Submission,
        rules: &Rules,
    ) -> Vec<(usize, Check)> {
        let in_force = RulesInForce { submission, rules };
        let mut found = Vec::new();
        for (rule, is_found) in [
            (CheckRule::LikelyDuplicate, likely_duplicate),
            (CheckRule::Repeated, repeats),
        ] {
            let stands = |check: &Check| check.rule == rule && check.outcome == Outcome::Passed;
            let Some(place) = self.checks.iter().position(stands).filter(|_| is_found) else {
                continue;
            };
            let Some(ground) = in_force.ground(rule) else {
                continue;
            };
            let verdict = in_force.kept(rule, Outcome::Proposed, "", ground.text.clone());
            let (kind, day) = (submission.requester.kind, submission.received_on());
            // The ground is the law of applications; of a body the law counts by which its request would be ended.
            let own = rules.verb(Verb::Terminate, "REPEATED", kind, day);
            let own = own.filter(|_| rule == CheckRule::Repeated && kind.is_body());
            found.push((place, in_force.citing(verdict, own.map(|own| &own.legal_basis)).check));
        }
        found
    }

    /// The same with these checks in their places.
    pub fn with(mut self, found: &[(usize, Check)]) -> Self {
        for (place, check) in found {
            if let Some(stands) = self.checks.get_mut(*place) {
                stands.clone_from(check);
            }
        }
        self
    }
}
