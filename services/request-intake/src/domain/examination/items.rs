//! The rules about what is asked for, as far as the request alone tells (paras 7 and 8).

use super::{CheckRule, ItemKind, Outcome, RulesInForce, Verdict, texts};
use crate::domain::request::Item;

impl RulesInForce<'_> {
    pub(super) fn no_items_of(&self, rule: CheckRule, kind: ItemKind) -> Vec<Verdict> {
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

    pub(super) fn named(&self, rule: CheckRule, field: &str, is_named: fn(&Item) -> bool) -> Vec<Verdict> {
        if self.submission.items.is_empty() && self.submission.channel.carries_signatures() {
            // Whoever names nothing at all names no unit and no period either.
            return vec![self.broken(rule, "items")];
        }
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

    /// There are no statistics yet of a period that was not over on the day of receipt.
    pub(super) fn periods_over(&self) -> Vec<Verdict> {
        let (rule, day) = (CheckRule::PeriodOver, self.submission.received_on());
        if self.submission.statistics().next().is_none() {
            return vec![self.kept(rule, Outcome::NotApplicable, "", texts::no_statistics())];
        }
        let mut broken = Vec::new();
        for (index, item) in self.submission.statistics() {
            let Some(first) = item.period else { continue };
            let (name, last) = match item.until_period {
                Some(last) => ("until_period", last),
                None => ("period", first),
            };
            if last.last_day() < day {
                continue;
            }
            let mut verdict = self.broken(rule, &format!("items[{index}].{name}"));
            if verdict.broken.is_some() {
                let more = if first.first_day() > day {
                    texts::begins(first)
                } else {
                    texts::ends(last)
                };
                verdict.check.text = texts::joined(verdict.check.text, &more);
            }
            broken.push(verdict);
        }
        if broken.is_empty() {
            vec![self.passed(rule)]
        } else {
            broken
        }
    }
}
