use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
    time::Duration,
};

use futures::poll;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::{bucket::tests::at, job::tests::process};

/// How long an end is waited for, on a busy machine far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than a test may take.
const ENDLESS: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(200);

struct Folder {
    folder: tempfile::TempDir,
    tasks: TaskTracker,
    store: FileStore,
}

fn folder(limit: u64) -> Folder {
    let (folder, tasks) = (tempfile::tempdir().expect("a folder"), TaskTracker::new());
    let store = FileStore::open_for(&tasks, folder.path(), limit).expect("it opens");
    Folder { folder, tasks, store }
}

impl Folder {
    fn staged(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path().join("received")).into_iter();
        files.flatten().flatten().map(|file| file.path()).collect()
    }

    /// Waits for what runs, and then a moment for the file system's own threads.
    async fn until_nothing_is_staged(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        let gone = async {
            while !self.staged().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, gone).await;
        waited.unwrap_or_else(|_| panic!("{:?}", self.staged()));
    }
}

fn chunks(content: &[u8]) -> impl Stream<Item = Result<Bytes, Error>> {
    futures::stream::iter(
        content
            .chunks(7)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect::<Vec<_>>(),
    )
}

async fn content(store: &FileStore, sha256: &[u8]) -> Vec<u8> {
    let stream = store.read(sha256).await.expect("it was kept");
    let parts: Vec<_> = stream.map(|part| part.expect("readable")).collect().await;
    parts.concat()
}

#[tokio::test]
async fn content_comes_back_by_its_digest() {
    let folder = folder(100);
    for _ in 0..2 {
        let received = folder.store.receive(chunks(b"some legal statistics")).await;
        let staged = received.expect("within the limit");
        let sha256 = staged.sha256;
        staged.keep().await.expect("it is kept");
        assert_eq!(content(&folder.store, &sha256).await, b"some legal statistics");
    }
    folder.until_nothing_is_staged().await;
}

#[tokio::test]
async fn content_that_is_missing_with_the_whole_folder_is_away_and_alone_it_is_gone() {
    let folder = folder(100);
    std::fs::create_dir_all(folder.folder.path().join(USERS).join("one")).expect("it is made");
    let digest = [7; 32];
    let read = async || match folder.store.read(&digest).await {
        Ok(_) => panic!("it is there"),
        Err(error) => error,
    };
    assert!(matches!(read().await, Error::Unknown(_)), "the rest is there");
    std::fs::remove_dir_all(folder.folder.path()).expect("it is ours");
    let mut part = folder.store.read_range(&digest, 0..1);
    let told = [
        read().await,
        part.next().await.expect("a part").expect_err("it is away"),
    ];
    for error in told {
        let Error::Refusal(refusal) = error else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.reason, ErrorReason::StorageFailing);
    }
}

#[tokio::test]
async fn all_content_is_listed_unless_the_folder_is_shared() {
    let folder = folder(100);
    std::fs::create_dir_all(folder.folder.path().join(USERS).join("one")).expect("it is made");
    let staged = folder.store.receive(chunks(b"some legal statistics")).await;
    let staged = staged.expect("within the limit");
    let sha256 = staged.sha256;
    staged.keep().await.expect("it is kept");
    let stranger = folder.folder.path().join(CONTENT).join("ab");
    std::fs::create_dir_all(&stranger).expect("it is made");
    std::fs::write(stranger.join("notes.txt"), "no content").expect("it is written");
    let listed = folder
        .store
        .digests()
        .expect("it is read")
        .expect("it is shared with nobody");
    let listed: Vec<_> = listed.map(|digest| digest.expect("readable")).collect().await;
    assert_eq!(listed, [sha256]);
    std::fs::create_dir_all(folder.folder.path().join(USERS).join("other")).expect("it is made");
    assert!(folder.store.digests().expect("it is read").is_none());
}

#[tokio::test]
async fn content_over_the_limit_is_refused_and_leaves_nothing() {
    let folder = folder(20);
    let Err(Error::Refusal(refusal)) = folder.store.receive(chunks(&[0; 21])).await else {
        panic!("21 bytes were taken")
    };
    assert_eq!(refusal.reason, ErrorReason::FileTooLarge);
    assert_eq!(folder.staged().len(), 0);
}

