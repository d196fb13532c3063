//! The distribution of collections, with a calendar that nobody cuts.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use legalstat_local::testing::harness::{Ground, Running};
use legalstat_proto::{
    calendar::v1::{PreviewRecomputeRequest, preview_recompute_request::Change},
    collections::v1::{
        ConfirmRecallRequest, ConfirmReceiptRequest, Copy, CopyView, DownloadCopyRequest, Edition, EditionState,
        GetCollectionRequest, GetCopyRequest, GetDistributionListRequest, GetEditionRequest, ListCollectionsRequest,
        ListCopiesRequest, ListCopiesResponse, ListEditionsRequest, ListEditionsResponse, ListRecipientsRequest,
        ListScheduleRequest, ListSigningKeysRequest, ProveDeliveryRequest, RecallEditionRequest, RejectCopyRequest,
        ReleaseEditionRequest, SealEditionRequest, WatchCopiesRequest,
    },
    journal::v1::ListEntriesRequest,
};
use tempfile::TempDir;
use tonic::{Code, transport::Channel};

use super::{
    House,
    distributing::{self, new_id, rpc},
    preparing,
    watched::{Watched, clock},
};
use crate::call::Call;

/// How long the schedule may take to be whole.
const PATIENCE: Duration = Duration::from_secs(120);
/// The edition that is released from the beginning; only of this collection is the whole distribution known.
const RELEASED: &str = "collections/crime/editions/2025-Q1";
/// An edition that stays without content.
const EMPTY: &str = "collections/drugs/editions/2025-Q1";
/// The years whose quarters the calls are about.
const YEARS: std::ops::RangeInclusive<i32> = 2020..=2024;

pub struct Collections {
    watched: Watched,
    operator: Channel,
    approver: Channel,
    recipients: Mutex<BTreeMap<String, Channel>>,
    anyone: Channel,
    administrator: Channel,
    /// Editions that can be released, and others, that no call was about yet.
    of_crime: Mutex<Vec<String>>,
    of_others: Mutex<Vec<String>>,
    /// Copies whose receipt nobody confirmed yet.
    copies: Mutex<Vec<Copy>>,
    /// Copies whose recall nobody confirmed yet.
    recalled: Mutex<Vec<Copy>>,
    /// An upload that waits for its rest.
    upload_id: String,
    /// What the last call made of an edition.
    expected: Mutex<Option<(String, EditionState)>>,
    _around: (Running, TempDir),
}

fn digest(content: &str) -> String {
    hex::encode(legalstat_kit::door::wire::sha256(content.as_bytes()))
}

/// The edition that one of the calls side by side uploads to, again and again.
fn own(place: usize) -> String {
    format!("collections/courts/editions/2025-Q{}", place + 1)
}

fn quarters(collection: &str) -> Vec<String> {
    let quarters = YEARS.flat_map(|year| (1..=4).map(move |quarter| (year, quarter)));
    quarters
        .map(|(year, quarter)| format!("collections/{collection}/editions/{year}-Q{quarter}"))
        .collect()
}

impl Collections {
    fn upload(&self, name: &str, content: &str) -> Call {
        preparing::upload(&self.operator, name, "collection.pdf", content)
    }

    /// Seals what [`upload`](Self::upload) uploaded with the edition's own name as its content.
    fn seal(&self, name: &str) -> Call {
        let message = SealEditionRequest {
            name: name.into(),
            sha256: digest(name),
            request_id: new_id(),
            validate_only: false,
        };
        Call::new(&self.operator, rpc!("SealEdition"), &message)
    }

    fn release(&self, name: &str) -> Call {
        let message = ReleaseEditionRequest {
            name: name.into(),
            request_id: new_id(),
            ..Default::default()
        };
        Call::new(&self.approver, rpc!("ReleaseEdition"), &message)
    }

    fn recall(&self, name: &str) -> Call {
        let message = RecallEditionRequest {
            name: name.into(),
            reason: "a table is wrong".into(),
            request_id: new_id(),
            validate_only: false,
        };
        Call::new(&self.approver, rpc!("RecallEdition"), &message)
    }

    fn get(&self, name: &str) -> Call {
        Call::new(
            &self.operator,
            rpc!("GetEdition"),
            &GetEditionRequest {
                name: name.into(),
                ..Default::default()
            },
        )
    }

    fn list(&self, collection: &str, year: i32) -> Call {
        let message = ListEditionsRequest {
            parent: format!("collections/{collection}"),
            year,
            ..Default::default()
        };
        Call::new(&self.operator, rpc!("ListEditions"), &message)
    }

