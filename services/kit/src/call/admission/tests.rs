use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures::StreamExt as _;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use tokio::task::{JoinHandle, JoinSet};
use tonic::Code;
use tower::{Layer as _, Service as _, service_fn};

use super::*;
use crate::Caller;

fn limits() -> Shares {
    Shares::read(&mut Environment::default(), 8).expect("the defaults")
}

#[test]
fn every_method_has_the_class_of_what_it_does() {
    let of = |method: &str| {
        let mut found = CLASSES.iter().filter(|(path, _)| path.ends_with(method));
        let class = found.next().map(|(_, class)| *class);
        class.unwrap_or_else(|| panic!("there is no {method}"))
    };
    for (class, methods) in [
        (Class::Read, &["/GetDay", "/ComputeDeadline", "/GetRequest"][..]),
        (
            Class::List,
            &[
                "/ListDays",
                "/BatchComputeDeadlines",
                "/PreviewRecompute",
                "/GetPunctuality",
                "/QueryObservations",
                "/GetOpenDataPackage",
            ],
        ),
        (Class::Write, &["/SubmitRequest", "/PlaceEdition", "/CreateCalendarAct"]),
        (Class::Upload, &["/UploadEditionFile", "/UploadEditionContent"]),
        (Class::Download, &["/DownloadEditionFile", "/DownloadCopy"]),
        (Class::Watch, &["/WatchCalendar"]),
    ] {
        for method in methods {
            assert_eq!(of(method), class, "{method}");
        }
    }
}

#[test]
fn what_gives_pages_is_no_reading_of_one_thing() {
    let services = legalstat_proto::descriptors().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let paged: Vec<String> = methods
        .filter(|method| method.input().get_field_by_name("page_size").is_some())
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect();
    assert!(paged.iter().any(|path| path.ends_with("/QueryObservations")));
    for path in paged {
        assert_eq!(CLASSES.get(path.as_str()), Some(&Class::List), "{path}");
    }
}

#[test]
fn who_calls_decides_before_what_is_called() {
    let caller = |role| Caller {
        name: "name".into(),
        roles: vec![role],
    };
    let class = |caller: Option<Caller>, method| {
        let peer = Peer {
            address: ([127, 0, 0, 1], 1).into(),
            caller: caller.map(Arc::new),
            problem: None,
        };
        of_call(&Call::new(Some(&peer), method)).0
    };
    let list = "/legalstat.forms.v1.FormRegistryService/ListEditions";
    let download = "/legalstat.forms.v1.FormRegistryService/DownloadEditionFile";
    assert_eq!(class(None, list), Class::Public);
    assert_eq!(class(None, download), Class::PublicDownload);
    assert_eq!(class(Some(caller(Role::Operator)), list), Class::List);
    assert_eq!(class(Some(caller(Role::Operator)), download), Class::Download);
    assert_eq!(class(Some(caller(Role::Service)), list), Class::Service);
}

#[test]
fn lists_and_strangers_leave_half_of_the_connections_for_reading() {
    for (class, at_work) in [(Class::List, 4), (Class::Public, 4)] {
        let limit = limits().0.into_iter().find(|limit| limit.class == class);
        assert_eq!(limit.expect("it has a limit").numbers.at_work, at_work, "{class:?}");
    }
}

const GET_DAY: &str = "/legalstat.calendar.v1.CalendarService/GetDay";
const DOWNLOAD: &str = "/legalstat.forms.v1.FormRegistryService/DownloadEditionFile";

type Answer = Result<http::Response<Body>, Infallible>;

fn address(number: u8) -> SocketAddr {
    ([127, 0, 0, number], 1).into()
}

fn request(method: &'static str, address: SocketAddr, body: Body) -> http::Request<Body> {
    let peer = Peer {
        address,
        caller: None,
        problem: None,
    };
    let mut request = http::Request::new(body);
    request.extensions_mut().insert(Call::new(Some(&peer), method));
    request
}

/// The message of a call, all of it.
fn whole() -> Body {
    Body::new(Full::from(&[0; 5][..]))
}

async fn endless(_: http::Request<Body>) -> Answer {
    std::future::pending().await
}

/// An answer at once, and its first message never.
async fn begun(_: http::Request<Body>) -> Answer {
    Ok(http::Response::new(Body::new(StreamBody::new(
        futures::stream::pending::<Result<Frame<Bytes>, Status>>(),
    ))))
}

async fn greeting(_: http::Request<Body>) -> Answer {
    Ok(http::Response::new(Body::empty()))
}

/// The code of a refusal, and the answer, which has its places as long as it is kept.
fn answered<F: Future<Output = Answer> + Send + 'static>(
    layer: &AdmissionLayer,
    inner: impl Fn(http::Request<Body>) -> F + Clone + Send + 'static,
    request: http::Request<Body>,
) -> JoinHandle<(Option<Code>, http::Response<Body>)> {
    let answered = layer.layer(service_fn(inner)).call(request);
    tokio::spawn(async move {
        let Ok(response) = answered.await;
        let refused = Status::from_header_map(response.headers()).map(|status| status.code());
        (refused, response)
    })
}

