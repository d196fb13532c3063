//! The rules applied to a request, in their order, and what follows from them (Instruction, paras 5 to 8). What the
//! request alone decides comes first: only a request that passes it needs the calendar and the form registry.

use legalstat_kit::door::word::Word;
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{
    evidence::{Answer, Availability, Deadline, Evidence, Finding},
    request::{Channel, ItemKind, State, Submission},
    rules::{Decider, Ground, Rules},
    texts,
};

/// The rule a check applies, in the order of examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckRule {
    /// The request is written (paras 2(9) and 7).
    Written,
    /// It came through the channel open to its requester (para 7).
    Channel,
    /// It is signed by one who may sign (para 6).
    Signatory,
    /// It asks for no copies of accounting documents (para 7).
    NoDocumentCopies,
    /// It asks for no documents or forms of primary accounting (para 7).
    NoPrimaryAccounting,
    /// It names the unit of the information (para 8).
    Unit,
    /// It names the period (para 8).
    Period,
    /// It asks for what the registered indicators hold (para 5).
    WithinIndicators,
    /// It asks for what is not openly available already (para 7).
    NotOpenlyAvailable,
    /// The due date is computed (para 6).
    DueDate,
}

impl Word for CheckRule {
    const ALL: &'static [Self] = &[
        Self::Written,
        Self::Channel,
        Self::Signatory,
        Self::NoDocumentCopies,
        Self::NoPrimaryAccounting,
        Self::Unit,
        Self::Period,
        Self::WithinIndicators,
        Self::NotOpenlyAvailable,
        Self::DueDate,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Written => "WRITTEN",
            Self::Channel => "CHANNEL",
            Self::Signatory => "SIGNATORY",
            Self::NoDocumentCopies => "NO_DOCUMENT_COPIES",
            Self::NoPrimaryAccounting => "NO_PRIMARY_ACCOUNTING",
            Self::Unit => "UNIT",
            Self::Period => "PERIOD",
            Self::WithinIndicators => "WITHIN_INDICATORS",
            Self::NotOpenlyAvailable => "NOT_OPENLY_AVAILABLE",
            Self::DueDate => "DUE_DATE",
        }
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The rule is kept.
    Passed,
    /// The rule is broken, and the system decides so.
    Failed,
    /// The rule seems broken; an official decides.
    Proposed,
    /// The registers cannot tell; an official decides.
    Undetermined,
    /// A service needed for the check is away.
    Pending,
    /// The rule does not concern this request.
    NotApplicable,
}

impl Word for Outcome {
    const ALL: &'static [Self] = &[
        Self::Passed,
        Self::Failed,
        Self::Proposed,
        Self::Undetermined,
        Self::Pending,
        Self::NotApplicable,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::Proposed => "PROPOSED",
            Self::Undetermined => "UNDETERMINED",
            Self::Pending => "PENDING",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }
}

/// One rule applied to a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// The rule.
    pub rule: CheckRule,
    /// What it came to.
    pub outcome: Outcome,
    /// The field or item concerned; empty for the whole request.
    pub field: String,
    /// The finding in words.
    pub text: LocalizedText,
    /// The law behind the rule.
    pub legal_basis: LegalBasis,
}

/// What an examination came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Where the request stands after it.
    pub state: State,
    /// The checks in the order of the rules.
    pub checks: Vec<Check>,
    /// What the requester must supply.
    pub clarifications: Vec<LocalizedText>,
    /// The deadline of a registered request, of no other.
    pub deadline: Option<Deadline>,
}

impl Examination {
    /// Whether it must be made again because a service was away.
    pub fn is_pending(&self) -> bool {
        self.state == State::Received && self.checks.iter().any(|check| check.outcome == Outcome::Pending)
    }
}

/// A check together with who decides when it is broken.
struct Verdict {
    check: Check,
    broken: Option<Decider>,
}

/// The rules that the request alone decides, applied to it.
pub struct Formal<'a> {
    in_force: RulesInForce<'a>,
    verdicts: Vec<Verdict>,
    /// What an official found kept.
    kept: &'a [Check],
}

/// Applies the rules that need nothing but the request: those up to the period.
pub fn formal<'a>(submission: &'a Submission, rules: &'a Rules) -> Formal<'a> {
    let in_force = RulesInForce { submission, rules };
    let mut verdicts = vec![in_force.written(), in_force.channel(), in_force.signatory()];
    verdicts.extend(in_force.no_items_of(CheckRule::NoDocumentCopies, ItemKind::AccountingDocumentCopy));
    verdicts.extend(in_force.no_items_of(CheckRule::NoPrimaryAccounting, ItemKind::PrimaryAccountingForm));
    verdicts.extend(in_force.named(CheckRule::Unit, "unit", |item| item.unit.is_some()));
    verdicts.extend(in_force.named(CheckRule::Period, "period", |item| item.period.is_some()));
    Formal {
        in_force,
        verdicts,
        kept: &[],
    }
}

