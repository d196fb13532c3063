//! What `proto/README.md` promises to callers of whom something is unusual, on a running system: their language, their release,
//! their token, their pings.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper_util::rt::TokioIo;
use legalstat_kit::told;
use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::{
    calendar::v1::{
        DayKind, GetDayRequest, RequesterKind, WatchCalendarRequest, calendar_service_client::CalendarServiceClient,
    },
    collections::v1::{
        WatchCopiesRequest, collection_distribution_service_client::CollectionDistributionServiceClient,
    },
    common::v1::{ErrorReason, FieldReason},
    forms::v1::{WatchFormsRequest, form_registry_service_client::FormRegistryServiceClient},
    requests::v1::{
        self as requests, Item, ItemKind, ListRequestsRequest, Request, Requester, SubmitRequestRequest,
        WatchRequestsRequest, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use prost::Message as _;
use tokio::net::TcpStream;
use tonic::{Status, metadata::AsciiMetadataValue, transport::Channel};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use crate::methods::{Beside, answer, refusal};

fn beside() -> Beside {
    tokio::task::block_in_place(Beside::start)
}

fn end(system: Beside) {
    tokio::task::block_in_place(|| drop(system));
}

fn intake(system: &Beside, caller: &str) -> RequestIntakeServiceClient<Channel> {
    RequestIntakeServiceClient::new(system.system.channel("request-intake", Some(caller)))
}

/// A message with a header.
fn with<T>(message: T, header: &'static str, value: &'static str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = AsciiMetadataValue::from_static(value);
    request.metadata_mut().insert(header, value);
    request
}

/// A person's request that one would do well to read again; `requester` and `item` change it.
fn submission(requester: Requester, item: Item) -> SubmitRequestRequest {
    let request = Request {
        requester: Some(Requester {
            full_name: "Asel".into(),
            ..requester
        }),
        channel: requests::Channel::Oral.into(),
        language: requests::Language::Kk.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            ..item
        }],
        ..Default::default()
    };
    SubmitRequestRequest {
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &request.encode_to_vec()).to_string(),
        request: Some(request),
        validate_only: false,
    }
}

