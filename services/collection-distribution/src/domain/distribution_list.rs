//! Versions of distribution lists: who proposed and who decided, and whether what is proposed agrees with what is certain.

use std::collections::BTreeSet;

use jiff::civil::Date;
use legalstat_kit::{call::Done, door::word::Word, law::LegalBasis};

use super::distribution::{Cell, Distribution, Group, Inconsistent};

/// The version that the register of Appendix 1 has.
pub const LOADED: i32 = 1;

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// It holds on no day.
    Proposed,
    /// A second person approved it.
    InForce,
    /// A second person rejected it.
    Rejected,
}

impl Word for ListState {
    const ALL: &'static [Self] = &[Self::Proposed, Self::InForce, Self::Rejected];

    fn word(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::InForce => "IN_FORCE",
            Self::Rejected => "REJECTED",
        }
    }
}

/// A version that somebody proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The id of the collection.
    pub collection: String,
    /// Its number, from 2.
    pub version: i32,
    /// The version that was in force on its first day when it was proposed.
    pub base_version: i32,
    /// The first day on which it holds.
    pub valid_from: Date,
    pub state: ListState,
    /// How many copies in all.
    pub copies_total: i32,
    /// Whether the act changes what was certain before.
    pub act_changes: bool,
    pub legal_basis: LegalBasis,
    pub reason: String,
    pub proposed: Done,
    /// Who approved or rejected it, and why.
    pub decided: Option<(Done, String)>,
}

/// Why a version cannot be approved or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecidable {
    #[error("it is approved or rejected already")]
    NotProposed,
    #[error("another person must decide than the one who proposed it")]
    SamePerson,
    #[error("another version has come in force beneath it; propose it anew over that one")]
    OtherBase,
}

impl Version {
    /// Puts it in force, over the version that is on its first day.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn approve(self, by: Done, reason: String, in_force: i32) -> Result<Self, Undecidable> {
        let base = self.base_version;
        let approved = self.decide(ListState::InForce, by, reason)?;
        if base == in_force {
            Ok(approved)
        } else {
            Err(Undecidable::OtherBase)
        }
    }

    /// Rejects it.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn reject(self, by: Done, reason: String) -> Result<Self, Undecidable> {
        self.decide(ListState::Rejected, by, reason)
    }

    fn decide(mut self, state: ListState, by: Done, reason: String) -> Result<Self, Undecidable> {
        if self.state != ListState::Proposed {
            return Err(Undecidable::NotProposed);
        }
        if self.proposed.by == by.by {
            return Err(Undecidable::SamePerson);
        }
        self.state = state;
        self.decided = Some((by, reason));
        Ok(self)
    }
}

/// A cell as an operator gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenCell {
    /// Its column, where it is said.
    pub column: Option<i32>,
    /// The id of the recipient.
    pub recipient: String,
    pub copies: i32,
    pub legal_basis: LegalBasis,
}

/// What an operator says about a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub cells: Vec<GivenCell>,
    /// Whether the act changes what was certain before.
    pub act_changes: bool,
    /// How many copies in all; `None` for as many as before.
    pub copies_total: Option<i32>,
}

/// In what the cells do not agree with the list that they stand on. Cells are counted from 0 as they were given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    #[error("the recipient has no cell in this list; only an act that changes it gives one, with a column")]
    NoCell(usize),
    #[error("the recipient stands in column {1}")]
    OtherColumn(usize, i32),
    #[error("the column was given before")]
    Twice(usize),
    #[error("the recipient stands in column {1} too")]
    TwoColumns(usize, i32),
    #[error("{1} copies are certain; only an act that changes the list gives another number")]
    Certain(usize, i32, Box<LegalBasis>),
    #[error("an unresolved cell is 0 or 1")]
    NotZeroOrOne(usize),
    #[error("columns {columns} have {copies} copies together; {given} are given and {open} cells stay open")]
    Sum {
        columns: String,
        copies: i32,
        given: i32,
        open: usize,
        legal_basis: Box<LegalBasis>,
    },
    #[error("{parts} copies in the cells and groups, {total} in all")]
    Total { parts: i32, total: i32 },
    #[error("every cell is so already")]
    Nothing,
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
}

