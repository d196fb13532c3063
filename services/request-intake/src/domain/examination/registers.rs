//! The rules about what is registered and open, and the due date: what they come to follows from what other services say.

use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{CheckRule, Outcome, RulesInForce, Verdict, texts};
use crate::domain::evidence::{Answer, Availability, Evidence, Finding};

/// How many editions a check shows: of the months of ten years.
const EDITIONS: usize = 120;

impl RulesInForce<'_> {
    pub(super) fn within_indicators(&self, findings: &Answer<Vec<Finding>>) -> Vec<Verdict> {
        let rule = CheckRule::WithinIndicators;
        self.by_item(rule, findings, |field, finding| {
            let matched = |text| texts::with_matched(text, &finding.matched);
            match finding.availability {
                Availability::Placed | Availability::Nil | Availability::NotPlaced => {
                    let text = if finding.matched.is_detail() {
                        texts::is_registered_detail()
                    } else {
                        texts::passed(rule)
                    };
                    self.kept(rule, Outcome::Passed, field, matched(text))
                }
                Availability::Undetermined => {
                    self.kept(rule, Outcome::Undetermined, field, matched(finding.text.clone()))
                }
                Availability::NotRegistered => {
                    let mut verdict = self.broken(rule, field);
                    verdict.check.text = texts::joined(verdict.check.text, &finding.text);
                    verdict
                }
                Availability::Restricted => {
                    let mut verdict = self.broken(rule, field);
                    verdict.check.text = matched(texts::restricted());
                    verdict.check.legal_basis = self.basis(&LegalBasis::instruction("para 2(10)"));
                    verdict
                }
            }
        })
    }

    pub(super) fn not_openly_available(&self, findings: &Answer<Vec<Finding>>) -> Vec<Verdict> {
        let rule = CheckRule::NotOpenlyAvailable;
        self.by_item(rule, findings, |field, finding| match finding.availability {
            Availability::Placed | Availability::Nil => {
                let mut verdict = self.broken(rule, field);
                // It says too how much of it was declared nil.
                let text = texts::joined(verdict.check.text, &finding.text);
                let text = texts::with_matched(text, &finding.matched);
                verdict.check.text = texts::with_editions(text, &finding.open);
                shown_by(verdict, finding)
            }
            Availability::NotPlaced | Availability::Restricted => {
                let text = texts::with_editions(texts::passed(rule), &finding.open);
                shown_by(self.kept(rule, Outcome::Passed, field, text), finding)
            }
            // What the registers do not know they cannot call placed or not placed either.
            Availability::Undetermined | Availability::NotRegistered => {
                let text = texts::with_matched(finding.text.clone(), &finding.matched);
                let text = texts::with_editions(text, &finding.open);
                shown_by(self.kept(rule, Outcome::Undetermined, field, text), finding)
            }
        })
    }

    fn by_item(
        &self,
        rule: CheckRule,
        findings: &Answer<Vec<Finding>>,
        judge: impl Fn(&str, &Finding) -> Verdict,
    ) -> Vec<Verdict> {
        let items: Vec<String> = self
            .submission
            .statistics()
            .map(|(index, _)| format!("items[{index}]"))
            .collect();
        if items.is_empty() {
            return vec![self.kept(rule, Outcome::NotApplicable, "", texts::no_statistics())];
        }
        let whole = |outcome, text: LocalizedText| {
            items
                .iter()
                .map(|field| self.kept(rule, outcome, field, text.clone()))
                .collect()
        };
        match findings {
            Answer::Given(findings) => items
                .iter()
                .zip(findings)
                .map(|(field, finding)| judge(field, finding))
                .collect(),
            Answer::Refused(reason) => whole(Outcome::Undetermined, texts::registry_refused(reason)),
            Answer::Away => whole(Outcome::Pending, texts::pending()),
        }
    }

    pub(super) fn due_date(&self, evidence: &Evidence) -> Verdict {
        let rule = CheckRule::DueDate;
        match (&evidence.deadline, &evidence.findings) {
            (Answer::Refused(reason), _) => {
                let text = self.ground(rule).map(|ground| ground.text.clone()).unwrap_or_default();
                self.kept(rule, Outcome::Undetermined, "", texts::with_reason(text, reason))
            }
            // The deadline is given with the registration, which waits for the registers.
            (Answer::Away, _) | (_, Answer::Away) => self.kept(rule, Outcome::Pending, "", texts::pending()),
            (Answer::Given(deadline), _) => {
                let mut verdict = self.kept(rule, Outcome::Passed, "", texts::due(deadline.due_date));
                verdict.check.legal_basis.assumed |= deadline.assumed;
                verdict
            }
        }
    }
}

fn shown_by(mut verdict: Verdict, finding: &Finding) -> Verdict {
    verdict.check.open = finding.open.iter().take(EDITIONS).cloned().collect();
    verdict
}
