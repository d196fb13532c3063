use futures::stream;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn partials(folder: &tempfile::TempDir, kept: Duration) -> Partials {
    Partials::open(
        folder.path(),
        Bounds {
            kept,
            bytes: 10_000_000,
        },
    )
    .expect("it opens")
}

fn upload(content: &[u8], offset: u64) -> Resumed {
    Resumed {
        caller: "operator".into(),
        request_id: Uuid::from_u128(7),
        header_sha256: [1; 32],
        sha256: wire::sha256(content),
        size: content.len() as u64,
        offset,
    }
}

fn chunks(content: &[u8], then: Option<Error>) -> impl Stream<Item = Result<Bytes, Error>> {
    let chunks = content.chunks(300_000).map(Bytes::copy_from_slice).map(Ok);
    stream::iter(chunks.chain(then.map(Err)).collect::<Vec<_>>())
}

fn cut() -> Option<Error> {
    Some(Refusal::unavailable("the line was cut").into())
}

fn reason(received: Result<Held, Error>) -> ErrorReason {
    match received {
        Err(Error::Refusal(refusal)) => refusal.reason,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

fn left(folder: &tempfile::TempDir) -> usize {
    fs::read_dir(folder.path().join(FOLDER)).expect("a folder").count()
}

#[tokio::test]
async fn what_has_come_before_the_line_was_cut_is_kept_and_gone_on_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let partials = partials(&folder, DAY);
    let content: Vec<u8> = (0..2_500_000_u32).map(|at| at as u8).collect();
    let mut at = 0;
    for part in [1_200_000, 1_200_000, 700_000] {
        let come = &content[at..content.len().min(at + part)];
        let broken = partials
            .receive(&upload(&content, at as u64), chunks(come, cut()))
            .await;
        assert_eq!(reason(broken), ErrorReason::DependencyUnavailable);
        at += come.len();
        let found = partials
            .find("operator", Uuid::from_u128(7))
            .await
            .expect("it is readable");
        let found = found.expect("it is kept");
        assert_eq!((found.received, found.size), (at as u64, 2_500_000));
    }
    assert_eq!(
        partials
            .find("another", Uuid::from_u128(7))
            .await
            .expect("it is readable"),
        None
    );
    let held = partials.receive(&upload(&content, at as u64), chunks(&[], None)).await;
    let held = held.expect("all of it has come");
    assert!(
        fs::read(&held.path).expect("it is there") == content,
        "the content is another"
    );
}

#[tokio::test]
async fn it_goes_on_only_where_it_stopped_and_while_nobody_else_sends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let partials = partials(&folder, DAY);
    let content = b"some legal statistics";
    let broken = partials
        .receive(&upload(content, 0), chunks(&content[..4], cut()))
        .await;
    assert_eq!(reason(broken), ErrorReason::DependencyUnavailable);
    for offset in [0, 3, 5] {
        let elsewhere = partials
            .receive(&upload(content, offset), chunks(&content[4..], None))
            .await;
        assert_eq!(reason(elsewhere), ErrorReason::InvalidFields, "{offset}");
    }
    let short = partials
        .receive(&upload(content, 4), chunks(&content[4..6], None))
        .await;
    assert_eq!(reason(short), ErrorReason::UploadIncomplete);
    let long = partials.receive(&upload(content, 6), chunks(content, None)).await;
    assert_eq!(reason(long), ErrorReason::InvalidFields);
    let other = Resumed {
        header_sha256: [2; 32],
        ..upload(content, 0)
    };
    assert_eq!(
        reason(partials.receive(&other, chunks(content, None)).await),
        ErrorReason::RequestIdReused
    );
    let held = partials
        .receive(&upload(content, 6), chunks(&content[6..], None))
        .await
        .expect("it is whole");
    let meanwhile = partials.receive(&upload(content, 21), chunks(&[], None)).await;
    assert_eq!(reason(meanwhile), ErrorReason::DependencyUnavailable);
    drop(held);
    assert!(partials.receive(&upload(content, 21), chunks(&[], None)).await.is_ok());
}

#[tokio::test]
async fn content_that_is_not_what_was_announced_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let partials = partials(&folder, DAY);
    let other = partials.receive(&upload(b"one", 0), chunks(b"two", None)).await;
    assert_eq!(reason(other), ErrorReason::DigestMismatch);
    assert_eq!(left(&folder), 0);
}

#[tokio::test]
async fn what_nobody_resumes_is_dropped_after_its_time_and_what_is_being_sent_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let partials = partials(&folder, Duration::ZERO);
    let broken = partials.receive(&upload(b"content", 0), chunks(b"con", cut())).await;
    assert_eq!(reason(broken), ErrorReason::DependencyUnavailable);
    let resumed = Resumed {
        request_id: Uuid::from_u128(8),
        ..upload(b"content", 0)
    };
    let held = partials
        .receive(&resumed, chunks(b"content", None))
        .await
        .expect("it is whole");
    // The clock of a file system may stand still for a moment.
    while left(&folder) > 1 {
        partials.sweep().expect("it is swept");
    }
    assert!(held.path.exists());
    drop(held);
    while left(&folder) > 0 {
        partials.sweep().expect("it is swept");
    }
}

#[tokio::test]
async fn a_bounded_number_and_size_of_uploads_waits_for_its_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let partials = partials(&folder, DAY);
    let begin = |caller: String, id: usize, size: u64| {
        let resumed = Resumed {
            caller,
            request_id: Uuid::from_u128(id as u128 + 1),
            size,
            ..upload(b"content", 0)
        };
        let partials = partials.clone();
        async move { reason(partials.receive(&resumed, chunks(b"a", cut())).await) }
    };
    assert_eq!(begin("large".into(), 0, 10_000_001).await, ErrorReason::Overloaded);
    for id in 0..OF_CALLER {
        assert_eq!(begin("one".into(), id, 7).await, ErrorReason::DependencyUnavailable);
    }
    assert_eq!(begin("one".into(), OF_CALLER, 7).await, ErrorReason::Overloaded);
    for other in OF_CALLER..IN_ALL {
        assert_eq!(
            begin(other.to_string(), other, 7).await,
            ErrorReason::DependencyUnavailable
        );
    }
    assert_eq!(begin("last".into(), 0, 7).await, ErrorReason::Overloaded);
    assert_eq!(left(&folder), IN_ALL);
}
