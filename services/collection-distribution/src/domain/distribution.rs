//! Who gets how many copies of a collection (Instruction, Appendix 1).

use std::fmt;

use jiff::civil::Date;
use legalstat_kit::law::LegalBasis;

use super::recipient::{self, Known};

/// One cell of Appendix 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub column: i32,
    /// The id of the recipient in that column.
    pub recipient: String,
    /// How many copies; `None` when the text does not tell whether it is 0 or 1.
    pub copies: Option<i32>,
    /// The law behind the number.
    pub legal_basis: LegalBasis,
}

/// Neighbouring columns whose unresolved cells have a known sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub first_column: i32,
    pub last_column: i32,
    /// How many copies the unresolved cells have together.
    pub copies: i32,
    /// The law behind the sum.
    pub legal_basis: LegalBasis,
}

impl Group {
    /// Whether a cell is in one of its columns.
    pub fn covers(&self, cell: &Cell) -> bool {
        (self.first_column..=self.last_column).contains(&cell.column)
    }

    /// Its columns, for example `3-8`.
    pub fn columns(&self) -> String {
        format!("{}-{}", self.first_column, self.last_column)
    }
}

/// Cells of which only the sum is known: nobody can tell who gets these copies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unresolved {
    groups: Vec<Group>,
}

impl Unresolved {
    /// The columns, for example `3-8, 13-24`.
    pub fn columns(&self) -> String {
        self.groups.iter().map(Group::columns).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Appendix 1 does not tell who gets ")?;
        for (index, group) in self.groups.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(
                f,
                "{separator}the {} copies of columns {}",
                group.copies,
                group.columns()
            )?;
        }
        Ok(())
    }
}

/// A row of Appendix 1 that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// An unresolved cell that no group, or more than one, accounts for.
    #[error("the unresolved cell of column {0} is not in exactly one group")]
    Ungrouped(i32),
    /// A group whose unresolved cells, each 0 or 1, cannot have its sum.
    #[error("the unresolved cells of columns {0} cannot have {1} copies together")]
    Sum(String, i32),
    /// The parts do not make up the whole.
    #[error("{parts} copies in the cells and groups, {total} in all")]
    Total {
        /// What cells and groups have together.
        parts: i32,
        /// What the collection has.
        total: i32,
    },
}

/// Who gets how many copies of one collection. Its parts always make up the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    cells: Vec<Cell>,
    groups: Vec<Group>,
    copies_total: i32,
}

impl Distribution {
    /// A row of Appendix 1. Groups without an unresolved cell are left out.
    ///
    /// # Errors
    /// A row that contradicts itself: copies must not be given out by it.
    pub fn new(mut cells: Vec<Cell>, groups: Vec<Group>, copies_total: i32) -> Result<Self, Inconsistent> {
        cells.sort_by_key(|cell| cell.column);
        let unresolved: Vec<&Cell> = cells.iter().filter(|cell| cell.copies.is_none()).collect();
        for cell in &unresolved {
            if groups.iter().filter(|group| group.covers(cell)).count() != 1 {
                return Err(Inconsistent::Ungrouped(cell.column));
            }
        }
        let hidden_in = |group: &Group| unresolved.iter().filter(|cell| group.covers(cell)).count();
        let mut groups: Vec<Group> = groups.into_iter().filter(|group| hidden_in(group) > 0).collect();
        groups.sort_by_key(|group| group.first_column);
        for group in &groups {
            if usize::try_from(group.copies).is_ok_and(|copies| copies <= hidden_in(group)) {
                continue;
            }
            return Err(Inconsistent::Sum(group.columns(), group.copies));
        }
        let certain: i32 = cells.iter().filter_map(|cell| cell.copies).sum();
        let parts = certain + groups.iter().map(|group| group.copies).sum::<i32>();
        if parts != copies_total {
            return Err(Inconsistent::Total {
                parts,
                total: copies_total,
            });
        }
        Ok(Self {
            cells,
            groups,
            copies_total,
        })
    }

    /// The same with who gets the copies on a day where a recipient has become another.
    pub fn succeeded(mut self, recipients: &[Known], day: Date) -> Self {
        for cell in &mut self.cells {
            if let Some(heir) = recipient::entitled(recipients, &cell.recipient, day) {
                cell.recipient = heir.to_owned();
            }
        }
        self
    }

    /// The cells that have copies, or may have, which nobody gets on a day.
    pub fn unfollowed<'a>(&'a self, recipients: &'a [Known], day: Date) -> impl Iterator<Item = &'a Cell> {
        let gets = self.cells.iter().filter(|cell| cell.copies != Some(0));
        gets.filter(move |cell| recipient::entitled(recipients, &cell.recipient, day).is_none())
    }

