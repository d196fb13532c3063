//! The words that tables and registers hold.

use legalstat_kit::door::word::Word;

use super::{
    decision::OfficialCapacity,
    evidence::StepEffect,
    examination::{CheckRule, Outcome},
    life::Verb,
    request::{CallerRole, Capacity, Channel, DuePart, ItemKind, Language, RequesterKind, State, Unit},
    rules::{CountedFrom, Decider},
};

fn words<T: Word>() -> String {
    let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
    words.join(" ")
}

#[test]
fn a_value_keeps_the_word_under_which_rows_were_stored() {
    assert_eq!(words::<StepEffect>(), "START COUNTED SKIPPED SUSPENDED ROLLED DUE");
    assert_eq!(
        words::<CheckRule>(),
        "WRITTEN CHANNEL SIGNATORY SIGNATURE IDENTITY ADDRESS SIGNED DATED ESSENCE CONSIDERABLE NO_DOCUMENT_COPIES \
         NO_PRIMARY_ACCOUNTING UNIT PERIOD PERIOD_OVER LIKELY_DUPLICATE REPEATED WITHIN_INDICATORS NOT_OPENLY_AVAILABLE DUE_DATE"
    );
    assert_eq!(
        words::<Outcome>(),
        "PASSED FAILED PROPOSED UNDETERMINED PENDING NOT_APPLICABLE"
    );
    assert_eq!(
        words::<RequesterKind>(),
        "STATE_BODY PROSECUTOR_BODY INDIVIDUAL LEGAL_ENTITY"
    );
    assert_eq!(
        words::<Channel>(),
        "UNIFIED_EDMS KADAGALAU PAPER E_GOVERNMENT EMAIL MESSENGER ORAL"
    );
    assert_eq!(words::<CallerRole>(), "EDMS KADAGALAU OPERATOR");
    assert_eq!(words::<Capacity>(), "HEAD SUBSTITUTE AUTHORIZED_OFFICIAL APPLICANT");
    assert_eq!(
        words::<ItemKind>(),
        "STATISTICS ACCOUNTING_DOCUMENT_COPY PRIMARY_ACCOUNTING_FORM"
    );
    assert_eq!(words::<Unit>(), "CRIME OFFENCE CRIMINAL_CASE PERSON");
    assert_eq!(words::<Language>(), "KK RU");
    assert_eq!(
        words::<State>(),
        "RECEIVED AWAITING_CLARIFICATION REGISTERED LEFT_WITHOUT_CONSIDERATION IN_PREPARATION ANSWERED FORWARDED RETURNED TERMINATED WITHDRAWN"
    );
    assert_eq!(
        words::<Verb>(),
        "PUT_OFF REGISTER EXAMINE_AGAIN ASK_CLARIFICATION LEAVE_WITHOUT_CONSIDERATION ASSIGN WITHDRAW REVIEW_DECISION REVERSE_DECISION CORRECT PROVIDE_CLARIFICATION CLARIFY_REGISTERED CLARIFY_PREPARED EXTEND FORWARD FORWARD_ITEMS RETURN TERMINATE"
    );
    assert_eq!(words::<OfficialCapacity>(), "HEAD DEPUTY HEAD_OF_APPARATUS");
    assert_eq!(words::<DuePart>(), "LONG_BASE EXTENSION");
    assert_eq!(words::<CountedFrom>(), "DECISION DUE_DATE");
    assert_eq!(words::<Decider>(), "SYSTEM OFFICIAL REQUESTER");
}
