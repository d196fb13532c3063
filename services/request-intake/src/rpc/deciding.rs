//! How a verb acts on one request: it locks the request, compares the etag, asks the life whether it may, does what is its own,
//! and leaves a decision, a journal entry and an event. The answer is the request in its basic view.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{wire, word::Word},
    law::LegalBasis,
    write::{self, Mutation, Outcome, Write},
    zone,
};
use legalstat_proto::{common::v1 as common, requests::v1 as proto};
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    RequestIntake,
    convert::{self, View},
    parse, seeing,
    showing::Showing,
};
use crate::{
    db::{self, request::Stored},
    domain::{
        contradiction,
        decision::{Decision, OfficialCapacity, Terms},
        life::{self, Verb},
        names,
        rules::{Rules, VerbRule},
        told::Told,
        viewer::Viewer,
    },
    error,
};

/// The longest code of a ground.
pub(super) const GROUND: usize = 60;

/// The longest reason in words.
pub(super) const REASON: usize = 2000;

/// What every verb is asked with.
pub(super) struct Asked {
    pub id: Uuid,
    /// The etag to compare; empty for none.
    pub etag: String,
    pub request_id: Uuid,
    pub validate_only: bool,
}

impl Asked {
    /// Reads what every verb has; the verb reads the rest and then asks whether all of it is sound.
    pub fn read(
        violations: &mut Violations,
        name: &str,
        etag: &str,
        request_id: &str,
        validate_only: bool,
    ) -> Option<Self> {
        let id = parse::request(violations, name);
        let request_id = violations.request_id("request_id", request_id);
        Some(Self {
            id: id?,
            etag: etag.to_owned(),
            request_id,
            validate_only,
        })
    }
}

/// A verb, with its event and that of a call that changes nothing.
pub(super) struct Deed {
    pub verb: Verb,
    pub events: (&'static str, &'static str),
}

/// What a verb did besides leading to another state.
#[derive(Default)]
pub(super) struct Done {
    pub reason: String,
    pub capacity: Option<OfficialCapacity>,
    pub legal_basis: Option<LegalBasis>,
    /// What it sets besides.
    pub terms: Terms,
    /// What the verb came to, where that leads elsewhere than the verb itself.
    pub instead: Option<Verb>,
    /// Whether the request was so already: then nothing is decided.
    pub is_repeat: bool,
}

/// Carries out a verb. `work` does what is the verb's own, in the transaction, on the request as it is locked.
///
/// # Errors
/// NOT_FOUND when the caller sees no such request; ABORTED with ETAG_MISMATCH; FAILED_PRECONDITION with WRONG_STATE, which
/// names the verbs that the state allows; what `work` refuses.
pub(super) async fn decide<F>(
    service: &RequestIntake,
    call: &Call,
    message: &impl Message,
    asked: Asked,
    deed: Deed,
    work: F,
) -> Result<proto::Request, Error>
where
    F: for<'w> FnOnce(&'w mut Write, &'w Stored) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
{
    let showing = Showing::of(service);
    decide_to(
        service,
        call,
        message,
        asked,
        deed,
        work,
        move |connection, viewer, left| {
            Box::pin(async move { showing.request(connection, left, View::Basic, viewer).await })
        },
    )
    .await
}

/// Carries out a verb whose answer is something else of the request, made by `answer` of the request as the transaction leaves it.
///
/// # Errors
/// As [`decide`].
pub(super) async fn decide_to<R, F, A>(
    service: &RequestIntake,
    call: &Call,
    message: &impl Message,
    asked: Asked,
    deed: Deed,
    work: F,
    answer: A,
) -> Result<R, Error>
where
    R: Message + Default + 'static,
    F: for<'w> FnOnce(&'w mut Write, &'w Stored) -> BoxFuture<'w, Result<Done, Error>> + Send + 'static,
    A: for<'c> FnOnce(&'c mut PgConnection, &'c Viewer, Stored) -> BoxFuture<'c, Result<R, Error>> + Send + 'static,
{
    let name = names::request(asked.id);
    let mutation = Mutation::of(call, &name, asked.request_id, asked.validate_only, message);
    let call = call.clone();
    let (rules, context) = (Arc::clone(&service.rules), service.context.clone());
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let stands = locked(write.connection(), &asked).await?;
            let stands = seeing::whole(&rules, &context, &call, asked.id, stands).await?;
            require_etag(&stands, &asked)?;
            // Whoever decided before this one did so earlier, whatever the clocks of two replicas say.
            write.not_before(stands.standing.changed_at.unwrap_or(stands.receipt.accepted_at));
            let before = stands.standing.state;
            life::step(before, deed.verb).map_err(|refused| refused.refusal(&name))?;
            let done = work(write, &stands).await?;
            let after =
                life::step(before, done.instead.unwrap_or(deed.verb)).map_err(|refused| refused.refusal(&name))?;
            if !done.is_repeat {
                let decision = Decision {
                    verb: deed.verb,
                    decided_by: call.caller.name.clone(),
                    capacity: done.capacity,
                    decided_at: write.now(),
                    before,
                    after,
                    reason: done.reason,
                    legal_basis: done.legal_basis,
                    terms: done.terms,
                };
                db::decision::insert(write.connection(), asked.id, &decision).await?;
            }
            let left = db::request::get(write.connection(), &[asked.id])
                .await?
                .remove(&asked.id);
            let left = left
                .transpose()?
                .ok_or_else(|| anyhow::anyhow!("a locked request is gone"))?;
            let told = told(&left);
            let viewer = seeing::viewer(&rules, &context, &call, stands.rules_revision).await?;
            let answer = answer(write.connection(), &viewer, left).await?;
            let outcome = if done.is_repeat {
                Outcome::repeated(&name, deed.events.1, answer)
            } else {
                Outcome::of(&name, deed.events.0, answer)
            };
            Ok(outcome.telling(&told))
        })
    })
    .await
}

