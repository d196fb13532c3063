//! How punctual the collections are, and from which day that is kept, on the command line.

use legalstat_test_support::system::System;

#[test]
fn the_year_of_the_collections_is_counted_from_the_day_that_an_administrator_sets() {
    let system = System::start();
    let first = system.json(&["collections", "answering-day"]);
    let counted = |more: &[&str]| system.json(&[&["collections", "punctuality", "--year", "2025"], more].concat());
    let before = counted(&[]);
    assert_eq!(before["answeringFrom"], first["day"]);
    assert_eq!(
        before["editions"]["notKept"], before["editions"]["expected"],
        "{before}"
    );
    let set = system.json(&[
        "collections",
        "answering-day",
        "--set",
        "2019-04-15",
        "--reason",
        "the paper register ended",
        "--as",
        "administrator",
    ]);
    assert_eq!(set["previous"].as_array().map(Vec::len), Some(1), "{set}");
    let after = counted(&["--by", "collection"]);
    assert_eq!(after["editions"]["overdue"], 22, "nothing of 2025 was sent: {after}");
    assert_eq!(after["lines"][0]["collection"], "collections/crime");
    assert_eq!(after["lines"].as_array().map(Vec::len), Some(6));
    let crime = counted(&["--collection", "crime", "--period", "2025-Q3"]);
    assert_eq!(crime["editions"]["expected"], 1, "{crime}");
}
