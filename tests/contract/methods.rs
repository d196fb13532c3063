//! Every method with who may call it and what it answers to an empty request, on a running system.

use std::collections::BTreeMap;

use prost_reflect::Value;
use tonic_types::StatusExt;

use legalstat_test_support::{inbox::Inbox, system::System};

/// Full name, roles, whether it mutates (m) or is recorded (r), and the reason with which an empty request of an admitted
/// caller is refused; `OK` where it is answered.
const METHODS: &str = "\
calendar.v1.CalendarService/GetDay                              PUBLIC  -  INVALID_FIELDS
calendar.v1.CalendarService/ListDays                            PUBLIC  -  INVALID_FIELDS
calendar.v1.CalendarService/ComputeDeadline                     PUBLIC  -  INVALID_FIELDS
calendar.v1.CalendarService/BatchComputeDeadlines               SUBJECT,EDMS,KADAGALAU,RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR,SERVICE(request-intake+form-registry+collection-distribution)  -  OK
calendar.v1.CalendarService/ListTerms                           PUBLIC  -  OK
calendar.v1.CalendarService/ListReportingPeriods                PUBLIC  -  INVALID_FIELDS
calendar.v1.CalendarService/ListCalendarActs                    PUBLIC  -  OK
calendar.v1.CalendarService/WatchCalendar                       SUBJECT,EDMS,KADAGALAU,RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR,SERVICE(request-intake+form-registry+collection-distribution)  -  OK
calendar.v1.CalendarService/CreateCalendarAct                   ADMINISTRATOR  m  INVALID_FIELDS
calendar.v1.CalendarService/WithdrawCalendarAct                 ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListForms                          PUBLIC  -  OK
forms.v1.FormRegistryService/GetForm                            PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/ListSchedule                       PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/ListEditions                       PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/GetEdition                         PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/UploadEditionFile                  OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/DownloadEditionFile                PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/PlaceEdition                       OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/GetPunctuality                     PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/CheckAvailability                  OPERATOR,APPROVER,SERVICE(request-intake)  -  INVALID_FIELDS
forms.v1.FormRegistryService/GetEditionFileUpload               OPERATOR  -  INVALID_FIELDS
forms.v1.FormRegistryService/DeleteEditionFile                  OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/SealEdition                        OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/CorrectEdition                     OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/WithdrawEdition                    OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/DeclareNilEdition                  OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/SetEmbargo                         OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListPlacements                     PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/PreviewRecompute                   OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
forms.v1.FormRegistryService/GetOpenDataPackage                 PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/DownloadOpenDataFile               PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/WatchForms                         SUBJECT,EDMS,KADAGALAU,RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
forms.v1.FormRegistryService/CreateCodeList                      OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListCodeLists                       PUBLIC  -  OK
forms.v1.FormRegistryService/BatchCreateCodes                    OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/RetireCodes                         OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListCodes                           PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/BatchCreateIndicators               OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/RetireIndicators                    OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListIndicators                      PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/BatchCreateDetails                  OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/RetireDetails                       OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListDetails                         PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/CreateTotalRule                     OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListTotalRules                      PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/ImportObservations                  OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/DeleteObservations                 OPERATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/QueryObservations                   PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/CreateForm                         ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/UpdateForm                         ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/RetireForm                         ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListFormVersions                   OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
forms.v1.FormRegistryService/GetAnsweringDay                    PUBLIC  -  OK
forms.v1.FormRegistryService/SetAnsweringDay                    ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/ListOpenDataEntries                PUBLIC  -  INVALID_FIELDS
forms.v1.FormRegistryService/CreateOpenDataEntry                OPERATOR,ADMINISTRATOR  m  INVALID_FIELDS
forms.v1.FormRegistryService/EndOpenDataEntry                   OPERATOR,ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/SubmitRequest                  EDMS,KADAGALAU,OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetRequest                     SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/ListRequests                   SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
requests.v1.RequestIntakeService/AssignRequest                  OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/WithdrawRequest                EDMS,KADAGALAU,OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/UploadAttachment               EDMS,KADAGALAU,OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetAttachmentUpload            EDMS,KADAGALAU,OPERATOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/DownloadAttachment             SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/DraftAnswer                    OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/UpdateAnswer                   OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ApproveAnswer                  APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/RecordDispatch                 OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetAnswer                      SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/DownloadAnswer                 SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  r  INVALID_FIELDS
requests.v1.RequestIntakeService/GetAnswerByCoupon              PUBLIC  r  INVALID_FIELDS
requests.v1.RequestIntakeService/DownloadAnswerByCoupon         PUBLIC  r  INVALID_FIELDS
requests.v1.RequestIntakeService/ReviewDecision                 OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/CorrectRequest                 OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/AskClarification               OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ProvideClarification           EDMS,KADAGALAU,OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ExtendRequest                  APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ForwardRequest                 OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/LeaveWithoutConsideration      OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ReturnRequest                  OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/TerminateRequest               APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetRequestStatus               PUBLIC  -  INVALID_FIELDS
requests.v1.RequestIntakeService/ListSigningKeys                PUBLIC  -  OK
requests.v1.RequestIntakeService/LookupRequest                  SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/BatchSubmitRequests            EDMS,KADAGALAU,OPERATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/WatchRequests                  SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
requests.v1.RequestIntakeService/GetRequestStatistics           OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/CreateBody                     ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/UpdateBody                     ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetBody                        SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/ListBodies                     SUBJECT,EDMS,KADAGALAU,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
requests.v1.RequestIntakeService/CreateRetentionRule            ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/ApproveRetentionRule           ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/EndRetentionRule               ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/GetRetentionRule               OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
requests.v1.RequestIntakeService/ListRetentionRules             OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
requests.v1.RequestIntakeService/RecordNotice                   OPERATOR,APPROVER  m  INVALID_FIELDS
requests.v1.RequestIntakeService/EraseRequest                   ADMINISTRATOR  m  INVALID_FIELDS
requests.v1.RequestIntakeService/PreviewRecompute               OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListCollections    PUBLIC  -  OK
collections.v1.CollectionDistributionService/GetCollection      PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/UpdateCollection   ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListRecipients     PUBLIC  -  OK
collections.v1.CollectionDistributionService/GetRecipient       PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/CreateRecipient    ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/UpdateRecipient    ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListRecipientKeys  RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/AddRecipientKey    ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/RetireRecipientKey ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetDistributionList  PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListDistributionLists  PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/ResolveDistribution  OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ApproveDistribution  APPROVER  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/RejectDistribution APPROVER  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListSchedule       PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetPunctuality     PUBLIC  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetAnsweringDay    PUBLIC  -  OK
collections.v1.CollectionDistributionService/SetAnsweringDay    ADMINISTRATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListEditions       RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetEdition         RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/UploadEditionContent  OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetEditionContentUpload  OPERATOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/RemoveEditionFile  OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/MarkEdition        OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/SetEmbargo         OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/SealEdition        OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ReleaseEdition     APPROVER  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/RecallEdition      APPROVER  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/GetCopy            RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/ProveDelivery      RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/ConfirmRecall      RECIPIENT  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListSigningKeys    PUBLIC  -  OK
collections.v1.CollectionDistributionService/ListCopies         RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
collections.v1.CollectionDistributionService/DownloadCopy       RECIPIENT  r  INVALID_FIELDS
collections.v1.CollectionDistributionService/ConfirmReceipt     RECIPIENT  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/RejectCopy         RECIPIENT  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/RedeliverCopy      OPERATOR  m  INVALID_FIELDS
collections.v1.CollectionDistributionService/ListDeliveryAttempts  OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CollectionDistributionService/WatchCopies        RECIPIENT,OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  OK
collections.v1.CollectionDistributionService/PreviewRecompute   OPERATOR,APPROVER,ADMINISTRATOR,AUDITOR  -  INVALID_FIELDS
collections.v1.CopyInboxService/DeliverCopy                     SERVICE(collection-distribution)  m  INVALID_FIELDS
collections.v1.CopyInboxService/GetDelivery                     SERVICE(collection-distribution)  -  INVALID_FIELDS
collections.v1.CopyInboxService/RecallCopy                      SERVICE(collection-distribution)  m  INVALID_FIELDS
journal.v1.JournalService/ListEntries                           ADMINISTRATOR,AUDITOR  -  OK
";

