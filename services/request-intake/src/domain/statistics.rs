//! What form 1-OL asks about requests: counts, and how many days answers took.

use std::{cmp::Reverse, collections::BTreeMap};

use super::request::{Channel, RequesterKind, State};
use crate::domain::examination::CheckRule;

/// Requests that are alike in everything that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Who asks.
    pub kind: RequesterKind,
    /// How they came.
    pub channel: Channel,
    /// Where they stand.
    pub state: State,
    /// Whether they have a number.
    pub is_registered: bool,
    /// The days from receipt to answer, and whether it came in time; none while they are not answered.
    pub answered: Option<(i32, bool)>,
    /// Whether their term was extended.
    pub is_extended: bool,
    /// Whether they wait for their answer after their due date.
    pub is_overdue: bool,
    /// The forms that they ask for, each once, where these are looked at.
    pub forms: Vec<String>,
    /// How many there are.
    pub count: i64,
}

/// How many forms are told of at most.
const FORMS: usize = 100;

/// How many requests there were, and how long their answers took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Received.
    pub received: i64,
    /// With a number.
    pub registered: i64,
    /// Answered by the due date.
    pub answered_in_time: i64,
    /// Answered after it.
    pub answered_late: i64,
    /// With an extended term.
    pub extended: i64,
    /// Neither answered nor ended otherwise.
    pub open: i64,
    /// Open after the due date.
    pub overdue: i64,
    /// How many answers took so many days.
    days: BTreeMap<i32, i64>,
}

impl Counts {
    fn add(&mut self, alike: &Alike) {
        let count_if = |is: bool| if is { alike.count } else { 0 };
        self.received += alike.count;
        self.registered += count_if(alike.is_registered);
        self.answered_in_time += count_if(alike.answered.is_some_and(|(_, in_time)| in_time));
        self.answered_late += count_if(alike.answered.is_some_and(|(_, in_time)| !in_time));
        self.extended += count_if(alike.is_extended);
        self.open += count_if(alike.state.is_open());
        self.overdue += count_if(alike.is_overdue);
        if let Some((days, _)) = alike.answered {
            *self.days.entry(days).or_default() += alike.count;
        }
    }

    /// The fewest days within which so many of a hundred answers came; none when there is no answer.
    pub fn percentile(&self, of_hundred: i64) -> Option<i32> {
        let answered: i64 = self.days.values().sum();
        let mut within = 0;
        for (days, count) in &self.days {
            within += count;
            if within * 100 >= answered * of_hundred {
                return Some(*days);
            }
        }
        None
    }
}

/// By what requests ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// A rule that their examination found broken.
    Broken(CheckRule),
    /// The ground of an official, by its code in the rules.
    Decided(String),
    /// Nothing that is stored tells.
    Unknown,
}

/// How many ended so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Left without consideration.
    pub left: i64,
    /// Terminated.
    pub terminated: i64,
}

/// The counts of a range of days of receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Of all.
    pub total: Counts,
    /// By kind of requester.
    pub kinds: BTreeMap<RequesterKind, Counts>,
    /// By channel.
    pub channels: BTreeMap<Channel, Counts>,
    /// By state.
    pub states: BTreeMap<State, Counts>,
    /// By form that they ask for, if it is only one of several; without a name those that ask for none.
    forms: BTreeMap<String, Counts>,
    /// Those left without consideration or terminated.
    pub grounds: BTreeMap<Ground, Ended>,
}

impl Statistics {
    /// Takes in requests that are alike.
    pub fn add(&mut self, alike: &Alike) {
        self.total.add(alike);
        self.kinds.entry(alike.kind).or_default().add(alike);
        self.channels.entry(alike.channel).or_default().add(alike);
        self.states.entry(alike.state).or_default().add(alike);
        for form in &alike.forms {
            self.forms.entry(form.clone()).or_default().add(alike);
        }
        if alike.forms.is_empty() {
            self.forms.entry(String::new()).or_default().add(alike);
        }
    }

