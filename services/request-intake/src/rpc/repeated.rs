//! What the requests of a group come after: requests that are stored, and those of the group before them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use jiff::civil::Date;
use legalstat_kit::{Error, write::Write};
use uuid::Uuid;

use super::accepting::Plan;
use crate::{
    db::{self, earlier::Found},
    domain::{
        earlier::{Before, Earlier},
        examination::{Check, Examination},
        request::State,
    },
    shared_texts::SharedTexts,
};

/// A group of requests that are accepted together, in their order.
pub(super) struct Group<'a> {
    pub(super) plans: &'a [&'a Plan],
    pub(super) examinations: &'a [&'a Examination],
    pub(super) numbers: &'a [Option<String>],
}

impl Group<'_> {
    /// What each comes after. What is found among those stored came before all of the group.
    pub(super) fn comes_after(&self, found: &Found) -> Vec<Earlier> {
        let mut documents: HashMap<(&str, Date), Vec<usize>> = HashMap::new();
        let mut asked: HashMap<i64, usize> = HashMap::new();
        let mut comes_after = Vec::with_capacity(self.plans.len());
        for (place, plan) in self.plans.iter().enumerate() {
            let mut earlier = found.of(place);
            if let Some(document) = &plan.known_by.document {
                let alike = documents.entry((&document.number, document.date)).or_default();
                let is_like = |of: &&usize| {
                    let other = self.plans[**of].known_by.document.as_ref();
                    other.is_some_and(|other| other.is_like(document))
                };
                let first = alike.iter().find(is_like).map(|first| self.before(*first));
                earlier.likely_duplicate_of = earlier.likely_duplicate_of.or(first);
                alike.push(place);
            }
            if let Some(number) = plan.known_by.asked {
                match asked.entry(number) {
                    Entry::Occupied(first) => {
                        earlier.repeats = earlier.repeats.or_else(|| Some(self.before(*first.get())));
                    }
                    Entry::Vacant(entry) if self.examinations[place].state != State::LeftWithoutConsideration => {
                        entry.insert(place);
                    }
                    Entry::Vacant(_) => {}
                }
            }
            comes_after.push(earlier);
        }
        comes_after
    }

    fn before(&self, place: usize) -> Before {
        let receipt = &self.plans[place].receipt;
        Before {
            id: receipt.id,
            accepted_by: receipt.accepted_by.clone(),
            requester_bin: self.plans[place].submission.requester.bin.clone(),
            coupon_number: receipt.coupon_number.clone(),
            registration_number: self.numbers[place].clone(),
        }
    }
}

/// What is other in the checks of a group because of what its requests come after.
pub(super) struct Repeated {
    /// Of each request the places of its checks with what they come to.
    pub(super) found: Vec<Vec<(usize, Check)>>,
    ids: HashMap<Check, Uuid>,
}

impl Repeated {
    pub(super) fn of(group: &Group<'_>, comes_after: &[Earlier]) -> Self {
        let of = |place: usize| {
            let plan = group.plans[place];
            let earlier = &comes_after[place];
            let (duplicate, repeats) = (earlier.likely_duplicate_of.is_some(), earlier.repeats.is_some());
            group.examinations[place].found(duplicate, repeats, &plan.submission, &plan.rules)
        };
        let found: Vec<Vec<(usize, Check)>> = (0..group.plans.len()).map(of).collect();
        let mut ids = HashMap::new();
        for (_, check) in found.iter().flatten() {
            if !ids.contains_key(check) {
                ids.insert(check.clone(), db::finding::id(check));
            }
        }
        Self { found, ids }
    }

    /// Stores what is not known to be stored: nothing but the first time.
    pub(super) async fn store(&self, write: &mut Write, texts: &SharedTexts) -> Result<(), Error> {
        let mut missing: Vec<(Uuid, &Check)> = self.ids.iter().map(|(check, id)| (*id, check)).collect();
        missing.retain(|(id, _)| !texts.has_finding(*id));
        missing.sort_unstable_by_key(|(id, _)| *id);
        Ok(db::finding::insert(write.connection(), &missing).await?)
    }

    /// The ids of the findings of a request, with these in their places.
    pub(super) fn findings(&self, place: usize, findings: &[Uuid]) -> Vec<Uuid> {
        let mut findings = findings.to_vec();
        for (at, check) in &self.found[place] {
            findings[*at] = self.ids[check];
        }
        findings
    }

    /// All of them, by their ids.
    pub(super) fn checks(&self) -> Vec<(Uuid, Arc<Check>)> {
        let checks = self.ids.iter();
        checks.map(|(check, id)| (*id, Arc::new(check.clone()))).collect()
    }
}
