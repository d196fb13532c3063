//! Coupons: what is signed, with which key, and what is kept of the secret.

use std::{
    fs,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use legalstat_kit::signing::{SigningKeys, file_of};
use legalstat_local::testing::harness::{Ground, Running};
use legalstat_proto::{
    common::v1::{SigningKey, SigningKeyState},
    requests::v1::{self as proto, ListSigningKeysRequest, ListSigningKeysResponse},
};
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tonic::Status;
use uuid::Uuid;

use super::stage::{Client, NOW, Stage, get, request, submission, submit_for_secret};
use crate::{
    SERVICE,
    domain::request::Receipt,
    rpc::coupons::{self, Coupons},
};

async fn keys(client: &mut Client, page: ListSigningKeysRequest) -> Result<ListSigningKeysResponse, Status> {
    client.list_signing_keys(page).await.map(tonic::Response::into_inner)
}

async fn listed(client: &mut Client) -> Vec<SigningKey> {
    keys(client, Default::default())
        .await
        .expect("anyone may ask")
        .signing_keys
}

/// Whether the coupon of a request is signed as the contract says, by a key that is listed.
fn is_signed(request: &proto::Request, keys: &[SigningKey]) -> bool {
    let coupon = request.coupon.as_ref().expect("it has one");
    let signed = format!(
        r#"{{"acceptedAt":"{}","acceptedBy":"{}","contentSha256":"{}","number":"{}","request":"{}"}}"#,
        coupon.accepted_at.expect("it has a time"),
        coupon.accepted_by,
        coupon.content_sha256,
        coupon.number,
        request.name
    );
    let key = keys.iter().find(|key| key.id == coupon.key).expect("it is listed");
    let key = UnparsedPublicKey::new(&ED25519, &key.public_key);
    key.verify(signed.as_bytes(), &coupon.signature).is_ok()
}

#[tokio::test]
async fn a_coupon_is_signed_over_what_was_received_and_stays_so_when_it_is_read() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut sent = request();
    // As it was sent, not as it is stored.
    sent.essence = " \"crimes\" of a quarter,\n\tи ещё ".into();
    sent.items[0].period = "2025-03".into();
    sent.items[0].until_period = String::new();
    let accepted = submit_for_secret(&mut edms, submission(sent))
        .await
        .expect("it is accepted");
    let canonical = concat!(
        r#"{"channel":"CHANNEL_UNIFIED_EDMS","essence":" \"crimes\" of a quarter,\n\tи ещё ","#,
        r#""externalDate":{"day":27,"month":2,"year":2026},"externalNumber":"12-3/45","#,
        r#""items":[{"description":"registered crimes","form":"forms/2","kind":"ITEM_KIND_STATISTICS","#,
        r#""period":"2025-03","unit":"UNIT_CRIME"}],"language":"LANGUAGE_RU","#,
        r#""requester":{"bin":"160340014245","fullName":"Ministry of Justice","kind":"REQUESTER_KIND_STATE_BODY"},"#,
        r#""signatory":{"capacity":"SIGNATORY_CAPACITY_HEAD","fullName":"The head"}}"#,
    );
    let coupon = accepted.coupon.clone().expect("it has one");
    assert_eq!(coupon.content_sha256, hex::encode(Sha256::digest(canonical)));
    let keys = listed(&mut stage.stranger()).await;
    assert!(is_signed(&accepted, &keys));
    let mut forged = accepted.clone();
    forged.coupon.as_mut().expect("it has one").accepted_by = "kadagalau".into();
    assert!(!is_signed(&forged, &keys));

    let read = get(&mut edms, &accepted.name).await.expect("it is there");
    assert!(is_signed(&read, &keys));
    let shown = proto::Coupon {
        secret: String::new(),
        ..coupon.clone()
    };
    assert_eq!(read.coupon, Some(shown));
    let groups: Vec<usize> = coupon.secret.split('-').map(str::len).collect();
    assert_eq!(groups, [5, 5, 5, 5], "{}", coupon.secret);
}

