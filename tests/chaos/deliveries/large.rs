//! A large edition that goes to eight recipients at once, first to their inboxes and then on their demand: the service holds none of it
//! in memory.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use legalstat_test_support::{inbox::Inbox, system::program};
use tokio::task::block_in_place;

use super::stage::{DISTRIBUTION, called, enter, inbox, told, until};
use crate::apart::Apart;

const EDITION: &str = "crime/2025-Q1";
/// A file of a GiB is taken, and one attempt may bring it to all eight.
const SETTINGS: &[(&str, &str)] = &[
    ("LEGALSTAT_FILE_LIMIT", "4294967296"),
    ("LEGALSTAT_DELIVERY_SECONDS", "3600"),
];
const RECIPIENTS: usize = 8;
const MIB: u64 = 1024 * 1024;
/// By how much the memory of the service may grow.
const GROWTH: u64 = 64 * MIB;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// The most memory that a process had since its mark was reset, in bytes.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    1024 * kib.expect("it is told")
}

/// Resets the mark, and gives what the process has.
fn marked(process: u32) -> u64 {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the mark is reset");
    peak(process)
}

fn require_flat(process: u32, before: u64, what: &str) {
    let grown = peak(process).saturating_sub(before);
    eprintln!(
        "{what}: the memory of the service grew by {} MiB of {}",
        grown / MIB,
        before / MIB
    );
    assert!(grown < GROWTH, "{what}: {grown} bytes");
}

/// Writes a file of so many MiB, no two of which are alike.
fn write(path: &Path, mib: u64) {
    let mut file = BufWriter::new(File::create(path).expect("the folder is ours"));
    for number in 0..mib * MIB / 8 {
        file.write_all(&number.to_le_bytes()).expect("there is room");
    }
    file.flush().expect("there is room");
}

/// Recipients that get one copy each of the collection on crime.
fn recipients(apart: &Apart) -> Vec<String> {
    let list = told(apart, &["collections", "distribution", "crime"]);
    let cells = list["cells"].as_array().expect("it has cells").iter();
    let single = cells.filter(|cell| cell["copies"] == 1);
    let names = single.filter_map(|cell| cell["recipient"].as_str());
    let ids = names.map(|name| name.trim_start_matches("recipients/").to_owned());
    ids.take(RECIPIENTS).collect()
}

/// The copy of a recipient, and its state.
fn copy(apart: &Apart, recipient: &str) -> (String, String) {
    let list = ["collections", "copies", "--edition", EDITION, "--as", recipient];
    let listed = told(apart, &list);
    let text = |field: &str| listed["copies"][0][field].as_str().expect("a text").to_owned();
    (text("name"), text("state"))
}

fn until_received(apart: &Apart, recipients: &[String]) {
    let began = Instant::now();
    for recipient in recipients {
        loop {
            let (name, state) = copy(apart, recipient);
            if state == "COPY_STATE_RECEIVED" {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{name} is {state}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// Each recipient downloads its copy, all at once, and each gets it whole.
fn download(apart: &Apart, recipients: &[String], size: u64) {
    let downloads = recipients.iter().map(|recipient| {
        let (name, _) = copy(apart, recipient);
        let to = apart.folder().join(format!("{recipient}.pdf"));
        let mut command = program(apart.folder());
        command.args(["collections", "download", &name, "--as", recipient, "--to"]);
        let process = command.arg(&to).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        (to, process.expect("the program runs"))
    });
    for (to, mut process) in downloads.collect::<Vec<_>>() {
        assert!(process.wait().expect("it is ours").success());
        assert_eq!(std::fs::metadata(&to).expect("it came").len(), size);
        std::fs::remove_file(to).expect("the folder is ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and 20 GiB; `.ci/long large` runs it"]
async fn a_large_edition_goes_to_eight_inboxes_and_to_eight_who_fetch_it_with_flat_memory() {
    let mib = std::env::var("LEGALSTAT_LARGE_MIB").map_or(1024, |mib| mib.parse().expect("a number"));
    let mut apart = Apart::prepare(SETTINGS).await;
    apart.begin("calendar");
    apart.begin(DISTRIBUTION);
    let keys = until("it tells its keys", async || called(&apart, &["collections", "keys"])).await;
    block_in_place(|| {
        let recipients = recipients(&apart);
        assert_eq!(recipients.len(), RECIPIENTS);
        let inboxes: Vec<Inbox> = recipients
            .iter()
            .map(|recipient| inbox(&apart, recipient, &keys))
            .collect();
        for (recipient, inbox) in recipients.iter().zip(&inboxes) {
            enter(&apart, recipient, &inbox.url());
        }
        let file = apart.folder().join("content.pdf");
        write(&file, mib);
        let process = apart.process(DISTRIBUTION);

        let before = marked(process);
        let (content, file) = (["--content", "content.pdf"], ["--file", "content.pdf"]);
        told(&apart, &[&["collections", "upload", EDITION][..], &content].concat());
        require_flat(process, before, "an upload");
        told(&apart, &[&["collections", "seal", EDITION][..], &file].concat());
        let before = marked(process);
        told(&apart, &["collections", "release", EDITION, "--as", "approver"]);
        until_received(&apart, &recipients);
        require_flat(process, before, "deliveries to eight inboxes");
        for inbox in &inboxes {
            assert_eq!(inbox.received().len(), 1);
        }
        let before = marked(process);
        download(&apart, &recipients, mib * MIB);
        require_flat(process, before, "downloads by eight recipients");
        drop(inboxes);
        drop(apart);
    });
}
