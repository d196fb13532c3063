use super::*;

#[tokio::test]
async fn all_that_is_wrong_with_a_header_is_told_at_once() {
    let world = World::new();
    let inbox = world.start().await;
    let sender = world.sender(&inbox);
    let mut wrong = header(&world.copy(1, COURT, b"abc"), b"abc", Uuid::new_v4(), 0);
    wrong.delivery_id = "1".into();
    wrong.offset = -1;
    wrong.attempt = 0;
    wrong.files[0].filename.clear();
    wrong.files[0].size_bytes = 0;
    wrong.files[0].sha256 = "x".into();
    let copy = wrong.copy.as_mut().expect("it is set");
    copy.name = "../../etc/passwd".into();
    copy.statement = None;
    let refused = sender.send(wrong, b"abc").await.expect_err("much is wrong");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "INVALID_FIELDS")
    );
    let told: Vec<String> = violations(&refused).into_iter().map(|(field, _)| field).collect();
    let expected = [
        "header.delivery_id",
        "header.copy.name",
        "header.copy.statement",
        "header.files[0].filename",
        "header.files[0].sha256",
        "header.files[0].size_bytes",
        "header.files",
        "header.offset",
        "header.attempt",
    ];
    assert_eq!(told, expected);
    let nothing = sender
        .send(DeliverCopyHeader::default(), b"")
        .await
        .expect_err("nothing is said");
    assert_eq!(reason(&nothing), "INVALID_FIELDS");
    let asked = sender.0.clone().get_delivery(GetDeliveryRequest::default()).await;
    assert_eq!(reason(&asked.expect_err("no id")), "INVALID_FIELDS");
}

#[tokio::test]
async fn the_header_comes_first_and_once_and_chunks_have_1_byte_to_1_mib() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content) = (world.sender(&inbox), content(1, 2 * 1024 * 1024));
    let copy = world.copy(1, COURT, &content);
    let first = || Part::Header(header(&copy, &content, Uuid::new_v4(), 0));
    let chunk = |length: usize| Part::Chunk(content[..length].to_vec());
    for (parts, field, reason) in [
        (vec![chunk(3)], "header", "REQUIRED"),
        (vec![], "header", "REQUIRED"),
        (vec![first(), chunk(3), first()], "header", "REPEATED"),
        (vec![first(), chunk(0)], "chunk", "SIZE"),
        (vec![first(), chunk(1024 * 1024 + 1)], "chunk", "SIZE"),
    ] {
        let messages: Vec<_> = parts.into_iter().map(message).collect();
        let refused = sender.0.clone().deliver_copy(tokio_stream::iter(messages)).await;
        let refused = refused.map(tonic::Response::into_inner).expect_err("it is no delivery");
        assert_eq!(violations(&refused), [(field.to_owned(), reason.to_owned())]);
    }
    assert!(inbox.stored().is_empty());
}

#[tokio::test]
async fn more_bytes_than_were_announced_are_refused_and_what_came_before_stays() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content, id) = (world.sender(&inbox), content(1, 1000), Uuid::new_v4());
    let copy = world.copy(1, COURT, &content);
    let call = sender.begin();
    call.say(Part::Header(header(&copy, &content, id, 0))).await;
    call.say(Part::Chunk(content[..600].to_vec())).await;
    call.say(Part::Chunk(content[..600].to_vec())).await;
    let refused = call.end().await.expect_err("it is too much");
    assert_eq!(violations(&refused), [("chunk".to_owned(), "SIZE".to_owned())]);
    let whole = sender
        .send_after_others(header(&copy, &content, id, 600), &content)
        .await;
    assert!(whole.expect("it is received").answer.is_some());
}

#[tokio::test]
async fn a_copy_over_the_limit_is_refused_before_its_content_comes() {
    let world = World::new();
    let mut setup = world.setup();
    setup.copy_bytes = 9999;
    let inbox = RunningInbox::start(&setup, now).await;
    let content = content(1, 10_000);
    let copy = world.copy(1, COURT, &content);
    let refused = world
        .sender(&inbox)
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect_err("too large");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "FILE_TOO_LARGE")
    );
    assert_eq!(
        refused.get_error_details().error_info().expect("a reason").metadata["limit_bytes"],
        "9999"
    );
}

#[tokio::test]
async fn the_answer_to_a_large_copy_that_is_there_comes_before_its_end() {
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content) = (world.sender(&inbox), content(1, 32 * 1024 * 1024));
    let copy = world.copy(1, COURT, &content);
    let delivered = sender
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect("it is received");
    assert!(delivered.answer.is_some());
    // All of it is sent again, and none is read.
    let again = sender
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect("it is answered");
    assert_eq!(again.answer, delivered.answer);
}

#[tokio::test]
async fn of_large_copies_four_come_at_once_and_one_more_is_told_to_come_again() {
    const MIB: usize = 1024 * 1024;
    let world = World::new();
    let inbox = world.start().await;
    let (sender, content) = (world.sender(&inbox), content(1, 6 * MIB));
    let mut under_way = Vec::new();
    for number in 1..=4 {
        let (call, id) = (sender.begin(), Uuid::new_v4());
        call.say(Part::Header(header(
            &world.copy(number, COURT, &content),
            &content,
            id,
            0,
        )))
        .await;
        for chunk in content[..5 * MIB].chunks(MIB) {
            call.say(Part::Chunk(chunk.to_vec())).await;
        }
        sender.until_received(id, 5 * MIB as i64).await;
        under_way.push((number, id, call));
    }
    let fifth = world.copy(5, COURT, &content);
    let refused = sender
        .deliver(&fifth, &content, Uuid::new_v4())
        .await
        .expect_err("there is no room for it");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(refused.get_error_details().retry_info().is_some());
    for (_, _, call) in under_way {
        call.say(Part::Chunk(content[5 * MIB..].to_vec())).await;
        assert!(call.end().await.expect("it is received").answer.is_some());
    }
    assert_eq!(inbox.received().len(), 4);
}