    fn copies(&self, edition: &str) -> Call {
        let message = ListCopiesRequest {
            parent: edition.into(),
            page_size: 100,
            ..Default::default()
        };
        Call::new(&self.operator, rpc!("ListCopies"), &message)
    }

    fn expect(&self, expected: Option<(&str, EditionState)>) {
        let expected = expected.map(|(name, state)| (name.to_owned(), state));
        *self.expected.lock().expect("no test panics here") = expected;
    }

    fn recipient(&self, copy: &Copy) -> Channel {
        let id = copy.recipient.trim_start_matches("recipients/");
        let mut recipients = self.recipients.lock().expect("no test panics here");
        let channel = recipients
            .entry(id.to_owned())
            .or_insert_with(|| self.watched.running.channel(Some(id)));
        channel.clone()
    }

    async fn first_copy(&self) -> Result<Copy, String> {
        let listed: ListCopiesResponse = self.copies(RELEASED).read().await?;
        listed
            .copies
            .into_iter()
            .next()
            .ok_or_else(|| "no copies are listed".into())
    }

    /// An edition that was not released before, once it is, and its copies; none when all were.
    async fn newly_released(&self) -> Result<Option<(String, Vec<Copy>)>, String> {
        let Some(name) = self.of_crime.lock().expect("no test panics here").pop() else {
            return Ok(None);
        };
        self.prepare(&name).await?;
        self.watched.done(&self.release(&name)).await?;
        let listed: ListCopiesResponse = self.copies(&name).read().await?;
        Ok(Some((name, listed.copies)))
    }

    /// A copy that nobody confirmed; when there is none, another edition is released first.
    async fn unconfirmed(&self) -> Result<Option<Copy>, String> {
        if self.copies.lock().expect("no test panics here").is_empty() {
            let Some((_, copies)) = self.newly_released().await? else {
                return Ok(None);
            };
            *self.copies.lock().expect("no test panics here") = copies;
        }
        Ok(self.copies.lock().expect("no test panics here").pop())
    }

