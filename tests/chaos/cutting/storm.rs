//! Many callers who hang up, and many deadlines that pass, beside others who want to get on with their work.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures::future::{join_all, try_join_all};
use tonic::Code;

use super::{House, course, forms::Forms, requests::Requests};
use crate::{call::Call, dice::Dice};

/// How many connections a service has for writing, and as many for reading: twice the default, so that all whose deadlines
/// pass together have one each.
const CONNECTIONS: u32 = 16;
/// Who hangs up, who works, and who is refused.
const HANG_UP: usize = 4;
const OTHERS: usize = 2;
/// How many calls each of the others gets done while the storm goes on, also where a busy machine takes longer for them; undisturbed it is
/// hundreds.
const LEAST: u64 = 2;
/// How many reads tell how long one takes.
const MEASURED: u32 = 10;
/// How many call with a deadline that passes, and how often.
const LATE: usize = 16;
const ROUNDS: usize = 5;
/// How long a service may take to make all of its connections, and the others to get on amid a storm.
const PATIENCE: Duration = Duration::from_secs(60);
/// That deadline, and how long the relay holds each packet that begins a transaction or carries out a statement:
/// sqlx gives statements these names.
const DEADLINE: Duration = Duration::from_millis(150);
const SLOW: [&str; 2] = ["BEGIN", "sqlx_s_"];
const HELD: Duration = Duration::from_millis(300);

/// What is called in a storm.
pub trait Stormy: House {
    /// A read whose caller hangs up.
    fn hung_up(&self) -> Call;

    /// A mutation that must be carried out; `place` tells those side by side apart.
    fn work(&self, place: usize) -> Call;

    /// A mutation that must be refused, and with which code.
    fn refused(&self) -> (Call, Code);
}

fn lasting() -> Duration {
    let seconds = std::env::var("LEGALSTAT_STORM_SECONDS")
        .ok()
        .and_then(|value| value.parse().ok());
    Duration::from_secs(seconds.unwrap_or(4))
}

/// How long a caller waits at most before hanging up: 8 ms, or longer where a call takes longer, so that hang-ups meet
/// every part of it.
async fn patience<H: Stormy>(house: &H) -> Duration {
    let (call, began) = (house.hung_up(), Instant::now());
    for _ in 0..MEASURED {
        call.make(None).await.expect("nobody hangs up yet");
    }
    Duration::from_millis(8).max(began.elapsed() * 3 / 2 / MEASURED)
}

/// Makes a call again and again until the storm is over, and leaves each after a while; how often.
async fn hang_up(call: Call, over: &AtomicBool, most: Duration, mut dice: Dice) -> Result<u64, String> {
    let mut hang_ups = 0;
    while !over.load(Ordering::Relaxed) {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let patience = Duration::from_micros(dice.up_to(most));
        match tokio::time::timeout(patience, call.make(None)).await {
            Err(_) => hang_ups += 1,
            Ok(Err(status)) if status.code() == Code::Internal => return Err(call.failed(&status)),
            Ok(_) => {}
        }
    }
    Ok(hang_ups)
}

/// Whether somebody who got so many calls done goes on in a storm that began then.
fn goes_on(began: Instant, done: u64) -> bool {
    began.elapsed() < lasting() || (done < LEAST && began.elapsed() < PATIENCE)
}

async fn work<H: Stormy>(house: &H, place: usize, began: Instant) -> Result<u64, String> {
    let mut done = 0;
    while goes_on(began, done) {
        house.watched().done(&house.work(place)).await?;
        done += 1;
    }
    Ok(done)
}

async fn be_refused<H: Stormy>(house: &H, began: Instant) -> Result<u64, String> {
    let mut refused = 0;
    while goes_on(began, refused) {
        let (call, code) = house.refused();
        house.watched().refused(&call, code).await?;
        refused += 1;
    }
    Ok(refused)
}

/// What went well, in all, and everything that did not.
fn sum(results: Vec<Result<u64, String>>, problems: &mut Vec<String>) -> u64 {
    let counts = results
        .into_iter()
        .map(|result| result.map_err(|problem| problems.push(problem)));
    counts.map(Result::unwrap_or_default).sum()
}

