//! The collections, their recipients and who gets how many copies, as the Instruction orders it; embedded in the service.

use anyhow::Context as _;
use jiff::civil::Date;
use legalstat_kit::{
    door::register::{self, lines},
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use serde::Deserialize;

use super::{
    collection::{Collection, Periodicity},
    distribution::{Cell, Distribution, Group},
    key,
    recipient::Recipient,
};

const COLLECTIONS: &str = include_str!("../../data/collections.csv");
const RECIPIENTS: &str = include_str!("../../data/recipients.csv");
const DISTRIBUTION: &str = include_str!("../../data/distribution.csv");
const UNKNOWN_GROUPS: &str = include_str!("../../data/distribution_unknown_groups.csv");
/// What stands in a cell of which the text does not tell whether it is 0 or 1.
const UNKNOWN: &str = "UNKNOWN";

/// Appendix 1.
#[derive(Clone, Debug)]
pub struct Register {
    /// The collections by row.
    pub collections: Vec<Collection>,
    /// The recipients by column, a heading before its columns.
    pub recipients: Vec<Recipient>,
    pub cells: Vec<Dated<Cell>>,
    /// The sums of neighbouring unresolved cells.
    pub groups: Vec<Dated<Group>>,
}

/// A part of a collection's row, with the days on which it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    /// The id of the collection.
    pub collection: String,
    pub part: T,
    /// The first day on which it applies.
    pub valid_from: Date,
    /// The last such day; `None` while it goes on.
    pub valid_to: Option<Date>,
}

