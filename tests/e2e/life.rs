//! Starting, stopping, and what survives.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::command_line::{request, without_secret};
use legalstat_test_support::system::{System, program};

#[test]
fn the_tour_passes_twice_against_a_running_system() {
    let system = System::start();
    for _ in 0..2 {
        let output = system.run(&["tour"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("Everything is as it should be"),
            "{said}"
        );
    }
}

#[test]
fn the_tour_goes_through_the_system_that_it_is_sent_to_and_no_other() {
    let system = System::start();
    let output = system.run(&["tour", "--target", "localhost:1"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(3) && told.contains("is it on localhost:1?"),
        "{told}"
    );
    for (target, wrong) in [("local host", "no host"), ("localhost:65533", "no room")] {
        let (code, told) = system.failure(&["tour", "--target", target]);
        assert!(code == 2 && told.contains(wrong), "{told}");
    }
}

#[test]
fn the_tour_starts_a_system_of_its_own_where_none_runs() {
    let mut system = System::start();
    system.end(Signal::SIGTERM);
    let output = system.run(&["tour"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("starting a temporary one"),
        "{said}"
    );
}

#[test]
fn a_second_up_in_the_same_folder_says_that_one_is_running() {
    let system = System::start();
    let (code, said) = system.failure(&["up"]);
    assert_eq!(code, 2);
    assert!(said.contains("already running"), "{said}");
}

#[test]
fn up_tells_the_ports_it_takes_instead_and_its_hints_work_where_they_are_printed() {
    let folder = tempfile::Builder::new()
        .prefix("legalstat-suite-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
        .tempdir()
        .expect("a folder");
    let mut tries = 0..TRIES;
    let (mut up, said) = loop {
        // Where another test's system has the port this one does not get it either, unless that ends at this very moment.
        let _held = TcpListener::bind(("127.0.0.1", 7601));
        let (up, said) = started(folder.path());
        let mut lines = said.iter();
        let moved = lines.find(|line| line.contains("calendar takes port"));
        if moved.is_some_and(|line| line.contains("port 7601 cannot be had (Address already in use")) {
            break (up, said);
        }
        assert!(tries.next().is_some(), "{said:?}");
    };
    let told = said.join("\n");
    let hints = said.iter().skip_while(|line| !line.starts_with("Try")).skip(1);
    let hints: Vec<&String> = hints.take_while(|line| line.starts_with("  ")).collect();
    assert!(hints.len() > 2, "{told}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    for hint in hints {
        let mut shell = Command::new("sh");
        shell.args(["-c", hint]).current_dir(elsewhere.path()).env_clear();
        let output = shell.env("PATH", "/usr/bin:/bin").output().expect("the shell runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{hint}: {errors}");
        assert!(
            !String::from_utf8_lossy(&output.stdout).contains("starting a temporary one"),
            "{hint}"
        );
    }
    up.terminate();
    assert!(up.0.wait().expect("it ends").success());
}

/// How often a system is started until its usual port is another's.
const TRIES: usize = 5;

/// A system that is started in a folder, and what it says at its start.
fn started(folder: &Path) -> (Ended, Vec<String>) {
    let mut command = program(folder);
    command.args(["up", "--folder", "it's here"]).stderr(Stdio::piped());
    let mut up = Ended(command.spawn().expect("it starts"));
    let mut lines = BufReader::new(up.0.stderr.take().expect("it is piped")).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        said.push(line.expect("it is text"));
        if said.last().is_some_and(|line| line.starts_with("Ctrl-C")) {
            break;
        }
    }
    // Whatever else it says must find who reads it.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (up, said)
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Ended {
    fn terminate(&self) {
        let pid = i32::try_from(self.0.id()).expect("a process id");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it runs");
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.terminate();
            self.0.wait().ok();
        }
    }
}

#[test]
fn data_survive_an_orderly_stop_and_a_kill() {
    let mut system = System::start();
    let file = system.file("request.json", &request().to_string());
    let submit = ["requests", "submit", "--as", "edms", "--file", &file];
    let submitted = system.json(&submit);
    let name = submitted["name"].as_str().expect("it is stored").to_owned();
    let told = without_secret(system.until_examined(&submit, &submitted));

    assert_eq!(system.end(Signal::SIGINT), Some(0), "Ctrl-C ends it in order");
    assert_eq!(
        system.failure(&["requests", "get", &name]).0,
        3,
        "nothing can be reached"
    );
    system.up();
    assert_eq!(
        system.json(&["requests", "get", &name, "--as", "edms"])["coupon"],
        told["coupon"]
    );

    assert_eq!(system.end(Signal::SIGKILL), None);
    system.up();
    assert_eq!(system.json(&["requests", "get", &name, "--as", "edms"]), told);
    let again = system.json(&submit);
    assert_eq!(again, submitted, "the same call has the same answer, also after a kill");
}

#[test]
fn every_certificate_is_made_once_and_secrets_are_their_owners_alone() {
    let mut system = System::start();
    let certificates = system.home().join("certificates");
    let read = |name: &str| std::fs::read(certificates.join(name)).expect("it is there");
    for name in [
        "operator",
        "approver",
        "administrator",
        "edms",
        "kadagalau",
        "supreme-court",
        "calendar",
    ] {
        read(&format!("{name}.pem"));
        let mode = std::fs::metadata(certificates.join(format!("{name}.key")))
            .expect("it is there")
            .permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600, "{name}");
    }
    // ca, four officials, two document systems, 23 recipients and four services.
    let pems = std::fs::read_dir(&certificates).expect("it is there").flatten();
    assert_eq!(
        pems.filter(|file| file.path().extension().is_some_and(|end| end == "pem"))
            .count(),
        1 + 4 + 2 + 23 + 4
    );
    let before = read("edms.pem");
    system.end(Signal::SIGTERM);
    system.up();
    assert_eq!(read("edms.pem"), before);
}
