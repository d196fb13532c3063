//! Callers whose certificates an outside authority has signed: a table says who they are here, and their certificates do not.

use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::Channel;

use super::{
    authority::{Authority, Signed, WATCHER, Wanted},
    certificates::{SOON, ends, problem, refused, watch},
    stage::Stage,
};

const NOBODY: &str = "subject,name,roles\n";
const DANIYAR: &str = "subject,name,roles\nCN=AHMETOV DANIYAR,daniyar,administrator\n";
const FAULTY: &str = "subject,name,roles\nCN=AHMETOV DANIYAR,daniyar,king\n";
/// As the outside authority names him; it gives him no name of this system.
const HIS: Wanted<'static> = Wanted {
    uris: &[],
    common_name: "AHMETOV DANIYAR",
    serial: 5,
    ..WATCHER
};

/// Waits until a certificate cannot be used for this reason.
async fn until_refused(stage: &Stage, signed: &Signed, reason: &str) {
    let began = Instant::now();
    loop {
        let status = refused_or_none(stage, stage.channel(Some(signed))).await;
        if status.as_deref() == Some(reason) {
            return;
        }
        assert!(began.elapsed() < SOON, "{status:?} and not {reason}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn refused_or_none(stage: &Stage, channel: Channel) -> Option<String> {
    if watch(channel.clone()).await.is_ok() {
        return None;
    }
    Some(problem(&refused(stage, channel).await))
}

/// Waits until the holder of a certificate is known.
async fn until_known(stage: &Stage, signed: &Signed) {
    let began = Instant::now();
    while watch(stage.channel(Some(signed))).await.is_err() {
        assert!(began.elapsed() < SOON, "he is known soon");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_table_lists_is_known_and_a_name_of_ones_own_counts_for_nothing() {
    let stage = Stage::start(&[]).await;
    let national = Authority::new("a national authority");
    let his = national.sign(HIS);
    // It says that it is a service of this system.
    let impostor = national.sign(WATCHER);
    for signed in [&his, &impostor] {
        let status = refused(&stage, stage.channel(Some(signed))).await;
        assert_eq!(problem(&status), "UNKNOWN_AUTHORITY");
    }
    stage.replace("outside/callers.csv", DANIYAR);
    stage.replace("outside/ca.pem", &national.pem);
    until_known(&stage, &his).await;
    let status = refused(&stage, stage.channel(Some(&impostor))).await;
    assert_eq!(problem(&status), "NOT_LISTED");

    // Of the system's own authority a certificate says who its holder is, and the table nothing.
    let own = stage.channel(Some(&stage.authority.sign(WATCHER)));
    watch(own).await.expect("it is known by its own name");
    let nameless = stage.channel(Some(&stage.authority.sign(HIS)));
    assert_eq!(problem(&refused(&stage, nameless).await), "NO_NAME");
    let other = Authority::new("a national authority").sign(HIS);
    let status = refused(&stage, stage.channel(Some(&other))).await;
    assert_eq!(problem(&status), "UNKNOWN_AUTHORITY", "a name is not a key");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_the_table_or_is_revoked_loses_his_connections_and_others_do_not() {
    let stage = Stage::start(&[]).await;
    let national = Authority::new("a national authority");
    let his = national.sign(HIS);
    let own = stage.channel(Some(&stage.authority.sign(WATCHER)));
    let mut of_own = watch(own).await.expect("it is watched");
    stage.replace("outside/callers.csv", DANIYAR);
    stage.replace("outside/ca.pem", &national.pem);
    until_known(&stage, &his).await;

    let mut of_his = watch(stage.channel(Some(&his))).await.expect("it is watched");
    stage.replace("outside/callers.csv", NOBODY);
    assert!(ends(&mut of_his, SOON).await, "nobody lists him any more");
    until_refused(&stage, &his, "NOT_LISTED").await;

    stage.replace("outside/callers.csv", DANIYAR);
    until_known(&stage, &his).await;
    let mut of_his = watch(stage.channel(Some(&his))).await.expect("it is watched");
    stage.replace("outside/callers.csv", FAULTY);
    // Longer than between two looks at the files.
    assert!(
        !ends(&mut of_his, Duration::from_secs(5)).await,
        "a table that cannot be used changes nothing"
    );

    stage.replace("outside/callers.csv", DANIYAR);
    stage.replace("outside/revoked.pem", &national.revoked(&[HIS.serial]));
    assert!(ends(&mut of_his, SOON).await, "his authority has revoked it");
    until_refused(&stage, &his, "REVOKED").await;
    assert!(
        !ends(&mut of_own, Duration::from_millis(500)).await,
        "the other goes on"
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_the_files_of_one_authority_keeps_nothing_of_the_other_from_being_taken_up() {
    let stage = Stage::start(&[]).await;
    let national = Authority::new("a national authority");
    let (own, his) = (stage.authority.sign(WATCHER), national.sign(HIS));
    stage.replace("outside/callers.csv", DANIYAR);
    stage.replace("outside/ca.pem", &national.pem);
    until_known(&stage, &his).await;

    stage.replace("outside/callers.csv", FAULTY);
    stage.replace("revoked.pem", &stage.authority.revoked(&[WATCHER.serial]));
    until_refused(&stage, &own, "REVOKED").await;
    until_known(&stage, &his).await;

    stage.replace("revoked.pem", "no list");
    stage.replace("outside/callers.csv", DANIYAR);
    stage.replace("outside/revoked.pem", &national.revoked(&[HIS.serial]));
    until_refused(&stage, &his, "REVOKED").await;
    until_refused(&stage, &own, "REVOKED").await;
    stage.stop().await;
}
