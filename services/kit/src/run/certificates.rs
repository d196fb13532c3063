//! New certificates, authorities and revocations are taken up while a service runs.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    Process,
    call::tls::{Files, Server},
    job,
};

/// How long between two looks at the files.
const LOOK: Duration = Duration::from_secs(3);

/// Looks at the files until the process's shutdown, and tells what became of them. What cannot be used, such as a new
/// certificate beside the old key, is logged once, and the server goes on with what it had.
pub fn follow(process: &Process, served: watch::Sender<Arc<Server>>) {
    let files = process.tls.clone();
    let served = Arc::new(served);
    job::repeat(process, "certificates", LOOK, move || {
        let (files, served) = (files.clone(), served.clone());
        async move { tokio::task::spawn_blocking(move || look(&files, &served)).await? }
    });
}

fn look(files: &Files, served: &watch::Sender<Arc<Server>>) -> anyhow::Result<()> {
    let newer = served.borrow().newer(files)?;
    if let Some(server) = newer {
        served.send_replace(Arc::new(server));
        tracing::info!("the certificates have changed and are in use");
    }
    Ok(())
}
