use legalstat_kit::door::wire;
use legalstat_local::port::KeptPort;
use legalstat_proto::collections::v1::{ContentManifest, EditionContent, ManifestFile, Receipt, delivery::Answer};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::*;
use crate::store;

fn receipt(delivery: &Delivery) -> &Receipt {
    match &delivery.answer {
        Some(Answer::Receipt(receipt)) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

#[tokio::test]
async fn a_copy_is_stored_and_signed_for_once_and_answered_the_same_again_under_any_id_and_after_a_restart() {
    let world = World::new();
    let keys = signing::ensure(&world.store(), COURT, now()).expect("a key is made");
    let own = Keys::read(&keys).expect("it is sound");
    let mut setup = world.setup();
    setup.signing_keys = Some(keys);
    // Nobody else has it between the end and the next start.
    let port = KeptPort::take().expect("a port is free");
    setup.port = port.number();
    let inbox = RunningInbox::start(&setup, now).await;
    let (sender, content) = (world.sender(&inbox), content(1, 200_000));
    let (copy, first, second) = (world.copy(25, COURT, &content), Uuid::new_v4(), Uuid::new_v4());

    let answered = sender.deliver(&copy, &content, first).await.expect("it is received");
    assert_eq!(
        (answered.delivery_id.as_str(), answered.received_bytes),
        (&*first.to_string(), 200_000)
    );
    let given = receipt(&answered).clone();
    let statement = given.statement.clone().expect("it says something");
    assert_eq!(statement.format, statements::RECEIPT_FORMAT);
    let about = (
        &statement.copy,
        &statement.copy_sha256,
        &statement.content_sha256,
        &*statement.recipient,
    );
    assert_eq!(
        about,
        (&copy.name, &copy.copy_sha256, &copy.sha256, "recipients/supreme-court")
    );
    let at = wire::timestamp(&statement.received_at.expect("it says when")).expect("an instant");
    assert_eq!(at.to_string(), "2026-10-14T06:00:00.123456Z", "in whole microseconds");
    assert_eq!(
        given.signing_key,
        format!("recipients/supreme-court/signingKeys/{}", own.in_use(at).id)
    );
    let signed = statements::of_receipt(&statement).expect("it has a form");
    let public = UnparsedPublicKey::new(&ED25519, own.in_use(at).public);
    public.verify(&signed, &given.signature).expect("it is signed");

    let again = sender.deliver(&copy, &content, first).await.expect("it is answered");
    assert_eq!(again, answered);
    let other = sender.deliver(&copy, &content, second).await.expect("it is answered");
    assert_eq!(
        (other.delivery_id.as_str(), receipt(&other)),
        (&*second.to_string(), &given)
    );

    let stored = inbox.stored();
    assert_eq!(inbox.received(), std::slice::from_ref(&copy.name));
    assert_eq!(stored[0].deliveries, [first, second]);
    assert_eq!(stored[0].copy(), &copy);
    assert_eq!(inbox.content(&copy.name, 1), content);
    inbox.stop().await;

    let later = || "2026-10-15T06:00:00Z".parse().expect("an instant");
    let inbox = RunningInbox::start(&setup, later).await;
    for id in [first, second] {
        assert_eq!(receipt(&sender.get(id).await.expect("it is known")), &given);
        let again = sender.send_after_others(header(&copy, &content, id, 0), &content).await;
        assert_eq!(receipt(&again.expect("it is answered")), &given);
    }
    assert_eq!(inbox.stored(), stored);
    inbox.stop().await;
}

#[tokio::test]
async fn an_inbox_whose_clock_is_behind_receives_a_copy_when_it_was_issued_and_signs_that() {
    let world = World::new();
    let from = "2026-10-01T00:00:00Z".parse().expect("an instant");
    let keys = signing::ensure(&world.store(), COURT, from).expect("a key is made");
    let own = Keys::read(&keys).expect("it is sound");
    let mut setup = world.setup();
    setup.signing_keys = Some(keys);
    let behind = || "2026-10-14T05:58:00Z".parse().expect("an instant");
    let inbox = RunningInbox::start(&setup, behind).await;
    let (sender, content) = (world.sender(&inbox), content(1, 10));
    let copy = world.copy(25, COURT, &content);
    let answered = sender.deliver(&copy, &content, Uuid::new_v4()).await;
    let given = receipt(&answered.expect("it is received")).clone();
    let statement = given.statement.expect("it says something");
    let at = wire::timestamp(&statement.received_at.expect("it says when")).expect("an instant");
    assert_eq!(at, wire::whole_microseconds(now()), "when it was issued");
    let signed = statements::of_receipt(&statement).expect("it has a form");
    let public = UnparsedPublicKey::new(&ED25519, own.in_use(now()).public);
    public.verify(&signed, &given.signature).expect("it is signed");
}

#[tokio::test]
async fn an_inbox_takes_the_copies_of_those_that_its_recipient_follows_and_its_receipt_names_whose_they_are() {
    let world = World::new();
    let keys = signing::ensure(&world.store(), COURT, now()).expect("a key is made");
    let own = Keys::read(&keys).expect("it is sound");
    let mut setup = world.setup();
    setup.signing_keys = Some(keys);
    setup.also = vec!["constitutional-council".into()];
    let inbox = RunningInbox::start(&setup, now).await;
    let (sender, content) = (world.sender(&inbox), content(1, 10));
    for (number, recipient) in [(24, "constitutional-council"), (25, COURT)] {
        let copy = world.copy(number, recipient, &content);
        let answered = sender.deliver(&copy, &content, Uuid::new_v4()).await;
        let given = receipt(&answered.expect("it is received")).clone();
        let statement = given.statement.expect("it says something");
        assert_eq!(statement.recipient, copy.recipient);
        assert!(given.signing_key.starts_with("recipients/supreme-court/signingKeys/"));
        let signed = statements::of_receipt(&statement).expect("it has a form");
        let public = UnparsedPublicKey::new(&ED25519, own.in_use(now()).public);
        public.verify(&signed, &given.signature).expect("it is signed");
    }
}

#[tokio::test]
async fn a_recipient_without_a_key_answers_by_its_certificate_alone() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content) = (world.sender(&inbox), content(1, 10));
    let copy = world.copy(1, COURT, &content);
    let delivered = sender
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect("it is received");
    let given = receipt(&delivered);
    assert!(given.statement.is_some() && given.signing_key.is_empty() && given.signature.is_empty());
}

