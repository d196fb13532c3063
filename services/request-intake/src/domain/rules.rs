//! The rules of paragraphs 6 to 8 as data, each in force for a time. The day of receipt chooses.

use jiff::civil::Date;
use legalstat_kit::door::word::Word;
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{
    body::Bodies,
    decision::OfficialCapacity,
    examination::CheckRule,
    life::Verb,
    request::{CallerRole, Capacity, Channel, RequesterKind, Submission},
};

/// Who decides when a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decider {
    /// The system, at once: the request is left without consideration.
    System,
    /// An official, to whom it is proposed.
    Official,
    /// The requester, who is asked for what is missing.
    Requester,
}

impl Word for Decider {
    const ALL: &'static [Self] = &[Self::System, Self::Official, Self::Requester];

    fn word(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Official => "OFFICIAL",
            Self::Requester => "REQUESTER",
        }
    }
}

/// When a rule is in force, and how well it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The grade of its source: A the act's own text, B a state body, C a third party, D assumed.
    pub grade: String,
    /// The first day.
    pub from: Date,
    /// The last day; `None` while it is open.
    pub to: Option<Date>,
}

impl Validity {
    /// Whether its text was read, of the act itself or as a state body tells it. By anything less the system decides nothing alone.
    pub fn was_read(&self) -> bool {
        matches!(self.grade.as_str(), "A" | "B")
    }

    /// Whether it is in force on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// An act that has lapsed. What it orders continues from that day on as assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LapsedAct {
    /// Its name in legal bases.
    pub name: String,
    /// Where it can be read.
    pub uri: String,
    /// The first day on which it was no longer in force.
    pub lapsed_on: Date,
    /// The grade of that day.
    pub grade: String,
    /// Where that day comes from.
    pub note: String,
}

/// Whether a channel is open to a kind of requester (para 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRule {
    /// The kind of requester.
    pub kind: RequesterKind,
    /// The channel.
    pub channel: Channel,
    /// Whether it is open.
    pub allowed: bool,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// That a caller may bring requests through a channel (para 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerChannel {
    /// The caller's role.
    pub role: CallerRole,
    /// The channel.
    pub channel: Channel,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// Whether a capacity signs for a kind of requester (para 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatoryRule {
    /// The kind of requester.
    pub kind: RequesterKind,
    /// The capacity.
    pub capacity: Capacity,
    /// Whether it signs.
    pub allowed: bool,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// What it means that a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The rule.
    pub rule: CheckRule,
    /// Who decides.
    pub decided_by: Decider,
    /// What to tell the requester.
    pub text: LocalizedText,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// From where an extension counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedFrom {
    /// The day of the decision.
    Decision,
    /// The due date as it stands.
    DueDate,
}

impl Word for CountedFrom {
    const ALL: &'static [Self] = &[Self::Decision, Self::DueDate];

    fn word(self) -> &'static str {
        match self {
            Self::Decision => "DECISION",
            Self::DueDate => "DUE_DATE",
        }
    }
}

/// The time for curing defects, in calendar days after the day of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CureDays {
    /// The fewest.
    pub shortest: i32,
    /// As many as are given unless an official says otherwise.
    pub usual: i32,
    /// The most.
    pub longest: i32,
}

/// The ground on which an anonymous request that reports a crime or a threat is forwarded.
pub const CRIME_OR_THREAT: &str = "CRIME_OR_THREAT";

/// That something may be done with requests of a kind of requester, on a ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerbRule {
    /// What is done.
    pub verb: Verb,
    /// The ground's code; empty where the verb has one only.
    pub ground: String,
    /// Whose requests.
    pub kind: RequesterKind,
    /// Who decides; empty when the capacity does not matter.
    pub capacities: Vec<OfficialCapacity>,
    /// From where an extension counts.
    pub counted_from: Option<CountedFrom>,
    /// The time for curing defects.
    pub cure_days: Option<CureDays>,
    /// The ground in words.
    pub text: LocalizedText,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// All rules, of all times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Acts that have lapsed.
    pub lapsed_acts: Vec<LapsedAct>,
    /// Channels by requester.
    pub channels: Vec<ChannelRule>,
    /// Channels by caller.
    pub caller_channels: Vec<CallerChannel>,
    /// Capacities by requester.
    pub signatories: Vec<SignatoryRule>,
    /// Grounds by rule.
    pub grounds: Vec<Ground>,
    /// What may be done with requests after their examination.
    pub verbs: Vec<VerbRule>,
    /// Bodies that ask and that provide; an administrator enters them.
    pub bodies: Bodies,
}

impl Rules {
    /// The first day on which any rule is in force: before it nothing is known. `None` without rules.
    pub fn first_day(&self) -> Option<Date> {
        self.grounds.iter().map(|ground| ground.validity.from).min()
    }

    /// Whether a channel was open to a kind of requester on a day; `None` when no rule says so.
    pub fn channel(&self, kind: RequesterKind, channel: Channel, day: Date) -> Option<&ChannelRule> {
        let of = self
            .channels
            .iter()
            .filter(|rule| (rule.kind, rule.channel) == (kind, channel));
        in_force(of, day, |rule| &rule.validity)
    }

    /// The rule by which a caller with these roles may bring a request through a channel on a day.
    pub fn caller_channel(&self, roles: &[CallerRole], channel: Channel, day: Date) -> Option<&CallerChannel> {
        let of = self
            .caller_channels
            .iter()
            .filter(|rule| rule.channel == channel && roles.contains(&rule.role));
        in_force(of, day, |rule| &rule.validity)
    }

