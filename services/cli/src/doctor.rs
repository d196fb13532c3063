//! `legalstat doctor`: looks at a running system from where its callers are, and says what is wrong with it and what to do.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use legalstat_kit::call::telemetry::RELEASE;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::metadata::MetadataMap;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    call::Connection,
    failure::Failure,
    options::Options,
    output,
    place::{Place, ServiceName},
    tls,
};

/// Look at a running system from here: what is wrong with it, and what to do
///
/// It asks each service whether it serves, of which release it is and what time it has, whether it takes the certificate that is shown, and
/// until when certificates last: the services', those of this folder and the authority's. Nothing is changed. Exit status 1 where something is wrong.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  legalstat doctor
  legalstat doctor --as edms
  docker compose run --rm cli doctor --health-port 8080")]
pub(crate) struct Doctor {
    /// The port on which each service's host shows metrics, to see whether due dates follow the calendar: 8080 in containers
    #[arg(long, value_name = "N")]
    health_port: Option<u16>,
}

/// How long a service may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How far clocks may be apart: answers tell the time in whole seconds, and are on their way for some.
const APART: SignedDuration = SignedDuration::from_secs(5);
/// How long before its end a certificate should have been renewed; the alert CertificateEnds is given then, too.
const AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long due dates may not have followed the calendar.
const BEHIND: f64 = 60.0;
/// The metric that tells it.
const FEED_LAG: &str = "legalstat_calendar_feed_lag";
/// What tells whether a service takes a certificate, where its holder may ask that.
const ASKED: [(ServiceName, &str); 2] = [
    (
        ServiceName::RequestIntake,
        "legalstat.requests.v1.RequestIntakeService/ListRequests",
    ),
    (
        ServiceName::CollectionDistribution,
        "legalstat.collections.v1.CollectionDistributionService/ListCopies",
    ),
];

/// How a thing that was looked at is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Right,
    Unknown,
    Wrong,
}

struct Finding {
    about: String,
    state: State,
    found: String,
    to_do: &'static str,
}

impl Finding {
    fn right(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(about, State::Right, found, "")
    }

    fn wrong(about: impl Into<String>, found: impl Into<String>, to_do: &'static str) -> Self {
        Self::new(about, State::Wrong, found, to_do)
    }

    fn new(about: impl Into<String>, state: State, found: impl Into<String>, to_do: &'static str) -> Self {
        Self {
            about: about.into(),
            state,
            found: found.into(),
            to_do,
        }
    }

    fn row(&self) -> Value {
        let state = match self.state {
            State::Right => "RIGHT",
            State::Unknown => "UNKNOWN",
            State::Wrong => "WRONG",
        };
        json!({ "about": self.about, "state": state, "found": self.found, "toDo": self.to_do })
    }
}

impl Doctor {
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let place = Place::new(options.folder.clone(), options.timeout().min(ANSWER));
        let caller = options.caller.clone().or_else(|| place.default_caller());
        let mut findings = certificates(&place, Timestamp::now());
        let looked = ServiceName::ALL.map(|service| self.service(&place, service, caller.as_deref()));
        let (services, releases): (Vec<_>, Vec<_>) = join_all(looked).await.into_iter().unzip();
        findings.extend(services.into_iter().flatten());
        findings.extend(one_release(releases.into_iter().flatten()));

        let rows: Vec<Value> = findings.iter().map(Finding::row).collect();
        let shown = json!({ "findings": rows });
        let columns = [
            ("about", "about"),
            ("state", "state"),
            ("found", "found"),
            ("what to do", "toDo"),
        ];
        output::show(&shown, options.output, &output::rows(&shown["findings"], &columns))?;
        match findings.iter().filter(|finding| finding.state == State::Wrong).count() {
            0 => Ok(()),
            wrong => Err(Failure::Other(anyhow::anyhow!("wrong: {wrong} of {}", findings.len()))),
        }
    }

    /// What there is to say of a service, and of which release it is.
    async fn service(
        &self,
        place: &Place,
        service: ServiceName,
        caller: Option<&str>,
    ) -> (Vec<Finding>, Option<String>) {
        let name = service.as_str();
        // What is wrong with the caller's certificate is told of the certificate.
        let connection = place.connect(service, caller).or_else(|failure| match failure {
            Failure::Certificate(_) | Failure::Usage(_) => place.connect(service, None),
            failure => Err(failure),
        });
        let asked = async {
            let connection = connection?;
            let answer = connection.health(service.grpc_service()).await?;
            Ok::<_, Failure>((connection, answer))
        };
        let (connection, answer) = match asked.await {
            Ok(answered) => answered,
            Err(failure) => return (vec![away(name, &failure.to_string())], None),
        };
        let release = release(answer.metadata());
        let status = answer.get_ref().status();
        let mut findings = vec![
            serving(name, status, &release),
            clock(name, answer.metadata(), Timestamp::now()),
        ];
        findings.extend(lasting(name, &connection).await);
        if status == ServingStatus::Serving {
            findings.extend(taken(place, &connection, service, caller).await);
        }
        if let (Some(port), true) = (self.health_port, service != ServiceName::Calendar) {
            findings.push(following(name, &connection, port).await);
        }
        (findings, Some(release))
    }
}