fn person() -> Requester {
    Requester {
        kind: RequesterKind::Individual.into(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_language_of_accept_language_and_else_as_the_guide_says() {
    let system = beside();
    let asked = async |language: &'static str| -> ErrorDetails {
        let mut client = CalendarServiceClient::new(system.system.channel("calendar", None));
        let request = with(GetDayRequest::default(), "accept-language", language);
        let status = client.get_day(request).await.expect_err("no day is named");
        assert!(status.message().is_ascii(), "the message stays English: {status:?}");
        status.get_error_details()
    };
    let (error, field) = (
        told::error(ErrorReason::InvalidFields),
        told::field(FieldReason::ResourceName),
    );
    for (wanted, locale, text, of_field) in [
        ("ru-KZ, en;q=0.5", "ru", error.ru, field.ru),
        ("kk", "kk", error.kk, field.kk),
        ("de", "en", error.en, field.en),
    ] {
        let details = asked(wanted).await;
        let message = details.localized_message().expect("a language is asked for");
        assert_eq!((message.locale.as_str(), message.message.as_str()), (locale, text));
        let violation = &details.bad_request().expect("a field is wrong").field_violations[0];
        assert_eq!(violation.reason, "RESOURCE_NAME");
        let of_violation = violation.localized_message.as_ref().expect("it has a text too");
        assert_eq!(of_violation.message, of_field);
    }
    assert!(asked("").await.localized_message().is_none());

    // Before a method is reached, too.
    let mut stranger = RequestIntakeServiceClient::new(system.system.channel("request-intake", None));
    let request = with(ListRequestsRequest::default(), "accept-language", "ru");
    let refused = stranger.list_requests(request).await.expect_err("it is not public");
    let details = refused.get_error_details();
    let message = details.localized_message().expect("a language is asked for");
    assert_eq!(message.message, told::error(ErrorReason::CertificateRequired).ru);
    end(system);
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_that_only_a_submission_has_reach_its_sender_with_their_reasons() {
    let system = beside();
    let mut operator = intake(&system, "operator");
    let mut refused = async |requester: Requester, item: Item| {
        let answer = operator.submit_request(submission(requester, item)).await;
        violations(answer)
    };
    let until = |period: &str, until_period: &str| Item {
        period: period.into(),
        until_period: until_period.into(),
        ..Default::default()
    };
    for (item, reason) in [
        (until("", "2025-Q4"), "WITHOUT_PERIOD"),
        (until("2025-Q1", "2025-M12"), "OTHER_KIND"),
        (until("2025-Q4", "2025-Q1"), "BEFORE_PERIOD"),
    ] {
        let expected = pairs(&[("request.items[0].until_period", reason)]);
        assert_eq!(refused(person(), item).await, expected);
    }
    let with_bin = Requester {
        bin: "940740000911".into(),
        ..person()
    };
    let expected = pairs(&[("request.requester.bin", "NOT_OF_KIND")]);
    assert_eq!(refused(with_bin, Item::default()).await, expected);

    let received = async |operator: &mut RequestIntakeServiceClient<Channel>, seconds, nanos| {
        let mut message = submission(person(), Item::default());
        let request = message.request.as_mut().expect("it has one");
        request.received_at = Some(prost_types::Timestamp { seconds, nanos });
        violations(operator.submit_request(message).await)
    };
    let mut operator = intake(&system, "operator");
    let at = |reason| pairs(&[("request.received_at", reason)]);
    assert_eq!(received(&mut operator, 0, 0).await, at("BEFORE_RULES"));
    assert_eq!(received(&mut operator, 0, -1).await, at("TIMESTAMP"));

    let upload = "requests.v1.RequestIntakeService/UploadAttachment";
    let unreadable = refusal(&system, "request-intake", upload, Some("edms"), vec![0xff; 3]).await;
    let unreadable = violations(Err::<(), Status>(unreadable.expect("it cannot be read")));
    assert_eq!(unreadable, pairs(&[("chunk", "UNREADABLE")]));
    end(system);
}

/// A day as an older release may have had it: of a name and of fewer kinds.
#[derive(Clone, PartialEq, prost::Message)]
struct OlderDay {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(enumeration = "OlderKind", tag = "4")]
    kind: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum OlderKind {
    Unspecified = 0,
    Working = 1,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_release_is_answered_and_a_value_that_is_not_known_here_is_refused() {
    let system = beside();
    // A newer client sends a field that is not known here: number 2000, a text.
    let mut newer = GetDayRequest {
        name: "days/2019-07-14".into(),
        as_known_at: None,
        languages: Vec::new(),
    }
    .encode_to_vec();
    newer.extend([0x82, 0x7d, 3, b'n', b'e', b'w']);
    let day = "calendar.v1.CalendarService/GetDay";
    let answered = answer(&system, "calendar", day, None, newer).await;
    let answered = answered.expect("what is not known is passed over");
    // An older client does so too: it keeps what it knows of the answer, and a value that it does not know is none to it.
    let older = OlderDay::decode(answered.as_slice()).expect("it is readable");
    assert_eq!(
        (older.name.as_str(), older.kind),
        ("days/2019-07-14", i32::from(DayKind::Weekend))
    );
    assert_eq!(older.kind(), OlderKind::Unspecified);
    // A value of an enumeration that is not known here is refused.
    let mut operator = intake(&system, "operator");
    let mut message = submission(person(), Item::default());
    message.request.as_mut().expect("it has one").channel = 4000;
    let refused = violations(operator.submit_request(message).await);
    assert_eq!(refused, pairs(&[("request.channel", "ENUM")]));
    end(system);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_feed_is_refused_at_every_feed() {
    let system = beside();
    let mut operator = intake(&system, "operator");
    let submitted = operator.submit_request(submission(person(), Item::default())).await;
    submitted.expect("a person may ask for little");
    let feed = operator.watch_requests(WatchRequestsRequest::default()).await;
    let first = feed.expect("it is watched").into_inner().message().await;
    let resume_token = first.expect("it goes on").expect("a request came").resume_token;
    assert!(!resume_token.is_empty());

    let channel = |service: &str| system.system.channel(service, Some("operator"));
    let expected = || pairs(&[("resume_token", "TOKEN")]);
    let create = "forms code-lists create GRAVITY --title-kk Ауырлығы --title-ru Тяжесть --title-en Gravity --act Code";
    let create: Vec<&str> = create.split(' ').collect();
    let created = tokio::task::block_in_place(|| system.system.run(&create));
    assert!(created.status.success(), "{created:?}");
    let forms = FormRegistryServiceClient::new(channel("form-registry"));
    let feed = { forms }.watch_forms(WatchFormsRequest::default()).await;
    let first = feed.expect("it is watched").into_inner().message().await;
    let of_forms = first.expect("it goes on").expect("a code list was made").resume_token;
    assert!(!of_forms.is_empty());
    let request = WatchRequestsRequest {
        resume_token: of_forms,
        ..Default::default()
    };
    assert_eq!(violations(operator.watch_requests(request).await.map(drop)), expected());
    let request = WatchFormsRequest {
        resume_token: resume_token.clone(),
        ..Default::default()
    };
    let forms = FormRegistryServiceClient::new(channel("form-registry"))
        .watch_forms(request)
        .await;
    assert_eq!(violations(forms.map(drop)), expected());
    let request = WatchCopiesRequest {
        resume_token: resume_token.clone(),
        ..Default::default()
    };
    let copies = CollectionDistributionServiceClient::new(channel("collection-distribution"));
    let copies = { copies }.watch_copies(request).await;
    assert_eq!(violations(copies.map(drop)), expected());
    let request = WatchCalendarRequest {
        resume_token,
        ..Default::default()
    };
    let calendar = CalendarServiceClient::new(channel("calendar"))
        .watch_calendar(request)
        .await;
    assert_eq!(violations(calendar.map(drop)), expected());
    end(system);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pings_too_often_is_answered_all_the_same() {
    let system = beside();
    let ca = std::fs::read(system.system.home().join("certificates/ca.pem")).expect("it runs");
    let tls = tonic::transport::ClientTlsConfig::new().ca_certificate(tonic::transport::Certificate::from_pem(ca));
    let pinging = tonic::transport::Endpoint::from_shared(system.system.url("calendar"))
        .and_then(|endpoint| endpoint.tls_config(tls))
        .expect("an address")
        .http2_keep_alive_interval(Duration::from_millis(1))
        .keep_alive_timeout(Duration::from_secs(60))
        .keep_alive_while_idle(true);
    // Whoever is thrown out connects again by itself, so the connections are counted.
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let connector = tower::service_fn(move |address: http::Uri| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let authority = address.authority().expect("an address").as_str().to_owned();
            Ok::<_, std::io::Error>(TokioIo::new(TcpStream::connect(authority).await?))
        }
    });
    let channel = pinging
        .connect_with_connector(connector)
        .await
        .expect("the system runs");
    let mut client = CalendarServiceClient::new(channel);
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let name = "days/2019-07-14".into();
        let day = client
            .get_day(GetDayRequest {
                name,
                as_known_at: None,
                languages: Vec::new(),
            })
            .await;
        day.expect("pings are no reason to refuse");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1, "nobody is thrown out for them");
    end(system);
}
