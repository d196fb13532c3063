//! The registers embedded in the service: the rules as the Instruction and the law around it order them.

use anyhow::Context as _;
use legalstat_kit::{
    door::register::{self, day, lines, word, yes_or_no},
    law::{LegalBasis, LocalizedText},
};
use serde::Deserialize;

use super::{
    body::Bodies,
    request::RequesterKind,
    rules::{CallerChannel, ChannelRule, CureDays, Ground, LapsedAct, Rules, SignatoryRule, Validity, VerbRule},
};

#[derive(Deserialize)]
struct ActLine {
    name: String,
    uri: String,
    lapsed_on: String,
    grade: String,
    note: String,
}

#[derive(Deserialize)]
struct ChannelLine {
    requester_kind: String,
    channel: String,
    allowed: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct CallerLine {
    role: String,
    channel: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct SignatoryLine {
    requester_kind: String,
    capacity: String,
    allowed: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct GroundLine {
    rule: String,
    decided_by: String,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct VerbLine {
    verb: String,
    ground: String,
    requester_kinds: String,
    capacities: String,
    counted_from: String,
    shortest_days: Option<i32>,
    usual_days: Option<i32>,
    longest_days: Option<i32>,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

/// The rules of the embedded registers.
///
/// # Errors
/// A line that cannot be read: the service must not start with half its rules.
pub fn embedded() -> anyhow::Result<Rules> {
    Ok(Rules {
        lapsed_acts: lines("acts.csv", include_str!("../../data/acts.csv"), act)?,
        channels: lines(
            "channel_rules.csv",
            include_str!("../../data/channel_rules.csv"),
            channel,
        )?,
        caller_channels: lines(
            "caller_channels.csv",
            include_str!("../../data/caller_channels.csv"),
            caller,
        )?,
        signatories: lines(
            "signatory_rules.csv",
            include_str!("../../data/signatory_rules.csv"),
            signatory,
        )?,
        grounds: lines("grounds.csv", include_str!("../../data/grounds.csv"), ground)?,
        verbs: lines("verb_rules.csv", include_str!("../../data/verb_rules.csv"), verb_rules)?.concat(),
        // No release knows the bodies: an administrator enters them.
        bodies: Bodies::default(),
    })
}

fn act(line: ActLine) -> anyhow::Result<LapsedAct> {
    let lapsed_on = day(&line.lapsed_on).context("lapsed_on")?;
    Ok(LapsedAct {
        name: line.name,
        uri: line.uri,
        lapsed_on,
        grade: line.grade,
        note: line.note,
    })
}

fn channel(line: ChannelLine) -> anyhow::Result<ChannelRule> {
    Ok(ChannelRule {
        kind: word(&line.requester_kind)?,
        channel: word(&line.channel)?,
        allowed: yes_or_no(&line.allowed)?,
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: validity(line.grade, &line.valid_from, &line.valid_to)?,
    })
}

fn caller(line: CallerLine) -> anyhow::Result<CallerChannel> {
    Ok(CallerChannel {
        role: word(&line.role)?,
        channel: word(&line.channel)?,
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: validity(line.grade, &line.valid_from, &line.valid_to)?,
    })
}

fn signatory(line: SignatoryLine) -> anyhow::Result<SignatoryRule> {
    Ok(SignatoryRule {
        kind: word(&line.requester_kind)?,
        capacity: word(&line.capacity)?,
        allowed: yes_or_no(&line.allowed)?,
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: validity(line.grade, &line.valid_from, &line.valid_to)?,
    })
}

fn ground(line: GroundLine) -> anyhow::Result<Ground> {
    Ok(Ground {
        rule: word(&line.rule)?,
        decided_by: word(&line.decided_by)?,
        text: LocalizedText::new(line.text_kk, line.text_ru, line.text_en),
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: validity(line.grade, &line.valid_from, &line.valid_to)?,
    })
}

/// One rule for each kind of requester that a line names.
fn verb_rules(line: VerbLine) -> anyhow::Result<Vec<VerbRule>> {
    let kinds: Vec<RequesterKind> = line
        .requester_kinds
        .split_whitespace()
        .map(word)
        .collect::<Result<_, _>>()?;
    let days = line.shortest_days.zip(line.usual_days).zip(line.longest_days);
    let counted_from = Some(line.counted_from.as_str()).filter(|from| !from.is_empty());
    let rule = VerbRule {
        verb: word(&line.verb)?,
        ground: line.ground,
        kind: *kinds.first().context("requester_kinds")?,
        capacities: line.capacities.split_whitespace().map(word).collect::<Result<_, _>>()?,
        counted_from: counted_from.map(word).transpose()?,
        cure_days: days.map(|((shortest, usual), longest)| CureDays {
            shortest,
            usual,
            longest,
        }),
        text: LocalizedText::new(line.text_kk, line.text_ru, line.text_en),
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: validity(line.grade, &line.valid_from, &line.valid_to)?,
    };
    let of = |kind| VerbRule { kind, ..rule.clone() };
    Ok(kinds.into_iter().map(of).collect())
}

fn validity(grade: String, from: &str, to: &str) -> anyhow::Result<Validity> {
    let (from, to) = register::validity(from, to)?;
    Ok(Validity { grade, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examination::CheckRule,
        life::Verb,
        request::{CallerRole, Capacity, Channel, RequesterKind},
        rules::CountedFrom,
    };
    use jiff::civil::date;
    use legalstat_kit::door::word::Word;

    fn rules() -> Rules {
        embedded().expect("the registers are readable")
    }

    #[test]
    fn each_kind_of_requester_has_the_channels_of_paragraph_7_and_no_others() {
        let rules = rules();
        let open = |kind| {
            let allowed = |channel: &Channel| {
                rules
                    .channel(kind, *channel, date(2020, 1, 1))
                    .expect("every pair has a rule")
                    .allowed
            };
            Channel::ALL.iter().copied().filter(allowed).collect::<Vec<_>>()
        };
        assert_eq!(open(RequesterKind::StateBody), [Channel::UnifiedEdms]);
        assert_eq!(open(RequesterKind::ProsecutorBody), [Channel::Kadagalau]);
        assert_eq!(open(RequesterKind::Individual), [Channel::Paper, Channel::EGovernment]);
        assert_eq!(open(RequesterKind::LegalEntity), [Channel::Paper, Channel::EGovernment]);
    }

    #[test]
    fn every_channel_is_brought_by_exactly_one_role() {
        let rules = rules();
        for &channel in Channel::ALL {
            let may = |role: &CallerRole| rules.caller_channel(&[*role], channel, date(2020, 1, 1)).is_some();
            assert_eq!(
                CallerRole::ALL.iter().filter(|role| may(role)).count(),
                1,
                "{channel:?}"
            );
        }
    }

    #[test]
    fn every_pair_of_requester_and_capacity_has_one_rule_on_every_day() {
        let rules = rules();
        for day in [
            date(2019, 4, 15),
            date(2021, 6, 30),
            date(2021, 7, 1),
            date(2036, 12, 31),
        ] {
            for &kind in RequesterKind::ALL {
                for &capacity in Capacity::ALL {
                    let rule = rules.signatory(kind, capacity, day).expect("every pair has a rule");
                    assert_eq!(
                        rule.allowed,
                        kind.is_body() != (capacity == Capacity::Applicant),
                        "{kind:?} {capacity:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_rule_has_a_ground_with_its_words_in_three_languages() {
        let rules = rules();
        for &rule in CheckRule::ALL {
            let ground = rules
                .ground(rule, date(2019, 4, 15))
                .expect("it is in force from the first day");
            assert!(
                !ground.text.kk.is_empty() && !ground.text.ru.is_empty() && !ground.text.en.is_empty(),
                "{rule:?}"
            );
            assert!(!ground.legal_basis.provision.is_empty(), "{rule:?}");
        }
    }

    #[test]
    fn what_is_of_grade_d_is_assumed_and_nothing_else() {
        let rules = rules();
        let bases = (rules.channels.iter().map(|rule| (&rule.legal_basis, &rule.validity)))
            .chain(
                rules
                    .caller_channels
                    .iter()
                    .map(|rule| (&rule.legal_basis, &rule.validity)),
            )
            .chain(rules.signatories.iter().map(|rule| (&rule.legal_basis, &rule.validity)))
            .chain(
                rules
                    .grounds
                    .iter()
                    .map(|ground| (&ground.legal_basis, &ground.validity)),
            )
            .chain(rules.verbs.iter().map(|rule| (&rule.legal_basis, &rule.validity)));
        for (basis, validity) in bases {
            assert_eq!(basis.assumed, validity.grade == "D", "{basis}");
        }
    }

    #[test]
    fn every_verb_that_ends_or_holds_up_a_request_rests_on_a_law_of_each_day_for_every_requester() {
        let rules = rules();
        let verbs = [
            Verb::Assign,
            Verb::Withdraw,
            Verb::ReviewDecision,
            Verb::Correct,
            Verb::AskClarification,
            Verb::ProvideClarification,
            Verb::Forward,
            Verb::LeaveWithoutConsideration,
            Verb::Return,
            Verb::Terminate,
            Verb::DraftAnswer,
            Verb::UpdateAnswer,
            Verb::ApproveAnswer,
            Verb::RecordDispatch,
        ];
        for day in [
            date(2019, 4, 15),
            date(2021, 6, 30),
            date(2021, 7, 1),
            date(2036, 12, 31),
        ] {
            for (&kind, verb) in RequesterKind::ALL
                .iter()
                .flat_map(|kind| verbs.map(|verb| (kind, verb)))
            {
                assert!(!rules.grounds_of(verb, kind, day).is_empty(), "{verb:?} {kind:?} {day}");
            }
            assert!(rules.grounds_of(Verb::Extend, RequesterKind::StateBody, day).is_empty());
        }
    }

    #[test]
    fn no_rule_rests_on_a_law_before_it_began_or_after_it_ended() {
        let rules = rules();
        let bases = (rules
            .grounds
            .iter()
            .map(|ground| (&ground.legal_basis, &ground.validity)))
        .chain(rules.verbs.iter().map(|rule| (&rule.legal_basis, &rule.validity)))
        .chain(rules.channels.iter().map(|rule| (&rule.legal_basis, &rule.validity)))
        .chain(rules.signatories.iter().map(|rule| (&rule.legal_basis, &rule.validity)));
        for (basis, validity) in bases {
            if basis.act == "Code 350-VI" {
                assert!(validity.from >= date(2021, 7, 1), "{basis} from {}", validity.from);
            }
            if ["Law No. 221", "Law 221"].contains(&basis.act.as_str()) {
                assert!(
                    validity.to.is_some_and(|to| to <= date(2021, 6, 30)),
                    "{basis} to {:?}",
                    validity.to
                );
            }
        }
        let forwarding = |day| {
            let rule = rules.verb(Verb::Forward, "NOT_COMPETENT", RequesterKind::Individual, day);
            let rule = rule.expect("it is ordered");
            (rule.legal_basis.provision.as_str(), rule.validity.grade.as_str())
        };
        assert_eq!(forwarding(date(2025, 12, 31)), ("art. 76", "C"));
        assert_eq!(forwarding(date(2026, 1, 1)), ("art. 76", "A"));
        for ground in ["ANONYMOUS", "WITHOUT_ESSENCE", "REPEATED"] {
            let rule = rules.verb(Verb::Terminate, ground, RequesterKind::StateBody, date(2026, 3, 2));
            assert!(rule.is_some_and(|rule| rule.legal_basis.assumed), "{ground}");
        }
    }

    #[test]
    fn the_head_of_the_apparatus_extends_from_2026_on_and_only_then_the_extension_counts_from_the_decision() {
        let rules = rules();
        let extension = |day| {
            let rule = rules.verb(Verb::Extend, "EXTENSION", RequesterKind::Individual, day);
            let rule = rule.expect("people's requests are extended by law");
            (rule.capacities.len(), rule.counted_from)
        };
        assert_eq!(extension(date(2025, 12, 31)), (2, Some(CountedFrom::DueDate)));
        assert_eq!(extension(date(2026, 1, 1)), (3, Some(CountedFrom::Decision)));
        let longer = |day| {
            rules
                .verb(Verb::Extend, "LONG_BASE", RequesterKind::Individual, day)
                .is_some()
        };
        assert!(longer(date(2021, 6, 30)) && !longer(date(2021, 7, 1)));
    }
}
