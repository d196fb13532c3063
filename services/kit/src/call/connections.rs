//! Which connections a server holds. Who comes when no place is free takes that of whoever has least reason to keep it, so that
//! nobody keeps others out by holding connections open.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
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

/// What the strangers of one address, or the connections of one known caller, have taken.
#[derive(Default)]
pub struct Taken {
    /// Of the calls under way.
    pub calls: AtomicUsize,
    /// Of the bytes of messages.
    pub messages: AtomicUsize,
    /// Of the bytes of answers.
    pub answers: AtomicUsize,
}

/// Whose share a call takes from.
#[derive(Clone)]
pub struct Party {
    known: bool,
    /// What it has taken.
    pub taken: Arc<Taken>,
}

/// What is known of one connection.
pub struct Place {
    address: IpAddr,
    strangers: Arc<Taken>,
    /// The name in the peer's certificate, and what all of its connections have taken.
    caller: Mutex<Option<(String, Arc<Taken>)>>,
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
    pub fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<PlaceGuard> {
        let address = counted(address.ip());
        let mut places = self.places();
        let own = places.held.values().filter(|place| place.address == address).count();
        if own >= self.by_address {
            self.displace(&mut places, Some(address))?;
        } else if places.held.len() >= self.room() {
            let crowded = places.most_crowded();
            self.displace(&mut places, crowded)?;
        }
        let number = places.next;
        places.next += 1;
        let mut same = places.held.values().filter(|place| place.address == address);
        let strangers = same.next().map(|place| place.strangers.clone()).unwrap_or_default();
        let place = Arc::new(Place {
            address,
            strangers,
            caller: Mutex::default(),
            calls: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
            displaced: CancellationToken::new(),
        });
        places.held.insert(number, place.clone());
        Some(PlaceGuard {
            connections: self.clone(),
            number,
            place,
        })
    }

    /// Ends the connection from an address that has least reason to stay: strangers go before known callers, who is idle
    /// before who has a call under way, older ones before newer ones. A known caller with a call under way stays. Of probes the
    /// oldest goes: one that has just connected is idle, and would go before whoever watches.
    fn displace(&self, places: &mut Places, address: Option<IpAddr>) -> Option<()> {
        let own = places.held.iter().filter(|(_, place)| Some(place.address) == address);
        let ranked = own.map(|(number, place)| (place.known(), self.keeps_back && place.is_under_way(), *number));
        let (_, _, number) = ranked.filter(|(known, busy, _)| !(*known && *busy)).min()?;
        places.held.remove(&number)?.displaced.cancel();
        Some(())
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
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

impl Places {
    /// The address with the most strangers. Where there are none, that with the most known callers who have no call under way:
    /// a busy known caller counts for nothing, since nobody gets its place.
    fn most_crowded(&self) -> Option<IpAddr> {
        let strangers = self.with_most(|place| !place.known());
        strangers.or_else(|| self.with_most(|place| !place.is_under_way()))
    }

    /// The address with the most places of a kind; of several, that of whoever has least reason to stay.
    fn with_most(&self, of_kind: impl Fn(&Place) -> bool) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, (usize, Reverse<(bool, u64)>)> = HashMap::new();
        for (number, place) in self.held.iter().filter(|(_, place)| of_kind(place)) {
            let rank = (place.is_under_way(), *number);
            let (count, Reverse(least)) = counts.entry(place.address).or_insert((0, Reverse(rank)));
            *count += 1;
            *least = rank.min(*least);
        }
        let most = counts.into_iter().max_by_key(|(_, count_and_least)| *count_and_least);
        most.map(|(address, _)| address)
    }
}

/// A place, free again when this is dropped.
pub struct PlaceGuard {
    connections: Arc<Connections>,
    number: u64,
    /// What is known of the connection.
    pub place: Arc<Place>,
}

impl PlaceGuard {
    /// Notes that the peer has shown a certificate that can be used. What it takes is counted to this name from now on.
    pub fn set_caller(&self, name: &str) {
        let places = self.connections.places();
        let same = places.held.values().find_map(|place| {
            let caller = place.caller();
            caller
                .as_ref()
                .filter(|(other, _)| other == name)
                .map(|(_, taken)| taken.clone())
        });
        *self.place.caller() = Some((name.to_owned(), same.unwrap_or_default()));
    }
}

impl Drop for PlaceGuard {
    fn drop(&mut self) {
        self.connections.places().held.remove(&self.number);
    }
}

impl Place {
    fn caller(&self) -> MutexGuard<'_, Option<(String, Arc<Taken>)>> {
        self.caller.lock().expect("no code panics while it holds this lock")
    }

