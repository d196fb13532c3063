//! Callers whose certificates an outside authority has signed, a national one say. It knows neither the names nor the roles of this
//! system, so a table gives them; what such a certificate says of itself in the words of this system counts for nothing.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use anyhow::Context as _;
use rustls::crypto::CryptoProvider;
use x509_parser::{
    der_parser::oid::Oid,
    oid_registry::{
        OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME, OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT,
        OID_X509_SERIALNUMBER,
    },
    prelude::{FromDer as _, X509Certificate},
};

use crate::call::{
    caller::{self, Caller, CallerError, Role},
    trust::Authorities,
};

/// The attributes of a subject that a row may name. A country alone tells nobody from another.
static ATTRIBUTES: [(&str, Oid<'static>); 5] = [
    ("CN", OID_X509_COMMON_NAME),
    ("serialNumber", OID_X509_SERIALNUMBER),
    ("OU", OID_X509_ORGANIZATIONAL_UNIT),
    ("O", OID_X509_ORGANIZATION_NAME),
    (COUNTRY, OID_X509_COUNTRY_NAME),
];
const COUNTRY: &str = "C";

/// The files of an outside authority at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Its certificates in PEM, as `ca.pem`.
    authority: Vec<u8>,
    /// The table of callers, as `callers.csv`.
    callers: Vec<u8>,
    /// Its revocation lists in PEM, as `revoked.pem`, where there are any.
    revoked: Option<Vec<u8>>,
}

impl Content {
    /// Reads a folder; `None` where it holds no authority.
    ///
    /// # Errors
    /// A file that cannot be read, and an authority without a table of callers.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let read = |name: &str| {
            let file = folder.join(name);
            match std::fs::read(&file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                read => read
                    .map(Some)
                    .with_context(|| format!("cannot read {}", file.display())),
            }
        };
        let Some(authority) = read("ca.pem")? else {
            return Ok(None);
        };
        let callers = read("callers.csv")?;
        let callers = callers.with_context(|| format!("{} has an authority and no callers.csv", folder.display()))?;
        Ok(Some(Self {
            authority,
            callers,
            revoked: read("revoked.pem")?,
        }))
    }

    /// The authority and its callers.
    ///
    /// # Errors
    /// Certificates, lists or a table that cannot be used.
    pub(crate) fn usable(&self, provider: Arc<CryptoProvider>) -> anyhow::Result<(Authorities, Callers)> {
        let authorities = Authorities::read(&self.authority, self.revoked.as_deref(), provider);
        let authorities = authorities.context("the outside authority")?;
        Ok((authorities, Callers::read(&self.callers)?))
    }
}

/// Who the holders of an outside authority's certificates are here.
#[derive(Debug)]
pub(crate) struct Callers(Vec<Row>);

#[derive(Debug)]
struct Row {
    /// What the subject has to have, all of it.
    subject: BTreeSet<(&'static str, String)>,
    caller: Arc<Caller>,
}

/// A line of the table.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    subject: String,
    name: String,
    roles: String,
}

/// The first line of the table. Without it a table that is being written would be one without callers.
const COLUMNS: [&str; 3] = ["subject", "name", "roles"];

