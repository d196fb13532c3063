//! What an export must say of days that earlier ones held: a calendar program keeps what it once took in until it is told
//! that it is cancelled, and takes no revision that is older than what it has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    SERVICE,
    ics::{Entry, Status},
};
use crate::{call::Connection, failure::Failure};

/// The instants before `last`, from which the calendar is as it is now, at which the days of a year could have changed since
/// this system has had a calendar; that of its beginning comes first. As the acts say them, so every export learns the same.
pub(super) async fn instants(connection: &Connection, year: i16, last: Timestamp) -> Result<Vec<Timestamp>, Failure> {
    let request = json!({ "year": year, "showWithdrawn": true });
    let acts = connection
        .list(&format!("{SERVICE}/ListCalendarActs"), &request)
        .await?;
    let acts = acts["calendarActs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |field: &'static str| acts.iter().filter_map(move |act| instant(&act[field]));
    let Some(began) = of("recordedAt").min().filter(|began| *began < last) else {
        return Ok(Vec::new());
    };
    let later = |instant: &Timestamp| *instant > began && *instant < last;
    let mut instants: Vec<Timestamp> = of("knownFrom").chain(of("withdrawnAt")).filter(later).collect();
    instants.push(began);
    instants.sort_unstable();
    instants.dedup();
    Ok(instants)
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// The entries of one state of knowledge after the other.
#[derive(Default)]
pub(super) struct History(BTreeMap<String, Told>);

struct Told {
    entry: Entry,
    there: bool,
    /// How many times it went, or came back.
    turns: i64,
}

impl History {
    /// Adds what a later state of knowledge has.
    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut entries: BTreeMap<String, Entry> =
            entries.into_iter().map(|entry| (entry.uid.clone(), entry)).collect();
        for (uid, told) in &mut self.0 {
            let entry = entries.remove(uid);
            told.turns += i64::from(told.there != entry.is_some());
            told.there = entry.is_some();
            told.entry = entry.unwrap_or_else(|| told.entry.clone());
        }
        let new = entries.into_iter().map(|(uid, entry)| {
            let told = Told {
                entry,
                there: true,
                turns: 0,
            };
            (uid, told)
        });
        self.0.extend(new);
    }

    /// What the last state has, and what went before it as cancelled, by day.
    pub(super) fn entries(self) -> Vec<Entry> {
        let told = self.0.into_values().map(|told| {
            let mut entry = told.entry;
            entry.sequence += told.turns;
            if !told.there {
                entry.status = Status::Cancelled;
            }
            entry
        });
        let mut entries: Vec<Entry> = told.collect();
        entries.sort_by_key(|entry| entry.when);
        entries
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{super::ics::When, *};

    fn entry(uid: &str, day: i8, sequence: i64) -> Entry {
        Entry {
            uid: uid.into(),
            sequence,
            when: When::Day(date(2027, 1, day)),
            summary: "off".into(),
            description: String::new(),
            status: Status::Confirmed,
        }
    }

    fn told(states: Vec<Vec<Entry>>) -> Vec<(String, i64, Status)> {
        let mut history = History::default();
        states.into_iter().for_each(|state| history.add(state));
        let entries = history.entries().into_iter();
        entries.map(|entry| (entry.uid, entry.sequence, entry.status)).collect()
    }

    #[test]
    fn what_went_is_cancelled_and_each_turn_is_a_higher_sequence() {
        let day = || vec![entry("b", 9, 0), entry("a", 8, 0)];
        let rest = || vec![entry("b", 9, 0)];
        let b = || ("b".to_owned(), 0, Status::Confirmed);
        for (states, sequence, status) in [
            (vec![day()], 0, Status::Confirmed),
            (vec![rest(), day()], 0, Status::Confirmed),
            (vec![day(), rest()], 1, Status::Cancelled),
            (vec![day(), rest(), rest()], 1, Status::Cancelled),
            (vec![day(), rest(), day()], 2, Status::Confirmed),
            (vec![rest(), day(), rest(), day(), rest()], 3, Status::Cancelled),
        ] {
            assert_eq!(told(states), [("a".to_owned(), sequence, status), b()]);
        }
    }

    #[test]
    fn the_moves_that_the_calendar_counts_stay_in_the_sequence() {
        let states = vec![
            vec![entry("a", 8, 0)],
            vec![entry("a", 7, 1)],
            vec![],
            vec![entry("a", 7, 1)],
        ];
        assert_eq!(told(states), [("a".to_owned(), 3, Status::Confirmed)]);
    }
}
