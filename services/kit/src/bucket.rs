//! A bucket of an S3-compatible store, where finished content is kept when one is set. What is being received stays in the folder of
//! the service; under the service's name the bucket has what the folder has otherwise, so that several services share one.

use std::{
    fmt, fs,
    future::Future,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutPayload, Result, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
    path::Path,
    prefix::PrefixStore,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    Process, job,
    run::environment::{Environment, SettingError},
};

/// How many bytes are sent at once, and the fewest that S3 takes as a part: of 10,000 parts an object has 48 GiB at most.
const PART: u64 = 5 * 1024 * 1024;
/// How many contents a process sends at once, each with a part in memory.
const AT_ONCE: usize = 4;
/// How often a request is repeated that got no answer or a fault of the store's own.
const RETRIES: usize = 2;
/// How long the store may take.
const TIMES: Times = Times {
    connecting: Duration::from_secs(2),
    request: Duration::from_secs(10),
    retrying: Duration::from_secs(5),
    answer: Duration::from_secs(5),
};
/// How long between two looks at the files of its key and its authority, as at those of certificates.
const LOOK: Duration = Duration::from_secs(3);
/// The object that each start writes.
const STARTED: &str = "started";

/// How long the store may take.
#[derive(Clone, Copy)]
struct Times {
    /// To take a connection.
    connecting: Duration,
    /// For one request: a part that is sent, or a block that is read.
    request: Duration,
    /// Until a request is repeated no more.
    retrying: Duration,
    /// In all to say whether it has content, or to remove it: a transaction waits, which may do nothing for ten seconds.
    answer: Duration,
}

/// Which bucket, and how it is reached.
#[derive(Clone)]
pub struct Settings {
    endpoint: String,
    bucket: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    /// The authority that the store's certificate is of; without it those that the system trusts.
    authority: Option<PathBuf>,
    times: Times,
    /// What they were read from.
    given: Environment,
}

/// What may be another while a service runs: its key, and the certificate of the authority.
#[derive(PartialEq, Eq)]
struct Renewed {
    access_key_id: String,
    secret_access_key: String,
    authority: Option<Vec<u8>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, told: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(told, "the bucket {} at {}", self.bucket, self.endpoint)
    }
}