impl<'a> Formal<'a> {
    /// The same where an official has found the rules of some checks kept. Such a verdict counts for the very finding that the
    /// official saw: what is found otherwise now is to be looked at anew.
    #[must_use]
    pub fn reviewed(mut self, kept: &'a [Check]) -> Self {
        self.kept = kept;
        self.settle();
        self
    }

    /// Lets nothing follow from what was found kept.
    fn settle(&mut self) {
        for verdict in &mut self.verdicts {
            if self.kept.contains(&verdict.check) {
                verdict.broken = None;
            }
        }
    }

    /// Whether they already decide, so that nothing else needs to be asked.
    pub fn decides(&self) -> bool {
        decided_state(&self.verdicts).is_some()
    }

    /// Ends the examination where they decide. Of what is not examined any more the checks say so.
    pub fn close(mut self) -> Examination {
        let state = decided_state(&self.verdicts).unwrap_or(State::Received);
        for rule in [
            CheckRule::WithinIndicators,
            CheckRule::NotOpenlyAvailable,
            CheckRule::DueDate,
        ] {
            self.verdicts.push(
                self.in_force
                    .kept(rule, Outcome::NotApplicable, "", texts::not_examined(state)),
            );
        }
        conclude(self.verdicts, None)
    }

    /// Ends the examination with what the other services said.
    pub fn complete(mut self, evidence: Evidence) -> Examination {
        self.verdicts
            .extend(self.in_force.within_indicators(&evidence.findings));
        self.verdicts
            .extend(self.in_force.not_openly_available(&evidence.findings));
        self.verdicts.push(self.in_force.due_date(&evidence));
        self.settle();
        let deadline = match evidence.deadline {
            Answer::Given(deadline) => Some(deadline),
            Answer::Refused(_) | Answer::Away => None,
        };
        conclude(self.verdicts, deadline)
    }
}

/// The state that broken rules lead to, if they decide one.
fn decided_state(verdicts: &[Verdict]) -> Option<State> {
    let broken_for = |decider| verdicts.iter().any(|verdict| verdict.broken == Some(decider));
    if broken_for(Decider::System) {
        Some(State::LeftWithoutConsideration)
    } else if broken_for(Decider::Requester) {
        Some(State::AwaitingClarification)
    } else {
        None
    }
}

fn conclude(verdicts: Vec<Verdict>, deadline: Option<Deadline>) -> Examination {
    let pending = verdicts.iter().any(|verdict| verdict.check.outcome == Outcome::Pending);
    let state = match decided_state(&verdicts) {
        Some(state) => state,
        None if pending || deadline.is_none() => State::Received,
        None => State::Registered,
    };
    let asked =
        |verdict: &&Verdict| state == State::AwaitingClarification && verdict.broken == Some(Decider::Requester);
    let clarifications = verdicts
        .iter()
        .filter(asked)
        .map(|verdict| texts::clarification(&verdict.check))
        .collect();
    let deadline = deadline.filter(|_| state == State::Registered);
    Examination {
        state,
        checks: verdicts.into_iter().map(|verdict| verdict.check).collect(),
        clarifications,
        deadline,
    }
}

/// A request before the rules in force on the day of its receipt.
struct RulesInForce<'a> {
    submission: &'a Submission,
    rules: &'a Rules,
}

