//! Which copies a release issues, with their numbers: all, the certain ones, or the rest after those.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;
use legalstat_kit::law::LegalBasis;

use super::{
    distribution::{Distribution, Unresolved},
    recipient::{self, Known},
};

/// How much of a distribution is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All copies that are not issued yet.
    Whole,
    /// Those of the certain cells.
    CertainCells,
}

/// What was issued of an edition before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issued {
    /// The highest number over all revisions; 0 when there is none.
    pub last_number: i32,
    /// How many copies the current revision has in all, by its copies; `None` when it has none yet.
    pub copies_total: Option<i32>,
    /// How many copies of the current revision each recipient has, by its id.
    pub of_recipient: BTreeMap<String, i32>,
}

impl Issued {
    /// The same with who has the copies on a day where a recipient has become another: they count for what follows it.
    pub fn succeeded(mut self, recipients: &[Known], day: Date) -> Self {
        for (id, copies) in std::mem::take(&mut self.of_recipient) {
            let heir = recipient::entitled(recipients, &id, day).map(str::to_owned);
            *self.of_recipient.entry(heir.unwrap_or(id)).or_insert(0) += copies;
        }
        self
    }
}

/// One copy with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedCopy<'a> {
    /// The number within the edition, over all revisions.
    pub number: i32,
    /// Which one it is of the copies of its revision, from 1.
    pub ordinal: i32,
    /// The id of the recipient.
    pub recipient: &'a str,
    /// The law of the cell that entitles it.
    pub legal_basis: &'a LegalBasis,
}

/// Why no copies can be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unissuable {
    /// Nobody can tell who gets some of them.
    Unresolved(Unresolved),
    /// The distribution has another total than the copies of the same revision that were issued say.
    Total { issued: i32, list: i32 },
    /// These recipients have more copies of the same revision than the distribution gives them.
    Fewer(Vec<String>),
    /// No certain cell lacks a copy.
    NothingCertain,
    /// These recipients have ended, and nothing in force follows them.
    Ended(BTreeSet<String>),
}

impl fmt::Display for Unissuable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved(unresolved) => unresolved.fmt(f),
            Self::Total { issued, list } => write!(
                f,
                "the copies issued so far are numbered of {issued}, and the distribution list has {list} now"
            ),
            Self::Fewer(recipients) => write!(
                f,
                "the distribution list now gives fewer copies than were issued to {}",
                recipients.join(", ")
            ),
            Self::NothingCertain => f.write_str("the copies of all certain cells are issued"),
            Self::Ended(recipients) => {
                let named = recipients.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                write!(
                    f,
                    "nothing in force follows these recipients, which have ended: {named}"
                )
            }
        }
    }
}

