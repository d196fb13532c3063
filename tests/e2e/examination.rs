//! Who asks, how, with what faults and on which day: what the examination finds, what becomes of the request, and by when it is to be
//! answered. The cases stand in `examination/cases.csv`; calendar and form registry are the real ones, and intake has a clock that
//! is set to the receipt. `LEGALSTAT_UPDATE_SNAPSHOT=1` writes what was found into the table, for review.

use std::{collections::BTreeMap, path::PathBuf};

use futures::{StreamExt as _, stream};
use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::{door::wire, law::LegalBasis, zone};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{
        Channel, CheckOutcome, GetRequestRequest, Item, ItemKind, Language, Request, RequestState, Requester,
        Signatory, SignatoryCapacity, SubmitRequestRequest, Unit,
    },
};
use legalstat_test_support::system::System;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::desk::{Desk, PATIENCE, PAUSE};

/// How many cases are under way.
const AT_ONCE: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Case {
    name: String,
    kind: String,
    channel: String,
    /// A capacity; empty for no signatory.
    signatory: String,
    /// What is not there: name, address, bin, date, essence, items.
    lacks: String,
    /// What is asked for; see [`item`].
    items: String,
    received: String,
    /// The case whose requester and document it has, if it is not its own.
    after: String,
    state: String,
    due: String,
    /// The checks that found something.
    found: String,
}

impl Case {
    fn received_at(&self) -> Timestamp {
        self.received.parse().expect("an instant")
    }

    fn lacks(&self, what: &str) -> bool {
        self.lacks.split(' ').any(|lacks| lacks == what)
    }

    fn is_application(&self) -> bool {
        ["INDIVIDUAL", "LEGAL_ENTITY"].contains(&self.kind.as_str())
    }

    fn channel(&self) -> Channel {
        Channel::from_str_name(&format!("CHANNEL_{}", self.channel)).expect("a channel")
    }

    /// Who brings what comes this way.
    fn caller(&self) -> &'static str {
        match self.channel() {
            Channel::UnifiedEdms => "edms",
            Channel::Kadagalau => "kadagalau",
            _ => "operator",
        }
    }

    /// Its request. `own` is the number of the case that it is, or comes after.
    fn request(&self, own: usize) -> Request {
        let received_on = zone::civil_day(self.received_at());
        let kind = RequesterKind::from_str_name(&format!("REQUESTER_KIND_{}", self.kind)).expect("a kind");
        let given = |what, value: &str| {
            if self.lacks(what) {
                String::new()
            } else {
                value.to_owned()
            }
        };
        let is_entity = kind == RequesterKind::LegalEntity;
        let signatory = (!self.signatory.is_empty()).then(|| Signatory {
            full_name: "Signs".into(),
            capacity: SignatoryCapacity::from_str_name(&format!("SIGNATORY_CAPACITY_{}", self.signatory))
                .expect("a capacity")
                .into(),
        });
        let has_number = self.caller() != "operator" && !self.is_application();
        let is_dated = has_number || self.is_application() && !self.lacks("date");
        let items = self.items.split_whitespace().filter(|_| !self.lacks("items"));
        Request {
            requester: Some(Requester {
                kind: kind.into(),
                full_name: given("name", &format!("Requester {own}")),
                bin: if is_entity && !self.lacks("bin") {
                    bin(own)
                } else {
                    String::new()
                },
                postal_address: given("address", if self.is_application() { "Astana" } else { "" }),
                ..Default::default()
            }),
            signatory,
            channel: self.channel().into(),
            external_number: if has_number { format!("{own}-1") } else { String::new() },
            external_date: is_dated.then(|| wire::to_date(date_of_document(own, received_on))),
            essence: given("essence", "Crimes"),
            language: Language::Kk.into(),
            items: items.map(|word| item(word, received_on)).collect(),
            ..Default::default()
        }
    }
}

/// The same for a case and for those that come after it.
fn date_of_document(own: usize, received_on: Date) -> Date {
    let year = received_on.year();
    let day = i8::try_from(own % 5 + 1).expect("a day");
    Date::new(year, 1, day).expect("a day")
}

