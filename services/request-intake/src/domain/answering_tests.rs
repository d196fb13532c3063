use jiff::civil::date;
use legalstat_answer_document::answer::TotalOf;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    answer_register,
    request::{Channel, Language as RequestLanguage, Requester as Asking, RequesterKind},
};

fn item(kind: ItemKind, period: &str, until: &str, territories: &[&str]) -> Item {
    Item {
        kind,
        description: "registered crimes".into(),
        unit: Some(Unit::Crime),
        period: period.parse().ok(),
        until_period: until.parse().ok(),
        form: Some("forms/1".into()),
        indicator: None,
        detail: None,
        territories: territories.iter().map(|&code| code.to_owned()).collect(),
    }
}

fn submission(kind: RequesterKind, items: Vec<Item>) -> Submission {
    Submission {
        requester: Asking {
            kind,
            full_name: "Ministry of Justice".into(),
            bin: Some("160340014245".into()),
            iin: Some("911003342906".into()),
            postal_address: "Astana".into(),
        },
        signatory: None,
        channel: Channel::UnifiedEdms,
        external: None,
        addressee: String::new(),
        receiving_body: None,
        essence: "crimes".into(),
        language: RequestLanguage::Ru,
        items,
        reports_crime_or_threat: false,
        attachments: Vec::new(),
        sent_at: None,
        received_at: "2026-03-02T10:00:00+05:00".parse().expect("an instant"),
    }
}

fn figure(period: &str, territory: &str, value: &str) -> Figure {
    Figure {
        indicator: untitled("forms/1/indicators/1.1"),
        territory: untitled(territory),
        period: period.into(),
        breakdown: vec![],
        value: value.into(),
        status: if value.is_empty() { "Q" } else { "A" }.into(),
        note: Words::default(),
        total_of: None,
        edition: format!("forms/1/editions/{period}"),
        by_hand: false,
    }
}

fn source(period: &str) -> Source {
    Source {
        edition: format!("forms/1/editions/{period}"),
        title: Words::default(),
        revision: 1,
        sha256: "ab".repeat(32),
        address: String::new(),
    }
}

fn drafted(submission: &Submission, gathered: Gathered) -> Answer {
    let receipt = Receipt {
        id: Uuid::from_u128(7),
        coupon_number: "20260302-0000000000".into(),
        accepted_at: submission.received_at,
        accepted_by: "edms".into(),
        proof: None,
    };
    let answer_rules = answer_register::embedded().expect("the registers are sound");
    let rules = crate::domain::register::embedded().expect("the registers are sound");
    let draft = Draft {
        receipt: &receipt,
        registration_number: Some("2026-1"),
        registered_on: Some(date(2026, 3, 2)),
        submission,
        language: Language::Ru,
        rules: &rules,
        answer_rules: &answer_rules,
        version: 1,
        drafted_by: "operator",
        edited_by: vec![],
        today: date(2026, 3, 5),
    };
    draft.assemble(gathered)
}

fn reasons(item: &AnsweredItem) -> Vec<&str> {
    item.not_provided.iter().map(|reason| reason.word.as_str()).collect()
}

#[test]
fn an_item_with_all_its_figures_is_provided_and_one_with_some_tells_which_are_missing() {
    let asked = item(ItemKind::Statistics, "2026-M01", "2026-M02", &["11", "15"]);
    let all = ["2026-M01", "2026-M02"].map(|period| ["11", "15"].map(|territory| figure(period, territory, "7")));
    let all: Vec<Figure> = all.into_iter().flatten().collect();
    for (left_out, provision, missing) in [
        (None, Provision::Provided, ""),
        (Some(3), Provision::PartlyProvided, "2026-M02 15"),
    ] {
        let mut figures = all.clone();
        left_out.map(|at| figures.remove(at));
        let gathered = Gathered {
            items: vec![Looked::With(figures)],
            sources: vec![source("2026-M01"), source("2026-M02"), source("2026-M03")],
        };
        let answer = drafted(&submission(RequesterKind::StateBody, vec![asked.clone()]), gathered);
        assert_eq!(answer.items[0].provision, provision);
        let told = answer.items[0]
            .not_provided
            .iter()
            .map(|reason| reason.text.en.as_str())
            .collect::<String>();
        assert!(told.ends_with(missing), "{told}");
        assert_eq!(answer.sources.len(), 2, "only what figures come from");
    }
}

