//! The form registry, with a calendar that nobody cuts.

use std::{sync::Mutex, time::Duration};

use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    calendar::v1::{PreviewRecomputeRequest, preview_recompute_request::Change},
    forms::v1::{
        AvailabilityItem, Channel as Place, CheckAvailabilityRequest, CorrectEditionRequest, DeclareNilEditionRequest,
        DeleteEditionFileRequest, DeleteObservationsRequest, DownloadEditionFileRequest, Edition, EditionState,
        GetEditionRequest, GetFormRequest, GetPunctualityRequest, ListEditionsRequest, ListEditionsResponse,
        ListFormsRequest, ListPlacementsRequest, ListScheduleRequest, PlaceEditionRequest, SealEditionRequest,
        SetEmbargoRequest, UploadEditionFileHeader, UploadEditionFileRequest, WithdrawEditionRequest,
        form_registry_service_client::FormRegistryServiceClient, upload_edition_file_request::Part,
    },
    journal::v1::ListEntriesRequest,
};
use prost::Message;
use tempfile::TempDir;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use super::{
    House, figures,
    registered::Register,
    storm::Stormy,
    watched::{Watched, clock},
};
use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.forms.v1.FormRegistryService/", $method)
    };
}

/// How long the schedule may take to be whole.
const PATIENCE: Duration = Duration::from_secs(120);
/// The edition that is placed from the beginning.
const PLACED: &str = "forms/4/editions/2025-M01";
/// An edition that stays without a file.
const EMPTY: &str = "forms/4/editions/2025-M02";
/// Monthly forms, whose editions the calls are about.
const MONTHLY: [i32; 3] = [1, 5, 7];

pub struct Forms {
    watched: Watched,
    operator: Channel,
    anyone: Channel,
    administrator: Channel,
    register: Register,
    /// Editions that no call was about yet.
    unused: Mutex<Vec<String>>,
    /// An edition that the last call placed.
    placed: Mutex<Option<String>>,
    _around: (Running, TempDir),
}

/// Waits until a form registry has computed its schedule.
pub async fn until_whole(running: &Running) {
    let mut client = FormRegistryServiceClient::new(running.channel(None));
    let asked = GetPunctualityRequest {
        year: 2025,
        ..Default::default()
    };
    let whole = async {
        while client.get_punctuality(asked.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, whole)
        .await
        .expect("the schedule is whole in time");
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// The edition that one of the calls side by side uploads to, again and again.
fn own(place: usize) -> String {
    format!("forms/4/editions/2024-M{:02}", place + 1)
}

/// A call that uploads content to an edition.
pub fn upload(channel: &Channel, name: &str, content: &str) -> Call {
    let header = Part::Header(UploadEditionFileHeader {
        name: name.into(),
        filename: "form.csv".into(),
        content_type: "text/csv".into(),
        request_id: new_id(),
        ..Default::default()
    });
    let parts = [header, Part::Chunk(content.as_bytes().to_vec())];
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) }.encode_to_vec());
    Call::streamed(channel, path!("UploadEditionFile"), messages.to_vec())
}

/// A call that places an edition.
pub fn place(channel: &Channel, name: &str) -> Call {
    let message = PlaceEditionRequest {
        name: name.into(),
        channel: Place::InformationService.into(),
        request_id: new_id(),
        ..Default::default()
    };
    Call::new(channel, path!("PlaceEdition"), &message)
}

