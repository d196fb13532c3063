//! TLS: the files of one party, what a server makes of them, and what a client does. Whoever changes the files changes both: a
//! server looks at them every few seconds, a client reads them at each new connection.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use rustls::{
    ClientConfig, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::{
    call::{
        outside,
        trust::{Authorities, Trust},
    },
    repeated,
};

/// The PEM files of one party: its certificate chain, its key, the authority it trusts, and what that authority has revoked.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate chain, own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The certificates of the trusted authorities.
    pub authority: PathBuf,
    /// The revocation lists of the authorities, where there are any.
    pub revoked: Option<PathBuf>,
    /// The folder of an outside authority whose certificates callers may show, where there is one: `ca.pem`, `callers.csv` and, where
    /// it has revoked any, `revoked.pem`.
    pub outside: Option<PathBuf>,
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The content of the system's own files at one moment.
#[derive(Clone, PartialEq, Eq)]
struct Own {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Vec<u8>,
    revoked: Option<Vec<u8>>,
}

impl Files {
    fn own(&self) -> anyhow::Result<Own> {
        Ok(Own {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
            authority: read(&self.authority)?,
            revoked: self.revoked.as_deref().map(read).transpose()?,
        })
    }

    fn outside(&self) -> anyhow::Result<Option<outside::Content>> {
        let outside = self.outside.as_deref().map(outside::Content::read);
        Ok(outside.transpose()?.flatten())
    }
}

impl Own {
    fn chain(&self) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("the private key's file")?;
        Ok((chain.context("the certificate's file")?, key))
    }

    fn authorities(&self) -> anyhow::Result<Authorities> {
        Authorities::read(&self.authority, self.revoked.as_deref(), provider())
    }
}

/// What a server makes of its files: how it accepts connections, and which client certificates it trusts.
pub struct Server {
    /// For handshakes. They take any client certificate whose key the client has; whether it is trusted is `trust`'s to say.
    pub config: Arc<ServerConfig>,
    /// Which client certificates can be used.
    pub trust: Trust,
    own: Own,
    outside: Option<outside::Content>,
}

impl Server {
    /// Reads the files.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together, and revocation lists that nobody could be verified with.
    pub fn load(files: &Files) -> anyhow::Result<Self> {
        Self::of(files.own()?, files.outside()?)
    }

    /// What the system's own files make now, if they have changed since this was made of them. The outside authority stays as it is: a
    /// fault in its files is no reason to go without what is new of the own ones, and the other way round.
    ///
    /// # Errors
    /// As [`load`](Self::load), of the own files.
    pub fn with_own(&self, files: &Files) -> anyhow::Result<Option<Self>> {
        let own = files.own()?;
        (own != self.own)
            .then(|| Self::of(own, self.outside.clone()))
            .transpose()
    }

    /// What the files of the outside authority make now, if they have changed since this was made of them.
    ///
    /// # Errors
    /// As [`load`](Self::load), of the files of the outside authority.
    pub fn with_outside(&self, files: &Files) -> anyhow::Result<Option<Self>> {
        let outside = files.outside()?;
        (outside != self.outside)
            .then(|| Self::of(self.own.clone(), outside))
            .transpose()
    }

    fn of(own: Own, outside: Option<outside::Content>) -> anyhow::Result<Self> {
        let authorities = own.authorities()?;
        let callers = outside.as_ref().map(|outside| outside.usable(provider()));
        let trust = authorities.clients(callers.transpose()?)?;
        let (chain, key) = own.chain()?;
        authorities.require_usable_for(&chain)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(trust.possession())
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            trust,
            own,
            outside,
        })
    }
}

/// Makes a client's side that stays as it is; without `identity` the caller stays anonymous.
///
/// # Errors
/// Files that cannot be read.
pub fn client(authority: &Path, identity: Option<(&PathBuf, &PathBuf)>) -> anyhow::Result<ClientTlsConfig> {
    let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(authority)?));
    Ok(match identity {
        None => config,
        Some((certificate, key)) => config.identity(Identity::from_pem(read(certificate)?, read(key)?)),
    })
}

/// A client's side that reads its files anew for each connection.
pub struct Client {
    files: Files,
    /// What was usable last, for the moment in which only one of two files is new.
    usable: Mutex<Arc<ClientConfig>>,
}

impl Client {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together.
    pub fn load(files: &Files) -> anyhow::Result<Self> {
        Ok(Self {
            files: files.clone(),
            usable: Mutex::new(client_config(files)?),
        })
    }

    /// What to use for the next connection.
    pub fn config(&self) -> Arc<ClientConfig> {
        let mut usable = self.usable.lock().expect("no code panics while it holds this lock");
        match client_config(&self.files) {
            Ok(config) => *usable = config,
            Err(error) => {
                let error = format!("the certificate for calls cannot be read anew: {error:#}");
                if let Some(unlogged) = repeated::to_log(&error) {
                    tracing::warn!(error, unlogged, "connections are made with the one before");
                }
            }
        }
        usable.clone()
    }
}

fn client_config(files: &Files) -> anyhow::Result<Arc<ClientConfig>> {
    // No server is of an outside authority: its files say nothing here.
    let own = files.own()?;
    let (chain, key) = own.chain()?;
    let authorities = own.authorities()?;
    authorities.require_usable_for(&chain)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(authorities.servers()?)
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
