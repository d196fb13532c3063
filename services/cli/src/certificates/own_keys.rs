//! Certificates for keys that their owners made, and the list of all that the authority has signed.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use legalstat_local::{
    added,
    authority::{Authority, Issued, NotSigned, SigningRequest, State, Usage},
    folder::write_chosen,
};
use legalstat_proto::common::v1::Role;
use serde_json::{Value, json};

use super::{AddedRole, host_of_caller, usages};
use crate::{
    failure::Failure,
    output::{self, Format},
};

/// The longest that a signed certificate is valid, in days: the authority's own is renewed before it could end earlier.
const LONGEST: i64 = 825;

/// Sign the request of whoever made his own key, another body's system for one
///
/// The private key stays with its owner: of the request only the public key counts, and the proof that its owner has the private one.
/// Name and roles are yours to say. The certificate goes to standard output or --out, and authority/signed/ keeps it. The same
/// request for the same party gives the same certificate again. Services take calls under it at once. Its holder also needs the authority's
/// certificate, authority/ca.pem. A key that was made here for the name is given up: its certificates are revoked.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout me.key -out me.csr -subj /CN=tax-committee
  legalstat certificates sign --csr me.csr --name tax-committee --role subject --out me.pem")]
pub(super) struct Sign {
    /// The certificate signing request in PEM; `-` for standard input
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    /// The name in the certificate: letters, digits, '-', '_' and '.', that of a person or a system and not of a role
    #[arg(long)]
    name: String,
    /// What the holder may do; may be repeated
    #[arg(long, required = true)]
    role: Vec<AddedRole>,
    /// Under which name or address the holder serves too, as a recipient with an inbox does; may be repeated
    #[arg(long, value_parser = host_of_caller)]
    host: Vec<String>,
    #[command(flatten)]
    made: Made,
}

/// Give a new certificate for the key that a certificate was signed for before
///
/// From 30 days before its end on, or from a third of --days; before that it gives the one that there is. The old one can be used until it
/// ends. For a new key use `sign`. Keys that were made here are renewed by `up`, and by `certificates` without a command.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: legalstat certificates renew tax-committee --out me.pem")]
pub(super) struct Renew {
    /// Whose certificate
    name: String,
    #[command(flatten)]
    made: Made,
}

#[derive(clap::Args, Debug)]
struct Made {
    /// How long a new certificate is valid, in days, at most 825
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=LONGEST))]
    days: i64,
    /// The file for the certificate, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// List every certificate that the authority has signed, by name
///
/// `REPLACED` is one whose name has another that ends later. A certificate ends at the instant in its column UNTIL.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: legalstat certificates list --expiring 30d")]
pub(super) struct List {
    /// Only what ends within this time, or ended no longer ago, and is neither replaced nor revoked: 30d is 30 days
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiring: Option<SignedDuration>,
}

fn days(text: &str) -> Result<SignedDuration, &'static str> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok());
    days.map(|days| SignedDuration::from_hours(24 * i64::from(days)))
        .ok_or("write a number of days, as 30d")
}

impl Sign {
    pub(super) fn run(self, folder: &Path) -> Result<(), Failure> {
        let authority = Authority::open_or_create(folder)?;
        let mut faults = Vec::new();
        let roles = self.roles();
        let request = self.request().map_err(|refused| faults.extend(refused)).ok();
        // Until the certificate is recorded nobody else gets the name.
        let alone = authority.alone()?;
        let there = there(folder, &authority)?;
        if let Err(refused) = added::check(&there, &self.name, &roles) {
            faults.push(format!("--name: {refused}"));
        }
        let (Some(request), true) = (request, faults.is_empty()) else {
            return Err(Failure::usage(faults.join("\n  ")));
        };
        let usage = self
            .host
            .iter()
            .fold(Usage::caller(&self.name, &roles), |usage, host| usage.reached_as(host));
        let given_up = made_here(&authority, &self.name)?;
        let signed = authority.sign(&request, &usage, self.made.days, &alone);
        self.made.give(&signed.map_err(refused)?, &authority)?;
        if !given_up.is_empty() {
            output::tell(&format!(
                "revoked, since the key is its owner's now: {}, whose key was made here",
                given_up.join(", ")
            ));
        }
        Ok(())
    }