/// A number whose control digit is right.
fn bin(serial: usize) -> String {
    let digits: Vec<usize> = format!("1603400{:04}", serial)
        .bytes()
        .map(|digit| usize::from(digit - b'0'))
        .collect();
    let sum = |weights: [usize; 11]| digits.iter().zip(weights).map(|(d, w)| d * w).sum::<usize>() % 11;
    let control = match sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
        10 => sum([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]),
        control => control,
    };
    if control == 10 {
        // Never issued: the next thousand has another.
        return bin(serial + 1000);
    }
    let digits: String = digits.iter().map(ToString::to_string).collect();
    format!("{digits}{control}")
}

/// An item by its word: about crimes two months before the receipt, but for what the word says.
fn item(word: &str, received_on: Date) -> Item {
    let month = |months: i32| {
        let first = received_on
            .first_of_month()
            .checked_add(months.months())
            .expect("a day");
        format!("{}-M{:02}", first.year(), first.month())
    };
    let whole = Item {
        kind: ItemKind::Statistics.into(),
        description: "Registered crimes".into(),
        unit: Unit::Crime.into(),
        period: month(-2),
        indicator: "forms/1/indicators/crimes".into(),
        ..Default::default()
    };
    match word {
        "whole" => whole,
        "no-unit" => Item { unit: 0, ..whole },
        "no-period" => Item {
            period: String::new(),
            ..whole
        },
        "running" => Item {
            period: month(0),
            ..whole
        },
        "until-now" => Item {
            until_period: month(0),
            ..whole
        },
        "future" => Item {
            period: month(4),
            ..whole
        },
        "secret" => Item {
            indicator: "forms/1/indicators/secrets".into(),
            ..whole
        },
        "unknown" => Item {
            indicator: "forms/1/indicators/none".into(),
            ..whole
        },
        "not-entered" => Item {
            indicator: String::new(),
            form: "forms/3".into(),
            ..whole
        },
        "copy" => Item {
            kind: ItemKind::AccountingDocumentCopy.into(),
            description: "The card of a crime".into(),
            ..Default::default()
        },
        "primary" => Item {
            kind: ItemKind::PrimaryAccountingForm.into(),
            description: "The forms as they were filled in".into(),
            ..Default::default()
        },
        word => panic!("{word} is no item"),
    }
}

impl Desk {
    /// Submits a case, again with its id when the service says so, and waits until it is examined.
    async fn submit(&self, case: &Case, own: usize) -> Request {
        let mut client = self.clients[case.caller()].clone();
        let message = SubmitRequestRequest {
            request: Some(case.request(own)),
            request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, case.name.as_bytes()).to_string(),
            validate_only: false,
        };
        let examined = async {
            let mut request = loop {
                match client.submit_request(message.clone()).await {
                    Ok(accepted) => break accepted.into_inner(),
                    Err(refused) if refused.code() == Code::Unavailable => tokio::time::sleep(PAUSE).await,
                    Err(refused) => panic!("{}: {refused:?}", case.name),
                }
            };
            // A service that took too long for the call counts as away; the job asks it again.
            while request.state() == RequestState::Received {
                tokio::time::sleep(PAUSE).await;
                let name = request.name.clone();
                let asked = GetRequestRequest {
                    name,
                    ..Default::default()
                };
                if let Ok(read) = client.get_request(asked).await {
                    request = read.into_inner();
                }
            }
            request
        };
        let waited = tokio::time::timeout(PATIENCE, examined).await;
        waited.unwrap_or_else(|_| panic!("{} is not examined", case.name))
    }
}

/// The case with what became of it.
fn told(case: &Case, request: &Request) -> Case {
    let short = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_owned();
    let due = request.due_date.as_ref().and_then(|date| wire::date(date).ok());
    let silent = [CheckOutcome::Passed, CheckOutcome::NotApplicable];
    let checks = &request.examination.as_ref().expect("it was examined").checks;
    let found = checks.iter().filter(|check| !silent.contains(&check.outcome()));
    let found = found.map(|check| {
        let rule = short(check.rule().as_str_name(), "CHECK_RULE_");
        let outcome = short(check.outcome().as_str_name(), "CHECK_OUTCOME_");
        let basis: LegalBasis = check.legal_basis.clone().unwrap_or_default().into();
        let field = if check.field.is_empty() { "" } else { " " };
        format!("{rule} {outcome}{field}{} [{}]", check.field, basis.notation())
    });
    Case {
        state: short(request.state().as_str_name(), "REQUEST_STATE_"),
        due: due.map(|day| day.to_string()).unwrap_or_default(),
        found: found.collect::<Vec<_>>().join("; "),
        ..case.clone()
    }
}

