//! Uploads and downloads that break off and go on, and large files.

use legalstat_proto::forms::v1::{EditionFileUpload, EditionState, GetEditionFileUploadRequest};
use sha2::{Digest as _, Sha256};
use tokio_stream::StreamExt as _;

use super::*;

const NOW: &str = "2025-02-03T05:00:00Z";
const JANUARY: &str = "forms/1/editions/2025-M01";

fn digest(content: &[u8]) -> String {
    hex::encode(legalstat_kit::door::wire::sha256(content))
}

fn resumable(content: &[u8]) -> UploadEditionFileHeader {
    UploadEditionFileHeader {
        sha256: digest(content),
        resumable: true,
        size_bytes: content.len() as i64,
        ..header(JANUARY)
    }
}

async fn partial(client: &mut Client, header: &UploadEditionFileHeader) -> Result<EditionFileUpload, Status> {
    let upload_id = header.request_id.clone();
    let request = GetEditionFileUploadRequest { upload_id };
    client
        .get_edition_file_upload(request)
        .await
        .map(tonic::Response::into_inner)
}

/// Sends a part of the content and hangs up once it has come.
async fn break_off(registry: &Registry, header: &UploadEditionFileHeader, part: &[u8], expected: i64) {
    let mut operator = registry.operator();
    let begun: Vec<_> = std::iter::once(Part::Header(header.clone()))
        .chain(part.chunks(300_000).map(|chunk| Part::Chunk(chunk.to_vec())))
        .map(message)
        .collect();
    let ended = tokio_stream::iter(begun);
    let refused = operator.upload_edition_file(ended).await;
    assert_refused(refused, Code::FailedPrecondition, "UPLOAD_INCOMPLETE", "");
    let there = partial(&mut operator, header).await.expect("it is kept");
    assert_eq!((there.received_bytes, there.size_bytes), (expected, header.size_bytes));
}

fn kept(registry: &Registry) -> usize {
    std::fs::read_dir(registry.files.path().join("partial"))
        .expect("a folder")
        .count()
}

#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_it_stopped() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let content: Vec<u8> = (0..1_900_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let header = resumable(&content);
    break_off(&registry, &header, &content[..700_000], 700_000).await;
    let none = partial(&mut registry.client(Some("operator")), &resumable(b"other")).await;
    assert_refused(none, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    let elsewhere = UploadEditionFileHeader {
        offset: 600_000,
        ..header.clone()
    };
    let refused = upload(&mut operator, &elsewhere, &content[600_000..]).await;
    let details = refused.as_ref().expect_err("it stopped elsewhere").get_error_details();
    assert_eq!(
        details.error_info().expect("it has a reason").metadata["received_bytes"],
        "700000"
    );
    assert_eq!(violations(refused), pairs(&[("header.offset", "OUT_OF_RANGE")]));

    let rest = UploadEditionFileHeader {
        offset: 700_000,
        ..header.clone()
    };
    let edition = upload(&mut operator, &rest, &content[700_000..])
        .await
        .expect("it is whole");
    assert_eq!(
        (edition.state(), edition.files[0].sha256.as_str()),
        (EditionState::Prepared, header.sha256.as_str())
    );
    assert!(
        download(&mut operator, JANUARY).await.expect("it is there").1 == content,
        "the content is another"
    );
    assert_eq!(kept(&registry), 0);
    // Whoever lost the answer asks for it again, and sends nothing.
    for again in [&header, &rest] {
        assert_eq!(
            send(&mut operator, vec![message(Part::Header(again.clone()))])
                .await
                .expect("it is replayed"),
            edition
        );
    }
    assert_eq!(registry.count("edition_file").await, 1);
}

