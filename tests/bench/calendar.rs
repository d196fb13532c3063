//! How fast the calendar answers, always as a ratio to something measured in the same run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod act;
mod beside;
mod call;
mod echo;
mod load;
mod questions;
mod recompute;
mod report;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use legalstat_proto::calendar::v1::{Deadline, calendar_service_client::CalendarServiceClient};
use tonic::transport::Channel;

use crate::{
    load::{CONNECTIONS, IN_FLIGHT, Load, Reading, Subject},
    questions::Questions,
    report::{Line, Rounds, Verdict},
};
use legalstat_test_support::system::System;

/// How often each subject takes its turn.
const ROUNDS: usize = 40;
/// How long a turn lasts.
const TURN: Duration = Duration::from_millis(500);
/// How many answers a batch has, and how many single calls it stands for.
const BATCH: usize = 1000;
/// How many batches are timed for each thousand of single calls: one alone is too short to time.
const BATCHES: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let [name, folder] = &arguments[..]
        && name == echo::SERVE
    {
        return echo::serve(folder.as_ref());
    }
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench calendar\n");
        return ExitCode::SUCCESS;
    }
    let system = System::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let lines = runtime.block_on(measure(&system));
    report::say(&report::table(&lines));
    let missed = lines.iter().any(|line| line.verdict() == Verdict::Missed);
    ExitCode::from(u8::from(missed && has("--require")))
}

async fn measure(system: &System) -> Vec<Line> {
    let calendar = channels(|| system.channel("calendar", Some("operator")));
    let questions = Questions::ask(&calendar[0]).await;
    report::say(&questions.summary());
    let server = echo::start(&system.home());
    let echo = channels(|| server.channel());
    let echoed = echo::alike(&questions.asked);
    let echoes = Load::new(echo::subject(), &echo, echoed, server.process());
    let deadline = Subject::answering::<Deadline>("/legalstat.calendar.v1.CalendarService/ComputeDeadline");
    let deadlines = Load::new(deadline, &calendar, questions.asked.clone(), system.process());
    let in_kazakh = questions.in_kazakh(&calendar[0]).await;
    report::say(&in_kazakh.summary());
    let echoed = echo::alike(&in_kazakh.asked);
    let short_echoes = Load::new(echo::subject(), &echo, echoed, server.process());
    let short = Load::new(deadline, &calendar, in_kazakh.asked, system.process());

    let mut lines = Vec::new();
    for reading in [Reading::Skipped, Reading::Decoded] {
        lines.extend(against_echo(&echoes, &deadlines, reading, "").await);
        lines.extend(against_echo(&short_echoes, &short, reading, " in Kazakh alone").await);
    }
    lines.extend(batch(&deadlines, &calendar[0], &questions).await);
    lines.extend(act::measure(system, &calendar, &questions).await);
    lines.extend(recompute::measure(system).await);
    lines
}

fn channels(connect: impl Fn() -> Channel) -> Vec<Channel> {
    (0..CONNECTIONS).map(|_| connect()).collect()
}

/// The explained deadline against an echo of as many bytes, turn by turn.
async fn against_echo(echoes: &Load, deadlines: &Load, reading: Reading, texts: &str) -> [Line; 2] {
    for load in [echoes, deadlines] {
        load.turn(reading, TURN).await;
    }
    let (mut echo, mut deadline) = (Rounds::default(), Rounds::default());
    for round in 0..ROUNDS {
        // Who goes first alternates, so that a machine that slows down favours nobody.
        if round.is_multiple_of(2) {
            echo.add(echoes.turn(reading, TURN).await);
            deadline.add(deadlines.turn(reading, TURN).await);
        } else {
            deadline.add(deadlines.turn(reading, TURN).await);
            echo.add(echoes.turn(reading, TURN).await);
        }
    }
    let ratios = deadline.against(&echo);
    let name = |what: &str| format!("{what}{texts}, {}", reading.in_words());
    let line = Line::of_rounds(name("(b) ComputeDeadline explained"), &deadline);
    [
        Line::of_rounds(name("(a) bare tonic echo"), &echo),
        match reading {
            Reading::Skipped => line.at_least(0.8, &ratios),
            // What the client decodes is not the service's work.
            Reading::Decoded => line.with_ratio(&ratios),
        },
    ]
}

/// A thousand deadlines in one call against a thousand calls.
async fn batch(singles: &Load, channel: &Channel, questions: &Questions) -> [Line; 2] {
    ask_batch(channel, questions).await;
    let (mut single_times, mut batch_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        singles.calls(Reading::Decoded, BATCH).await;
        single_times.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        for _ in 0..BATCHES {
            ask_batch(channel, questions).await;
        }
        batch_times.push(began.elapsed().as_secs_f64() / BATCHES as f64);
    }
    let ratios = report::ratios(&batch_times, &single_times);
    [
        Line::of_times(
            format!("(c) {BATCH} single calls, {IN_FLIGHT} in flight"),
            &single_times,
            BATCH,
        ),
        Line::of_times(format!("(c) one batch of {BATCH} without steps"), &batch_times, BATCH).below(0.1, &ratios),
    ]
}

async fn ask_batch(channel: &Channel, questions: &Questions) {
    let answer = CalendarServiceClient::new(channel.clone())
        .batch_compute_deadlines(questions.batch(BATCH))
        .await
        .expect("it is answered");
    assert_eq!(answer.into_inner().deadlines.len(), BATCH, "an answer to each");
}