/// Refuses copies for recipients that have ended by a day without anything in force that follows them.
///
/// # Errors
/// [`Unissuable::Ended`].
pub fn require_entitled(copies: &[NumberedCopy<'_>], recipients: &[Known], day: Date) -> Result<(), Unissuable> {
    let ended = copies.iter().map(|copy| copy.recipient);
    let ended = ended.filter(|id| recipient::entitled(recipients, id, day).is_none());
    let ended: BTreeSet<String> = ended.map(str::to_owned).collect();
    if ended.is_empty() {
        Ok(())
    } else {
        Err(Unissuable::Ended(ended))
    }
}

impl Distribution {
    /// The copies to issue after those that were: of each cell what it still lacks, in the order of the columns, numbered on.
    ///
    /// # Errors
    /// Why they cannot be issued. Giving out the copies of an unresolved cell would be guessing, and copies whose statements contradict
    /// each other would prove nothing.
    pub fn to_issue(&self, part: Part, issued: &Issued) -> Result<Vec<NumberedCopy<'_>>, Unissuable> {
        if let Some(unresolved) = self.unresolved().filter(|_| part == Part::Whole) {
            return Err(Unissuable::Unresolved(unresolved));
        }
        let list = self.copies_total();
        if let Some(issued) = issued.copies_total.filter(|total| *total != list) {
            return Err(Unissuable::Total { issued, list });
        }
        let mut held = issued.of_recipient.clone();
        let mut lacking = Vec::new();
        for cell in self.cells() {
            let copies = cell.copies.unwrap_or(0);
            let before = held.entry(cell.recipient.clone()).or_insert(0);
            let has = copies.min(*before);
            *before -= has;
            let lacks = usize::try_from(copies - has).unwrap_or(0);
            lacking.extend(std::iter::repeat_n(cell, lacks));
        }
        held.retain(|_, beyond| *beyond > 0);
        if !held.is_empty() {
            return Err(Unissuable::Fewer(held.into_keys().collect()));
        }
        if lacking.is_empty() && !self.is_whole_after(part) {
            return Err(Unissuable::NothingCertain);
        }
        let first_ordinal = 1 + issued.of_recipient.values().sum::<i32>();
        let numbers = (issued.last_number + 1..).zip(first_ordinal..);
        let numbered = numbers.zip(lacking).map(|((number, ordinal), cell)| NumberedCopy {
            number,
            ordinal,
            recipient: &cell.recipient,
            legal_basis: &cell.legal_basis,
        });
        Ok(numbered.collect())
    }

    /// Whether nothing is left to issue once this part is.
    pub fn is_whole_after(&self, part: Part) -> bool {
        part == Part::Whole || self.unresolved_groups().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use legalstat_kit::law::LocalizedText;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        distribution::{Cell, Group},
        recipient::Facts,
        register,
    };

    fn cell(column: i32, copies: Option<i32>) -> Cell {
        Cell {
            column,
            recipient: format!("body-{column}"),
            copies,
            legal_basis: LegalBasis::default(),
        }
    }

    /// What has been issued once these copies are too.
    fn after(mut issued: Issued, copies: &[NumberedCopy<'_>], total: i32) -> Issued {
        for copy in copies {
            *issued.of_recipient.entry(copy.recipient.to_owned()).or_insert(0) += 1;
            issued.last_number = issued.last_number.max(copy.number);
        }
        issued.copies_total = Some(total);
        issued
    }

    /// What has been issued of the next revision.
    fn recalled(issued: &Issued) -> Issued {
        Issued {
            last_number: issued.last_number,
            ..Issued::default()
        }
    }

    #[test]
    fn copies_are_numbered_in_the_order_of_the_columns() {
        let register = register::appendix_1().expect("the register is readable");
        let crime = register.distribution("crime").expect("it is consistent");
        let copies = crime
            .to_issue(Part::Whole, &Issued::default())
            .expect("every cell is certain");
        assert_eq!(copies.len(), 33);
        assert!(copies.iter().all(|copy| copy.number == copy.ordinal));
        let numbers = |recipient: &str| {
            let of = copies.iter().filter(|copy| copy.recipient == recipient);
            of.map(|copy| copy.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers("gpo-leadership"), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(numbers("gpo-office"), [8]);
        assert_eq!(numbers("gpo-committee"), [14, 15, 16, 17, 18]);
        assert_eq!(numbers("supreme-court"), [25]);
        assert_eq!(numbers("foreign-intelligence-service"), [33]);
    }

    #[test]
    fn only_the_certain_copies_of_an_unresolved_collection_can_be_issued() {
        let register = register::appendix_1().expect("the register is readable");
        for id in ["corruption", "drugs", "courts", "prosecution-bodies", "supervision"] {
            let distribution = register.distribution(id).expect("it is consistent");
            let whole = distribution.to_issue(Part::Whole, &Issued::default());
            assert!(matches!(whole, Err(Unissuable::Unresolved(_))), "{id}: {whole:?}");
            let certain = distribution.to_issue(Part::CertainCells, &Issued::default());
            let certain = certain.expect("some cells are certain");
            let hidden: i32 = distribution.unresolved_groups().iter().map(|group| group.copies).sum();
            let expected = usize::try_from(distribution.copies_total() - hidden);
            assert_eq!(Ok(certain.len()), expected, "{id}");
            assert!(!distribution.is_whole_after(Part::CertainCells), "{id}");
        }
    }

    #[test]
    fn a_list_that_contradicts_what_was_issued_issues_nothing() {
        let distribution =
            |cells: Vec<Cell>, total| Distribution::new(cells, Vec::new(), total).expect("it is consistent");
        let first = distribution(vec![cell(2, Some(2)), cell(3, Some(1))], 3);
        let issued = first.to_issue(Part::Whole, &Issued::default()).expect("it is certain");
        let issued = after(Issued::default(), &issued, 3);
        assert_eq!(first.to_issue(Part::Whole, &issued), Ok(Vec::new()));
        let more = distribution(vec![cell(2, Some(2)), cell(3, Some(2))], 4);
        let refused = more.to_issue(Part::Whole, &issued);
        assert_eq!(refused, Err(Unissuable::Total { issued: 3, list: 4 }));
        let moved = distribution(vec![cell(2, Some(1)), cell(4, Some(2))], 3);
        let refused = moved.to_issue(Part::Whole, &issued);
        assert_eq!(refused, Err(Unissuable::Fewer(vec!["body-2".into(), "body-3".into()])));
    }

    #[test]
    fn copies_of_who_ended_count_for_what_follows_and_go_to_nobody_where_nothing_does() {
        let known = |id: &str, last: Option<&str>, successor: Option<&str>| Known {
            number: 1,
            id: id.into(),
            appendix_column: None,
            valid_from: jiff::civil::date(2019, 4, 15),
            facts: Facts {
                name: LocalizedText::new("", "", id),
                parent: None,
                certificate_name: None,
                endpoint: None,
                successor: successor.map(str::to_owned),
                legal_basis: LegalBasis::default(),
                valid_to: last.map(|day| day.parse().expect("a day")),
            },
            recorded_at: None,
        };
        let rows = [
            known("body-2", Some("2025-04-02"), Some("body-3")),
            known("body-3", None, None),
            known("body-4", Some("2025-04-02"), None),
        ];
        let day = jiff::civil::date(2025, 4, 3);
        let list = |copies_of_4| {
            let cells = vec![cell(2, Some(2)), cell(3, Some(1)), cell(4, Some(copies_of_4))];
            let list = Distribution::new(cells, Vec::new(), 3 + copies_of_4).expect("it is consistent");
            list.succeeded(&rows, day)
        };
        let issued = Issued {
            last_number: 3,
            copies_total: Some(3),
            of_recipient: [("body-2".to_owned(), 2), ("body-3".to_owned(), 1)].into(),
        };
        let issued = issued.succeeded(&rows, day);
        assert_eq!(issued.of_recipient, [("body-3".to_owned(), 3)].into());
        assert_eq!(list(0).to_issue(Part::Whole, &issued), Ok(Vec::new()));
        let list = list(1);
        let copies = list
            .to_issue(Part::Whole, &Issued::default())
            .expect("every cell is certain");
        let recipients: Vec<_> = copies.iter().map(|copy| copy.recipient).collect();
        assert_eq!(recipients, ["body-3", "body-3", "body-3", "body-4"]);
        assert_eq!(require_entitled(&copies[..3], &rows, day), Ok(()));
        let ended = Unissuable::Ended(["body-4".to_owned()].into());
        assert_eq!(require_entitled(&copies, &rows, day), Err(ended));
    }

    #[test]
    fn certain_cells_are_issued_once() {
        let group = Group {
            first_column: 3,
            last_column: 4,
            copies: 1,
            legal_basis: LegalBasis::default(),
        };
        let cells = vec![cell(2, Some(2)), cell(3, None), cell(4, None)];
        let list = Distribution::new(cells, vec![group], 3).expect("it is consistent");
        let copies = list.to_issue(Part::CertainCells, &Issued::default());
        let issued = after(Issued::default(), &copies.expect("column 2 is certain"), 3);
        let again = list.to_issue(Part::CertainCells, &issued);
        assert_eq!(again, Err(Unissuable::NothingCertain));
    }

    proptest! {
        /// An edition is released in part or at once, completed, recalled, and so again: a name means one copy for ever, and each
        /// revision has copies 1 to n of n.
        #[test]
        fn numbers_are_unique_and_continuous_over_partial_releases_and_replacements(
            copies in proptest::collection::vec((0..5_i32, any::<bool>()), 1..24),
            revisions in proptest::collection::vec(any::<bool>(), 1..4),
        ) {
            let fail = |error: String| TestCaseError::fail(error);
            let cells: Vec<Cell> = (2..).zip(&copies).map(|(column, (copies, _))| cell(column, Some(*copies))).collect();
            let total: i32 = copies.iter().map(|(copies, _)| copies).sum();
            prop_assume!(total > 0);
            // What is not certain yet is 0 or 1, and its sum is known.
            let unknown = |index: usize| copies[index].1 && copies[index].0 < 2;
            let unresolved: Vec<Cell> = cells.iter().enumerate()
                .map(|(index, cell)| Cell { copies: cell.copies.filter(|_| !unknown(index)), ..cell.clone() }).collect();
            let groups = unresolved.iter().zip(&cells).filter(|(before, _)| before.copies.is_none()).map(|(_, cell)| Group {
                first_column: cell.column,
                last_column: cell.column,
                copies: cell.copies.unwrap_or(0),
                legal_basis: LegalBasis::default(),
            });
            let unresolved = Distribution::new(unresolved.clone(), groups.collect(), total).map_err(|e| fail(e.to_string()))?;
            let resolved = Distribution::new(cells.clone(), Vec::new(), total).map_err(|e| fail(e.to_string()))?;

            let (mut issued, mut numbers) = (Issued::default(), Vec::new());
            for in_part in revisions {
                let mut ordinals = Vec::new();
                let parts = [(in_part, &unresolved, Part::CertainCells), (true, &resolved, Part::Whole)];
                for (_, list, part) in parts.into_iter().filter(|(taken, ..)| *taken) {
                    match list.to_issue(part, &issued) {
                        Ok(copies) => {
                            numbers.extend(copies.iter().map(|copy| copy.number));
                            ordinals.extend(copies.iter().map(|copy| copy.ordinal));
                            issued = after(issued, &copies, list.copies_total());
                        }
                        Err(refused) => prop_assert_eq!(refused, Unissuable::NothingCertain),
                    }
                }
                prop_assert_eq!(ordinals, (1..=total).collect::<Vec<_>>());
                for cell in &cells {
                    let got = issued.of_recipient.get(&cell.recipient).copied().unwrap_or(0);
                    prop_assert_eq!(Some(got), cell.copies);
                }
                issued = recalled(&issued);
            }
            let last = i32::try_from(numbers.len()).map_err(|e| fail(e.to_string()))?;
            prop_assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
        }
    }
}
