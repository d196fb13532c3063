//! The ports of the services that `legalstat up` starts.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::Context as _;
use legalstat_kit::run::Listeners;
use tokio::net::TcpListener;

use crate::{failure::Failure, place::ServiceName};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where each service listens. The addresses are held from the beginning, so that no other process takes them.
pub(crate) struct Ports(BTreeMap<ServiceName, Listening>);

struct Listening {
    listeners: Option<Listeners>,
    calls: SocketAddr,
    health: SocketAddr,
    /// Of its usual ports those that could not be had, with what the system says.
    refused: Vec<(u16, io::Error)>,
}

impl Listening {
    /// The usual ports that cannot be had, and why.
    fn refused(&self) -> String {
        let refused = self.refused.iter();
        let refused: Vec<String> = refused
            .map(|(port, error)| format!("port {port} cannot be had ({error})"))
            .collect();
        refused.join(", ")
    }
}

impl Ports {
    /// The usual ports, from `first` on, where they can be had, others where they cannot. Calls are taken on the address `listen`.
    pub(crate) async fn choose(first: u16, listen: IpAddr) -> anyhow::Result<Self> {
        let mut ports = BTreeMap::new();
        for (name, port) in ServiceName::ALL.into_iter().zip(first..) {
            let mut refused = Vec::new();
            let listeners = Listeners {
                calls: bind(listen, port, &mut refused).await?,
                health: bind(LOOPBACK, port + 10, &mut refused).await?,
            };
            let (calls, health) = (listeners.calls.local_addr()?, listeners.health.local_addr()?);
            ports.insert(
                name,
                Listening {
                    listeners: Some(listeners),
                    calls,
                    health,
                    refused,
                },
            );
        }
        Ok(Self(ports))
    }

    /// Which other ports were taken, and why: a line for each service that has not got its usual ones.
    pub(crate) fn moved(&self) -> Vec<String> {
        let moved = self.0.iter().filter(|(_, listening)| !listening.refused.is_empty());
        let line = |(name, listening): (&ServiceName, &Listening)| {
            let (calls, health) = (listening.calls.port(), listening.health.port());
            format!(
                "  {} takes port {calls} for calls and {health} for health: {}\n",
                name.as_str(),
                listening.refused()
            )
        };
        moved.map(line).collect()
    }

    /// Fails when not all ports are the usual ones, and names those that cannot be had.
    pub(crate) fn require_usual(&self) -> Result<(), Failure> {
        let refused = self.0.values().filter(|listening| !listening.refused.is_empty());
        let refused: Vec<String> = refused.map(Listening::refused).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(refused.join(", ")))
    }

    /// Where a service takes calls, and where it answers probes.
    pub(crate) fn addresses(&self, name: ServiceName) -> (SocketAddr, SocketAddr) {
        let listening = &self.0[&name];
        (listening.calls, listening.health)
    }

    /// The URL for its calls from this machine.
    pub(crate) fn url(&self, name: ServiceName) -> String {
        let calls = self.0[&name].calls;
        match calls.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => format!("https://localhost:{}", calls.port()),
            _ => format!("https://{calls}"),
        }
    }

    /// What a service listens on, once.
    pub(crate) fn take(&mut self, name: ServiceName) -> anyhow::Result<Listeners> {
        let listening = self.0.get_mut(&name).context("every service has its ports")?;
        listening.listeners.take().context("a service is started once")
    }
}

async fn bind(address: IpAddr, port: u16, refused: &mut Vec<(u16, io::Error)>) -> anyhow::Result<TcpListener> {
    let listener = match TcpListener::bind((address, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            refused.push((port, error));
            TcpListener::bind((address, 0)).await
        }
    };
    listener.with_context(|| format!("no port can be had on {address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_the_one_taken_instead_and_why() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let taken = held.local_addr().expect("an address").port();
        let ports = Ports::choose(taken, LOOPBACK).await.expect("others are free");
        let calendar = ports.0[&ServiceName::Calendar].calls.port();
        assert_ne!(calendar, taken);
        let moved = ports.moved();
        let line = moved
            .iter()
            .find(|line| line.contains("  calendar takes"))
            .expect("it is told");
        for part in [
            &format!("port {calendar} for calls"),
            &format!("port {taken} cannot be had"),
            "in use",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let refused = ports.require_usual().expect_err("one is taken").to_string();
        assert!(refused.contains(&format!("port {taken} cannot be had")), "{refused}");
    }
}
