//! A deadline as the bytes of the message `Deadline`, its steps written from the calendar's own texts.
//!
//! Only the steps are written here; everything else is the generated message's work. Most steps of an answer share a text
//! and a law with another one, since they are kept once in the calendar: their bytes are then taken from there.

use std::{ops::Range, sync::Arc};

use jiff::civil::Date;
use legalstat_kit::{
    door::languages::Languages,
    law::{LegalBasis, LocalizedText},
};
use prost::{Message, encode_length_delimiter, length_delimiter_len};

use super::convert;
use crate::domain::{Deadline, Step};

/// `Deadline.steps`.
const STEPS: u8 = 6;
/// The fields of `Step`.
const DATE: u8 = 1;
const EFFECT: u8 = 2;
const TEXT: u8 = 3;
const LEGAL_BASIS: u8 = 4;
/// `LegalBasis.assumed`.
const ASSUMED: u8 = 4;
/// Room for a step; most need less.
const STEP: usize = 400;

/// The message `Deadline`, its texts in these languages.
pub(super) fn deadline(mut deadline: Deadline, languages: Languages) -> Vec<u8> {
    let steps = std::mem::take(&mut deadline.steps);
    let head = convert::deadline(deadline);
    let mut out = Vec::with_capacity(head.encoded_len() + steps.len() * STEP);
    head.encode(&mut out).expect("a vector has room");
    let mut reasons = Vec::with_capacity(steps.len());
    for step in &steps {
        put_step(step, languages, &mut reasons, &mut out);
    }
    out
}

/// Where the text and the law of a step are written.
struct Reason<'a> {
    text: &'a Arc<LocalizedText>,
    legal_basis: &'a Arc<LegalBasis>,
    written: Range<usize>,
}

impl Reason<'_> {
    /// Whether a step has the same, not only the like.
    fn is_of(&self, step: &Step) -> bool {
        Arc::ptr_eq(self.text, &step.text) && Arc::ptr_eq(self.legal_basis, &step.legal_basis)
    }
}

fn put_step<'a>(step: &'a Step, languages: Languages, reasons: &mut Vec<Reason<'a>>, out: &mut Vec<u8>) {
    // The effect is a field of two bytes: there are few effects.
    let day = 2 + framed(date_length(step.date));
    let earlier = reasons.iter().find(|reason| reason.is_of(step));
    if let Some(written) = earlier.map(|reason| reason.written.clone()) {
        put_frame(STEPS, day + written.len(), out);
        put_day(step, out);
        out.extend_from_within(written);
        return;
    }
    let text = languages.of(strings(&step.text));
    let (length, basis) = (strings_length(text), basis_length(&step.legal_basis));
    put_frame(STEPS, day + framed(length) + framed(basis), out);
    put_day(step, out);
    let begin = out.len();
    put_frame(TEXT, length, out);
    put_strings(text, out);
    put_frame(LEGAL_BASIS, basis, out);
    put_strings(citation(&step.legal_basis), out);
    if step.legal_basis.assumed {
        put_number(ASSUMED, 1, out);
    }
    reasons.push(Reason {
        text: &step.text,
        legal_basis: &step.legal_basis,
        written: begin..out.len(),
    });
}

/// The date of a step and what it does.
fn put_day(step: &Step, out: &mut Vec<u8>) {
    put_frame(DATE, date_length(step.date), out);
    for (field, number) in (1..).zip(numbers(step.date)) {
        put_number(field, number, out);
    }
    put_number(EFFECT, convert::step_effect(step.effect) as usize, out);
}

/// The fields of `Date`, none of which is ever 0.
fn numbers(date: Date) -> [usize; 3] {
    [
        date.year().unsigned_abs().into(),
        date.month().unsigned_abs().into(),
        date.day().unsigned_abs().into(),
    ]
}

fn date_length(date: Date) -> usize {
    numbers(date)
        .into_iter()
        .map(|number| 1 + length_delimiter_len(number))
        .sum()
}