    fn roles(&self) -> Vec<Role> {
        let mut roles: Vec<Role> = self.role.iter().flat_map(|role| role.of_contracts()).copied().collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    fn request(&self) -> Result<SigningRequest, Vec<String>> {
        let shown = self.csr.display();
        let mut text = Vec::new();
        let read = match self.csr.as_os_str() == "-" {
            true => std::io::stdin().lock().read_to_end(&mut text).map(|_| ()),
            false => std::fs::read(&self.csr).map(|read| text = read),
        };
        read.map_err(|error| vec![format!("--csr: cannot read {shown}: {error}")])?;
        SigningRequest::read(&text)
            .map_err(|faults| faults.iter().map(|fault| format!("--csr: {shown}: {fault}")).collect())
    }
}

impl Renew {
    pub(super) fn run(self, folder: &Path) -> Result<(), Failure> {
        let authority = Authority::open_or_create(folder)?;
        require_known(&authority, &self.name)?;
        let renewed = authority.renew(&self.name, self.made.days);
        self.made.give(&renewed.map_err(refused)?, &authority)
    }
}

impl Made {
    fn give(&self, (issued, is_new): &(Issued, bool), authority: &Authority) -> Result<(), Failure> {
        match &self.out {
            Some(file) => write_chosen(file, issued.pem.as_bytes())?,
            None => output::write_content(issued.pem.as_bytes())?,
        }
        let told = if *is_new { "signed" } else { "signed before" };
        output::tell(&format!(
            "{told} for {}: {}, valid until {}; give its holder the authority's certificate too, {}",
            issued.name,
            issued.serial_text(),
            issued.until,
            authority.certificate_path().display()
        ));
        Ok(())
    }
}

impl List {
    pub(super) fn run(self, folder: &Path, format: Format) -> Result<(), Failure> {
        let issued = Authority::open_or_create(folder)?.issued()?;
        let shown = issued
            .iter()
            .filter(|one| self.expiring.is_none_or(|ahead| one.ends_within(ahead)));
        let rows: Vec<Value> = shown.map(row).collect();
        let list = json!({ "certificates": rows });
        let columns = [
            ("name", "name"),
            ("roles", "roles"),
            ("until", "until"),
            ("state", "state"),
            ("key made", "key"),
            ("serial", "serial"),
        ];
        Ok(output::show(
            &list,
            format,
            &output::rows(&list["certificates"], &columns),
        )?)
    }
}

fn row(issued: &Issued) -> Value {
    let state = match issued.state {
        State::Valid => "VALID",
        State::Replaced => "REPLACED",
        State::Expired => "EXPIRED",
        State::Revoked => "REVOKED",
    };
    let roles = issued.roles.iter().map(|role| role.as_str_name()).collect::<Vec<_>>();
    json!({
        "name": issued.name,
        "roles": roles,
        "serial": issued.serial_text(),
        "from": issued.from.to_string(),
        "until": issued.until.to_string(),
        "state": state,
        "key": if issued.has_key_here { "here" } else { "by its owner" },
    })
}

/// Everyone who has a certificate, whoever made the key.
pub(super) fn there(folder: &Path, authority: &Authority) -> anyhow::Result<Vec<Usage>> {
    Ok(usages(folder)?.into_iter().chain(signed(authority)?).collect())
}

/// The serial numbers of what can be used of a name whose key was made here.
fn made_here(authority: &Authority, name: &str) -> anyhow::Result<Vec<String>> {
    let issued = authority.issued()?.into_iter();
    let here = issued.filter(|one| one.name == name && one.has_key_here);
    let usable = here.filter(|one| matches!(one.state, State::Valid | State::Replaced));
    Ok(usable.map(|one| one.serial_text()).collect())
}

/// Whoever had a key of his own signed.
pub(super) fn signed(authority: &Authority) -> anyhow::Result<Vec<Usage>> {
    let issued = authority.issued()?.into_iter();
    Ok(issued.filter(|one| !one.has_key_here).map(|one| one.usage()).collect())
}

/// Refuses a name that has no certificate, and says which names have one.
pub(super) fn require_known(authority: &Authority, name: &str) -> Result<(), Failure> {
    let mut names: Vec<String> = authority.issued()?.into_iter().map(|issued| issued.name).collect();
    names.dedup();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "nobody has a certificate of the name {name:?}; there are {}",
        names.join(", ")
    )))
}

fn refused(refused: NotSigned) -> Failure {
    match refused {
        NotSigned::Other(error) => Failure::Other(error),
        refused => Failure::usage(refused.to_string()),
    }
}