impl RulesInForce<'_> {
    fn ground(&self, rule: CheckRule) -> Option<&Ground> {
        self.rules.ground(rule, self.submission.received_on())
    }

    fn basis(&self, basis: &LegalBasis) -> LegalBasis {
        self.rules.basis_on(basis, self.submission.received_on())
    }

    /// A check that finds nothing broken.
    fn kept(&self, rule: CheckRule, outcome: Outcome, field: &str, text: LocalizedText) -> Verdict {
        let legal_basis = self
            .ground(rule)
            .map(|ground| self.basis(&ground.legal_basis))
            .unwrap_or_default();
        Verdict {
            check: Check {
                rule,
                outcome,
                field: field.into(),
                text,
                legal_basis,
            },
            broken: None,
        }
    }

    fn passed(&self, rule: CheckRule) -> Verdict {
        self.kept(rule, Outcome::Passed, "", texts::passed(rule))
    }

    /// A check that finds the rule broken; what that means stands in the ground in force. Without one there was no rule.
    fn broken(&self, rule: CheckRule, field: &str) -> Verdict {
        let Some(ground) = self.ground(rule) else {
            return self.kept(rule, Outcome::NotApplicable, field, texts::no_rule());
        };
        let outcome = match ground.decided_by {
            Decider::System | Decider::Requester => Outcome::Failed,
            Decider::Official => Outcome::Proposed,
        };
        let mut verdict = self.kept(rule, outcome, field, ground.text.clone());
        verdict.broken = Some(ground.decided_by);
        verdict
    }

    fn written(&self) -> Verdict {
        match self.submission.channel {
            Channel::Oral => self.broken(CheckRule::Written, "channel"),
            _ => self.passed(CheckRule::Written),
        }
    }

    fn channel(&self) -> Verdict {
        let (kind, channel) = (self.submission.requester.kind, self.submission.channel);
        if channel == Channel::Oral {
            return self.kept(CheckRule::Channel, Outcome::NotApplicable, "", texts::no_document());
        }
        let rule = self.rules.channel(kind, channel, self.submission.received_on());
        let verdict = match rule {
            Some(rule) if rule.allowed => self.passed(CheckRule::Channel),
            _ => self.broken(CheckRule::Channel, "channel"),
        };
        self.citing(verdict, rule.map(|rule| &rule.legal_basis))
    }

    fn signatory(&self) -> Verdict {
        let Some(signatory) = &self.submission.signatory else {
            return self.kept(CheckRule::Signatory, Outcome::NotApplicable, "", texts::no_document());
        };
        let (kind, day) = (self.submission.requester.kind, self.submission.received_on());
        let rule = self.rules.signatory(kind, signatory.capacity, day);
        let verdict = match rule {
            Some(rule) if rule.allowed => self.passed(CheckRule::Signatory),
            _ => self.broken(CheckRule::Signatory, "signatory.capacity"),
        };
        self.citing(verdict, rule.map(|rule| &rule.legal_basis))
    }

    fn citing(&self, mut verdict: Verdict, basis: Option<&LegalBasis>) -> Verdict {
        if let Some(basis) = basis {
            verdict.check.legal_basis = self.basis(basis);
        }
        verdict
    }

    fn no_items_of(&self, rule: CheckRule, kind: ItemKind) -> Vec<Verdict> {
        let items = self
            .submission
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.kind == kind);
        let broken: Vec<Verdict> = items
            .map(|(index, _)| self.broken(rule, &format!("items[{index}].kind")))
            .collect();
        if broken.is_empty() {
            vec![self.passed(rule)]
        } else {
            broken
        }
    }

    fn named(&self, rule: CheckRule, field: &str, is_named: fn(&super::request::Item) -> bool) -> Vec<Verdict> {
        if self.submission.statistics().next().is_none() {
            return vec![self.kept(rule, Outcome::NotApplicable, "", texts::no_statistics())];
        }
        let missing = self.submission.statistics().filter(|(_, item)| !is_named(item));
        let broken: Vec<Verdict> = missing
            .map(|(index, _)| self.broken(rule, &format!("items[{index}].{field}")))
            .collect();
        if broken.is_empty() {
            vec![self.passed(rule)]
        } else {
            broken
        }
    }

    fn within_indicators(&self, findings: &Answer<Vec<Finding>>) -> Vec<Verdict> {
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

    fn not_openly_available(&self, findings: &Answer<Vec<Finding>>) -> Vec<Verdict> {
        let rule = CheckRule::NotOpenlyAvailable;
        self.by_item(rule, findings, |field, finding| match finding.availability {
            Availability::Placed | Availability::Nil => {
                let mut verdict = self.broken(rule, field);
                // It says too how much of it was declared nil.
                let text = texts::joined(verdict.check.text, &finding.text);
                let text = texts::with_matched(text, &finding.matched);
                verdict.check.text = texts::with_editions(text, &finding.open);
                verdict
            }
            Availability::NotPlaced | Availability::Restricted => {
                let text = texts::with_editions(texts::passed(rule), &finding.open);
                self.kept(rule, Outcome::Passed, field, text)
            }
            // What the registers do not know they cannot call placed or not placed either.
            Availability::Undetermined | Availability::NotRegistered => {
                let text = texts::with_matched(finding.text.clone(), &finding.matched);
                let text = texts::with_editions(text, &finding.open);
                self.kept(rule, Outcome::Undetermined, field, text)
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

    fn due_date(&self, evidence: &Evidence) -> Verdict {
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

#[cfg(test)]
#[path = "examination_tests.rs"]
mod tests;
