//! A port that is kept for a server which is started, ends, and is started again.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::TcpSocket;

/// A port of the loopback interface that the system gives to nobody who asks for any. A server that is told its number can listen at it,
/// for its socket sets `SO_REUSEADDR` as PostgreSQL's and tokio's do; while none listens, the port refuses.
#[derive(Debug)]
pub struct KeptPort {
    number: u16,
    /// Only Linux lets another socket listen at the address of one that does not.
    _socket: Option<TcpSocket>,
}

impl KeptPort {
    /// Takes one that is free.
    ///
    /// # Errors
    /// When there is none.
    pub fn take() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            number: socket.local_addr()?.port(),
            _socket: cfg!(target_os = "linux").then_some(socket),
        })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_kept_port_refuses_whenever_no_server_listens_at_it() {
        let port = KeptPort::take().expect("one is free");
        let address = (Ipv4Addr::LOCALHOST, port.number());
        for _ in 0..2 {
            TcpStream::connect(address).expect_err("nobody listens");
            let server = TcpListener::bind(address).expect("who is told its number has it");
            TcpStream::connect(address).expect("the server listens");
            drop(server);
        }
    }
}
