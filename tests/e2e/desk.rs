//! Intake among the calendar and the form registry that it asks, with a clock that a test sets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::harness::{Ground, Running};
use legalstat_proto::{
    common::v1 as common,
    forms::v1::{
        BatchCreateIndicatorsRequest, GetPunctualityRequest, Indicator,
        form_registry_service_client::FormRegistryServiceClient,
    },
    requests::v1::request_intake_service_client::RequestIntakeServiceClient,
};
use legalstat_test_support::calls::answered;
use tonic::transport::Channel;
use uuid::Uuid;

/// The day of the calendar and of the registry, after all receipts.
const TODAY: &str = "2026-06-01T10:00:00+05:00";
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn today() -> Timestamp {
    TODAY.parse().expect("an instant")
}

/// Intake among the services that it asks.
pub(crate) struct Desk {
    pub(crate) clients: BTreeMap<&'static str, RequestIntakeServiceClient<Channel>>,
    _intake: Running,
    _registry: Running,
    _calendar: Running,
    _files: [tempfile::TempDir; 2],
    clock: Arc<Mutex<Timestamp>>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::beside(Running::start(&legalstat_calendar::SERVICE, &[], today).await).await
    }

    pub(crate) async fn beside(calendar: Running) -> Self {
        let files = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let folder = |of: usize| ("LEGALSTAT_FILES", files[of].path().display().to_string());
        let calendar_url = ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned());
        let settings = [calendar_url.clone(), folder(0)];
        let registry = Running::start(&legalstat_form_registry::SERVICE, &settings, today).await;
        enter_indicators(&registry).await;
        let clock = Arc::new(Mutex::new(today()));
        let told = Arc::clone(&clock);
        let settings = [
            calendar_url,
            ("LEGALSTAT_FORM_REGISTRY_URL", registry.url().to_owned()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
            folder(1),
        ];
        let tell = move || *told.lock().expect("no test panics here");
        let intake = Running::start(&legalstat_request_intake::SERVICE, &settings, tell).await;
        let client = |caller| (caller, RequestIntakeServiceClient::new(intake.channel(Some(caller))));
        Self {
            clients: ["edms", "kadagalau", "operator"].map(client).into(),
            _intake: intake,
            _registry: registry,
            _calendar: calendar,
            _files: files,
            clock,
        }
    }

    pub(crate) fn set_clock(&self, now: Timestamp) {
        *self.clock.lock().expect("no test panics here") = now;
    }
}

/// Two indicators of form 1, one of them restricted, in force since the Instruction.
async fn enter_indicators(registry: &Running) {
    let client = FormRegistryServiceClient::new(registry.channel(Some("operator")));
    let punctuality = GetPunctualityRequest {
        year: 2019,
        ..Default::default()
    };
    // Until then the schedule is not made.
    answered(&client, &punctuality, |mut client, punctuality| async move {
        client.get_punctuality(punctuality).await
    })
    .await;
    let indicator = |code: &str, restricted| Indicator {
        code: code.into(),
        title: Some(common::LocalizedText {
            en: format!("Registered {code}"),
            ..Default::default()
        }),
        unit: "CRIME".into(),
        measure: "number".into(),
        restricted,
        valid_from: Some(common::Date {
            year: 2019,
            month: 4,
            day: 15,
        }),
        legal_basis: Some(common::LegalBasis {
            act: "Order No. 7".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let create = BatchCreateIndicatorsRequest {
        parent: "forms/1".into(),
        indicators: vec![indicator("crimes", false), indicator("secrets", true)],
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, b"indicators").to_string(),
        ..Default::default()
    };
    answered(&client, &create, |mut client, create| async move {
        client.batch_create_indicators(create).await
    })
    .await;
}
