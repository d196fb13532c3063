//! Who calls: the name and roles in the SAN URI of the client certificate, `legalstat://NAME?role=operator&role=…`.

use std::{net::SocketAddr, sync::Arc};

pub use legalstat_proto::common::v1::Role;
use x509_parser::{extensions::GeneralName, prelude::FromDer};

/// The name the journal gives to callers without a certificate.
pub const ANONYMOUS: &str = "anonymous";
/// The name the journal gives to the services' own jobs.
pub const SYSTEM: &str = "system";

/// A caller known by its certificate, or an anonymous one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name in the certificate; `anonymous` without one.
    pub name: String,
    /// The roles in the certificate; none without one.
    pub roles: Vec<Role>,
}

/// The other end of a connection. Every call on the connection gets a copy.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its network address.
    pub address: SocketAddr,
    /// Who it is, when it showed a certificate.
    pub caller: Option<Arc<Caller>>,
}

/// A certificate that our authority signed but that names no caller.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// It is not a certificate.
    #[error("the certificate cannot be read")]
    Unreadable,
    /// It has not exactly one SAN URI of the scheme `legalstat`.
    #[error("the certificate has no SAN URI legalstat://NAME?role=ROLE")]
    NoName,
    /// It names a role that does not exist.
    #[error("the certificate names the unknown role {0:?}")]
    UnknownRole(String),
}

impl Caller {
    /// A caller without a certificate.
    pub fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.into(),
            roles: Vec::new(),
        }
    }

    /// Whether the caller showed no certificate.
    pub fn is_anonymous(&self) -> bool {
        self.roles.is_empty()
    }

    /// Whether the caller has the role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the caller is an official of the system, who sees what is not public.
    pub fn is_official(&self) -> bool {
        [Role::Operator, Role::Approver, Role::Administrator, Role::Auditor]
            .iter()
            .any(|role| self.has(*role))
    }

    /// Reads the caller from a certificate in DER.
    pub fn from_certificate(der: &[u8]) -> Result<Self, CallerError> {
        let (_, certificate) =
            x509_parser::certificate::X509Certificate::from_der(der).map_err(|_| CallerError::Unreadable)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| CallerError::Unreadable)?;
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let mut uris = names.filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix("legalstat://"),
            _ => None,
        });
        // With two names nobody would know which one acts.
        let (Some(uri), None) = (uris.next(), uris.next()) else {
            return Err(CallerError::NoName);
        };
        Self::from_uri(uri)
    }

    fn from_uri(uri: &str) -> Result<Self, CallerError> {
        let (name, query) = uri.split_once('?').ok_or(CallerError::NoName)?;
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name == ANONYMOUS || name == SYSTEM || !name.chars().all(valid) {
            return Err(CallerError::NoName);
        }
        let roles: Vec<Role> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("role="))
            .map(role)
            .collect::<Result<_, _>>()?;
        if roles.is_empty() {
            return Err(CallerError::NoName);
        }
        Ok(Self {
            name: name.into(),
            roles,
        })
    }
}

fn role(word: &str) -> Result<Role, CallerError> {
    match Role::from_str_name(&format!("ROLE_{}", word.to_ascii_uppercase())) {
        None | Some(Role::Unspecified | Role::Public) => Err(CallerError::UnknownRole(word.into())),
        Some(role) => Ok(role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_roles_come_from_the_uri() {
        let caller = Caller::from_uri("supreme-court?role=recipient&role=subject").expect("it is well formed");
        assert_eq!(
            caller,
            Caller {
                name: "supreme-court".into(),
                roles: vec![Role::Recipient, Role::Subject]
            }
        );
    }

    #[test]
    fn names_and_roles_that_could_mislead_are_refused() {
        for uri in [
            "",
            "?role=operator",
            "anonymous?role=operator",
            "system?role=operator",
            "a b?role=operator",
            "a",
            "a?role=",
            "a?role=public",
            "a?role=king",
        ] {
            assert!(Caller::from_uri(uri).is_err(), "{uri:?}");
        }
    }
}
