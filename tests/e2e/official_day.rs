//! The days of officials who know nothing but the command line: ten requests of each kind from their receipt to an answer that is
//! dispatched and verified. Each step is the one that `requests show` says is next, given as it says it with its `…` filled in, so that a
//! hint that leads nowhere, or acts as somebody else, fails here.

mod cases;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use legalstat_test_support::system::System;
use serde_json::{Value, json};

use crate::{answers::with_figures, openssl::Outside};
use cases::{INDICATOR, KINDS, OF_EACH, channel, flags};

/// How long an examination by the job may take; on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);
/// How many people work at once.
const HANDS: usize = 4;
/// The most steps that a request takes.
const STEPS: usize = 40;
const OFFICIALS: [&str; 2] = ["aliya", "bolat"];
const APPROVER: &str = "saule";

/// An office with its officials, and an approver who signs outside.
struct Office {
    system: System,
    outside: Outside,
    files: AtomicUsize,
}

impl Office {
    fn open() -> Self {
        let system = with_figures();
        for (name, roles) in [
            (OFFICIALS[0], &["operator"][..]),
            (OFFICIALS[1], &["operator", "approver"]),
            (APPROVER, &["approver"]),
        ] {
            let roles = roles.iter().flat_map(|role| ["--role", role]);
            let add = ["certificates", "add", "--name", name].into_iter().chain(roles);
            let output = system.run(&add.collect::<Vec<_>>());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let outside = Outside::make(system.folder().join("outside"), "Deputy of the Committee");
        Self {
            system,
            outside,
            files: AtomicUsize::new(0),
        }
    }

    /// A file of its own.
    fn path(&self, name: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.system.folder().join(format!("{number}-{name}"))
    }

    fn written(&self, name: &str, content: &Value) -> String {
        let path = self.path(name);
        std::fs::write(&path, content.to_string()).expect("the folder is ours");
        path.display().to_string()
    }

    fn said(&self, arguments: &[&str]) -> String {
        loop {
            let output = self.system.run(arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            // A job of the service changed the request between the command's reading and its deciding: it decides again, as it is told.
            if errors.contains("ERROR_REASON_ETAG_MISMATCH") {
                continue;
            }
            assert!(output.status.success(), "{arguments:?}: {errors}");
            return String::from_utf8(output.stdout).expect("it is a text");
        }
    }

    /// Submits a request in flags; its coupon's number.
    fn submitted(&self, caller: &str, flags: &[String]) -> String {
        let flags: Vec<&str> = ["requests", "new", "--as", caller]
            .into_iter()
            .chain(flags.iter().map(String::as_str))
            .collect();
        let request = self.system.examined(&flags);
        request["coupon"]["number"]
            .as_str()
            .expect("it has a coupon")
            .to_owned()
    }

    /// All numbers of a section of the queue, page after page.
    fn queue(&self, section: &str, caller: &str) -> Vec<String> {
        let (mut numbers, mut token) = (Vec::new(), String::new());
        loop {
            let mut asked = vec!["requests", "queue", section, "--page-size", "7", "--as", caller];
            if !token.is_empty() {
                asked.extend(["--page-token", &token]);
            }
            let page = self.system.json(&asked);
            for request in page["requests"].as_array().expect("a list") {
                let number = ["registrationNumber", "coupon"].map(|field| &request[field]);
                let number = number[0].as_str().filter(|number| !number.is_empty());
                numbers.push(
                    number
                        .or(request["coupon"]["number"].as_str())
                        .expect("a number")
                        .to_owned(),
                );
            }
            token = page["nextPageToken"].as_str().unwrap_or_default().to_owned();
            if token.is_empty() {
                return numbers;
            }
        }
    }

    /// Takes a request on until `is_there`, by its state and what was done, by what its sheet says is next.
    fn carry(&self, number: &str, official: &str, is_there: impl Fn(&str, &[String]) -> bool) -> Vec<String> {
        let mut begun = Instant::now();
        let mut steps = Vec::new();
        loop {
            let sheet = self.said(&["requests", "show", number, "--as", official]);
            let state = sheet.lines().next().and_then(|line| line.split_whitespace().nth(1));
            let state = state.expect("the first line has number and state").to_owned();
            if is_there(&state, &steps) {
                return steps;
            }
            let next = sheet.lines().find_map(|line| line.strip_prefix("next: "));
            let next = next
                .unwrap_or_else(|| panic!("it says what is next: {sheet}"))
                .to_owned();
            assert!(
                steps.len() < STEPS && begun.elapsed() < PATIENCE,
                "{number} after {steps:?}: {sheet}"
            );
            if state == "RECEIVED" && next.starts_with("nothing") {
                // The job examines it within a second.
                std::thread::sleep(PAUSE);
                continue;
            }
            steps.push(self.step(&sheet, &next, official));
            begun = Instant::now();
        }
    }

    /// Does what a sheet says is next; the command without its number.
    fn step(&self, sheet: &str, next: &str, official: &str) -> String {
        let hints: Vec<&str> = next.split('`').skip(1).step_by(2).collect();
        // Of what the system has decided one command confirms and another reverses; here it comes in writing after all.
        let hint = hints.iter().find(|hint| hint.contains("--kept")).or(hints.first());
        let hint = hint.unwrap_or_else(|| panic!("a command is next: {next}"));
        let words: Vec<&str> = hint.split(' ').map(|word| word.trim_matches('\'')).collect();
        let verb = words.iter().take_while(|word| !word.contains(char::is_numeric));
        let verb = verb.copied().collect::<Vec<_>>().join(" ");
        match verb.as_str() {
            "requests answer approve" => self.approve(&words),
            "requests clarify provide" => self.provide(&words, sheet),
            _ => {
                self.said(&filled(&words, official));
            }
        }
        verb
    }

    /// Another person reads the answer, signs it outside, and approves it, by the commands that are told.
    fn approve(&self, hint: &[&str]) {
        let told = self.said(&filled(hint, APPROVER));
        let (content, signature) = (self.path("answer.json"), self.path("answer.p7s"));
        let commands: Vec<&str> = told
            .lines()
            .filter(|line| line.starts_with("  "))
            .map(str::trim)
            .collect();
        assert_eq!(commands.len(), 3, "download, sign and approve: {told}");
        for command in commands {
            let Some(ours) = command.strip_prefix("legalstat ") else {
                assert!(
                    command.starts_with("openssl cms -sign -binary -in answer.json"),
                    "{told}"
                );
                self.outside.sign(&content, &signature);
                continue;
            };
            let (content, signature) = (content.display().to_string(), signature.display().to_string());
            let words = ours.split(' ').map(|word| match word {
                "answer.json" => content.as_str(),
                "answer.p7s" => signature.as_str(),
                word => word,
            });
            let words: Vec<&str> = words.collect();
            assert_eq!(words[words.len() - 2..], ["--as", APPROVER], "{told}");
            self.said(&words);
        }
    }

    /// The signature of who approves, made outside.
    fn signed(&self, number: &str, approver: &str) -> String {
        let (content, signature) = (self.path("answer.json"), self.path("answer.p7s"));
        let to = content.display().to_string();
        let download = [
            "requests",
            "answer",
            "download",
            number,
            "--format",
            "canonical-json",
            "--to",
            &to,
        ];
        self.said(&[&download[..], &["--as", approver]].concat());
        self.outside.sign(&content, &signature);
        signature.display().to_string()
    }

    /// Supplies what the checks say is missing, each by the field that its check names.
    fn provide(&self, hint: &[&str], sheet: &str) {
        let (mut supplied, mut items) = (Vec::new(), None);
        for line in sheet.lines().filter_map(|line| line.trim().strip_prefix("FAILED ")) {
            let named = line.split(": ").next().unwrap_or_default();
            let (rule, field) = named.split_once(' ').unwrap_or((named, ""));
            match (rule, field) {
                (_, "items") => {
                    items = Some(format!(
                        "unit=crime;period=2025-M01;{INDICATOR};words=registered crimes"
                    ))
                }
                ("PERIOD", field) => supplied.push(format!("{field}=2025-M01")),
                ("ADDRESS", field) => supplied.push(format!("{field}=Astana, Mangilik El 8")),
                ("IDENTITY", _) => supplied.push("requester.bin=160340014245".to_owned()),
                ("SIGNED", _) => supplied
                    .extend(["signatory.full_name=Applicant", "signatory.capacity=applicant"].map(str::to_owned)),
                ("DATED", field) => supplied.push(format!("{field}=2026-01-15")),
                ("ESSENCE", field) => supplied.push(format!("{field}=Registered crimes")),
                other => panic!("{other:?} is asked for: {sheet}"),
            }
        }
        let place = hint.iter().position(|word| ["--set", "--item"].contains(word));
        let place = place.expect("it says how to supply");
        assert_eq!(hint[place] == "--item", items.is_some(), "{hint:?}: {sheet}");
        let mut provide = filled(&hint[..place], "");
        provide.extend(supplied.iter().flat_map(|field| ["--set", field]));
        provide.extend(items.iter().flat_map(|item| ["--item", item]));
        // Behind the field stands by whom.
        provide.extend(&hint[place + 2..]);
        self.said(&provide);
    }

    /// Downloads the answer and verifies it, without asking anybody.
    fn verify(&self, number: &str, format: &str) {
        let file = self.path(&format!("answer.{format}")).display().to_string();
        self.said(&[
            "requests", "answer", "download", number, "--format", format, "--to", &file,
        ]);
        let trust = self.outside.trust().display().to_string();
        let found = self.system.json(&["requests", "verify", &file, "--trust", &trust]);
        assert_eq!(found["proved"], true, "{number}: {found}");
    }

    /// What officials do besides what is next: some edit, ask, correct, extend or forward.
    fn besides(&self, number: &str, essence: &str, official: &str) {
        let request = self.system.json(&["requests", "get", number]);
        let is = |word: &str| essence.contains(word);
        let state = request["state"].as_str().unwrap_or_default();
        if !["REQUEST_STATE_REGISTERED", "REQUEST_STATE_IN_PREPARATION"].contains(&state) {
            return;
        }
        if is("ask") {
            let ask = [
                "requests",
                "clarify",
                "ask",
                number,
                "--defect",
                "essence=Уточните, что нужно",
                "--as",
                official,
            ];
            self.said(&ask);
        }
        if is("correct") {
            let fields = self.written("slip.json", &json!({ "requester": { "full_name": "Mended name" } }));
            let correct = [
                "requests", "correct", number, "--fields", &fields, "--reason", "Mistyped", "--as", official,
            ];
            self.said(&correct);
        }
        if is("extend") {
            let extend = [
                "requests",
                "extend",
                number,
                "--capacity",
                "head",
                "--reason",
                "Two regions are late",
            ];
            self.said(&[&extend[..], &["--as", APPROVER]].concat());
        }
        if is("forward") {
            let forward = [
                "requests",
                "forward",
                number,
                "--item",
                "items[1]",
                "--to",
                "Bureau of National Statistics",
            ];
            self.said(&[&forward[..], &["--reason", "It keeps these figures", "--as", official]].concat());
        }
    }
}

/// The command that approves an answer with a signature.
fn approval<'a>(number: &'a str, signature: &'a str, approver: &'a str) -> [&'a str; 10] {
    let approve = ["requests", "answer", "approve", number];
    let with = ["--capacity", "deputy", "--signature", signature, "--as", approver];
    std::array::from_fn(|place| {
        approve
            .get(place)
            .copied()
            .unwrap_or_else(|| with[place - approve.len()])
    })
}

/// A command as it is told, with its `…` and its NAME filled in.
fn filled<'a>(hint: &[&'a str], name: &'a str) -> Vec<&'a str> {
    let words = hint.iter().enumerate().map(|(place, word)| match *word {
        "…" => value(hint[place - 1]),
        "NAME" => name,
        word => word,
    });
    words.collect()
}

