//! A line to the database that is cut without a word: no packet comes through and no connection is ended. Writes are back
//! soon after the line is, and no call is longer than its deadline.
//!
//! `LEGALSTAT_RESTARTS=whole` cuts it for 30 seconds too; otherwise for ten at most, which is harder: what was under way when
//! it was cut is still waited for when it is back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{forms::Forms, requests::Requests, storm::Stormy};
use crate::load::Load;

/// How many write at once: as many as there are connections for it.
const WRITERS: usize = 8;
/// For how long lines are cut.
const SHORT: [u64; 2] = [2, 10];
const WHOLE: [u64; 5] = [2, 5, 10, 15, 30];

pub fn whole() -> bool {
    std::env::var("LEGALSTAT_RESTARTS").is_ok_and(|value| value == "whole")
}

/// How soon after the line is back writes must be. The short form runs beside other tests.
fn soon() -> Duration {
    Duration::from_secs(if whole() { 15 } else { 60 })
}

async fn cut<H: Stormy + Send + Sync + 'static>() {
    let connections = u32::try_from(WRITERS).expect("a few");
    let (house, mut load) = (Arc::new(H::start(connections).await), Load::new());
    for place in 0..WRITERS {
        let house = Arc::clone(&house);
        load.add("write", move || house.work(place));
    }
    let mut problems = Vec::new();
    for seconds in if whole() { &WHOLE[..] } else { &SHORT } {
        let began = Instant::now();
        problems.extend(load.back_since(began, &["write"], soon()).await.err());
        let relay = &house.watched().relay;
        relay.silence();
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        relay.release();
        match load.back_since(Instant::now(), &["write"], soon()).await {
            Ok(back) => eprintln!("{}: cut for {seconds} s, writes are back after {back:?}", H::NAME),
            Err(problem) => problems.push(format!("cut for {seconds} s: {problem}")),
        }
    }
    problems.extend(load.end(H::NAME).await);
    assert!(problems.is_empty(), "{}: {}", H::NAME, problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_are_back_soon_after_a_line_that_was_cut_without_a_word() {
    cut::<Requests>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_are_back_soon_after_a_line_that_was_cut_without_a_word() {
    cut::<Forms>().await;
}