impl Callers {
    /// Reads the table: `subject,name,roles`, where a subject is written as `serialNumber=IIN050101000001; OU=BIN000740000728` and
    /// roles stand between spaces. Lines that begin with `#` are left out.
    ///
    /// # Errors
    /// Everything that is wrong with the table, each with its line.
    fn read(table: &[u8]) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(table);
        let headers = reader.headers().context("the table of outside callers")?.clone();
        anyhow::ensure!(
            headers.iter().eq(COLUMNS),
            "the table of outside callers: its first line is not {}",
            COLUMNS.join(",")
        );
        let (mut rows, mut faults): (Vec<Row>, Vec<String>) = Default::default();
        for record in reader.records() {
            let record = record.context("the table of outside callers")?;
            let number = record.position().map(csv::Position::line).unwrap_or_default();
            let line = record
                .deserialize::<Line>(Some(&headers))
                .context("the table of outside callers")?;
            match line.row() {
                Ok(row) if rows.iter().any(|other| other.subject == row.subject) => {
                    faults.push(format!("line {number}: the subject stands in the table twice"));
                }
                Ok(row) => rows.push(row),
                Err(fault) => faults.push(format!("line {number}: {fault}")),
            }
        }
        anyhow::ensure!(faults.is_empty(), "the table of outside callers: {}", faults.join("; "));
        Ok(Self(rows))
    }

    /// The caller that a certificate's subject stands for.
    ///
    /// # Errors
    /// A subject that is in no row, or in several.
    pub(crate) fn caller(&self, der: &[u8]) -> Result<Arc<Caller>, CallerError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| CallerError::Unreadable)?;
        let subject = certificate.subject();
        let has = |(name, value): &(&'static str, String)| {
            let oid = ATTRIBUTES.iter().find(|(known, _)| known == name).map(|(_, oid)| oid);
            oid.is_some_and(|oid| {
                subject
                    .iter_by_oid(oid)
                    .any(|own| own.as_str().is_ok_and(|own| own == value.as_str()))
            })
        };
        let mut rows = self.0.iter().filter(|row| row.subject.iter().all(has));
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row.caller.clone()),
            (None, _) => Err(CallerError::NotListed),
            (Some(_), Some(_)) => Err(CallerError::SeveralNames),
        }
    }
}

impl Line {
    fn row(self) -> Result<Row, String> {
        let subject = self
            .subject
            .split(';')
            .map(attribute)
            .collect::<Result<BTreeSet<_>, _>>()?;
        if subject.iter().all(|(name, _)| *name == COUNTRY) {
            return Err("a country alone names nobody".into());
        }
        Caller::check_name(&self.name).map_err(|error| error.to_string())?;
        // Four eyes compare names: two officials who are both named after their role would be one person.
        if caller::role(&self.name).is_ok() {
            return Err(format!("{} is a role: name the person or the system", self.name));
        }
        let roles = self.roles.split_whitespace().map(caller::role);
        let roles = roles
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        if roles.is_empty() {
            return Err("it gives no role".into());
        }
        // Services are let in before everybody else, and hold certificates of the system's own authority.
        if roles.contains(&Role::Service) {
            return Err("nobody outside is a service of this system".into());
        }
        let caller = Arc::new(Caller { name: self.name, roles });
        Ok(Row { subject, caller })
    }
}

