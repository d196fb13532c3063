//! Whoever shows the number and the secret of a coupon holds it. Wrong tries are limited by address, and by coupon: in memory of whatever
//! number was tried, so that a coupon that there is not is told from one that there is by nothing; in the database of those that there
//! are, so that the limit holds across a restart and strangers fill nothing.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_kit::{Call, Context, Error, Refusal, Violations, call::connections::counted, write};
use legalstat_proto::common::v1::ErrorReason;
use quick_cache::sync::Cache;
use tonic::Code;
use uuid::Uuid;

use super::{
    RequestIntake,
    answering::{self, Standing},
};
use crate::{
    config::Tries,
    db::{
        self,
        coupon_try::{Coupon, Tried},
    },
    domain::secret,
};

/// The longest number and the longest secret that are looked at.
const LONGEST: usize = 100;
/// How many addresses and how many numbers are counted at once. Who has more addresses than this begins anew.
const COUNTED: usize = 16 * 1024;
/// After which time a wrong try is answered, whatever was wrong.
const ANSWERED: Duration = Duration::from_millis(40);

/// After which time a reading by the same address is recorded again.
const RECORDED_AGAIN: Duration = Duration::from_secs(3600);

/// The wrong tries of one address or one number since the first one.
#[derive(Clone, Copy)]
struct Count {
    wrong: u32,
    since: Timestamp,
}

/// Counts of wrong tries.
pub struct Guesses {
    limits: Tries,
    by_address: Cache<IpAddr, Arc<Mutex<Count>>>,
    by_number: Cache<String, Arc<Mutex<Count>>>,
}

impl Guesses {
    pub fn new(limits: Tries) -> Self {
        Self {
            limits,
            by_address: Cache::new(COUNTED),
            by_number: Cache::new(COUNTED),
        }
    }

    /// Counts a try of an address as wrong, until it shows to be right.
    fn begin(&self, address: IpAddr, now: Timestamp) -> Result<Arc<Mutex<Count>>, Refusal> {
        let count = self
            .by_address
            .get_or_insert_with(&address, || Ok::<_, Refusal>(fresh(now)))?;
        self.take(&count, self.limits.by_address, now)?;
        Ok(count)
    }

    /// Refuses a number that was tried wrongly too often.
    fn require_open(&self, number: &str, coupon: Option<&Coupon>, now: Timestamp) -> Result<(), Refusal> {
        let known = self.by_number.get(number);
        let known = known.map(|count| *count.lock().expect("no code panics while it holds this lock"));
        let stored = coupon.and_then(|coupon| coupon.wrong).map(|(wrong, since)| Count {
            wrong: wrong.unsigned_abs(),
            since,
        });
        for count in known.into_iter().chain(stored) {
            self.require_below(count, self.limits.by_coupon, now)?;
        }
        Ok(())
    }

    /// Counts a wrong try of a number.
    fn wrong(&self, number: String, now: Timestamp) {
        let count = self
            .by_number
            .get_or_insert_with(&number, || Ok::<_, Refusal>(fresh(now)));
        if let Ok(count) = count {
            self.take(&count, u32::MAX, now).ok();
        }
    }

    fn take(&self, count: &Mutex<Count>, most: u32, now: Timestamp) -> Result<(), Refusal> {
        let mut count = count.lock().expect("no code panics while it holds this lock");
        if count.since <= now - self.limits.time {
            *count = Count { wrong: 0, since: now };
        }
        self.require_below(*count, most, now)?;
        count.wrong += 1;
        Ok(())
    }

    fn require_below(&self, count: Count, most: u32, now: Timestamp) -> Result<(), Refusal> {
        let end = count.since + self.limits.time;
        if count.wrong < most || end <= now {
            return Ok(());
        }
        let message = "a secret was tried wrongly too often; try again later";
        let mut refusal = Refusal::new(Code::ResourceExhausted, ErrorReason::TooManyTries, message);
        refusal.retry_after = Some(end.duration_since(now).unsigned_abs());
        Err(refusal)
    }
}

fn fresh(now: Timestamp) -> Arc<Mutex<Count>> {
    Arc::new(Mutex::new(Count { wrong: 0, since: now }))
}

/// What a caller shows of a coupon, in its own spelling.
pub(super) struct Shown {
    number: String,
    secret: String,
}