#[tokio::test]
async fn a_caller_who_hangs_up_at_any_moment_leaves_nothing() {
    // Dropped after its first, second, … time to wait, until it does not wait any more.
    for patience in 0.. {
        let folder = folder(100_000);
        let content = vec![7; 3000];
        let slow = chunks(&content).then(|chunk| async {
            tokio::task::yield_now().await;
            chunk
        });
        let mut receiving = Box::pin(folder.store.receive(slow));
        let mut ready = false;
        for _ in 0..=patience {
            if let Poll::Ready(received) = poll!(&mut receiving) {
                received.expect("within the limit");
                ready = true;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(receiving);
        folder.until_nothing_is_staged().await;
        if ready {
            assert!(patience > 400, "each chunk is waited for");
            return;
        }
    }
}

#[tokio::test]
async fn content_that_cannot_be_kept_leaves_nothing() {
    let folder = folder(100);
    let staged = folder.store.receive(chunks(b"some legal statistics")).await;
    let staged = staged.expect("within the limit");
    // Where the content is to be kept stands a file in the way of the folder.
    std::fs::write(folder.folder.path().join("sha256"), b"").expect("a file");
    let Err(Error::Refusal(refusal)) = staged.keep().await else {
        panic!("a disk that fails is away for the moment")
    };
    assert_eq!(refusal.reason, ErrorReason::StorageFailing);
    assert!(refusal.retry_after.is_some());
    folder.until_nothing_is_staged().await;
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Requires that what is done ends, and that it is told as the store's fault for which a caller tries again.
async fn require_failing<T>(what: &str, done: impl Future<Output = Result<T, Error>>) {
    let ended = tokio::time::timeout(PATIENCE, done).await;
    let Err(Error::Refusal(refusal)) = ended.unwrap_or_else(|_| panic!("{what} does not end")) else {
        panic!("{what} was not told as the store's fault")
    };
    assert_eq!(refusal.reason, ErrorReason::StorageFailing, "{what}");
    assert!(refusal.retry_after.is_some(), "{what}");
}

#[tokio::test]
async fn a_bucket_that_takes_connections_and_says_nothing_fails_each_use_within_its_time() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((line, _)) = listener.accept().await {
            held.push(line);
        }
    });
    let endpoint = format!("http://{address}");
    let folder = folder(100);
    let keeping = |request, answer| {
        let (store, settings) = (folder.store.clone(), at(&endpoint, request, answer));
        async move {
            let process = process();
            let opened = store.keeping(&process, "service", Some(&settings));
            let opened = tokio::time::timeout(PATIENCE, opened).await;
            opened.expect("it ends").expect("it opens")
        }
    };
    // What is asked whether it has content, or to remove it, answers within a time for all; a transaction waits for it.
    let store = keeping(ENDLESS, SHORT).await;
    let staged = store.receive(chunks(b"some legal statistics")).await;
    let staged = staged.expect("it is received in the folder");
    let sha256 = staged.sha256;
    require_failing("a sending that asks first", staged.send()).await;
    require_failing("a reading that asks first", store.read(&sha256)).await;
    require_failing("a removal", store.remove(&sha256)).await;
    // What is read is bounded by the time of one request.
    let store = keeping(SHORT, ENDLESS).await;
    let mut read = store.read_range(&sha256, 0..21);
    require_failing("a reading", async { read.next().await.expect("it is told") }).await;
}

/// A bucket that takes whatever is put there, until it has vanished.
async fn vanishing(vanished: Arc<AtomicBool>) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let vanished = vanished.clone();
            let answer = service_fn(move |request: http::Request<Incoming>| {
                let vanished = vanished.clone();
                async move {
                    request.into_body().collect().await.ok();
                    let (code, said) = match vanished.load(Ordering::SeqCst) {
                        true => (404, "<Error><Code>NoSuchBucket</Code></Error>"),
                        false => (200, ""),
                    };
                    let answer = http::Response::builder().status(code).header("etag", "\"one\"");
                    Ok::<_, Infallible>(answer.body(Full::new(Bytes::from(said))).expect("it is an answer"))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(line), answer));
        }
    });
    address
}

#[tokio::test]
async fn a_bucket_that_vanishes_is_told_as_a_store_that_fails() {
    const LARGE: usize = 6 * 1024 * 1024;
    let vanished = Arc::new(AtomicBool::new(false));
    let endpoint = format!("http://{}", vanishing(vanished.clone()).await);
    let folder = folder(LARGE as u64);
    let settings = at(&endpoint, PATIENCE, PATIENCE);
    let store = folder
        .store
        .clone()
        .keeping(&process(), "service", Some(&settings))
        .await;
    let store = store.expect("it takes what is put there");
    vanished.store(true, Ordering::SeqCst);
    // At once, and in parts.
    for size in [1, LARGE] {
        let content = futures::stream::iter([Ok(Bytes::from(vec![7; size]))]);
        let staged = store.receive(content).await.expect("it is received in the folder");
        require_failing("a sending", staged.keep()).await;
    }
}
