//! The calendar. Most of its methods answer from memory and have no packet to be cut at.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{ToSpan, civil};
use legalstat_proto::{
    calendar::v1::{
        BatchComputeDeadlinesRequest, CalendarAct, CalendarActKind, ComputeDeadlineRequest, CreateCalendarActRequest,
        Day, GetDayRequest, Grade, ListCalendarActsRequest, ListCalendarActsResponse, ListDaysRequest,
        ListReportingPeriodsRequest, ListTermsRequest, Obligation, Periodicity, Transfer, WatchCalendarRequest,
        WithdrawCalendarActRequest, compute_deadline_request::Subject,
    },
    common::v1::{Date, LegalBasis},
    journal::v1::ListEntriesRequest,
};
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use super::{
    House,
    watched::{Watched, clock},
};
use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.calendar.v1.CalendarService/", $method)
    };
}

/// How long what was recorded may take to be seen, on a busy machine far more than the second that the calendar promises.
const SEEN: Duration = Duration::from_secs(60);
/// The act that is there from the beginning.
const FIRST: &str = "calendarActs/cutting-0";

pub struct Calendar {
    watched: Watched,
    administrator: Channel,
    anyone: Channel,
    week: AtomicI64,
    /// An act that the last call was about, and whether it must be listed.
    expected: Mutex<Option<(String, bool)>>,
}

fn date(day: civil::Date) -> Option<Date> {
    Some(Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    })
}

/// The Friday of the week with this number, long after today.
fn friday(week: i64) -> civil::Date {
    civil::date(2028, 2, 4) + (7 * week).days()
}

