//! `legalstat requests new` from flags, from answers to questions on a terminal and by a template; further officials; and the queue.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::Stdio,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use legalstat_test_support::system::{System, program};
use nix::pty::{Winsize, openpty};
use serde_json::{Value, json};

/// A program on a terminal, answered as a person would: after what it asks.
struct Terminal {
    keys: File,
    /// In bytes: what comes at once may end within a letter.
    said: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    read_to: usize,
    process: std::process::Child,
}

impl Terminal {
    fn run(system: &System, arguments: &[&str]) -> Self {
        let size = Winsize {
            ws_row: 50,
            ws_col: 200,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).expect("a terminal");
        let end = |side: &OwnedFd| side.try_clone().expect("it is open");
        let process = program(system.folder())
            .args(arguments)
            .env("TERM", "xterm")
            .stdin(Stdio::from(end(&pty.slave)))
            .stdout(Stdio::from(end(&pty.slave)))
            .stderr(Stdio::from(pty.slave))
            .spawn()
            .expect("the program runs");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (mut shown, told) = (File::from(end(&pty.master)), Arc::clone(&said));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The terminal fails once the program has ended.
            while let Ok(read) = shown.read(&mut bytes) {
                if read == 0 {
                    break;
                }
                let mut told = told.lock().expect("nobody panics while holding it");
                told.extend_from_slice(&bytes[..read]);
            }
        });
        Self {
            keys: File::from(pty.master),
            said,
            reader,
            read_to: 0,
            process,
        }
    }

    fn said(&self) -> String {
        let said = self.said.lock().expect("nobody panics while holding it");
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Waits until it asks for something, and answers.
    fn answer(&mut self, question: &str, answer: &str) {
        let begun = Instant::now();
        loop {
            let said = self.said();
            if let Some(place) = said[self.read_to..].find(question) {
                self.read_to += place + question.len();
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it does not ask {question:?}: {said}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        self.keys
            .write_all(format!("{answer}\r").as_bytes())
            .expect("it listens");
    }

    /// Its exit status and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().expect("it ends");
        // The terminal is closed with the last who holds its other side, behind the last that it said.
        self.reader.join().expect("it reads to the end");
        let said = self.said.lock().expect("nobody panics while holding it");
        (status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

const BODY: [&str; 18] = [
    "--kind",
    "state-body",
    "--channel",
    "unified-edms",
    "--language",
    "ru",
    "--name",
    "Ministry of Justice",
    "--external-number",
    "12-3/45",
    "--external-date",
    "2026-02-02",
    "--signatory",
    "The head",
    "--capacity",
    "head",
    "--essence",
    "Crimes of the quarter",
];

#[test]
fn what_is_missing_is_named_at_once_where_nobody_can_be_asked() {
    let system = System::start();
    let (code, said) = system.failure(&["requests", "new", "--kind", "prosecutor-body", "--channel", "kadagalau"]);
    assert_eq!(code, 2, "{said}");
    for flag in [
        "name",
        "external-number",
        "external-date",
        "signatory",
        "capacity",
        "essence",
        "language",
        "item",
    ] {
        assert!(said.contains(&format!("\n  --{flag}  ")), "{flag}: {said}");
    }
    let (code, said) = system.failure(&["requests", "new", "--kind", "king", "--channel", "oral"]);
    assert!(
        code == 2 && said.contains("state-body, prosecutor-body, individual, legal-entity"),
        "{said}"
    );
    let (code, said) = system.failure(&["requests", "new", "--bin", "160340014246"]);
    assert!(code == 2 && said.contains("control digit"), "{said}");
    assert!(listed(&system).is_empty());
}

fn listed(system: &System) -> Vec<Value> {
    let list = system.json(&["requests", "list"]);
    list["requests"].as_array().expect("a list").clone()
}

#[test]
fn a_terminal_is_asked_question_by_question_and_nothing_is_sent_before_yes() {
    let system = System::start();
    let questions = |send: &str| {
        let mut terminal = Terminal::run(&system, &["requests", "new", "--language", "kk"]);
        terminal.answer(
            "Who asks: state-body, prosecutor-body, individual, legal-entity",
            "somebody",
        );
        terminal.answer("write one of state-body", "individual");
        terminal.answer("How it came: ", "paper");
        terminal.answer("The body's or entity's name", "Серикбаева Айгүл");
        terminal.answer("The IIN, 12 digits (Enter leaves it out)", "911003342905");
        terminal.answer("control digit", "911003342906");
        terminal.answer("The postal address (Enter leaves it out)", "Astana, Mangilik El 8");
        terminal.answer("The sender's own number of the document (Enter leaves it out)", "");
        terminal.answer("The date of the sender's document", "2026-02-30");
        terminal.answer("a day that there is", "2026-02-02");
        terminal.answer("Who signed it: the name", "Серикбаева Айгүл");
        terminal.answer("In which capacity it is signed", "applicant");
        terminal.answer("The essence of the request", "Мал ұрлығы");
        terminal.answer(
            "Whether it reports a crime or a threat: yes, no (Enter leaves it out)",
            "no",
        );
        terminal.answer("What is asked for, item 1, in words", "registered crimes");
        terminal.answer("What kind of thing: statistics", "statistics");
        terminal.answer("Its unit: crime", "crime");
        terminal.answer("The period, or the first of several", "2025-Q5");
        terminal.answer("a quarter as 2026-Q1", "2025-Q3");
        terminal.answer("The last of several periods", "2025-Q4");
        terminal.answer("The form or the indicator", "1");
        terminal.answer("The detail of an accounting document", "");
        terminal.answer("The territories, codes of KATO", "11, 15");
        terminal.answer("What is asked for, item 2, in words (Enter leaves it out)", "");
        terminal.answer("Send it? (yes, no)", send);
        terminal
    };
    let (code, said) = questions("no").end();
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("nothing was sent") && said.contains("fullName: Серикбаева Айгүл"),
        "{said}"
    );
    assert!(listed(&system).is_empty());

    let (code, said) = questions("yes").end();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("coupon: ") && said.contains("secret: ") && said.contains("next: "),
        "{said}"
    );
    let requests = listed(&system);
    assert_eq!(requests.len(), 1);
    let request = system.json(&["requests", "get", requests[0]["name"].as_str().expect("a name")]);
    assert_eq!(request["requester"]["iin"], "911003342906");
    assert_eq!(request["language"], "LANGUAGE_KK");
    assert_eq!(request["items"][0]["untilPeriod"], "2025-Q4");
    assert_eq!(request["items"][0]["form"], "forms/1");
    assert_eq!(request["items"][0]["territories"], json!(["11", "15"]));
}

#[test]
fn a_body_is_asked_before_its_channel_is_refused_and_what_was_typed_is_kept_when_the_service_refuses() {
    let system = System::start();
    let mut terminal = Terminal::run(&system, &["requests", "new", "--kind", "state-body"]);
    terminal.answer("How it came: ", "unified-edms");
    let (code, said) = terminal.end();
    assert!(
        code == Some(2) && said.contains("`requests new --as edms`") && !said.contains("The body's or entity's name"),
        "{said}"
    );

    let given = [&["requests", "new", "--as", "edms"][..], &BODY[..12]].concat();
    let mut terminal = Terminal::run(&system, &given);
    terminal.answer("The BIN, 12 digits", "160340014245");
    terminal.answer("Who signed it: the name", "The head");
    terminal.answer("In which capacity it is signed", "head");
    terminal.answer("The essence of the request", "Crimes of the quarter");
    terminal.answer("What is asked for, item 1, in words", "registered crimes");
    terminal.answer("What kind of thing: statistics", "statistics");
    terminal.answer("Its unit: crime", "crime");
    terminal.answer("The period, or the first of several", "2025-Q3");
    terminal.answer("The last of several periods", "2025-Q1");
    terminal.answer("The form or the indicator", "");
    terminal.answer("The detail of an accounting document", "");
    terminal.answer("The territories", "");
    terminal.answer("What is asked for, item 2", "");
    terminal.answer("Send it? (yes, no)", "yes");
    let (code, said) = terminal.end();
    assert_eq!(code, Some(1), "a last period before the first: {said}");
    let hint = said.split('`').nth_back(1).expect("it says how to go on");
    let file = hint.split(' ').nth(3).expect("it names the file");
    assert!(hint.ends_with(" --as edms"), "{hint}");
    let path = system.folder().join(file);
    let text = std::fs::read_to_string(&path).expect("it was kept");
    std::fs::write(&path, text.replace("2025-Q1", "2025-Q4")).expect("the folder is ours");
    let mended: Vec<&str> = hint.split(' ').collect();
    let request = system.examined(&mended);
    assert_eq!(request["state"], "REQUEST_STATE_REGISTERED");
    assert_eq!(request["requester"]["bin"], "160340014245");
}

#[test]
fn a_likely_duplicate_is_asked_about_before_it_is_sent() {
    let system = System::start();
    let item = ["--item", "unit=crime;period=2025-Q4;words=registered crimes"];
    let new = [&["requests", "new", "--as", "edms"][..], &BODY, &item].concat();
    let first = system.examined(&new);
    let mut terminal = Terminal::run(&system, &new);
    terminal.answer("Send it? (yes, no)", "yes");
    let number = first["registrationNumber"].as_str().expect("it is registered");
    terminal.answer(
        &format!("registered as {number}. Send it all the same? [yes/no] "),
        "no",
    );
    let (code, said) = terminal.end();
    assert!(code == Some(2) && said.contains("nothing was sent"), "{said}");
    assert_eq!(listed(&system).len(), 1);
}

#[test]
fn a_template_that_is_filled_in_is_submitted_and_one_that_is_not_is_refused_by_its_fields() {
    let system = System::start();
    let path = system.folder().join("template.json").display().to_string();
    let begun = [&["requests", "new", "--template", &path][..], &BODY[..14]].concat();
    let written = system.run(&begun);
    let said = String::from_utf8_lossy(&written.stderr).into_owned();
    assert!(
        written.status.success() && said.contains(&format!("`requests submit --file {path} --as edms`")),
        "the EDMS brings it: {said}"
    );
    let (code, said) = system.failure(&begun);
    assert!(code == 2 && said.contains("is there already"), "{said}");
    let submit = ["requests", "submit", "--as", "edms", "--file", &path];
    let (code, said) = system.failure(&submit);
    assert!(
        code == 2 && said.contains("request.signatory.capacity: ") && said.contains("SIGNATORY_CAPACITY_HEAD"),
        "{said}"
    );

    let text = std::fs::read_to_string(&path).expect("it was written");
    let mut template: Value = serde_json::from_str(&text).expect("it is JSON");
    let request = &mut template["request"];
    assert_eq!(request["requester"]["fullName"], "Ministry of Justice");
    request["signatory"]["capacity"] = "SIGNATORY_CAPACITY_HEAD".into();
    request["essence"] = "Crimes".into();
    request["items"][0]["kind"] = "ITEM_KIND_STATISTICS".into();
    request["items"][0]["unit"] = "UNIT_CRIME".into();
    request["items"][0]["description"] = "registered crimes".into();
    request["items"][0]["period"] = "2025-Q4".into();
    std::fs::write(&path, template.to_string()).expect("the folder is ours");
    assert_eq!(system.examined(&submit)["state"], "REQUEST_STATE_REGISTERED");
}

#[test]
fn further_officials_have_their_own_requests_and_one_name_is_one_person() {
    let mut system = System::start();
    let add =
        |system: &System, name: &str, role: &str| system.run(&["certificates", "add", "--name", name, "--role", role]);
    assert!(add(&system, "aliya", "operator").status.success());
    assert!(
        add(&system, "aliya", "operator").status.success(),
        "the same one again is there already"
    );
    for (name, role, part) in [
        ("aliya", "approver", "aliya is there already, with the roles operator"),
        ("operator", "approver", "with the roles operator"),
        ("Aliya", "operator", "differ in case only"),
        ("system", "operator", "reserved"),
        ("anonymous", "operator", "reserved"),
        ("ca", "operator", "authority's own"),
        ("../aliya", "operator", "letters"),
        ("calendar", "operator", "with the roles service"),
    ] {
        let refused = add(&system, name, role);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(2) && said.contains(part),
            "{name}: {said}"
        );
    }
    let (code, said) = system.failure(&["certificates", "add", "--name", "x", "--role", "service"]);
    assert!(code == 2 && said.contains("operator"), "{said}");

    // A document system that is added brings requests and follows them as the house's own does.
    assert!(add(&system, "ministry-edms", "edms").status.success());
    let submit = [
        &["requests", "new", "--as", "ministry-edms"][..],
        &BODY,
        &["--item", "unit=crime;period=2025-Q4;words=crimes"],
    ]
    .concat();
    let followed = ["requests", "watch", "--until-caught-up", "--as", "ministry-edms"];
    let roles = |name: &str| {
        let added = system.run(&["certificates", "add", "--name", name, "--role", "operator"]);
        let said = String::from_utf8_lossy(&added.stderr).into_owned();
        said.split("the roles ")
            .nth(1)
            .map(str::to_owned)
            .expect("it has others")
    };
    assert_eq!(
        roles("ministry-edms").split(':').next(),
        roles("edms").split(':').next()
    );
    let number = system.examined(&submit)["registrationNumber"]
        .as_str()
        .expect("it is registered")
        .to_owned();
    let told = String::from_utf8(system.run(&followed).stdout).expect("it is a text");
    assert!(told.contains(&number), "{told}");
    let mine = |system: &System, official: &str| {
        let page = system.json(&["requests", "queue", "--mine", "--as", official]);
        page["requests"].as_array().map_or(0, Vec::len)
    };
    assert!(
        system
            .run(&["requests", "assign", &number, "--as", "aliya"])
            .status
            .success()
    );
    assert_eq!((mine(&system, "aliya"), mine(&system, "operator")), (1, 0));
    let shown = system.run(&["requests", "queue", "--as", "aliya"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in [
        "mine (aliya)",
        &number,
        "Ministry of Justice",
        "Crimes of the quarter",
        "days left",
        "overdue: none",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let whole = system.json(&["requests", "queue", "--as", "aliya"]);
    assert!(
        whole["waitingForApproval"]["requests"]
            .as_array()
            .is_some_and(Vec::is_empty),
        "{whole}"
    );

    // A certificate that was added lasts as the others do.
    let certificate = system.home().join("certificates/aliya.pem");
    let before = std::fs::read(&certificate).expect("it is there");
    assert!(system.run(&["certificates", "revoke", "aliya"]).status.success());
    assert_ne!(std::fs::read(&certificate).expect("a new one is there"), before);
    system.end(nix::sys::signal::Signal::SIGTERM);
    std::fs::remove_file(&certificate).expect("the folder is ours");
    system.up();
    assert_eq!(mine(&system, "aliya"), 1);
}