    /// Whether a capacity signed for a kind of requester on a day; `None` when no rule says so.
    pub fn signatory(&self, kind: RequesterKind, capacity: Capacity, day: Date) -> Option<&SignatoryRule> {
        let of = self
            .signatories
            .iter()
            .filter(|rule| (rule.kind, rule.capacity) == (kind, capacity));
        in_force(of, day, |rule| &rule.validity)
    }

    /// The ground that applied on a day when a rule was broken; `None` when the rule was not in force.
    pub fn ground(&self, rule: CheckRule, day: Date) -> Option<&Ground> {
        in_force(
            self.grounds.iter().filter(|ground| ground.rule == rule),
            day,
            |ground| &ground.validity,
        )
    }

    /// The rule by which something may be done on a ground; `None` when no law in force on the day orders it.
    pub fn verb(&self, verb: Verb, ground: &str, kind: RequesterKind, day: Date) -> Option<&VerbRule> {
        let of = self
            .verbs
            .iter()
            .filter(|rule| (rule.verb, rule.kind) == (verb, kind) && rule.ground == ground);
        in_force(of, day, |rule| &rule.validity)
    }

    /// The rule by which a request is forwarded at once, whatever else there is about it: an anonymous report of a crime or a threat.
    pub fn forwarding_at_once(&self, submission: &Submission) -> Option<&VerbRule> {
        let (kind, day) = (submission.requester.kind, submission.received_on());
        let rule = self.verb(Verb::Forward, CRIME_OR_THREAT, kind, day);
        rule.filter(|_| submission.is_to_be_forwarded())
    }

    /// The codes of the grounds on which something may be done, in their order.
    pub fn grounds_of(&self, verb: Verb, kind: RequesterKind, day: Date) -> Vec<&str> {
        let of = self.verbs.iter().filter(|rule| (rule.verb, rule.kind) == (verb, kind));
        let mut codes: Vec<&str> = of
            .filter(|rule| rule.validity.covers(day))
            .map(|rule| rule.ground.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// A legal basis as it stood on a day: assumed once its act had lapsed.
    pub fn basis_on(&self, basis: &LegalBasis, day: Date) -> LegalBasis {
        let lapsed = self
            .lapsed_acts
            .iter()
            .any(|act| act.name == basis.act && act.lapsed_on <= day);
        if lapsed { basis.clone().assumed() } else { basis.clone() }
    }
}

/// Of the versions in force on a day the latest: a successor counts before its predecessor is closed.
fn in_force<'a, T>(versions: impl Iterator<Item = &'a T>, day: Date, validity: fn(&T) -> &Validity) -> Option<&'a T> {
    versions
        .filter(|version| validity(version).covers(day))
        .max_by_key(|version| validity(version).from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;
    use jiff::civil::date;

    #[test]
    fn a_successor_counts_from_its_first_day() {
        let mut rules = register::embedded().expect("the registers are readable");
        let mut successor = rules
            .ground(CheckRule::Signatory, date(2026, 1, 1))
            .expect("it is in force")
            .clone();
        successor.decided_by = Decider::System;
        successor.validity.from = date(2026, 6, 1);
        rules.grounds.push(successor);
        let decider = |day| rules.ground(CheckRule::Signatory, day).map(|ground| ground.decided_by);
        assert_eq!(decider(date(2026, 5, 31)), Some(Decider::Official));
        assert_eq!(decider(date(2026, 6, 1)), Some(Decider::System));
        assert_eq!(decider(date(2019, 4, 14)), None);
        assert_eq!(rules.first_day(), Some(date(2019, 4, 15)));
    }

    #[test]
    fn a_rule_is_in_force_from_its_first_day_to_its_last() {
        let rules = register::embedded().expect("the registers are readable");
        let law = |day| {
            let rule = rules.signatory(RequesterKind::Individual, Capacity::Applicant, day);
            rule.map(|rule| rule.legal_basis.notation())
        };
        let (assumed, code) = ("assumed: Instruction, para 6", "Code 350-VI, art. 63");
        for (day, expected) in [
            (date(2019, 4, 14), None),
            (date(2019, 4, 15), Some(assumed)),
            (date(2021, 6, 30), Some(assumed)),
            (date(2021, 7, 1), Some(code)),
        ] {
            assert_eq!(law(day).as_deref(), expected, "{day}");
            let channel = rules.channel(RequesterKind::StateBody, Channel::UnifiedEdms, day);
            let caller = rules.caller_channel(&[CallerRole::Edms], Channel::UnifiedEdms, day);
            assert_eq!(
                (channel.is_some(), caller.is_some()),
                (expected.is_some(), expected.is_some()),
                "{day}"
            );
        }
        assert_eq!(Rules::default().first_day(), None);
    }

    #[test]
    fn what_the_lapsed_instruction_orders_continues_as_assumed() {
        let rules = register::embedded().expect("the registers are readable");
        let basis = LegalBasis::instruction("para 7");
        assert!(!rules.basis_on(&basis, date(2021, 1, 7)).assumed);
        assert!(rules.basis_on(&basis, date(2021, 1, 8)).assumed);
        assert_eq!(rules.basis_on(&basis, date(2021, 1, 8)), basis.clone().assumed());
        assert!(
            !rules
                .basis_on(&LegalBasis::parse("Code 350-VI, art. 63"), date(2021, 7, 1))
                .assumed
        );
    }
}
