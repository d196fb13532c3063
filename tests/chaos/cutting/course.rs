//! The course of cuts through one service.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::join_all;
use tonic::{Code, Status};

use super::{CONNECTIONS, EACH, HOWS, House, How, watched};
use crate::{call::Call, dice::Dice};

/// How long a call may take, cut or not: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(60);
/// The deadline that is let pass, unless calls take longer than it; then it grows.
const DEADLINE: Duration = Duration::from_millis(200);
/// After so many cuts that did harm the course ends: each costs a new service.
const ENOUGH: usize = 5;
/// How often each method is cut in each way in a sample, at most; less often where there are many methods, so that a sample
/// takes no longer. Each run draws anew unless it has a seed.
const DRAWS: usize = 3;
const DRAWS_OF_ALL: usize = 100;
/// A packet number that no call reaches.
const NEVER: u64 = u64::MAX;

type Answer = Result<Vec<Bytes>, Status>;

/// What came of an attempt to cut a call.
enum Came {
    /// It was cut.
    Cut,
    /// It was answered, after so many packets.
    Answered(u64),
    /// Its deadline passed before the packet came.
    TooSoon,
}

/// One course, with what it found.
pub struct Course<H> {
    house: H,
    found: Vec<String>,
    cuts: BTreeMap<(&'static str, How), u64>,
    deadline: Duration,
    hang_ups: u64,
    opened: u64,
}

impl<H: House> Course<H> {
    /// Goes through all methods, and fails with everything that was found.
    pub async fn run() {
        let began = Instant::now();
        let mut course = Self {
            house: Self::new_house().await,
            found: Vec::new(),
            cuts: BTreeMap::new(),
            deadline: DEADLINE,
            hang_ups: 0,
            opened: 0,
        };
        if std::env::var("LEGALSTAT_CUTTING").is_ok_and(|value| value == "whole") {
            course.whole().await;
        } else {
            course.sample(&mut Dice::of("LEGALSTAT_CUTTING_SEED", H::NAME)).await;
        }
        course.judge(began.elapsed());
    }

    /// A service that has answered each kind of call, so that it has all the connections it may have.
    async fn new_house() -> H {
        let house = H::start(CONNECTIONS).await;
        house.watched().begin().await;
        let problems = after(&house).await;
        assert!(problems.is_empty(), "{} without any cut: {problems:?}", H::NAME);
        house
    }

    /// Some packets of each method for each kind of cut, drawn among those that the method has.
    async fn sample(&mut self, dice: &mut Dice) {
        let draws = (DRAWS_OF_ALL / H::METHODS.len()).clamp(1, DRAWS);
        for method in H::METHODS {
            let Came::Answered(mut packets) = self.cut(method, How::HangUp, NEVER).await else {
                continue;
            };
            for how in HOWS.into_iter().cycle().take(HOWS.len() * draws) {
                // Statements that a connection knows already need fewer packets, so that the number may be too high.
                while packets > 0 && !self.is_over() {
                    match self.cut(method, how, dice.up_to(packets)).await {
                        Came::Cut => break,
                        Came::Answered(fewer) => packets = fewer.min(packets - 1),
                        Came::TooSoon => {}
                    }
                }
            }
        }
    }

