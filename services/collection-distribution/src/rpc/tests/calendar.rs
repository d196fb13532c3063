//! A calendar made up for tests: Saturday and Sunday are off, nothing else.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use legalstat_kit::{period::ReportingPeriod, wire};
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse, ComputeDeadlineRequest, Day, Deadline, GetDayRequest,
    ListDaysRequest, ListDaysResponse, ListTermsRequest, ListTermsResponse,
    calendar_service_server::{CalendarService, CalendarServiceServer},
    compute_deadline_request::Subject,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// A calendar that answers once it is opened.
pub(super) struct MadeUpCalendar {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl MadeUpCalendar {
    /// A calendar that nobody reaches until it is opened.
    pub(super) async fn away() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        Self {
            address: listener.local_addr().expect("it is bound"),
            asked: Arc::default(),
        }
    }

    /// Opens it.
    pub(super) async fn open(&self) {
        let listener = TcpListener::bind(self.address).await.expect("its port is still free");
        let service = CalendarServiceServer::new(Answering {
            asked: self.asked.clone(),
        });
        let connections = TcpListenerStream::new(listener);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(connections));
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many deadlines it was asked for.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Answering {
    asked: Arc<AtomicUsize>,
}

fn deadline(request: &ComputeDeadlineRequest) -> Deadline {
    let Some(Subject::Obligation(obligation)) = &request.subject else {
        panic!("only obligations are asked for")
    };
    let period: ReportingPeriod = obligation.period.parse().expect("a period");
    let mut due: Date = period
        .following_month()
        .checked_add((obligation.due_day - 1).days())
        .expect("in range");
    while obligation.roll_forward && matches!(due.weekday(), Weekday::Saturday | Weekday::Sunday) {
        due = due.tomorrow().expect("in range");
    }
    let zone = TimeZone::get("Asia/Almaty").expect("built in");
    let end = due
        .tomorrow()
        .expect("in range")
        .to_zoned(zone)
        .expect("a day begins")
        .timestamp();
    Deadline {
        due_date: Some(wire::to_date(due)),
        due_time: Some(wire::to_timestamp(end)),
        provisional: due.year() > 2027,
        assumed: obligation
            .roll_forward_basis
            .as_ref()
            .is_some_and(|basis| basis.assumed),
        calendar_version: "made-up".into(),
        ..Deadline::default()
    }
}

#[tonic::async_trait]
impl CalendarService for Answering {
    async fn batch_compute_deadlines(
        &self,
        request: Request<BatchComputeDeadlinesRequest>,
    ) -> Result<Response<BatchComputeDeadlinesResponse>, Status> {
        let requests = request.into_inner().requests;
        assert!((1..=1000).contains(&requests.len()), "{} at once", requests.len());
        self.asked.fetch_add(requests.len(), Ordering::SeqCst);
        Ok(Response::new(BatchComputeDeadlinesResponse {
            deadlines: requests.iter().map(deadline).collect(),
        }))
    }

    async fn get_day(&self, _: Request<GetDayRequest>) -> Result<Response<Day>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_days(&self, _: Request<ListDaysRequest>) -> Result<Response<ListDaysResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn compute_deadline(&self, _: Request<ComputeDeadlineRequest>) -> Result<Response<Deadline>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_terms(&self, _: Request<ListTermsRequest>) -> Result<Response<ListTermsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
