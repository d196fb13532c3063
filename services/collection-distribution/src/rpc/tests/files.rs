//! Editions of several files.

use legalstat_proto::collections::v1::{
    ContentManifest, DownloadCopyRequest, EditionState, ManifestFile, RemoveEditionFileRequest, download_copy_response,
};

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    proof::prove,
    recall::{recall, recalling},
    statements::keys,
    *,
};
use crate::{
    proof::{Outcome, Point, verify},
    statements::content_sha256,
};

const KAZAKH: &[u8] = b"the collection on crime in Kazakh";
const SHEET: &[u8] = b"the tables of the collection on crime";

pub(super) fn named(filename: &str, language: &str) -> UploadEditionContentHeader {
    UploadEditionContentHeader {
        filename: filename.into(),
        language: language.into(),
        ..header(CRIME)
    }
}

/// What the client makes of the files that it is told of.
pub(super) fn manifest(edition: &Edition) -> ContentManifest {
    let files = edition.files.iter().cloned().map(|file| ManifestFile {
        filename: file.filename,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        sha256: file.sha256,
        language: file.language,
    });
    ContentManifest {
        format: "legalstat-content/1".into(),
        files: files.collect(),
    }
}

fn sealing_files(edition: &Edition) -> SealEditionRequest {
    SealEditionRequest {
        sha256: content_sha256(&manifest(edition)).expect("it has files"),
        ..sealing(CRIME, b"")
    }
}

async fn upload_three(distribution: &Distribution) -> Edition {
    let mut operator = distribution.operator();
    for (filename, language, content) in [("crime.xlsx", "", SHEET), ("crime-kk.pdf", "kk", KAZAKH)] {
        upload(&mut operator, &named(filename, language), content)
            .await
            .expect("it is taken");
    }
    let last = upload(&mut operator, &named("crime.pdf", "ru"), CONTENT).await;
    last.expect("it is taken")
}

/// Releases an edition of three files, and gives it as it was sealed.
async fn release_three(distribution: &Distribution) -> Edition {
    let prepared = upload_three(distribution).await;
    let sealed = seal(&mut distribution.operator(), &sealing_files(&prepared)).await;
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("it is released");
    sealed.expect("it is sealed")
}