#[tokio::test]
async fn a_delivery_that_broke_off_goes_on_from_what_has_come_and_from_nowhere_else() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(2, 100_000), Uuid::new_v4());
    let copy = world.copy(7, COURT, &content);
    assert_eq!(
        sender.get(id).await.expect_err("nothing has come").code(),
        Code::NotFound
    );

    let broken = sender.begin();
    broken.say(Part::Header(header(&copy, &content, id, 0))).await;
    broken.say(Part::Chunk(content[..30_000].to_vec())).await;
    sender.until_received(id, 30_000).await;
    broken.break_off();

    for offset in [0, 29_999, 30_001, 100_000] {
        let told = sender
            .send_after_others(header(&copy, &content, id, offset), &content)
            .await;
        let told = told.expect("it is told");
        assert_eq!((told.received_bytes, told.answer), (30_000, None), "from {offset}");
    }
    // Who ends before the end is told how far it came.
    let short = sender
        .send_after_others(header(&copy, &content, id, 30_000), &content[..60_000])
        .await;
    let short = short.expect("it is told");
    assert_eq!((short.received_bytes, short.answer), (60_000, None));
    assert!(inbox.stored().is_empty());

    let whole = sender
        .send(header(&copy, &content, id, 60_000), &content)
        .await
        .expect("it is received");
    receipt(&whole);
    assert_eq!(inbox.content(&copy.name, 1), content);
    assert_eq!(store::parts(&world.store()).expect("readable").len(), 0);
}

#[tokio::test]
async fn a_copy_that_has_come_whole_and_was_not_answered_is_answered_when_nothing_more_is_sent() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(3, 50_000), Uuid::new_v4());
    let copy = world.copy(8, COURT, &content);
    let broken = sender.begin();
    broken.say(Part::Header(header(&copy, &content, id, 0))).await;
    broken.say(Part::Chunk(content.clone())).await;
    sender.until_received(id, 50_000).await;
    broken.break_off();
    let whole = sender
        .send_after_others(header(&copy, &content, id, 50_000), &content)
        .await;
    receipt(&whole.expect("it is received"));
    assert_eq!(inbox.received(), [copy.name]);
}

#[tokio::test]
async fn of_two_calls_of_one_delivery_or_one_copy_the_second_is_told_to_come_again() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(4, 40_000), Uuid::new_v4());
    let copy = world.copy(9, COURT, &content);
    let first = sender.begin();
    first.say(Part::Header(header(&copy, &content, id, 0))).await;
    first.say(Part::Chunk(content[..10_000].to_vec())).await;
    sender.until_received(id, 10_000).await;
    for id in [id, Uuid::new_v4()] {
        let refused = sender.send(header(&copy, &content, id, 10_000), &content).await;
        let refused = refused.expect_err("the first is under way");
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.get_error_details().retry_info().is_some());
    }
    first.say(Part::Chunk(content[10_000..].to_vec())).await;
    receipt(&first.end().await.expect("it is received"));
    assert_eq!(inbox.content(&copy.name, 1), content);
}

