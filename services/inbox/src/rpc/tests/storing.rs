use std::{fs, time::SystemTime};

use legalstat_local::port::KeptPort;

use super::*;
use crate::store::{self, Part, Store};

/// A delivery of which 100 of 1000 bytes have come, and where they are.
async fn half(world: &World, sender: &Sender) -> (Copy, Vec<u8>, Uuid, PathBuf) {
    let (content, id) = (content(1, 1000), Uuid::new_v4());
    let copy = world.copy(1, COURT, &content);
    let told = sender
        .send(header(&copy, &content, id, 0), &content[..100])
        .await
        .expect("it is told");
    assert_eq!(told.received_bytes, 100);
    (copy, content, id, world.store().join("parts").join(id.to_string()))
}

#[tokio::test]
async fn a_disk_that_is_full_is_told_and_the_delivery_goes_on_once_it_has_room() {
    let world = World::new();
    let inbox = world.start().await;
    let sender = world.sender(&inbox);
    let (copy, content, id, part) = half(&world, &sender).await;
    fs::rename(part.join("1"), part.join("aside")).expect("the folder is ours");
    std::os::unix::fs::symlink("/dev/full", part.join("1")).expect("the folder is ours");
    let refused = sender
        .send(header(&copy, &content, id, 0), &content)
        .await
        .expect_err("it takes nothing");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "STORAGE_FULL")
    );
    assert!(refused.get_error_details().retry_info().is_some());
    assert!(inbox.stored().is_empty());
    fs::remove_file(part.join("1")).expect("the folder is ours");
    fs::rename(part.join("aside"), part.join("1")).expect("the folder is ours");
    let whole = sender
        .send(header(&copy, &content, id, 100), &content)
        .await
        .expect("there is room");
    assert!(whole.answer.is_some());
    assert_eq!(inbox.content(&copy.name, 1), content);
}

#[tokio::test]
async fn a_folder_that_takes_nothing_refuses_for_the_moment_and_is_told_by_health() {
    let world = World::new();
    let inbox = world.start().await;
    let sender = world.sender(&inbox);
    let content = content(1, 1000);
    let copy = world.copy(1, COURT, &content);
    let (parts, probe) = (world.store().join("parts"), world.store().join("probe"));
    fs::remove_dir(&parts).expect("it is empty");
    fs::write(&parts, b"in the way").expect("the folder is ours");
    let refused = sender
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect_err("nothing can be stored");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "STORAGE_FAILING")
    );
    assert!(refused.get_error_details().retry_info().is_some());
    fs::remove_file(&parts).expect("the folder is ours");
    fs::create_dir(&parts).expect("the folder is ours");

    inbox.until_healthy(true).await;
    fs::create_dir_all(&probe).expect("the folder is ours");
    inbox.until_healthy(false).await;
    fs::remove_dir(&probe).expect("it is empty");
    inbox.until_healthy(true).await;
    assert!(
        sender
            .deliver(&copy, &content, Uuid::new_v4())
            .await
            .expect("it is received")
            .answer
            .is_some()
    );
}

#[tokio::test]
async fn whatever_a_killed_process_left_is_gone_on_from_and_an_answer_that_was_not_given_is_none() {
    let world = World::new();
    // Nobody else has it between an end and the next start.
    let port = KeptPort::take().expect("a port is free");
    let mut setup = world.setup();
    setup.port = port.number();
    let inbox = RunningInbox::start(&setup, now).await;
    let sender = world.sender(&inbox);
    let (copy, content, id, part) = half(&world, &sender).await;
    inbox.stop().await;
    // It was killed when it had written the record with its answer, and had not made the part a copy.
    let mut record = store::parts(&world.store()).expect("readable").remove(0).0;
    record.answer = Some(legalstat_proto::collections::v1::delivery::Answer::Receipt(
        Default::default(),
    ));
    fs::write(part.join("copy.json"), record.written().expect("it has a form")).expect("the folder is ours");
    fs::write(part.join("copy.json.new"), b"{").expect("the folder is ours");
    let inbox = RunningInbox::start(&setup, now).await;
    let known = sender.get(id).await.expect("it is known");
    assert_eq!((known.received_bytes, known.answer), (100, None));
    let whole = sender
        .send(header(&copy, &content, id, 100), &content)
        .await
        .expect("it is received");
    let given = inbox.stored().remove(0);
    assert_eq!(given.answer, whole.answer);
    assert!(whole.answer.is_some() && given.answer != record.answer);
    inbox.stop().await;

    // Another was killed when it had begun a part and not written what it is about.
    let (id, content) = (Uuid::new_v4(), super::content(2, 500));
    let copy = world.copy(2, COURT, &content);
    let part = world.store().join("parts").join(id.to_string());
    fs::create_dir(&part).expect("the folder is ours");
    fs::write(part.join("copy.json"), b"").expect("the folder is ours");
    fs::write(part.join("1"), b"what was it").expect("the folder is ours");
    let inbox = RunningInbox::start(&setup, now).await;
    assert_eq!(
        sender.get(id).await.expect_err("nothing is known of it").code(),
        Code::NotFound
    );
    let whole = sender.deliver(&copy, &content, id).await.expect("it is received");
    assert!(whole.answer.is_some());
    assert_eq!(inbox.received().len(), 2);
}