#[test]
fn whatever_is_not_provided_has_its_reason_with_a_law_in_three_languages() {
    for &why in Why::ALL {
        let asked = item(ItemKind::Statistics, "2026-M01", "", &[]);
        let gathered = Gathered {
            items: vec![Looked::Without(why, String::new())],
            sources: vec![],
        };
        let answer = drafted(&submission(RequesterKind::Individual, vec![asked]), gathered);
        let [told] = &answer.items[0].not_provided[..] else {
            panic!("one reason, not {:?}", answer.items[0].not_provided)
        };
        assert_eq!(
            (told.word.as_str(), answer.items[0].provision),
            (why.word(), Provision::NotProvided)
        );
        for language in Language::ALL {
            assert!(!told.text.in_language(language).is_empty());
        }
        assert!(!told.legal_basis.act.is_empty() && !told.legal_basis.provision.is_empty());
        if told.legal_basis.act == "Instruction" {
            assert!(told.legal_basis.assumed, "the Instruction had lapsed");
        }
    }
}

#[test]
fn a_suppressed_value_is_told_and_an_answer_that_would_be_too_large_is_not_given() {
    let asked = || {
        submission(
            RequesterKind::StateBody,
            vec![item(ItemKind::Statistics, "2026-M01", "", &[])],
        )
    };
    let of = |figures| {
        drafted(
            &asked(),
            Gathered {
                items: vec![Looked::With(figures)],
                sources: vec![],
            },
        )
    };
    assert_eq!(reasons(&of(vec![figure("2026-M01", "", "")]).items[0]), ["SUPPRESSED"]);
    let many = of(vec![figure("2026-M01", "", "1"); MOST_FIGURES + 1]);
    assert_eq!(reasons(&many.items[0]), ["TOO_MANY"]);
    assert!(many.items[0].figures.is_empty());
    assert_eq!(
        reasons(&of(vec![figure("2026-M01", "", "1"); MOST_FIGURES]).items[0]),
        [""; 0]
    );
}

#[test]
fn an_answer_holds_so_many_figures_in_all_and_the_items_after_them_are_told_so() {
    let one = || item(ItemKind::Statistics, "2026-M01", "", &[]);
    let of = |count| Looked::With(vec![figure("2026-M01", "", "1"); count]);
    let gathered = Gathered {
        items: vec![of(MOST_FIGURES - 1), of(2), of(1)],
        sources: vec![],
    };
    let answer = drafted(
        &submission(RequesterKind::StateBody, vec![one(), one(), one()]),
        gathered,
    );
    let counts: Vec<usize> = answer.items.iter().map(|item| item.figures.len()).collect();
    assert_eq!(counts, [MOST_FIGURES - 1, 0, 1]);
    assert_eq!(reasons(&answer.items[1]), ["TOO_MANY"]);
}

#[test]
fn each_kind_of_requester_is_told_how_to_appeal_and_nobodys_iin_stands_in_an_answer() {
    for (kind, ways) in [
        (RequesterKind::Individual, vec!["HIGHER_BODY", "COURT"]),
        (RequesterKind::LegalEntity, vec!["HIGHER_BODY", "COURT"]),
        (RequesterKind::StateBody, vec!["HIGHER_BODY"]),
        (RequesterKind::ProsecutorBody, vec!["HIGHER_BODY"]),
    ] {
        let answer = drafted(&submission(kind, vec![]), Gathered::default());
        let told: Vec<&str> = answer.appeal.iter().map(|reason| reason.word.as_str()).collect();
        assert_eq!(told, ways, "{kind:?}");
        let written = legalstat_answer_document::canonical(&answer);
        assert!(!String::from_utf8_lossy(&written).contains("911003342906"));
    }
}

#[test]
fn a_figure_that_an_official_changes_is_no_longer_the_registers() {
    let asked = submission(
        RequesterKind::StateBody,
        vec![item(ItemKind::Statistics, "2026-M01", "", &["11", "15"])],
    );
    let figures = vec![figure("2026-M01", "11", "7"), figure("2026-M01", "15", "8")];
    let gathered = Gathered {
        items: vec![Looked::With(figures)],
        sources: vec![source("2026-M01")],
    };
    let before = drafted(&asked, gathered);
    let written = |figures: Vec<Figure>| Edit {
        language: None,
        opening: "Уважаемые коллеги".into(),
        items: vec![Written {
            figures,
            not_provided: vec![],
            remark: "уточнено".into(),
        }],
    };
    let same = edited(&before, written(before.items[0].figures.clone()), "operator-2");
    assert_eq!(same.items[0].figures, before.items[0].figures);
    assert_eq!(
        (same.version, same.edited_by.as_slice()),
        (2, &["operator-2".to_owned()][..])
    );
    assert_eq!(same.sources, before.sources);

    let mut changed = before.items[0].figures.clone();
    changed[0].value = "70".into();
    changed[1].period = "2026-M02".into();
    let changed = edited(&same, written(changed), "operator-2");
    for figure in &changed.items[0].figures {
        assert!(figure.by_hand && figure.edition.is_empty(), "{figure:?}");
    }
    assert_eq!(changed.edited_by.len(), 1, "each editor once");
    assert!(changed.sources.is_empty());
    let back = edited(&changed, written(before.items[0].figures.clone()), "operator");
    assert!(
        back.items[0].figures.iter().all(|figure| figure.by_hand),
        "what is no longer in the version is the register's no more"
    );
}

