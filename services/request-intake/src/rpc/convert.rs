//! The way out: the service's own types in the words of the contracts. It cannot fail.

use jiff::Timestamp;
use legalstat_kit::{door::wire, zone};
use legalstat_proto::{calendar::v1 as calendar, requests::v1 as proto};

use super::{convert_attachments, record_notice};
use crate::clients::calendar as calendar_client;
use crate::domain::{
    decision::{ChangedField, Decision, OfficialCapacity},
    earlier::Before,
    evidence::{Deadline, Explanation, OpenEdition, Step, StepEffect},
    examination::{Check, CheckRule, Outcome},
    life::Verb,
    names,
    request::{
        Capacity, Channel, Item, ItemKind, Language, Proof, Receipt, Request, Requester, RequesterKind, Signatory,
        Standing, State, Unit,
    },
    retention::{Erasure, Ordered},
};

pub(super) fn requester_kind(kind: RequesterKind) -> i32 {
    match kind {
        RequesterKind::StateBody => calendar::RequesterKind::StateBody,
        RequesterKind::ProsecutorBody => calendar::RequesterKind::ProsecutorBody,
        RequesterKind::Individual => calendar::RequesterKind::Individual,
        RequesterKind::LegalEntity => calendar::RequesterKind::LegalEntity,
    }
    .into()
}

pub(super) fn channel(channel: Channel) -> i32 {
    match channel {
        Channel::UnifiedEdms => proto::Channel::UnifiedEdms,
        Channel::Kadagalau => proto::Channel::Kadagalau,
        Channel::Paper => proto::Channel::Paper,
        Channel::EGovernment => proto::Channel::EGovernment,
        Channel::Email => proto::Channel::Email,
        Channel::Messenger => proto::Channel::Messenger,
        Channel::Oral => proto::Channel::Oral,
    }
    .into()
}

pub(super) fn capacity(capacity: Capacity) -> i32 {
    match capacity {
        Capacity::Head => proto::SignatoryCapacity::Head,
        Capacity::Substitute => proto::SignatoryCapacity::Substitute,
        Capacity::AuthorizedOfficial => proto::SignatoryCapacity::AuthorizedOfficial,
        Capacity::Applicant => proto::SignatoryCapacity::Applicant,
    }
    .into()
}

pub(super) fn item_kind(kind: ItemKind) -> i32 {
    match kind {
        ItemKind::Statistics => proto::ItemKind::Statistics,
        ItemKind::AccountingDocumentCopy => proto::ItemKind::AccountingDocumentCopy,
        ItemKind::PrimaryAccountingForm => proto::ItemKind::PrimaryAccountingForm,
    }
    .into()
}

pub(super) fn unit(unit: Unit) -> i32 {
    match unit {
        Unit::Crime => proto::Unit::Crime,
        Unit::Offence => proto::Unit::Offence,
        Unit::CriminalCase => proto::Unit::CriminalCase,
        Unit::Person => proto::Unit::Person,
    }
    .into()
}

pub(super) fn language(language: Language) -> i32 {
    match language {
        Language::Kk => proto::Language::Kk,
        Language::Ru => proto::Language::Ru,
    }
    .into()
}

pub(super) fn state(state: State) -> i32 {
    match state {
        State::Received => proto::RequestState::Received,
        State::AwaitingClarification => proto::RequestState::AwaitingClarification,
        State::Registered => proto::RequestState::Registered,
        State::LeftWithoutConsideration => proto::RequestState::LeftWithoutConsideration,
        State::InPreparation => proto::RequestState::InPreparation,
        State::Answered => proto::RequestState::Answered,
        State::Forwarded => proto::RequestState::Forwarded,
        State::Returned => proto::RequestState::Returned,
        State::Terminated => proto::RequestState::Terminated,
        State::Withdrawn => proto::RequestState::Withdrawn,
    }
    .into()
}

/// A verb by which somebody acts on a request; what an examination does stands in no decision.
fn verb(verb: Verb) -> i32 {
    match verb {
        Verb::Assign => proto::Verb::Assign,
        Verb::Withdraw => proto::Verb::Withdraw,
        Verb::DraftAnswer => proto::Verb::DraftAnswer,
        Verb::UpdateAnswer => proto::Verb::UpdateAnswer,
        Verb::ApproveAnswer => proto::Verb::ApproveAnswer,
        Verb::RecordDispatch => proto::Verb::RecordDispatch,
        Verb::ReviewDecision | Verb::ReverseDecision => proto::Verb::ReviewDecision,
        Verb::Correct => proto::Verb::Correct,
        Verb::AskClarification => proto::Verb::AskClarification,
        Verb::ProvideClarification | Verb::ClarifyRegistered | Verb::ClarifyPrepared => {
            proto::Verb::ProvideClarification
        }
        Verb::Extend => proto::Verb::Extend,
        Verb::Forward | Verb::ForwardItems => proto::Verb::Forward,
        Verb::LeaveWithoutConsideration => proto::Verb::LeaveWithoutConsideration,
        Verb::Return => proto::Verb::Return,
        Verb::Terminate => proto::Verb::Terminate,
        Verb::PutOff | Verb::Register | Verb::ExamineAgain => proto::Verb::Unspecified,
    }
    .into()
}

