//! The form registry: whether what is asked for is registered, and whether it is placed openly already.

use std::{collections::HashMap, time::Duration};

use futures::future::join_all;
use legalstat_kit::call::{client, tls};
use legalstat_proto::forms::v1::{
    self as proto, AvailabilityItem, CheckAvailabilityRequest, form_registry_service_client::FormRegistryServiceClient,
};
use tonic::transport::Channel;

use super::{ask, understood};
use crate::domain::{
    evidence::{Answer, Availability, Finding},
    request::{Item, Submission},
};

const NAME: &str = "form-registry";
/// How many items the registry takes in one call.
const MOST: usize = 100;

/// The form registry, called with this service's own certificate.
#[derive(Clone)]
pub struct FormRegistry {
    client: FormRegistryServiceClient<Channel>,
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
        let mut places: HashMap<[&str; 3], usize> = HashMap::new();
        for item in asked.iter().flatten() {
            places.entry(key(item)).or_insert_with(|| {
                distinct.push(item.clone());
                distinct.len() - 1
            });
        }
        let found = self.ask(&distinct, patience).await;
        let of_one = |items: &Vec<AvailabilityItem>| {
            let mut of_items = Vec::with_capacity(items.len());
            for item in items {
                match &found[places[&key(item)]] {
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
        let mut message = client::request(CheckAvailabilityRequest { items });
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

fn key(item: &AvailabilityItem) -> [&str; 3] {
    [&item.form, &item.period, &item.until_period]
}

fn availability_item(item: &Item) -> AvailabilityItem {
    let period = |period: Option<legalstat_kit::period::ReportingPeriod>| {
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    AvailabilityItem {
        form: item.form.clone().unwrap_or_default(),
        period: period(item.period),
        until_period: period(item.until_period),
        ..AvailabilityItem::default()
    }
}

fn finding(message: proto::ItemAvailability) -> Finding {
    let availability = match message.availability() {
        proto::Availability::Placed => Availability::Placed,
        proto::Availability::NotPlaced => Availability::NotPlaced,
        proto::Availability::NotRegistered => Availability::NotRegistered,
        // An answer that a later release adds is for an official to read.
        proto::Availability::Undetermined | proto::Availability::Unspecified => Availability::Undetermined,
    };
    Finding {
        availability,
        editions: message.editions,
        text: message.text.unwrap_or_default().into(),
    }
}
