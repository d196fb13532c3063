//! A large edition, fetched by several recipients at once: nothing is held in memory.

use legalstat_proto::collections::v1::{DownloadCopyRequest, DownloadCopyResponse, download_copy_response};
use ring::digest::{Context, SHA256};
use tonic::Streaming;

use super::*;

const MIB: usize = 1024 * 1024;
/// How many bytes one message carries.
const CHUNK: usize = MIB / 4;
/// How many chunks the edition has: 256 MiB.
const CHUNKS: usize = 1024;
/// By how much the memory of this process, with the service and its callers, may grow.
const GROWTH: u64 = 64 * 1024 * 1024;
/// Who fetches its copy.
const RECIPIENTS: [&str; 8] = [
    "gpo-leadership",
    "supreme-court",
    "senate",
    "majilis",
    "constitutional-council",
    "security-council",
    "prime-minister-office",
    "president-administration",
];

fn chunk(at: usize) -> Vec<u8> {
    vec![b'a' + u8::try_from(at % 23).expect("it is small"); CHUNK]
}

/// The most memory that this process had since its mark was reset, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    1024 * kib.expect("it is told")
}

/// Begins to fetch a copy.
async fn begun(mut client: Client, name: String) -> Streaming<DownloadCopyResponse> {
    let request = DownloadCopyRequest {
        name,
        ..Default::default()
    };
    client.download_copy(request).await.expect("it is its own").into_inner()
}

/// Fetches the rest of a copy and gives its digest.
async fn fetched(mut stream: Streaming<DownloadCopyResponse>) -> String {
    let mut hash = Context::new(&SHA256);
    while let Some(message) = stream.message().await.expect("it goes on") {
        if let Some(download_copy_response::Part::Chunk(chunk)) = message.part {
            hash.update(&chunk);
        }
    }
    hex::encode(hash.finish())
}

#[test]
fn a_large_edition_goes_to_eight_recipients_at_once_with_flat_memory() {
    let own = std::env::current_exe().expect("this test runs");
    let test = "rpc::tests::large::a_large_edition_goes_to_eight_recipients";
    let output = std::process::Command::new(own)
        .args([test, "--exact", "--ignored", "--nocapture"])
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, in a process of its own"]
async fn a_large_edition_goes_to_eight_recipients() {
    let distribution = Distribution::started(true, async |settings| {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| match *name {
                "LEGALSTAT_FILE_LIMIT" => (*name, "300000000".to_owned()),
                _ => (*name, value.clone()),
            })
            .collect();
        Running::start(&crate::SERVICE, &settings, || instant(NOW)).await
    })
    .await;
    distribution.until_whole().await;
    // Once small, so that what is made at the first use is there.
    distribution.release_earlier().await;
    for recipient in RECIPIENTS {
        let copy = distribution.copies(recipient).await.remove(0);
        let stream = begun(distribution.client(Some(recipient)), copy.name).await;
        assert_eq!(fetched(stream).await, digest(b"earlier"));
    }

    let mut hash = Context::new(&SHA256);
    (0..CHUNKS).for_each(|at| hash.update(&chunk(at)));
    let sha256 = hex::encode(hash.finish());
    std::fs::write("/proc/self/clear_refs", "5").expect("the mark is reset");
    let before = peak();
    let header = UploadEditionContentHeader {
        sha256: sha256.clone(),
        resumable: true,
        size_bytes: i64::try_from(CHUNKS * CHUNK).expect("a size"),
        ..header(CRIME)
    };
    let parts = std::iter::once(Part::Header(header)).chain((0..CHUNKS).map(|at| Part::Chunk(chunk(at))));
    let uploaded = distribution
        .operator()
        .upload_edition_content(tokio_stream::iter(parts.map(message)))
        .await;
    uploaded.expect("it is taken");
    let sealing = SealEditionRequest {
        sha256: sha256.clone(),
        ..sealing(CRIME, b"")
    };
    seal(&mut distribution.operator(), &sealing)
        .await
        .expect("it is sealed");
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("it is released");
    // All are begun before any goes on: a first call beside seven that keep the processors busy may wait longer than it may.
    let mut streams = Vec::new();
    for recipient in RECIPIENTS {
        let copies = distribution.copies(recipient).await;
        let own = copies.into_iter().find(|copy| copy.name.starts_with(CRIME));
        let name = own.expect("it has one").name;
        streams.push(begun(distribution.client(Some(recipient)), name).await);
    }
    let fetching: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(fetched(stream)))
        .collect();
    for fetched in fetching {
        assert_eq!(fetched.await.expect("it ends"), sha256);
    }
    let growth = peak() - before;
    assert!(growth < GROWTH, "memory grew by {growth} bytes");
}