/// A call that seals an edition.
pub fn seal(channel: &Channel, name: &str) -> Call {
    let message = SealEditionRequest {
        name: name.into(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(channel, path!("SealEdition"), &message)
}

/// A call that changes an edition otherwise.
fn change(channel: &Channel, method: &str, name: &str) -> Option<Call> {
    let (name, reason, request_id) = (name.to_owned(), "a mistake".to_owned(), new_id());
    Some(match method {
        "CorrectEdition" => Call::new(
            channel,
            path!("CorrectEdition"),
            &CorrectEditionRequest {
                name,
                reason,
                request_id,
                validate_only: false,
            },
        ),
        "WithdrawEdition" => Call::new(
            channel,
            path!("WithdrawEdition"),
            &WithdrawEditionRequest {
                name,
                reason,
                request_id,
                validate_only: false,
            },
        ),
        "DeclareNilEdition" => Call::new(
            channel,
            path!("DeclareNilEdition"),
            &DeclareNilEditionRequest {
                name,
                reason,
                request_id,
                validate_only: false,
            },
        ),
        "SetEmbargo" => Call::new(
            channel,
            path!("SetEmbargo"),
            &SetEmbargoRequest {
                name,
                reason,
                request_id,
                ..Default::default()
            },
        ),
        "DeleteEditionFile" => Call::new(
            channel,
            path!("DeleteEditionFile"),
            &DeleteEditionFileRequest {
                name,
                filename: "form.csv".into(),
                request_id,
                validate_only: false,
            },
        ),
        "DeleteObservations" => Call::new(
            channel,
            path!("DeleteObservations"),
            &DeleteObservationsRequest {
                name,
                request_id,
                validate_only: false,
            },
        ),
        _ => return None,
    })
}

/// A call that reads an edition.
pub fn get(channel: &Channel, name: &str) -> Call {
    Call::new(
        channel,
        path!("GetEdition"),
        &GetEditionRequest {
            name: name.into(),
            ..Default::default()
        },
    )
}

impl Forms {
    fn list(&self, form: &str, year: i32) -> Call {
        let message = ListEditionsRequest {
            parent: form.into(),
            year,
            ..Default::default()
        };
        Call::new(&self.operator, path!("ListEditions"), &message)
    }

    fn next(&self) -> Option<String> {
        self.unused.lock().expect("no test panics here").pop()
    }

    fn expect(&self, placed: Option<String>) {
        *self.placed.lock().expect("no test panics here") = placed;
    }

    fn reading(&self, method: &str) -> Option<Call> {
        let (anyone, operator) = (&self.anyone, &self.operator);
        Some(match method {
            "ListForms" => Call::new(anyone, path!("ListForms"), &ListFormsRequest::default()),
            "GetForm" => Call::new(
                anyone,
                path!("GetForm"),
                &GetFormRequest {
                    name: "forms/1".into(),
                    as_of: None,
                    languages: Vec::new(),
                },
            ),
            "ListSchedule" => Call::new(
                anyone,
                path!("ListSchedule"),
                &ListScheduleRequest {
                    year: 2025,
                    ..Default::default()
                },
            ),
            "ListEditions" => self.list("forms/-", 2025),
            "GetEdition" => get(anyone, PLACED),
            "DownloadEditionFile" => Call::new(
                anyone,
                path!("DownloadEditionFile"),
                &DownloadEditionFileRequest {
                    name: PLACED.into(),
                    ..Default::default()
                },
            ),
            "ListPlacements" => Call::new(
                anyone,
                path!("ListPlacements"),
                &ListPlacementsRequest {
                    parent: "forms/-/editions/-".into(),
                    ..Default::default()
                },
            ),
            "GetPunctuality" => Call::new(
                anyone,
                path!("GetPunctuality"),
                &GetPunctualityRequest {
                    year: 2025,
                    ..Default::default()
                },
            ),
            "CheckAvailability" => Call::new(operator, path!("CheckAvailability"), &available()),
            "PreviewRecompute" => Call::new(operator, path!("PreviewRecompute"), &preview()),
            "ListEntries" => Call::new(
                &self.administrator,
                "/legalstat.journal.v1.JournalService/ListEntries",
                &ListEntriesRequest::default(),
            ),
            _ => return None,
        })
    }

    /// Checks the edition that the last call placed, if it placed one.
    pub async fn last_is_placed(&self) -> Result<(), String> {
        let placed = self.placed.lock().expect("no test panics here").clone();
        match placed {
            Some(name) => self.must_be_placed(&name).await,
            None => Ok(()),
        }
    }

    async fn must_be_placed(&self, name: &str) -> Result<(), String> {
        let edition: Edition = get(&self.anyone, name).read().await?;
        if edition.state() == EditionState::Placed {
            return Ok(());
        }
        Err(format!("{name} was placed, and reads as {:?}", edition.state()))
    }
}

fn available() -> CheckAvailabilityRequest {
    CheckAvailabilityRequest {
        items: vec![AvailabilityItem {
            form: "forms/4".into(),
            period: "2025-M01".into(),
            ..AvailabilityItem::default()
        }],
        ..Default::default()
    }
}

fn preview() -> PreviewRecomputeRequest {
    PreviewRecomputeRequest {
        change: Some(Change::CalendarAct(super::calendar::act(1))),
    }
}

impl House for Forms {
    const NAME: &'static str = "form-registry";
    const CONTRACT: &'static str = "legalstat.forms.v1.FormRegistryService";
    const METHODS: &'static [&'static str] = &[
        "ListForms",
        "GetForm",
        "ListSchedule",
        "ListEditions",
        "GetEdition",
        "UploadEditionFile",
        "DownloadEditionFile",
        "DeleteEditionFile",
        "SealEdition",
        "PlaceEdition",
        "CorrectEdition",
        "WithdrawEdition",
        "DeclareNilEdition",
        "SetEmbargo",
        "ListPlacements",
        "GetPunctuality",
        "CheckAvailability",
        "PreviewRecompute",
        "CreateCodeList",
        "ListCodeLists",
        "BatchCreateCodes",
        "RetireCodes",
        "ListCodes",
        "BatchCreateIndicators",
        "RetireIndicators",
        "ListIndicators",
        "BatchCreateDetails",
        "RetireDetails",
        "ListDetails",
        "CreateTotalRule",
        "ListTotalRules",
        "ImportObservations",
        "DeleteObservations",
        "QueryObservations",
        "CreateForm",
        "UpdateForm",
        "RetireForm",
        "ListFormVersions",
        "GetAnsweringDay",
        "SetAnsweringDay",
        "CreateOpenDataEntry",
        "EndOpenDataEntry",
        "ListOpenDataEntries",
        "GetOpenDataPackage",
        "DownloadOpenDataFile",
        "GetEditionFileUpload",
        "WatchForms",
        "ListEntries",
    ];

    async fn start(connections: u32) -> Self {
        let (clock, files) = (clock(), tempfile::tempdir().expect("a folder"));
        let calendar = Running::start(&legalstat_calendar::SERVICE, &[], clock.clone()).await;
        let settings = [
            ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned()),
            ("LEGALSTAT_FILES", files.path().display().to_string()),
        ];
        let watched = Watched::start(connections, &legalstat_form_registry::SERVICE, &settings, clock).await;
        until_whole(&watched.running).await;
        let months = (2020..=2025).flat_map(|year| (1..=12).map(move |month| (year, month)));
        let unused =
            months.flat_map(|(year, month)| MONTHLY.map(|form| format!("forms/{form}/editions/{year}-M{month:02}")));
        let [operator, administrator] = ["operator", "administrator"].map(|name| watched.running.channel(Some(name)));
        for call in [
            upload(&operator, PLACED, "placed"),
            seal(&operator, PLACED),
            place(&operator, PLACED),
        ] {
            call.make(None).await.expect("the first edition is placed");
        }
        for call in figures::registers(&operator, &MONTHLY) {
            call.make(None).await.expect("what figures are of is entered");
        }
        Self {
            register: Register::prepare(&operator, &administrator, PLACED, EMPTY).await,
            anyone: watched.running.channel(None),
            operator,
            administrator,
            unused: Mutex::new(unused.collect()),
            placed: Mutex::default(),
            watched,
            _around: (calendar, files),
        }
    }

    fn watched(&self) -> &Watched {
        &self.watched
    }

    async fn call(&self, method: &str) -> Result<Option<Call>, String> {
        self.expect(None);
        let (anyone, operator, administrator) = (&self.anyone, &self.operator, &self.administrator);
        let reading = self.reading(method).or(figures::reading(anyone, method));
        if let Some(reading) = reading.or(self.register.reading(anyone, operator, PLACED, method)) {
            return Ok(Some(reading));
        }
        let figures = figures::registering(operator, method).map(|(first, call)| (first.into_iter().collect(), call));
        if let Some((first, call)) = figures.or_else(|| self.register.changing(administrator, operator, method)) {
            for first in first {
                self.watched.done(&first).await?;
            }
            return Ok(Some(call));
        }
        let Some(name) = self.next() else {
            return Ok(None);
        };
        let importing = figures::import(&self.operator, &name);
        match method {
            "ImportObservations" => return Ok(Some(importing)),
            "DeleteObservations" => {
                self.watched.done(&importing).await?;
                return Ok(change(&self.operator, method, &name));
            }
            _ => {}
        }
        let uploading = upload(&self.operator, &name, &name);
        if method == "UploadEditionFile" {
            return Ok(Some(uploading));
        }
        if ["DeclareNilEdition", "SetEmbargo"].contains(&method) {
            return Ok(change(&self.operator, method, &name));
        }
        self.watched.done(&uploading).await?;
        let sealing = seal(&self.operator, &name);
        match method {
            "SealEdition" => return Ok(Some(sealing)),
            "DeleteEditionFile" => return Ok(change(&self.operator, method, &name)),
            _ => self.watched.done(&sealing).await?,
        };
        if method != "PlaceEdition" {
            return Ok(change(&self.operator, method, &name));
        }
        self.expect(Some(name.clone()));
        Ok(Some(place(&self.operator, &name)))
    }

    async fn each_kind(&self, at: usize) -> Result<(), String> {
        let refused = place(&self.operator, EMPTY);
        self.watched.refused(&refused, Code::FailedPrecondition).await?;
        let (name, content) = (own(at), new_id());
        self.watched.done(&upload(&self.operator, &name, &content)).await?;
        let sha256 = hex::encode(legalstat_kit::door::wire::sha256(content.as_bytes()));
        let holds =
            |edition: &Edition| edition.name == name && edition.file.as_ref().is_some_and(|file| file.sha256 == sha256);
        let read: Edition = get(&self.operator, &name).read().await?;
        if !holds(&read) {
            return Err(format!("{name} does not read with the file that was just uploaded"));
        }
        let listed: ListEditionsResponse = self.list("forms/4", 2024).read().await?;
        if !listed.editions.iter().any(holds) {
            return Err(format!("{name} is not listed with the file that was just uploaded"));
        }
        self.must_be_placed(PLACED).await?;
        self.last_is_placed().await
    }
}

impl Stormy for Forms {
    fn hung_up(&self) -> Call {
        // Each caller on a line of its own, without a certificate.
        get(&self.watched.running.channel(None), PLACED)
    }

    fn work(&self, place: usize) -> Call {
        upload(
            &self.operator,
            &format!("forms/5/editions/2019-M{:02}", 5 + place % 8),
            &new_id(),
        )
    }

    fn refused(&self) -> (Call, Code) {
        (place(&self.operator, EMPTY), Code::FailedPrecondition)
    }
}
