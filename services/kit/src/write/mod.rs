//! What every write does, in one transaction: idempotency row, state change, journal entry, outbox event. All or none.

use legalstat_proto::common::v1::ErrorReason;
use prost::Message;
use rand::RngExt;
use sqlx::{PgConnection, Postgres, Transaction};
use tonic::Code;
use uuid::Uuid;

use crate::{Call, Context, Error, Refusal, call::caller::Role, door::wire, schema::Tables};

/// The tables of the write path, which every schema has.
pub static TABLES: Tables = Tables::of_kit(sqlx::migrate!("./migrations/write"));

/// A mutation as its caller asked for it.
pub struct Mutation<'a> {
    /// Who calls what.
    pub call: &'a Call,
    /// The caller's id for it.
    pub request_id: Uuid,
    /// Check everything, change nothing.
    pub validate_only: bool,
    /// SHA-256 of everything that was asked: the same id with another body is refused.
    pub body_sha256: [u8; 32],
}

impl<'a> Mutation<'a> {
    /// The mutation that a message asks for.
    pub fn of(call: &'a Call, request_id: Uuid, validate_only: bool, request: &impl Message) -> Self {
        Self {
            call,
            request_id,
            validate_only,
            body_sha256: wire::sha256(&request.encode_to_vec()),
        }
    }
}

/// What one write does to one resource.
pub struct Change {
    /// The resource.
    pub resource: String,
    /// The event, for example `edition.placed`.
    pub kind: String,
    /// SHA-256 of what was done: the journal keeps it salted.
    pub body_sha256: [u8; 32],
}

/// How a mutation begins.
pub enum Begun<R> {
    /// It was carried out before; this is the answer given then.
    Replayed(R),
    /// It is this caller's to carry out.
    Claimed(Write),
}

/// A transaction that has claimed its mutation. Dropping it rolls everything back.
pub struct Write {
    transaction: Transaction<'static, Postgres>,
    caller: String,
    roles: Vec<String>,
    method: &'static str,
    request_id: Uuid,
    validate_only: bool,
    body_sha256: [u8; 32],
    now: jiff::Timestamp,
}

/// Begins a mutation: claims its key, or finds the answer given before. A call with the same key that is still running
/// is waited for.
///
/// # Errors
/// INVALID_ARGUMENT with REQUEST_ID_REUSED when the key was used for another body.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin<R: Message + Default>(context: &Context, mutation: &Mutation<'_>) -> Result<Begun<R>, Error> {
    let mut transaction = context.db.begin().await?;
    let now = context.now();
    let claimed = sqlx::query!(
        "INSERT INTO idempotency (caller, method, request_id, body_sha256, response, recorded_at)
         VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING",
        mutation.call.caller.name,
        mutation.call.method,
        mutation.request_id,
        mutation.body_sha256.as_slice(),
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if claimed == 0 {
        return replay(transaction, mutation).await;
    }
    Ok(Begun::Claimed(Write {
        transaction,
        caller: mutation.call.caller.name.clone(),
        roles: role_names(&mutation.call.caller.roles),
        method: mutation.call.method,
        request_id: mutation.request_id,
        validate_only: mutation.validate_only,
        body_sha256: mutation.body_sha256,
        now,
    }))
}

/// Begins a mutation that a job of the service makes, named as in [`Call::system`].
///
/// # Errors
/// When the database fails.
pub async fn begin_job(context: &Context, method: &'static str) -> anyhow::Result<Write> {
    let call = Call::system(method);
    let mutation = Mutation {
        call: &call,
        request_id: Uuid::new_v4(),
        validate_only: false,
        body_sha256: wire::sha256(b""),
    };
    match begin::<()>(context, &mutation).await.map_err(Error::of_job)? {
        Begun::Claimed(write) => Ok(write),
        Begun::Replayed(()) => anyhow::bail!("an id made a moment ago was used before"),
    }
}