impl Settings {
    /// Reads them. None when neither endpoint nor bucket is set: then content is kept in the folder.
    ///
    /// # Errors
    /// Names the setting that is missing or unusable.
    pub fn read(environment: &mut Environment) -> std::result::Result<Option<Self>, SettingError> {
        const ENDPOINT: &str = "LEGALSTAT_S3_ENDPOINT";
        let endpoint = environment.optional(ENDPOINT);
        let bucket = environment.optional("LEGALSTAT_S3_BUCKET");
        let region = environment.parsed("LEGALSTAT_S3_REGION", "us-east-1".to_owned());
        let access_key_id = environment.secret("LEGALSTAT_S3_ACCESS_KEY_ID");
        let secret_access_key = environment.secret("LEGALSTAT_S3_SECRET_ACCESS_KEY");
        let authority = environment.optional("LEGALSTAT_S3_AUTHORITY");
        if endpoint.is_none() && bucket.is_none() {
            return Ok(None);
        }
        let endpoint = endpoint.ok_or(SettingError::Missing(ENDPOINT))?;
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let problem = "write https://HOST:PORT, or http:// within a network of its own".to_owned();
            return Err(SettingError::Unusable {
                name: ENDPOINT,
                problem,
            });
        }
        let (missing, given) = (SettingError::Missing, environment.beginning("LEGALSTAT_S3_"));
        Ok(Some(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            bucket: bucket.ok_or(missing("LEGALSTAT_S3_BUCKET"))?,
            region: region?,
            access_key_id: access_key_id?.ok_or(missing("LEGALSTAT_S3_ACCESS_KEY_ID"))?,
            secret_access_key: secret_access_key?.ok_or(missing("LEGALSTAT_S3_SECRET_ACCESS_KEY"))?,
            authority: authority.map(PathBuf::from),
            times: TIMES,
            given,
        }))
    }

    /// They as their files are now.
    fn again(&self) -> anyhow::Result<Self> {
        let again = Self::read(&mut self.given.clone())?;
        Ok(Self {
            times: self.times,
            ..again.context("a bucket was set at the start")?
        })
    }

    fn renewed(&self) -> anyhow::Result<Renewed> {
        let authority = self.authority.as_ref().map(fs::read).transpose();
        Ok(Renewed {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            authority: authority.context("LEGALSTAT_S3_AUTHORITY")?,
        })
    }

    /// What a service keeps in the bucket.
    fn store(&self, service: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
        Ok(Arc::new(PrefixStore::new(self.builder()?.build()?, service)))
    }

    /// Reads the authority's certificate, and connects to nobody yet.
    ///
    /// # Errors
    /// A certificate that cannot be read or used.
    pub fn check(&self) -> anyhow::Result<()> {
        let built = self.builder()?.build();
        built.context("LEGALSTAT_S3_ENDPOINT, which may need LEGALSTAT_S3_AUTHORITY, cannot be called")?;
        Ok(())
    }

    fn builder(&self) -> anyhow::Result<AmazonS3Builder> {
        // The one cryptography that is built in; whoever has set it before has set the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut client = ClientOptions::new()
            .with_connect_timeout(self.times.connecting)
            .with_timeout(self.times.request)
            .with_allow_http(self.endpoint.starts_with("http://"));
        if let Some(authority) = &self.authority {
            let told = || format!("LEGALSTAT_S3_AUTHORITY, {}", authority.display());
            let pem = fs::read(authority).with_context(told)?;
            let certificates = Certificate::from_pem_bundle(&pem).with_context(told)?;
            anyhow::ensure!(!certificates.is_empty(), "{}: there is no certificate", told());
            client = certificates
                .into_iter()
                .fold(client, ClientOptions::with_root_certificate)
                .with_no_system_certificates(true);
        } else if self.endpoint.starts_with("http://") {
            // In plaintext nobody's certificate is looked at, and a system that trusts nobody, as the image's, will do.
            client = client.with_no_system_certificates(true);
        }
        let retry = RetryConfig {
            backoff: BackoffConfig {
                max_backoff: Duration::from_secs(1),
                ..BackoffConfig::default()
            },
            max_retries: RETRIES,
            retry_timeout: self.times.retrying,
        };
        Ok(AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_access_key)
            .with_client_options(client)
            .with_retry(retry)
            // The store compares what came with it, and keeps it.
            .with_checksum_algorithm(Checksum::SHA256)
            // Not every store can delete several at once, and here one is deleted at a time.
            .with_disable_bulk_delete(true))
    }
}

/// A bucket, as one service sees it.
#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<ArcSwap<Arc<dyn ObjectStore>>>,
    sending: Arc<Semaphore>,
    answer: Duration,
}

impl Bucket {
    /// Opens what a service keeps in the bucket, and writes a small object there. A store that does not answer yet is told in the log and
    /// stops nothing: calls that need no file are answered without it.
    ///
    /// # Errors
    /// A certificate that cannot be used, and a store that refuses the key or has no such bucket.
    pub(crate) async fn open(settings: &Settings, service: &str) -> anyhow::Result<Self> {
        let opened = Self {
            store: Arc::new(ArcSwap::from_pointee(settings.store(service)?)),
            sending: Arc::new(Semaphore::new(AT_ONCE)),
            answer: settings.times.answer,
        };
        let mark = Path::from(STARTED);
        match opened.answered(opened.store().put(&mark, PutPayload::new())).await {
            Ok(_) => {}
            Err(error @ (Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => {
                let told = "nothing can be kept in LEGALSTAT_S3_BUCKET: is it there, and may LEGALSTAT_S3_ACCESS_KEY_ID write?";
                return Err(anyhow::Error::new(guarded(error)).context(told));
            }
            Err(error) => {
                tracing::warn!(error = %guarded(error), "the store of files does not answer; until it does, calls that need files fail");
            }
        }
        Ok(opened)
    }

    /// Takes up another key and another authority while the service runs. With a file that cannot be used it goes on as before, and logs
    /// that once. A key that the store refuses is used: its two files come one after the other.
    pub(crate) fn follow(&self, process: &Process, settings: &Settings, service: &'static str) -> anyhow::Result<()> {
        let (store, settings) = (Arc::clone(&self.store), Arc::new(settings.clone()));
        let used = Arc::new(Mutex::new(settings.renewed()?));
        job::repeat(
            process,
            "the key and the authority of the store of files",
            LOOK,
            move || {
                let (store, settings, used) = (store.clone(), settings.clone(), used.clone());
                async move {
                    let looking = move || {
                        let mut used = used.lock().expect("no code panics while it holds this lock");
                        let now = settings.again()?;
                        let renewed = now.renewed()?;
                        if *used != renewed {
                            store.store(Arc::new(now.store(service)?));
                            *used = renewed;
                            tracing::info!("the store of files is called with another key or authority");
                        }
                        Ok(())
                    };
                    tokio::task::spawn_blocking(looking).await?
                }
            },
        );
        Ok(())
    }

    /// The store, as it is called now.
    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store.load())
    }