#[tokio::test]
async fn a_repetition_gives_the_secret_again_and_it_is_stored_nowhere() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let message = submission(request());
    let first = submit_for_secret(&mut edms, message.clone())
        .await
        .expect("it is accepted");
    let again = submit_for_secret(&mut edms, message.clone())
        .await
        .expect("it is answered again");
    assert_eq!(first, again);
    let tried = proto::SubmitRequestRequest {
        validate_only: true,
        request_id: Uuid::new_v4().to_string(),
        ..message
    };
    let tried = submit_for_secret(&mut edms, tried).await.expect("it is sound");
    assert_eq!(tried.coupon, None);

    let secret = first.coupon.expect("it has one").secret;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'requests' ORDER BY tablename")
            .fetch_all(&mut stage.running.superuser().await)
            .await
            .expect("there are tables");
    assert!(tables.iter().any(|table| table == "idempotency"), "{tables:?}");
    for table in tables {
        for spelled in [secret.clone(), secret.replace('-', "")] {
            // Bytes as PostgreSQL writes them, and texts as they are.
            let sought = format!(
                "SELECT count(*) FROM requests.{table} AS row
                 WHERE row::text ILIKE '%{spelled}%' OR row::text ILIKE '%{}%'",
                hex::encode(&spelled)
            );
            let mut superuser = stage.running.superuser().await;
            let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sought))
                .fetch_one(&mut superuser)
                .await
                .expect("it counts");
            assert_eq!(found, 0, "{table} holds the secret");
        }
    }
}

fn put(folder: &TempDir, id: &str, seed: u8, signs_from: &str) {
    let content = file_of(&[seed; 32], signs_from.parse().expect("an instant"));
    let path = folder.path().join(format!("{id}.pem"));
    // Whole or not at all, as an operator's tool would.
    let beside = folder.path().join(".new");
    fs::write(&beside, content).expect("the folder is ours");
    fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    fs::rename(beside, path).expect("the folder is ours");
}

#[tokio::test]
async fn a_new_key_is_announced_while_the_service_runs_and_a_destroyed_one_still_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    put(&folder, "one", 1, "2026-01-01T00:00:00Z");
    let path = folder.path().display().to_string();
    let stage = Stage::set_with(&[("LEGALSTAT_SIGNING_KEYS", &path)]).await;
    let mut edms = stage.client("edms");
    let message = submission(request());
    let accepted = submit_for_secret(&mut edms, message.clone())
        .await
        .expect("it is accepted");
    assert_eq!(accepted.coupon.as_ref().map(|coupon| coupon.key.as_str()), Some("one"));

    put(&folder, "two", 2, "2026-04-01T00:00:00Z");
    let states = async || {
        let keys = listed(&mut stage.stranger()).await;
        keys.iter().map(|key| (key.id.clone(), key.state())).collect::<Vec<_>>()
    };
    let (in_use, announced) = (SigningKeyState::InUse, SigningKeyState::Announced);
    until(async || states().await == [("one".into(), in_use), ("two".into(), announced)]).await;

    // The private part is destroyed, and another key has taken over.
    put(&folder, "three", 3, "2026-02-01T00:00:00Z");
    let public = listed(&mut stage.stranger()).await.swap_remove(0).public_key;
    let der = [
        hex::decode("302a300506032b6570032100").expect("it is hexadecimal"),
        public,
    ]
    .concat();
    let pem = pem::encode(&pem::Pem::new("PUBLIC KEY", der));
    fs::write(
        folder.path().join("one.pem"),
        format!("Signs-From: 2026-01-01T00:00:00Z\n{pem}"),
    )
    .expect("it is ours");
    let retired = SigningKeyState::Retired;
    let expected = [
        ("one".into(), retired),
        ("three".into(), in_use),
        ("two".into(), announced),
    ];
    until(async || states().await == expected).await;
    let keys = listed(&mut stage.stranger()).await;
    assert!(is_signed(&accepted, &keys));
    let mut again = submit_for_secret(&mut edms, message)
        .await
        .expect("it is answered again");
    let secret = std::mem::take(&mut again.coupon.as_mut().expect("it has one").secret);
    assert_eq!(secret, "", "nobody can derive it any more");
    let later = submit_for_secret(&mut edms, submission(request()))
        .await
        .expect("it is accepted");
    assert!(is_signed(&later, &keys) && later.coupon.is_some_and(|coupon| coupon.key == "three"));
}