async fn storm<H: Stormy>() {
    let house = H::start(CONNECTIONS).await;
    house.watched().begin().await;
    let calm = course::after(&house).await;
    assert!(calm.is_empty(), "{} before the storm: {calm:?}", H::NAME);
    connect_all(&house).await;
    // Connections for writing that were not needed so far are no waste.
    let allowed = house.watched().relay.connections() + house.watched().spare().await;
    let most = patience(&house).await;
    let (began, over) = (Instant::now(), AtomicBool::new(false));
    let mut dice = Dice::of("LEGALSTAT_CUTTING_SEED", H::NAME);
    let others = async {
        let others = tokio::join!(
            join_all((0..OTHERS).map(|place| work(&house, place, began))),
            join_all((0..OTHERS).map(|_| be_refused(&house, began))),
        );
        over.store(true, Ordering::Relaxed);
        others
    };
    let (hang_ups, (done, refused)) = tokio::join!(
        join_all((0..HANG_UP).map(|_| hang_up(house.hung_up(), &over, most, dice.another()))),
        others,
    );
    let mut problems = Vec::new();
    let hang_ups = sum(hang_ups, &mut problems);
    let (done, refused) = (sum(done, &mut problems), sum(refused, &mut problems));
    let opened = house.watched().relay.connections().saturating_sub(allowed);
    eprintln!(
        "{}: {hang_ups} hang-ups beside {done} calls done twice and {refused} refused opened {opened} connections",
        H::NAME
    );
    problems.extend(house.watched().settled().await.err());
    problems.extend(course::after(&house).await);
    assert!(problems.is_empty(), "{}:\n{}", H::NAME, problems.join("\n"));
    assert!(
        hang_ups > 0 && done > LEAST && refused > LEAST,
        "the others got no further than {done} calls done and {refused} refused"
    );
    // One that nobody used for a moment is tried, and made anew when its answer comes late.
    assert!(
        opened <= 2 + hang_ups / 100,
        "{hang_ups} hang-ups cost {opened} new connections"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_hang_up_get_request_cost_submitters_and_the_journal_nothing() {
    storm::<Requests>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_without_a_certificate_who_hang_up_cost_officials_and_the_journal_nothing() {
    storm::<Forms>().await;
}

/// Calls until many reads side by side open no new connection: those that come later are then the storm's doing. The service is
/// busy connecting meanwhile, and may say so.
async fn connect_all<H: Stormy>(house: &H) {
    let (began, watched) = (Instant::now(), house.watched());
    loop {
        let before = watched.open().await;
        let calls = (0..LATE).map(|_| async { house.hung_up().make(None).await.is_ok() });
        let answered = join_all(calls).await.into_iter().filter(|answered| *answered).count();
        let open = watched.open().await;
        if answered == LATE && open == before {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "of {LATE} reads {answered} were answered, there are {open} connections"
        );
    }
}

/// Lets the deadlines of many reads pass while the database is slow.
async fn slowly<H: Stormy>(house: &H) {
    house.watched().relay.slow(&SLOW, HELD);
    let mut late = 0;
    for _ in 0..ROUNDS {
        let calls = (0..LATE).map(|_| async { house.hung_up().make(Some(DEADLINE)).await });
        late += join_all(calls).await.iter().filter(|answer| answer.is_err()).count();
    }
    house.watched().relay.fast();
    eprintln!("{}: {late} of {} reads were late", H::NAME, LATE * ROUNDS);
    assert!(late > LATE * ROUNDS / 2, "most deadlines pass");
}

/// So many calls at once, and what went wrong with any of them.
async fn at_once<F: Future<Output = Result<(), String>>>(call: impl Fn(usize) -> F) -> Option<String> {
    try_join_all((0..LATE).map(call)).await.err()
}

/// One mutation, carried out and repeated.
async fn done<H: Stormy>(house: &H, place: usize) -> Result<(), String> {
    house.watched().done(&house.work(place)).await.map(|_| ())
}

async fn deadlines_pass<H: Stormy>() {
    let house = H::start(CONNECTIONS).await;
    house.watched().begin().await;
    connect_all(&house).await;
    slowly(&house).await;
    let mut problems: Vec<String> = house.watched().settled().await.err().into_iter().collect();
    for _ in 0..ROUNDS {
        problems.extend(at_once(|place| done(&house, place)).await);
    }
    problems.extend(course::after(&house).await);
    assert!(problems.is_empty(), "{}:\n{}", H::NAME, problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_of_get_request_that_pass_while_the_database_is_slow_cost_no_submission() {
    deadlines_pass::<Requests>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edition_placed_after_many_deadlines_passed_is_never_told_to_be_unplaced() {
    let forms = Forms::start(CONNECTIONS).await;
    forms.watched().begin().await;
    connect_all(&forms).await;
    slowly(&forms).await;
    let call = forms
        .call("PlaceEdition")
        .await
        .and_then(|call| call.ok_or_else(|| "none is left".into()));
    let mut problems = Vec::new();
    match call {
        Ok(call) => problems.extend(forms.watched().done(&call).await.err()),
        Err(problem) => problems.push(problem),
    }
    for _ in 0..ROUNDS {
        problems.extend(at_once(|_| forms.last_is_placed()).await);
    }
    problems.extend(course::after(&forms).await);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
