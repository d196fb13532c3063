//! Coupons: where a request stands for who holds one, and whether one is the service's.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use legalstat_proto::{
    common::v1::SigningKey,
    requests::v1::{ListSigningKeysResponse, Request, SubmitRequestRequest},
};
use legalstat_request_intake::coupons;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{connect, read_typed, requests::SERVICE};
use crate::{
    failure::Failure,
    message,
    options::Options,
    output::{self, Language, View},
    place::ServiceName,
};

/// The longest secret that is read from a file, with room for blanks.
const LONGEST: u64 = 1000;

/// Reads the secret of a coupon: from a file, or from the terminal, which does not show it.
pub(super) fn secret(file: Option<&Path>) -> Result<String, Failure> {
    let read = match file {
        None => rpassword::prompt_password("Secret of the coupon: "),
        Some(path) if path.as_os_str() == "-" => read_line(std::io::stdin().lock()),
        Some(path) => fs::File::open(path).and_then(read_line),
    };
    let secret = read.map_err(|error| {
        Failure::usage(format!(
            "the secret cannot be read: {error}; without a terminal give it in a file, with --secret-file"
        ))
    })?;
    Ok(secret.trim().to_owned())
}

fn read_line(from: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Where a request stands, as a page for a person in a language.
pub(super) fn status(response: &Value, language: Language) -> String {
    let note = |note: &Value| {
        let text = language.of(&note["text"]["kk"], &note["text"]["ru"], &note["text"]["en"]);
        let (text, law) = (text.as_str().unwrap_or_default(), &note["legalBasis"]);
        match (law["act"].as_str(), law["provision"].as_str()) {
            (Some(act), Some(provision)) if !act.is_empty() => {
                let assumed = if law["assumed"] == json!(true) { "assumed: " } else { "" };
                format!("{text} [{assumed}{act}, {provision}]")
            }
            _ => text.to_owned(),
        }
    };
    let day = |date: &Value| {
        let part = |name: &str| date[name].as_i64().unwrap_or_default();
        format!("{:04}-{:02}-{:02}", part("year"), part("month"), part("day"))
    };
    let mut lines = vec![note(&response["stands"])];
    if response["awaited"].is_object() {
        lines.push(note(&response["awaited"]));
    }
    let findings = response["findings"].as_array().into_iter().flatten();
    lines.extend(findings.map(|finding| format!("- {}", note(finding))));
    let text = |name: &str| response[name].as_str().unwrap_or_default().to_owned();
    lines.push(format!("coupon {} of {}", text("couponNumber"), text("acceptedAt")));
    if response["registeredOn"].is_object() {
        lines.push(format!(
            "number {} of {}",
            text("registrationNumber"),
            day(&response["registeredOn"])
        ));
    }
    if response["dueDate"].is_object() {
        let provisional = if response["dueDateProvisional"] == json!(true) {
            ", provisional"
        } else {
            ""
        };
        lines.push(format!("answer due by {}{provisional}", day(&response["dueDate"])));
    }
    lines.join("\n")
}

/// A check of a saved coupon.
pub(crate) struct Verification {
    /// The answer that has the coupon.
    pub(super) answer: PathBuf,
    /// The keys, saved; those of the service without them.
    pub(super) keys: Option<PathBuf>,
    /// What was submitted.
    pub(super) submitted: Option<PathBuf>,
}

impl Verification {
    /// Checks, and says what is proved.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let answer: Request = read_typed(&self.answer, "legalstat.requests.v1.Request")?;
        let submitted: Option<SubmitRequestRequest> = match &self.submitted {
            Some(file) => Some(read_typed(file, "legalstat.requests.v1.SubmitRequestRequest")?),
            None => None,
        };
        let keys = self.keys(options).await?;
        let (proved, text) = proved(&answer, submitted.as_ref(), &keys)?;
        Ok(output::show(&proved, options.output, &text)?)
    }

    async fn keys(&self, options: &Options) -> Result<Vec<SigningKey>, Failure> {
        const LIST: &str = "legalstat.requests.v1.ListSigningKeysResponse";
        let listed: ListSigningKeysResponse = match &self.keys {
            Some(file) => read_typed(file, LIST)?,
            None => {
                let connection = connect(options, ServiceName::RequestIntake)?;
                let listed = connection
                    .list(&format!("{SERVICE}/ListSigningKeys"), &json!({}))
                    .await?;
                message::typed(&message::of(&message::named(LIST), &listed)?)?
            }
        };
        Ok(listed.signing_keys)
    }
}

