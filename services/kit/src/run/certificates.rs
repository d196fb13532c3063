//! New certificates, authorities and revocations are taken up while a service runs, and what nears its end is told.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::UnixTime;
use tokio::sync::watch;
use x509_parser::pem::Pem;

use crate::{
    Process,
    call::{
        telemetry,
        tls::{Files, Server},
    },
    job,
};

/// How long between two looks at the files.
const LOOK: Duration = Duration::from_secs(3);
/// How long before its end a certificate is told of: whoever makes them renews them from 30 days before on.
const AHEAD: SignedDuration = SignedDuration::from_hours(21 * 24);
/// How long until the same end is told again.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// How many seconds are left until the first of a server's certificate and its authorities' ends; negative afterwards.
const REMAINING: &str = "legalstat.tls.certificate.remaining";

/// Looks at the files until the process's shutdown, and tells what became of them. What cannot be used, such as a new
/// certificate beside the old key, is logged once, and the server goes on with what it had.
pub fn follow(process: &Process, served: watch::Sender<Arc<Server>>) {
    let files = process.tls.clone();
    let served = Arc::new(served);
    let ends = Arc::new(Mutex::new(Ends::default()));
    job::repeat(process, "certificates", LOOK, move || {
        let (files, served, ends) = (files.clone(), served.clone(), ends.clone());
        async move {
            let looking = move || {
                // Certificates keep the real time, whatever clock the service was given.
                let now = Timestamp::from_second(i64::try_from(UnixTime::now().as_secs())?)?;
                ends.lock()
                    .expect("no code panics while it holds this lock")
                    .tell(&files, now);
                look(&files, &served)
            };
            tokio::task::spawn_blocking(looking).await?
        }
    });
}

/// Tells when what a server needs to be trusted ends.
#[derive(Default)]
struct Ends {
    told: Option<(End, Timestamp)>,
}

/// The end of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    file: String,
    until: Timestamp,
}

impl Ends {
    /// Measures how long is left, and logs it once a day when it is little.
    fn tell(&mut self, files: &Files, now: Timestamp) {
        let ends = ends(&files.certificate, true)
            .into_iter()
            .chain(ends(&files.authority, false));
        let Some(first) = ends.min_by_key(|end| end.until) else {
            return;
        };
        telemetry::gauge(REMAINING, first.until.duration_since(now).as_secs());
        if self.is_due(&first, now) {
            let End { file, until } = first.clone();
            tracing::warn!(file, %until, "a certificate nears its end: without a new one no call comes through after it");
            self.told = Some((first, now));
        }
    }

    fn is_due(&self, end: &End, now: Timestamp) -> bool {
        let told = self.told.as_ref();
        let is_told = told.is_some_and(|(told, at)| told == end && now.duration_since(*at) < AGAIN);
        end.until.duration_since(now) <= AHEAD && !is_told
    }
}

/// The ends of the certificates in a file, or of the first alone. What cannot be read is told where it is used.
fn ends(file: &Path, first_alone: bool) -> Vec<End> {
    let text = std::fs::read(file).unwrap_or_default();
    let blocks = Pem::iter_from_buffer(&text).filter_map(Result::ok);
    let end = |block: Pem| {
        let until = block.parse_x509().ok()?.validity().not_after.timestamp();
        let until = Timestamp::from_second(until).ok()?;
        Some(End {
            file: file.display().to_string(),
            until,
        })
    };
    blocks
        .filter_map(end)
        .take(if first_alone { 1 } else { usize::MAX })
        .collect()
}

fn look(files: &Files, served: &watch::Sender<Arc<Server>>) -> anyhow::Result<()> {
    let own = take_up(served, |server| server.with_own(files));
    let outside = take_up(served, |server| server.with_outside(files));
    match (own, outside) {
        (Err(own), Err(outside)) => Err(anyhow::anyhow!("{own:#}; {outside:#}")),
        (own, outside) => own.and(outside),
    }
}

fn take_up(
    served: &watch::Sender<Arc<Server>>,
    newer: impl Fn(&Server) -> anyhow::Result<Option<Server>>,
) -> anyhow::Result<()> {
    let server = newer(&served.borrow())?;
    if let Some(server) = server {
        served.send_replace(Arc::new(server));
        tracing::info!("the certificates have changed and are in use");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(folder: &Path, name: &str, until: i32) -> PathBuf {
        let mut parameters = CertificateParams::default();
        parameters.not_after = rcgen::date_time_ymd(until, 1, 1);
        let made = parameters
            .self_signed(&KeyPair::generate().expect("a key"))
            .expect("a certificate");
        let file = folder.join(name);
        std::fs::write(&file, made.pem()).expect("the folder is ours");
        file
    }

    #[test]
    fn what_ends_first_is_told_once_a_day_from_three_weeks_before_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = certificate(folder.path(), "own.pem", 2032);
        let authority = certificate(folder.path(), "authority.pem", 2031);
        let mut both = std::fs::read(&authority).expect("it is there");
        both.extend(std::fs::read(certificate(folder.path(), "old.pem", 2030)).expect("it is there"));
        std::fs::write(&authority, both).expect("the folder is ours");
        let files = Files {
            certificate: own,
            key: PathBuf::new(),
            authority: authority.clone(),
            revoked: None,
            outside: None,
        };
        let mut ends = Ends::default();
        let mut told_at = |instant: &str| {
            let now: Timestamp = instant.parse().expect("an instant");
            ends.tell(&files, now);
            ends.told.clone().filter(|(_, at)| *at == now).map(|(end, _)| end)
        };
        assert_eq!(told_at("2029-12-01T00:00:00Z"), None);
        let first = End {
            file: authority.display().to_string(),
            until: "2030-01-01T00:00:00Z".parse().expect("an instant"),
        };
        assert_eq!(told_at("2029-12-11T12:00:00Z"), Some(first.clone()));
        assert_eq!(told_at("2029-12-11T13:00:00Z"), None);
        assert_eq!(told_at("2029-12-12T12:00:00Z"), Some(first.clone()));
        std::fs::copy(&files.certificate, &authority).expect("a new authority");
        assert_eq!(told_at("2029-12-14T12:00:00Z"), None);
    }
}