#[tokio::test]
async fn the_rest_of_an_upload_may_spell_its_id_and_digest_in_capitals() {
    let registry = Registry::at(NOW).await;
    let content: Vec<u8> = (0..900_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let header = resumable(&content);
    break_off(&registry, &header, &content[..700_000], 700_000).await;
    let rest = UploadEditionFileHeader {
        request_id: header.request_id.to_uppercase(),
        sha256: header.sha256.to_uppercase(),
        offset: 700_000,
        ..header.clone()
    };
    let edition = upload(&mut registry.operator(), &rest, &content[700_000..]).await;
    assert_eq!(edition.expect("it is whole").files[0].sha256, header.sha256);
    assert_eq!(kept(&registry), 0);
}

#[tokio::test]
async fn a_line_that_is_cut_leaves_what_has_come_for_a_bounded_time() {
    let settings = [("LEGALSTAT_PARTIAL_SECONDS", "2")];
    let registry = Registry::start_with(None, NOW, true, &settings).await;
    registry.until_whole().await;
    let content = vec![b'a'; 1_900_000];
    let begun = [Part::Header(resumable(&content)), Part::Chunk(vec![b'a'; 300_000])].map(message);
    let mut operator = registry.operator();
    let endless = tokio_stream::iter(begun).chain(tokio_stream::pending());
    let uploading = tokio::spawn(async move { operator.upload_edition_file(endless).await });
    let until = async |expected: usize| {
        let reached = async {
            while kept(&registry) != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(2 * PATIENCE, reached)
            .await
            .expect("it comes about");
    };
    until(1).await;
    uploading.abort();
    until(0).await;
    registry.until_nothing_is_staged().await;
    assert_eq!(registry.count("edition_file").await, 0);
}

#[tokio::test]
async fn an_upload_to_be_resumed_says_its_size_and_digest() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let unsized_one = UploadEditionFileHeader {
        resumable: true,
        ..header(JANUARY)
    };
    let expected = [("header.sha256", "REQUIRED"), ("header.size_bytes", "OUT_OF_RANGE")];
    assert_eq!(
        violations(upload(&mut operator, &unsized_one, b"a").await),
        pairs(&expected)
    );
    for offset in [-1, 2] {
        let beyond = UploadEditionFileHeader {
            offset,
            ..resumable(b"a")
        };
        assert_eq!(
            violations(upload(&mut operator, &beyond, b"a").await),
            pairs(&[("header.offset", "OUT_OF_RANGE")])
        );
    }
    let alone = UploadEditionFileHeader {
        offset: 1,
        ..header(JANUARY)
    };
    assert_eq!(
        violations(upload(&mut operator, &alone, b"a").await),
        pairs(&[("header.offset", "CONFLICT")])
    );
    let large = UploadEditionFileHeader {
        size_bytes: 2_000_001,
        ..resumable(b"a")
    };
    let refused = upload(&mut operator, &large, b"a").await;
    assert_refused(refused, Code::InvalidArgument, "FILE_TOO_LARGE", "");
    assert_eq!(kept(&registry), 0);
}

#[tokio::test]
async fn what_is_refused_for_its_content_is_not_kept() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for (content, reason) in [(&b"\xff"[..], "CONTENT"), (b"%PDF-1.7", "CONTENT")] {
        let refused = upload(&mut operator, &resumable(content), content).await;
        assert_eq!(violations(refused), pairs(&[("chunk", reason)]));
    }
    let refused = upload(&mut operator, &resumable(b"one"), b"two").await;
    assert_refused(refused, Code::InvalidArgument, "DIGEST_MISMATCH", "");
    let gone = async {
        while kept(&registry) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nothing is kept");
}

#[tokio::test]
async fn a_download_goes_on_from_any_byte_and_gives_as_many_as_were_asked_for() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let content: Vec<u8> = (0..1_500_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    upload(&mut operator, &header(JANUARY), &content)
        .await
        .expect("it is taken");
    for (offset, length) in [
        (0, 1),
        (1_499_999, 0),
        (1_048_575, 2),
        (700_000, 800_000),
        (5, 5_000_000),
        (1_500_000, 0),
    ] {
        let request = DownloadEditionFileRequest {
            name: JANUARY.into(),
            offset,
            length,
            ..Default::default()
        };
        let (file, part) = fetch(&mut operator, request).await.expect("it is there");
        let from = offset as usize;
        let end = if length == 0 {
            content.len()
        } else {
            content.len().min(from + length as usize)
        };
        assert!(part == content[from..end], "{offset} {length}");
        assert_eq!((file.size_bytes, file.sha256), (1_500_000, digest(&content)));
    }
    for (offset, length, expected) in [(1_500_001, 0, "offset"), (-1, 0, "offset"), (0, -1, "length")] {
        let request = DownloadEditionFileRequest {
            name: JANUARY.into(),
            offset,
            length,
            ..Default::default()
        };
        assert_eq!(
            violations(fetch(&mut operator, request).await),
            pairs(&[(expected, "OUT_OF_RANGE")])
        );
    }
}

/// The most memory that this process had since its mark was reset, in bytes.
pub(super) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("it is told");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number");
    kib * 1024
}

#[test]
fn a_large_file_goes_up_and_down_with_flat_memory() {
    in_a_process_of_its_own("rpc::tests::resume::a_large_file_goes_up_and_down");
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn a_large_file_goes_up_and_down() {
    const SIZE: i64 = 256 * 1024 * 1024;
    const CHUNK: usize = 256 * 1024;
    let registry = Registry::start_with(None, NOW, true, &[("LEGALSTAT_FILE_LIMIT", "300000000")]).await;
    registry.until_whole().await;
    let mut operator = registry.operator();
    // Once, so that what is made at the first use is there.
    let small = UploadEditionFileHeader {
        filename: "small.csv".into(),
        ..header(JANUARY)
    };
    upload(&mut operator, &small, &vec![b'a'; 1_000_000])
        .await
        .expect("it is taken");
    let chunk = |at: usize| vec![b'a' + (at % 23) as u8; CHUNK];
    let chunks = SIZE as usize / CHUNK;
    let mut hash = Sha256::new();
    (0..chunks).for_each(|at| hash.update(chunk(at)));
    let header = UploadEditionFileHeader {
        sha256: hex::encode(hash.finalize()),
        resumable: true,
        size_bytes: SIZE,
        ..header(JANUARY)
    };
    std::fs::write("/proc/self/clear_refs", "5").expect("the mark is reset");
    let before = peak();
    let first = std::iter::once(Part::Header(header.clone()));
    let messages = first
        .chain((0..chunks).map(move |at| Part::Chunk(chunk(at))))
        .map(message);
    let edition = operator
        .upload_edition_file(tokio_stream::iter(messages))
        .await
        .expect("it is taken");
    assert_eq!(edition.into_inner().files.len(), 2);
    let request = DownloadEditionFileRequest {
        name: JANUARY.into(),
        filename: "form.csv".into(),
        ..Default::default()
    };
    let mut stream = operator
        .download_edition_file(request)
        .await
        .expect("it begins")
        .into_inner();
    let mut hash = Sha256::new();
    while let Some(message) = stream.message().await.expect("it goes on") {
        if let Some(download_edition_file_response::Part::Chunk(chunk)) = message.part {
            hash.update(&chunk);
        }
    }
    assert_eq!(hex::encode(hash.finalize()), header.sha256);
    let growth = peak() - before;
    assert!(growth < 32 * 1024 * 1024, "memory grew by {growth} bytes");
}
