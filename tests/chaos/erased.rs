//! Intake killed in the middle of an erasure, by a rule and by an order: as soon as its first transaction has committed, and while
//! contents are removed.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures::future::join_all;
use legalstat_proto::{
    common::v1::LegalBasis,
    requests::v1::{
        Attachment, AttachmentKind, EraseRequestRequest, GetRequestRequest, Request, UploadAttachmentHeader,
        UploadAttachmentRequest, WithdrawRequestRequest, request_intake_service_client::RequestIntakeServiceClient,
        upload_attachment_request::Part,
    },
};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Semaphore;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{apart::Apart, dice::Dice, submission::submission};

/// More than one transaction erases.
const REQUESTS: usize = 60;
/// How often intake is killed.
const KILLS: usize = 4;
/// Within how many microseconds after a step of the erasure it is killed.
const MOMENT: u64 = 60_000;
/// How many administrators erase at once.
const ADMINISTRATORS: usize = 6;
/// How that ends which the journal names as the method of an erasure by a rule, and by an order.
const BY_RULE: &str = "jobs/erasure";
const BY_ORDER: &str = "/EraseRequest";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

type Client = RequestIntakeServiceClient<Channel>;

/// Calls until the service is there.
async fn until_answered<T>(mut call: impl AsyncFnMut() -> Result<tonic::Response<T>, tonic::Status>) -> T {
    let began = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer.into_inner(),
            Err(status) => assert!(began.elapsed() < PATIENCE, "it is answered in time: {status}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn upload(client: &mut Client, number: usize) -> Attachment {
    let header = UploadAttachmentHeader {
        kind: AttachmentKind::Attachment.into(),
        filename: "figures.csv".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let parts = [
        Part::Header(header),
        Part::Chunk(format!("a;b\n{number};1\n").into_bytes()),
    ];
    let parts = parts.map(|part| UploadAttachmentRequest { part: Some(part) });
    until_answered(async || client.upload_attachment(tokio_stream::iter(parts.clone())).await).await
}

/// A request with a file of its own that its requester has taken back.
async fn withdrawn(client: &mut Client, number: usize) -> Request {
    let mut message = submission(&format!("erased-{number}"));
    let attachments = vec![Attachment {
        name: upload(client, number).await.name,
        ..Default::default()
    }];
    message.request.as_mut().expect("it is one").attachments = attachments;
    let submitted = until_answered(async || client.submit_request(message.clone()).await).await;
    let withdraw = WithdrawRequestRequest {
        name: submitted.name,
        reason: "By letter 9".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    until_answered(async || client.withdraw_request(withdraw.clone()).await).await
}

/// A rule by which all of them are due, as two administrators would have entered it some time ago.
async fn rule(database: &mut PgConnection) {
    let statements = "
        UPDATE requests.request SET changed_at = changed_at - interval '40 days';
        INSERT INTO requests.retention_rule
            (id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, reason, entered_at, entered_by, approved_at,
             approved_by)
        VALUES (gen_random_uuid(), '{STATE_BODY}', '{WITHDRAWN}', 0, 0, 30, '', '', '', 'Order 7', 'para 3', '', false,
            current_date - 10, 'the storage periods', now(), 'one', now(), 'another')";
    sqlx::raw_sql(statements)
        .execute(database)
        .await
        .expect("the database is ours");
}

/// The orders to erase all of them, as another administrator has given them, and what the second one repeats.
async fn orders(database: &mut PgConnection, requests: Vec<Request>) -> Vec<EraseRequestRequest> {
    let statement = "INSERT INTO requests.erasure_order
        SELECT id, 'Decision 2-15', 'para 1', '', false, 'by a court', now(), 'another' FROM requests.request";
    sqlx::raw_sql(statement)
        .execute(database)
        .await
        .expect("the database is ours");
    let order = |request: Request| EraseRequestRequest {
        name: request.name,
        legal_basis: Some(LegalBasis {
            act: "Decision 2-15".into(),
            provision: "para 1".into(),
            ..Default::default()
        }),
        reason: "by a court".into(),
        etag: request.etag,
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    requests.into_iter().map(order).collect()
}

/// An administrator who gives orders, each again and again until it is carried out; one is begun for each permit of `begun`.
async fn erase(mut client: Client, orders: &[EraseRequestRequest], begun: &Semaphore) -> Vec<Request> {
    let mut erased = Vec::new();
    for order in orders {
        begun.acquire().await.expect("it stays open").forget();
        erased.push(until_answered(async || client.erase_request(order.clone()).await).await);
    }
    erased
}

/// Kills intake amid the erasure of as many requests as there are permits for, again and again.
async fn kill_amid(apart: &mut Apart, database: &mut PgConnection, begun: &Semaphore) {
    let mut dice = Dice::of("LEGALSTAT_ERASED_SEED", "erased by order");
    let (folder, began) = (apart.files("request-intake"), Instant::now());
    for kill in 1..=KILLS {
        let before = standing(database).await.0;
        begun.add_permits(REQUESTS / KILLS);
        while standing(database).await.0 == before {
            assert!(began.elapsed() < PATIENCE, "the orders are carried out");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if kill > 1 {
            tokio::time::sleep(Duration::from_micros(dice.up_to(MOMENT))).await;
        }
        apart.kill("request-intake");
        let (erased, to_remove) = standing(database).await;
        eprintln!("kill {kill}: {erased} requests are erased, {to_remove} contents are to be removed");
        nothing_is_half_erased(database, &folder, BY_ORDER).await;
        apart.begin("request-intake");
    }
}

/// How far the erasure is: requests that are erased, and contents that are still to be removed.
async fn standing(database: &mut PgConnection) -> (i64, i64) {
    let counts = "SELECT (SELECT count(*) FROM requests.erasure), (SELECT count(*) FROM requests.erased_content)";
    sqlx::query_as(counts)
        .fetch_one(database)
        .await
        .expect("the database is ours")
}

/// The contents that are there, by their digests.
fn contents(folder: &Path) -> Vec<String> {
    let (mut folders, mut found): (Vec<PathBuf>, Vec<String>) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if name.len() == 64 {
                found.push(name);
            }
        }
    }
    found
}

/// Each request is whole with its file, or has nothing left but what was recorded of its erasure; a content that no request has is to
/// be removed.
async fn nothing_is_half_erased(database: &mut PgConnection, folder: &Path, method: &str) {
    let rows: Vec<(bool, bool, bool, bool, bool, i64, String)> = sqlx::query_as(
        "SELECT e.request IS NOT NULL, r.erased_at IS NOT NULL, a.erased,
             r.requester_full_name <> '' AND r.essence <> '' AND d.reason <> '' AND a.filename <> '' AND i.description <> '',
             r.requester_full_name = '' AND r.essence = '' AND d.reason = '' AND a.filename = '' AND i.description = '',
             (SELECT count(*) FROM requests.journal_entry WHERE resource = 'requests/' || r.id AND method LIKE '%' || $1
                 AND outcome = 'DONE'),
             encode(a.sha256, 'hex')
         FROM requests.request r JOIN requests.attachment a ON a.request = r.id JOIN requests.item i ON i.request = r.id
         JOIN requests.decision d ON d.request = r.id LEFT JOIN requests.erasure e ON e.request = r.id",
    )
    .bind(method)
    .fetch_all(&mut *database)
    .await
    .expect("the database is ours");
    assert_eq!(rows.len(), REQUESTS);
    let to_remove: Vec<String> = sqlx::query_scalar("SELECT encode(sha256, 'hex') FROM requests.erased_content")
        .fetch_all(&mut *database)
        .await
        .expect("the database is ours");
    let there = contents(folder);
    let mut owned = to_remove;
    for (recorded, erased, file_erased, whole, empty, entries, sha256) in rows {
        assert!(
            [recorded, file_erased, empty, !whole]
                .iter()
                .all(|part| *part == erased),
            "a request is half erased: {recorded} {erased} {file_erased} {whole} {empty}"
        );
        assert_eq!(entries, i64::from(erased), "its erasure is in the journal once");
        if !erased {
            assert!(there.contains(&sha256), "who is not erased has its file");
            owned.push(sha256);
        }
    }
    let lost: Vec<&String> = there.iter().filter(|content| !owned.contains(content)).collect();
    assert!(lost.is_empty(), "contents that nobody will remove: {lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_amid_which_intake_is_killed_is_carried_out_whole_and_leaves_no_file() {
    let mut dice = Dice::of("LEGALSTAT_ERASED_SEED", "erased");
    let mut apart = Apart::start().await;
    let mut edms = RequestIntakeServiceClient::new(apart.channel("request-intake", "edms"));
    let mut operator = RequestIntakeServiceClient::new(apart.channel("request-intake", "operator"));
    let mut last = Request::default();
    for number in 0..REQUESTS {
        last = withdrawn(&mut edms, number).await;
    }
    let mut database = PgConnection::connect(&apart.database()).await.expect("it runs");
    let folder = apart.files("request-intake");
    assert_eq!(contents(&folder).len(), REQUESTS);
    rule(&mut database).await;
    let began = Instant::now();
    let mut amid = 0;
    for kill in 1..=KILLS {
        let before = standing(&mut database).await;
        while standing(&mut database).await == before && before != (REQUESTS as i64, 0) {
            assert!(began.elapsed() < PATIENCE, "the erasure goes on");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if kill > 1 {
            tokio::time::sleep(Duration::from_micros(dice.up_to(MOMENT))).await;
        }
        apart.kill("request-intake");
        let (erased, to_remove) = standing(&mut database).await;
        eprintln!("kill {kill}: {erased} requests are erased, {to_remove} contents are to be removed");
        amid += usize::from((erased, to_remove) != (REQUESTS as i64, 0));
        nothing_is_half_erased(&mut database, &folder, BY_RULE).await;
        apart.begin("request-intake");
    }
    assert!(amid > 0, "a kill came amid the erasure");
    while standing(&mut database).await != (REQUESTS as i64, 0) {
        assert!(began.elapsed() < PATIENCE, "the erasure is carried out in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nothing_is_half_erased(&mut database, &folder, BY_RULE).await;
    assert_eq!(contents(&folder), Vec::<String>::new());
    let get = GetRequestRequest {
        name: last.name,
        ..Default::default()
    };
    let erased = until_answered(async || operator.get_request(get.clone()).await).await;
    assert!(
        erased.erased.is_some() && erased.essence.is_empty(),
        "the service says so"
    );
    tokio::task::block_in_place(|| drop(apart));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_amid_which_intake_is_killed_erases_its_request_whole_and_once_when_it_is_repeated() {
    let mut apart = Apart::start().await;
    let mut edms = RequestIntakeServiceClient::new(apart.channel("request-intake", "edms"));
    let mut requests = Vec::new();
    for number in 0..REQUESTS {
        requests.push(withdrawn(&mut edms, number).await);
    }
    let mut database = PgConnection::connect(&apart.database()).await.expect("it runs");
    let folder = apart.files("request-intake");
    let orders = orders(&mut database, requests).await;
    let begun = Semaphore::new(0);
    let erasing = orders.chunks(REQUESTS.div_ceil(ADMINISTRATORS)).map(|own| {
        let administrator = apart.channel("request-intake", "administrator");
        erase(RequestIntakeServiceClient::new(administrator), own, &begun)
    });
    let erasing = join_all(erasing.collect::<Vec<_>>());
    let (erased, ()) = tokio::join!(erasing, kill_amid(&mut apart, &mut database, &begun));
    let erased: Vec<Request> = erased.into_iter().flatten().collect();
    assert_eq!(erased.len(), REQUESTS);
    assert!(
        erased
            .iter()
            .all(|request| request.erased.is_some() && request.essence.is_empty())
    );
    let began = Instant::now();
    while standing(&mut database).await != (REQUESTS as i64, 0) {
        assert!(began.elapsed() < PATIENCE, "what is to be removed is removed in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nothing_is_half_erased(&mut database, &folder, BY_ORDER).await;
    assert_eq!(contents(&folder), Vec::<String>::new());
    tokio::task::block_in_place(|| drop(apart));
}
