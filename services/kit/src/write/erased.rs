//! Answers whose personal data were erased. The key stays, so that a repetition is told so and is not carried out anew; neither the
//! answer nor the digest of what was asked does.

use jiff::Timestamp;
use legalstat_proto::common::v1::ErrorReason;
use sqlx::PgConnection;
use tonic::Code;

use crate::{Refusal, law::LegalBasis};

/// No message begins with it: it would be the tag of a field with the number 0.
const MARK: u8 = 0;

/// What whoever asks for erased data is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The resource whose data were erased.
    pub resource: String,
    /// When.
    pub at: Timestamp,
    /// The name of the rule by which they were erased; empty when it was ordered for this resource alone.
    pub rule: String,
    /// The law.
    pub legal_basis: LegalBasis,
}

impl Erased {
    /// The refusal of what cannot be told or done without the data.
    pub fn refusal(&self) -> Refusal {
        let Self {
            resource,
            at,
            rule,
            legal_basis,
        } = self;
        let by = if rule.is_empty() { "an order" } else { rule };
        let message = format!("the personal data of {resource} were erased at {at} by {by}");
        let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::DataErased, message);
        let refusal = refusal
            .about(resource)
            .with("erase_time", &at.to_string())
            .legal_basis(legal_basis);
        match rule.as_str() {
            "" => refusal,
            rule => refusal.with("retention_rule", rule),
        }
    }

    /// What is kept in place of an answer: no text in it holds an end of line.
    fn written(&self) -> Vec<u8> {
        let at = self.at.to_string();
        let law = self.legal_basis.notation();
        let text = [&*self.resource, &*at, &*self.rule, &*law].join("\n");
        [&[MARK], text.as_bytes()].concat()
    }

    /// Reads what is kept of an answer; `None` when the answer itself is.
    pub(super) fn read(kept: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(kept.strip_prefix(&[MARK])?);
        let mut parts = text.split('\n').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        Some(Self {
            resource: part(),
            at: part().parse().unwrap_or(Timestamp::UNIX_EPOCH),
            rule: part(),
            legal_basis: LegalBasis::parse(&part()),
        })
    }
}

/// Erases the kept answers about resources, each with what its repetitions are told from now on, and the digests of what was asked.
/// An answer is about a resource when its first field is the name of it, or a name below it. Tells how many were erased.
///
/// The journal says when each was given, and an index on `recorded_at` finds it; a service that erases has one. What follows in the
/// transaction is planned without sequential scans and large joins.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn erase_answers(connection: &mut PgConnection, erased: &[Erased]) -> Result<u64, sqlx::Error> {
    let resources: Vec<&str> = erased.iter().map(|erased| erased.resource.as_str()).collect();
    let told: Vec<Vec<u8>> = erased.iter().map(Erased::written).collect();
    // PostgreSQL takes the span of time for a large part of the table, and would read all of it.
    sqlx::query!(
        r#"SELECT set_config('enable_seqscan', 'off', true) AS "a!", set_config('enable_hashjoin', 'off', true) AS "b!",
             set_config('enable_mergejoin', 'off', true) AS "c!", set_config('jit', 'off', true) AS "d!""#,
    )
    .fetch_one(&mut *connection)
    .await?;
    // A key is claimed when its transaction begins; the journal may be written under a later instant, that of the decision before.
    let done = sqlx::query!(
        "WITH given AS MATERIALIZED (
             SELECT DISTINCT e.caller, e.method, e.recorded_at, about.resource, about.told
             FROM unnest($1::text[], $2::bytea[]) AS about (resource, told)
             JOIN journal_entry AS e ON e.resource = about.resource AND e.outcome <> 'REFUSED' AND e.method NOT LIKE 'jobs/%'
         ), found AS MATERIALIZED (
             SELECT DISTINCT ON (i.caller, i.method, i.request_id) i.caller, i.method, i.request_id, given.told
             FROM given
             JOIN idempotency AS i ON i.recorded_at BETWEEN given.recorded_at - interval '10 seconds' AND given.recorded_at
              AND i.caller = given.caller AND i.method = given.method
              AND substr(i.response, 3, octet_length(given.resource)) = convert_to(given.resource, 'UTF8')
         )
         UPDATE idempotency AS i SET response = found.told, body_sha256 = decode(repeat('00', 32), 'hex')
         FROM found
         WHERE i.caller = found.caller AND i.method = found.method AND i.request_id = found.request_id",
        &resources as _,
        &told,
    );
    Ok(done.execute(connection).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use legalstat_proto::requests::v1::Request;
    use prost::Message as _;

    use super::*;

    fn erased(rule: &str) -> Erased {
        Erased {
            resource: "requests/1".into(),
            at: "2030-01-02T03:04:05.000006Z".parse().expect("an instant"),
            rule: rule.into(),
            legal_basis: LegalBasis::parse("assumed: Order 7, para 2; para 3"),
        }
    }

    #[test]
    fn what_is_kept_of_an_erased_answer_is_read_again_and_is_no_message() {
        for rule in ["", "retentionRules/1"] {
            let told = erased(rule);
            let kept = told.written();
            assert_eq!(Erased::read(&kept), Some(told));
            assert!(Request::decode(kept.as_slice()).is_err());
        }
    }

    #[test]
    fn an_answer_is_not_read_as_erased() {
        let answer = Request {
            name: "requests/1".into(),
            ..Request::default()
        };
        assert_eq!(Erased::read(&answer.encode_to_vec()), None);
        assert_eq!(Erased::read(&[]), None);
    }

    #[test]
    fn the_refusal_names_when_by_which_rule_and_by_which_law() {
        let refusal = erased("retentionRules/1").refusal();
        assert_eq!(refusal.reason, ErrorReason::DataErased);
        let fact = |key: &str| refusal.metadata.get(key).map(String::as_str);
        assert_eq!(fact("resource"), Some("requests/1"));
        assert_eq!(fact("erase_time"), Some("2030-01-02T03:04:05.000006Z"));
        assert_eq!(fact("retention_rule"), Some("retentionRules/1"));
        assert_eq!(fact("legal_basis"), Some("Order 7, para 2; para 3 (assumed)"));
        assert!(!erased("").refusal().metadata.contains_key("retention_rule"));
    }
}
