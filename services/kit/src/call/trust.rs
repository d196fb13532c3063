//! Which client certificates can be used. TLS itself would drop the connection of a caller whose certificate cannot; here the
//! handshake only proves that the caller has the certificate's key, and whether it can be used is asked afterwards: so the
//! caller is told what is wrong, and the question can be asked again while the connection is open.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::call::caller::{Caller, CallerError};

/// The authorities, and what they have revoked.
pub struct Trust(Arc<dyn ClientCertVerifier>);

impl Trust {
    /// Trust in the authorities' certificates, less what their revocation lists name. A list counts after its next update too:
    /// a list that came late revokes no less.
    ///
    /// # Errors
    /// Revocation lists that cannot be read, or a file of them without any.
    pub fn new(roots: RootCertStore, revoked: Option<&[u8]>, provider: Arc<CryptoProvider>) -> anyhow::Result<Self> {
        let mut lists = Vec::new();
        if let Some(pem) = revoked {
            lists = CertificateRevocationListDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .context("the file of revoked certificates")?;
            anyhow::ensure!(!lists.is_empty(), "the file of revoked certificates holds no X509 CRL");
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls(lists)
            .only_check_end_entity_revocation()
            // An authority that has revoked nothing needs no list.
            .allow_unknown_revocation_status()
            .build()
            .context("the authority's file, or that of revoked certificates")?;
        Ok(Self(verifier))
    }

    /// What a handshake asks: that the client has the key of the certificate that it shows.
    pub fn possession(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Possession(self.0.clone()))
    }

    /// The caller that a certificate chain names, own certificate first.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    pub fn examine(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Arc<Caller>, CallerError> {
        let (own, rest) = chain.split_first().ok_or(CallerError::Unreadable)?;
        self.0.verify_client_cert(own, rest, now).map_err(problem)?;
        Caller::from_certificate(own).map(Arc::new)
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