    /// The confirmation of a copy that nobody confirmed.
    async fn confirmation(&self) -> Result<Option<Call>, String> {
        let copy = self.unconfirmed().await?;
        Ok(copy.map(|copy| {
            let message = ConfirmReceiptRequest {
                name: copy.name.clone(),
                sha256: copy.sha256.clone(),
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(&self.recipient(&copy), rpc!("ConfirmReceipt"), &message)
        }))
    }

    /// The rejection of a copy that nobody confirmed.
    async fn rejection(&self) -> Result<Option<Call>, String> {
        let copy = self.unconfirmed().await?;
        Ok(copy.map(|copy| {
            let message = RejectCopyRequest {
                name: copy.name.clone(),
                reason: "the file does not open".into(),
                request_id: new_id(),
                validate_only: false,
            };
            Call::new(&self.recipient(&copy), rpc!("RejectCopy"), &message)
        }))
    }

    async fn redelivery(&self) -> Result<Option<Call>, String> {
        Ok(match self.unconfirmed().await? {
            Some(copy) => Some(distributing::redelivery(&self.watched, &self.operator, &copy).await),
            None => None,
        })
    }

    /// The confirmation of a recall that nobody confirmed; when there is none, another edition is released and recalled first.
    async fn confirmation_of_recall(&self) -> Result<Option<Call>, String> {
        if self.recalled.lock().expect("no test panics here").is_empty() {
            let Some((name, copies)) = self.newly_released().await? else {
                return Ok(None);
            };
            self.watched.done(&self.recall(&name)).await?;
            *self.recalled.lock().expect("no test panics here") = copies;
        }
        let copy = self.recalled.lock().expect("no test panics here").pop();
        Ok(copy.map(|copy| {
            let message = ConfirmRecallRequest {
                name: copy.name.clone(),
                request_id: new_id(),
                validate_only: false,
            };
            Call::new(&self.recipient(&copy), rpc!("ConfirmRecall"), &message)
        }))
    }

    /// Uploads and seals an edition.
    async fn prepare(&self, name: &str) -> Result<(), String> {
        self.watched.done(&self.upload(name, name)).await?;
        self.watched.done(&self.seal(name)).await?;
        Ok(())
    }

    async fn changing(&self, method: &str) -> Result<Option<Call>, String> {
        match method {
            "ConfirmReceipt" => return self.confirmation().await,
            "RejectCopy" => return self.rejection().await,
            "RedeliverCopy" => return self.redelivery().await,
            "ConfirmRecall" => return self.confirmation_of_recall().await,
            _ => {}
        }
        let releases = matches!(method, "ReleaseEdition" | "RecallEdition");
        let unused = if releases { &self.of_crime } else { &self.of_others };
        let Some(name) = unused.lock().expect("no test panics here").pop() else {
            return Ok(None);
        };
        if let Some(change) = preparing::change(&self.operator, method, &name) {
            self.watched.done(&self.upload(&name, &name)).await?;
            let more = preparing::upload(&self.operator, &name, "more.pdf", "more");
            self.watched.done(&more).await?;
            self.expect(Some((&name, EditionState::Prepared)));
            return Ok(Some(change));
        }
        Ok(Some(match method {
            "UploadEditionContent" => {
                self.expect(Some((&name, EditionState::Prepared)));
                self.upload(&name, &name)
            }
            "SealEdition" => {
                self.watched.done(&self.upload(&name, &name)).await?;
                self.expect(Some((&name, EditionState::Sealed)));
                self.seal(&name)
            }
            "RecallEdition" => {
                self.prepare(&name).await?;
                self.watched.done(&self.release(&name)).await?;
                self.expect(Some((&name, EditionState::Recalled)));
                self.recall(&name)
            }
            _ => {
                self.prepare(&name).await?;
                self.expect(Some((&name, EditionState::Released)));
                self.release(&name)
            }
        }))
    }

    async fn reading(&self, method: &str) -> Result<Option<Call>, String> {
        let (anyone, operator) = (&self.anyone, &self.operator);
        Ok(Some(match method {
            "ListCollections" => Call::new(anyone, rpc!("ListCollections"), &ListCollectionsRequest::default()),
            "GetCollection" => {
                let message = GetCollectionRequest {
                    name: "collections/crime".into(),
                    as_of: None,
                    languages: Vec::new(),
                };
                Call::new(anyone, rpc!("GetCollection"), &message)
            }
            "ListRecipients" => Call::new(anyone, rpc!("ListRecipients"), &ListRecipientsRequest::default()),
            "GetEditionContentUpload" => preparing::come(operator, &self.upload_id),
            "GetDistributionList" => {
                let message = GetDistributionListRequest {
                    name: "collections/crime/distributionList".into(),
                    as_of: None,
                };
                Call::new(anyone, rpc!("GetDistributionList"), &message)
            }
            "ListSchedule" => Call::new(anyone, rpc!("ListSchedule"), &scheduled()),
            "ListEditions" => self.list("-", 2025),
            "GetEdition" => self.get(RELEASED),
            "ListCopies" => self.copies(RELEASED),
            "GetCopy" => {
                let message = GetCopyRequest {
                    name: self.first_copy().await?.name,
                    view: CopyView::Full.into(),
                };
                Call::new(operator, rpc!("GetCopy"), &message)
            }
            "ListDeliveryAttempts" => distributing::attempts(operator, self.first_copy().await?.name),
            "ProveDelivery" => {
                let name = self.first_copy().await?.name;
                Call::new(operator, rpc!("ProveDelivery"), &ProveDeliveryRequest { name })
            }
            "ListSigningKeys" => Call::new(anyone, rpc!("ListSigningKeys"), &ListSigningKeysRequest::default()),
            "DownloadCopy" => {
                let copy = self.first_copy().await?;
                let message = DownloadCopyRequest {
                    name: copy.name.clone(),
                    ..Default::default()
                };
                Call::new(&self.recipient(&copy), rpc!("DownloadCopy"), &message)
            }
            "WatchCopies" => Call::feed(operator, rpc!("WatchCopies"), &WatchCopiesRequest::default()),
            "PreviewRecompute" => {
                let change = Some(Change::CalendarAct(super::calendar::act(1)));
                Call::new(operator, rpc!("PreviewRecompute"), &PreviewRecomputeRequest { change })
            }
            "ListEntries" => Call::new(
                &self.administrator,
                "/legalstat.journal.v1.JournalService/ListEntries",
                &ListEntriesRequest::default(),
            ),
            _ => return Ok(None),
        }))
    }

    async fn must_be(&self, name: &str, state: EditionState) -> Result<(), String> {
        let edition: Edition = self.get(name).read().await?;
        if edition.state() == state {
            return Ok(());
        }
        Err(format!("{name} must be {state:?}, and reads as {:?}", edition.state()))
    }

    async fn until_whole(&self) {
        let call = Call::new(&self.anyone, rpc!("ListSchedule"), &scheduled());
        let whole = async {
            while call.make(None).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, whole)
            .await
            .expect("the schedule is whole in time");
    }
}

fn scheduled() -> ListScheduleRequest {
    ListScheduleRequest {
        year: 2025,
        ..Default::default()
    }
}

impl House for Collections {
    const NAME: &'static str = "collection-distribution";
    const CONTRACT: &'static str = "legalstat.collections.v1.CollectionDistributionService";
    const METHODS: &'static [&'static str] = &[
        "ListCollections",
        "GetCollection",
        "UpdateCollection",
        "ListRecipients",
        "GetRecipient",
        "CreateRecipient",
        "UpdateRecipient",
        "ListRecipientKeys",
        "AddRecipientKey",
        "RetireRecipientKey",
        "GetDistributionList",
        "ListDistributionLists",
        "ResolveDistribution",
        "ApproveDistribution",
        "RejectDistribution",
        "ListSchedule",
        "GetPunctuality",
        "GetAnsweringDay",
        "SetAnsweringDay",
        "ListEditions",
        "GetEdition",
        "UploadEditionContent",
        "GetEditionContentUpload",
        "RemoveEditionFile",
        "MarkEdition",
        "SetEmbargo",
        "SealEdition",
        "ReleaseEdition",
        "RecallEdition",
        "GetCopy",
        "ProveDelivery",
        "ConfirmRecall",
        "ListSigningKeys",
        "ListCopies",
        "DownloadCopy",
        "ConfirmReceipt",
        "RejectCopy",
        "RedeliverCopy",
        "ListDeliveryAttempts",
        "WatchCopies",
        "PreviewRecompute",
        "ListEntries",
    ];

