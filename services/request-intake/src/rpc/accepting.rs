//! Accepts a group of requests in one transaction: each gets its coupon, and its number if it is registered.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::future;
use jiff::Timestamp;
use legalstat_kit::{
    Caller, Error,
    due::follow::Followed,
    write::{Outcome, Write},
    zone,
};
use legalstat_proto::requests::v1 as proto;
use rand::RngExt;
use uuid::{NoContext, Uuid};

use super::{
    convert,
    coupons::Coupons,
    earlier, kept,
    repeated::{Group, Repeated},
    submit_request::Submissions,
    upload_attachment::taken_meanwhile,
};
use crate::{
    clients::calendar::Deadlines,
    db::{
        self,
        acceptance::Accepted,
        earlier::{Found, Sought},
    },
    domain::{
        earlier::{Earlier, KnownBy},
        evidence::Step,
        examination::{Check, Examination},
        names,
        registration::coupon_number,
        request::{Receipt, Request, Standing, Submission},
        rules::Rules,
        secret::Secret,
        told::Told,
        viewer::Viewer,
    },
    examining,
    shared_texts::SharedTexts,
};

/// How many coupon numbers are tried before a collision is taken for a fault.
const COUPONS: usize = 8;

/// A request that is to be accepted.
pub struct Plan {
    /// Its coupon, made before the transaction: all registrations of the year wait for what is done within.
    pub(super) receipt: Receipt,
    /// Its coupon's secret.
    pub(super) secret: Secret,
    /// What its caller sees of others.
    pub(super) viewer: Viewer,
    pub(super) submission: Submission,
    pub(super) examination: Examination,
    /// By what it is found when the next one comes.
    pub(super) known_by: KnownBy,
    /// What it comes after, where it is only checked.
    pub(super) earlier: Earlier,
    pub(super) rules: Arc<Rules>,
    pub(super) examined_at: Timestamp,
}

/// Accepts them all in a transaction begun by [`BEGIN`](legalstat_kit::due::follow::BEGIN), and gives what each came to in their order.
pub(super) async fn accept(
    submissions: &Submissions,
    write: &mut Write,
    plans: &[&Plan],
) -> Result<Vec<Outcome<proto::Request>>, Error> {
    let (texts, earlier, coupons) = (&submissions.texts, &submissions.earlier, &submissions.coupons);
    let current = still_current(&submissions.examiner.deadlines, Followed::begun(write)?, plans);
    let examinations: Vec<&Examination> = plans
        .iter()
        .zip(&current)
        .map(|(plan, put_off)| put_off.as_ref().unwrap_or(&plan.examination))
        .collect();
    let shared = Shared::of(&examinations);
    shared.store(write, texts).await?;
    let now = write.now();
    // The year's counter is locked as late as possible: all registrations wait for it.
    let (mut numbers, found) = numbers(write, &examinations, plans).await?;
    let numbers: Vec<Option<String>> = examinations
        .iter()
        .map(|examination| numbers.next(examination))
        .collect();
    let group = Group {
        plans,
        examinations: &examinations,
        numbers: &numbers,
    };
    let comes_after = group.comes_after(&found);
    let repeated = Repeated::of(&group, &comes_after);
    repeated.store(write, texts).await?;
    let mut accepted: Vec<Accepting<'_>> = Vec::with_capacity(plans.len());
    for (place, (plan, examination)) in plans.iter().zip(&examinations).enumerate() {
        accepted.push(Accepting {
            viewer: &plan.viewer,
            found: &repeated.found[place],
            accepted: Accepted {
                receipt: plan.receipt.clone(),
                secret: plan.secret.clone(),
                submission: &plan.submission,
                examination,
                examined_at: now,
                findings: repeated.findings(place, &shared.findings[place]),
                explanation: shared.explanation_of(examination),
                registration_number: numbers[place].clone(),
                earlier: &comes_after[place],
                asked: plan.known_by.asked,
            },
        });
    }
    let mut outcomes = insert(coupons, write, &mut accepted).await?;
    bind(write, &accepted).await?;
    // Known to be stored only once the transaction is.
    if let Some(last) = outcomes.pop() {
        let (texts, earlier) = (Arc::clone(texts), Arc::clone(earlier));
        let repeated = repeated.checks();
        outcomes.push(last.once_committed(move || {
            shared.remember(&texts);
            texts.keep_findings(repeated);
            earlier.keep(comes_after.iter().flat_map(Earlier::requests));
        }));
    }
    Ok(outcomes)
}