fn strings(LocalizedText { kk, ru, en }: &LocalizedText) -> [&str; 3] {
    [kk, ru, en]
}

fn citation(basis: &LegalBasis) -> [&str; 3] {
    [&basis.act, &basis.provision, &basis.uri]
}

fn basis_length(basis: &LegalBasis) -> usize {
    strings_length(citation(basis)) + if basis.assumed { 2 } else { 0 }
}

/// How long something with a length in front is as a field with a number below 16.
fn framed(length: usize) -> usize {
    1 + length_delimiter_len(length) + length
}

fn put_frame(field: u8, length: usize, out: &mut Vec<u8>) {
    const LENGTH_DELIMITED: u8 = 2;
    out.push(field << 3 | LENGTH_DELIMITED);
    put_varint(length, out);
}

fn put_number(field: u8, number: usize, out: &mut Vec<u8>) {
    out.push(field << 3);
    put_varint(number, out);
}

/// Lengths are the format's variable-length integers like any other number.
fn put_varint(number: usize, out: &mut Vec<u8>) {
    match u8::try_from(number) {
        Ok(small @ ..0x80) => out.push(small),
        _ => encode_length_delimiter(number, out).expect("a vector has room"),
    }
}

/// How long three strings are as the fields 1 to 3. An empty one is left out, as everywhere in proto3.
fn strings_length(strings: [&str; 3]) -> usize {
    let given = strings.into_iter().filter(|string| !string.is_empty());
    given.map(|string| framed(string.len())).sum()
}

fn put_strings(strings: [&str; 3], out: &mut Vec<u8>) {
    for (field, string) in (1..).zip(strings).filter(|(_, string)| !string.is_empty()) {
        put_frame(field, string.len(), out);
        out.extend_from_slice(string.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan, civil::date};
    use legalstat_kit::{Violations, zone};
    use legalstat_proto::calendar::v1 as proto;

    use super::*;
    use crate::domain::{
        Calendar, Obligation, RequesterKind, TermChoice, TermQuestion, WorkingHours, embedded_rules,
        obligation_deadline, term_deadline,
    };

    fn calendar() -> Calendar {
        let rules = embedded_rules().expect("the registers");
        Calendar::new(&rules, Timestamp::constant(1_795_514_400, 0)).expect("a calendar")
    }

    fn assert_as_generated(computed: Deadline) {
        for codes in [&[] as &[&str], &["kk"], &["ru", "en"]] {
            let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
            let languages = Languages::read(&mut Violations::new(), &codes);
            let written = deadline(computed.clone(), languages);
            let read = proto::Deadline::decode(&*written).expect("a message");
            assert_eq!(read, languages.keep(convert::deadline(computed.clone())));
        }
    }

    #[test]
    fn a_term_is_written_as_the_generated_message_is() {
        let calendar = calendar();
        for kind in [RequesterKind::Individual, RequesterKind::StateBody] {
            for day in date(2016, 1, 1).series(1.day()).take(4000).step_by(3) {
                for (hour, explain) in [(1, true), (20, true), (12, false)] {
                    let choice = TermChoice::ForRequester(kind);
                    let question = TermQuestion::new(choice, zone::beginning(day) + hour.hours());
                    let computed = term_deadline(&calendar, &question, WorkingHours::default(), explain);
                    assert_as_generated(computed.expect("a deadline"));
                }
            }
        }
    }

    #[test]
    fn an_obligation_is_written_as_the_generated_message_is() {
        let calendar = calendar();
        let bare = LegalBasis {
            act: "an act".into(),
            ..LegalBasis::default()
        };
        for period in ["2019-Q2", "2024-M03", "2019-S1", "2020"] {
            for legal_basis in [None, Some(Arc::new(bare.clone())), Some(Arc::default())] {
                let obligation = Obligation {
                    period: period.parse().expect("a period"),
                    due_day: 14,
                    roll_forward: true,
                    legal_basis,
                    roll_forward_basis: None,
                };
                assert_as_generated(obligation_deadline(&calendar, &obligation, true).expect("a deadline"));
            }
        }
    }
}
