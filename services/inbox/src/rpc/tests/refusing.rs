use legalstat_kit::call::caller::Role;
use legalstat_proto::collections::v1::delivery::Answer;

use super::*;
use crate::store;

#[tokio::test]
async fn content_that_changed_on_its_way_is_thrown_away_and_delivered_anew() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(1, 100_000), Uuid::new_v4());
    let copy = world.copy(1, COURT, &content);
    let mut changed = content.clone();
    changed[99_999] ^= 1;
    let refused = sender
        .deliver(&copy, &changed, id)
        .await
        .expect_err("it is other content");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::DataLoss, "DIGEST_MISMATCH")
    );
    assert_eq!(
        sender.get(id).await.expect_err("nothing of it stays").code(),
        Code::NotFound
    );
    let delivered = sender.send_after_others(header(&copy, &content, id, 0), &content).await;
    assert!(delivered.expect("it is received").answer.is_some());
    assert_eq!(inbox.content(&copy.name, 1), content);
}

#[tokio::test]
async fn a_copy_for_a_recipient_of_whom_the_inbox_was_not_told_is_refused_for_the_moment_and_taken_once_it_is() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(1, 10_000), Uuid::new_v4());
    let copy = world.copy(2, "senate", &content);
    let refused = sender.deliver(&copy, &content, id).await.expect_err("it is not told");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "RECIPIENT_NOT_SERVED")
    );
    let details = refused.get_error_details();
    assert!(details.retry_info().is_some());
    let metadata = &details.error_info().expect("a reason").metadata;
    assert_eq!(metadata["recipient"], "recipients/senate");
    assert_eq!(
        sender.get(id).await.expect_err("nothing of it stays").code(),
        Code::NotFound
    );
    assert!(inbox.received().is_empty() && inbox.stored().is_empty());
    inbox.stop().await;

    let mut setup = world.setup();
    setup.also = vec!["senate".into()];
    let inbox = RunningInbox::start(&setup, now).await;
    let delivered = world
        .sender(&inbox)
        .deliver(&copy, &content, id)
        .await
        .expect("it is told");
    assert!(matches!(delivered.answer, Some(Answer::Receipt(_))), "{delivered:?}");
    assert_eq!(inbox.content(&copy.name, 1), content);
}

#[tokio::test]
async fn a_key_that_is_not_trusted_yet_refuses_for_the_moment_and_counts_once_it_is_entered() {
    let world = World::new();
    let mut setup = world.setup();
    let other = World::new().listed();
    let unknown = SigningKey {
        id: "of-another".into(),
        ..other[0].clone()
    };
    setup.trusted = vec![unknown];
    let inbox = RunningInbox::start(&setup, now).await;
    let (sender, content, id) = (world.sender(&inbox), content(1, 10_000), Uuid::new_v4());
    let copy = world.copy(3, COURT, &content);
    let refused = sender.deliver(&copy, &content, id).await.expect_err("nobody trusts it");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "SIGNING_KEY_UNKNOWN")
    );
    let details = refused.get_error_details();
    assert!(details.retry_info().is_some());
    assert_eq!(
        details.error_info().expect("a reason").metadata["signing_key"],
        copy.signing_key
    );
    // A file that cannot be read is no reason to reject anything either.
    std::fs::write(world.store().with_extension("keys.json"), "{").expect("the folder is ours");
    assert_eq!(
        sender
            .deliver(&copy, &content, id)
            .await
            .expect_err("unreadable")
            .code(),
        Code::Unavailable
    );
    assert!(inbox.stored().is_empty());
    setup.trust(&world.listed());
    assert!(
        sender
            .deliver(&copy, &content, id)
            .await
            .expect("it is received")
            .answer
            .is_some()
    );
}

#[tokio::test]
async fn what_the_key_has_not_signed_is_refused_and_leaves_nothing() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content) = (world.sender(&inbox), content(1, 10_000));
    let copy = world.copy(4, COURT, &content);
    let mut forged = copy.clone();
    forged.signature[0] ^= 1;
    let mut renumbered = copy.clone();
    renumbered.name = "collections/crime/editions/2026-Q3/copies/5".into();
    let mut for_us = world.copy(6, "senate", &content);
    for_us.recipient = "recipients/supreme-court".into();
    let mut by_another = copy.clone();
    by_another.signature = World::new().copy(4, COURT, &content).signature;
    for untrue in [forged, renumbered, for_us, by_another] {
        let refused = sender
            .deliver(&untrue, &content, Uuid::new_v4())
            .await
            .expect_err("it is not signed");
        let expected = ("header.copy".to_owned(), "SIGNATURE".to_owned());
        assert_eq!(violations(&refused), [expected], "{refused:?}");
    }
    assert!(inbox.stored().is_empty());
    assert!(store::parts(&world.store()).expect("readable").is_empty());
}

#[tokio::test]
async fn nobody_but_the_distribution_gets_in() {
    let world = World::new();
    let inbox = world.start().await;
    let content = content(1, 100);
    let copy = world.copy(5, COURT, &content);
    for (caller, code) in [
        (None, Code::Unauthenticated),
        (Some(Usage::service("calendar")), Code::PermissionDenied),
        (Some(Usage::recipient("senate")), Code::PermissionDenied),
        (
            Some(Usage::caller("operator", &[Role::Operator])),
            Code::PermissionDenied,
        ),
        (Some(Usage::caller(SENDER, &[Role::Operator])), Code::PermissionDenied),
    ] {
        // Its name is that of the distribution's certificate too, which is made anew for it.
        std::fs::remove_file(world.folder.path().join(format!("certificates/{SENDER}.key"))).ok();
        let sender = Sender(world.client(&inbox, caller));
        let (id, what) = (Uuid::new_v4(), code);
        assert_eq!(
            sender.deliver(&copy, &content, id).await.expect_err("not he").code(),
            what
        );
        assert_eq!(sender.get(id).await.expect_err("not he").code(), what);
    }
    assert!(inbox.stored().is_empty());
}

#[tokio::test]
async fn an_id_is_one_copys_and_a_name_is_one_copys() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, one, two) = (world.sender(&inbox), content(1, 1000), content(2, 1000));
    let (copy, id, other) = (world.copy(6, COURT, &one), Uuid::new_v4(), Uuid::new_v4());
    sender.deliver(&copy, &one, id).await.expect("it is received");
    for (copy, content) in [(world.copy(7, COURT, &two), &two), (world.copy(6, COURT, &two), &two)] {
        let refused = sender
            .deliver(&copy, content, id)
            .await
            .expect_err("the id is another's");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "REQUEST_ID_REUSED")
        );
    }
    let refused = sender
        .deliver(&world.copy(6, COURT, &two), &two, other)
        .await
        .expect_err("the name is another's");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::AlreadyExists, "ALREADY_EXISTS")
    );

    // The same holds while the copy is still coming.
    let (coming, id) = (world.copy(8, COURT, &one), Uuid::new_v4());
    let short = sender
        .send(header(&coming, &one, id, 0), &one[..500])
        .await
        .expect("it is told");
    assert_eq!(short.received_bytes, 500);
    let refused = sender
        .deliver(&world.copy(9, COURT, &two), &two, id)
        .await
        .expect_err("the id is another's");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    assert_eq!(inbox.received(), [copy.name]);
}
