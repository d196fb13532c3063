//! For tests: an address that leads to a service only while the gate is open.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// An address in front of a service's own. Dropping it cuts the connections that go through it.
pub struct Gate {
    address: SocketAddr,
    open: Arc<AtomicBool>,
    cut: Arc<Notify>,
    listening: JoinHandle<()>,
}

impl Gate {
    /// A shut gate in front of the service at `url`.
    ///
    /// # Panics
    /// When no port is free, or the URL ends in none.
    pub async fn before(url: &str) -> Self {
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let behind = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("the URL ends in a port")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let open = Arc::new(AtomicBool::new(false));
        let cut = Arc::new(Notify::new());
        let listening = tokio::spawn(listen(listener, open.clone(), cut.clone(), behind));
        Self {
            address,
            open,
            cut,
            listening,
        }
    }

    /// The address before the gate.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Opens it.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    /// Shuts it, and cuts the connections that go through it.
    pub fn shut(&self) {
        self.open.store(false, Ordering::SeqCst);
        self.cut.notify_waiters();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, open: Arc<AtomicBool>, cut: Arc<Notify>, behind: SocketAddr) {
    let mut lines = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever shuts the gate from here on cuts this line too.
        let cut = cut.clone().notified_owned();
        if open.load(Ordering::SeqCst) {
            lines.spawn(async move {
                tokio::select! { passed = pass(stream, behind) => passed, () = cut => Ok(()) }
            });
        }
    }
}

async fn pass(mut before: TcpStream, behind: SocketAddr) -> io::Result<()> {
    let mut behind = TcpStream::connect(behind).await?;
    io::copy_bidirectional(&mut before, &mut behind).await?;
    Ok(())
}
