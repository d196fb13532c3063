//! Which connections a server holds. Who comes when no place is free takes that of whoever has least reason to keep it, so that
//! nobody keeps others out by holding connections open.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many file handles a service keeps back for its database, its files and its health port.
const KEPT_BACK: usize = 128;
/// How many connections a service takes however few file handles there are.
const FEWEST: usize = 64;

/// How many servers take calls in this process, which has one number of file handles for all of them.
static SERVERS: AtomicUsize = AtomicUsize::new(0);

/// The connections of one server.
pub struct Connections {
    most: usize,
    by_address: usize,
    keeps_back: bool,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    next: u64,
    held: BTreeMap<u64, Arc<Place>>,
}

/// What strangers of one address have taken.
#[derive(Default)]
pub struct Neighbours {
    /// Of the calls under way.
    pub calls: AtomicUsize,
    /// Of the bytes of messages.
    pub bytes: AtomicUsize,
}

/// What is known of one connection.
pub struct Place {
    address: IpAddr,
    /// What strangers of its address have taken.
    pub neighbours: Arc<Neighbours>,
    known: AtomicBool,
    calls: AtomicUsize,
    idle_since: Mutex<Instant>,
    displaced: CancellationToken,
}

impl Connections {
    /// A server for calls: it keeps file handles back for what it needs to answer them.
    pub fn for_calls(most: usize, by_address: usize) -> Arc<Self> {
        SERVERS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self::new(most, by_address, true))
    }

    /// A server for probes, whose file handles those for calls keep back.
    pub fn for_probes(most: usize) -> Arc<Self> {
        Arc::new(Self::new(most, most, false))
    }

    fn new(most: usize, by_address: usize, keeps_back: bool) -> Self {
        Self {
            most,
            by_address,
            keeps_back,
            places: Mutex::default(),
        }
    }

    /// A place for a connection from this address; `None` when all who hold one have more reason to keep it.
    pub fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<Held> {
        let address = counted(address.ip());
        let mut places = self.places();
        let own = places.held.values().filter(|place| place.address == address).count();
        if own >= self.by_address {
            places.displace(address)?;
        } else if places.held.len() >= self.room() {
            let crowded = places.most_crowded()?;
            places.displace(crowded)?;
        }
        let number = places.next;
        places.next += 1;
        let mut same = places.held.values().filter(|place| place.address == address);
        let neighbours = same.next().map(|place| place.neighbours.clone()).unwrap_or_default();
        let place = Arc::new(Place {
            address,
            neighbours,
            known: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
            displaced: CancellationToken::new(),
        });
        places.held.insert(number, place.clone());
        Some(Held {
            connections: self.clone(),
            number,
            place,
        })
    }

    fn room(&self) -> usize {
        if !self.keeps_back {
            return self.most;
        }
        let handles = file_handles() / SERVERS.load(Ordering::Relaxed).max(1);
        self.most.min(handles.saturating_sub(KEPT_BACK).max(FEWEST))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        if self.keeps_back {
            SERVERS.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// How many files this process may open.
fn file_handles() -> usize {
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE);
    limit.map_or(1024, |(soft, _)| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// What an address is counted as: whoever has one IPv6 address has 2^64 of them.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

impl Places {
    /// The address with the most connections.
    fn most_crowded(&self) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for place in self.held.values() {
            *counts.entry(place.address).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(address, _)| address)
    }

    /// Ends the connection from an address that has least reason to stay: strangers go before known callers, who is idle
    /// before who has a call under way, older ones before newer ones. A known caller with a call under way stays.
    fn displace(&mut self, address: IpAddr) -> Option<()> {
        let own = self.held.iter().filter(|(_, place)| place.address == address);
        let ranked = own.map(|(number, place)| (place.known(), place.is_under_way(), *number));
        let (_, _, number) = ranked.filter(|(known, busy, _)| !(*known && *busy)).min()?;
        self.held.remove(&number)?.displaced.cancel();
        Some(())
    }
}

/// A place, free again when this is dropped.
pub struct Held {
    connections: Arc<Connections>,
    number: u64,
    /// What is known of the connection.
    pub place: Arc<Place>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.places().held.remove(&self.number);
    }
}

impl Place {
    /// Notes whether the peer has shown a certificate that can be used.
    pub fn set_known(&self, known: bool) {
        self.known.store(known, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// A call begins.
    pub fn begin(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
    }

    /// A call has ended.
    pub fn end(&self) {
        if self.calls.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.idle_since.lock().expect("no code panics while it holds this lock") = Instant::now();
        }
    }

    /// Whether a call is under way.
    pub fn is_under_way(&self) -> bool {
        self.calls.load(Ordering::Acquire) > 0
    }

    /// Since when no call has been under way; now while one is.
    pub fn idle_since(&self) -> Instant {
        if self.is_under_way() {
            return Instant::now();
        }
        *self.idle_since.lock().expect("no code panics while it holds this lock")
    }

    /// Ends once another connection has taken its place.
    pub async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

/// A number of things for all, of which strangers get half, and those of one address a quarter.
pub struct Room {
    most: usize,
    all: AtomicUsize,
    strangers: AtomicUsize,
}

impl Room {
    /// A room for so many.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            all: AtomicUsize::new(0),
            strangers: AtomicUsize::new(0),
        }
    }

    /// Takes room for so many more, if there is any. For a stranger, what those of his address have taken is given.
    pub fn take(&self, more: usize, stranger: Option<&AtomicUsize>) -> bool {
        let Some(neighbours) = stranger else {
            return raise(&self.all, more, self.most);
        };
        if !raise(neighbours, more, self.most / 4) {
            return false;
        }
        if !raise(&self.strangers, more, self.most / 2) {
            neighbours.fetch_sub(more, Ordering::AcqRel);
            return false;
        }
        let taken = raise(&self.all, more, self.most);
        if !taken {
            self.strangers.fetch_sub(more, Ordering::AcqRel);
            neighbours.fetch_sub(more, Ordering::AcqRel);
        }
        taken
    }

    /// Gives back what was taken.
    pub fn give_back(&self, taken: usize, stranger: Option<&AtomicUsize>) {
        self.all.fetch_sub(taken, Ordering::AcqRel);
        if let Some(neighbours) = stranger {
            self.strangers.fetch_sub(taken, Ordering::AcqRel);
            neighbours.fetch_sub(taken, Ordering::AcqRel);
        }
    }
}

fn raise(counter: &AtomicUsize, more: usize, most: usize) -> bool {
    let raised = |now: usize| now.checked_add(more).filter(|sum| *sum <= most);
    counter
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, raised)
        .is_ok()
}