impl Shown {
    /// Reads it from the fields `coupon_number` and `secret`.
    pub fn read(violations: &mut Violations, number: &str, secret: &str) -> Self {
        Self {
            number: violations.name("coupon_number", number, LONGEST),
            secret: violations.name("secret", secret, LONGEST),
        }
    }
}

/// The request whose coupon has this number and this secret.
///
/// # Errors
/// NOT_FOUND when there is none, the same for a wrong number and a wrong secret and after the same time; RESOURCE_EXHAUSTED when too
/// many were wrong, also for the right secret.
pub(super) async fn request_of(service: &RequestIntake, call: &Call, shown: Shown) -> Result<Uuid, Error> {
    let Shown { number, secret } = shown;
    let answered = tokio::time::Instant::now() + ANSWERED;
    let (guesses, now) = (&service.guesses, service.context.now());
    let of_address = guesses.begin(address(call), now)?;
    let tried = match find(service, &number, &secret).await {
        Ok(tried) => tried,
        // Nothing was compared: a database that fails is no wrong try.
        Err(error) => {
            give_back(&of_address);
            return Err(error);
        }
    };
    guesses.require_open(&tried.number, tried.coupon.as_ref(), now)?;
    // A number that there is not is compared too.
    let (number, kept) = match &tried.coupon {
        Some(coupon) => (coupon.number.as_str(), coupon.secret_digest.as_slice()),
        None => (tried.number.as_str(), [0; secret::DIGEST].as_slice()),
    };
    let is_right = secret::matches(&tried.secret, number, kept);
    let request = tried.coupon.map(|coupon| coupon.request);
    if let Some(request) = request.filter(|_| is_right) {
        give_back(&of_address);
        return Ok(request);
    }
    guesses.wrong(tried.number, now);
    // In a task: who hangs up before he is told is counted all the same.
    let counting = service
        .context
        .tasks
        .spawn(count(service.context.db.clone(), request, now, guesses.limits.time));
    counting.await.map_err(anyhow::Error::new)??;
    tokio::time::sleep_until(answered).await;
    let message = "there is no coupon with this number and this secret";
    Err(Refusal::new(Code::NotFound, ErrorReason::ResourceNotFound, message).into())
}

async fn find(service: &RequestIntake, number: &str, secret: &str) -> Result<Tried, Error> {
    let mut connection = service.context.db.connection().await?;
    Ok(db::coupon_try::find(&mut connection, number, secret).await?)
}

/// Takes back a try that was none, or no wrong one.
fn give_back(count: &Mutex<Count>) {
    let mut count = count.lock().expect("no code panics while it holds this lock");
    count.wrong = count.wrong.saturating_sub(1);
}

/// Where a call comes from, as tries and readings are counted.
fn address(call: &Call) -> IpAddr {
    call.address
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| counted(address.ip()))
}

/// The answer to the request of a coupon, which its holder reads once it is dispatched.
///
/// # Errors
/// As [`request_of`]; FAILED_PRECONDITION with WRONG_STATE before the dispatch; when the journal cannot be written.
pub(super) async fn answer_of(service: &RequestIntake, call: &Call, shown: Shown) -> Result<Standing, Error> {
    let id = request_of(service, call, shown).await?;
    let standing = answering::dispatched(service, id).await?;
    service.readings.record(&service.context, call, id).await?;
    Ok(standing)
}

/// Which answers were read lately by holders, and from where. The journal has the first reading of an hour by an address: no
/// holder fills it by reading on.
pub struct Readings(Cache<(Uuid, IpAddr), Timestamp>);

impl Default for Readings {
    fn default() -> Self {
        Self(Cache::new(COUNTED))
    }
}

impl Readings {
    async fn record(&self, context: &Context, call: &Call, request: Uuid) -> Result<(), Error> {
        let (reading, now) = ((request, address(call)), context.now());
        if self.0.get(&reading).is_none_or(|last| last + RECORDED_AGAIN <= now) {
            write::record_reading(context, call, &answering::name(request)).await?;
            self.0.insert(reading, now);
        }
        Ok(())
    }
}

/// Does the same whether there is a coupon or not. Nobody waits for the disk: what a crash of the database loses is the last tries.
async fn count(
    db: legalstat_kit::schema::Database,
    request: Option<Uuid>,
    now: Timestamp,
    time: Duration,
) -> Result<(), sqlx::Error> {
    let (mut transaction, _) = db.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?;
    db::coupon_try::count(&mut transaction, request, now, time).await?;
    transaction.commit().await
}