    /// The forms that most requests ask for, at most a hundred: of names there are more than forms.
    pub fn most_asked_forms(&self) -> Vec<(&str, &Counts)> {
        let mut forms: Vec<_> = self
            .forms
            .iter()
            .map(|(form, counts)| (form.as_str(), counts))
            .collect();
        // In the order of names where as many ask.
        forms.sort_by_key(|(_, counts)| Reverse(counts.received));
        forms.truncate(FORMS);
        forms
    }

    /// Takes in requests that were left without consideration or terminated by a ground.
    pub fn add_ended(&mut self, ground: Ground, ended: Ended) {
        let sum = self.grounds.entry(ground).or_default();
        sum.left += ended.left;
        sum.terminated += ended.terminated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(state: State, answered: Option<(i32, bool)>, count: i64) -> Alike {
        Alike {
            kind: RequesterKind::StateBody,
            channel: Channel::UnifiedEdms,
            state,
            is_registered: state != State::Received,
            answered,
            is_extended: false,
            is_overdue: false,
            forms: Vec::new(),
            count,
        }
    }

    #[test]
    fn a_request_is_counted_once_in_each_line_that_it_belongs_to() {
        let mut statistics = Statistics::default();
        statistics.add(&alike(State::Received, None, 2));
        statistics.add(&Alike {
            is_overdue: true,
            is_extended: true,
            ..alike(State::Registered, None, 3)
        });
        statistics.add(&Alike {
            kind: RequesterKind::Individual,
            channel: Channel::Paper,
            ..alike(State::Answered, Some((4, false)), 5)
        });
        statistics.add(&alike(State::Answered, Some((2, true)), 7));
        let total = &statistics.total;
        let counts = [
            total.received,
            total.registered,
            total.answered_in_time,
            total.answered_late,
            total.extended,
            total.open,
            total.overdue,
        ];
        assert_eq!(counts, [17, 15, 7, 5, 3, 5, 3]);
        assert_eq!(statistics.kinds[&RequesterKind::Individual].received, 5);
        assert_eq!(statistics.channels[&Channel::UnifiedEdms].received, 12);
        assert_eq!(statistics.states[&State::Answered].received, 12);
        let sum: i64 = statistics.states.values().map(|counts| counts.received).sum();
        assert_eq!(sum, total.received);
    }

    #[test]
    fn who_asks_for_several_forms_is_counted_under_each_and_the_most_asked_come_first() {
        let mut statistics = Statistics::default();
        let of = |forms: &[&str], count| Alike {
            forms: forms.iter().map(|form| (*form).to_owned()).collect(),
            ..alike(State::Registered, None, count)
        };
        statistics.add(&of(&["forms/1", "forms/2"], 3));
        statistics.add(&of(&["forms/2"], 4));
        statistics.add(&of(&[], 3));
        let told = |statistics: &Statistics| -> Vec<(String, i64)> {
            let forms = statistics.most_asked_forms().into_iter();
            forms.map(|(form, counts)| (form.to_owned(), counts.received)).collect()
        };
        let pair = |form: &str, count| (form.to_owned(), count);
        assert_eq!(told(&statistics), [pair("forms/2", 7), pair("", 3), pair("forms/1", 3)]);
        assert_eq!(statistics.total.received, 10);
        for number in 10..10 + FORMS {
            statistics.add(&of(&[&format!("forms/{number}")], 1));
        }
        assert_eq!(told(&statistics).len(), FORMS);
    }

    #[test]
    fn percentiles_are_days_within_which_at_least_so_many_answers_came() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.total.percentile(50), None);
        for (days, count) in [(1, 1), (2, 4), (3, 4), (30, 1)] {
            statistics.add(&alike(State::Answered, Some((days, true)), count));
        }
        let percentiles = [50, 51, 90, 91, 100].map(|of| statistics.total.percentile(of));
        assert_eq!(percentiles, [Some(2), Some(3), Some(3), Some(30), Some(30)]);
    }
}