async fn replay<R: Message + Default>(
    mut transaction: Transaction<'static, Postgres>,
    mutation: &Mutation<'_>,
) -> Result<Begun<R>, Error> {
    let earlier = sqlx::query!(
        "SELECT body_sha256, response FROM idempotency WHERE caller = $1 AND method = $2 AND request_id = $3",
        mutation.call.caller.name,
        mutation.call.method,
        mutation.request_id,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if earlier.body_sha256 != mutation.body_sha256 {
        return Err(Refusal::new(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused,
            "this request_id was already used for a call with another body",
        )
        .into());
    }
    let response = R::decode(earlier.response.as_slice())
        .map_err(|error| anyhow::Error::new(error).context("a stored response"))?;
    Ok(Begun::Replayed(response))
}

/// Whether this caller's call of this method with this id was answered before, for calls that must decide before they
/// have their whole body.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn was_answered(context: &Context, call: &Call, request_id: Uuid) -> Result<bool, Error> {
    let answered = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM idempotency WHERE caller = $1 AND method = $2 AND request_id = $3) AS "answered!""#,
        call.caller.name,
        call.method,
        request_id,
    );
    Ok(answered.fetch_one(&context.db).await?)
}

pub(crate) fn role_names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str_name().to_owned()).collect()
}

impl Write {
    /// The connection inside the transaction.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The one instant of everything this write records.
    pub fn now(&self) -> jiff::Timestamp {
        self.now
    }

    /// Moves the instant of this write on, when it waited for another one and must come after it.
    pub fn not_before(&mut self, instant: jiff::Timestamp) {
        self.now = self.now.max(instant);
    }

    /// Stores the answer, the journal entry and the event, and commits; with `validate_only` rolls back instead.
    /// `kind` names the event, for example `edition.placed`.
    ///
    /// # Errors
    /// When the database fails; then nothing is done.
    pub async fn commit<R: Message>(self, resource: &str, kind: &str, response: R) -> Result<R, Error> {
        let change = Change {
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            body_sha256: self.body_sha256,
        };
        self.commit_each(&[change], response).await
    }

    /// Stores the answer, and for each of several changes a journal entry and an event, and commits; with `validate_only`
    /// rolls back instead.
    ///
    /// # Errors
    /// When the database fails; then nothing is done.
    #[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
    pub async fn commit_each<R: Message>(mut self, changes: &[Change], response: R) -> Result<R, Error> {
        let salts: Vec<[u8; 16]> = changes.iter().map(|_| rand::rng().random()).collect();
        let digest = |(change, salt): (&Change, &[u8; 16])| {
            wire::sha256(&[salt.as_slice(), &change.body_sha256].concat()).to_vec()
        };
        sqlx::query!(
            "WITH answered AS (
                 UPDATE idempotency SET response = $4 WHERE caller = $1 AND method = $2 AND request_id = $3
             ), change AS (
                 SELECT * FROM unnest($7::text[], $8::text[], $9::bytea[], $10::bytea[])
                     WITH ORDINALITY AS change (resource, kind, salt, digest, place)
             ), recorded AS (
                 INSERT INTO journal_entry
                     (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address)
                 SELECT $5, $1, $6, $2, resource, 'DONE', '', salt, digest, 1, '' FROM change ORDER BY place
             )
             INSERT INTO outbox_event (occurred_at, kind, resource) SELECT $5, kind, resource FROM change ORDER BY place",
            self.caller,
            self.method,
            self.request_id,
            response.encode_to_vec(),
            jiff_sqlx::Timestamp::from(self.now) as _,
            &self.roles,
            &changes.iter().map(|change| change.resource.clone()).collect::<Vec<_>>(),
            &changes.iter().map(|change| change.kind.clone()).collect::<Vec<_>>(),
            &salts.iter().map(|salt| salt.to_vec()).collect::<Vec<_>>(),
            &changes.iter().zip(&salts).map(digest).collect::<Vec<_>>(),
        )
        .execute(&mut *self.transaction)
        .await?;
        if self.validate_only {
            self.transaction.rollback().await?;
        } else {
            self.transaction.commit().await?;
        }
        Ok(response)
    }
}
