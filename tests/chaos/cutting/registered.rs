//! Calls about the register of forms, the day from which the registry answers, and the approved list of open data.

use std::sync::atomic::{AtomicI32, Ordering};

use legalstat_proto::{
    common::v1::{Date, LegalBasis, LocalizedText},
    forms::v1::{
        BodyKind, Channel as Place, CreateFormRequest, CreateOpenDataEntryRequest, DownloadOpenDataFileRequest,
        EndOpenDataEntryRequest, Form, GetAnsweringDayRequest, GetEditionFileUploadRequest, GetOpenDataPackageRequest,
        ListFormVersionsRequest, ListOpenDataEntriesRequest, Periodicity, PlaceEditionRequest, Responsible,
        RetireFormRequest, SetAnsweringDayRequest, UpdateFormRequest, UploadEditionFileHeader,
        UploadEditionFileRequest, WatchFormsRequest, upload_edition_file_request::Part,
    },
};
use prost::Message;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.forms.v1.FormRegistryService/", $method)
    };
}

/// A form of the register that is on the open data list from the beginning.
const OPEN: &str = "forms/4";
/// The number of the last form of the register.
const LAST: i32 = 26;

/// The numbers of the forms that calls enter.
pub struct Register {
    entered: AtomicI32,
    /// The upload that broke off.
    upload_id: String,
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn basis() -> Option<LegalBasis> {
    Some(LegalBasis {
        act: "Order No. 7".into(),
        ..LegalBasis::default()
    })
}

fn title() -> Option<LocalizedText> {
    Some(LocalizedText {
        kk: "атауы".into(),
        ru: "название".into(),
        en: "a title".into(),
    })
}

fn form(number: i32) -> Form {
    Form {
        list_number: number,
        code: "1-X".into(),
        title: title(),
        periodicity: Periodicity::Quarterly.into(),
        due_day: 5,
        roll_forward: true,
        roll_forward_basis: basis(),
        legal_basis: basis(),
        valid_from: day(2025, 1, 1),
        channels: vec![Place::InformationService.into()],
        responsible: Some(Responsible {
            body: BodyKind::Committee.into(),
            ..Responsible::default()
        }),
        ..Form::default()
    }
}

fn create(administrator: &Channel, number: i32) -> Call {
    let message = CreateFormRequest {
        form: Some(form(number)),
        reason: "a new form".into(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(administrator, path!("CreateForm"), &message)
}

fn update(administrator: &Channel, changed: Form, paths: &[&str], from: Option<Date>) -> Call {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let message = UpdateFormRequest {
        form: Some(changed),
        update_mask: Some(prost_types::FieldMask { paths }),
        effective_from: from,
        reason: "a change".into(),
        request_id: new_id(),
        ..UpdateFormRequest::default()
    };
    Call::new(administrator, path!("UpdateForm"), &message)
}

fn retire(administrator: &Channel, name: String) -> Call {
    let message = RetireFormRequest {
        name,
        last_day: day(2027, 3, 31),
        legal_basis: basis(),
        reason: "it is abolished".into(),
        request_id: new_id(),
        ..RetireFormRequest::default()
    };
    Call::new(administrator, path!("RetireForm"), &message)
}

fn enter(operator: &Channel, parent: String) -> Call {
    let message = CreateOpenDataEntryRequest {
        parent,
        valid_from: day(2025, 1, 1),
        legal_basis: basis(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(operator, path!("CreateOpenDataEntry"), &message)
}

fn end(operator: &Channel, form: &str) -> Call {
    let message = EndOpenDataEntryRequest {
        name: format!("{form}/openDataEntries/2025-01-01"),
        last_day: day(2026, 3, 31),
        reason: "it is taken off".into(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(operator, path!("EndOpenDataEntry"), &message)
}

fn set_answering_day(administrator: &Channel) -> Call {
    let message = SetAnsweringDayRequest {
        day: day(2026, 1, 1),
        reason: new_id(),
        request_id: new_id(),
        ..SetAnsweringDayRequest::default()
    };
    Call::new(administrator, path!("SetAnsweringDay"), &message)
}

impl Register {
    /// Brings the edition that is placed on the portal too, with its package, and breaks off an upload to another.
    pub async fn prepare(operator: &Channel, administrator: &Channel, placed: &str, other: &str) -> Self {
        let named = Form {
            name: OPEN.into(),
            title: title(),
            ..Form::default()
        };
        let on_portal = PlaceEditionRequest {
            name: placed.into(),
            channel: Place::OpenDataPortal.into(),
            request_id: new_id(),
            ..PlaceEditionRequest::default()
        };
        for call in [
            update(administrator, named, &["title.kk", "title.ru"], None),
            enter(operator, OPEN.into()),
            Call::new(operator, path!("PlaceEdition"), &on_portal),
        ] {
            let made = call.make(None).await;
            made.unwrap_or_else(|status| panic!("{}", call.failed(&status)));
        }
        let upload_id = new_id();
        let header = UploadEditionFileHeader {
            name: other.into(),
            filename: "form.csv".into(),
            content_type: "text/csv".into(),
            request_id: upload_id.clone(),
            resumable: true,
            size_bytes: 2,
            sha256: hex::encode(legalstat_kit::door::wire::sha256(b"ab")),
            ..UploadEditionFileHeader::default()
        };
        let half = [Part::Header(header), Part::Chunk(b"a".to_vec())];
        let messages = half.map(|part| UploadEditionFileRequest { part: Some(part) }.encode_to_vec());
        let broken = Call::streamed(operator, path!("UploadEditionFile"), messages.to_vec());
        let broken = broken.make(None).await.expect_err("half of it is missing");
        assert_eq!(broken.code(), Code::FailedPrecondition, "{broken:?}");
        Self {
            entered: AtomicI32::new(LAST),
            upload_id,
        }
    }

    /// A call that reads, by the channels of a public caller and of an operator.
    pub fn reading(&self, anyone: &Channel, operator: &Channel, placed: &str, method: &str) -> Option<Call> {
        let name = || placed.to_owned();
        Some(match method {
            "ListFormVersions" => {
                let message = ListFormVersionsRequest {
                    parent: OPEN.into(),
                    ..ListFormVersionsRequest::default()
                };
                Call::new(operator, path!("ListFormVersions"), &message)
            }
            "GetAnsweringDay" => Call::new(anyone, path!("GetAnsweringDay"), &GetAnsweringDayRequest {}),
            "ListOpenDataEntries" => {
                let message = ListOpenDataEntriesRequest {
                    parent: OPEN.into(),
                    ..ListOpenDataEntriesRequest::default()
                };
                Call::new(anyone, path!("ListOpenDataEntries"), &message)
            }
            "GetEditionFileUpload" => {
                let upload_id = self.upload_id.clone();
                let message = GetEditionFileUploadRequest { upload_id };
                Call::new(operator, path!("GetEditionFileUpload"), &message)
            }
            "GetOpenDataPackage" => {
                let message = GetOpenDataPackageRequest {
                    name: name(),
                    ..GetOpenDataPackageRequest::default()
                };
                Call::new(anyone, path!("GetOpenDataPackage"), &message)
            }
            "DownloadOpenDataFile" => {
                let message = DownloadOpenDataFileRequest {
                    name: format!("{placed}/openDataPackages/v1"),
                    path: "datapackage.json".into(),
                };
                Call::new(anyone, path!("DownloadOpenDataFile"), &message)
            }
            "WatchForms" => Call::feed(operator, path!("WatchForms"), &WatchFormsRequest::default()),
            _ => return None,
        })
    }

    /// A call that changes a register, with those that must have been made before it.
    pub fn changing(&self, administrator: &Channel, operator: &Channel, method: &str) -> Option<(Vec<Call>, Call)> {
        let number = self.entered.fetch_add(1, Ordering::SeqCst) + 1;
        let (created, name) = (create(administrator, number), format!("forms/{number}"));
        Some(match method {
            "CreateForm" => (vec![], created),
            "UpdateForm" => {
                let later = Form {
                    name,
                    due_day: 6,
                    ..Form::default()
                };
                (
                    vec![created],
                    update(administrator, later, &["due_day"], day(2027, 1, 1)),
                )
            }
            "RetireForm" => (vec![created], retire(administrator, name)),
            "SetAnsweringDay" => (vec![], set_answering_day(administrator)),
            "CreateOpenDataEntry" => (vec![created], enter(operator, name)),
            "EndOpenDataEntry" => (vec![created, enter(operator, name.clone())], end(operator, &name)),
            _ => return None,
        })
    }
}
