//! A state body's own server, from nothing to its first copy, on the command line.

use legalstat_proto::collections::v1::{
    ConfirmReceiptRequest, CopyState, CopyView, DeliverCopyHeader, DeliverCopyRequest, EditionContent, GetCopyRequest,
    collection_distribution_service_client::CollectionDistributionServiceClient,
    copy_inbox_service_client::CopyInboxServiceClient, deliver_copy_request::Part, delivery::Answer,
};
use legalstat_test_support::{calls::answered, inbox::Inbox, system::System};
use nix::sys::signal::Signal;
use uuid::Uuid;

const COURT: &str = "supreme-court";
const EDITION: &str = "crime/2025-Q1";
const CONTENT: &str = "%PDF-1.7 crime";

fn text<'a>(value: &'a serde_json::Value, field: &str) -> &'a str {
    value[field].as_str().expect("a text")
}

/// The names of the court's copies of an edition that is released.
fn released(system: &System) -> Vec<String> {
    let file = system.file("crime.pdf", CONTENT);
    system.json(&[
        "collections",
        "upload",
        EDITION,
        "--content",
        &file,
        "--content-type",
        "application/pdf",
    ]);
    system.json(&["collections", "seal", EDITION, "--file", &file]);
    system.json(&["collections", "release", EDITION, "--as", "approver"]);
    let copies = system.json(&["collections", "copies", "--edition", EDITION, "--as", COURT]);
    let copies = copies["copies"].as_array().expect("a list");
    copies.iter().map(|copy| text(copy, "name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "the sender chooses the id of a delivery")]
async fn a_state_body_starts_an_inbox_from_a_folder_and_the_distribution_takes_the_receipt_that_it_signs() {
    let system = tokio::task::block_in_place(System::start);
    let store = ["--store", "supreme-court-inbox"];
    let (mut inbox, names, key) = tokio::task::block_in_place(|| {
        let key = system.json(&[&["inbox", "add-key", "--as", COURT][..], &store].concat());
        let (id, public) = (text(&key, "key"), text(&key, "publicKey"));
        assert!(
            text(&key, "enter").contains(&format!("add-recipient-key {COURT} {id} --public-key -")),
            "{key}"
        );
        let enter = [
            "collections",
            "add-recipient-key",
            COURT,
            id,
            "--public-key",
            "-",
            "--reason",
            "its inbox signs",
            "--as",
            "administrator",
        ];
        let entered = system.run_with_input(&enter, public);
        assert!(entered.status.success(), "{}", String::from_utf8_lossy(&entered.stderr));
        let keys = system.run(&["collections", "keys", "-o", "json"]).stdout;
        let inbox = Inbox::start(system.folder(), COURT, &keys);
        (inbox, released(&system), id.to_owned())
    });
    let name = names.first().expect("the court gets copies").clone();

    let distribution = CollectionDistributionServiceClient::new(system.channel("collection-distribution", Some(COURT)));
    let asked = GetCopyRequest {
        name: name.clone(),
        view: CopyView::Full.into(),
    };
    let copy = answered(&distribution, &asked, |mut distribution, asked| async move {
        distribution.get_copy(asked).await
    });
    let copy = copy.await;
    let header = DeliverCopyHeader {
        delivery_id: Uuid::new_v4().to_string(),
        files: vec![EditionContent {
            filename: "crime.pdf".into(),
            content_type: "application/pdf".into(),
            size_bytes: i64::try_from(CONTENT.len()).expect("it is short"),
            sha256: copy.sha256.clone(),
            uploaded_at: None,
            language: String::new(),
        }],
        copy: Some(copy.clone()),
        offset: 0,
        attempt: 1,
    };
    let messages =
        [Part::Header(header), Part::Chunk(CONTENT.into())].map(|part| DeliverCopyRequest { part: Some(part) });
    let sender = CopyInboxServiceClient::new(system.channel_to(&inbox.url(), Some("collection-distribution")));
    let delivered = answered(&sender, &messages, |mut sender, messages| async move {
        sender.deliver_copy(tokio_stream::iter(messages)).await
    });
    let delivered = delivered.await;
    let Some(Answer::Receipt(receipt)) = delivered.answer else {
        panic!("no receipt: {delivered:?}")
    };
    assert_eq!(receipt.signing_key, format!("recipients/{COURT}/signingKeys/{key}"));

    // The receipt that came by push is true: the distribution takes it from whoever brings it.
    let confirm = ConfirmReceiptRequest {
        name: name.clone(),
        sha256: copy.sha256.clone(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
        received_at: receipt.statement.and_then(|statement| statement.received_at),
        signing_key: receipt.signing_key,
        signature: receipt.signature,
    };
    let confirmed = answered(&distribution, &confirm, |mut distribution, confirm| async move {
        distribution.confirm_receipt(confirm).await
    });
    assert_eq!(confirmed.await.state(), CopyState::Received);

    tokio::task::block_in_place(|| {
        let listed = system.json(&[&["inbox", "list"][..], &store].concat());
        assert_eq!(listed["copies"].as_array().map(Vec::len), Some(1), "{listed}");
        let line = &listed["copies"][0];
        assert_eq!((text(line, "copy"), text(line, "state")), (name.as_str(), "RECEIVED"));
        let short = name
            .replace("collections/", "")
            .replace("/editions/", "/")
            .replace("/copies/", "/");
        let shown = system.json(&[&["inbox", "show", &short][..], &store].concat());
        assert_eq!(shown["header"]["copy"]["copySha256"], copy.copy_sha256.as_str());
        assert_eq!(
            shown["answer"]["receipt"]["signingKey"],
            format!("recipients/{COURT}/signingKeys/{key}")
        );
        let export = [&["inbox", "export", &short, "--to", "received"][..], &store].concat();
        let exported = system.json(&export);
        assert_eq!(exported["files"][0]["sha256"], copy.sha256.as_str());
        let file = system.folder().join("received/crime.pdf");
        assert_eq!(std::fs::read_to_string(file).expect("it is written"), CONTENT);
        let (code, said) = system.failure(&export);
        assert!(
            code == 1 && said.contains("received/crime.pdf"),
            "nothing is written over: {said}"
        );
        std::fs::remove_dir_all(system.folder().join("received")).expect("the folder is ours");
        std::fs::write(inbox.store().join("copies").join(&short).join("1"), "%PDF-1.7 other").expect("it is ours");
        let (code, said) = system.failure(&export);
        assert!(
            code == 1 && said.contains("is not what was received any more"),
            "{said}"
        );

        let keys = system.file("keys.json", "{}");
        for (wrong, says) in [
            (&["inbox", "show", "crime/2025-Q1/0"][..], "names no copy"),
            (&["inbox", "show", "crime/2030-Q1/1"], "is not in"),
            (&["inbox", "serve", "--trusted-keys", "none.json"], "--recipient"),
            (
                &[
                    "inbox",
                    "serve",
                    "--as",
                    COURT,
                    "--trusted-keys",
                    &keys,
                    "--listen",
                    "127.0.0.1:0",
                    "--health-listen",
                    "127.0.0.1:0",
                ],
                "another process",
            ),
            (
                &[
                    "inbox",
                    "serve",
                    "--as",
                    "operator",
                    "--recipient",
                    "../x",
                    "--trusted-keys",
                    "none.json",
                ],
                "names no recipient",
            ),
        ] {
            let (_, said) = system.failure(&[wrong, &store].concat());
            assert!(said.contains(says), "{wrong:?}: {said}");
        }
        let (code, said) = system.failure(&["inbox", "list", "--store", "nowhere"]);
        assert!(code == 2 && said.contains("no folder of an inbox"), "{said}");
        assert_eq!(inbox.end(Signal::SIGTERM), Some(0));
        drop(system);
    });
}