/// What is wrong with a service that does not answer.
fn away(name: &str, said: &str) -> Finding {
    let to_do = if said.contains("is not set") {
        "start the system, or name the service's address"
    } else if said.starts_with("certificate") {
        "the address has to be one that its certificate is for (LEGALSTAT_PUBLIC_HOSTS), and ca.pem its authority's"
    } else if said.contains("no answer") {
        "it listens, and may wait for its database or for its migration: its log says for which"
    } else {
        "see whether it runs and what its log says last, and whether the address and what stands before it are right"
    };
    Finding::wrong(name, said, to_do)
}

fn serving(name: &str, status: ServingStatus, release: &str) -> Finding {
    match status {
        ServingStatus::Serving => Finding::right(name, format!("it serves, {release}")),
        _ => Finding::wrong(
            name,
            "it says that it does not serve",
            "its database is away, what it answers from is not complete, or it is being stopped: its log says which",
        ),
    }
}

fn release(headers: &MetadataMap) -> String {
    let header = |name: &'static str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("unknown")
    };
    format!(
        "{} (revision {})",
        header("legalstat-version"),
        header("legalstat-revision")
    )
}

fn one_release(of_services: impl Iterator<Item = String>) -> Option<Finding> {
    let services: BTreeSet<String> = of_services.collect();
    let told: Vec<&str> = services.iter().map(String::as_str).collect();
    let about = "releases";
    match &told[..] {
        [] => None,
        [one] if *one == RELEASE.as_str() => Some(Finding::right(about, "all services and this program have the same")),
        [one] => Some(Finding::new(
            about,
            State::Unknown,
            format!("the services are {one}, and this program is {}", *RELEASE),
            "use the command line of the services' release",
        )),
        several => Some(Finding::wrong(
            about,
            format!("the services are of several releases: {}", several.join(", ")),
            "finish the upgrade, or go back; the guide says for how long releases stand side by side",
        )),
    }
}

fn clock(name: &str, headers: &MetadataMap, now: Timestamp) -> Finding {
    let about = format!("clock of {name}");
    let told = headers.get("date").and_then(|date| date.to_str().ok());
    let Some(told) = told.and_then(|date| rfc2822::parse(date).ok()) else {
        return Finding::new(about, State::Unknown, "it does not tell its time", "");
    };
    let apart = now.duration_since(told.timestamp());
    if apart.abs() <= APART {
        return Finding::right(about, format!("within {} s of this machine's", APART.as_secs()));
    }
    Finding::wrong(
        about,
        format!("{} s apart from this machine's", apart.abs().as_secs()),
        "set both clocks by NTP: due dates, signatures and certificates go by them",
    )
}

/// Until when the service's own certificate lasts.
async fn lasting(name: &str, connection: &Connection) -> Option<Finding> {
    let end = connection.line().certificate_end().await?;
    let to_do = "renew it: `docker compose up certificates`, `up`, or whoever else makes the certificates";
    Some(ending(format!("certificate of {name}"), end, Timestamp::now(), to_do))
}

fn ending(about: String, end: Timestamp, now: Timestamp, to_do: &'static str) -> Finding {
    let found = format!("valid until {end}");
    match end.duration_since(now) > AHEAD {
        true => Finding::right(about, found),
        false => Finding::wrong(about, found, to_do),
    }
}

/// What the files of this folder say of themselves.
fn certificates(place: &Place, now: Timestamp) -> Vec<Finding> {
    let authority = place.authority();
    let of_authority = match tls::end(&authority) {
        Ok(end) => ending(
            "authority".into(),
            end,
            now,
            "take the new certificate of the authority, which `certificates` makes from the same key",
        ),
        Err(told) => Finding::wrong(
            "authority",
            told,
            "put the authority's certificate there: without it no service can be called",
        ),
    };
    let to_do = "have a new one made by whoever runs the installation";
    let (mut findings, mut right) = (vec![of_authority], Vec::new());
    for name in place.callers() {
        let about = format!("certificate of {name} here");
        match end_of(place, &name, now) {
            Ok(end) if end.duration_since(now) > AHEAD => right.push(end),
            Ok(end) => findings.push(ending(about, end, now, to_do)),
            Err(told) => findings.push(Finding::wrong(about, told, to_do)),
        }
    }
    findings.extend(right.iter().min().map(|first| {
        let found = format!("{} are valid, the first until {first}", right.len());
        Finding::right("certificates here", found)
    }));
    findings
}

/// Until when the certificate that is shown as a caller lasts, or why it cannot be used.
fn end_of(place: &Place, caller: &str, now: Timestamp) -> Result<Timestamp, String> {
    let file = place.certificate(caller);
    tls::usable(&file, now)?;
    match tls::is_signed_by(&file, &place.authority()) {
        true => tls::end(&file),
        false => Err("it is of another authority than ca.pem".into()),
    }
}