proptest! {
    #[test]
    fn no_edit_gives_a_source_to_a_figure_that_the_draft_did_not_have(
        value in "[0-9]{1,4}", territory in "1[0-9]", edition in "forms/[12]/editions/2026-M0[12]", by_hand: bool,
    ) {
        let asked = submission(RequesterKind::StateBody, vec![item(ItemKind::Statistics, "2026-M01", "", &[])]);
        let known = figure("2026-M01", "11", "7");
        let gathered = Gathered { items: vec![Looked::With(vec![known.clone()])], sources: vec![source("2026-M01")] };
        let before = drafted(&asked, gathered);
        let claimed = Figure { edition, by_hand, ..figure("2026-M01", &territory, &value) };
        let edit = Edit {
            language: None,
            opening: String::new(),
            items: vec![Written { figures: vec![claimed], not_provided: vec![], remark: String::new() }],
        };
        let after = edited(&before, edit, "operator");
        let told = &after.items[0].figures[0];
        prop_assert!(*told == known || (told.by_hand && told.edition.is_empty()), "{told:?}");
    }

    #[test]
    fn every_period_from_first_to_last_is_asked_for_once(first in 1_i8..=12, count in 0_i8..30) {
        let last = i16::from(first + count - 1);
        let (until, month) = (2025 + last / 12, last % 12 + 1);
        let asked = item(ItemKind::Statistics, &format!("2025-M{first:02}"), &format!("{until}-M{month:02}"), &[]);
        let periods = periods(&asked);
        prop_assert_eq!(periods.len(), usize::try_from(count).expect("a few") + 1);
        prop_assert!(periods.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn a_total_over_territories_is_no_figure_of_the_whole_country() {
    let total = Figure {
        total_of: Some(TotalOf { parts: 2, missing: 0 }),
        ..figure("2026-M01", "", "15")
    };
    let asked = item(ItemKind::Statistics, "2026-M01", "", &[]);
    assert_eq!(missing(&asked, &[total]), ["2026-M01"]);
    assert!(missing(&asked, &[figure("2026-M01", "", "15")]).is_empty());
}

#[test]
fn what_an_official_takes_an_item_to_mean_stands_for_all_it_names() {
    let asked = submission(
        RequesterKind::StateBody,
        vec![
            item(ItemKind::PrimaryAccountingForm, "", "", &[]),
            Item {
                detail: Some("accountingDocuments/1/details/1".into()),
                ..item(ItemKind::Statistics, "2026-M01", "", &[])
            },
        ],
    );
    let meanings = HashMap::from([(1, "forms/1/indicators/1.1".to_owned())]);
    let [(1, meant)] = &asking(&asked, &meanings, &[])[..] else {
        panic!("only statistics are asked for")
    };
    assert_eq!(meant.indicator.as_deref(), Some("forms/1/indicators/1.1"));
    assert_eq!((&meant.form, &meant.detail), (&None, &None));
}

#[test]
fn an_item_that_went_to_another_body_is_not_asked_for_and_says_where_it_is_by_its_own_law() {
    let items = vec![item(ItemKind::Statistics, "2026-M01", "2026-M01", &[]); 2];
    let asked = submission(RequesterKind::StateBody, items);
    let passed_on = PassedOn {
        item: 0,
        to_body: "Bureau of National Statistics".into(),
        on: date(2026, 3, 4),
        legal_basis: Some(LegalBasis::parse("Code 350-VI, art. 65")),
    };
    let places: Vec<usize> = asking(&asked, &HashMap::new(), std::slice::from_ref(&passed_on))
        .into_iter()
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places, [1]);
    let gathered = Gathered {
        items: vec![
            Looked::Elsewhere(passed_on),
            Looked::With(vec![figure("2026-M01", "", "7")]),
        ],
        sources: vec![],
    };
    let answer = drafted(&asked, gathered);
    let [reason] = &answer.items[0].not_provided[..] else {
        panic!("one reason, not {:?}", answer.items[0])
    };
    assert_eq!(reason.word, "FORWARDED");
    assert!(
        reason.text.en.ends_with(": Bureau of National Statistics, 2026-03-04."),
        "{}",
        reason.text.en
    );
    assert_eq!(reason.legal_basis.provision, "art. 65");
    assert_eq!(answer.items[1].provision, Provision::Provided);
}