#[derive(Deserialize)]
struct CollectionLine {
    appendix_row: i32,
    id: String,
    title_en: String,
    periodicity: String,
    due_day: i32,
    roll_forward: String,
    roll_forward_basis: String,
    copies_total: i32,
    legal_basis: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct RecipientLine {
    column: Option<i32>,
    id: String,
    name_en: String,
    parent: Option<String>,
    legal_basis: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct CellLine {
    collection: String,
    column: i32,
    recipient: String,
    copies: String,
    legal_basis: String,
    valid_from: String,
    valid_to: String,
}

#[derive(Deserialize)]
struct GroupLine {
    collection: String,
    columns: String,
    copies_among_unknown_cells: i32,
    legal_basis: String,
    valid_from: String,
    valid_to: String,
}

/// The register as embedded.
///
/// # Errors
/// A line that cannot be read, or a row whose cells and groups do not make up its total: the service must not start with
/// half a register.
pub fn appendix_1() -> anyhow::Result<Register> {
    let register = Register {
        collections: lines("collections.csv", COLLECTIONS, collection)?,
        recipients: lines("recipients.csv", RECIPIENTS, recipient)?,
        cells: lines("distribution.csv", DISTRIBUTION, cell)?,
        groups: lines("distribution_unknown_groups.csv", UNKNOWN_GROUPS, group)?,
    };
    for collection in &register.collections {
        register
            .distribution(&collection.id)
            .with_context(|| format!("the row of {}", collection.id))?;
    }
    Ok(register)
}

impl Register {
    /// The row of a collection.
    ///
    /// # Errors
    /// An unknown collection, or a row that contradicts itself.
    pub fn distribution(&self, id: &str) -> anyhow::Result<Distribution> {
        let collection = self.collections.iter().find(|collection| collection.id == id);
        let copies_total = collection
            .with_context(|| format!("no collection {id:?}"))?
            .copies_total;
        Ok(Distribution::new(
            parts(&self.cells, id),
            parts(&self.groups, id),
            copies_total,
        )?)
    }
}

fn parts<T: Clone>(all: &[Dated<T>], collection: &str) -> Vec<T> {
    all.iter()
        .filter(|dated| dated.collection == collection)
        .map(|dated| dated.part.clone())
        .collect()
}

fn collection(line: CollectionLine) -> anyhow::Result<Collection> {
    let periodicity: Periodicity = register::word(&line.periodicity)?;
    let (valid_from, valid_to) = register::validity(&line.valid_from, &line.valid_to)?;
    Ok(Collection {
        appendix_row: line.appendix_row,
        title: LocalizedText::new("", "", line.title_en),
        periodicity,
        copies_total: line.copies_total,
        duty: Duty {
            parent: key::collection(&line.id),
            position: 0,
            periods: periodicity.periods(),
            due_day: line.due_day,
            roll_forward: register::yes_or_no(&line.roll_forward)?,
            roll_forward_basis: LegalBasis::parse(&line.roll_forward_basis),
            legal_basis: LegalBasis::parse(&line.legal_basis),
            valid_from,
            valid_to,
        },
        id: line.id,
    })
}

fn recipient(line: RecipientLine) -> anyhow::Result<Recipient> {
    let (valid_from, valid_to) = register::validity(&line.valid_from, &line.valid_to)?;
    Ok(Recipient {
        id: line.id,
        appendix_column: line.column,
        name: LocalizedText::new("", "", line.name_en),
        parent: line.parent,
        legal_basis: LegalBasis::parse(&line.legal_basis),
        valid_from,
        valid_to,
    })
}

fn cell(line: CellLine) -> anyhow::Result<Dated<Cell>> {
    let copies = match line.copies.as_str() {
        UNKNOWN => None,
        number => Some(number.parse().context("copies")?),
    };
    let legal_basis = LegalBasis::parse(&line.legal_basis);
    let (valid_from, valid_to) = register::validity(&line.valid_from, &line.valid_to)?;
    Ok(Dated {
        collection: line.collection,
        part: Cell {
            column: line.column,
            recipient: line.recipient,
            copies,
            legal_basis,
        },
        valid_from,
        valid_to,
    })
}

fn group(line: GroupLine) -> anyhow::Result<Dated<Group>> {
    let (first, last) = line.columns.split_once('-').context("columns are written like 3-8")?;
    let part = Group {
        first_column: first.parse().context("the first column")?,
        last_column: last.parse().context("the last column")?,
        copies: line.copies_among_unknown_cells,
        legal_basis: LegalBasis::parse(&line.legal_basis),
    };
    let (valid_from, valid_to) = register::validity(&line.valid_from, &line.valid_to)?;
    Ok(Dated {
        collection: line.collection,
        part,
        valid_from,
        valid_to,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use legalstat_kit::due::schedule::YEARS;

    use super::*;

    fn register() -> Register {
        appendix_1().expect("the register is readable")
    }

    #[test]
    fn the_collections_stand_in_the_order_of_appendix_1_with_their_copies() {
        let collections = register().collections;
        let rows: Vec<_> = collections
            .iter()
            .map(|row| (row.appendix_row, row.id.as_str(), row.copies_total))
            .collect();
        assert_eq!(
            rows,
            [
                (1, "crime", 33),
                (2, "corruption", 32),
                (3, "drugs", 24),
                (4, "courts", 28),
                (5, "prosecution-bodies", 29),
                (6, "supervision", 30)
            ]
        );
    }

    #[test]
    fn every_year_of_the_schedule_has_22_periods_and_646_copies() {
        let collections = register().collections;
        for year in YEARS {
            let copies: Vec<i32> = collections
                .iter()
                .flat_map(|collection| {
                    let periods = collection.duty.periods_of(year..=year);
                    periods.map(move |period| {
                        assert_eq!(collection.require_period(period), Ok(()));
                        collection.copies_total
                    })
                })
                .collect();
            assert_eq!((copies.len(), copies.iter().sum::<i32>()), (22, 646), "{year}");
        }
    }

    #[test]
    fn a_year_has_646_copies() {
        let of_year = |collection: &Collection| {
            i32::try_from(collection.periodicity.periods().len()).expect("a few") * collection.copies_total
        };
        assert_eq!(register().collections.iter().map(of_year).sum::<i32>(), 646);
    }

    #[test]
    fn the_recipients_fill_columns_2_to_24() {
        let recipients = register().recipients;
        let columns: Vec<i32> = recipients
            .iter()
            .filter_map(|recipient| recipient.appendix_column)
            .collect();
        assert_eq!(columns, (2..=24).collect::<Vec<_>>());
        let headings: Vec<&str> = recipients
            .iter()
            .filter(|r| r.appendix_column.is_none())
            .map(|r| r.id.as_str())
            .collect();
        assert_eq!(headings, ["gpo"]);
        for recipient in recipients
            .iter()
            .filter(|recipient| recipient.appendix_column.is_some_and(|c| c <= 9))
        {
            assert_eq!(recipient.parent.as_deref(), Some("gpo"), "{}", recipient.id);
        }
    }

    #[test]
    fn every_collection_has_one_cell_for_every_recipient_and_75_are_unresolved() {
        let register = register();
        let recipients: BTreeSet<_> = register
            .recipients
            .iter()
            .filter_map(|r| Some((r.appendix_column?, r.id.as_str())))
            .collect();
        for collection in &register.collections {
            let distribution = register.distribution(&collection.id).expect("it is consistent");
            let cells: BTreeSet<_> = distribution
                .cells()
                .iter()
                .map(|cell| (cell.column, cell.recipient.as_str()))
                .collect();
            assert_eq!(cells, recipients, "{}", collection.id);
        }
        assert_eq!(
            register
                .cells
                .iter()
                .filter(|dated| dated.part.copies.is_none())
                .count(),
            75
        );
    }

    #[test]
    fn that_the_numbers_count_copies_is_assumed_and_that_a_body_is_a_recipient_is_not() {
        let register = register();
        assert!(register.cells.iter().all(|dated| dated.part.legal_basis.assumed));
        assert!(
            register
                .recipients
                .iter()
                .all(|recipient| !recipient.legal_basis.assumed)
        );
        let rolling = |collection: &&Collection| !collection.duty.roll_forward_basis.assumed;
        let certain: Vec<_> = register
            .collections
            .iter()
            .filter(rolling)
            .map(|c| c.id.as_str())
            .collect();
        assert_eq!(certain, ["prosecution-bodies"]);
    }
}