pub(super) fn official_capacity(capacity: OfficialCapacity) -> i32 {
    match capacity {
        OfficialCapacity::Head => proto::OfficialCapacity::Head,
        OfficialCapacity::Deputy => proto::OfficialCapacity::Deputy,
        OfficialCapacity::HeadOfApparatus => proto::OfficialCapacity::HeadOfApparatus,
    }
    .into()
}

/// What was done with a request, as its callers see it.
pub(super) fn decision(decision: Decision) -> proto::Decision {
    let terms = decision.terms;
    let decided_on = zone::civil_day(decision.decided_at);
    let notified_on = terms.notified_on.or(terms.notice.as_ref().map(|notice| notice.on));
    let notify_by = terms.notify_by;
    proto::Decision {
        notice: terms.notice.map(|notice| record_notice::told(notice, notify_by)),
        late: decision.verb == Verb::Return && terms.until.is_some_and(|until| until < decided_on),
        verb: verb(decision.verb),
        decided_by: decision.decided_by,
        capacity: decision.capacity.map(official_capacity).unwrap_or_default(),
        decided_at: Some(wire::to_timestamp(decision.decided_at)),
        state_before: state(decision.before),
        state_after: state(decision.after),
        reason: decision.reason,
        legal_basis: decision.legal_basis.map(Into::into),
        ground: terms.ground.unwrap_or_default(),
        to_body: terms.to_body.unwrap_or_default(),
        items: terms.items.unwrap_or_default(),
        until: terms.until.map(wire::to_date),
        notify_by: notify_by.map(wire::to_date),
        explanation: terms.explanation.as_ref().map(explanation),
        notified_on: notified_on.map(wire::to_date),
        checks: terms.checks.into_iter().map(decided_check).collect(),
        changed_fields: terms.changed.into_iter().map(changed_field).collect(),
    }
}

fn decided_check((of, kept): (Check, bool)) -> proto::DecidedCheck {
    proto::DecidedCheck {
        check: Some(check(of)),
        kept,
    }
}

fn changed_field(changed: ChangedField) -> proto::ChangedField {
    let ChangedField { field, before, after } = changed;
    proto::ChangedField { field, before, after }
}

/// Which version of a request this is.
pub(super) fn etag(standing: &Standing) -> String {
    standing.version.to_string()
}

pub(super) fn rule(rule: CheckRule) -> i32 {
    match rule {
        CheckRule::Written => proto::CheckRule::Written,
        CheckRule::Channel => proto::CheckRule::Channel,
        CheckRule::Signatory => proto::CheckRule::Signatory,
        CheckRule::Signature => proto::CheckRule::Signature,
        CheckRule::NoDocumentCopies => proto::CheckRule::NoDocumentCopies,
        CheckRule::NoPrimaryAccounting => proto::CheckRule::NoPrimaryAccounting,
        CheckRule::Unit => proto::CheckRule::Unit,
        CheckRule::Period => proto::CheckRule::Period,
        CheckRule::Identity => proto::CheckRule::Identity,
        CheckRule::Address => proto::CheckRule::Address,
        CheckRule::Signed => proto::CheckRule::Signed,
        CheckRule::Dated => proto::CheckRule::Dated,
        CheckRule::Essence => proto::CheckRule::Essence,
        CheckRule::Considerable => proto::CheckRule::Considerable,
        CheckRule::PeriodOver => proto::CheckRule::PeriodOver,
        CheckRule::LikelyDuplicate => proto::CheckRule::LikelyDuplicate,
        CheckRule::Repeated => proto::CheckRule::Repeated,
        CheckRule::WithinIndicators => proto::CheckRule::WithinIndicators,
        CheckRule::NotOpenlyAvailable => proto::CheckRule::NotOpenlyAvailable,
        CheckRule::DueDate => proto::CheckRule::DueDate,
    }
    .into()
}

fn outcome(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Passed => proto::CheckOutcome::Passed,
        Outcome::Failed => proto::CheckOutcome::Failed,
        Outcome::Proposed => proto::CheckOutcome::Proposed,
        Outcome::Undetermined => proto::CheckOutcome::Undetermined,
        Outcome::Pending => proto::CheckOutcome::Pending,
        Outcome::NotApplicable => proto::CheckOutcome::NotApplicable,
    }
    .into()
}