/// What a coupon proves, for scripts and for people.
fn proved(
    answer: &Request,
    submitted: Option<&SubmitRequestRequest>,
    keys: &[SigningKey],
) -> Result<(Value, String), Failure> {
    let refuse = |what: String| Failure::Other(anyhow::anyhow!(what));
    let coupon = answer.coupon.as_ref().filter(|coupon| !coupon.signature.is_empty());
    let coupon = coupon.ok_or_else(|| refuse("the answer has no signed coupon".into()))?;
    let key = keys.iter().find(|key| key.id == coupon.key);
    let key = key.ok_or_else(|| refuse(format!("the key {} is not among those of the service", coupon.key)))?;
    let signed = coupons::signed(answer)?;
    let verified = UnparsedPublicKey::new(&ED25519, &key.public_key).verify(&signed, &coupon.signature);
    verified.map_err(|_| {
        refuse(format!(
            "the coupon {} is not signed by the key {}",
            coupon.number, coupon.key
        ))
    })?;
    let mut text = format!(
        "The service signed coupon {} with its key {}: {} was accepted by {} at {}.",
        coupon.number,
        coupon.key,
        answer.name,
        coupon.accepted_by,
        coupon.accepted_at.map(|at| at.to_string()).unwrap_or_default()
    );
    if let Some(submitted) = submitted {
        let request = submitted.request.clone().unwrap_or_default();
        if hex::encode(coupons::content_sha256(&request)?) != coupon.content_sha256 {
            let what = "the coupon is the service's, and what it received is not what the file holds";
            return Err(refuse(format!("{what}: its digest is {}", coupon.content_sha256)));
        }
        text += "\nWhat it received is what the file holds.";
    }
    let proved = json!({
        "request": answer.name, "couponNumber": coupon.number, "key": coupon.key, "contentSha256": coupon.content_sha256,
        "contentCompared": submitted.is_some(),
    });
    Ok((proved, text))
}

/// How the status is shown.
pub(super) fn status_view(language: Language) -> View {
    View::Text(status, language)
}

#[cfg(test)]
mod tests {
    use legalstat_proto::requests::v1::Coupon;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn signed() -> (Request, SubmitRequestRequest, Vec<SigningKey>) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let request = Request {
            essence: "crimes".into(),
            ..Default::default()
        };
        let digest = coupons::content_sha256(&request).expect("it has one");
        let mut answer = Request {
            name: "requests/0192".into(),
            coupon: Some(Coupon {
                number: "20260302-7K3M9QZ0".into(),
                accepted_at: Some(Default::default()),
                accepted_by: "edms".into(),
                content_sha256: hex::encode(digest),
                key: "one".into(),
                ..Default::default()
            }),
            ..request.clone()
        };
        let signature = pair.sign(&coupons::signed(&answer).expect("it has a text"));
        answer.coupon.as_mut().expect("it has one").signature = signature.as_ref().to_vec();
        let submitted = SubmitRequestRequest {
            request: Some(request),
            ..Default::default()
        };
        let key = SigningKey {
            id: "one".into(),
            public_key: pair.public_key().as_ref().to_vec(),
            ..Default::default()
        };
        (answer, submitted, vec![key])
    }

    #[test]
    fn a_coupon_is_the_services_or_it_is_said_what_is_wrong_with_it() {
        let (answer, submitted, keys) = signed();
        let (told, text) = proved(&answer, Some(&submitted), &keys).expect("it is sound");
        assert_eq!(told["contentCompared"], true);
        assert!(
            text.contains("20260302-7K3M9QZ0") && text.contains("1970-01-01T00:00:00Z"),
            "{text}"
        );
        let told = |answer: &Request, submitted: &SubmitRequestRequest, keys: &[SigningKey]| {
            let refused = proved(answer, Some(submitted), keys).err();
            refused.map(|failure| failure.to_string()).unwrap_or_default()
        };
        let mut unsigned = answer.clone();
        unsigned.coupon.as_mut().expect("it has one").signature.clear();
        assert!(told(&unsigned, &submitted, &keys).contains("no signed coupon"));
        let mut forged = answer.clone();
        forged.name = "requests/0193".into();
        assert!(told(&forged, &submitted, &keys).contains("is not signed by"));
        assert!(told(&answer, &submitted, &[]).contains("not among"));
        let mut other = submitted.clone();
        other.request.as_mut().expect("it has one").essence = "offences".into();
        assert!(told(&answer, &other, &keys).contains("not what the file holds"));
    }

    #[test]
    fn a_status_is_told_in_words_with_law_and_days() {
        let response = json!({
            "couponNumber": "20260302-7K3M9QZ0", "acceptedAt": "2026-03-02T05:00:00Z", "registrationNumber": "2026-000001",
            "stands": { "text": { "kk": "К", "ru": "Р", "en": "It is registered." },
                        "legalBasis": { "act": "Instruction", "provision": "para 6", "assumed": true } },
            "awaited": { "text": { "kk": "К", "ru": "Р", "en": "An answer." } },
            "findings": [{ "text": { "kk": "К", "ru": "Р", "en": "No period." } }],
            "registeredOn": { "year": 2026, "month": 3, "day": 2 }, "dueDate": { "year": 2026, "month": 4, "day": 2 },
            "dueDateProvisional": true,
        });
        let expected = "It is registered. [assumed: Instruction, para 6]\nAn answer.\n- No period.\n\
            coupon 20260302-7K3M9QZ0 of 2026-03-02T05:00:00Z\nnumber 2026-000001 of 2026-03-02\n\
            answer due by 2026-04-02, provisional";
        assert_eq!(status(&response, Language::En), expected);
        assert!(status(&response, Language::Kk).starts_with("К ["));
    }

    #[test]
    fn a_secret_in_a_file_is_read_without_its_line_end() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), " 7K3M9-QZ04T\n").expect("it is written");
        assert_eq!(secret(Some(file.path())).expect("it is read"), "7K3M9-QZ04T");
        secret(Some(Path::new("/none"))).expect_err("it is not there");
    }
}
