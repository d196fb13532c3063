//! A calendar and a form registry that answer what the test wants, or are away.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    future::Future,
    net::Ipv4Addr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};
use legalstat_kit::{door::wire, zone};
use legalstat_proto::{
    calendar::v1::{
        BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse, ComputeDeadlineRequest, Deadline, Step,
        StepEffect, Suspension, TermPart, TermStart, compute_deadline_request::Subject,
    },
    common::v1 as common,
    forms::v1::{Availability, CheckAvailabilityRequest, CheckAvailabilityResponse, ItemAvailability},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
    transport::Server,
};
use tonic_prost::ProstCodec;

use super::held::{self, Holdings};

/// What both answer.
pub(super) struct Answers {
    /// Whether both are away.
    pub(super) away: AtomicBool,
    /// Whether the registry is away for whoever asks for figures.
    pub(super) figures_away: AtomicBool,
    /// The calendar's refusal, when it refuses.
    pub(super) refusal: Mutex<Option<Code>>,
    /// Whether the law lets the clock stop of the term that governs every request.
    pub(super) clock_stops: AtomicBool,
    /// The days from which the calendar cannot count: it fails for whoever asks for that.
    pub(super) failing: Mutex<Vec<common::Date>>,
    /// The version of the calendar that answers about a time of a term, where that is another than 7.
    pub(super) versions: Mutex<HashMap<TermPart, String>>,
    /// What the registry says about every item.
    pub(super) availability: Mutex<Availability>,
    /// What the registry says about an item instead, and the figures that it holds.
    pub(super) holdings: Mutex<Holdings>,
    /// How often either was asked.
    pub(super) asked: AtomicUsize,
    /// How many questions were for the day of a return.
    pub(super) asked_for_returns: Mutex<Vec<usize>>,
    /// How many questions each call to the calendar had.
    pub(super) questions: Mutex<Vec<usize>>,
}

/// The services behind one address.
pub(super) struct Fakes {
    /// The address.
    pub(super) url: String,
    /// What they answer.
    pub(super) answers: Arc<Answers>,
}

impl Fakes {
    pub(super) async fn start() -> Self {
        let answers = Arc::new(Answers {
            away: AtomicBool::new(false),
            figures_away: AtomicBool::new(false),
            refusal: Mutex::new(None),
            clock_stops: AtomicBool::new(false),
            failing: Mutex::default(),
            versions: Mutex::default(),
            availability: Mutex::new(Availability::NotPlaced),
            holdings: Mutex::default(),
            asked: AtomicUsize::new(0),
            asked_for_returns: Mutex::default(),
            questions: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let serving = Server::builder()
            .add_service(Calendar(answers.clone()))
            .add_service(Forms(answers.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Self { url, answers }
    }

    pub(super) fn set_away(&self, away: bool) {
        self.answers.away.store(away, Ordering::SeqCst);
    }
}

impl Answers {
    fn present(&self) -> Result<(), Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            Err(Status::unavailable("away"))
        } else {
            Ok(())
        }
    }
}

#[derive(Clone)]
struct Calendar(Arc<Answers>);

#[derive(Clone)]
struct Forms(Arc<Answers>);

impl NamedService for Calendar {
    const NAME: &'static str = "legalstat.calendar.v1.CalendarService";
}

impl NamedService for Forms {
    const NAME: &'static str = "legalstat.forms.v1.FormRegistryService";
}

type Answering<T> = Pin<Box<dyn Future<Output = Result<T, Status>> + Send>>;
type Answered = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl tower::Service<http::Request<Body>> for Calendar {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answered {
        if !request.uri().path().ends_with("/BatchComputeDeadlines") {
            return Box::pin(async { Ok(Status::unimplemented("not of this calendar").into_http()) });
        }
        let service = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(service, request).await) })
    }
}

impl tower::Service<http::Request<Body>> for Forms {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answered {
        let service = self.clone();
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            if method == "CheckAvailability" {
                return Ok(Grpc::new(ProstCodec::default()).unary(service, request).await);
            }
            if let Err(away) = service.0.present() {
                return Ok(away.into_http());
            }
            if service.0.figures_away.load(Ordering::SeqCst) {
                return Ok(Status::unavailable("no figures now").into_http());
            }
            Ok(held::answer(&service.0.holdings, &method, request).await)
        })
    }
}

impl UnaryService<BatchComputeDeadlinesRequest> for Calendar {
    type Response = BatchComputeDeadlinesResponse;
    type Future = Answering<Response<BatchComputeDeadlinesResponse>>;