#[test]
fn parts_that_nobody_finishes_are_removed_after_their_time_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("it opens");
    let made = |id: u128, changed: Option<SystemTime>| {
        let id = Uuid::from_u128(id);
        let part = folder.path().join("parts").join(id.to_string());
        fs::create_dir(&part).expect("the folder is ours");
        fs::write(part.join("1"), b"half").expect("the folder is ours");
        for (path, at) in [part.join("1"), part.clone()]
            .into_iter()
            .zip(changed.into_iter().cycle())
        {
            fs::File::open(path)
                .and_then(|file| file.set_modified(at))
                .expect("the folder is ours");
        }
        (id, part)
    };
    let (day, long_ago) = (Duration::from_secs(86_400), Some(SystemTime::UNIX_EPOCH));
    let ((_, fresh), (claimed, held), (_, old)) = (made(1, None), made(2, long_ago), made(3, long_ago));
    let place = "collections/crime/editions/2026-Q3/copies/1".parse().expect("a name");
    let claim = store.claim(claimed, &place).expect("nobody has it");
    assert_eq!(store.sweep(day).expect("it is swept"), 1);
    assert!(fresh.exists() && held.exists() && !old.exists());
    drop(claim);
    assert_eq!(store.sweep(day).expect("it is swept"), 1);
    assert!(fresh.exists() && !held.exists());
}

#[test]
fn a_folder_is_one_inboxs_at_a_time_and_is_nobody_elses_to_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("it opens");
    let refused = Store::open(folder.path()).err().expect("it is taken").to_string();
    assert!(refused.contains("another process"), "{refused}");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.path()).expect("it is there").permissions());
    assert_eq!(mode & 0o777, 0o700);
    drop(store);
    Store::open(folder.path()).expect("it is free");
    // What it has answered for good must not be lost unseen.
    let copy = folder.path().join("copies/crime/2026-Q3/1");
    fs::create_dir_all(&copy).expect("the folder is ours");
    fs::write(copy.join("copy.json"), b"{").expect("the folder is ours");
    let refused = Store::open(folder.path()).err().expect("it is damaged");
    assert!(format!("{refused:#}").contains("copy.json"), "{refused:#}");
}

#[test]
fn the_bytes_of_several_files_follow_one_another_and_each_file_ends_where_it_was_announced() {
    use legalstat_proto::collections::v1::{EditionContent, Receipt, delivery::Answer};

    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("it opens");
    let files: Vec<Vec<u8>> = [(1, 1), (2, 700), (3, 299)]
        .map(|(seed, length)| content(seed, length))
        .into();
    let announced = files.iter().map(|file| EditionContent {
        size_bytes: i64::try_from(file.len()).expect("it is short"),
        sha256: hex::encode(legalstat_kit::door::wire::sha256(file)),
        ..EditionContent::default()
    });
    let name = "collections/crime/editions/2026-Q3/copies/1";
    let header = DeliverCopyHeader {
        copy: Some(Copy {
            name: name.into(),
            ..Copy::default()
        }),
        files: announced.collect(),
        ..DeliverCopyHeader::default()
    };
    let (place, id, all) = (name.parse().expect("a name"), Uuid::from_u128(1), files.concat());
    // Each time it goes on where it was left, whatever file that is in.
    let mut from = 0;
    for until in [0, 1, 3, 700, 701, 702, 999, 1000] {
        let claim = store.claim(id, &place).expect("nobody has it");
        let mut part = Part::open(claim, &header)
            .expect("it opens")
            .expect("it is the same copy");
        assert_eq!(part.received(), from as u64);
        part.add(&all[from..until]).expect("there is room");
        from = until;
    }
    let claim = store.claim(id, &place).expect("nobody has it");
    let mut part = Part::open(claim, &header)
        .expect("it opens")
        .expect("it is the same copy");
    part.add(b"x").expect_err("all of it has come");
    assert!(part.verify().expect("it is readable"));
    part.keep(Answer::Receipt(Receipt::default())).expect("it is kept");
    for (number, file) in (1..).zip(&files) {
        let stored = fs::read(store::file(folder.path(), &place, number)).expect("it is there");
        assert_eq!(&stored, file, "file {number}");
    }
}