/// What is written for a `…` behind a flag.
fn value(flag: &str) -> &'static str {
    match flag {
        "--answer" => "By letter 8",
        "--reason" => "Looked at, and asked back by telephone",
        "--means" => "post",
        "--proof" => "Registered letter RR123456789KZ",
        "--capacity" => "deputy",
        other => panic!("nobody knows what stands behind {other}"),
    }
}

#[test]
fn ten_requests_of_each_kind_come_from_receipt_to_a_dispatched_answer_by_the_command_line_alone() {
    let office = Office::open();
    let asked: Vec<(&str, usize)> = KINDS
        .into_iter()
        .flat_map(|kind| (0..OF_EACH).map(move |place| (kind, place)))
        .collect();
    let coupons = side_by_side(&asked, |(kind, place)| {
        let (caller, _) = channel(kind, *place);
        (office.submitted(caller, &flags(kind, *place)), *place)
    });
    assert_eq!(coupons.len(), KINDS.len() * OF_EACH);

    // What the system left without consideration an official looks at, and asks for it in writing.
    let left = office.queue("--to-confirm", OFFICIALS[0]);
    assert!(left.len() >= 8, "{left:?}");
    side_by_side(&left, |coupon| {
        let is_decided = |state: &str, _: &[String]| !["LEFT_WITHOUT_CONSIDERATION", "RECEIVED"].contains(&state);
        let steps = office.carry(coupon, OFFICIALS[0], is_decided);
        assert_eq!(steps.first().map(String::as_str), Some("requests review"), "{coupon}");
    });
    assert!(office.queue("--to-confirm", OFFICIALS[0]).is_empty());

    // Everybody takes from the queue what nobody has.
    let unassigned = office.queue("--unassigned", OFFICIALS[0]);
    assert_eq!(unassigned.len(), coupons.len());
    for (place, number) in unassigned.iter().enumerate() {
        office.said(&["requests", "assign", number, "--as", OFFICIALS[place % 2]]);
    }
    assert!(office.queue("--unassigned", OFFICIALS[0]).is_empty());
    let overview = office.said(&["requests", "queue", "--as", OFFICIALS[1]]);
    for part in [
        "mine (bolat)",
        "unassigned: none",
        "overdue: none",
        "requests queue --mine",
    ] {
        assert!(overview.contains(part), "{part}: {overview}");
    }

    let mine: Vec<(&str, String)> = OFFICIALS
        .into_iter()
        .flat_map(|official| {
            office
                .queue("--mine", official)
                .into_iter()
                .map(move |number| (official, number))
        })
        .collect();
    side_by_side(&mine, |(official, number)| answered(&office, number, official));

    for section in ["--mine", "--waiting-for-approval", "--due-soonest"] {
        assert!(office.queue(section, OFFICIALS[0]).is_empty(), "{section}");
    }
    side_by_side(&coupons, |(coupon, place)| {
        office.verify(coupon, ["json", "xlsx", "json", "json", "pdf"][place % 5]);
    });
    let counted = office.system.json(&["requests", "list", "--state", "answered"]);
    assert_eq!(counted["requests"].as_array().map(Vec::len), Some(coupons.len()));
}