    fn call(&mut self, request: Request<BatchComputeDeadlinesRequest>) -> Self::Future {
        let answers = self.0.clone();
        Box::pin(async move {
            let questions = request.into_inner().requests;
            let of_returns = questions
                .iter()
                .filter(|question| term_start(question).part() == TermPart::Return);
            let mut asked_for_returns = answers.asked_for_returns.lock().expect("no test panics here");
            asked_for_returns.push(of_returns.count());
            drop(asked_for_returns);
            answers.present()?;
            let mut asked = answers.questions.lock().expect("no test panics here");
            asked.push(questions.len());
            if let Some(code) = *answers.refusal.lock().expect("no test panics here") {
                return Err(Status::new(code, "no term governs this"));
            }
            let failing = answers.failing.lock().expect("no test panics here");
            let mut days = questions
                .iter()
                .filter_map(|question| term_start(question).counted_from);
            if days.any(|day| failing.contains(&day)) {
                return Err(Status::internal("it cannot count from that day"));
            }
            let versions = answers.versions.lock().expect("no test panics here");
            Ok(Response::new(BatchComputeDeadlinesResponse {
                deadlines: questions
                    .iter()
                    .map(|question| deadline(question, answers.clock_stops.load(Ordering::SeqCst), &versions))
                    .collect(),
                ..Default::default()
            }))
        })
    }
}

impl UnaryService<CheckAvailabilityRequest> for Forms {
    type Response = CheckAvailabilityResponse;
    type Future = Answering<Response<CheckAvailabilityResponse>>;

    fn call(&mut self, request: Request<CheckAvailabilityRequest>) -> Self::Future {
        let answers = self.0.clone();
        Box::pin(async move {
            answers.present()?;
            let availability = *answers.availability.lock().expect("no test panics here");
            let item = ItemAvailability {
                availability: availability.into(),
                ..Default::default()
            };
            let holdings = answers.holdings.lock().expect("no test panics here");
            let items = request.into_inner().items.into_iter();
            Ok(Response::new(CheckAvailabilityResponse {
                items: items.map(|asked| holdings.of(&asked).unwrap_or(item.clone())).collect(),
            }))
        })
    }
}

/// The days on which a clock stood still: those of the stop and the restart too.
fn standing(stops: &[Suspension]) -> BTreeSet<Date> {
    let day = |at: &Option<prost_types::Timestamp>| {
        let at = at.as_ref().expect("a stop has its ends");
        zone::civil_day(wire::timestamp(at).expect("an instant"))
    };
    let days = |stop: &Suspension| {
        let last = day(&stop.restarted_at);
        day(&stop.stopped_at)
            .series(1.day())
            .take_while(move |day| *day <= last)
    };
    stops.iter().flat_map(days).collect()
}

fn step(day: Date, effect: StepEffect) -> Step {
    Step {
        date: Some(wire::to_date(day)),
        effect: effect.into(),
        text: Some(common::LocalizedText {
            kk: "мерзім".into(),
            ru: "срок".into(),
            en: "due".into(),
        }),
        legal_basis: Some(common::LegalBasis {
            act: "Code 350-VI".into(),
            provision: "art. 44(5)".into(),
            ..Default::default()
        }),
    }
}

fn term_start(question: &ComputeDeadlineRequest) -> TermStart {
    match &question.subject {
        Some(Subject::TermStart(start)) => start.clone(),
        _ => TermStart::default(),
    }
}

/// The same for every question about the same time of a term; it holds for whatever is received on that day. It is later by the days from
/// Monday to Friday on which the clock stood still, if the law lets it stop.
fn deadline(question: &ComputeDeadlineRequest, clock_stops: bool, versions: &HashMap<TermPart, String>) -> Deadline {
    let start = term_start(question);
    let received_on = start.received_at.as_ref().and_then(|at| wire::timestamp(at).ok());
    let received_on = received_on.map(zone::civil_day);
    let day = match start.part() {
        TermPart::Unspecified => date(2026, 4, 2),
        TermPart::LongBase => date(2026, 4, 17),
        TermPart::Extension => match &start.until {
            Some(until) => wire::date(until).expect("the service asks for a day"),
            None => date(2026, 6, 2),
        },
        TermPart::ExtensionNotice | TermPart::Forwarding => date(2026, 3, 5),
        // Some days after the last day for curing the defects.
        TermPart::Return => match &start.counted_from {
            Some(day) => wire::date(day)
                .expect("the service asks for a day")
                .saturating_add(3.days()),
            None => date(1, 1, 1),
        },
    };
    let stood = if clock_stops {
        standing(&start.clock_stops)
    } else {
        BTreeSet::new()
    };
    let is_weekend = |day: &Date| [Weekday::Saturday, Weekday::Sunday].contains(&day.weekday());
    let moved = stood.iter().filter(|day| !is_weekend(day)).count();
    let day = day.saturating_add(i64::try_from(moved).expect("few").days());
    let stood = stood.iter().map(|day| step(*day, StepEffect::Suspended));
    Deadline {
        due_date: Some(wire::to_date(day)),
        due_time: Some(wire::to_timestamp(zone::end(day))),
        provisional: false,
        assumed: true,
        calendar_version: versions.get(&start.part()).cloned().unwrap_or("7".into()),
        steps: stood.chain([step(day, StepEffect::Due)]).collect(),
        term: "terms/state-body".into(),
        registered_on: Some(common::Date {
            year: 2026,
            month: 3,
            day: 2,
        }),
        received_from: received_on.map(|day| wire::to_timestamp(zone::beginning(day))),
        received_before: received_on.map(|day| wire::to_timestamp(zone::end(day))),
        part: start.part,
    }
}
