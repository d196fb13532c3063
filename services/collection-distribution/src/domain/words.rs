//! The words that tables and registers hold.

use legalstat_kit::door::word::Word;

use super::{
    collection::Periodicity, copy::CopyState, distribution_list::ListState, edition::EditionState, receipt::Way,
};

fn words<T: Word>() -> String {
    let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
    words.join(" ")
}

#[test]
fn a_value_keeps_the_word_under_which_rows_were_stored() {
    assert_eq!(words::<Periodicity>(), "QUARTERLY HALF_YEAR_AND_YEAR");
    assert_eq!(words::<CopyState>(), "ISSUED RECEIVED SENDING REJECTED FAILED RECALLED");
    assert_eq!(words::<Way>(), "PULL PUSH");
    assert_eq!(words::<ListState>(), "PROPOSED IN_FORCE REJECTED");
    assert_eq!(
        words::<EditionState>(),
        "SCHEDULED PREPARED SEALED PARTLY_RELEASED RELEASED RECALLED"
    );
}