/// For each plan an examination in its place, where a change of the calendar has overtaken the due date.
fn still_current(deadlines: &Deadlines, followed: Followed, plans: &[&Plan]) -> Vec<Option<Examination>> {
    let put_off = |plan: &&Plan| {
        let deadline = plan.examination.deadline.as_ref()?;
        if followed.allows(&deadline.calendar_version) {
            return None;
        }
        deadlines.forget();
        Some(examining::put_off(&plan.submission, &plan.rules))
    };
    plans.iter().map(put_off).collect()
}

/// What the requests of a group share, with each other and with those before.
struct Shared {
    /// The ids of each request's findings.
    findings: Vec<Vec<Uuid>>,
    checks: HashMap<Uuid, Arc<Check>>,
    explanations: Vec<([u8; 32], Arc<Vec<Step>>)>,
}

impl Shared {
    fn of(examinations: &[&Examination]) -> Self {
        let mut shared = Self {
            findings: Vec::with_capacity(examinations.len()),
            checks: HashMap::new(),
            explanations: Vec::new(),
        };
        // Most requests of a group were found the same of: its digest is made once.
        let mut ids: HashMap<&Check, Uuid> = HashMap::new();
        for examination in examinations {
            let id = |check| *ids.entry(check).or_insert_with(|| db::finding::id(check));
            shared.findings.push(examination.checks.iter().map(id).collect());
            if let Some(deadline) = &examination.deadline
                && shared.explanation_of(examination).is_none()
            {
                let digest = db::explanation::digest(&deadline.steps);
                shared.explanations.push((digest, Arc::clone(&deadline.steps)));
            }
        }
        shared.checks = ids
            .into_iter()
            .map(|(check, id)| (id, Arc::new(check.clone())))
            .collect();
        shared
    }

    /// The digest of the explanation that a request shares in memory.
    fn explanation_of(&self, examination: &Examination) -> Option<[u8; 32]> {
        let steps = &examination.deadline.as_ref()?.steps;
        let found = self.explanations.iter().find(|(_, shared)| Arc::ptr_eq(shared, steps));
        found.map(|(digest, _)| *digest)
    }

    /// Stores what is not known to be stored.
    async fn store(&self, write: &mut Write, texts: &SharedTexts) -> Result<(), Error> {
        let mut missing: Vec<(Uuid, &Check)> = self.checks.iter().map(|(id, check)| (*id, &**check)).collect();
        missing.retain(|(id, _)| !texts.has_finding(*id));
        missing.sort_unstable_by_key(|(id, _)| *id);
        db::finding::insert(write.connection(), &missing).await?;
        let mut missing: Vec<_> = self
            .explanations
            .iter()
            .filter(|(digest, _)| !texts.has_explanation(digest))
            .collect();
        missing.sort_unstable_by_key(|(digest, _)| *digest);
        for (digest, steps) in missing {
            db::explanation::insert(write.connection(), digest, steps).await?;
        }
        Ok(())
    }

    fn remember(self, texts: &SharedTexts) {
        texts.keep_findings(self.checks);
        for (digest, steps) in self.explanations {
            texts.keep_explanation(digest, steps);
        }
    }
}

/// Registration numbers, handed out in order.
struct Numbers(std::vec::IntoIter<String>);

impl Numbers {
    fn next(&mut self, examination: &Examination) -> Option<String> {
        examination.deadline.as_ref().and_then(|_| self.0.next())
    }
}

/// The numbers of those that are registered, and what all of them come after among what is stored.
async fn numbers(write: &mut Write, examinations: &[&Examination], plans: &[&Plan]) -> Result<(Numbers, Found), Error> {
    let deadlines = examinations
        .iter()
        .filter_map(|examination| examination.deadline.as_ref());
    let years: Vec<i16> = deadlines.map(|deadline| deadline.registered_on.year()).collect();
    let sought = Sought::of(plans.iter().map(|plan| &plan.known_by).enumerate());
    let (numbers, found) = db::registration::take_numbers_and_find(write.connection(), &years, &sought).await?;
    Ok((Numbers(numbers.into_iter()), found))
}

/// The receipt of what has this digest, with the service's signature, and its secret.
///
/// # Errors
/// As [`Coupons::sign`].
#[expect(clippy::disallowed_methods, reason = "a coupon number is forty random bits")]
pub(super) fn signed(
    coupons: &Coupons,
    brought_by: &Caller,
    content_sha256: [u8; 32],
    accepted_at: Timestamp,
) -> anyhow::Result<(Receipt, Secret)> {
    let seconds = accepted_at.as_second().unsigned_abs();
    let unix = uuid::Timestamp::from_unix(NoContext, seconds, accepted_at.subsec_nanosecond().unsigned_abs());
    let mut receipt = Receipt {
        id: Uuid::new_v7(unix),
        coupon_number: coupon_number(zone::civil_day(accepted_at), rand::rng().random()),
        accepted_at,
        accepted_by: brought_by.name.clone(),
        proof: None,
    };
    let secret = coupons.sign(&mut receipt, content_sha256)?;
    Ok((receipt, secret))
}

