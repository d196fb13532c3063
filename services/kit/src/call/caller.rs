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
    /// Who it is, when it showed a certificate that can be used.
    pub caller: Option<Arc<Caller>>,
    /// What is wrong with the certificate that it showed.
    pub problem: Option<CallerError>,
}

/// Why a certificate cannot be used. Its holder is served as a caller without one, and told this where that is not enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// It is not a certificate.
    #[error("it cannot be read")]
    Unreadable,
    /// It has no SAN URI of the scheme `legalstat`.
    #[error("it has no SAN URI legalstat://NAME?role=ROLE")]
    NoName,
    /// It has several: nobody would know which one acts.
    #[error("it gives more than one name, and nobody would know which one acts")]
    SeveralNames,
    /// An outside authority has signed it, and the table of its callers does not list its subject.
    #[error("its authority is an outside one, and its subject is not among the callers known here")]
    NotListed,
    /// Its name is empty, or has characters that no name has.
    #[error("its name {0:?} is not made of letters, digits, '-', '_' and '.' alone")]
    NameNotAllowed(String),
    /// Its name is one that the journal uses for others.
    #[error("its name {0:?} is reserved")]
    NameReserved(String),
    /// It names no role.
    #[error("it names no role: legalstat://NAME?role=ROLE")]
    NoRole,
    /// It names a role that does not exist, or that no certificate gives.
    #[error("it names the unknown role {0:?}")]
    UnknownRole(String),
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not begun.
    #[error("it is not valid yet")]
    NotValidYet,
    /// Its authority has revoked it.
    #[error("it has been revoked")]
    Revoked,
    /// None of the authorities known here has signed it.
    #[error("no authority known here has signed it")]
    UnknownAuthority,
    /// Its extended key usage does not name clients.
    #[error("it is not for clients: its extended key usage lacks clientAuth")]
    NotForClients,
    /// Something else, such as an extension or an algorithm that is not known here.
    #[error("it cannot be verified")]
    Unusable,
}

impl CallerError {
    /// The problem as a machine reads it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreadable => "UNREADABLE",
            Self::NoName => "NO_NAME",
            Self::SeveralNames => "SEVERAL_NAMES",
            Self::NotListed => "NOT_LISTED",
            Self::NameNotAllowed(_) => "NAME_NOT_ALLOWED",
            Self::NameReserved(_) => "NAME_RESERVED",
            Self::NoRole => "NO_ROLE",
            Self::UnknownRole(_) => "UNKNOWN_ROLE",
            Self::Expired => "EXPIRED",
            Self::NotValidYet => "NOT_VALID_YET",
            Self::Revoked => "REVOKED",
            Self::UnknownAuthority => "UNKNOWN_AUTHORITY",
            Self::NotForClients => "NOT_FOR_CLIENTS",
            Self::Unusable => "UNUSABLE",
        }
    }
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
        match (uris.next(), uris.next()) {
            (Some(uri), None) => Self::from_uri(uri),
            (None, _) => Err(CallerError::NoName),
            (Some(_), Some(_)) => Err(CallerError::SeveralNames),
        }
    }

    /// Checks that a certificate can give a name to a caller.
    ///
    /// # Errors
    /// `NameNotAllowed` or `NameReserved`.
    pub fn check_name(name: &str) -> Result<(), CallerError> {
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(valid) {
            return Err(CallerError::NameNotAllowed(name.into()));
        }
        // In whatever case: a reader of the journal would take one for the other.
        if [ANONYMOUS, SYSTEM]
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
        {
            return Err(CallerError::NameReserved(name.into()));
        }
        Ok(())
    }

    fn from_uri(uri: &str) -> Result<Self, CallerError> {
        let (name, query) = uri.split_once('?').unwrap_or((uri, ""));
        Self::check_name(name)?;
        let roles: Vec<Role> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("role="))
            .map(role)
            .collect::<Result<_, _>>()?;
        if roles.is_empty() {
            return Err(CallerError::NoRole);
        }
        Ok(Self {
            name: name.into(),
            roles,
        })
    }
}

/// The role of this name in lower case, as certificates and tables write it.
pub(crate) fn role(word: &str) -> Result<Role, CallerError> {
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
        for (uri, problem) in [
            ("", "NAME_NOT_ALLOWED"),
            ("?role=operator", "NAME_NOT_ALLOWED"),
            ("a b?role=operator", "NAME_NOT_ALLOWED"),
            ("anonymous?role=operator", "NAME_RESERVED"),
            ("Anonymous?role=operator", "NAME_RESERVED"),
            ("system?role=operator", "NAME_RESERVED"),
            ("SYSTEM?role=operator", "NAME_RESERVED"),
            ("a", "NO_ROLE"),
            ("a?roles=operator", "NO_ROLE"),
            ("a?role=", "UNKNOWN_ROLE"),
            ("a?role=public", "UNKNOWN_ROLE"),
            ("a?role=king", "UNKNOWN_ROLE"),
        ] {
            let refused = Caller::from_uri(uri).expect_err("it could mislead");
            assert_eq!(refused.word(), problem, "{uri:?}: {refused}");
        }
    }
}