/// Whether the service takes the certificate that is shown.
async fn taken(place: &Place, connection: &Connection, service: ServiceName, caller: Option<&str>) -> Option<Finding> {
    let (_, method) = ASKED.into_iter().find(|(asked, _)| *asked == service)?;
    let caller = caller?;
    let about = format!("{caller} at {}", service.as_str());
    if !place.may(caller, &format!("/{method}")) {
        return None;
    }
    Some(match connection.call(method, &json!({ "pageSize": 1 })).await {
        Ok(_) => Finding::right(about, "known"),
        Err(failure) => Finding::wrong(
            about,
            failure.to_string(),
            "what the reason says; a certificate that is revoked or unknown is replaced by whoever runs the installation",
        ),
    })
}

/// Whether a service's due dates follow the calendar, by its metrics.
async fn following(name: &str, connection: &Connection, port: u16) -> Finding {
    let about = format!("due dates of {name}");
    let page = tokio::time::timeout(ANSWER, metrics(&connection.line().host(), port)).await;
    let lag = page.ok().and_then(Result::ok).and_then(|page| value(&page, FEED_LAG));
    match lag {
        None => Finding::new(
            about,
            State::Unknown,
            format!("no metrics on port {port}"),
            "ask from where the health ports are reached: within the services' network",
        ),
        Some(lag) if lag <= BEHIND => Finding::right(about, "they follow the calendar"),
        Some(lag) => Finding::wrong(
            about,
            format!("they have not followed the calendar for {lag} s"),
            "look for `failed; trying again` with the job follow-calendar in its log: the calendar is away, or refuses it",
        ),
    }
}

async fn metrics(host: &str, port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

/// The greatest value of a metric on a page.
fn value(page: &str, metric: &str) -> Option<f64> {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(metric)?;
        let is_it = rest.starts_with(['{', ' ']);
        rest.rsplit(' ').next().filter(|_| is_it)?.parse().ok()
    });
    values.max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(date: &str) -> MetadataMap {
        let mut headers = MetadataMap::new();
        headers.insert("date", date.parse().expect("a header"));
        headers
    }

    #[test]
    fn clocks_that_are_apart_are_told_and_a_second_is_nothing() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().expect("an instant");
        let state = |date: &str| clock("calendar", &headers(date), now).state;
        for (date, expected) in [
            ("Fri, 27 Nov 2026 12:00:00 GMT", State::Right),
            ("Fri, 27 Nov 2026 11:59:56 GMT", State::Right),
            ("Fri, 27 Nov 2026 11:59:54 GMT", State::Wrong),
            ("Fri, 27 Nov 2026 12:01:00 GMT", State::Wrong),
            ("yesterday", State::Unknown),
        ] {
            assert!(state(date) == expected, "{date}");
        }
    }

    #[test]
    fn several_releases_are_wrong_and_another_than_this_programs_is_told() {
        let told = |releases: &[&str]| one_release(releases.iter().map(|one| (*one).to_owned()));
        let state = |releases: &[&str]| told(releases).map(|finding| finding.state);
        let own = RELEASE.as_str();
        assert!(state(&[]).is_none());
        assert!(state(&[own, own]) == Some(State::Right));
        assert!(state(&["9.0.0", "9.0.0"]) == Some(State::Unknown));
        assert!(state(&["9.0.0", own]) == Some(State::Wrong));
    }

    #[test]
    fn a_certificate_is_told_from_two_weeks_before_its_end_on() {
        let end: Timestamp = "2027-01-22T00:00:00Z".parse().expect("an instant");
        let state = |now: &str| ending(String::new(), end, now.parse().expect("an instant"), "").state;
        assert!(state("2027-01-07T23:59:59Z") == State::Right);
        assert!(state("2027-01-08T00:00:00Z") == State::Wrong);
    }

    #[test]
    fn of_a_metric_the_greatest_value_is_read_and_no_other_metrics() {
        let page = "# TYPE lag gauge\nlag{a=\"b c\"} 3\nlag{a=\"d\"} 12\nlag_of_another 99\n";
        assert_eq!(value(page, "lag"), Some(12.0));
        assert_eq!(value(page, "none"), None);
    }

    #[test]
    fn what_is_wrong_with_a_service_that_does_not_answer_decides_what_to_do() {
        for (said, to_do) in [
            (
                "unreachable: no system runs in x and LEGALSTAT_CALENDAR_URL is not set",
                "start the system",
            ),
            ("certificate: it is for another name", "LEGALSTAT_PUBLIC_HOSTS"),
            ("unreachable: no answer within 10s", "migration"),
            ("unreachable: tcp connect error: Connection refused", "whether it runs"),
        ] {
            assert!(away("calendar", said).to_do.contains(to_do), "{said}");
        }
    }
}