    /// The cells by column.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The groups of unresolved cells by column; none when everything is certain.
    pub fn unresolved_groups(&self) -> &[Group] {
        &self.groups
    }

    /// How many copies in all.
    pub fn copies_total(&self) -> i32 {
        self.copies_total
    }

    /// The law behind it; assumed as soon as one cell is.
    pub fn legal_basis(&self) -> LegalBasis {
        let basis = LegalBasis::instruction("Appendix 1");
        if self.cells.iter().any(|cell| cell.legal_basis.assumed) {
            basis.assumed()
        } else {
            basis
        }
    }

    /// The cells of which only the sum is known; `None` when everything is certain.
    pub fn unresolved(&self) -> Option<Unresolved> {
        (!self.groups.is_empty()).then(|| Unresolved {
            groups: self.groups.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;

    fn cell(column: i32, copies: Option<i32>) -> Cell {
        Cell {
            column,
            recipient: format!("body-{column}"),
            copies,
            legal_basis: LegalBasis::default(),
        }
    }

    fn group(first_column: i32, last_column: i32, copies: i32) -> Group {
        Group {
            first_column,
            last_column,
            copies,
            legal_basis: LegalBasis::default(),
        }
    }

    fn loaded(id: &str) -> Distribution {
        let register = register::appendix_1().expect("the register is readable");
        register.distribution(id).expect("it is consistent")
    }

    #[test]
    fn an_unresolved_collection_names_its_columns_and_how_many_copies_hide_there() {
        let refused = |id: &str| loaded(id).unresolved().expect("it has unresolved cells");
        for (id, columns) in [
            ("corruption", "3-8"),
            ("drugs", "3-8, 10-12, 13-24"),
            ("courts", "3-8, 13-24"),
            ("prosecution-bodies", "3-8, 13-24"),
            ("supervision", "13-24"),
        ] {
            assert_eq!(refused(id).columns(), columns, "{id}");
        }
        let told = refused("courts").to_string();
        assert!(
            told.contains("5 copies of columns 3-8") && told.contains("8 copies of columns 13-24"),
            "{told}"
        );
    }

    #[test]
    fn what_is_not_told_is_said_group_by_group() {
        let courts = loaded("courts");
        let told = courts.unresolved().expect("it has unresolved cells").to_string();
        let expected = "Appendix 1 does not tell who gets the 5 copies of columns 3-8, the 8 copies of columns 13-24";
        assert_eq!(told, expected);
        let groups = courts
            .unresolved_groups()
            .iter()
            .map(|group| (group.columns(), group.copies));
        assert_eq!(
            groups.collect::<Vec<_>>(),
            [("3-8".to_owned(), 5), ("13-24".to_owned(), 8)]
        );
        assert_eq!((courts.copies_total(), courts.cells().len()), (28, 23));
    }

    #[test]
    fn a_list_is_assumed_if_one_of_its_cells_is() {
        let mut cells = vec![cell(2, Some(7)), cell(3, Some(1))];
        let certain = Distribution::new(cells.clone(), Vec::new(), 8).expect("it is consistent");
        assert_eq!(certain.legal_basis(), LegalBasis::instruction("Appendix 1"));
        cells[1].legal_basis.assumed = true;
        let assumed = Distribution::new(cells, Vec::new(), 8).expect("it is consistent");
        assert_eq!(assumed.legal_basis(), LegalBasis::instruction("Appendix 1").assumed());
    }

    #[test]
    fn a_resolved_group_is_no_group_any_more() {
        let cells = vec![cell(3, Some(1)), cell(2, Some(7)), cell(4, Some(0))];
        let distribution = Distribution::new(cells, vec![group(3, 4, 1)], 8).expect("it is consistent");
        assert!(distribution.unresolved_groups().is_empty());
        assert_eq!(distribution.unresolved(), None);
    }

    #[test]
    fn a_row_that_contradicts_itself_is_refused() {
        let unresolved = || vec![cell(2, Some(7)), cell(3, None), cell(4, None)];
        let refused =
            |groups: Vec<Group>, total| Distribution::new(unresolved(), groups, total).expect_err("it is wrong");
        assert_eq!(refused(vec![], 7), Inconsistent::Ungrouped(3));
        assert_eq!(refused(vec![group(3, 3, 1)], 8), Inconsistent::Ungrouped(4));
        assert_eq!(
            refused(vec![group(3, 4, 1), group(4, 5, 1)], 9),
            Inconsistent::Ungrouped(4)
        );
        assert_eq!(refused(vec![group(3, 4, 3)], 10), Inconsistent::Sum("3-4".into(), 3));
        assert_eq!(
            refused(vec![group(3, 4, 1)], 9),
            Inconsistent::Total { parts: 8, total: 9 }
        );
    }
}