    /// Notes that the peer's certificate has ended: it is a stranger from now on.
    pub fn forget_caller(&self) {
        *self.caller() = None;
    }

    /// Whether the peer has shown a certificate that can be used.
    fn known(&self) -> bool {
        self.caller().is_some()
    }

    /// Whose share the calls that begin now take from.
    pub fn party(&self) -> Party {
        let caller = self.caller();
        let known = caller.as_ref().map(|(_, taken)| taken);
        Party {
            known: known.is_some(),
            taken: known.unwrap_or(&self.strangers).clone(),
        }
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

    /// Cancelled when the connection is to end: another takes its place, or its peer takes no answers.
    pub fn end_of_connection(&self) -> &CancellationToken {
        &self.displaced
    }
}

/// A number of things for all, of which one known caller, and the strangers of one address, get a quarter, and all strangers half.
pub struct Quota {
    most: usize,
    all: AtomicUsize,
    strangers: AtomicUsize,
    of: fn(&Taken) -> &AtomicUsize,
}

impl Quota {
    /// So many for all; `of` finds what one party has taken of them.
    pub fn new(most: usize, of: fn(&Taken) -> &AtomicUsize) -> Self {
        Self {
            most,
            all: AtomicUsize::new(0),
            strangers: AtomicUsize::new(0),
            of,
        }
    }

    /// Takes so many more for a party, if they are there.
    pub fn take(&self, more: usize, party: &Party) -> bool {
        let of_strangers = (!party.known).then_some((&self.strangers, self.most / 2));
        let limits = [((self.of)(&party.taken), self.most / 4), (&self.all, self.most)];
        let limits: Vec<_> = limits.into_iter().chain(of_strangers).collect();
        for (raised, (counter, most)) in limits.iter().enumerate() {
            if !raise(counter, more, *most) {
                for (counter, _) in &limits[..raised] {
                    counter.fetch_sub(more, Ordering::AcqRel);
                }
                return false;
            }
        }
        true
    }