    /// Whether it has content of this size at a place.
    pub(crate) async fn has(&self, place: &Path, size: u64) -> Result<bool> {
        match self.head(place).await {
            Ok(found) => Ok(found == size),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The size of what is at a place.
    pub(crate) async fn head(&self, place: &Path) -> Result<u64> {
        Ok(self.answered(self.store().head(place)).await?.size)
    }

    /// Removes what is at a place.
    pub(crate) async fn delete(&self, place: &Path) -> Result<()> {
        self.answered(self.store().delete(place)).await
    }

    async fn answered<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        let answer = tokio::time::timeout(self.answer, asked).await;
        answer.unwrap_or_else(|_| Err(failed(format!("no answer within {} s", self.answer.as_secs_f32()))))
    }

    /// Waits for a turn to send.
    pub(crate) async fn turn(&self) -> OwnedSemaphorePermit {
        let turn = Arc::clone(&self.sending).acquire_owned().await;
        turn.expect("nobody closes it")
    }

    /// Sends a file of a folder, as long as somebody waits for it. It is there once this has succeeded, and until then nothing of it is.
    pub(crate) async fn send(
        &self,
        folder: &dyn ObjectStore,
        (from, size): (&Path, u64),
        to: &Path,
        given_up: &CancellationToken,
    ) -> Result<()> {
        if size <= PART {
            let content = folder.get_range(from, 0..size).await?;
            return self.store().put(to, content.into()).await.map(drop).map_err(of_sending);
        }
        let mut upload = self.store().put_multipart(to).await.map_err(of_sending)?;
        let sent = async {
            for begin in (0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX)) {
                if given_up.is_cancelled() {
                    return Err(failed("nobody waits for what is sent any more".to_owned()));
                }
                let part = folder.get_range(from, begin..size.min(begin + PART)).await?;
                upload.put_part(part.into()).await.map_err(of_sending)?;
            }
            upload.complete().await.map_err(of_sending)
        };
        match sent.await {
            Ok(_) => Ok(()),
            Err(error) => {
                // Why it broke off is told; what the store has of it is its own to clear up where it cannot be asked to.
                upload.abort().await.ok();
                Err(error)
            }
        }
    }
}

/// What is sent is nowhere yet: what the store does not find is its bucket, or the parts that it had. An operator puts that right, and
/// content that is asked for has nothing to do with it.
fn of_sending(error: Error) -> Error {
    match error {
        Error::NotFound { source, .. } => Error::Generic { store: "S3", source },
        error => error,
    }
}

fn failed(why: String) -> Error {
    Error::Generic {
        store: "S3",
        source: why.into(),
    }
}

/// The error without what a store said of a key that it refuses, which names the key. What a folder says stays, whose cause is the
/// system's own.
pub(crate) fn guarded(error: Error) -> Error {
    if anyhow::Chain::new(&error).any(|cause| cause.is::<io::Error>()) {
        return error;
    }
    match error {
        Error::PermissionDenied { path, .. } => Error::PermissionDenied {
            path,
            source: "the store refuses this to the key".into(),
        },
        Error::Unauthenticated { path, .. } => Error::Unauthenticated {
            path,
            source: "the store does not know the key".into(),
        },
        error => error,
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
pub(crate) mod tests;
