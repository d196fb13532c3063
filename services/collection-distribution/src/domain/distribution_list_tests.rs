use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    issuing::{Issued, Part},
    register,
};

fn loaded(id: &str) -> Distribution {
    let register = register::appendix_1().expect("the register is readable");
    register.distribution(id).expect("it is consistent")
}

fn cell(column: Option<i32>, recipient: &str, copies: i32) -> GivenCell {
    GivenCell {
        column,
        recipient: recipient.to_owned(),
        copies,
        legal_basis: LegalBasis::of_row("Order 1".into(), "para 2".into(), String::new(), false),
    }
}

fn given(cells: Vec<GivenCell>) -> Given {
    Given {
        cells,
        act_changes: false,
        copies_total: None,
    }
}

/// The unresolved cells of a list, the first of each group with a copy until the group has all of its own.
fn first_of_groups(base: &Distribution) -> Vec<GivenCell> {
    let of_group = |group: &Group| {
        let open = base
            .cells()
            .iter()
            .filter(|cell| cell.copies.is_none() && group.covers(cell));
        let counted = open
            .zip(0..)
            .map(|(stands, place)| cell(None, &stands.recipient, i32::from(place < group.copies)));
        counted.collect::<Vec<_>>()
    };
    base.unresolved_groups().iter().flat_map(of_group).collect()
}

#[test]
fn every_list_of_appendix_1_can_be_resolved_and_then_has_its_total() {
    for id in ["corruption", "drugs", "courts", "prosecution-bodies", "supervision"] {
        let base = loaded(id);
        let resolved = resolve(&base, &given(first_of_groups(&base))).expect("it agrees");
        let copies = resolved
            .to_issue(Part::Whole, &Issued::default())
            .expect("nothing is open");
        assert_eq!(i32::try_from(copies.len()), Ok(base.copies_total()), "{id}");
    }
}

#[test]
fn a_group_is_resolved_while_another_stays_open() {
    let base = loaded("courts");
    let cells = first_of_groups(&base);
    let of_the_office = cells
        .into_iter()
        .filter(|cell| cell.recipient.starts_with("gpo-"))
        .collect();
    let resolved = resolve(&base, &given(of_the_office)).expect("it agrees");
    let open: Vec<_> = resolved
        .unresolved_groups()
        .iter()
        .map(|group| (group.columns(), group.copies))
        .collect();
    assert_eq!(open, [("13-24".to_owned(), 8)]);
}

#[test]
fn cells_of_a_group_are_resolved_one_by_one() {
    let base = loaded("drugs");
    let resolved = resolve(&base, &given(vec![cell(None, "senate", 1)])).expect("it agrees");
    let group = resolved
        .unresolved_groups()
        .iter()
        .find(|group| group.first_column == 10);
    assert_eq!(
        group.map(|group| group.copies),
        Some(1),
        "of two copies one is left for two cells"
    );
    let senate = resolved
        .cells()
        .iter()
        .find(|cell| cell.recipient == "senate")
        .expect("it stands there");
    assert_eq!((senate.copies, senate.legal_basis.act.as_str()), (Some(1), "Order 1"));
}

#[test]
fn what_does_not_agree_is_told_all_at_once() {
    let base = loaded("drugs");
    let cells = vec![
        cell(None, "gpo-leadership", 8),
        cell(Some(11), "senate", 1),
        cell(None, "majilis", 2),
        cell(None, "weather-bureau", 1),
        cell(None, "president-administration", 1),
        cell(None, "constitutional-council", 1),
        cell(None, "majilis", 1),
    ];
    let found = resolve(&base, &given(cells)).expect_err("nothing of it agrees");
    let has = |wanted: &dyn Fn(&Disagreement) -> bool| found.iter().any(wanted);
    assert!(has(&|one| matches!(one, Disagreement::Certain(0, 7, _))), "{found:?}");
    assert!(has(&|one| *one == Disagreement::OtherColumn(1, 12)), "{found:?}");
    assert!(has(&|one| *one == Disagreement::NotZeroOrOne(2)), "{found:?}");
    assert!(has(&|one| *one == Disagreement::NoCell(3)), "{found:?}");
    assert!(has(&|one| *one == Disagreement::Twice(6)), "{found:?}");
}

#[test]
fn a_group_has_neither_more_nor_fewer_copies_than_the_text_says() {
    let base = loaded("drugs");
    for (copies, told) in [
        (
            [1, 1, 1],
            "columns 10-12 have 2 copies together; 3 are given and 0 cells stay open",
        ),
        (
            [1, 0, 0],
            "columns 10-12 have 2 copies together; 1 are given and 0 cells stay open",
        ),
    ] {
        let bodies = ["president-administration", "constitutional-council", "senate"];
        let cells = bodies
            .iter()
            .zip(copies)
            .map(|(body, copies)| cell(None, body, copies))
            .collect();
        let found = resolve(&base, &given(cells)).expect_err("it does not agree");
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
    }
}

