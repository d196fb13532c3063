//! How much strangers, and everyone else, may take of one service. Each limit is told in `deploy/LIMITS.md`.

use std::{num::NonZero, str::FromStr, time::Duration};

use crate::{
    call::admission::Shares,
    run::environment::{Environment, SettingError},
};

/// The limits of one service that the environment sets.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections it holds.
    pub connections: usize,
    /// How many of them from one address; an IPv6 address counts by its first 64 bits.
    pub connections_by_address: usize,
    /// How many calls may be under way on one connection.
    pub streams: u32,
    /// How many calls may be under way in all; callers without a usable certificate get half of them, those of one
    /// address a quarter, and so does one caller with a certificate.
    pub calls: usize,
    /// How many bytes the header of a call may have.
    pub header_bytes: u32,
    /// How many bytes of messages may wait or be worked on in all, shared as the calls are.
    pub message_bytes: usize,
    /// How many bytes of answers may wait for their callers to take them in all, shared as the calls are.
    pub answer_bytes: usize,
    /// How long a call with one message and one answer may take when its caller sets no deadline.
    pub unary: Duration,
    /// How long a connection may stay without a call under way, its first call included.
    pub idle: Duration,
    /// How long a peer under way may take no byte of its answer, and send no byte of its message.
    pub stall: Duration,
    /// How old a connection may become.
    pub age: Duration,
    /// How long the server serves on once it was told to stop and says that it does not serve.
    pub shutdown_delay: Duration,
    /// How long a feed of changes says nothing at most.
    pub heartbeat: Duration,
    /// How many calls of each class are at work and wait.
    pub shares: Shares,
}

impl Limits {
    /// Reads them; `reading` is how many connections to the database there are for reading.
    ///
    /// # Errors
    /// Names the setting that is unusable.
    pub fn read(environment: &mut Environment, reading: u32) -> Result<Self, SettingError> {
        // All are read before any is refused: a name that was not read would count as unknown.
        let connections = count(environment, "LEGALSTAT_CONNECTIONS", 512);
        let connections_by_address = count(environment, "LEGALSTAT_CONNECTIONS_BY_ADDRESS", 256);
        let streams = count(environment, "LEGALSTAT_CALLS_BY_CONNECTION", 128);
        let calls = count(environment, "LEGALSTAT_CALLS", 2048);
        let header_bytes = count(environment, "LEGALSTAT_HEADER_BYTES", 16 * 1024);
        let message_bytes = count(environment, "LEGALSTAT_MESSAGE_BYTES", 32 * 1024 * 1024);
        let answer_bytes = count(environment, "LEGALSTAT_ANSWER_BYTES", 32 * 1024 * 1024);
        let unary = seconds(environment, "LEGALSTAT_CALL_SECONDS", 30);
        let idle = seconds(environment, "LEGALSTAT_IDLE_SECONDS", 45);
        let stall = seconds(environment, "LEGALSTAT_STALL_SECONDS", 30);
        let age = seconds(environment, "LEGALSTAT_CONNECTION_SECONDS", 4 * 3600);
        let shutdown_delay = shutdown_delay(environment);
        let heartbeat = seconds(environment, "LEGALSTAT_HEARTBEAT_SECONDS", 20);
        let shares = Shares::read(environment, reading);
        Ok(Self {
            connections: connections?,
            connections_by_address: connections_by_address?,
            streams: streams?,
            calls: calls?,
            header_bytes: header_bytes?,
            message_bytes: message_bytes?,
            answer_bytes: answer_bytes?,
            unary: unary?,
            idle: idle?,
            stall: stall?,
            age: age?,
            shutdown_delay: shutdown_delay?,
            heartbeat: heartbeat?,
            shares: shares?,
        })
    }

    /// The limits of the health port: probes are few and short. Who watches there takes no probe's place: there is room for the
    /// calls of all its connections, and who connects takes the place of another.
    #[must_use]
    pub fn of_health(&self) -> Self {
        Self {
            connections: 16,
            connections_by_address: 16,
            streams: 8,
            calls: 1024,
            message_bytes: 1024 * 1024,
            answer_bytes: 1024 * 1024,
            ..self.clone()
        }
    }
}

/// A number of at least one.
fn count<T>(environment: &mut Environment, name: &'static str, default: T) -> Result<T, SettingError>
where
    T: FromStr<Err: std::fmt::Display> + Default + PartialEq,
{
    let value = environment.parsed(name, default)?;
    if value == T::default() {
        let problem = "it must be at least 1".into();
        return Err(SettingError::Unusable { name, problem });
    }
    Ok(value)
}

fn seconds(environment: &mut Environment, name: &'static str, default: u32) -> Result<Duration, SettingError> {
    let default = NonZero::new(default).expect("no default is zero");
    let seconds: NonZero<u32> = environment.parsed(name, default)?;
    Ok(Duration::from_secs(seconds.get().into()))
}

/// The longest delay of a shutdown in seconds: what kills a service that hangs waits for longer.
pub const LONGEST_DELAY: u64 = 300;

fn shutdown_delay(environment: &mut Environment) -> Result<Duration, SettingError> {
    let name = "LEGALSTAT_SHUTDOWN_DELAY_SECONDS";
    match environment.parsed(name, 5_u64)? {
        seconds @ 0..=LONGEST_DELAY => Ok(Duration::from_secs(seconds)),
        _ => {
            let problem = format!("it must be at most {LONGEST_DELAY}");
            Err(SettingError::Unusable { name, problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_is_delayed_by_five_minutes_at_most() {
        let delay = |given: &[(&str, &str)]| {
            let limits = Limits::read(&mut Environment::given(given.iter().copied()), 8);
            limits.map(|limits| limits.shutdown_delay.as_secs())
        };
        let name = "LEGALSTAT_SHUTDOWN_DELAY_SECONDS";
        assert_eq!(delay(&[]).ok(), Some(5));
        assert_eq!(delay(&[(name, "0")]).ok(), Some(0));
        assert_eq!(delay(&[(name, "300")]).ok(), Some(300));
        let refusal = delay(&[(name, "301")]).expect_err("it is too long").to_string();
        assert!(refusal.contains(name) && refusal.contains("300"), "{refusal}");
    }

    #[test]
    fn no_limit_can_be_switched_off() {
        let names = [
            "LEGALSTAT_CONNECTIONS",
            "LEGALSTAT_CONNECTIONS_BY_ADDRESS",
            "LEGALSTAT_CALLS_BY_CONNECTION",
            "LEGALSTAT_CALLS",
            "LEGALSTAT_HEADER_BYTES",
            "LEGALSTAT_MESSAGE_BYTES",
            "LEGALSTAT_ANSWER_BYTES",
            "LEGALSTAT_CALL_SECONDS",
            "LEGALSTAT_IDLE_SECONDS",
            "LEGALSTAT_STALL_SECONDS",
            "LEGALSTAT_CONNECTION_SECONDS",
            "LEGALSTAT_HEARTBEAT_SECONDS",
        ];
        for name in names {
            let mut environment = Environment::given([(name, "0")]);
            let refusal = Limits::read(&mut environment, 8)
                .expect_err("zero would be no limit")
                .to_string();
            assert!(refusal.contains(name), "{refusal}");
            environment.refuse_unknown().expect("all were read");
        }
    }
}
