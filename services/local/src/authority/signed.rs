//! Certificates of keys that their owners made: signed by request, and renewed.

use jiff::Timestamp;
use time::Duration;
use x509_parser::pem::parse_x509_pem;

use super::{Alone, Authority, Issued, RENEWED, SIGNED, SigningRequest, State, Usage, request::SignedKey};

/// Why a key is not signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// The certificate of this key is revoked.
    #[error(
        "the certificate of this key was revoked: a new one needs a new key, made by its owner, and a request of it"
    )]
    Revoked,
    /// The key is another party's.
    #[error("the key is that of {0}: everyone has a key of his own")]
    OfAnother(String),
    /// Nobody of this name has had a key signed.
    #[error("no request of {0:?} was signed")]
    Unknown(String),
    /// What the file system says.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Authority {
    /// Signs the key of a request, for so many days, for whom the authority says it is; whether a certificate was made. The same request for the
    /// same party gives the certificate that there is until 30 days, or a third of `days`, before its end. Whoever calls it holds the
    /// authority's lock since he looked whether the name is free.
    ///
    /// # Errors
    /// A key whose certificate is revoked or that is another party's, or files that cannot be read or written.
    pub fn sign(
        &self,
        _alone: &Alone,
        request: &SigningRequest,
        usage: &Usage,
        days: i64,
    ) -> Result<(Issued, bool), NotSigned> {
        self.signed(&request.key, usage, days)
    }

    /// A new certificate for the last key of this name that is not revoked; whether one was made, as for `sign`.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), or a name without a key that its owner made.
    pub fn renew(&self, name: &str, days: i64) -> Result<(Issued, bool), NotSigned> {
        let _alone = self.alone()?;
        let own = self
            .issued()?
            .into_iter()
            .filter(|issued| issued.name == name && !issued.has_key_here);
        let own: Vec<Issued> = own.collect();
        let last = own
            .iter()
            .filter(|issued| issued.state != State::Revoked)
            .max_by_key(|issued| issued.from);
        let Some(last) = last else {
            return Err(match own.is_empty() {
                true => NotSigned::Unknown(name.to_owned()),
                false => NotSigned::Revoked,
            });
        };
        let (_, pem) = parse_x509_pem(last.pem.as_bytes()).map_err(anyhow::Error::from)?;
        let certificate = pem.parse_x509().map_err(anyhow::Error::from)?;
        let key = SignedKey::of(certificate.public_key()).map_err(anyhow::Error::from)?;
        self.signed(&key, &last.usage(), days)
    }

    pub(super) fn signed(&self, key: &SignedKey, usage: &Usage, days: i64) -> Result<(Issued, bool), NotSigned> {
        let of_key = |issued: &Issued| issued.key == key.id;
        let same: Vec<Issued> = self.issued()?.into_iter().filter(of_key).collect();
        if let Some(other) = same.iter().find(|issued| !usage.is_of(&issued.name)) {
            return Err(NotSigned::OfAnother(other.name.clone()));
        }
        if same.iter().any(|issued| issued.state == State::Revoked) {
            return Err(NotSigned::Revoked);
        }
        let valid = Duration::days(days);
        let ahead = RENEWED.min(valid / 3).whole_seconds();
        let needed = Timestamp::now().as_second().saturating_add(ahead);
        let serves = |issued: &Issued| {
            let hosts = usage.hosts.iter().all(|host| issued.hosts.contains(host));
            issued.until.as_second() > needed && hosts && usage.has_roles(&issued.roles)
        };
        if let Some(there) = same.into_iter().find(serves) {
            return Ok((there, false));
        }
        let made = self.issue(usage, key, valid, SIGNED)?;
        Ok((
            Issued {
                has_key_here: false,
                ..Issued::read(&made.pem())?
            },
            true,
        ))
    }
}