    /// Gives back what was taken.
    pub fn give_back(&self, taken: usize, party: &Party) {
        self.all.fetch_sub(taken, Ordering::AcqRel);
        (self.of)(&party.taken).fetch_sub(taken, Ordering::AcqRel);
        if !party.known {
            self.strangers.fetch_sub(taken, Ordering::AcqRel);
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

    fn is_displaced(held: &PlaceGuard) -> bool {
        held.place.displaced.is_cancelled()
    }

    #[test]
    fn who_comes_from_a_crowded_address_takes_the_place_of_its_own_oldest_stranger() {
        let connections = Connections::for_calls(100, 3);
        let other = connections.admit(from("10.0.0.2")).expect("there is room");
        let known = connections.admit(from("10.0.0.1")).expect("there is room");
        known.set_caller("edms");
        let busy = connections.admit(from("10.0.0.1")).expect("there is room");
        busy.place.begin();
        let idle = connections.admit(from("10.0.0.1")).expect("there is room");
        let next = connections.admit(from("10.0.0.1")).expect("the idle stranger goes");
        assert!(is_displaced(&idle) && !is_displaced(&busy) && !is_displaced(&known) && !is_displaced(&other));
        next.set_caller("edms");
        let _third = connections
            .admit(from("10.0.0.1"))
            .expect("the stranger with a call goes");
        assert!(is_displaced(&busy) && !is_displaced(&known));
    }

    #[test]
    fn a_known_caller_with_a_call_under_way_is_never_displaced() {
        let connections = Connections::for_calls(1, 1);
        let held = connections.admit(from("10.0.0.1")).expect("there is room");
        held.set_caller("edms");
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

    fn party(known: bool) -> Party {
        let taken = Arc::default();
        Party { known, taken }
    }

    #[test]
    fn strangers_get_half_and_one_address_or_known_caller_a_quarter_and_what_is_given_back_is_free() {
        let quota = Quota::new(8, |taken| &taken.calls);
        let [here, there, elsewhere] = [(); 3].map(|()| party(false));
        assert!(quota.take(2, &here) && !quota.take(1, &here));
        assert!(quota.take(2, &there) && !quota.take(1, &elsewhere));
        let [one, other, third] = [(); 3].map(|()| party(true));
        assert!(quota.take(2, &one) && !quota.take(1, &one));
        assert!(quota.take(2, &other) && !quota.take(1, &third));
        quota.give_back(2, &here);
        assert!(!quota.take(1, &one) && quota.take(1, &elsewhere) && quota.take(1, &third));
        assert_eq!(here.taken.calls.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn connections_share_what_strangers_of_their_address_and_callers_of_their_name_have_taken() {
        let connections = Arc::new(Connections::new(10, 10, false));
        let [first, second] = [(); 2].map(|()| connections.admit(from("10.0.0.1")).expect("there is room"));
        let other = connections.admit(from("10.0.0.2")).expect("there is room");
        let share = |one: &PlaceGuard, another: &PlaceGuard| {
            let (one, another) = (one.place.party(), another.place.party());
            Arc::ptr_eq(&one.taken, &another.taken)
        };
        assert!(share(&first, &second) && !share(&first, &other));
        first.set_caller("edms");
        assert!(!share(&first, &second));
        other.set_caller("edms");
        second.set_caller("operator");
        assert!(share(&first, &other) && !share(&first, &second));
        first.place.forget_caller();
        assert!(!first.place.known() && !share(&first, &other));
    }

    #[test]
    fn a_busy_known_caller_keeps_nobody_out_and_an_idle_one_goes_after_every_stranger() {
        let connections = Connections::for_calls(5, 5);
        let edms = [(); 2].map(|()| connections.admit(from("10.0.0.9")).expect("there is room"));
        let strangers = [1, 2, 3].map(|last| {
            let held = connections.admit(from(&format!("10.0.0.{last}")));
            held.expect("there is room")
        });
        edms.iter().for_each(|held| held.set_caller("edms"));
        edms.iter().for_each(|held| held.place.begin());
        strangers[0].place.begin();
        let _fourth = connections.admit(from("10.0.0.4")).expect("a stranger goes");
        assert!(is_displaced(&strangers[1]) && !is_displaced(&strangers[0]));
        edms.iter().for_each(|held| held.place.end());
        let _fifth = connections.admit(from("10.0.0.5")).expect("a stranger goes");
        assert!(is_displaced(&strangers[2]));
        assert!(!edms.iter().any(is_displaced));
    }

    #[test]
    fn without_a_stranger_the_most_idle_known_callers_give_a_place() {
        let connections = Connections::for_calls(3, 3);
        let busy = [(); 2].map(|()| connections.admit(from("10.0.0.1")).expect("there is room"));
        let idle = connections.admit(from("10.0.0.2")).expect("there is room");
        busy.iter().chain([&idle]).for_each(|held| held.set_caller("edms"));
        busy.iter().for_each(|held| held.place.begin());
        let _next = connections.admit(from("10.0.0.3")).expect("the idle one goes");
        assert!(is_displaced(&idle) && !busy.iter().any(is_displaced));
    }

    #[test]
    fn a_probe_that_has_just_connected_stays_and_the_oldest_goes() {
        let connections = Connections::for_probes(3);
        let watching = [(); 2].map(|()| connections.admit(from("10.0.0.1")).expect("there is room"));
        watching.iter().for_each(|held| held.place.begin());
        let probe = connections.admit(from("10.0.0.1")).expect("there is room");
        let _next = connections.admit(from("10.0.0.1")).expect("the oldest goes");
        assert!(is_displaced(&watching[0]) && !is_displaced(&probe));
    }
}
