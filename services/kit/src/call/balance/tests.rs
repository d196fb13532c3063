use std::{
    convert::Infallible,
    net::{Ipv4Addr, TcpListener as Listener},
    sync::Mutex,
    time::Duration,
};

use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, CreateCalendarActRequest, calendar_service_client::CalendarServiceClient,
};
use tokio::{net::TcpStream, runtime::Runtime, time::sleep};
use tonic::{
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};

use super::*;

/// How long a state is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// So rarely that no test sees a second look.
const ONCE: Duration = Duration::from_secs(3600);
const OFTEN: Duration = Duration::from_millis(100);

/// What a replica was asked, and whether it answers.
#[derive(Clone)]
struct Replica {
    times: Arc<Mutex<Vec<String>>>,
    answers: Arc<watch::Sender<bool>>,
}

impl NamedService for Replica {
    const NAME: &'static str = "legalstat.calendar.v1.CalendarService";
}

impl tower::Service<http::Request<Body>> for Replica {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let time = request.headers().get("grpc-timeout").expect("a call has a deadline");
        let time = time.to_str().expect("text").to_owned();
        self.times.lock().expect("no test panics here").push(time);
        let mut answers = self.answers.subscribe();
        Box::pin(async move {
            answers.wait_for(|answers| *answers).await.expect("the test goes on");
            // A message without a field.
            let answer = http::Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", "0")
                .body(Body::new(Full::new(Bytes::from_static(&[0; 5]))));
            Ok(answer.expect("it is an answer"))
        })
    }
}

/// A replica in a runtime of its own, which ends at once with all its connections.
struct Process {
    address: SocketAddr,
    replica: Replica,
    runtime: Option<Runtime>,
}

impl Process {
    fn start(listener: Listener) -> Self {
        let replica = Replica {
            times: Arc::default(),
            answers: Arc::new(watch::Sender::new(true)),
        };
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a listener can be");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let service = replica.clone();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it listens");
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
        });
        Self {
            address,
            replica,
            runtime: Some(runtime),
        }
    }

    fn asked(&self) -> usize {
        self.times().len()
    }

    fn times(&self) -> Vec<String> {
        self.replica.times.lock().expect("no test panics here").clone()
    }

    fn answers(&self, answers: bool) {
        self.replica.answers.send_replace(answers);
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Listeners on one port of as many loopback addresses.
fn listeners(count: u8) -> Vec<Listener> {
    let on = |port| (1..=count).map(move |last| Listener::bind((Ipv4Addr::new(127, 0, 0, last), port)));
    loop {
        // A port that is free on the first address.
        let first = Listener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = first.local_addr().expect("it is bound").port();
        drop(first);
        if let Ok(listeners) = on(port).collect() {
            return listeners;
        }
    }
}

fn processes(count: u8) -> Vec<Process> {
    listeners(count).into_iter().map(Process::start).collect()
}

/// A name, the addresses behind it, and how often a connection to each was asked for.
#[derive(Clone, Default)]
struct Name {
    addresses: Arc<Mutex<Option<Vec<SocketAddr>>>>,
    connections: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Name {
    fn of<'a>(addresses: impl IntoIterator<Item = &'a SocketAddr>) -> Self {
        let name = Self::default();
        name.set(addresses);
        name
    }

    fn set<'a>(&self, addresses: impl IntoIterator<Item = &'a SocketAddr>) {
        let addresses = addresses.into_iter().copied().collect();
        *self.addresses.lock().expect("no test panics here") = Some(addresses);
    }

    fn forget(&self) {
        *self.addresses.lock().expect("no test panics here") = None;
    }

    fn connections(&self, address: &SocketAddr) -> usize {
        let connections = self.connections.lock().expect("no test panics here");
        connections.iter().filter(|to| *to == address).count()
    }

    fn channel(&self, every: Duration) -> Balanced {
        let (addresses, connections) = (self.addresses.clone(), self.connections.clone());
        let resolve = move || {
            let addresses = addresses.lock().expect("no test panics here").clone();
            async { addresses.ok_or_else(|| io::Error::other("no such name")) }
        };
        let connect = move |address| {
            connections.lock().expect("no test panics here").push(address);
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
        };
        let endpoint = Endpoint::from_static("http://calendar:8443");
        Balanced::new("calendar", endpoint, every, resolve, connect)
    }
}

/// A channel to these replicas that has tried each of them.
async fn channel(processes: &[Process], every: Duration) -> (Name, Balanced) {
    let name = Name::of(processes.iter().map(|process| &process.address));
    let channel = name.channel(every);
    serves(&channel, processes.len()).await;
    (name, channel)
}