    async fn start(connections: u32) -> Self {
        let (clock, files) = (clock(), tempfile::tempdir().expect("a folder"));
        let calendar = Running::start(&legalstat_calendar::SERVICE, &[], clock.clone()).await;
        let settings = [
            ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned()),
            ("LEGALSTAT_FILES", files.path().display().to_string()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
        ];
        let watched = Watched::start(
            connections,
            &legalstat_collection_distribution::SERVICE,
            &settings,
            clock,
        )
        .await;
        let others = ["corruption", "drugs", "courts", "supervision"];
        let mut collections = Self {
            operator: watched.running.channel(Some("operator")),
            approver: watched.running.channel(Some("approver")),
            recipients: Mutex::default(),
            anyone: watched.running.channel(None),
            administrator: watched.running.channel(Some("administrator")),
            of_crime: Mutex::new(quarters("crime")),
            of_others: Mutex::new(others.into_iter().flat_map(quarters).collect()),
            copies: Mutex::default(),
            recalled: Mutex::default(),
            upload_id: String::new(),
            expected: Mutex::default(),
            watched,
            _around: (calendar, files),
        };
        collections.until_whole().await;
        collections
            .prepare(RELEASED)
            .await
            .expect("the first edition is sealed");
        let released = collections.release(RELEASED).make(None).await;
        released.expect("the first edition is released");
        collections.upload_id = preparing::begun(&collections.operator, EMPTY).await;
        collections
    }

    fn watched(&self) -> &Watched {
        &self.watched
    }

    async fn call(&self, method: &str) -> Result<Option<Call>, String> {
        self.expect(None);
        let callers = distributing::Callers {
            anyone: &self.anyone,
            operator: &self.operator,
            approver: &self.approver,
            administrator: &self.administrator,
        };
        if let Some(call) = distributing::call(&self.watched, &callers, method).await? {
            return Ok(Some(call));
        }
        match self.reading(method).await? {
            Some(reading) => Ok(Some(reading)),
            None => self.changing(method).await,
        }
    }

    async fn each_kind(&self, place: usize) -> Result<(), String> {
        let refused = self.seal(EMPTY);
        self.watched.refused(&refused, Code::FailedPrecondition).await?;
        let (name, content) = (own(place), new_id());
        self.watched.done(&self.upload(&name, &content)).await?;
        let sha256 = digest(&content);
        let holds = |edition: &Edition| {
            edition.name == name && edition.content.as_ref().is_some_and(|content| content.sha256 == sha256)
        };
        let read: Edition = self.get(&name).read().await?;
        if !holds(&read) {
            return Err(format!("{name} does not read with the content that was just uploaded"));
        }
        let listed: ListEditionsResponse = self.list("courts", 2025).read().await?;
        if !listed.editions.iter().any(holds) {
            return Err(format!("{name} is not listed with the content that was just uploaded"));
        }
        self.must_be(RELEASED, EditionState::Released).await?;
        let expected = self.expected.lock().expect("no test panics here").clone();
        match expected {
            Some((name, state)) => self.must_be(&name, state).await,
            None => Ok(()),
        }
    }

    async fn stored(&self) -> Result<(), String> {
        let unlike = "SELECT count(*) FROM collections.edition AS edition
                      WHERE edition.state = 'RELEASED' AND (SELECT count(*) FROM collections.copy) % 33 <> 0";
        match self.watched.count(unlike).await {
            0 => Ok(()),
            _ => Err("a released edition has not all of its copies".into()),
        }
    }
}
