//! The rules applied to a request, in their order, and what follows from them (Instruction, paras 5 to 8). What the
//! request alone decides comes first: only a request that passes it needs the calendar and the form registry.

use legalstat_kit::door::word::Word;
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{
    evidence::{Answer, Deadline, Evidence, OpenEdition},
    request::{Channel, ItemKind, State, Submission},
    rules::{Decider, Ground, Rules, Validity},
    signature_texts::{self, Signature},
    texts,
};

mod application;
mod earlier;
mod items;
mod registers;

pub use earlier::as_if_first;

/// The rule a check applies, in the order of examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckRule {
    /// The request is written (paras 2(9) and 7).
    Written,
    /// It came through the channel open to its requester (para 7).
    Channel,
    /// It is signed by one who may sign (para 6).
    Signatory,
    /// Its signed original bears a valid signature.
    Signature,
    /// An application names its author (Code, art. 63).
    Identity,
    /// It gives a postal address (Code, art. 63).
    Address,
    /// It is signed (Code, art. 63).
    Signed,
    /// It is dated (Code, art. 63).
    Dated,
    /// It says what it is about (Code, art. 63).
    Essence,
    /// It has an author and an essence, without which an official may terminate it (Code, art. 88).
    Considerable,
    /// It asks for no copies of accounting documents (para 7).
    NoDocumentCopies,
    /// It asks for no documents or forms of primary accounting (para 7).
    NoPrimaryAccounting,
    /// It names the unit of the information (para 8).
    Unit,
    /// It names the period (para 8).
    Period,
    /// The period was over on the day of receipt.
    PeriodOver,
    /// The same document did not come before.
    LikelyDuplicate,
    /// The same was not asked for before.
    Repeated,
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
        Self::Signature,
        Self::Identity,
        Self::Address,
        Self::Signed,
        Self::Dated,
        Self::Essence,
        Self::Considerable,
        Self::NoDocumentCopies,
        Self::NoPrimaryAccounting,
        Self::Unit,
        Self::Period,
        Self::PeriodOver,
        Self::LikelyDuplicate,
        Self::Repeated,
        Self::WithinIndicators,
        Self::NotOpenlyAvailable,
        Self::DueDate,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Written => "WRITTEN",
            Self::Channel => "CHANNEL",
            Self::Signatory => "SIGNATORY",
            Self::Identity => "IDENTITY",
            Self::Address => "ADDRESS",
            Self::Signed => "SIGNED",
            Self::Dated => "DATED",
            Self::Essence => "ESSENCE",
            Self::Considerable => "CONSIDERABLE",
            Self::Signature => "SIGNATURE",
            Self::NoDocumentCopies => "NO_DOCUMENT_COPIES",
            Self::NoPrimaryAccounting => "NO_PRIMARY_ACCOUNTING",
            Self::Unit => "UNIT",
            Self::Period => "PERIOD",
            Self::PeriodOver => "PERIOD_OVER",
            Self::LikelyDuplicate => "LIKELY_DUPLICATE",
            Self::Repeated => "REPEATED",
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
    /// The open editions that show it.
    pub open: Vec<OpenEdition>,
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