    /// Every packet of every method for each kind of cut.
    async fn whole(&mut self) {
        for method in H::METHODS {
            for how in HOWS {
                let mut at = 1;
                while !self.is_over() {
                    match self.cut(method, how, at).await {
                        Came::Cut => at += 1,
                        Came::Answered(_) => break,
                        Came::TooSoon => {}
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.found.len() >= ENOUGH
    }

    /// Cuts one call of a method at a packet, and judges what is left.
    async fn cut(&mut self, method: &'static str, how: How, at: u64) -> Came {
        let call = self.call(method).await;
        let allowed = self.connections() + self.house.watched().spare().await;
        let (came, answer, mut problems) = self.interrupt(&call, how, at).await;
        problems.extend(self.house.watched().settled().await.err());
        problems.extend(self.repeat(&call, answer).await.err());
        problems.extend(after(&self.house).await);
        match came {
            Came::Cut if how != How::Connection => {
                self.hang_ups += 1;
                self.opened += self.connections().saturating_sub(allowed);
            }
            Came::TooSoon => self.deadline *= 2,
            _ => {}
        }
        if matches!(came, Came::Cut) {
            *self.cuts.entry((method, how)).or_default() += 1;
        }
        if !problems.is_empty() {
            let at = if at == NEVER {
                "not at all".to_owned()
            } else {
                format!("at packet {at}: {how}")
            };
            self.found.push(format!("{method}, cut {at}: {}", problems.join("; ")));
            self.house = Self::new_house().await;
        }
        came
    }

    fn connections(&self) -> u64 {
        self.house.watched().relay.connections()
    }

    /// A call of a method; in a new house when it is used up in this one.
    async fn call(&mut self, method: &str) -> Call {
        for _ in 0..2 {
            match self.house.call(method).await {
                Ok(Some(call)) => return call,
                Ok(None) => {}
                Err(problem) => self.found.push(format!("before {method} could be cut: {problem}")),
            }
            self.house = Self::new_house().await;
        }
        panic!(
            "there is no call of {method} in a new service; before: {:#?}",
            self.found
        );
    }

    /// Makes the call and cuts it; its answer if it had one, and what was wrong already.
    async fn interrupt(&self, call: &Call, how: How, at: u64) -> (Came, Option<Answer>, Vec<String>) {
        let relay = &self.house.watched().relay;
        let (answer, problem) = match how {
            How::HangUp => self.hang_up(call, at).await,
            How::Deadline => {
                relay.hold(at);
                let answer = self.in_time(call, Some(self.deadline)).await;
                (Some(answer), call.heard().await.err())
            }
            How::Connection => {
                relay.cut(at);
                (Some(self.in_time(call, None).await), None)
            }
        };
        let reached = relay.is_reached();
        let packets = relay.release();
        let mut problems: Vec<String> = problem.into_iter().collect();
        if let Some(Err(status)) = &answer
            && !excused(how, status.code())
        {
            problems.push(call.failed(status));
        }
        let expired = matches!(&answer, Some(Err(status)) if excused(how, status.code()));
        let came = match (reached, how == How::Deadline && expired) {
            (true, _) => Came::Cut,
            (false, true) => Came::TooSoon,
            (false, false) => Came::Answered(packets),
        };
        (came, answer, problems)
    }

    /// Hangs up once the packet is held, and comes back when the server knows.
    async fn hang_up(&self, call: &Call, at: u64) -> (Option<Answer>, Option<String>) {
        let relay = &self.house.watched().relay;
        relay.hold(at);
        let made = call.clone();
        let mut making = tokio::spawn(async move { made.make(None).await });
        let answered = tokio::select! {
            answered = &mut making => Some(answered),
            () = relay.reached() => None,
            () = tokio::time::sleep(PATIENCE) => panic!("{} is neither answered nor held", call.method()),
        };
        if let Some(answered) = answered {
            return (Some(answered.expect("no call panics")), None);
        }
        making.abort();
        let answer = making.await.ok();
        // Twice: what a connection of HTTP/2 reads, its streams learn a moment later.
        let heard = match call.heard().await {
            Ok(()) => call.heard().await,
            problem => problem,
        };
        (answer, heard.err())
    }

    async fn in_time(&self, call: &Call, deadline: Option<Duration>) -> Answer {
        let answer = tokio::time::timeout(PATIENCE, call.make(deadline)).await;
        answer.unwrap_or_else(|_| Err(Status::unknown(format!("no answer within {PATIENCE:?}"))))
    }

    /// Makes the call again. A mutation is carried out once, whatever became of its caller, and found under its id.
    async fn repeat(&self, call: &Call, earlier: Option<Answer>) -> Result<(), String> {
        let watched = self.house.watched();
        watched.note_given(call, matches!(earlier, Some(Ok(_))));
        let again = self.in_time(call, None).await;
        watched.note_given(call, again.is_ok());
        let again = again.map_err(|status| format!("made again, {}", call.failed(&status)))?;
        if !call.mutates() {
            return Ok(());
        }
        watched.note_done(call);
        match earlier {
            Some(Ok(earlier)) => watched::same(call, &earlier, Ok(again)),
            _ => Ok(()),
        }
    }

    fn judge(self, took: Duration) {
        let cuts: u64 = self.cuts.values().sum();
        let took = took.as_secs();
        eprintln!(
            "{}: {cuts} cuts in {took} s; {} hang-ups opened {} connections",
            H::NAME,
            self.hang_ups,
            self.opened
        );
        let mut methods: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
        for ((method, how), count) in &self.cuts {
            methods.entry(method).or_default()[*how as usize] += count;
        }
        for method in H::METHODS {
            let [hang_ups, deadlines, connections] = methods.get(method).copied().unwrap_or_default();
            eprintln!(
                "    {method}: cut {hang_ups} times by hanging up, {deadlines} by deadline, {connections} by connection"
            );
        }
        assert!(
            self.found.is_empty(),
            "{} harmful cuts:\n{}",
            self.found.len(),
            self.found.join("\n")
        );
        assert!(cuts > 0, "something is cut");
        assert!(
            self.opened <= 2 + self.hang_ups / 10,
            "{} hang-ups cost {} new connections",
            self.hang_ups,
            self.opened
        );
    }
}

/// Whether a call that is cut in this way may be answered so.
fn excused(how: How, code: Code) -> bool {
    match how {
        How::HangUp => false,
        How::Deadline => matches!(code, Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable),
        How::Connection => code == Code::Unavailable,
    }
}

/// What is wrong with a service: the answers to each kind of call, the journal, what is stored.
pub async fn after<H: House>(house: &H) -> Vec<String> {
    let answers = join_all((0..EACH).map(|place| house.each_kind(place))).await;
    let mut problems: Vec<String> = answers.into_iter().filter_map(Result::err).collect();
    problems.extend(house.watched().settled().await.err());
    problems.extend(house.watched().journal().await.err());
    problems.extend(house.stored().await.err());
    problems.dedup();
    problems
}
