//! What makes `legalstat up` a place to rehearse in: another time, fixed ports, and services that are away.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::place::ServiceName;

/// How a system differs from the usual one.
#[derive(Args, Debug, Clone)]
pub(crate) struct Sandbox {
    /// The time at which the services begin, from which their clocks go on, as 2027-01-04T09:00:00+05:00
    ///
    /// To rehearse what is late and what comes due. Certificates keep the real time. What is stored keeps the time at which it was
    /// stored, so take a folder of its own (`--folder`), and go back in none.
    #[arg(long, value_name = "INSTANT")]
    clock: Option<Timestamp>,
    /// The port of the calendar; the others take the three that follow, health the ones ten further on [default: 7601, or any]
    ///
    /// With it nothing is started when one of them is taken.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(u16::MAX - 13)))]
    pub(crate) port: Option<u16>,
    /// The address of this machine on which calls are taken, 0.0.0.0 for all; health stays on the loopback interface
    ///
    /// LEGALSTAT_PUBLIC_HOSTS names what other machines call it, so that the services' certificates are for it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Services that are not started, as if they were away: calls to them find nobody
    ///
    /// A register fills its schedule once it has known the calendar, so start the folder with everything first.
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    without: Vec<ServiceName>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            clock: None,
            port: None,
            listen: IpAddr::from(Ipv4Addr::LOCALHOST),
            without: Vec::new(),
        }
    }
}

impl Sandbox {
    /// The services that are started.
    pub(crate) fn started(&self) -> impl Iterator<Item = ServiceName> + '_ {
        let all = ServiceName::ALL.into_iter();
        all.filter(|name| !self.without.contains(name))
    }

    /// Whether a service is started.
    pub(crate) fn starts(&self, name: ServiceName) -> bool {
        !self.without.contains(&name)
    }

    /// The clock of the services, which reads what was given when it is made.
    pub(crate) fn clock(&self) -> Clock {
        let now = Timestamp::now();
        Clock {
            ahead: self
                .clock
                .map_or(SignedDuration::ZERO, |begins| begins.duration_since(now)),
        }
    }
}

/// A clock that goes as the machine's does, ahead of it or behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    /// The instant that it reads, at the ends of time no further.
    pub(crate) fn now(self) -> Timestamp {
        let real = Timestamp::now();
        real.saturating_add(self.ahead).unwrap_or(real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_goes_on_from_what_was_given_and_is_the_machines_unless_one_was() {
        let begins: Timestamp = "2030-01-02T03:04:05Z".parse().expect("an instant");
        let given = Sandbox {
            clock: Some(begins),
            ..Sandbox::default()
        };
        let clock = given.clock();
        let (first, second) = (clock.now(), clock.now());
        assert!(begins <= first && first <= second && second < begins + SignedDuration::from_mins(1));
        let (before, usual) = (Timestamp::now(), Sandbox::default().clock().now());
        assert!(before <= usual && usual <= Timestamp::now());
    }

    #[test]
    fn what_is_left_out_is_not_started() {
        let without = Sandbox {
            without: vec![ServiceName::Calendar, ServiceName::FormRegistry],
            ..Sandbox::default()
        };
        let started: Vec<ServiceName> = without.started().collect();
        assert_eq!(
            started,
            [ServiceName::RequestIntake, ServiceName::CollectionDistribution]
        );
        assert!(!without.starts(ServiceName::Calendar));
    }
}
