//! Which client certificates can be used. TLS itself would drop the connection of a caller whose certificate cannot; here the
//! handshake only proves that the caller has the certificate's key, and whether it can be used is asked afterwards: so the
//! caller is told what is wrong, and the question can be asked again while the connection is open.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerifier as _},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime, pem::PemObject},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use x509_parser::{
    error::X509Error, prelude::FromDer as _, prelude::X509Certificate, revocation_list::CertificateRevocationList,
};

use crate::call::{
    caller::{Caller, CallerError},
    outside::Callers,
};

/// The authorities, and what they have revoked.
pub struct Authorities {
    roots: Arc<RootCertStore>,
    revoked: Vec<CertificateRevocationListDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Authorities {
    /// Reads the authorities' certificates and their revocation lists in PEM.
    ///
    /// # Errors
    /// Certificates or lists that cannot be read, a file of lists without any, or a list that has the name of an authority and is
    /// not signed with its key: nobody whose certificate that authority has signed could be verified.
    pub fn read(authority: &[u8], revoked: Option<&[u8]>, provider: Arc<CryptoProvider>) -> anyhow::Result<Self> {
        let certificates = CertificateDer::pem_slice_iter(authority).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.context("the authority's file")?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone())?;
        }
        let mut lists = Vec::new();
        if let Some(pem) = revoked {
            lists = CertificateRevocationListDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .context("the file of revoked certificates")?;
            anyhow::ensure!(!lists.is_empty(), "the file of revoked certificates holds no X509 CRL");
        }
        for list in &lists {
            require_signed(list, &certificates)?;
        }
        Ok(Self {
            roots: Arc::new(roots),
            revoked: lists,
            provider,
        })
    }

    /// Trust in the certificates of clients, and in those of an outside authority for the callers that it is given with.
    ///
    /// # Errors
    /// Authorities or lists that cannot be used.
    pub(crate) fn clients(&self, outside: Option<(Authorities, Callers)>) -> anyhow::Result<Trust> {
        let own = self.verifier()?;
        let Some((authorities, callers)) = outside else {
            let shaking = own.clone();
            return Ok(Trust {
                own,
                outside: None,
                shaking,
            });
        };
        // What a handshake tells the peer of whom it may show: some libraries choose their certificate by it.
        let mut roots = RootCertStore::clone(&self.roots);
        roots.roots.extend(authorities.roots.roots.iter().cloned());
        let shaking = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build()?;
        let outside = Some((authorities.verifier()?, callers));
        Ok(Trust { own, outside, shaking })
    }

    /// Verifies certificates of clients, less what the lists name. A list counts after its next update too: a list that came
    /// late revokes no less. It counts for what stands between a certificate and its authority as well.
    fn verifier(&self) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
        WebPkiClientVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
            .with_crls(self.revoked.clone())
            // An authority that has revoked nothing needs no list.
            .allow_unknown_revocation_status()
            .build()
            .context("the authority's file, or that of revoked certificates")
    }

    /// Trust in the certificates of servers, by the same rules.
    ///
    /// # Errors
    /// Authorities or lists that cannot be used.
    pub fn servers(&self) -> anyhow::Result<Arc<WebPkiServerVerifier>> {
        WebPkiServerVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
            .with_crls(self.revoked.clone())
            .allow_unknown_revocation_status()
            .build()
            .context("the authority's file, or that of revoked certificates")
    }

    /// Checks that the lists can be used for a chain of one's own, own certificate first. A list's signature is looked at only
    /// when somebody's certificate is: without this, a list that cannot be used would lock everyone out.
    ///
    /// # Errors
    /// A list that applies to the chain and cannot be used.
    pub fn require_usable_for(&self, chain: &[CertificateDer<'_>]) -> anyhow::Result<()> {
        let Some((own, rest)) = chain.split_first() else {
            return Ok(());
        };
        let (name, now) = (ServerName::try_from("localhost")?, UnixTime::now());
        let as_client = self.verifier()?.verify_client_cert(own, rest, now).err();
        let as_server = self.servers()?.verify_server_cert(own, rest, &name, &[], now).err();
        let mut problems = [as_client, as_server].into_iter().flatten();
        // Everything else that can be wrong with the chain is for its peers to say.
        match problems.find(|problem| matches!(problem, Error::InvalidCertRevocationList(_))) {
            Some(problem) => Err(problem).context("the file of revoked certificates cannot be used"),
            None => Ok(()),
        }
    }
}

/// Checks a list against every authority of its issuer's name.
fn require_signed(list: &CertificateRevocationListDer<'_>, authorities: &[CertificateDer<'_>]) -> anyhow::Result<()> {
    let (_, list) = CertificateRevocationList::from_der(list).context("the file of revoked certificates")?;
    for authority in authorities {
        let (_, authority) = X509Certificate::from_der(authority).context("the authority's file")?;
        let is_of_it = authority.subject().as_raw() == list.issuer().as_raw();
        // What else can come of it is an algorithm that this check does not know.
        anyhow::ensure!(
            !is_of_it
                || !matches!(
                    list.verify_signature(authority.public_key()),
                    Err(X509Error::SignatureVerificationError)
                ),
            "the list of certificates that {} has revoked is not signed with its key",
            authority.subject()
        );
    }
    Ok(())
}

/// Which client certificates can be used.
pub struct Trust {
    own: Arc<dyn ClientCertVerifier>,
    outside: Option<(Arc<dyn ClientCertVerifier>, Callers)>,
    shaking: Arc<dyn ClientCertVerifier>,
}

impl Trust {
    /// What a handshake asks: that the client has the key of the certificate that it shows.
    pub fn possession(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Possession(self.shaking.clone()))
    }

    /// The caller that a certificate chain names, own certificate first.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    pub fn examine(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Arc<Caller>, CallerError> {
        let (own, rest) = chain.split_first().ok_or(CallerError::Unreadable)?;
        let verified = self.own.verify_client_cert(own, rest, now).map_err(problem);
        match (verified, &self.outside) {
            (Ok(_), _) => Caller::from_certificate(own).map(Arc::new),
            // The name that such a certificate gives itself would be believed of whoever its authority signs for.
            (Err(CallerError::UnknownAuthority), Some((outside, callers))) => {
                outside.verify_client_cert(own, rest, now).map_err(problem)?;
                callers.caller(own)
            }
            (Err(problem), _) => Err(problem),
        }
    }
}

fn problem(error: Error) -> CallerError {
    use CertificateError as Of;
    let Error::InvalidCertificate(error) = error else {
        return CallerError::Unusable;
    };
    match error {
        Of::Expired | Of::ExpiredContext { .. } => CallerError::Expired,
        Of::NotValidYet | Of::NotValidYetContext { .. } => CallerError::NotValidYet,
        Of::Revoked => CallerError::Revoked,
        Of::UnknownIssuer | Of::BadSignature => CallerError::UnknownAuthority,
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => CallerError::NotForClients,
        Of::BadEncoding => CallerError::Unreadable,
        _ => CallerError::Unusable,
    }
}

/// Takes any certificate whose key the client has. [`Trust::examine`] says whether it can be used.
#[derive(Debug)]
struct Possession(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
