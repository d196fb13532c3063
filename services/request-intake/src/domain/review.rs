//! What follows from the verdicts of officials on checks.

use jiff::civil::Date;

use super::{
    examination::{Check, Outcome},
    rules::{Decider, Rules},
};

/// Whether every ground on which the system left a request without consideration was found kept.
pub fn is_reversed(checks: &[Check], kept: &[Check], rules: &Rules, received_on: Date) -> bool {
    let by_system = |check: &&Check| {
        let ground = rules.ground(check.rule, received_on);
        check.outcome == Outcome::Failed && ground.is_none_or(|ground| ground.decided_by == Decider::System)
    };
    checks.iter().filter(by_system).all(|check| kept.contains(check))
}

/// Whether everything for which an examination asked the requester was found kept. Where it asked for nothing there is nothing to
/// reverse.
pub fn asks_no_more(checks: &[Check], kept: &[Check]) -> bool {
    let mut asked = checks
        .iter()
        .filter(|check| check.outcome == Outcome::Failed)
        .peekable();
    asked.peek().is_some() && asked.all(|check| kept.contains(check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{examination::CheckRule, register};
    use jiff::civil::date;
    use legalstat_kit::law::{LegalBasis, LocalizedText};

    #[test]
    fn only_what_the_system_decided_must_be_found_kept_and_all_of_it() {
        let rules = register::embedded().expect("the registers are readable");
        let check = |rule, outcome| Check {
            rule,
            outcome,
            field: String::new(),
            text: LocalizedText::default(),
            legal_basis: LegalBasis::default(),
            open: Vec::new(),
        };
        let checks = [
            check(CheckRule::Channel, Outcome::Failed),
            check(CheckRule::NoDocumentCopies, Outcome::Failed),
            check(CheckRule::Unit, Outcome::Failed),
            check(CheckRule::Signatory, Outcome::Proposed),
        ];
        let reversed = |kept: &[Check]| is_reversed(&checks, kept, &rules, date(2026, 3, 2));
        assert!(!reversed(&[]) && !reversed(&checks[..1]));
        assert!(reversed(&checks[..2]));
        assert!(!asks_no_more(&checks[2..], &[]) && asks_no_more(&checks[2..], &checks[2..3]));
        assert!(!asks_no_more(&checks[3..], &checks), "nobody was asked");
    }
}