async fn remove(client: &mut Client, filename: &str) -> Result<Edition, Status> {
    let request = RemoveEditionFileRequest {
        name: CRIME.into(),
        filename: filename.into(),
        request_id: new_id(),
        validate_only: false,
    };
    client
        .remove_edition_file(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn fetch(client: &mut Client, filename: &str, offset: i64) -> Result<(String, Vec<u8>), Status> {
    let request = DownloadCopyRequest {
        name: COURTS_COPY.into(),
        filename: filename.into(),
        offset,
        length: 0,
    };
    let mut stream = client.download_copy(request).await?.into_inner();
    let (mut name, mut content) = (String::new(), Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("every message carries a part") {
            download_copy_response::Part::Content(file) => name = file.filename,
            download_copy_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((name, content))
}

fn names(edition: &Edition) -> Vec<(&str, &str)> {
    let files = edition.files.iter();
    files
        .map(|file| (file.filename.as_str(), file.language.as_str()))
        .collect()
}

#[tokio::test]
async fn several_files_are_one_content_by_the_digest_of_their_manifest() {
    let distribution = Distribution::start().await;
    let prepared = upload_three(&distribution).await;
    assert_eq!(
        names(&prepared),
        [("crime-kk.pdf", "kk"), ("crime.pdf", "ru"), ("crime.xlsx", "")]
    );
    assert_eq!(prepared.content.as_ref(), prepared.files.first());
    let mut operator = distribution.operator();
    for content in [KAZAKH, CONTENT, SHEET] {
        let of_one = seal(&mut operator, &sealing(CRIME, content)).await;
        refused(of_one, Code::InvalidArgument, "DIGEST_MISMATCH");
    }
    let request = sealing_files(&prepared);
    let sealed = seal(&mut operator, &request).await.expect("it is sealed");
    assert_eq!((sealed.state(), &sealed.files), (EditionState::Sealed, &prepared.files));
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("it is released");
    let copies = distribution.copies("auditor").await;
    assert!(copies.len() == 33 && copies.iter().all(|copy| copy.sha256 == request.sha256));
    let full = full_edition(&mut distribution.client(Some("supreme-court")), CRIME).await;
    let revision = full.expect("it is out").revisions.remove(0);
    assert_eq!(
        (revision.content_sha256, revision.manifest),
        (request.sha256, Some(manifest(&prepared)))
    );
}

#[tokio::test]
async fn each_file_of_a_copy_is_fetched_by_its_name_and_all_are_received_at_once() {
    let distribution = Distribution::start().await;
    let sealed = release_three(&distribution).await;
    let mut court = distribution.client(Some("supreme-court"));
    for (filename, offset, expected) in [
        ("crime.pdf", 0, CONTENT),
        ("crime.xlsx", 0, SHEET),
        ("crime-kk.pdf", 4, &KAZAKH[4..]),
    ] {
        let fetched = fetch(&mut court, filename, offset).await.expect("it is its own");
        assert_eq!(fetched, (filename.to_owned(), expected.to_vec()));
    }
    for (filename, reason) in [("", "REQUIRED"), ("crime", "UNKNOWN"), ("CRIME.PDF", "UNKNOWN")] {
        let fields = violations(fetch(&mut court, filename, 0).await);
        assert_eq!(fields, pairs(&[("filename", reason)]));
    }
    let size = i64::try_from(CONTENT.len()).expect("it is small");
    let beyond = fetch(&mut court, "crime.pdf", size + 1).await;
    assert_eq!(violations(beyond), pairs(&[("offset", "OUT_OF_RANGE")]));

    let one = confirm(&mut court, &confirming(COURTS_COPY, CONTENT)).await;
    refused(one, Code::InvalidArgument, "DIGEST_MISMATCH");
    let mut all = confirming(COURTS_COPY, CONTENT);
    all.sha256 = sealing_files(&sealed).sha256;
    confirm(&mut court, &all).await.expect("it has them all");

    let proof = prove(&mut court, COURTS_COPY).await.expect("it is its own");
    assert_eq!(proof.manifest, Some(manifest(&sealed)));
    let keys = keys(&distribution).await;
    let content = |content: &[u8]| {
        let findings = verify(&proof, Some(&keys), Some(&digest(content))).expect("it has a text");
        let found = findings.into_iter().find(|finding| finding.point == Point::Content);
        found.expect("it is told").outcome
    };
    for file in [KAZAKH, CONTENT, SHEET] {
        assert_eq!(content(file), Outcome::Proved);
    }
    assert_eq!(content(b"other"), Outcome::Refuted);
}

#[tokio::test]
async fn a_file_of_the_same_name_is_replaced_and_one_is_taken_out_until_the_seal() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    refused(
        remove(&mut operator, "crime.pdf").await,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
    );
    let prepared = upload_three(&distribution).await;
    let replaced = upload(&mut operator, &named("crime.pdf", "ru"), b"mended").await;
    let replaced = replaced.expect("it is taken");
    assert_eq!(names(&replaced), names(&prepared));
    assert_eq!(replaced.files[1].sha256, digest(b"mended"));
    let other_language = upload(&mut operator, &named("crime.pdf", "en"), b"mended").await;
    assert_eq!(other_language.expect("it is taken").files[1].language, "en");
    let files = "SELECT count(*) FROM collections.edition_file";
    assert_eq!(distribution.count(files).await, 5);
    let repeated = upload(&mut operator, &named("crime.pdf", "en"), b"mended").await;
    repeated.expect("it is so already");
    assert_eq!(distribution.count(files).await, 5);

    let fields = violations(remove(&mut operator, "other.pdf").await);
    assert_eq!(fields, pairs(&[("filename", "UNKNOWN")]));
    // The first of them goes, so that another is the first.
    let two = remove(&mut operator, "crime-kk.pdf").await.expect("it is there");
    assert_eq!(names(&two), [("crime.pdf", "en"), ("crime.xlsx", "")]);
    let one = remove(&mut operator, "crime.pdf").await.expect("it is there");
    assert_eq!(edition(&mut operator, CRIME).await.expect("it is there"), one);
    let last = remove(&mut operator, "crime.xlsx").await;
    refused(last, Code::FailedPrecondition, "WRONG_STATE");
    seal(&mut operator, &sealing(CRIME, SHEET))
        .await
        .expect("one file has its own digest");
    refused(
        remove(&mut operator, "crime.xlsx").await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    refused(
        upload(&mut operator, &named("more.pdf", ""), CONTENT).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(distribution.count(files).await, 5, "what went stays on record");
    distribution.until_nothing_is_staged().await;
}

#[tokio::test]
async fn an_edition_has_16_files_of_four_times_the_limit_at_most_whose_names_differ_in_more_than_case() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let large = vec![7; 1_900_000];
    for place in 0..4 {
        upload(&mut operator, &named(&format!("{place}.pdf"), ""), &large)
            .await
            .expect("there is room");
    }
    let more = upload(&mut operator, &named("4.pdf", ""), &large).await;
    let more = refused(more, Code::InvalidArgument, "FILE_TOO_LARGE");
    assert_eq!(metadata(&more, "limit_bytes"), "8000000");
    for place in 4..16 {
        upload(&mut operator, &named(&format!("{place}.pdf"), ""), b"small")
            .await
            .expect("there is room");
    }
    let fields = violations(upload(&mut operator, &named("16.pdf", ""), b"small").await);
    assert_eq!(fields, pairs(&[("header.filename", "TOO_MANY")]));
    let fields = violations(upload(&mut operator, &named("4.PDF", ""), b"small").await);
    assert_eq!(fields, pairs(&[("header.filename", "DUPLICATE")]));
    let replaced = upload(&mut operator, &named("4.pdf", ""), b"other").await;
    assert_eq!(replaced.expect("it replaces one").files.len(), 16);
    distribution.until_nothing_is_staged().await;
}

#[tokio::test]
async fn every_revision_keeps_its_files() {
    let distribution = Distribution::start().await;
    let first = release_three(&distribution).await;
    recall(&mut distribution.approver(), &recalling(CRIME))
        .await
        .expect("it was released");
    let mut operator = distribution.operator();
    let replacement = upload(&mut operator, &named("crime.pdf", "ru"), CONTENT).await;
    assert_eq!(
        names(&replacement.expect("it is taken")),
        [("crime.pdf", "ru")],
        "it begins anew"
    );
    let second = upload(&mut operator, &named("more.pdf", ""), SHEET)
        .await
        .expect("it is taken");
    let full = full_edition(&mut operator, CRIME).await.expect("it is there");
    let manifests: Vec<_> = full
        .revisions
        .into_iter()
        .filter_map(|revision| revision.manifest)
        .collect();
    assert_eq!(manifests, [manifest(&first), manifest(&second)]);
}

#[tokio::test]
async fn who_uploaded_any_of_the_files_does_not_release_them() {
    let distribution = Distribution::start().await;
    let prepared = upload_three(&distribution).await;
    seal(&mut distribution.operator(), &sealing_files(&prepared))
        .await
        .expect("it is sealed");
    distribution
        .execute("UPDATE collections.edition_file SET uploaded_by = 'approver' WHERE filename = 'crime.xlsx'")
        .await;
    let same = release(&mut distribution.approver(), &releasing(CRIME)).await;
    refused(same, Code::FailedPrecondition, "SAME_PERSON");
    let by_the_database =
        "UPDATE collections.edition SET state = 'RELEASED', released_at = now(), released_by = 'approver'";
    let error = sqlx::query(by_the_database)
        .execute(&mut distribution.running.superuser().await)
        .await
        .expect_err("the same person");
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("edition_four_eyes"));
}

/// The release before knows of one file alone: what it uploads takes the place of all.
#[tokio::test]
async fn what_the_release_before_uploads_is_the_only_file() {
    let distribution = Distribution::start().await;
    upload_three(&distribution).await;
    // As `save_content` of that release.
    let uploaded = "WITH stored AS (
             INSERT INTO collections.edition_file
                 (collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
             SELECT collection, period, 'other.pdf', content_type, 5, sha256('other'), uploaded_at, uploaded_by
             FROM collections.edition_file WHERE filename = 'crime.pdf' RETURNING *
         )
         INSERT INTO collections.edition (collection, period, state, file, sha256, uploaded_by, revision)
         SELECT collection, period, 'PREPARED', number, sha256, uploaded_by, 1 FROM stored
         ON CONFLICT (collection, period) DO UPDATE
         SET state = EXCLUDED.state, file = EXCLUDED.file, sha256 = EXCLUDED.sha256, uploaded_by = EXCLUDED.uploaded_by,
             revision = EXCLUDED.revision, sealed_at = NULL, sealed_by = NULL, partly_released_at = NULL,
             partly_released_by = NULL, released_at = NULL, released_by = NULL, recalled_at = NULL, recalled_by = NULL,
             recall_reason = NULL";
    sqlx::query(uploaded)
        .execute(&mut distribution.running.runtime().await)
        .await
        .expect("that release may write so");
    let mut operator = distribution.operator();
    let shown = edition(&mut operator, CRIME).await.expect("it is there");
    assert_eq!(names(&shown), [("other.pdf", "")]);
    // It seals several that this release uploaded only whole, and a digest that is none of one file by no way.
    let error = sqlx::query(
        "UPDATE collections.edition SET state = 'SEALED', sealed_at = now(), sealed_by = 'operator', sha256 = sha256('x')",
    )
    .execute(&mut distribution.running.runtime().await)
    .await
    .expect_err("another digest");
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("edition_digest_of_file"));
    seal(&mut operator, &sealing(CRIME, b"other"))
        .await
        .expect("it is sealed");
}