/// A request as it is accepted, with what its caller is told beside it.
struct Accepting<'a> {
    accepted: Accepted<'a>,
    viewer: &'a Viewer,
    /// The checks that are others because an earlier request was found.
    found: &'a [(usize, Check)],
}

/// Stores the requests, and gives what each came to. The answers are made while the database stores: all registrations of the
/// year wait for that.
async fn insert(
    coupons: &Coupons,
    write: &mut Write,
    accepted: &mut [Accepting<'_>],
) -> Result<Vec<Outcome<proto::Request>>, Error> {
    let requests: Vec<&Accepted<'_>> = accepted.iter().map(|accepting| &accepting.accepted).collect();
    let storing = db::acceptance::insert(write.connection(), &requests);
    let (stored, outcomes) = future::join(storing, async { accepted.iter().map(outcome).collect::<Vec<_>>() }).await;
    let stored = stored?;
    if stored.len() == accepted.len() {
        return Ok(outcomes);
    }
    insert_again(coupons, write, accepted, stored).await?;
    Ok(accepted.iter().map(outcome).collect())
}

/// Binds the attachments that the requests name; most name none. One that was bound meanwhile, by another request of the group
/// too, refuses the group, and then the request alone that came later.
async fn bind(write: &mut Write, accepted: &[Accepting<'_>]) -> Result<(), Error> {
    let named = |request: &Accepting<'_>| {
        let request = &request.accepted;
        let id = request.receipt.id;
        let attachments = request.submission.attachments.iter();
        attachments
            .map(move |attachment| (id, attachment.id))
            .collect::<Vec<_>>()
    };
    let pairs: Vec<(Uuid, Uuid)> = accepted.iter().flat_map(named).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let now = write.now();
    if db::attachment::bind(write.connection(), &pairs, now).await? < pairs.len() {
        return Err(taken_meanwhile().into());
    }
    Ok(())
}

/// Gives those whose coupon number was taken another one, and stores them.
#[expect(clippy::disallowed_methods, reason = "a coupon number is forty random bits")]
async fn insert_again(
    coupons: &Coupons,
    write: &mut Write,
    accepted: &mut [Accepting<'_>],
    mut stored: HashSet<Uuid>,
) -> Result<(), Error> {
    for _ in 1..COUPONS {
        let mut again = Vec::new();
        let requests = accepted.iter_mut().map(|accepting| &mut accepting.accepted);
        for request in requests.filter(|request| !stored.contains(&request.receipt.id)) {
            let day = zone::civil_day(request.receipt.accepted_at);
            request.receipt.coupon_number = coupon_number(day, rand::rng().random());
            if let Some(proof) = request.receipt.proof.take() {
                request.secret = coupons.sign(&mut request.receipt, proof.content_sha256)?;
            }
            again.push(&*request);
        }
        stored.extend(db::acceptance::insert(write.connection(), &again).await?);
        if stored.len() == accepted.len() {
            return Ok(());
        }
    }
    Err(anyhow::anyhow!("{COUPONS} coupon numbers in a row were taken").into())
}

fn outcome(accepting: &Accepting<'_>) -> Outcome<proto::Request> {
    let accepted = &accepting.accepted;
    let name = names::request(accepted.receipt.id);
    let answer = convert::request(Request {
        receipt: Some(accepted.receipt.clone()),
        submission: accepted.submission.clone(),
        examination: accepted.examination.clone().with(accepting.found),
        examined_at: accepted.examined_at,
        registration_number: accepted.registration_number.clone(),
        standing: Standing::first(accepted.examination.state),
    });
    // What an official records long after its receipt may be overdue already.
    let mut answer = convert::as_of(answer, accepted.examined_at);
    if let Some(coupon) = &mut answer.coupon {
        coupon.secret = accepted.secret.written();
    }
    earlier::tell(&mut answer, accepting.viewer, accepted.earlier);
    let kept = kept::keep(&mut answer, accepted.explanation.as_ref());
    let due_date = accepted.examination.deadline.as_ref().map(|deadline| deadline.due_date);
    let told = Told::of(accepted.examination.state, due_date);
    Outcome::of(&name, "request.accepted", answer)
        .keeping(kept)
        .telling(&told)
}