#[tokio::test]
async fn many_copies_come_at_once_and_each_is_stored_once() {
    let world = World::new();
    let inbox = world.start().await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 1..=20 {
        let content = content(u8::try_from(number).expect("it is small"), 3000);
        let (sender, copy) = (world.sender(&inbox), world.copy(number, COURT, &content));
        for id in [Uuid::from_u128(u128::try_from(number).expect("it is positive")); 2] {
            let (sender, copy, content) = (sender.clone(), copy.clone(), content.clone());
            calls.spawn(async move {
                let sent = sender.send_after_others(header(&copy, &content, id, 0), &content).await;
                receipt(&sent.expect("it is received")).clone()
            });
        }
    }
    assert_eq!(calls.join_all().await.len(), 40);
    assert_eq!(inbox.received().len(), 20);
}

#[tokio::test]
async fn digests_in_capitals_are_those_in_small_letters_when_a_copy_comes_goes_on_and_comes_again() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(1, 1000), Uuid::new_v4());
    let copy = world.copy(25, COURT, &content);
    let in_capitals = |offset: usize| {
        let mut header = header(&copy, &content, id, offset);
        let copy = header.copy.as_mut().expect("it has one");
        copy.sha256.make_ascii_uppercase();
        copy.copy_sha256.make_ascii_uppercase();
        header.files[0].sha256.make_ascii_uppercase();
        header
    };
    let half = sender.send(in_capitals(0), &content[..100]).await;
    assert_eq!(half.expect("it is told").received_bytes, 100);
    let whole = sender
        .send_after_others(header(&copy, &content, id, 100), &content)
        .await;
    let given = receipt(&whole.expect("it is received")).clone();
    assert_eq!(
        given.statement.as_ref().expect("it says something").copy_sha256,
        copy.copy_sha256
    );
    let again = sender.send_after_others(in_capitals(0), &content).await;
    assert_eq!(receipt(&again.expect("it is answered")), &given);
    assert_eq!(inbox.content(&copy.name, 1), content);
}

#[tokio::test]
async fn several_files_come_as_one_content_by_the_digest_of_their_manifest() {
    let world = World::new();
    let inbox = world.start().await;
    let sender = world.sender(&inbox);
    let files = [
        ("crime-kk.pdf", "kk", content(1, 70_000)),
        ("crime.xlsx", "", content(2, 3)),
    ];
    let listed = files.iter().map(|(filename, language, file)| ManifestFile {
        filename: (*filename).into(),
        content_type: "application/pdf".into(),
        size_bytes: i64::try_from(file.len()).expect("it is short"),
        sha256: hex::encode(wire::sha256(file)),
        language: (*language).into(),
    });
    let manifest = ContentManifest {
        format: statements::CONTENT_FORMAT.into(),
        files: listed.collect(),
    };
    let digest = statements::content_sha256(&manifest).expect("it has a form");
    let copy = testing::signed_copy_of(&world.keys, 1, COURT, digest, now());
    let announced = manifest.files.iter().map(|file| EditionContent {
        filename: file.filename.clone(),
        content_type: file.content_type.clone(),
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
        language: file.language.clone(),
        uploaded_at: Some(wire::to_timestamp(now())),
    });
    let content = [&files[0].2[..], &files[1].2].concat();
    let whole = DeliverCopyHeader {
        files: announced.collect(),
        ..header(&copy, &content, Uuid::new_v4(), 0)
    };
    let mut other_language = whole.clone();
    other_language.files[0].language = "ru".into();
    let mut other_order = whole.clone();
    other_order.files.reverse();
    let mut fewer = whole.clone();
    fewer.files.pop();
    for (wrong, reason) in [(other_language, "SHA256"), (other_order, "REQUIRED"), (fewer, "SHA256")] {
        let refused = sender.send(wrong, &content).await.expect_err("it is not the content");
        assert_eq!(violations(&refused), [("header.files".to_owned(), reason.to_owned())]);
    }
    let delivered = sender.send(whole, &content).await.expect("it is received");
    let stated = receipt(&delivered).statement.clone().expect("it says something");
    assert_eq!(stated.content_sha256, copy.sha256);
    for (number, (_, _, file)) in (1..).zip(&files) {
        assert_eq!(&inbox.content(&copy.name, number), file, "file {number}");
    }
}
