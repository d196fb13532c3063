//! The words that tables and registers hold.

use legalstat_kit::door::word::Word;

use super::{
    edition::{Channel, EditionState},
    form::{Body, Periodicity},
    history::Kind,
};

fn words<T: Word>() -> String {
    let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
    words.join(" ")
}

#[test]
fn a_value_keeps_the_word_under_which_rows_were_stored() {
    assert_eq!(
        words::<EditionState>(),
        "SCHEDULED PREPARED PLACED SEALED NIL WITHDRAWN"
    );
    assert_eq!(
        words::<Channel>(),
        "INFORMATION_SERVICE OFFICIAL_WEBSITE OPEN_DATA_PORTAL"
    );
    assert_eq!(words::<Periodicity>(), "MONTHLY QUARTERLY");
    assert_eq!(words::<Body>(), "COMMITTEE TERRITORIAL");
    assert_eq!(words::<Kind>(), "LOADED CREATED UPDATED CORRECTED RETIRED");
}
