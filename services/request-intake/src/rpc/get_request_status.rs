//! GetRequestStatus.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, wire},
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::requests::v1::{self as proto, GetRequestStatusRequest, RequestStatus};

use super::{
    RequestIntake, convert,
    holder::{self, Shown},
};
use crate::{
    db,
    domain::{
        decision::Decision,
        examination::{Check, Outcome},
        request::Request,
        rules::Rules,
        status::{self, Note},
    },
    error,
};

pub(super) async fn get_request_status(
    service: &RequestIntake,
    call: &Call,
    message: GetRequestStatusRequest,
) -> Result<RequestStatus, Error> {
    let mut violations = Violations::new();
    let shown = Shown::read(&mut violations, &message.coupon_number, &message.secret);
    let languages = Languages::read(&mut violations, &message.languages);
    violations.refuse()?;
    let id = holder::request_of(service, call, shown).await?;
    let rules = service.rules.get(&service.context.db).await?;
    let mut snapshot = service.context.db.snapshot().await?;
    let stored = db::request::get(&mut snapshot, &[id]).await?.remove(&id);
    let stored = stored.transpose()?.ok_or_else(|| error::not_found(id))?;
    let decisions = db::decision::of_each(&mut snapshot, &[id]).await?.remove(&id);
    let request = service.texts.complete(&mut snapshot, vec![stored], false).await?.pop();
    let request = request.ok_or_else(|| anyhow::anyhow!("one request is completed to one"))?;
    Ok(languages.keep(status(request, decisions.unwrap_or_default(), &rules)))
}

/// What is told of a request. Texts come from rules only: what an official or the requester wrote by hand can hold personal data.
fn status(request: Request, decisions: Vec<Decision>, rules: &Rules) -> RequestStatus {
    let (state, received_on) = (request.standing.state, request.submission.received_on());
    let told = |note: Note| {
        let law = note.legal_basis.map(|basis| rules.basis_on(&basis, received_on));
        to_note(note.text, law)
    };
    let mut led_here = decisions.into_iter().rev();
    let led_here = led_here.find(|decision| decision.after == state && decision.before != state);
    let law = led_here.and_then(|decision| decision.legal_basis);
    let mut stands = status::stands(state);
    stands.legal_basis = law.or(stands.legal_basis);
    let failed = request.examination.checks.into_iter();
    let failed = failed.filter(|check| check.outcome == Outcome::Failed);
    let (deadline, receipt) = (request.examination.deadline, request.receipt);
    // Why it was ordered, and by whom, is for who sees the request.
    let erased = request.standing.erased.map(|erasure| proto::Erasure {
        reason: String::new(),
        erased_by: String::new(),
        ordered_by: String::new(),
        ..convert::erased(*erasure)
    });
    let accepted_at = receipt.as_ref().map(|receipt| receipt.accepted_at);
    RequestStatus {
        coupon_number: receipt.map(|receipt| receipt.coupon_number).unwrap_or_default(),
        state: convert::state(state),
        stands: Some(told(stands)),
        awaited: status::awaited(state).map(told),
        findings: failed
            .map(|Check { text, legal_basis, .. }| to_note(text, Some(legal_basis)))
            .collect(),
        accepted_at: accepted_at.map(wire::to_timestamp),
        registration_number: request.registration_number.unwrap_or_default(),
        registered_on: deadline.as_ref().map(|deadline| wire::to_date(deadline.registered_on)),
        due_date: deadline.as_ref().map(|deadline| wire::to_date(deadline.due_date)),
        due_date_provisional: deadline.is_some_and(|deadline| deadline.provisional),
        update_time: request.standing.changed_at.or(accepted_at).map(wire::to_timestamp),
        erased,
    }
}

fn to_note(text: LocalizedText, law: Option<LegalBasis>) -> proto::StatusNote {
    proto::StatusNote {
        text: Some(text.into()),
        legal_basis: law.map(Into::into),
    }
}
