//! Every method is cut at every packet between its service and the database: its caller hangs up, its deadline passes, or
//! the connection breaks, while that packet is held. After each cut no backend is in a transaction that nobody owns, the next
//! calls of each kind have right answers, and the journal holds just what was told.
//!
//! `LEGALSTAT_CUTTING=whole` cuts at every packet; otherwise a sample is cut, which `LEGALSTAT_CUTTING_SEED` repeats.

mod around_requests;
mod calendar;
mod collections;
mod course;
mod decisions;
mod distributing;
mod erasing;
mod figures;
mod forms;
mod preparing;
mod registered;
mod requests;
mod silence;
mod storm;
mod watched;

use std::{collections::BTreeSet, fmt, future::Future};

use crate::call::Call;
use course::Course;
use watched::Watched;

/// How many calls of each kind follow a cut, and how many connections there are for reading and for
/// writing each: so the calls meet every one of them.
const EACH: usize = 4;
const CONNECTIONS: u32 = 2;

/// A service with all that it needs around it, and its methods.
trait House: Sized {
    /// Its name.
    const NAME: &'static str;
    /// The service that it is in the contracts.
    const CONTRACT: &'static str;
    /// Every method that it serves.
    const METHODS: &'static [&'static str];

    /// A new one, on a database of its own, with so many connections of each sort to it.
    fn start(connections: u32) -> impl Future<Output = Self>;

    /// The service itself.
    fn watched(&self) -> &Watched;

    /// A call of a method that succeeds; none when all that it could be about is used up.
    fn call(&self, method: &str) -> impl Future<Output = Result<Option<Call>, String>>;

    /// Makes one call of each kind and judges the answers: a refused mutation, a mutation and its repetition, reads, a list.
    /// What the call made last by [`call`](Self::call) did must be seen. `place` tells those side by side apart.
    fn each_kind(&self, place: usize) -> impl Future<Output = Result<(), String>>;

    /// Judges what is stored.
    fn stored(&self) -> impl Future<Output = Result<(), String>> {
        async { Ok(()) }
    }
}

/// How a call is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    HangUp,
    Deadline,
    Connection,
}

const HOWS: [How; 3] = [How::HangUp, How::Deadline, How::Connection];

impl fmt::Display for How {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::HangUp => "its caller hung up",
            Self::Deadline => "its deadline passed",
            Self::Connection => "the connection broke",
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calendar_answers_rightly_whatever_call_was_cut_at_whatever_packet() {
    Course::<calendar::Calendar>::run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_registry_answers_rightly_whatever_call_was_cut_at_whatever_packet() {
    Course::<forms::Forms>::run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_intake_answers_rightly_whatever_call_was_cut_at_whatever_packet() {
    Course::<requests::Requests>::run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collection_distribution_answers_rightly_whatever_call_was_cut_at_whatever_packet() {
    Course::<collections::Collections>::run().await;
}

/// A recipient's server, which has no database to be cut from: `inbox.rs` kills it.
pub const INBOX: &str = "legalstat.collections.v1.CopyInboxService";
/// The journal, which every service serves.
const JOURNAL: &str = "legalstat.journal.v1.JournalService";

/// The methods of a service of the contracts.
fn methods(contract: &str) -> BTreeSet<String> {
    let service = legalstat_proto::descriptors().get_service_by_name(contract);
    let service = service.unwrap_or_else(|| panic!("{contract} is in the contracts"));
    service.methods().map(|method| method.name().to_owned()).collect()
}

/// What a house would leave out, or has and its service has not.
fn amiss<H: House>() -> Vec<String> {
    let cut: BTreeSet<String> = H::METHODS.iter().map(|method| (*method).to_owned()).collect();
    let served: BTreeSet<String> = methods(H::CONTRACT).union(&methods(JOURNAL)).cloned().collect();
    cut.symmetric_difference(&served).cloned().collect()
}

#[test]
fn every_method_of_every_service_is_cut() {
    assert_eq!(amiss::<calendar::Calendar>(), [""; 0]);
    assert_eq!(amiss::<forms::Forms>(), [""; 0]);
    assert_eq!(amiss::<requests::Requests>(), [""; 0]);
    assert_eq!(amiss::<collections::Collections>(), [""; 0]);
    let houses = [
        calendar::Calendar::CONTRACT,
        forms::Forms::CONTRACT,
        requests::Requests::CONTRACT,
        collections::Collections::CONTRACT,
        JOURNAL,
    ];
    let known: BTreeSet<String> = houses
        .map(str::to_owned)
        .into_iter()
        .chain([INBOX.to_owned()])
        .collect();
    let contracts = legalstat_proto::descriptors();
    let services = contracts.services().map(|service| service.full_name().to_owned());
    let services: BTreeSet<String> = services.filter(|name| name.starts_with("legalstat.")).collect();
    assert_eq!(services, known);
}