/// An act that moves the day off of one week from Saturday to Friday.
pub fn act(week: i64) -> CalendarAct {
    let day = friday(week);
    CalendarAct {
        name: format!("calendarActs/cutting-{week}"),
        kind: CalendarActKind::Order.into(),
        citation: format!("Order No. {week}"),
        uri: "https://adilet.zan.kz/rus/docs/ORDER".into(),
        grade: Grade::ActRead.into(),
        transfers: vec![Transfer {
            working_day: date(day + 1.day()),
            day_off: date(day),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn obligation() -> ComputeDeadlineRequest {
    let basis = Some(LegalBasis {
        act: "Instruction".into(),
        provision: "para 13".into(),
        ..Default::default()
    });
    ComputeDeadlineRequest {
        subject: Some(Subject::Obligation(Obligation {
            period: "2025-Q4".into(),
            due_day: 14,
            roll_forward: true,
            legal_basis: basis.clone(),
            roll_forward_basis: basis,
        })),
        ..Default::default()
    }
}

impl Calendar {
    fn creation(&self, week: i64) -> Call {
        let message = CreateCalendarActRequest {
            calendar_act: Some(act(week)),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        Call::new(&self.administrator, path!("CreateCalendarAct"), &message)
    }

    fn withdrawal(&self, name: &str) -> Call {
        let message = WithdrawCalendarActRequest {
            name: name.into(),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        Call::new(&self.administrator, path!("WithdrawCalendarAct"), &message)
    }

    /// A week whose Friday can be taken off, which no call was about yet.
    async fn free_week(&self) -> Option<i64> {
        loop {
            let week = self.week.fetch_add(1, Ordering::SeqCst);
            if friday(week).year() > 2035 {
                return None;
            }
            // A holiday contradicts the act; so such a week is passed over.
            let day = GetDayRequest {
                name: format!("days/{}", friday(week)),
                as_known_at: None,
                languages: Vec::new(),
            };
            let next = GetDayRequest {
                name: format!("days/{}", friday(week) + 1.day()),
                as_known_at: None,
                languages: Vec::new(),
            };
            let day: Day = Call::new(&self.anyone, path!("GetDay"), &day).read().await.ok()?;
            let next: Day = Call::new(&self.anyone, path!("GetDay"), &next).read().await.ok()?;
            if day.working && next.kind() == legalstat_proto::calendar::v1::DayKind::Weekend {
                return Some(week);
            }
        }
    }

    fn expect(&self, name: String, listed: bool) {
        *self.expected.lock().expect("no test panics here") = Some((name, listed));
    }

    /// Waits until an act is listed, or is not.
    async fn until_listed(&self, name: &str, expected: bool) -> Result<(), String> {
        let (began, list) = (
            Instant::now(),
            ListCalendarActsRequest {
                page_size: 1000,
                ..Default::default()
            },
        );
        loop {
            let call = Call::new(&self.anyone, path!("ListCalendarActs"), &list);
            let listed: ListCalendarActsResponse = call.read().await?;
            if listed.calendar_acts.iter().any(|act| act.name == name) == expected {
                return Ok(());
            }
            if began.elapsed() > SEEN {
                return Err(format!(
                    "{name} must be listed: {expected}, and is not so after {SEEN:?}"
                ));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn reading(&self, method: &str) -> Option<Call> {
        let (anyone, administrator) = (&self.anyone, &self.administrator);
        Some(match method {
            "GetDay" => Call::new(anyone, path!("GetDay"), &self.first_day()),
            "ListDays" => Call::new(
                anyone,
                path!("ListDays"),
                &ListDaysRequest {
                    from: date(civil::date(2026, 1, 1)),
                    to: date(civil::date(2026, 1, 31)),
                    ..Default::default()
                },
            ),
            "ComputeDeadline" => Call::new(anyone, path!("ComputeDeadline"), &obligation()),
            "BatchComputeDeadlines" => Call::new(
                administrator,
                path!("BatchComputeDeadlines"),
                &BatchComputeDeadlinesRequest {
                    requests: vec![obligation(); 3],
                    ..Default::default()
                },
            ),
            "ListTerms" => Call::new(anyone, path!("ListTerms"), &ListTermsRequest::default()),
            "ListReportingPeriods" => Call::new(
                anyone,
                path!("ListReportingPeriods"),
                &ListReportingPeriodsRequest {
                    first_year: 2026,
                    last_year: 2026,
                    periodicity: Periodicity::Quarterly.into(),
                    ..Default::default()
                },
            ),
            "ListCalendarActs" => Call::new(anyone, path!("ListCalendarActs"), &ListCalendarActsRequest::default()),
            "WatchCalendar" => Call::feed(administrator, path!("WatchCalendar"), &WatchCalendarRequest::default()),
            "ListEntries" => Call::new(
                administrator,
                "/legalstat.journal.v1.JournalService/ListEntries",
                &ListEntriesRequest::default(),
            ),
            _ => return None,
        })
    }

    fn first_day(&self) -> GetDayRequest {
        GetDayRequest {
            name: format!("days/{}", friday(0)),
            as_known_at: None,
            languages: Vec::new(),
        }
    }
}

impl House for Calendar {
    const NAME: &'static str = "calendar";
    const CONTRACT: &'static str = "legalstat.calendar.v1.CalendarService";
    const METHODS: &'static [&'static str] = &[
        "GetDay",
        "ListDays",
        "ComputeDeadline",
        "BatchComputeDeadlines",
        "ListTerms",
        "ListReportingPeriods",
        "ListCalendarActs",
        "WatchCalendar",
        "CreateCalendarAct",
        "WithdrawCalendarAct",
        "ListEntries",
    ];

    async fn start(connections: u32) -> Self {
        let watched = Watched::start(connections, &legalstat_calendar::SERVICE, &[], clock()).await;
        let calendar = Self {
            administrator: watched.running.channel(Some("administrator")),
            anyone: watched.running.channel(None),
            watched,
            week: AtomicI64::new(1),
            expected: Mutex::default(),
        };
        let first = calendar.creation(0).make(None).await;
        first.expect("the first act is recorded");
        calendar
    }

    fn watched(&self) -> &Watched {
        &self.watched
    }

    async fn call(&self, method: &str) -> Result<Option<Call>, String> {
        if let Some(reading) = self.reading(method) {
            return Ok(Some(reading));
        }
        let Some(week) = self.free_week().await else {
            return Ok(None);
        };
        let name = act(week).name;
        if method == "CreateCalendarAct" {
            self.expect(name, true);
            return Ok(Some(self.creation(week)));
        }
        self.watched.done(&self.creation(week)).await?;
        self.expect(name.clone(), false);
        Ok(Some(self.withdrawal(&name)))
    }

    async fn each_kind(&self, _place: usize) -> Result<(), String> {
        let refused = self.withdrawal("calendarActs/none");
        self.watched.refused(&refused, Code::NotFound).await?;
        // The first act again, word for word: carried out, recorded, and the calendar grows no longer.
        self.watched.done(&self.creation(0)).await?;
        let day: Day = Call::new(&self.anyone, path!("GetDay"), &self.first_day())
            .read()
            .await?;
        if day.working {
            return Err(format!("{} is a day off, and reads as a working day", day.name));
        }
        self.until_listed(FIRST, true).await?;
        let expected = self.expected.lock().expect("no test panics here").clone();
        match expected {
            Some((name, listed)) => self.until_listed(&name, listed).await,
            None => Ok(()),
        }
    }
}