fn effect(effect: StepEffect) -> i32 {
    match effect {
        StepEffect::Start => calendar::StepEffect::Start,
        StepEffect::Counted => calendar::StepEffect::Counted,
        StepEffect::Skipped => calendar::StepEffect::Skipped,
        StepEffect::Suspended => calendar::StepEffect::Suspended,
        StepEffect::Rolled => calendar::StepEffect::Rolled,
        StepEffect::Due => calendar::StepEffect::Due,
    }
    .into()
}

/// How much of a request is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Basic,
    Full,
}

pub(super) const VIEWS: [View; 2] = [View::Basic, View::Full];

pub(super) fn view(view: View) -> i32 {
    match view {
        View::Basic => proto::RequestView::Basic,
        View::Full => proto::RequestView::Full,
    }
    .into()
}

/// A request as a view shows it. Its steps are there only if they were read.
pub(super) fn request_in(view: View, request: Request) -> proto::Request {
    let mut request = self::request(request);
    if view == View::Basic {
        let checks = request
            .examination
            .iter_mut()
            .flat_map(|examination| &mut examination.checks);
        checks.for_each(|check| (check.text, check.open_editions) = (None, Vec::new()));
    }
    request
}

/// The same at a time: whether its answer is overdue.
pub(super) fn as_of(mut request: proto::Request, now: Timestamp) -> proto::Request {
    let owed = [
        proto::RequestState::AwaitingClarification,
        proto::RequestState::Registered,
        proto::RequestState::InPreparation,
    ];
    let due = request.deadline.as_ref().and_then(|deadline| deadline.due_time);
    let passed = due
        .and_then(|due| wire::timestamp(&due).ok())
        .is_some_and(|due| due <= now);
    request.overdue = passed && owed.contains(&request.state());
    request
}

/// A request as its callers see it.
pub(super) fn request(request: Request) -> proto::Request {
    let Request {
        receipt,
        submission,
        examination,
        examined_at,
        registration_number,
        standing,
    } = request;
    let accepted_at = receipt.as_ref().map(|receipt| receipt.accepted_at);
    let etag = receipt.as_ref().map(|_| etag(&standing)).unwrap_or_default();
    let (number, date) = submission
        .external
        .map(|external| (external.number, external.date.map(wire::to_date)))
        .unzip();
    let deadline = examination.deadline;
    let request = receipt.as_ref().map(|receipt| receipt.id);
    let attachments = submission.attachments.into_iter().map(|mut attachment| {
        // One that was just submitted belongs to its request from now on.
        attachment.request = attachment.request.or(request);
        convert_attachments::attachment(attachment, None)
    });
    let part = standing
        .extension
        .map(|extension| calendar_client::part(extension.part));
    proto::Request {
        name: receipt
            .as_ref()
            .map(|receipt| names::request(receipt.id))
            .unwrap_or_default(),
        state: state(standing.state),
        requester: Some(requester(submission.requester)),
        signatory: submission.signatory.map(signatory),
        channel: channel(submission.channel),
        external_number: number.unwrap_or_default(),
        external_date: date.flatten(),
        addressee: submission.addressee,
        reports_crime_or_threat: submission.reports_crime_or_threat,
        forward_by: None,
        forward_deadline: None,
        erasure_order: None,
        receiving_body: submission
            .receiving_body
            .as_deref()
            .map(names::body)
            .unwrap_or_default(),
        essence: submission.essence,
        language: language(submission.language),
        items: submission.items.into_iter().map(item).collect(),
        received_at: Some(wire::to_timestamp(submission.received_at)),
        sent_at: submission.sent_at.map(wire::to_timestamp),
        coupon: receipt.map(coupon),
        registration_number: registration_number.unwrap_or_default(),
        registered_on: deadline.as_ref().map(|deadline| wire::to_date(deadline.registered_on)),
        due_date: deadline.as_ref().map(|deadline| wire::to_date(deadline.due_date)),
        deadline: deadline.map(|deadline| to_deadline(deadline, part.unwrap_or_default())),
        examination: Some(proto::Examination {
            examined_at: Some(wire::to_timestamp(examined_at)),
            checks: examination.checks.into_iter().map(check).collect(),
        }),
        clarifications: examination.clarifications.into_iter().map(Into::into).collect(),
        due_date_changes: Vec::new(),
        likely_duplicate_of: None,
        repeats: None,
        update_time: standing.changed_at.or(accepted_at).map(wire::to_timestamp),
        etag,
        assignee: standing.assignee.unwrap_or_default(),
        decisions: Vec::new(),
        attachments: attachments.collect(),
        cure_by: standing.cure_by.map(wire::to_date),
        // The calendar says it when one request is asked for.
        return_by: None,
        return_deadline: None,
        return_overdue: false,
        extended: standing.extension.is_some(),
        // Who answers a call knows what time it is.
        overdue: false,
        erased: standing.erased.map(|erasure| self::erased(*erasure)),
    }
}

