//! The form registry: whether what is asked for is registered, and whether it is placed openly already.

use std::{collections::HashMap, time::Duration};

use futures::future::join_all;
use legalstat_kit::{
    call::{balance::Balanced, client, tls},
    door::word::Word as _,
};
use legalstat_proto::forms::v1::{
    self as proto, AvailabilityItem, CheckAvailabilityRequest, form_registry_service_client::FormRegistryServiceClient,
};

use super::{ask, understood};
use crate::domain::{
    evidence::{Answer, Availability, Finding, Matched, OpenEdition},
    request::{Item, Submission, Unit},
};

mod figures;

const NAME: &str = "form-registry";
/// How many items the registry takes in one call.
const MOST: usize = 100;
/// How many characters the words of an item may have.
const WORDS: usize = 500;

/// The form registry, called with this service's own certificate.
#[derive(Clone)]
pub struct FormRegistry {
    client: FormRegistryServiceClient<Balanced>,
}

impl FormRegistry {
    /// The registry at an address; it is called only when asked.
    ///
    /// # Errors
    /// An address that is not a URL, or certificate files that cannot be read.
    pub fn new(url: &str, files: &tls::Files) -> anyhow::Result<Self> {
        Ok(Self {
            client: FormRegistryServiceClient::new(client::to_service(url, files)?),
        })
    }

    /// What the registers say about each item that asks for statistics, request by request, in their order. What an edition
    /// says of itself may change at any time: nothing is kept.
    pub async fn findings(&self, submissions: &[&Submission], patience: Duration) -> Vec<Answer<Vec<Finding>>> {
        let of = |submission: &Submission| {
            submission
                .statistics()
                .map(|(_, item)| availability_item(item))
                .collect::<Vec<_>>()
        };
        let asked: Vec<Vec<AvailabilityItem>> = submissions.iter().map(|submission| of(submission)).collect();
        let mut distinct: Vec<AvailabilityItem> = Vec::new();
        let mut places: HashMap<&AvailabilityItem, usize> = HashMap::new();
        for item in asked.iter().flatten() {
            places.entry(item).or_insert_with(|| {
                distinct.push(item.clone());
                distinct.len() - 1
            });
        }
        let found = self.ask(&distinct, patience).await;
        let of_one = |items: &Vec<AvailabilityItem>| {
            let mut of_items = Vec::with_capacity(items.len());
            for item in items {
                match &found[places[item]] {
                    Answer::Given(finding) => of_items.push(finding.clone()),
                    Answer::Refused(reason) => return Answer::Refused(reason.clone()),
                    Answer::Away => return Answer::Away,
                }
            }
            Answer::Given(of_items)
        };
        asked.iter().map(of_one).collect()
    }

    /// What the registry says about each item. More than one call takes are asked side by side, so that none waits longer than
    /// the one patience.
    async fn ask(&self, items: &[AvailabilityItem], patience: Duration) -> Vec<Answer<Finding>> {
        let calls = items.chunks(MOST).map(|items| self.call(items.to_vec(), patience));
        join_all(calls).await.into_iter().flatten().collect()
    }

    async fn call(&self, items: Vec<AvailabilityItem>, patience: Duration) -> Vec<Answer<Finding>> {
        let asked = items.len();
        let mut client = self.client.clone();
        let mut message = client::request(CheckAvailabilityRequest {
            items,
            // Figures are for the answer, and not for the examination.
            view: proto::AvailabilityView::Basic.into(),
            languages: Vec::new(),
        });
        message.set_timeout(patience);
        let call = async move { Ok(client.check_availability(message).await?.into_inner()) };
        let read = understood(NAME, ask(NAME, patience, call).await, |message| {
            let answered = message.items.len();
            anyhow::ensure!(
                asked == answered,
                "it was asked about {asked} items and answered about {answered}"
            );
            Ok(message.items.into_iter().map(finding).collect::<Vec<_>>())
        });
        match read {
            Answer::Given(findings) => findings.into_iter().map(Answer::Given).collect(),
            Answer::Refused(reason) => vec![Answer::Refused(reason); asked],
            Answer::Away => vec![Answer::Away; asked],
        }
    }
}

fn availability_item(item: &Item) -> AvailabilityItem {
    let period = |period: Option<legalstat_kit::period::ReportingPeriod>| {
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    let is_named = item.indicator.is_some() || item.detail.is_some();
    AvailabilityItem {
        form: item.form.clone().unwrap_or_default(),
        period: period(item.period),
        until_period: period(item.until_period),
        indicator: item.indicator.clone().unwrap_or_default(),
        detail: item.detail.clone().unwrap_or_default(),
        words: if is_named {
            String::new()
        } else {
            words(&item.description)
        },
        unit: item.unit.map(Unit::word).unwrap_or_default().into(),
        territories: item.territories.clone(),
        ..AvailabilityItem::default()
    }
}

/// As much of a description as the registry looks up, in one line.
fn words(description: &str) -> String {
    let words: Vec<&str> = description.split_whitespace().collect();
    words.join(" ").chars().take(WORDS).collect()
}

fn finding(message: proto::ItemAvailability) -> Finding {
    let availability = match message.availability() {
        proto::Availability::NotPlaced if message.restricted => Availability::Restricted,
        proto::Availability::Placed => Availability::Placed,
        proto::Availability::Nil => Availability::Nil,
        proto::Availability::NotPlaced => Availability::NotPlaced,
        proto::Availability::NotRegistered => Availability::NotRegistered,
        // An answer that a later release adds is for an official to read.
        proto::Availability::Undetermined | proto::Availability::Unspecified => Availability::Undetermined,
    };
    let near = message
        .indicators
        .into_iter()
        .map(|near| match near.indicator.as_str() {
            "" => near.detail,
            _ => near.indicator,
        });
    let near: Vec<String> = near.collect();
    let matched = match (message.matched, near.is_empty()) {
        (one, _) if !one.is_empty() => Matched::One(one),
        (_, true) => Matched::Nothing,
        (_, false) => Matched::Near(near),
    };
    Finding {
        availability,
        matched,
        open: open(message.editions, message.open_editions),
        text: message.text.unwrap_or_default().into(),
    }
}

/// The open editions; a registry of the release before tells their names alone.
fn open(names: Vec<String>, open: Vec<proto::OpenEdition>) -> Vec<OpenEdition> {
    if open.is_empty() {
        let named = |name| OpenEdition {
            name,
            address: String::new(),
            sha256: String::new(),
            figures: 0,
        };
        return names.into_iter().map(named).collect();
    }
    let told = open.into_iter().map(|open| OpenEdition {
        name: open.edition,
        address: open.address,
        sha256: open.content_sha256,
        figures: open.figures.max(0),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_looked_up_in_one_line_of_its_first_five_hundred_characters() {
        assert_eq!(words("registered\r\n  crimes\t "), "registered crimes");
        let long = words(&"я ".repeat(400));
        assert_eq!(long.chars().count(), 500);
    }
}