/// Which service of the system serves a method, or a recipient's inbox beside it.
pub(crate) fn server(method: &str) -> &'static str {
    match method.split('.').next() {
        _ if method.starts_with("collections.v1.CopyInboxService/") => INBOX,
        Some("calendar") => "calendar",
        Some("forms") | Some("journal") => "form-registry",
        Some("requests") => "request-intake",
        _ => "collection-distribution",
    }
}

/// The recipient's server beside the system.
const INBOX: &str = "inbox";

/// A system with a recipient's inbox beside it.
pub(crate) struct Beside {
    pub(crate) system: System,
    inbox: Inbox,
}

impl Beside {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with options of the system.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let system = System::start_with(options);
        let keys = system.run(&["collections", "keys", "-o", "json"]).stdout;
        let inbox = Inbox::start(system.folder(), "supreme-court", &keys);
        Self { system, inbox }
    }

    pub(crate) fn channel(&self, server: &str, caller: Option<&str>) -> tonic::transport::Channel {
        match server {
            INBOX => self.system.channel_to(&self.inbox.url(), caller),
            service => self.system.channel(service, caller),
        }
    }
}

/// Callers by role, as `up` makes their certificates.
const CALLERS: [(&str, &str); 8] = [
    ("OPERATOR", "operator"),
    ("APPROVER", "approver"),
    ("ADMINISTRATOR", "administrator"),
    ("AUDITOR", "auditor"),
    ("EDMS", "edms"),
    ("KADAGALAU", "kadagalau"),
    ("RECIPIENT", "supreme-court"),
    ("SERVICE", "calendar"),
];

