//! Coupons: the digest of what was received, the service's signature, and the holder's secret. The contract's `Coupon` tells how
//! each is made.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use legalstat_kit::{
    canonical,
    door::wire,
    signing::{Keys, SigningKeys},
};
use legalstat_proto::requests::v1 as proto;
use prost_reflect::MessageDescriptor;
use ring::hmac;
use serde::Serialize;

use crate::domain::{
    names,
    request::{Proof, Receipt},
    secret::Secret,
};

/// What the keys of secrets are derived for.
const SECRETS: &str = "coupon secret";

static REQUEST: LazyLock<MessageDescriptor> = LazyLock::new(|| canonical::descriptor("legalstat.requests.v1.Request"));

/// The digest of a request as it was sent: the contract's `Coupon` tells of what.
///
/// # Errors
/// A request that has no proto3 JSON.
pub fn content_sha256(request: &proto::Request) -> anyhow::Result<[u8; 32]> {
    Ok(wire::sha256(&canonical::of_message(REQUEST.clone(), request)?))
}

/// What is signed of a coupon.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signed<'a> {
    accepted_at: String,
    accepted_by: &'a str,
    content_sha256: String,
    number: &'a str,
    request: String,
}

/// What is signed of the coupon of an answer: the contract's `Coupon` tells how it is made. Empty without a coupon.
///
/// # Errors
/// Never: texts have a canonical form.
pub fn signed(answer: &proto::Request) -> anyhow::Result<Vec<u8>> {
    let Some(coupon) = &answer.coupon else {
        return Ok(Vec::new());
    };
    canonical::of(&Signed {
        accepted_at: coupon.accepted_at.map(|at| at.to_string()).unwrap_or_default(),
        accepted_by: &coupon.accepted_by,
        content_sha256: coupon.content_sha256.clone(),
        number: &coupon.number,
        request: answer.name.clone(),
    })
}

/// Makes coupons with the keys as they are.
#[derive(Clone)]
pub struct Coupons {
    keys: SigningKeys,
}

impl Coupons {
    pub fn new(keys: SigningKeys) -> Self {
        Self { keys }
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        self.keys.now()
    }

    /// Signs a receipt of what has this digest, with the key in use at its time, and gives its secret.
    ///
    /// # Errors
    /// Never: the key in use signs, and texts have a canonical form.
    pub(super) fn sign(&self, receipt: &mut Receipt, content_sha256: [u8; 32]) -> anyhow::Result<Secret> {
        let keys = self.keys.now();
        let key = keys.in_use(receipt.accepted_at);
        let signature = key.sign(&canonical::of(&Signed {
            accepted_at: instant(receipt.accepted_at),
            accepted_by: &receipt.accepted_by,
            content_sha256: hex::encode(content_sha256),
            number: &receipt.coupon_number,
            request: names::request(receipt.id),
        })?);
        let proof = signature.map(|signature| Proof {
            content_sha256,
            key: key.id.clone(),
            signature,
        });
        let secret = secret(&keys, &key.id, &receipt.coupon_number);
        let (proof, secret) = proof
            .zip(secret)
            .ok_or_else(|| anyhow::anyhow!("the key in use does not sign"))?;
        receipt.proof = Some(proof);
        Ok(secret)
    }

    /// The secret of a coupon that this key signed; `None` once its private part is destroyed.
    pub(super) fn secret(&self, key: &str, coupon_number: &str) -> Option<Secret> {
        secret(&self.keys.now(), key, coupon_number)
    }
}

fn secret(keys: &Keys, key: &str, coupon_number: &str) -> Option<Secret> {
    let derived = keys.get(key)?.derived(SECRETS)?;
    let tag = hmac::sign(&derived, coupon_number.as_bytes());
    Some(Secret::of(tag.as_ref().try_into().ok()?))
}

/// An instant as proto3 JSON writes it.
fn instant(at: Timestamp) -> String {
    wire::to_timestamp(at).to_string()
}
