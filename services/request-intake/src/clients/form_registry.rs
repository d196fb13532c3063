//! The form registry: whether what is asked for is registered, and whether it is placed openly already.

use legalstat_proto::forms::v1::{
    self as proto, AvailabilityItem, CheckAvailabilityRequest, form_registry_service_client::FormRegistryServiceClient,
};
use tonic::transport::Channel;

use super::{ask, request, understood};
use crate::domain::{
    evidence::{Answer, Availability, Finding},
    request::{Item, Submission},
};

const NAME: &str = "form-registry";

/// The form registry, called with this service's own certificate.
#[derive(Clone)]
pub struct FormRegistry {
    client: FormRegistryServiceClient<Channel>,
}

impl FormRegistry {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            client: FormRegistryServiceClient::new(channel),
        }
    }

    /// What the registers say about each item that asks for statistics, in their order.
    pub async fn findings(&self, submission: &Submission) -> Answer<Vec<Finding>> {
        let items: Vec<AvailabilityItem> = submission
            .statistics()
            .map(|(_, item)| availability_item(item))
            .collect();
        if items.is_empty() {
            return Answer::Given(Vec::new());
        }
        let asked = items.len();
        let mut client = self.client.clone();
        let answer = ask(
            NAME,
            client.check_availability(request(CheckAvailabilityRequest { items })),
        )
        .await;
        understood(NAME, answer, |message| {
            let answered = message.items.len();
            anyhow::ensure!(
                asked == answered,
                "it was asked about {asked} items and answered about {answered}"
            );
            Ok(message.items.into_iter().map(finding).collect())
        })
    }
}

fn availability_item(item: &Item) -> AvailabilityItem {
    let period = |period: Option<legalstat_kit::period::ReportingPeriod>| {
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    AvailabilityItem {
        form: item.form.clone().unwrap_or_default(),
        period: period(item.period),
        until_period: period(item.until_period),
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