pub(crate) fn access(method: &prost_reflect::MethodDescriptor) -> (String, &'static str) {
    let extension = method.parent_pool().get_extension_by_name("legalstat.common.v1.access");
    let options = method.options();
    let access = options
        .get_extension(&extension.expect("it is in the contracts"))
        .into_owned();
    let access = access.as_message().expect("access is a message");
    let field = |name: &str| access.get_field_by_name(name).expect("the field exists").into_owned();
    let names = |value: Value| {
        value
            .as_list()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    let services = names(field("services")).join("+");
    let numbers = field("roles").as_list().expect("a list").to_vec();
    let roles = numbers.iter().map(|number| {
        let role =
            legalstat_kit::call::caller::Role::try_from(number.as_enum_number().expect("an enum")).expect("a role");
        let name = role.as_str_name().trim_start_matches("ROLE_");
        if name == "SERVICE" {
            format!("SERVICE({services})")
        } else {
            name.to_owned()
        }
    });
    let roles = roles.collect::<Vec<_>>().join(",");
    let flag = |name: &str| field(name).as_bool() == Some(true);
    (
        roles,
        if flag("mutates") {
            "m"
        } else if flag("recorded") {
            "r"
        } else {
            "-"
        },
    )
}

pub(crate) fn table() -> BTreeMap<String, Vec<&'static str>> {
    METHODS
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|row| (row[0].to_owned(), row))
        .collect()
}

#[test]
fn every_method_is_in_the_table_with_its_access() {
    let table = table();
    let mut found = 0;
    for service in legalstat_proto::descriptors().services() {
        for method in service.methods() {
            let name = format!(
                "{}/{}",
                service.full_name().trim_start_matches("legalstat."),
                method.name()
            );
            let row = table.get(&name).unwrap_or_else(|| panic!("{name} is not in the table"));
            let (roles, effect) = access(&method);
            assert_eq!((row[1], row[2]), (roles.as_str(), effect), "{name}");
            found += 1;
        }
    }
    assert_eq!(found, table.len(), "the table names methods that do not exist");
}

/// Calls a method with an empty message and gives the reason of its refusal, or OK.
async fn call(system: &Beside, method: &str, caller: Option<&str>) -> String {
    call_with(system, server(method), method, caller, Vec::new()).await
}

/// Calls a method with some bytes at a server; gives its refusal.
pub(crate) async fn refusal(
    system: &Beside,
    server: &str,
    method: &str,
    caller: Option<&str>,
    bytes: Vec<u8>,
) -> Option<tonic::Status> {
    answer(system, server, method, caller, bytes).await.err()
}

/// Calls a method with some bytes at a server; gives the bytes of its answer, of a stream those of the first message.
pub(crate) async fn answer(
    system: &Beside,
    server: &str,
    method: &str,
    caller: Option<&str>,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, tonic::Status> {
    let request = tonic::Request::new(tokio_stream::once(Raw(bytes)));
    let mut answers = answers(system.channel(server, caller), method, request).await?;
    // A feed is admitted once it answers: its first message may be long in coming.
    if method.contains("/Watch") {
        return Ok(Vec::new());
    }
    Ok(answers.message().await?.unwrap_or_default().0)
}

/// Calls a method with messages as bytes; gives the messages of its answer as bytes.
pub(crate) async fn answers(
    channel: tonic::transport::Channel,
    method: &str,
    request: tonic::Request<impl tokio_stream::Stream<Item = Raw> + Send + 'static>,
) -> Result<tonic::Streaming<Raw>, tonic::Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("the system runs");
    let path = format!("/legalstat.{method}").parse().expect("a path");
    let codec = tonic_prost::ProstCodec::<Raw, Raw>::default();
    Ok(client.streaming(request, path, codec).await?.into_inner())
}

