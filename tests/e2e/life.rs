//! Starting, stopping, and what survives.

use nix::sys::signal::Signal;

use crate::command_line::request;
use legalstat_test_support::system::System;

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
fn data_survive_an_orderly_stop_and_a_kill() {
    let mut system = System::start();
    let file = system.file("request.json", &request().to_string());
    let submitted = system.json(&["requests", "submit", "--as", "edms", "--file", &file]);
    let name = submitted["name"].as_str().expect("it is stored").to_owned();

    assert_eq!(system.end(Signal::SIGINT), Some(0), "Ctrl-C ends it in order");
    assert_eq!(
        system.failure(&["requests", "get", &name]).0,
        3,
        "nothing can be reached"
    );
    system.up();
    assert_eq!(
        system.json(&["requests", "get", &name, "--as", "edms"])["coupon"],
        submitted["coupon"]
    );

    assert_eq!(system.end(Signal::SIGKILL), None);
    system.up();
    assert_eq!(system.json(&["requests", "get", &name, "--as", "edms"]), submitted);
    let again = system.json(&["requests", "submit", "--as", "edms", "--file", &file]);
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
