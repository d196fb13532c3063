//! Content from the store.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::TryStreamExt as _;
use proptest::prelude::*;

use super::{
    super::content::{Content, Small},
    servers::{Inbox, Server, receipt, shows},
    *,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn content_goes_on_from_any_byte_of_any_files(sizes in prop::collection::vec(0_usize..3, 1..5), part in 0_usize..1000) {
        const SIZES: [usize; 3] = [1, 700, 70_000];
        let runtime = tokio::runtime::Runtime::new().expect("it starts");
        runtime.block_on(async {
            let ground = Ground::new();
            let all: Vec<Vec<u8>> = sizes.iter().map(|size| bytes(SIZES[*size])).collect();
            let files: Vec<_> = all.iter().map(|content| ground.store(content)).collect();
            let content = Content::of(&files).expect("they are files");
            let all = all.concat();
            let offset = all.len() * part / 999;
            let small = Small::default();
            // Small files are read once.
            for _ in 0..2 {
                let rest = content.from(ground.inboxes.files(), &small, offset as u64);
                let rest: Vec<_> = rest.try_collect().await.expect("readable");
                assert!(rest.concat() == all[offset..]);
            }
        });
    }
}

/// Whether a file can be read.
async fn is_readable(ground: &Ground, small: &Small, file: &EditionContent) -> bool {
    let content = Content::of(std::slice::from_ref(file)).expect("it is a file");
    let read: Result<Vec<_>, _> = content.from(ground.inboxes.files(), small, 0).try_collect().await;
    read.is_ok_and(|bytes| bytes.concat().len() as u64 == content.size)
}

#[tokio::test]
async fn the_last_sixteen_small_files_are_read_once_and_larger_ones_each_time() {
    let (ground, small) = (Ground::new(), Small::default());
    let sizes = (1..=16).chain([64 * 1024, 64 * 1024 + 1]);
    let files: Vec<_> = sizes.map(|size| ground.store(&bytes(size))).collect();
    for file in &files {
        assert!(is_readable(&ground, &small, file).await);
    }
    ground.lose_all();
    let mut kept = Vec::new();
    for file in &files {
        kept.push(is_readable(&ground, &small, file).await);
    }
    let expected: Vec<_> = (0..18).map(|place| (1..17).contains(&place)).collect();
    assert_eq!(kept, expected, "the first one and the larger one are not");
}

#[tokio::test]
async fn a_server_never_takes_content_for_whole_that_the_store_has_lost() {
    let ground = Ground::new();
    let inbox = Inbox::honest();
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let short = EditionContent {
        size_bytes: 100_001,
        ..ground.store(&bytes(100_000))
    };
    let gone = description(&"00".repeat(32), 5);
    let short_and_small = EditionContent {
        size_bytes: 101,
        ..ground.store(&bytes(100))
    };
    for lost in [
        short,
        gone,
        description("none", 5),
        short_and_small.clone(),
        short_and_small,
    ] {
        let failure = ground.failure_of(&court(server.port), parcel(vec![lost])).await;
        assert_outcome(&failure, Outcome::BrokenOff, "a fault of its own");
    }
}

#[tokio::test]
async fn a_store_that_fails_or_is_away_says_nothing_of_the_server_and_the_copy_comes_once_it_is_back() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    let (small, large) = (ground.store(&bytes(100)), ground.store(&bytes(100_000)));
    let spared = async || {
        for file in [&small, &large] {
            let failure = ground.failure_of(&court(server.port), parcel(vec![file.clone()])).await;
            assert_outcome(&failure, Outcome::SenderLost, "a fault of its own");
            assert_eq!(failure.retry_after, Some(Duration::from_mins(1)));
        }
    };
    let (files, aside) = (ground.folder.path().join("files"), ground.folder.path().join("aside"));
    std::fs::rename(&files, &aside).expect("it is ours");
    spared().await;
    // As an unmounted disk leaves it.
    std::fs::create_dir(&files).expect("it is ours");
    spared().await;
    // A disk that fails, whoever reads: a link that leads to itself.
    std::os::unix::fs::symlink("sha256", files.join("sha256")).expect("it is ours");
    std::fs::create_dir(files.join("services")).expect("it is ours");
    spared().await;
    std::fs::remove_dir_all(&files).expect("it is ours");
    std::fs::rename(&aside, &files).expect("it is ours");
    for file in [small, large] {
        let answer = ground.deliver(&court(server.port), again(vec![file])).await;
        assert!(matches!(answer, Ok(Answer::Receipt(_))), "{answer:?}");
    }
}

/// How many bytes of memory this process has.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.expect("a number of pages") * 4096
}

/// By how much the memory of this process grew while large content came, in bytes.
static GROWN: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn large_content_takes_little_memory() {
    const SIZE: usize = 256 * 1024 * 1024;
    const LITTLE: usize = 64 * 1024 * 1024;
    let ground = Ground::new();
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            let before = memory();
            let mut most = before;
            while let Some(message) = stream.message().await? {
                let legalstat_proto::collections::v1::deliver_copy_request::Part::Chunk(chunk) =
                    message.part.expect("a part")
                else {
                    panic!("a second header")
                };
                // Of a file that large every byte is counted and none kept.
                seen.asked.fetch_add(chunk.len(), SeqCst);
                most = most.max(memory());
            }
            GROWN.store(most - before, SeqCst);
            Ok(receipt())
        })
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    // The other tests of this process take memory as well, and not each time.
    for time in 1..=5 {
        let answer = ground
            .deliver(&court(server.port), parcel(vec![ground.store_sparse(SIZE)]))
            .await;
        assert!(matches!(answer, Ok(Answer::Receipt(_))), "{answer:?}");
        assert_eq!(inbox.seen.asked(), time * SIZE);
        if GROWN.load(SeqCst) < LITTLE {
            return;
        }
    }
    panic!("{} bytes more", GROWN.load(SeqCst));
}
