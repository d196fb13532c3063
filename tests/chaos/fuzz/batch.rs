//! What became of the requests of a batch, each of which is a call of its own: the answer's content alone tells.

use legalstat_proto::requests::v1::{BatchSubmitRequestsResponse, submission_result::Result as Became};
use prost::Message as _;
use tonic::Code;

use super::{
    attack::Attack,
    ledger::{Ledger, Who},
};

/// How many bytes stand before a message on the line.
const PREFIX: usize = 5;

/// Notes what each request of a batch was answered; what is wrong with it.
pub fn note(ledger: &mut Ledger, attack: &Attack, each: &Who, content: &[u8]) -> Vec<String> {
    let message = content.get(PREFIX..).unwrap_or_default();
    let results = match BatchSubmitRequestsResponse::decode(message) {
        Ok(answer) => answer.results,
        Err(error) => return vec![format!("an answer that cannot be read: {error}")],
    };
    if results.len() != attack.understood.len() {
        let (asked, told) = (attack.understood.len(), results.len());
        return vec![format!("{asked} were asked for and {told} answered")];
    }
    let mut problems = Vec::new();
    for (result, (id, validate_only)) in results.into_iter().zip(&attack.understood) {
        match (result.result, id) {
            (Some(Became::Request(_)), _) if *validate_only => {}
            (Some(Became::Request(_)), Some(id)) => ledger.done(each.clone(), *id),
            (Some(Became::Failure(failure)), id) => match Code::from_i32(failure.code) {
                Code::Internal | Code::Unknown | Code::DataLoss => {
                    problems.push(format!("a fault of the server: {failure:?}"));
                }
                // Whether it was carried out is not known.
                Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable => ledger.lost(each.clone(), *id),
                code if attack.is_recorded(code) => ledger.refused(each.clone(), &failure.reason),
                _ => {}
            },
            (became, None) => problems.push(format!("it was carried out without an id: {became:?}")),
            (None, _) => problems.push("nothing became of it".into()),
        }
    }
    problems
}

/// Notes that a batch was not answered with what became of its requests: each may have been carried out or refused.
pub fn note_untold(ledger: &mut Ledger, attack: &Attack, each: &Who) {
    for (id, _) in &attack.understood {
        ledger.lost(each.clone(), *id);
    }
}