/// Calls a method with some bytes at a server, and gives the reason of its refusal, or OK.
async fn call_with(system: &Beside, server: &str, method: &str, caller: Option<&str>, bytes: Vec<u8>) -> String {
    match refusal(system, server, method, caller, bytes).await {
        None => "OK".into(),
        Some(status) => {
            let details = status.get_error_details();
            let info = details
                .error_info()
                .unwrap_or_else(|| panic!("{method} is refused without ErrorInfo: {status:?}"));
            info.reason.trim_start_matches("ERROR_REASON_").to_owned()
        }
    }
}

/// A message as bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl prost::Message for Raw {
    fn decode(mut buffer: impl prost::bytes::Buf) -> Result<Self, prost::DecodeError> {
        Ok(Self(buffer.copy_to_bytes(buffer.remaining()).into()))
    }

    fn encode_raw(&self, buffer: &mut impl prost::bytes::BufMut) {
        buffer.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: prost::encoding::WireType,
        buffer: &mut impl prost::bytes::Buf,
        context: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_admits_whom_the_table_says_and_refuses_everyone_else() {
    let system = tokio::task::block_in_place(Beside::start);
    for (method, row) in table() {
        let (roles, refusal) = (row[1], row[3]);
        let public = roles == "PUBLIC";
        let anonymous = call(&system, &method, None).await;
        assert_eq!(
            anonymous,
            if public { refusal } else { "CERTIFICATE_REQUIRED" },
            "{method} without a certificate"
        );
        for (role, caller) in CALLERS {
            // Systems and recipients are subjects too.
            let subject = roles.contains("SUBJECT") && ["EDMS", "KADAGALAU", "RECIPIENT"].contains(&role);
            let named = roles.split(',').any(|admitted| admitted == role);
            let expected = if public || named || subject {
                refusal
            } else {
                "ROLE_MISSING"
            };
            assert_eq!(
                call(&system, &method, Some(caller)).await,
                expected,
                "{method} as {caller}"
            );
        }
        if let Some(service) = only_service(roles) {
            assert_eq!(
                call(&system, &method, Some(service)).await,
                refusal,
                "{method} as {service}"
            );
        }
    }
    tokio::task::block_in_place(|| drop(system));
}

/// A caller that the table admits.
pub(crate) fn admitted(roles: &'static str) -> Option<&'static str> {
    let of_role = CALLERS
        .iter()
        .find(|(role, _)| roles.split(',').any(|admitted| admitted == *role));
    of_role.map(|(_, caller)| *caller).or_else(|| only_service(roles))
}

/// The service for which alone a method is.
fn only_service(roles: &'static str) -> Option<&'static str> {
    roles.strip_prefix("SERVICE(")?.strip_suffix(')')
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_the_callers_fault_and_is_told_so() {
    let system = tokio::task::block_in_place(Beside::start);
    for (method, row) in table() {
        let caller = admitted(row[1]);
        let unreadable = call_with(&system, server(&method), &method, caller, vec![0xff; 3]).await;
        let expected = if ["/Upload", "/Import", "/Deliver"]
            .iter()
            .any(|verb| method.contains(verb))
        {
            "INVALID_FIELDS"
        } else {
            "MESSAGE_UNREADABLE"
        };
        assert_eq!(unreadable, expected, "{method}");
        let elsewhere = if server(&method) == "calendar" {
            "request-intake"
        } else {
            "calendar"
        };
        if !method.starts_with("journal.") {
            let unknown = call_with(&system, elsewhere, &method, caller, Vec::new()).await;
            assert_eq!(unknown, "METHOD_UNKNOWN", "{method} at {elsewhere}");
        }
    }
    let none = call_with(
        &system,
        "calendar",
        "calendar.v1.CalendarService/None",
        None,
        Vec::new(),
    )
    .await;
    assert_eq!(none, "METHOD_UNKNOWN");
    let refused = [
        "journal",
        "list",
        "--service",
        "request-intake",
        "--outcome",
        "refused",
        "--as",
        "administrator",
    ];
    let refusals = tokio::task::block_in_place(|| system.system.json(&refused));
    let recorded = table();
    let recorded = recorded
        .iter()
        .filter(|(method, row)| server(method) == "request-intake" && row[2] != "-");
    assert_eq!(
        refusals["entries"].as_array().map(Vec::len),
        Some(recorded.count()),
        "each unreadable mutation is in the journal"
    );
    tokio::task::block_in_place(|| drop(system));
}
