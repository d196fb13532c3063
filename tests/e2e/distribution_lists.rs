//! Recipients, their keys, titles and distribution lists on the command line.

use legalstat_test_support::system::System;

/// Who gets the open copies of the collection on the supervision, as somebody may find it in the official text.
const CELLS: &str = "collection;recipient;copies
supervision;majilis;1
supervision;prime-minister-office;1
supervision;security-council;1
supervision;supreme-court;1
supervision;national-security-committee;1
supervision;ministry-internal-affairs;1
supervision;ministry-justice;1
supervision;anti-corruption-bureau;1
supervision;financial-monitoring-committee;0
supervision;ministry-defence;0
supervision;state-security-service;0
supervision;foreign-intelligence-service;UNKNOWN
crime;senate;5
";

fn resolving<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let resolving = [
        "collections",
        "resolve",
        "supervision",
        "--file",
        file,
        "--from",
        "2019-04-15",
        "--act",
        "Instruction",
        "--provision",
        "Appendix 1",
        "--reason",
        "the official text",
    ];
    [&resolving, more].concat()
}

#[test]
fn a_list_is_resolved_from_a_file_after_a_dry_run_and_approved_by_another() {
    let system = System::start();
    let wrong = system.file("wrong.csv", "recipient,copies\nmajilis,2\nsenate,4\n");
    let (code, said) = system.failure(&resolving(&wrong, &["--dry-run"]));
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("row 2, copies: an unresolved cell is 0 or 1")
            && said.contains("row 3, copies: 1 copies are certain"),
        "{said}"
    );
    let file = system.file("cells.csv", &CELLS.replace("UNKNOWN", "0"));
    let tried = system.json(&resolving(&file, &["--dry-run"]));
    assert_eq!(
        (&tried["version"], &tried["copiesTotal"]),
        (&2.into(), &30.into()),
        "{tried}"
    );
    let list = ["collections", "distribution", "supervision"];
    assert_eq!(system.json(&list)["version"], 1, "a dry run changes nothing");
    let proposed = system.json(&resolving(&file, &[]));
    assert_eq!(proposed["name"], "collections/supervision/distributionLists/2");
    system.json(&["collections", "approve-list", "supervision", "2", "--as", "approver"]);
    let listed = system.json(&["collections", "lists", "supervision"]);
    assert_eq!(
        listed["distributionLists"][1]["state"], "DISTRIBUTION_LIST_STATE_IN_FORCE",
        "{listed}"
    );
    let in_force = system.json(&list);
    assert_eq!(
        in_force["unresolvedGroups"].as_array().map(Vec::len),
        Some(0),
        "{in_force}"
    );
    let open = system.file("open.csv", CELLS);
    let (code, said) = system.failure(&resolving(&open, &[]));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("every cell is so already"), "{said}");
}

#[test]
fn an_administrator_enters_a_court_after_a_council_with_a_key_and_a_title() {
    let system = System::start();
    let entered = system.json(&[
        "collections",
        "add-recipient",
        "constitutional-court",
        "--column",
        "11",
        "--en",
        "Constitutional Court",
        "--certificate",
        "constitutional-court",
        "--from",
        "2023-01-01",
        "--act",
        "Constitutional Law 153-VII",
        "--reason",
        "the Council became a Court",
        "--as",
        "administrator",
    ]);
    assert_eq!(entered["certificateName"], "constitutional-court", "{entered}");
    system.json(&[
        "collections",
        "update-recipient",
        "constitutional-council",
        "--to",
        "2022-12-31",
        "--successor",
        "constitutional-court",
        "--reason",
        "the Council became a Court",
        "--as",
        "administrator",
    ]);
    let list = system.json(&["collections", "distribution", "crime", "--as-of", "2023-01-01"]);
    let recipients = list["cells"].as_array().expect("it has cells").iter();
    let eleventh = recipients
        .clone()
        .find(|cell| cell["column"] == 11)
        .expect("the column is there");
    assert_eq!(eleventh["recipient"], "recipients/constitutional-court");
    let before = system.json(&["collections", "recipients", "--as-of", "2022-12-31"]);
    assert_eq!(before["recipients"].as_array().map(Vec::len), Some(24));
    let key = system.file("court.pub", &"5a".repeat(32));
    let added = system.json(&[
        "collections",
        "add-recipient-key",
        "constitutional-court",
        "2026",
        "--public-key",
        &key,
        "--reason",
        "its system is connected",
        "--as",
        "administrator",
    ]);
    assert_eq!(added["state"], "SIGNING_KEY_STATE_IN_USE", "{added}");
    let retired = system.json(&[
        "collections",
        "retire-recipient-key",
        "constitutional-court",
        "2026",
        "--reason",
        "it was lost",
        "--as",
        "administrator",
    ]);
    assert_eq!(retired["state"], "SIGNING_KEY_STATE_RETIRED", "{retired}");
    let title = [
        "collections",
        "update",
        "courts",
        "--ru",
        "О работе судов",
        "--reason",
        "the official title",
        "--as",
        "administrator",
    ];
    assert_eq!(system.json(&title)["title"]["ru"], "О работе судов");
}