/// How long a connection that is closing may take for what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Nothing is under way.
    Idle,
    /// The peer's certificate has ended.
    Expired,
    /// The connection is old; long calls may come to their end.
    Old,
}

impl Closing {
    /// How long.
    #[must_use]
    pub fn grace(self) -> Duration {
        match self {
            Self::Idle | Self::Expired => Duration::from_secs(5),
            Self::Old => Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().expect("an address"), 1)
    }

    fn is_displaced(held: &Held) -> bool {
        held.place.displaced.is_cancelled()
    }

    #[test]
    fn who_comes_from_a_crowded_address_takes_the_place_of_its_own_oldest_stranger() {
        let connections = Arc::new(Connections::new(100, 3, false));
        let other = connections.admit(from("10.0.0.2")).expect("there is room");
        let known = connections.admit(from("10.0.0.1")).expect("there is room");
        known.place.set_known(true);
        let busy = connections.admit(from("10.0.0.1")).expect("there is room");
        busy.place.begin();
        let idle = connections.admit(from("10.0.0.1")).expect("there is room");
        let next = connections.admit(from("10.0.0.1")).expect("the idle stranger goes");
        assert!(is_displaced(&idle) && !is_displaced(&busy) && !is_displaced(&known) && !is_displaced(&other));
        next.place.set_known(true);
        let _third = connections
            .admit(from("10.0.0.1"))
            .expect("the stranger with a call goes");
        assert!(is_displaced(&busy) && !is_displaced(&known));
    }

    #[test]
    fn a_known_caller_with_a_call_under_way_is_never_displaced() {
        let connections = Arc::new(Connections::new(1, 1, false));
        let held = connections.admit(from("10.0.0.1")).expect("there is room");
        held.place.set_known(true);
        held.place.begin();
        assert!(connections.admit(from("10.0.0.1")).is_none());
        held.place.end();
        assert!(connections.admit(from("10.0.0.1")).is_some());
    }

    #[test]
    fn when_all_places_are_taken_the_most_crowded_address_gives_one() {
        let connections = Arc::new(Connections::new(3, 3, false));
        let alone = connections.admit(from("10.0.0.2")).expect("there is room");
        let crowd = [(); 2].map(|()| connections.admit(from("10.0.0.1")).expect("there is room"));
        let _new = connections.admit(from("10.0.0.3")).expect("the crowd gives a place");
        assert!(is_displaced(&crowd[0]) && !is_displaced(&crowd[1]) && !is_displaced(&alone));
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let connections = Arc::new(Connections::new(100, 1, false));
        let first = connections.admit(from("2001:db8::1")).expect("there is room");
        let _second = connections.admit(from("2001:db8::2")).expect("the first goes");
        assert!(is_displaced(&first));
        let mapped = connections.admit(from("::ffff:10.0.0.1")).expect("there is room");
        let _plain = connections.admit(from("10.0.0.1")).expect("the mapped one goes");
        assert!(is_displaced(&mapped));
    }

    #[test]
    fn file_handles_are_kept_back_from_connections() {
        let connections = Connections::for_calls(usize::MAX, 1);
        assert!(connections.room() <= file_handles().saturating_sub(KEPT_BACK).max(FEWEST));
    }

    #[test]
    fn strangers_get_half_of_a_room_those_of_one_address_a_quarter_and_what_is_given_back_is_free() {
        let room = Room::new(8);
        let [here, there, elsewhere] = [(); 3].map(|()| AtomicUsize::new(0));
        assert!(room.take(2, Some(&here)) && !room.take(1, Some(&here)));
        assert!(room.take(2, Some(&there)) && !room.take(1, Some(&elsewhere)));
        assert!(room.take(4, None) && !room.take(1, None));
        room.give_back(2, Some(&here));
        assert!(!room.take(3, None) && room.take(1, Some(&elsewhere)) && room.take(1, None));
        assert_eq!(here.into_inner(), 0);
    }

    #[test]
    fn connections_of_one_address_share_what_their_strangers_have_taken() {
        let connections = Arc::new(Connections::new(10, 10, false));
        let [first, second] = [(); 2].map(|()| connections.admit(from("10.0.0.1")).expect("there is room"));
        let other = connections.admit(from("10.0.0.2")).expect("there is room");
        assert!(Arc::ptr_eq(&first.place.neighbours, &second.place.neighbours));
        assert!(!Arc::ptr_eq(&first.place.neighbours, &other.place.neighbours));
    }
}
