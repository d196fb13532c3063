//! The words that tables and registers hold.

use legalstat_kit::door::word::Word;

use super::*;

fn words<T: Word>() -> String {
    let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
    words.join(" ")
}

#[test]
fn a_value_keeps_the_word_under_which_rows_were_stored() {
    assert_eq!(
        words::<RequesterKind>(),
        "STATE_BODY PROSECUTOR_BODY INDIVIDUAL LEGAL_ENTITY"
    );
    assert_eq!(words::<Grade>(), "A B C D");
    assert_eq!(words::<ActKind>(), "LAW RESOLUTION ORDER");
    assert_eq!(words::<HolidayClass>(), "HOLIDAY DAY_OFF");
    assert_eq!(words::<DayOffStatus>(), "PROVISIONAL ANNOUNCED CONFIRMED");
    assert_eq!(words::<TermUnit>(), "CALENDAR_DAY WORKING_DAY MONTH");
    assert_eq!(words::<TermOrigin>(), "RECEIPT REGISTRATION");
}
