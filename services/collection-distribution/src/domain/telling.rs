//! Whom the feed of copies tells of what.

/// What becomes of an edition that concerns who holds its copies: that they are out, or recalled. What is done to prepare it does not.
pub fn concerns_holders(kind: &str) -> bool {
    matches!(
        kind,
        "edition.released" | "edition.partly_released" | "edition.recalled"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_copies_is_not_told_of_their_preparation() {
        for kind in ["edition.released", "edition.partly_released", "edition.recalled"] {
            assert!(concerns_holders(kind), "{kind}");
        }
        for kind in [
            "edition.prepared",
            "edition.preparation_repeated",
            "edition.sealed",
            "edition.due_date_moved",
        ] {
            assert!(!concerns_holders(kind), "{kind}");
        }
    }
}
