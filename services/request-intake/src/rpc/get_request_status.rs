//! GetRequestStatus.

use legalstat_kit::{Call, Error, door::wire, law::LegalBasis};
use legalstat_proto::requests::v1::{self as proto, GetRequestStatusRequest, RequestStatus};

use super::{
    RequestIntake,
    convert::{self, View},
    get_request, holder,
};
use crate::{
    domain::{
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
    let id = holder::request_of(service, call, &message.coupon_number, &message.secret).await?;
    let stored = service.lookup.get(id).await?.ok_or_else(|| error::not_found(id))?;
    let rules = service.rules.get(&service.context.db).await?;
    let request = match service.texts.known(&stored, false) {
        Some(texts) => texts.complete(stored),
        None => {
            let mut connection = service.context.db.connection().await?;
            get_request::complete(service, &mut connection, stored, View::Basic).await?
        }
    };
    Ok(status(request, &rules))
}

/// What is told of a request. Texts come from rules only: what an official or the requester wrote by hand can hold personal data.
fn status(request: Request, rules: &Rules) -> RequestStatus {
    let (state, received_on) = (request.examination.state, request.submission.received_on());
    let told = |note: Note| {
        let law = note.legal_basis.map(|basis| rules.basis_on(&basis, received_on));
        to_note(note.text, law)
    };
    let failed = request.examination.checks.into_iter();
    let failed = failed.filter(|check| check.outcome == Outcome::Failed);
    let deadline = request.examination.deadline;
    let receipt = request.receipt;
    RequestStatus {
        coupon_number: receipt
            .as_ref()
            .map(|receipt| receipt.coupon_number.clone())
            .unwrap_or_default(),
        state: convert::state(state),
        stands: Some(told(status::stands(state))),
        awaited: status::awaited(state).map(told),
        findings: failed
            .map(|Check { text, legal_basis, .. }| to_note(text, Some(legal_basis)))
            .collect(),
        accepted_at: receipt.map(|receipt| wire::to_timestamp(receipt.accepted_at)),
        registration_number: request.registration_number.unwrap_or_default(),
        registered_on: deadline.as_ref().map(|deadline| wire::to_date(deadline.registered_on)),
        due_date: deadline.as_ref().map(|deadline| wire::to_date(deadline.due_date)),
        due_date_provisional: deadline.is_some_and(|deadline| deadline.provisional),
    }
}

fn to_note(text: legalstat_kit::law::LocalizedText, law: Option<LegalBasis>) -> proto::StatusNote {
    proto::StatusNote {
        text: Some(text.into()),
        legal_basis: law.map(Into::into),
    }
}