/// The day on which a requester was told of a decision, which is not in the future.
pub(super) fn notified_on(violations: &mut Violations, given: Option<&common::Date>, now: Timestamp) -> Option<Date> {
    let day = given.and_then(|day| violations.check("notified_on", FieldReason::Date, wire::date(day)));
    if day.is_some_and(|day| day > zone::civil_day(now)) {
        violations.add("notified_on", FieldReason::InFuture, "must not be in the future");
    }
    day
}

/// Refuses a day before the receipt as the one on which a requester was told.
pub(super) fn told_after_receipt(stands: &Stored, notified_on: Option<Date>) -> Result<(), Error> {
    if notified_on.is_some_and(|day| day < stands.submission.received_on()) {
        let description = "must not lie before the day of receipt";
        return Err(Violations::one("notified_on", FieldReason::Range, description).into());
    }
    Ok(())
}

/// The rule by which a verb may be done with a request, and its law as it stood on the day of receipt.
pub(super) struct Ordered<'r> {
    pub rule: &'r VerbRule,
    pub legal_basis: LegalBasis,
}

/// Finds the rule by which a verb may be done on a ground and in a capacity.
///
/// # Errors
/// VERB_NOT_ORDERED when no law in force on the day of receipt lets it be done; INVALID_FIELDS for another ground or capacity than
/// the law has, and for ending anything otherwise that is to be forwarded at once; GROUND_CONTRADICTED for a ground that what was
/// submitted contradicts.
pub(super) fn ordered<'r>(
    rules: &'r Rules,
    stands: &Stored,
    verb: Verb,
    ground: &str,
    capacity: Option<OfficialCapacity>,
) -> Result<Ordered<'r>, Error> {
    let (kind, day) = (stands.submission.requester.kind, stands.submission.received_on());
    let known = rules.grounds_of(verb, kind, day);
    if known.is_empty() {
        return Err(error::not_ordered(verb, kind, day).into());
    }
    let Some(rule) = rules.verb(verb, ground, kind, day) else {
        let description = format!("for this request one of {}", known.join(", "));
        return Err(Violations::one("ground", FieldReason::Unknown, &description).into());
    };
    // Which channels are open is a rule of its own, with its own law.
    let channel = rules.channel(kind, stands.submission.channel, day);
    let own = channel.filter(|_| (verb, ground) == (Verb::LeaveWithoutConsideration, "OTHER_CHANNEL"));
    let legal_basis = rules.basis_on(own.map_or(&rule.legal_basis, |own| &own.legal_basis), day);
    require_forwarding(rules, stands, verb, ground)?;
    if let Some(why) = contradiction::of(ground, &stands.submission, rules) {
        return Err(error::ground_contradicted(ground, why, &legal_basis).into());
    }
    if !rule.capacities.is_empty() && !capacity.is_some_and(|capacity| rule.capacities.contains(&capacity)) {
        let mut violations = Violations::new();
        let decides: Vec<&str> = rule.capacities.iter().map(|capacity| capacity.word()).collect();
        let (reason, decides) = match capacity {
            None => (FieldReason::Required, format!("required: {}", decides.join(" or "))),
            Some(_) => (
                FieldReason::Conflict,
                format!("only {} decides this", decides.join(" or ")),
            ),
        };
        violations.add_by_law("capacity", reason, decides, &legal_basis);
        violations.refuse()?;
    }
    Ok(Ordered { rule, legal_basis })
}

/// An anonymous report of a crime or a threat is forwarded at once all the same: no verb ends it otherwise but its withdrawal.
fn require_forwarding(rules: &Rules, stands: &Stored, verb: Verb, ground: &str) -> Result<(), Error> {
    let ends_otherwise = matches!(
        verb,
        Verb::LeaveWithoutConsideration | Verb::Return | Verb::Terminate | Verb::ApproveAnswer | Verb::RecordDispatch
    );
    let Some(rule) = rules.forwarding_at_once(&stands.submission).filter(|_| ends_otherwise) else {
        return Ok(());
    };
    let legal_basis = rules.basis_on(&rule.legal_basis, stands.submission.received_on());
    let field = if ground.is_empty() { "name" } else { "ground" };
    let description = "it reports a crime or a threat, and so is forwarded at once all the same";
    let mut violations = Violations::new();
    violations.add_by_law(field, FieldReason::Conflict, description, &legal_basis);
    Ok(violations.refuse()?)
}

/// The request as nobody else can change it any more.
pub(super) async fn locked(connection: &mut PgConnection, asked: &Asked) -> Result<Option<Stored>, Error> {
    db::decision::lock(connection, asked.id).await?;
    let stored = db::request::get(connection, &[asked.id]).await?.remove(&asked.id);
    Ok(stored.transpose()?)
}

pub(super) fn require_etag(stored: &Stored, asked: &Asked) -> Result<(), Error> {
    if !asked.etag.is_empty() && asked.etag != convert::etag(&stored.standing) {
        return Err(Refusal::changed(&names::request(asked.id)).into());
    }
    Ok(())
}

pub(super) fn told(stored: &Stored) -> Told {
    let due_date = stored.deadline.as_ref().map(|deadline| deadline.due_date);
    Told {
        executor: stored.standing.assignee.clone(),
        ..Told::of(stored.standing.state, due_date)
    }
}