/// That the data of a request were erased.
pub(super) fn erased(erasure: Erasure) -> proto::Erasure {
    proto::Erasure {
        erase_time: Some(wire::to_timestamp(erasure.at)),
        retention_rule: erasure.rule.map(names::retention_rule).unwrap_or_default(),
        legal_basis: Some(erasure.legal_basis.into()),
        reason: erasure.reason,
        erased_by: erasure.by,
        ordered_by: erasure.ordered_by.unwrap_or_default(),
        attachments: erasure.attachments,
        attachment_bytes: erasure.attachment_bytes,
        answer_versions: erasure.answer_versions,
    }
}

/// That somebody ordered the data of a request to be erased.
pub(super) fn erasure_order(ordered: Ordered) -> proto::ErasureOrder {
    proto::ErasureOrder {
        order_time: Some(wire::to_timestamp(ordered.by.at)),
        legal_basis: Some(ordered.legal_basis.into()),
        reason: ordered.reason,
        ordered_by: ordered.by.by,
    }
}

/// A request that was received before.
pub(super) fn earlier(before: &Before) -> proto::EarlierRequest {
    proto::EarlierRequest {
        name: names::request(before.id),
        coupon_number: before.coupon_number.clone(),
        registration_number: before.registration_number.clone().unwrap_or_default(),
    }
}

fn requester(requester: Requester) -> proto::Requester {
    proto::Requester {
        kind: requester_kind(requester.kind),
        full_name: requester.full_name,
        bin: requester.bin.unwrap_or_default(),
        iin: requester.iin.unwrap_or_default(),
        postal_address: requester.postal_address,
    }
}

fn signatory(signatory: Signatory) -> proto::Signatory {
    proto::Signatory {
        full_name: signatory.full_name,
        capacity: capacity(signatory.capacity),
    }
}

fn item(item: Item) -> proto::Item {
    proto::Item {
        kind: item_kind(item.kind),
        description: item.description,
        unit: item.unit.map(unit).unwrap_or_default(),
        period: item.period.map(|period| period.to_string()).unwrap_or_default(),
        until_period: item.until_period.map(|period| period.to_string()).unwrap_or_default(),
        form: item.form.unwrap_or_default(),
        indicator: item.indicator.unwrap_or_default(),
        detail: item.detail.unwrap_or_default(),
        territories: item.territories,
    }
}

fn coupon(receipt: Receipt) -> proto::Coupon {
    let mut coupon = proto::Coupon {
        number: receipt.coupon_number,
        accepted_at: Some(wire::to_timestamp(receipt.accepted_at)),
        accepted_by: receipt.accepted_by,
        ..Default::default()
    };
    if let Some(proof) = receipt.proof {
        prove(&mut coupon, proof);
    }
    coupon
}

/// Adds what the service signed to a coupon.
pub(super) fn prove(coupon: &mut proto::Coupon, proof: Proof) {
    coupon.content_sha256 = hex::encode(proof.content_sha256);
    coupon.key = proof.key;
    coupon.signature = proof.signature.to_vec();
}

pub(super) fn check(check: Check) -> proto::Check {
    proto::Check {
        rule: rule(check.rule),
        outcome: outcome(check.outcome),
        field: check.field,
        text: Some(check.text.into()),
        legal_basis: Some(check.legal_basis.into()),
        open_editions: check.open.into_iter().map(open_edition).collect(),
    }
}

fn open_edition(edition: OpenEdition) -> proto::OpenEdition {
    proto::OpenEdition {
        edition: edition.name,
        address: edition.address,
        content_sha256: edition.sha256,
        figures: edition.figures,
    }
}

pub(super) fn to_deadline(deadline: Deadline, part: i32) -> calendar::Deadline {
    calendar::Deadline {
        due_date: Some(wire::to_date(deadline.due_date)),
        due_time: Some(wire::to_timestamp(deadline.due_time)),
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: deadline.calendar_version,
        steps: deadline.steps.iter().map(step).collect(),
        term: deadline.term,
        registered_on: Some(wire::to_date(deadline.registered_on)),
        // Of the receipt of a request nothing but this request depends.
        received_from: None,
        received_before: None,
        part,
    }
}

fn explanation(of: &Explanation) -> proto::Explanation {
    proto::Explanation {
        steps: of.steps.iter().map(step).collect(),
        provisional: of.provisional,
        assumed: of.assumed,
        calendar_version: of.calendar_version.clone(),
        term: of.term.clone(),
    }
}

pub(super) fn step(step: &Step) -> calendar::Step {
    calendar::Step {
        date: Some(wire::to_date(step.date)),
        effect: effect(step.effect),
        text: Some(step.text.clone().into()),
        legal_basis: Some(step.legal_basis.clone().into()),
    }
}
