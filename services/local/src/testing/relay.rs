//! For tests: a line to PostgreSQL that counts the packets on it, holds one of them for as long as the test likes, cuts the
//! connection that one comes on, or loses everything without a word. A packet is what one read brings: sqlx and PostgreSQL
//! write each flush whole.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use legalstat_kit::schema;
use sqlx::ConnectOptions;

/// More than one flush of either side has.
const PACKET: usize = 256 * 1024;

/// What happens to the packet with a number, the first after the plan was made being 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Pass,
    Hold(u64),
    Cut(u64),
    HoldAll,
    CutAll,
    Silence,
}

#[derive(Clone, Debug)]
struct State {
    plan: Plan,
    seen: u64,
    connections: u64,
    sent: u64,
    slow: Option<(&'static [&'static str], Duration)>,
}

impl State {
    fn reached(&self) -> bool {
        match self.plan {
            Plan::Pass => false,
            Plan::HoldAll | Plan::CutAll | Plan::Silence => self.seen > 0,
            Plan::Hold(number) | Plan::Cut(number) => self.seen >= number,
        }
    }
}

/// An address that stands in for the database's own. Dropping it cuts what goes through it.
pub struct Relay {
    address: SocketAddr,
    state: watch::Sender<State>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// A relay before a database server; everything passes.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = watch::Sender::new(State {
            plan: Plan::Pass,
            seen: 0,
            connections: 0,
            sent: 0,
            slow: None,
        });
        let listening = tokio::spawn(listen(listener, server, state.clone()));
        Self {
            address,
            state,
            listening,
        }
    }

    /// The same database URL by way of this relay.
    ///
    /// # Panics
    /// When it is no URL of a database.
    pub fn stands_in(&self, url: &str) -> String {
        let options = schema::options(url).expect("a URL of a database");
        options.port(self.address.port()).to_url_lossy().to_string()
    }

    /// Counts from 1 again, and holds the packet with this number until [`release`](Self::release).
    pub fn hold(&self, number: u64) {
        self.plan(Plan::Hold(number));
    }

    /// Counts from 1 again, and cuts the connection on which the packet with this number comes, before it passes.
    pub fn cut(&self, number: u64) {
        self.plan(Plan::Cut(number));
    }

    /// Holds every packet until [`release`](Self::release), as if the server were frozen.
    pub fn freeze(&self) {
        self.plan(Plan::HoldAll);
    }

    /// Cuts every connection on which a packet comes until [`release`](Self::release), as if the server were away.
    pub fn cut_off(&self) {
        self.plan(Plan::CutAll);
    }

    /// Loses every packet and every end until [`release`](Self::release), as a line that was cut does; a connection that has
    /// lost something stays silent afterwards too, as behind a router that has forgotten it.
    pub fn silence(&self) {
        self.plan(Plan::Silence);
    }

    /// Lets everything pass; how many packets came since the last plan.
    pub fn release(&self) -> u64 {
        let mut seen = 0;
        self.state.send_modify(|state| {
            seen = state.seen;
            state.plan = Plan::Pass;
        });
        seen
    }

    fn plan(&self, plan: Plan) {
        self.state.send_modify(|state| {
            state.plan = plan;
            state.seen = 0;
        });
    }

    /// Ends once the packet of the plan has come.
    ///
    /// # Panics
    /// Never: the relay itself keeps its state.
    pub async fn reached(&self) {
        let mut state = self.state.subscribe();
        state.wait_for(State::reached).await.expect("the relay keeps it");
    }

    /// Whether the packet of the plan has come.
    pub fn is_reached(&self) -> bool {
        self.state.borrow().reached()
    }

    /// How many connections were made through it.
    pub fn connections(&self) -> u64 {
        self.state.borrow().connections
    }

    /// How many packets came on the way to the server, of all there ever were.
    pub fn sent(&self) -> u64 {
        self.state.borrow().sent
    }

    /// Waits until for a second nothing has come on the way to the server; how many packets and connections there were by then.
    pub async fn quiet(&self) -> (u64, u64) {
        let now = || (self.sent(), self.connections());
        let mut before = now();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if now() == before {
                return before;
            }
            before = now();
        }
    }

    /// The port that stands in for the server's own.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Holds every packet to the database that contains one of these words for so long.
    pub fn slow(&self, words: &'static [&'static str], delay: Duration) {
        self.state.send_modify(|state| state.slow = Some((words, delay)));
    }

    /// Holds no packet for its words any more.
    pub fn fast(&self) {
        self.state.send_modify(|state| state.slow = None);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, server: SocketAddr, state: watch::Sender<State>) {
    let mut lines = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.send_modify(|state| state.connections += 1);
        let state = state.clone();
        lines.spawn(async move { line(stream, server, &state).await.ok() });
        while lines.try_join_next().is_some() {}
    }
}

/// One connection; it ends, both ways, when either side closes it or the plan cuts it.
async fn line(before: TcpStream, server: SocketAddr, state: &watch::Sender<State>) -> io::Result<()> {
    let behind = TcpStream::connect(server).await?;
    before.set_nodelay(true)?;
    behind.set_nodelay(true)?;
    let lost = AtomicBool::new(false);
    let ((before_read, before_write), (behind_read, behind_write)) = (before.into_split(), behind.into_split());
    tokio::select! {
        ended = pass(before_read, behind_write, state, true, &lost) => ended,
        ended = pass(behind_read, before_write, state, false, &lost) => ended,
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &watch::Sender<State>,
    to_database: bool,
    lost: &AtomicBool,
) -> io::Result<()> {
    let mut packet = vec![0; PACKET];
    loop {
        let read = from.read(&mut packet).await;
        if state.borrow().plan == Plan::Silence {
            lost.store(true, Ordering::SeqCst);
        }
        if lost.load(Ordering::SeqCst) {
            count(state);
            return std::future::pending().await;
        }
        let length = read?;
        if length == 0 {
            return Ok(());
        }
        let now = count(state);
        state.send_if_modified(|state| {
            state.sent += u64::from(to_database);
            to_database
        });
        match now.plan {
            Plan::Cut(number) if number == now.seen => return Ok(()),
            Plan::CutAll => return Ok(()),
            Plan::HoldAll => released(state, now.plan).await,
            Plan::Hold(number) if number == now.seen => released(state, now.plan).await,
            _ => {}
        }
        if let Some((words, delay)) = now.slow.filter(|_| to_database)
            && words.iter().any(|word| contains(&packet[..length], word))
        {
            tokio::time::sleep(delay).await;
        }
        to.write_all(&packet[..length]).await?;
    }
}

fn contains(packet: &[u8], word: &str) -> bool {
    packet.windows(word.len()).any(|found| found == word.as_bytes())
}

/// Counts one packet; the state with it.
fn count(state: &watch::Sender<State>) -> State {
    let mut now = None;
    state.send_modify(|state| {
        state.seen += 1;
        now = Some(state.clone());
    });
    now.expect("it was just set")
}

/// Waits until the plan is another one.
async fn released(state: &watch::Sender<State>, plan: Plan) {
    // The sender is ours, so that it cannot be gone.
    state.subscribe().wait_for(|state| state.plan != plan).await.ok();
}