/// Waits until so many addresses are known, and each takes connections.
async fn serves(channel: &Balanced, count: usize) {
    let is_so = || {
        let known = channel.0.subchannels.borrow();
        let known = known.as_deref().unwrap_or_default();
        known.len() == count && known.iter().all(|known| known.rank().0 == 0)
    };
    until("every address serves", is_so).await;
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn ask_within(channel: &Balanced, most: Duration) -> Result<(), Status> {
    let mut request = tonic::Request::new(BatchComputeDeadlinesRequest::default());
    request.set_timeout(most);
    let mut client = CalendarServiceClient::new(channel.clone());
    client.batch_compute_deadlines(request).await.map(drop)
}

async fn ask(channel: &Balanced) -> Result<(), Status> {
    ask_within(channel, PATIENCE).await
}

/// A call that goes on by itself.
fn asking(channel: &Balanced) -> tokio::task::JoinHandle<Result<(), Status>> {
    let channel = channel.clone();
    tokio::spawn(async move { ask(&channel).await })
}

#[tokio::test]
async fn calls_are_spread_over_all_addresses() {
    let processes = processes(3);
    let (_, channel) = channel(&processes, ONCE).await;
    for _ in 0..30 {
        ask(&channel).await.expect("all serve");
    }
    let asked: Vec<usize> = processes.iter().map(Process::asked).collect();
    assert_eq!(asked, [10, 10, 10]);
}

#[tokio::test]
async fn a_slow_address_gets_no_more_calls_while_others_have_fewer_under_way() {
    let processes = processes(2);
    let (_, channel) = channel(&processes, ONCE).await;
    processes[0].answers(false);
    let held = [asking(&channel), asking(&channel)];
    until("one waits", || processes[0].asked() == 1).await;
    for _ in 0..20 {
        ask(&channel).await.expect("the other serves");
    }
    assert_eq!(processes[0].asked(), 1);
    processes[0].answers(true);
    for held in held {
        held.await.expect("it ended").expect("it is answered");
    }
}

#[tokio::test]
async fn a_replica_that_dies_loses_no_call_that_only_reads() {
    let mut processes = processes(2);
    let (_, channel) = channel(&processes, ONCE).await;
    processes.iter().for_each(|process| process.answers(false));
    let held: Vec<_> = (0..8).map(|_| asking(&channel)).collect();
    until("each has half of them", || {
        processes.iter().all(|process| process.asked() == 4)
    })
    .await;
    processes[0].kill();
    processes[1].answers(true);
    for held in held {
        held.await.expect("it ended").expect("the other answers");
    }
    assert_eq!(processes[1].asked(), 8);
    for _ in 0..20 {
        ask(&channel).await.expect("the other serves");
    }
    assert_eq!(processes[1].asked(), 28);
    // Calls that go to the other one have the time that is left.
    let times = processes[1].times();
    let repeated = times.iter().filter_map(|time| time.strip_suffix('m'));
    let repeated: Vec<u128> = repeated.map(|time| time.parse().expect("a number")).collect();
    assert_eq!(repeated.len(), 4, "{times:?}");
    assert!(repeated.iter().all(|time| *time <= PATIENCE.as_millis()), "{times:?}");
}

#[tokio::test]
async fn a_call_that_changes_something_is_sent_once() {
    let mut processes = processes(2);
    let (_, channel) = channel(&processes, ONCE).await;
    processes.iter().for_each(|process| process.answers(false));
    let recording = tokio::spawn(async move {
        let mut request = tonic::Request::new(CreateCalendarActRequest::default());
        request.set_timeout(PATIENCE);
        CalendarServiceClient::new(channel).create_calendar_act(request).await
    });
    let asked = |processes: &[Process]| -> Vec<usize> { processes.iter().map(Process::asked).collect() };
    until("one has it", || asked(&processes).contains(&1)).await;
    let of = usize::from(processes[1].asked() == 1);
    processes[of].kill();
    let failure = recording
        .await
        .expect("it ended")
        .expect_err("nobody knows whether it was done");
    assert_eq!(failure.code(), Code::Unavailable);
    assert_eq!(processes[1 - of].asked(), 0);
}

#[tokio::test]
async fn an_address_that_comes_is_used_and_one_that_goes_ends_no_call() {
    let processes = processes(2);
    let (name, channel) = channel(&processes[..1], OFTEN).await;
    ask(&channel).await.expect("it serves");
    name.set(processes.iter().map(|process| &process.address));
    serves(&channel, 2).await;
    for _ in 0..2 {
        ask(&channel).await.expect("both serve");
    }
    assert_eq!(processes[1].asked(), 1);
    processes[0].answers(false);
    let held = [asking(&channel), asking(&channel)];
    until("one waits", || processes[0].asked() == 3).await;
    name.set([&processes[1].address]);
    serves(&channel, 1).await;
    processes[0].answers(true);
    for held in held {
        held.await.expect("it ended").expect("it is answered");
    }
    for _ in 0..10 {
        ask(&channel).await.expect("the other serves");
    }
    assert_eq!((processes[0].asked(), processes[1].asked()), (3, 12));
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_any_more_keeps_its_addresses() {
    let processes = processes(2);
    let (name, channel) = channel(&processes[..1], OFTEN).await;
    name.forget();
    for _ in 0..10 {
        ask(&channel).await.expect("it serves");
    }
    name.set(processes.iter().map(|process| &process.address));
    serves(&channel, 2).await;
}

#[tokio::test]
async fn a_name_without_addresses_is_away_at_once_and_is_called_when_it_has_some() {
    let name = Name::default();
    let channel = name.channel(OFTEN);
    let failure = ask(&channel).await.expect_err("nobody is known");
    assert_eq!(failure.code(), Code::Unavailable);
    let processes = processes(1);
    name.set([&processes[0].address]);
    serves(&channel, 1).await;
    ask(&channel).await.expect("it serves");
}

#[tokio::test]
async fn an_address_that_refuses_connections_is_called_only_when_it_takes_them_again() {
    let mut listeners = listeners(2);
    let away = listeners.pop().expect("the second").local_addr().expect("it was bound");
    let serving = Process::start(listeners.pop().expect("the first"));
    let name = Name::of([&serving.address, &away]);
    let slow = name.channel(ONCE);
    until("each was tried", || name.connections(&away) == 1).await;
    until("one serves", || {
        slow.0
            .subchannels
            .borrow()
            .as_deref()
            .is_some_and(|known| known.iter().any(|known| known.rank().0 == 0))
    })
    .await;
    for _ in 0..20 {
        ask(&slow).await.expect("the other serves");
    }
    assert_eq!((serving.asked(), name.connections(&away)), (20, 1));

    let channel = name.channel(OFTEN);
    let again = Process::start(Listener::bind(away).expect("the address is free"));
    serves(&channel, 2).await;
    for _ in 0..2 {
        ask(&channel).await.expect("both serve");
    }
    assert_eq!(again.asked(), 1);
}

#[tokio::test]
async fn when_all_are_away_calls_fail_at_once_and_few_of_them_are_repeated() {
    let addresses = listeners(2)
        .into_iter()
        .map(|listener| listener.local_addr().expect("it was bound"));
    let addresses: Vec<SocketAddr> = addresses.collect();
    let name = Name::of(&addresses);
    let channel = name.channel(ONCE);
    let attempts = || addresses.iter().map(|address| name.connections(address)).sum::<usize>();
    until("each was tried", || attempts() == 2).await;
    let began = Instant::now();
    for _ in 0..300 {
        let failure = ask(&channel).await.expect_err("all are away");
        assert_eq!(failure.code(), Code::Unavailable);
    }
    // One in ten, and one a second of the last ten.
    let reserves = usize::try_from(began.elapsed().as_secs()).expect("seconds") / 10 + 2;
    let repeated = attempts() - 2 - 300;
    assert!((10..=30 + 10 * reserves).contains(&repeated), "{repeated}");
}

#[tokio::test]
async fn the_deadline_of_a_call_is_kept_and_it_is_not_repeated_after_it() {
    let processes = processes(2);
    let (_, channel) = channel(&processes, ONCE).await;
    processes.iter().for_each(|process| process.answers(false));
    let failure = ask_within(&channel, Duration::from_millis(200)).await;
    assert_eq!(failure.expect_err("nobody answers").code(), Code::DeadlineExceeded);
    assert!(processes.iter().map(Process::asked).sum::<usize>() <= 1);
}

#[tokio::test]
async fn the_deadline_of_a_call_is_kept_while_no_connection_is_made() {
    let resolve = || async { Ok(vec![SocketAddr::from(([127, 0, 0, 1], 1))]) };
    let connect = |_| std::future::pending::<io::Result<TcpStream>>();
    let endpoint = Endpoint::from_static("http://calendar:8443");
    let channel = Balanced::new("calendar", endpoint, ONCE, resolve, connect);
    let failure = ask_within(&channel, Duration::from_millis(200)).await;
    assert_eq!(failure.expect_err("nobody answers").code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_name_whose_look_up_does_not_end_is_away_before_the_deadline_of_a_call() {
    let resolve = || std::future::pending::<io::Result<Vec<SocketAddr>>>();
    let connect = |_| std::future::pending::<io::Result<TcpStream>>();
    let endpoint = Endpoint::from_static("http://calendar:8443");
    let channel = Balanced::new("calendar", endpoint, ONCE, resolve, connect);
    let failure = ask(&channel).await.expect_err("nobody is known");
    assert_eq!(failure.code(), Code::Unavailable, "{failure}");
}