/// Does the same with each, a few at a time, as several people do: much of a day is waiting.
fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let hands = [(); HANDS].map(|()| {
            scope.spawn(|| {
                std::iter::from_fn(|| all.get(next.fetch_add(1, Ordering::Relaxed)))
                    .map(&work)
                    .collect::<Vec<_>>()
            })
        });
        let done = hands.into_iter().map(|hand| hand.join().expect("each goes well"));
        done.flatten().collect()
    })
}

/// Takes a request to its dispatched answer, with what its official does besides.
fn answered(office: &Office, number: &str, official: &str) {
    let in_work = |state: &str, _: &[String]| ["REGISTERED", "IN_PREPARATION", "ANSWERED"].contains(&state);
    office.carry(number, official, in_work);
    let request = office.system.json(&["requests", "get", number]);
    // One that waited for its requester was called by its coupon.
    let number = request["registrationNumber"].as_str().expect("it is registered");
    let essence = request["essence"].as_str().expect("it has an essence").to_owned();
    if essence.contains("correct") {
        // The slip is noticed when the answer is approved already: it is drafted and approved again, as the sheet says.
        let approved = |_: &str, steps: &[String]| steps.last().is_some_and(|step| step == "requests answer approve");
        office.carry(number, official, approved);
    }
    office.besides(number, &essence, official);
    office.carry(number, official, in_work);
    if essence.contains("edit") {
        // A colleague writes it, who is an approver too and approves nothing that he wrote himself.
        let writer = OFFICIALS[1];
        office.said(&["requests", "answer", "draft", number, "--as", writer]);
        let mut answer = office
            .system
            .json(&["requests", "answer", "show", number, "--as", writer]);
        answer["opening"] = json!("Сообщаем: әғқңөұүһі.");
        let file = office.written("edited.json", &answer);
        office.said(&["requests", "answer", "edit", number, "--file", &file, "--as", writer]);
        assert!(
            office
                .queue("--waiting-for-approval", APPROVER)
                .contains(&number.to_owned())
        );
        let signature = office.signed(number, writer);
        let (code, said) = office.system.failure(&approval(number, &signature, writer));
        assert!(code == 1 && said.contains("SAME_PERSON"), "{said}");
    }
    let steps = office.carry(number, official, |state, _| state == "ANSWERED");
    if essence.contains("correct") {
        assert!(steps.contains(&"requests answer draft".to_owned()), "{steps:?}");
    }
    assert_eq!(
        steps.last().map(String::as_str),
        Some("requests answer dispatch"),
        "{steps:?}"
    );
}