fn attribute(text: &str) -> Result<(&'static str, String), String> {
    let known = ATTRIBUTES.each_ref().map(|(name, _)| *name);
    let told = || format!("{text:?} is not NAME=VALUE with one of the names {}", known.join(", "));
    let (name, value) = text.split_once('=').ok_or_else(told)?;
    let name = known.into_iter().find(|known| *known == name.trim()).ok_or_else(told)?;
    match value.trim() {
        "" => Err(told()),
        value => Ok((name, value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn table(rows: &str) -> anyhow::Result<Callers> {
        Callers::read(format!("subject,name,roles\n{rows}").as_bytes())
    }

    fn certificate(attributes: &[(DnType, &str)]) -> Vec<u8> {
        let mut parameters = CertificateParams::default();
        // rcgen puts one there by itself.
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in attributes {
            parameters.distinguished_name.push(kind.clone(), *value);
        }
        let made = parameters.self_signed(&KeyPair::generate().expect("a key"));
        made.expect("a certificate").der().to_vec()
    }

    #[test]
    fn a_caller_is_whom_the_row_of_his_subject_names_and_everything_in_the_row_has_to_be_his() {
        let callers = table(
            "# of the department\nCN=AHMETOV DANIYAR; OU=BIN000740000728,daniyar,operator approver\nOU=BIN160340014245,tax-committee,subject\n",
        );
        let callers = callers.expect("the table can be used");
        let of = |attributes: &[(DnType, &str)]| callers.caller(&certificate(attributes));
        let (name, unit) = ((DnType::CommonName, "AHMETOV DANIYAR"), DnType::OrganizationalUnitName);
        let country = (DnType::CountryName, "KZ");
        let found = of(&[country.clone(), name.clone(), (unit.clone(), "BIN000740000728")]).expect("he is listed");
        assert_eq!(
            (&*found.name, &*found.roles),
            ("daniyar", &[Role::Operator, Role::Approver][..])
        );
        let system = of(&[(unit.clone(), "BIN160340014245")]).expect("it is listed");
        assert_eq!((&*system.name, &*system.roles), ("tax-committee", &[Role::Subject][..]));
        for strange in [
            vec![name.clone()],
            vec![name.clone(), (unit.clone(), "BIN000000000000")],
            vec![(DnType::CommonName, "BIN160340014245")],
            vec![(unit.clone(), "bin160340014245")],
        ] {
            assert_eq!(of(&strange), Err(CallerError::NotListed), "{strange:?}");
        }
        let both = table("CN=A,a,edms\nO=B,b,edms\n").expect("the table can be used");
        let both = both.caller(&certificate(&[
            (DnType::CommonName, "A"),
            (DnType::OrganizationName, "B"),
        ]));
        assert_eq!(both, Err(CallerError::SeveralNames), "nobody would know who acts");
        assert_eq!(callers.caller(b"no certificate"), Err(CallerError::Unreadable));
    }

    #[test]
    fn everything_that_is_wrong_with_a_table_is_told_with_its_line() {
        let faults = [
            (
                "CN=A,a,operator\nCN=A,b,edms",
                "line 3: the subject stands in the table twice",
            ),
            ("A,a,operator", "line 2: \"A\" is not NAME=VALUE"),
            (
                "DC=A,a,operator",
                "is not NAME=VALUE with one of the names CN, serialNumber, OU, O, C",
            ),
            ("CN=,a,operator", "is not NAME=VALUE"),
            ("C=KZ,a,operator", "line 2: a country alone names nobody"),
            ("CN=A,a b,operator", "is not made of letters"),
            ("CN=A,system,operator", "is reserved"),
            ("CN=A,Operator,operator", "Operator is a role"),
            ("CN=A,a,", "line 2: it gives no role"),
            ("CN=A,a,king", "unknown role \"king\""),
            ("CN=A,a,public", "unknown role \"public\""),
            ("CN=A,form-registry,service", "nobody outside is a service"),
        ];
        for (rows, told) in faults {
            let fault = table(rows).expect_err(rows).to_string();
            assert!(fault.contains(told), "{rows}: {fault}");
        }
        let several = table("C=KZ,a,operator\nCN=B,b,edms\nCN=A,a,king\n").expect_err("two are wrong");
        let several = several.to_string();
        assert!(
            several.contains("line 2: ") && several.contains("line 4: "),
            "{several}"
        );
        for other in [
            "",
            "subject,na",
            "subject,name\nCN=A,a",
            "subject,name,roles,more\nCN=A,a,edms,x",
        ] {
            Callers::read(other.as_bytes()).expect_err("the columns are others");
        }
    }

    #[test]
    fn a_folder_without_an_authority_trusts_nobody_and_an_authority_without_a_table_is_a_mistake() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = || Content::read(folder.path());
        assert!(read().expect("it is empty").is_none());
        std::fs::write(folder.path().join("ca.pem"), "").expect("the folder is ours");
        let fault = read().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(fault.contains("no callers.csv"), "{fault}");
        std::fs::write(folder.path().join("callers.csv"), "").expect("the folder is ours");
        assert!(read().expect("both are there").is_some());
    }
}