/// Applies the rules that need nothing but the request: those up to the period. That it is no duplicate and repeats nothing holds
/// until an earlier request is found; see [`Examination::found`].
pub fn formal<'a>(submission: &'a Submission, rules: &'a Rules) -> Formal<'a> {
    let in_force = RulesInForce { submission, rules };
    let mut verdicts = vec![
        in_force.written(),
        in_force.channel(),
        in_force.signatory(),
        in_force.signature(),
    ];
    verdicts.extend(in_force.application());
    verdicts.extend(in_force.no_items_of(CheckRule::NoDocumentCopies, ItemKind::AccountingDocumentCopy));
    verdicts.extend(in_force.no_items_of(CheckRule::NoPrimaryAccounting, ItemKind::PrimaryAccountingForm));
    verdicts.extend(in_force.named(CheckRule::Unit, "unit", |item| item.unit.is_some()));
    verdicts.extend(in_force.named(CheckRule::Period, "period", |item| item.period.is_some()));
    verdicts.extend(in_force.periods_over());
    verdicts.extend(in_force.not_earlier());
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
        self.verdicts
            .retain(|verdict| verdict.check.rule != CheckRule::Repeated);
        for rule in [
            CheckRule::Repeated,
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
                open: Vec::new(),
            },
            broken: None,
        }
    }

    fn passed(&self, rule: CheckRule) -> Verdict {
        self.kept(rule, Outcome::Passed, "", texts::passed(rule))
    }

    /// A check that finds the rule broken; what that means stands in the ground in force. Without one there was no rule.
    fn broken(&self, rule: CheckRule, field: &str) -> Verdict {
        self.broken_if(rule, field, true)
    }

    /// The same of a rule that rests on more than its ground, of which a text was read or not. Only by what was read does anyone but an
    /// official decide, however formal it is; nobody is asked for anything who is not known; and what is forwarded at once an official
    /// forwards, whatever else is wrong with it.
    fn broken_if(&self, rule: CheckRule, field: &str, was_read: bool) -> Verdict {
        let Some(ground) = self.ground(rule) else {
            return self.kept(rule, Outcome::NotApplicable, field, texts::no_rule());
        };
        let (decided_by, more) = match ground.decided_by {
            Decider::Official => (Decider::Official, None),
            _ if let Some(rule) = self.rules.forwarding_at_once(self.submission) => {
                (Decider::Official, Some(rule.text.clone()))
            }
            _ if !was_read || !ground.validity.was_read() => (Decider::Official, Some(texts::was_not_read())),
            Decider::Requester if self.submission.is_anonymous() => (Decider::Official, Some(texts::nobody_to_ask())),
            decider => (decider, None),
        };
        let outcome = match decided_by {
            Decider::System | Decider::Requester => Outcome::Failed,
            Decider::Official => Outcome::Proposed,
        };
        let text = match more {
            Some(more) => texts::joined(ground.text.clone(), &more),
            None => ground.text.clone(),
        };
        let mut verdict = self.kept(rule, outcome, field, text);
        verdict.broken = Some(decided_by);
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
            _ => self.broken_if(CheckRule::Channel, "channel", read(rule.map(|rule| &rule.validity))),
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
            _ => {
                let was_read = read(rule.map(|rule| &rule.validity));
                self.broken_if(CheckRule::Signatory, "signatory.capacity", was_read)
            }
        };
        self.citing(verdict, rule.map(|rule| &rule.legal_basis))
    }

    fn signature(&self) -> Verdict {
        let (rule, field) = (CheckRule::Signature, "attachments");
        match Signature::of(&self.submission.attachments, &self.submission.requester) {
            Signature::None(why) => self.kept(rule, Outcome::NotApplicable, "", why),
            Signature::Valid => self.passed(rule),
            Signature::OfRequester => self.kept(rule, Outcome::Passed, "", signature_texts::of_requester()),
            Signature::Unverified(why) => self.kept(rule, Outcome::Undetermined, field, why),
            Signature::NotValid(why) => {
                let mut verdict = self.broken(rule, field);
                verdict.check.text = texts::joined(verdict.check.text, &why);
                verdict
            }
        }
    }

    fn citing(&self, mut verdict: Verdict, basis: Option<&LegalBasis>) -> Verdict {
        if let Some(basis) = basis {
            verdict.check.legal_basis = self.basis(basis);
        }
        verdict
    }
}

/// Whether a text was read by which a rule is broken; where there is no rule, there is none.
fn read(validity: Option<&Validity>) -> bool {
    validity.is_some_and(Validity::was_read)
}

#[cfg(test)]
#[path = "examination_tests.rs"]
mod tests;