#[test]
fn the_whole_row_may_be_given_and_what_is_so_already_keeps_its_law() {
    let base = loaded("supervision");
    let mut cells = first_of_groups(&base);
    cells.push(cell(Some(2), "gpo-leadership", 7));
    let resolved = resolve(&base, &given(cells)).expect("it agrees");
    assert_eq!(resolved.cells()[0].legal_basis, base.cells()[0].legal_basis);
    let same = resolve(&base, &given(vec![cell(Some(2), "gpo-leadership", 7)]));
    assert_eq!(same, Err(vec![Disagreement::Nothing]));
}

#[test]
fn an_act_gives_a_column_to_another_and_changes_the_total() {
    let base = loaded("crime");
    let mut asked = Given {
        cells: vec![cell(Some(11), "constitutional-court", 2)],
        act_changes: true,
        copies_total: Some(34),
    };
    let changed = resolve(&base, &asked).expect("the act says so");
    let eleventh = changed
        .cells()
        .iter()
        .find(|cell| cell.column == 11)
        .expect("it is there");
    assert_eq!(
        (eleventh.recipient.as_str(), eleventh.copies),
        ("constitutional-court", Some(2))
    );
    asked.copies_total = None;
    let total = Disagreement::Total { parts: 34, total: 33 };
    assert_eq!(resolve(&base, &asked), Err(vec![total]));
    asked.cells = vec![cell(Some(11), "senate", 1)];
    assert_eq!(resolve(&base, &asked), Err(vec![Disagreement::TwoColumns(0, 12)]));
    asked.cells = vec![cell(None, "weather-bureau", 1)];
    assert_eq!(resolve(&base, &asked), Err(vec![Disagreement::NoCell(0)]));
}

fn version() -> Version {
    Version {
        collection: "courts".to_owned(),
        version: 2,
        base_version: 1,
        valid_from: "2019-04-15".parse().expect("a day"),
        state: ListState::Proposed,
        copies_total: 28,
        act_changes: false,
        legal_basis: LegalBasis::default(),
        reason: "the text was found".to_owned(),
        proposed: done("operator"),
        decided: None,
    }
}

fn done(by: &str) -> Done {
    Done {
        at: Timestamp::UNIX_EPOCH,
        by: by.to_owned(),
    }
}

#[test]
fn a_second_person_decides_once_and_over_the_version_that_was_seen() {
    let approved = version()
        .approve(done("approver"), String::new(), 1)
        .expect("it can be");
    assert_eq!(approved.state, ListState::InForce);
    let again = approved.reject(done("auditor"), String::new());
    assert_eq!(again, Err(Undecidable::NotProposed));
    assert_eq!(
        version().approve(done("operator"), String::new(), 1),
        Err(Undecidable::SamePerson)
    );
    assert_eq!(
        version().reject(done("operator"), String::new()),
        Err(Undecidable::SamePerson)
    );
    assert_eq!(
        version().approve(done("approver"), String::new(), 3),
        Err(Undecidable::OtherBase)
    );
    let rejected = version().reject(done("approver"), "no".to_owned()).expect("it can be");
    assert_eq!(rejected.state, ListState::Rejected);
}

proptest! {
    #[test]
    fn whatever_is_resolved_has_the_total_of_before(copies in proptest::collection::vec(0..=1_i32, 21)) {
        let base = loaded("drugs");
        let open = base.cells().iter().filter(|cell| cell.copies.is_none());
        let cells: Vec<_> = open.zip(copies).map(|(stands, copies)| cell(None, &stands.recipient, copies)).collect();
        let sums: Vec<i32> = base.unresolved_groups().iter().map(|group| {
            let of_group = base.cells().iter().filter(|cell| cell.copies.is_none() && group.covers(cell));
            of_group.map(|stands| cells.iter().find(|cell| cell.recipient == stands.recipient).map_or(0, |cell| cell.copies)).sum()
        }).collect();
        let agrees = base.unresolved_groups().iter().zip(&sums).all(|(group, sum)| group.copies == *sum);
        match resolve(&base, &given(cells)) {
            Ok(resolved) => {
                prop_assert!(agrees);
                prop_assert_eq!(resolved.to_issue(Part::Whole, &Issued::default()).map(|copies| copies.len()), Ok(24));
            }
            Err(found) => {
                prop_assert!(!agrees);
                let wrong = base.unresolved_groups().iter().zip(&sums).filter(|(group, sum)| group.copies != **sum).count();
                prop_assert_eq!(found.len(), wrong);
            }
        }
    }
}
