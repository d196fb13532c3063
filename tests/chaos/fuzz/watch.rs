//! What is seen from outside of a process under attack: its memory, its backends, its files.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use sqlx::PgConnection;
use tokio::task::JoinHandle;

use super::{Course, GROWTH};

/// How often memory is looked at.
const LOOKING: Duration = Duration::from_millis(200);
const TENTHS: usize = 10;

/// The memory of a process while calls are made, the most in each tenth of them, in MiB.
pub struct Watch(JoinHandle<[u64; TENTHS]>);

impl Watch {
    pub fn begin(process: u32, course: Arc<Course>) -> Self {
        Self(tokio::spawn(async move {
            let mut most = [0; TENTHS];
            loop {
                let made = course.next.load(Ordering::Relaxed).min(course.calls);
                if made == course.calls {
                    return most;
                }
                let tenth = usize::try_from(made * TENTHS as u64 / course.calls.max(1)).unwrap_or_default();
                most[tenth] = most[tenth].max(memory(process));
                tokio::time::sleep(LOOKING).await;
            }
        }))
    }

    /// What is wrong with its memory.
    pub async fn end(self) -> Option<String> {
        let most = self.0.await.expect("it does not panic");
        eprintln!("fuzz: MiB in each tenth: {most:?}");
        // A busy machine may have passed over one.
        let mut seen = most.into_iter().filter(|mib| *mib > 0);
        let first = seen.next().unwrap_or_default();
        let last = seen.next_back().unwrap_or(first);
        (last > first + GROWTH).then(|| format!("memory grew from {first} to {last} MiB"))
    }
}

fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// Waits until no backend of the services is at work or in a transaction; which is.
pub async fn settled(database: &mut PgConnection, patience: Duration) -> Option<String> {
    let sql = "SELECT usename || ' is ' || state || ' after ' || query FROM pg_stat_activity
               WHERE usename LIKE '%\\_runtime' AND (state = 'active' OR state LIKE 'idle in transaction%') LIMIT 1";
    let began = Instant::now();
    loop {
        let busy: Option<String> = sqlx::query_scalar(sql)
            .fetch_optional(&mut *database)
            .await
            .expect("the database runs");
        if busy.is_none() || began.elapsed() > patience {
            return busy;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nothing of any upload is under way; what is.
pub async fn no_half_file(files: &Path, patience: Duration) -> Option<String> {
    let began = Instant::now();
    loop {
        let half = received(files);
        if half.is_empty() || began.elapsed() > patience {
            return (!half.is_empty()).then(|| format!("files of broken uploads stay: {half:?}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn received(files: &Path) -> Vec<PathBuf> {
    let services = std::fs::read_dir(files).expect("services keep files").flatten();
    let received = services.filter_map(|service| std::fs::read_dir(service.path().join("received")).ok());
    received.flatten().flatten().map(|file| file.path()).collect()
}
