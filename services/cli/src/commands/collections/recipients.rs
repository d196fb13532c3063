//! Recipients and their keys: `legalstat collections recipients`, `recipient`, `add-recipient`, `update-recipient`, `recipient-keys`,
//! `add-recipient-key`, `retire-recipient-key`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prost_reflect::Value as Field;
use serde_json::{Value, json};
use x509_parser::{pem::parse_x509_pem, prelude::FromDer, x509::SubjectPublicKeyInfo};

use super::{
    super::{Action, Command, Mutation, date, field_mask::Given, instant, name, object, read_text, request},
    SERVICE, list,
};
use crate::{failure::Failure, output::View};

/// The object identifier of Ed25519 (RFC 8410, section 3).
const ED25519: &str = "1.3.101.112";

/// Recipients of collections
#[derive(Subcommand, Debug)]
pub(crate) enum Receiving {
    /// The recipients
    #[command(after_help = "Example:\n  legalstat collections recipients --as-of 2023-01-01")]
    Recipients {
        /// Only those in force on this day, as they are on it [default: all, as they are today]
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// One recipient
    Recipient {
        /// The recipient, recipients/ID or its id
        recipient: String,
        /// As it is on this day [default: today]
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Enter a recipient; an administrator does
    #[command(after_help = "Example:
  legalstat collections add-recipient --as administrator constitutional-court --column 11 --en 'Constitutional Court' --certificate constitutional-court \\
      --from 2023-01-01 --act 'Constitutional Law 153-VII' --reason 'the Council became a Court'")]
    AddRecipient {
        /// Its id: a lower case letter, then such letters, digits and hyphens
        id: String,
        /// Its column in Appendix 1, or one that an act added [default: none, it receives nothing]
        #[arg(long, default_value_t = 0)]
        column: i32,
        /// The first day on which this holds
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        #[command(flatten)]
        facts: Box<Facts>,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Change what is known of a recipient, from a day on, or as a correction; an empty text takes something away
    #[command(after_help = "Examples:
  legalstat collections update-recipient senate --endpoint https://inbox.senate.example:8443 --effective-from 2026-07-01 --reason 'a system' --as administrator
  legalstat collections update-recipient constitutional-council --to 2022-12-31 --successor constitutional-court --reason 'by law' --as administrator")]
    UpdateRecipient {
        /// The recipient, recipients/ID or its id
        recipient: String,
        /// It is otherwise from this day on [default: what is recorded was wrong]
        #[arg(long, value_name = "DATE", value_parser = date)]
        effective_from: Option<Value>,
        #[command(flatten)]
        facts: Box<Facts>,
        /// It has no last day
        #[arg(long, conflicts_with = "to")]
        open: bool,
        /// Why
        #[arg(long)]
        reason: String,
        /// Refuse when the recipient was recorded anew since it had this etag
        #[arg(long, default_value = "")]
        etag: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The keys with which a recipient signs receipts
    RecipientKeys {
        /// The recipient, recipients/ID or its id
        recipient: String,
    },
    /// Add a key with which a recipient signs receipts; an administrator does
    #[command(after_help = "Example:
  openssl genpkey -algorithm ed25519 -out senate.key && openssl pkey -in senate.key -pubout -out senate.pub
  legalstat collections add-recipient-key senate 2026 --public-key senate.pub --reason 'its system is connected' --as administrator")]
    AddRecipientKey {
        /// The recipient, recipients/ID or its id
        recipient: String,
        /// The id of the key: lower case letters and digits with hyphens between them
        key: String,
        /// The public key, Ed25519: a file in PEM or with 64 hexadecimal digits; `-` is standard input
        #[arg(long, value_name = "PATH")]
        public_key: PathBuf,
        /// From when on receipts count by it [default: now]
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        from: Option<Value>,
        /// When they stop to
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        to: Option<Value>,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Say when a key stops; an administrator does
    #[command(after_help = "Example:
  legalstat collections retire-recipient-key senate 2025 --to 2026-06-01T00:00:00+05:00 --reason 'another takes over' --as administrator")]
    RetireRecipientKey {
        /// The recipient, recipients/ID or its id
        recipient: String,
        /// The id of the key
        key: String,
        /// When it stops [default: now]
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        to: Option<Value>,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// What is known of a recipient
#[derive(Args, Debug)]
pub(crate) struct Facts {
    /// Its name in Kazakh
    #[arg(long)]
    kk: Option<String>,
    /// Its name in Russian
    #[arg(long)]
    ru: Option<String>,
    /// Its name in English
    #[arg(long)]
    en: Option<String>,
    /// The body it belongs to, recipients/ID or its id
    #[arg(long)]
    parent: Option<String>,
    /// The name in the certificate of its system
    #[arg(long, value_name = "NAME")]
    certificate: Option<String>,
    /// Where its own server takes copies, https://HOST:PORT
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// What gets its copies after its last day, recipients/ID or its id
    #[arg(long)]
    successor: Option<String>,
    /// The act on which it rests
    #[arg(long)]
    act: Option<String>,
    /// Its article or paragraph
    #[arg(long, requires = "act")]
    provision: Option<String>,
    /// Where the act can be read
    #[arg(long, requires = "act")]
    uri: Option<String>,
    /// The last day on which this holds
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Value>,
}

const RECIPIENTS: View = View::Rows(
    "recipients",
    &[
        ("recipient", "name"),
        ("name", "displayName"),
        ("column", "column"),
        ("part of", "parent"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("legal basis", "legalBasis"),
    ],
);
const KEYS: View = View::Rows(
    "keys",
    &[
        ("key", "name"),
        ("state", "state"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("public key", "publicKey"),
    ],
);

fn recipient(id: &str) -> String {
    name("recipients/", id)
}

/// The name of a recipient that is given, or none.
fn named(id: String) -> String {
    if id.is_empty() { id } else { recipient(&id) }
}

impl Facts {
    fn given(self) -> Given {
        let mut given = Given::default();
        given.localized("display_name", self.kk, self.ru, self.en);
        given.field("parent", self.parent.map(named));
        given.field("certificate_name", self.certificate);
        given.field("endpoint", self.endpoint);
        given.field("successor", self.successor.map(named));
        given.law(self.act, self.provision, self.uri);
        given.field("valid_to", self.to);
        given
    }
}

/// The command that changes something, which an administrator gives.
fn change(method: &'static str, fields: &Value, mutation: &Mutation) -> Result<Command, Failure> {
    let request = mutation.add_to(request(SERVICE, method, fields)?);
    Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
}

impl Receiving {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Recipients { as_of } => list("ListRecipients", object([("asOf", as_of)]), RECIPIENTS),
            Self::Recipient { recipient: id, as_of } => {
                let request = object([("name", Some(json!(recipient(&id)))), ("asOf", as_of)]);
                Command::new(SERVICE, "GetRecipient", Action::Call(request, View::Record))
            }
            Self::RecipientKeys { recipient: id } => {
                list("ListRecipientKeys", json!({ "parent": recipient(&id) }), KEYS)
            }
            Self::AddRecipient {
                id,
                column,
                from,
                facts,
                reason,
                mutation,
            } => {
                let mut fields = facts.given().fields;
                fields.insert("name".into(), json!(recipient(&id)));
                fields.insert("column".into(), json!(column));
                fields.insert("validFrom".into(), from);
                let fields = json!({ "recipient": fields, "reason": reason });
                change("CreateRecipient", &fields, &mutation)?
            }
            Self::UpdateRecipient {
                recipient: id,
                effective_from,
                facts,
                open,
                reason,
                etag,
                mutation,
            } => {
                let mut given = facts.given();
                if open {
                    given.emptied("valid_to");
                }
                let (mask, mut fields) = (given.mask(), given.fields);
                fields.insert("name".into(), json!(recipient(&id)));
                fields.insert("etag".into(), json!(etag));
                let fields = object([
                    ("recipient", Some(Value::Object(fields))),
                    ("updateMask", Some(json!(mask))),
                    ("effectiveFrom", effective_from),
                    ("reason", Some(json!(reason))),
                ]);
                change("UpdateRecipient", &fields, &mutation)?
            }
            Self::AddRecipientKey {
                recipient: id,
                key,
                public_key,
                from,
                to,
                reason,
                mutation,
            } => {
                let fields = object([
                    ("parent", Some(json!(recipient(&id)))),
                    ("keyId", Some(json!(key))),
                    ("validFrom", from),
                    ("validTo", to),
                    ("reason", Some(json!(reason))),
                ]);
                let mut message = request(SERVICE, "AddRecipientKey", &fields)?;
                message.set_field_by_name("public_key", Field::Bytes(read_public_key(&public_key)?.into()));
                let action = Action::Send(mutation.add_to(message), View::Record);
                Command::new(SERVICE, "AddRecipientKey", action)
            }
            Self::RetireRecipientKey {
                recipient: id,
                key,
                to,
                reason,
                mutation,
            } => {
                let fields = object([
                    ("name", Some(json!(format!("{}/signingKeys/{key}", recipient(&id))))),
                    ("validTo", to),
                    ("reason", Some(json!(reason))),
                ]);
                change("RetireRecipientKey", &fields, &mutation)?
            }
        })
    }
}

/// Reads the public key of Ed25519 from a file.
fn read_public_key(path: &Path) -> Result<Vec<u8>, Failure> {
    let (text, source) = read_text(path)?;
    public_key(&text).map_err(|told| Failure::usage(format!("{source}: {told}")))
}

/// The public key in a text: `-----BEGIN PUBLIC KEY-----` (RFC 8410), or hexadecimal.
fn public_key(text: &str) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "no public key of Ed25519: PEM as `openssl pkey -pubout` writes it, or 64 hexadecimal digits";
    if text.contains("PRIVATE KEY") {
        return Err("this is a private key, which stays with its owner: `openssl pkey -pubout` writes the public one");
    }
    let Ok((_, pem)) = parse_x509_pem(text.as_bytes()) else {
        let bytes = hex::decode(text.trim()).map_err(|_| WRONG)?;
        return Some(bytes).filter(|bytes| bytes.len() == 32).ok_or(WRONG);
    };
    let (_, key) = SubjectPublicKeyInfo::from_der(&pem.contents).map_err(|_| WRONG)?;
    if key.algorithm.algorithm.to_id_string() != ED25519 {
        return Err(WRONG);
    }
    Ok(key.subject_public_key.data.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of RFC 8410, section 10.1.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    const HEX: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    #[test]
    fn a_public_key_is_read_from_pem_and_from_hexadecimal() {
        assert_eq!(public_key(PEM), public_key(HEX));
        assert_eq!(public_key(&format!("{HEX}\n")).map(hex::encode).as_deref(), Ok(HEX));
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_a_private_one_is_told_as_such() {
        for text in [
            "",
            "12",
            &HEX[2..],
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
        ] {
            assert!(public_key(text).is_err(), "{text:?}");
        }
        let told = public_key("-----BEGIN PRIVATE KEY-----\n").expect_err("it stays with its owner");
        assert!(told.contains("private key"), "{told}");
    }
}
