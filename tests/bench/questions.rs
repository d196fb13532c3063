//! What is asked: 15 working days from each of 500 days of receipt, so that no two calls in a row have one answer.

use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, ComputeDeadlineRequest, RequesterKind, TermStart,
    calendar_service_client::CalendarServiceClient, compute_deadline_request::Subject, term_start::Rule,
};
use prost::Message;
use tonic::transport::Channel;

use crate::load::Asked;

/// The first days of receipt: of the term that counts from receipt and of the one that counts from registration. Noon in
/// Astana, so that a request is registered on its day unless it is a day off.
const FIRST_DAYS: [&str; 2] = ["2024-03-04T07:00:00Z", "2026-01-05T07:00:00Z"];
/// How many days in a row are asked for, of each.
const DAYS: i64 = 250;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// The questions, with the sizes of their answers.
#[derive(Clone)]
pub(crate) struct Questions {
    pub(crate) requests: Vec<ComputeDeadlineRequest>,
    /// The same, encoded.
    pub(crate) asked: Asked,
    steps: usize,
}

impl Questions {
    /// Asks each question once, to know what an echo must be like.
    pub(crate) async fn ask(channel: &Channel) -> Self {
        Self::ask_each(channel, FIRST_DAYS.into_iter().flat_map(requests).collect()).await
    }

    /// The same, with the texts of their answers in one language.
    pub(crate) async fn in_kazakh(&self, channel: &Channel) -> Self {
        let mut requests = self.requests.clone();
        for request in &mut requests {
            request.languages = vec!["kk".into()];
        }
        Self::ask_each(channel, requests).await
    }

    async fn ask_each(channel: &Channel, requests: Vec<ComputeDeadlineRequest>) -> Self {
        let mut client = CalendarServiceClient::new(channel.clone());
        let (mut sizes, mut steps) = (Vec::new(), 0);
        for request in &requests {
            let answer = client.compute_deadline(request.clone()).await;
            let answer = answer.expect("every question has an answer").into_inner();
            steps += answer.steps.len();
            sizes.push(answer.encoded_len());
        }
        Self {
            asked: Asked {
                encoded: requests.iter().map(|request| request.encode_to_vec().into()).collect(),
                sizes,
            },
            requests,
            steps,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// A number of them, from the first on and again, as one batch without steps.
    pub(crate) fn batch(&self, count: usize) -> BatchComputeDeadlinesRequest {
        BatchComputeDeadlinesRequest {
            requests: self.requests.iter().cycle().take(count).cloned().collect(),
            ..BatchComputeDeadlinesRequest::default()
        }
    }

    pub(crate) fn summary(&self) -> String {
        let bytes: usize = self.asked.sizes.iter().sum();
        format!(
            "{} different questions; on average an answer has {} steps and {} bytes\n",
            self.len(),
            self.steps / self.len(),
            bytes / self.len()
        )
    }
}

fn requests(first: &str) -> impl Iterator<Item = ComputeDeadlineRequest> {
    let first: jiff::Timestamp = first.parse().expect("an instant");
    (0..DAYS).map(move |day| ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(TermStart {
            rule: Some(Rule::RequesterKind(RequesterKind::Individual.into())),
            received_at: Some(prost_types::Timestamp {
                seconds: first.as_second() + day * SECONDS_OF_A_DAY,
                nanos: 0,
            }),
            ..TermStart::default()
        })),
        ..ComputeDeadlineRequest::default()
    })
}