/// The list that comes of a list with what is said about it.
///
/// # Errors
/// Everything in which they do not agree.
pub fn resolve(base: &Distribution, given: &Given) -> Result<Distribution, Vec<Disagreement>> {
    let mut found = Vec::new();
    let mut cells = base.cells().to_vec();
    let mut columns = BTreeSet::new();
    for (index, cell) in given.cells.iter().enumerate() {
        let stands = base.cells().iter().find(|stands| stands.recipient == cell.recipient);
        let Some(column) = cell.column.or(stands.map(|stands| stands.column)) else {
            found.push(Disagreement::NoCell(index));
            continue;
        };
        if !columns.insert(column) {
            found.push(Disagreement::Twice(index));
        } else if given.act_changes {
            replace(&mut cells, column, cell);
        } else {
            match disagreement(index, stands, cell) {
                Some(disagreement) => found.push(disagreement),
                None => replace(&mut cells, column, cell),
            }
        }
    }
    found.extend(recipients_twice(&cells, given));
    let groups = rests(base, &cells, given.act_changes, &mut found);
    let total = given.copies_total.unwrap_or(base.copies_total());
    if found.is_empty() && given.act_changes {
        let certain: i32 = cells.iter().filter_map(|cell| cell.copies).sum();
        let parts = certain + groups.iter().map(|group| group.copies).sum::<i32>();
        if parts != total {
            found.push(Disagreement::Total { parts, total });
        }
    }
    let is_same = |one: &Cell, other: &Cell| {
        (one.column, &one.recipient, one.copies) == (other.column, &other.recipient, other.copies)
    };
    if found.is_empty()
        && total == base.copies_total()
        && cells.len() == base.cells().len()
        && cells.iter().zip(base.cells()).all(|(one, other)| is_same(one, other))
    {
        found.push(Disagreement::Nothing);
    }
    if !found.is_empty() {
        return Err(found);
    }
    Distribution::new(cells, groups, total).map_err(|inconsistent| vec![inconsistent.into()])
}

/// In what a cell does not agree with the one that stands, where no act changes it.
fn disagreement(index: usize, stands: Option<&Cell>, given: &GivenCell) -> Option<Disagreement> {
    let Some(stands) = stands else {
        return Some(Disagreement::NoCell(index));
    };
    match stands.copies {
        _ if given.column.is_some_and(|column| column != stands.column) => {
            Some(Disagreement::OtherColumn(index, stands.column))
        }
        Some(copies) if copies != given.copies => Some(Disagreement::Certain(
            index,
            copies,
            Box::new(stands.legal_basis.clone()),
        )),
        None if !(0..=1).contains(&given.copies) => Some(Disagreement::NotZeroOrOne(index)),
        _ => None,
    }
}

/// Puts a cell in its column. What is so already keeps its own law.
fn replace(cells: &mut Vec<Cell>, column: i32, given: &GivenCell) {
    let cell = Cell {
        column,
        recipient: given.recipient.clone(),
        copies: Some(given.copies),
        legal_basis: given.legal_basis.clone(),
    };
    match cells.iter_mut().find(|stands| stands.column == column) {
        Some(stands) if (&stands.recipient, stands.copies) == (&cell.recipient, cell.copies) => {}
        Some(stands) => *stands = cell,
        None => {
            cells.push(cell);
            cells.sort_by_key(|cell| cell.column);
        }
    }
}

fn recipients_twice(cells: &[Cell], given: &Given) -> Vec<Disagreement> {
    let of = |recipient: &str| cells.iter().filter(move |cell| cell.recipient == recipient).count();
    let twice = given.cells.iter().enumerate().filter_map(|(index, cell)| {
        let elsewhere = |stands: &&Cell| stands.recipient == cell.recipient && Some(stands.column) != cell.column;
        let other = cells.iter().find(elsewhere)?;
        (of(&cell.recipient) > 1).then_some(Disagreement::TwoColumns(index, other.column))
    });
    twice.collect()
}

/// What the groups still have for their cells that stay open.
fn rests(base: &Distribution, cells: &[Cell], act_changes: bool, found: &mut Vec<Disagreement>) -> Vec<Group> {
    let open_before: BTreeSet<i32> = base
        .cells()
        .iter()
        .filter(|cell| cell.copies.is_none())
        .map(|cell| cell.column)
        .collect();
    let mut groups = Vec::new();
    for group in base.unresolved_groups() {
        let of_group = || {
            cells
                .iter()
                .filter(|cell| group.covers(cell) && open_before.contains(&cell.column))
        };
        let given: i32 = of_group().filter_map(|cell| cell.copies).sum();
        let open = of_group().filter(|cell| cell.copies.is_none()).count();
        let rest = group.copies - given;
        // What an act gives to a whole group need not be what the text had.
        let agrees = act_changes && open == 0 || usize::try_from(rest).is_ok_and(|rest| rest <= open);
        if !agrees {
            found.push(Disagreement::Sum {
                columns: group.columns(),
                copies: group.copies,
                given,
                open,
                legal_basis: Box::new(group.legal_basis.clone()),
            });
        }
        if open > 0 {
            groups.push(Group {
                copies: rest,
                ..group.clone()
            });
        }
    }
    groups
}

#[cfg(test)]
#[path = "distribution_list_tests.rs"]
mod tests;
