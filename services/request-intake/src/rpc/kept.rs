//! What is kept of an answer to SubmitRequest for its repetition: the message without what other requests share with it,
//! and references to that. A repetition gets the very bytes of the first answer.

use legalstat_proto::requests::v1 as proto;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{convert, coupons::Coupons, earlier};
use crate::{
    db,
    domain::{examination::Check, names},
    shared_texts::SharedTexts,
};

/// The references stand behind the message as fields that it does not have, so that a decoder of either skips the other.
#[derive(Clone, PartialEq, Message)]
struct References {
    /// The ids of its findings, 16 bytes each, as releases before kept them: those of its first round are with the request.
    #[prost(bytes = "vec", tag = "100001")]
    findings: Vec<u8>,
    /// The digest of the explanation of its due date.
    #[prost(bytes = "vec", tag = "100002")]
    explanation: Vec<u8>,
}

/// What is kept of an answer. What was signed stands with the request, and the secret of its coupon stands nowhere.
pub(super) fn keep(answer: &mut proto::Request, explanation: Option<&[u8; 32]>) -> Vec<u8> {
    let checks = answer
        .examination
        .as_mut()
        .map(|examination| std::mem::take(&mut examination.checks));
    let steps = answer
        .deadline
        .as_mut()
        .map(|deadline| std::mem::take(&mut deadline.steps));
    let proof = answer.coupon.as_mut().map(|coupon| {
        let bare = proto::Coupon {
            number: coupon.number.clone(),
            accepted_at: coupon.accepted_at,
            accepted_by: coupon.accepted_by.clone(),
            ..Default::default()
        };
        std::mem::replace(coupon, bare)
    });
    let mut kept = answer.encode_to_vec();
    if proof.is_some() {
        answer.coupon = proof;
    }
    let references = References {
        findings: Vec::new(),
        explanation: explanation.map(|digest| digest.to_vec()).unwrap_or_default(),
    };
    kept.extend(references.encode_to_vec());
    if let Some((examination, checks)) = answer.examination.as_mut().zip(checks) {
        examination.checks = checks;
    }
    if let Some((deadline, steps)) = answer.deadline.as_mut().zip(steps) {
        deadline.steps = steps;
    }
    kept
}

/// The answer of which this was kept.
///
/// # Errors
/// When the database fails, or what was kept cannot be read.
pub(super) async fn recall(
    connection: &mut PgConnection,
    texts: &SharedTexts,
    coupons: &Coupons,
    kept: &[u8],
) -> anyhow::Result<proto::Request> {
    let mut answer = proto::Request::decode(kept)?;
    let references = References::decode(kept)?;
    let is_whole = |examination: &proto::Examination| !examination.checks.is_empty();
    let ids = match references.findings.as_slice() {
        // Earlier releases kept whole answers.
        [] if answer.examination.as_ref().is_some_and(is_whole) => Vec::new(),
        [] => first_findings(connection, &answer.name).await?,
        kept => kept.chunks_exact(16).map(Uuid::from_slice).collect::<Result<_, _>>()?,
    };
    if let Some(examination) = answer.examination.as_mut().filter(|_| !ids.is_empty()) {
        let checks = texts.checks(connection, &ids).await?;
        examination.checks = checks.iter().map(|check| convert::check(Check::clone(check))).collect();
        // An official was told of whatever was found, and who was not told is not told now.
        earlier::conceal(&mut answer);
    }
    if let Some(deadline) = answer.deadline.as_mut().filter(|_| !references.explanation.is_empty()) {
        let steps = texts
            .steps(connection, &references.explanation.as_slice().try_into()?)
            .await?;
        deadline.steps = steps.iter().map(convert::step).collect();
    }
    if let Some((coupon, id)) = answer.coupon.as_mut().zip(names::parse_request(&answer.name))
        && let Some(proof) = db::request::proof(connection, id).await?
    {
        let secret = coupons.secret(&proof.key, &coupon.number);
        coupon.secret = secret.map(|secret| secret.written()).unwrap_or_default();
        convert::prove(coupon, proof);
    }
    Ok(answer)
}

/// What the first round of a request's examination found.
async fn first_findings(connection: &mut PgConnection, name: &str) -> anyhow::Result<Vec<Uuid>> {
    match names::parse_request(name) {
        Some(id) => Ok(db::examination::first_findings(connection, id).await?),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_no_field_with_the_number_of_a_reference() {
        let request = legalstat_proto::descriptors()
            .get_message_by_name("legalstat.requests.v1.Request")
            .expect("it is in the contracts");
        for number in [100_001, 100_002] {
            assert!(request.get_field(number).is_none());
        }
    }

    #[test]
    fn what_is_kept_has_no_texts_of_checks_and_steps_and_no_secret_and_the_answer_stays_whole() {
        let mut answer = proto::Request {
            essence: "crimes".into(),
            examination: Some(proto::Examination {
                checks: vec![proto::Check::default()],
                ..Default::default()
            }),
            deadline: Some(legalstat_proto::calendar::v1::Deadline {
                steps: vec![Default::default()],
                ..Default::default()
            }),
            coupon: Some(proto::Coupon {
                number: "1".into(),
                key: "a-key".into(),
                signature: vec![1; 64],
                secret: "A-SECRET".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let before = answer.clone();
        let kept = keep(&mut answer, Some(&[1; 32]));
        assert_eq!(answer, before);
        let stripped = proto::Request::decode(kept.as_slice()).expect("the references are skipped");
        assert!(stripped.examination.expect("it is there").checks.is_empty());
        let bare = proto::Coupon {
            number: "1".into(),
            ..Default::default()
        };
        assert_eq!(stripped.coupon, Some(bare));
        assert!(stripped.deadline.expect("it is there").steps.is_empty());
    }
}