/// Waits until a condition holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "it never held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn keys_come_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, seed, month) in [("one", 1, 1), ("two", 2, 2), ("three", 3, 3)] {
        put(&folder, id, seed, &format!("2026-0{month}-01T00:00:00Z"));
    }
    let path = folder.path().display().to_string();
    let stage = Stage::set_with(&[("LEGALSTAT_SIGNING_KEYS", &path)]).await;
    let mut stranger = stage.stranger();
    let mut page = ListSigningKeysRequest {
        page_size: 2,
        ..Default::default()
    };
    let first = keys(&mut stranger, page.clone()).await.expect("it lists");
    page.page_token = first.next_page_token;
    let second = keys(&mut stranger, page.clone()).await.expect("it goes on");
    let ids: Vec<String> = first
        .signing_keys
        .into_iter()
        .chain(second.signing_keys)
        .map(|key| key.id)
        .collect();
    assert_eq!(
        (ids.join(" ").as_str(), second.next_page_token.as_str()),
        ("one two three", "")
    );
    page.page_size = -1;
    keys(&mut stranger, page).await.expect_err("it is out of range");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_stops_the_start_with_its_name() {
    let ground = Ground::shared().await;
    let (files, unusable) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    put(&unusable, "one", 1, "2026-01-01T00:00:00Z");
    fs::write(unusable.path().join("notes.txt"), "").expect("the folder is ours");
    let missing = ground.folder().join("missing").display().to_string();
    for (folder, told) in [
        (missing.as_str(), "missing"),
        (&unusable.path().display().to_string(), "notes.txt"),
    ] {
        let settings = [
            ("LEGALSTAT_CALENDAR_URL", "https://localhost:1".to_owned()),
            ("LEGALSTAT_FORM_REGISTRY_URL", "https://localhost:1".to_owned()),
            ("LEGALSTAT_SIGNING_KEYS", folder.to_owned()),
            ("LEGALSTAT_FILES", files.path().display().to_string()),
        ];
        let now: Timestamp = NOW.parse().expect("an instant");
        let starting = tokio::spawn(async move { Running::start(&SERVICE, &settings, move || now).await });
        let refused = starting.await.err().expect("it does not start").into_panic();
        let refused = refused.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(refused.contains(told), "{refused}");
    }
}

/// What a coupon costs a submission of one item. Run by hand, of a release build: `cargo test --release -p legalstat-request-intake
/// coupon_costs -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_coupon_costs() {
    let folder = Ground::shared().await.signing_keys();
    let coupons = Coupons::new(SigningKeys::open(folder.as_ref()).expect("it has a key"));
    let (request, rounds) = (request(), 20_000_u32);
    let accepted_at: Timestamp = NOW.parse().expect("an instant");
    let time = |what: &str, mut round: Box<dyn FnMut()>| {
        let begun = Instant::now();
        (0..rounds).for_each(|_| round());
        eprintln!("{what}: {:?}", begun.elapsed() / rounds);
    };
    time(
        "the digest of what was received",
        Box::new(move || {
            std::hint::black_box(coupons::content_sha256(&request).expect("it has one"));
        }),
    );
    time(
        "signature and secret",
        Box::new(move || {
            let mut receipt = Receipt {
                id: Uuid::from_u128(7),
                coupon_number: "20260302-7K3M9QZ0".into(),
                accepted_at,
                accepted_by: "edms".into(),
                proof: None,
            };
            let secret = coupons.sign(&mut receipt, [7; 32]).expect("it signs");
            std::hint::black_box(secret.digest(&receipt.coupon_number));
        }),
    );
}

#[tokio::test]
async fn what_is_signed_takes_less_than_150_bytes_of_a_request() {
    let stage = Stage::set().await;
    submit_for_secret(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    let stored = "SELECT (pg_column_size(coupon_content_sha256) + pg_column_size(coupon_key)
                      + pg_column_size(coupon_signature) + pg_column_size(coupon_secret_digest))::bigint
                  FROM requests.request";
    let bytes = stage.count(stored).await;
    assert!((100..150).contains(&bytes), "{bytes}");
}