fn table() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/examination/cases.csv")
}

fn read() -> Vec<Case> {
    let mut rows = csv::Reader::from_path(table()).expect("the table is there");
    rows.deserialize().map(|row| row.expect("a case")).collect()
}

fn write(cases: &[Case]) {
    let mut rows = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_path(table())
        .expect("the table is ours");
    for case in cases {
        rows.serialize(case).expect("it is written");
    }
    rows.flush().expect("it is written");
}

#[tokio::test]
async fn each_case_is_examined_as_the_law_of_its_day_has_it() {
    let cases = read();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let numbers: BTreeMap<&str, usize> = cases
        .iter()
        .enumerate()
        .map(|(at, case)| (case.name.as_str(), at))
        .collect();
    assert_eq!(numbers.len(), cases.len(), "each case has a name of its own");
    let own = |case: &Case| {
        numbers[if case.after.is_empty() {
            case.name.as_str()
        } else {
            case.after.as_str()
        }]
    };
    let mut by_receipt: BTreeMap<Timestamp, Vec<&Case>> = BTreeMap::new();
    for case in &cases {
        by_receipt.entry(case.received_at()).or_default().push(case);
    }
    let desk = Desk::open().await;
    let mut found: BTreeMap<&str, Case> = BTreeMap::new();
    for (received_at, together) in by_receipt {
        desk.set_clock(received_at);
        let submitting = together.iter().map(|case| desk.submit(case, own(case)));
        let examined: Vec<Request> = stream::iter(submitting).buffered(AT_ONCE).collect().await;
        for (case, request) in together.iter().zip(&examined) {
            complete(case, request);
            found.insert(&case.name, told(case, request));
        }
    }
    let found: Vec<Case> = cases.iter().map(|case| found[case.name.as_str()].clone()).collect();
    if std::env::var_os("LEGALSTAT_UPDATE_SNAPSHOT").is_some() {
        write(&found);
    }
    let differing = found.iter().zip(&cases).filter(|(found, case)| found != case);
    let differing: Vec<String> = differing
        .map(|(found, case)| format!("{case:#?}\nis {found:#?}"))
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// What holds of every request: each check tells in three languages and by its law, and the state fits what is told beside it.
fn complete(case: &Case, request: &Request) {
    for check in &request.examination.as_ref().expect("it was examined").checks {
        let text = check.text.as_ref().expect("it has one");
        let languages = [&text.kk, &text.ru, &text.en];
        assert!(
            languages.iter().all(|text| !text.is_empty()),
            "{}: {check:?}",
            case.name
        );
        let basis = check.legal_basis.as_ref().expect("it has one");
        assert!(
            !basis.act.is_empty() && !basis.provision.is_empty(),
            "{}: {check:?}",
            case.name
        );
    }
    assert!(request.coupon.is_some(), "{}", case.name);
    let is_registered = request.state() == RequestState::Registered;
    assert_eq!(request.due_date.is_some(), is_registered, "{}", case.name);
    let awaits = request.state() == RequestState::AwaitingClarification;
    assert_eq!(!request.clarifications.is_empty(), awaits, "{}", case.name);
}

#[test]
fn who_submits_a_document_again_is_told_of_the_first_before_it_is_sent() {
    let system = System::start();
    let submit = |number: u128, more: &[&str]| {
        let mut asked = crate::command_line::request();
        asked["requestId"] = json!(Uuid::from_u128(number).to_string());
        let file = system.file(&format!("{number}.json"), &asked.to_string());
        let submit = ["requests", "submit", "--as", "edms", "--file", &file, "-o", "json"];
        let output = system.run(&[&submit, more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("it answers in JSON");
        (system.until_examined(&submit, &answer), said)
    };
    let (first, said) = submit(1, &[]);
    assert!(
        first["likelyDuplicateOf"].is_null() && !said.contains("received before"),
        "{said}"
    );
    let told = format!(
        "was received before: {}, registered as {}; it is sent all the same",
        first["name"].as_str().expect("a name"),
        first["registrationNumber"].as_str().expect("a number")
    );
    let (second, said) = submit(2, &[]);
    assert!(said.contains(&told), "{said}");
    assert_eq!(second["likelyDuplicateOf"]["name"], first["name"]);
    let (_, said) = submit(3, &["--yes"]);
    assert!(!said.contains("received before"), "{said}");
}