#[tokio::test]
async fn downloads_of_one_address_leave_places_for_another() {
    let layer = AdmissionLayer::new(&limits());
    let download = |number| answered(&layer, begun, request(DOWNLOAD, address(number), Body::empty()));
    let (mut began, mut refused) = (Vec::new(), 0);
    let mut of_one: JoinSet<_> = (0..8).map(|_| download(1)).collect();
    // Two are at work, four wait, and for the others there is no room.
    while began.len() + refused < 4 {
        match of_one
            .join_next()
            .await
            .expect("some are left")
            .expect("no panic")
            .expect("no panic")
        {
            (None, response) => began.push(response),
            (Some(code), _) => {
                assert_eq!(code, Code::ResourceExhausted);
                refused += 1;
            }
        }
    }
    assert_eq!((began.len(), refused), (2, 2));
    let (code, _) = download(2).await.expect("no panic");
    assert_eq!(code, None, "another address has its share");
    drop(began);
    for _ in 0..2 {
        let next = of_one.join_next().await.expect("two are left").expect("no panic");
        assert_eq!(next.expect("no panic").0, None, "the places are free again");
    }
}

#[tokio::test]
async fn a_known_caller_leaves_half_of_the_places_and_a_service_takes_them_all() {
    let layer = AdmissionLayer::new(&limits());
    let at_work = Arc::new(AtomicUsize::new(0));
    let count = |name: &str, role, calls: usize| {
        for _ in 0..calls {
            let peer = Peer {
                address: address(1),
                caller: Some(Arc::new(Caller {
                    name: name.into(),
                    roles: vec![role],
                })),
                problem: None,
            };
            let mut request = http::Request::new(whole());
            let method = "/legalstat.requests.v1.RequestIntakeService/SubmitRequest";
            request.extensions_mut().insert(Call::new(Some(&peer), method));
            let at_work = Arc::clone(&at_work);
            let inner = move |request| {
                at_work.fetch_add(1, Ordering::Relaxed);
                endless(request)
            };
            answered(&layer, inner, request);
        }
    };
    let until = async |expected| {
        let reached = async {
            while at_work.load(Ordering::Relaxed) < expected {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached)
            .await
            .expect("it is reached");
        // Whoever else could begin would have by now.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(at_work.swap(0, Ordering::Relaxed), expected);
    };
    count("edms", Role::Edms, 300);
    until(128).await;
    count("another", Role::Edms, 128);
    until(128).await;
    count("form-registry", Role::Service, 64);
    until(64).await;
}

#[tokio::test]
async fn half_messages_keep_nobody_from_a_place() {
    let layer = AdmissionLayer::new(&limits());
    let halves: Vec<_> = (0..4)
        .map(|number| {
            let half = futures::stream::iter([Ok::<_, Status>(Frame::data(Bytes::from_static(&[0, 0])))]);
            let half = half.chain(futures::stream::pending());
            let half = request(GET_DAY, address(number), Body::new(StreamBody::new(half)));
            answered(&layer, greeting, half)
        })
        .collect();
    tokio::task::yield_now().await;
    let other = request(GET_DAY, address(9), whole());
    assert_eq!(answered(&layer, greeting, other).await.expect("no panic").0, None);
    assert!(halves.iter().all(|half| !half.is_finished()));
}

#[tokio::test]
async fn one_call_more_than_may_wait_is_refused_at_once_and_one_that_waits_in_vain_after_a_moment() {
    let layer = AdmissionLayer::new(&limits());
    let mut callers = (0..4 + 64).map(address).cycle();
    let mut call = || {
        let request = request(GET_DAY, callers.next().expect("it goes round"), whole());
        answered(&layer, endless, request)
    };
    let began = tokio::time::Instant::now();
    let mut calls: Vec<_> = (0..4 + 64).map(|_| call()).collect();
    tokio::task::yield_now().await;
    let refused = call().await.expect("it does not panic");
    assert_eq!(refused.0, Some(Code::ResourceExhausted));
    assert!(calls.iter().all(|call| !call.is_finished()));
    for waiting in calls.split_off(4) {
        let refused = waiting.await.expect("it does not panic");
        assert_eq!(refused.0, Some(Code::ResourceExhausted));
    }
    assert!(began.elapsed() >= Duration::from_millis(300));
    // Those at work lose their places with their callers, and others take them.
    assert!(calls.iter().all(|call| !call.is_finished()));
    calls.into_iter().for_each(|call| call.abort());
    tokio::task::yield_now().await;
    let next: Vec<_> = (0..4 + 64).map(|_| call()).collect();
    let (refused, _) = futures::future::select_all(next).await.0.expect("it does not panic");
    assert_eq!(refused, Some(Code::ResourceExhausted));
}
