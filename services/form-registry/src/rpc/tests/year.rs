//! A year lived through on a moved clock, and counted by hand.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use legalstat_kit::zone;
use legalstat_proto::forms::v1::{
    Channel as Place, EditionState, GetEditionRequest, ListScheduleRequest, Punctuality, PunctualityCounts,
    PunctualityLines, PunctualityReport, ScheduleItem,
};

use super::{
    recompute::{act, date},
    *,
};

/// The installation begins when the editions of January, due in February, are past.
const BEGINNING: &str = "2026-03-01T05:00:00Z";
/// An act takes this Monday away while the year goes on.
const TAKEN: &str = "2026-08-10";
const ACT_RECORDED: &str = "2026-07-01";
/// When everything of the year has fallen due.
const END: &str = "2027-02-01T05:00:00Z";

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn due(item: &ScheduleItem) -> Date {
    let due = item.due_date.as_ref().expect("it has one");
    legalstat_kit::door::wire::date(due).expect("a day")
}

/// What becomes of the editions, one after the other as they fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    OnTime,
    Late(i64),
    /// Forms 19 and 20 often have nothing to report.
    Nil,
    Missing,
}

fn fate(place: usize, form: &str) -> Fate {
    match place % 11 {
        _ if ["forms/19", "forms/20"].contains(&form) => Fate::Nil,
        3 => Fate::Late(1),
        6 => Fate::Late(12),
        9 => Fate::Missing,
        _ => Fate::OnTime,
    }
}

impl Registry {
    async fn year(&self) -> Vec<ScheduleItem> {
        let request = ListScheduleRequest {
            year: 2026,
            ..Default::default()
        };
        let items = self.client(None).list_schedule(request).await;
        items.expect("it lists").into_inner().items
    }

    /// Waits until an act has moved due dates: it does so in one step.
    async fn until_moved_by(&self, act: &str) {
        let moves = format!("due_date_change WHERE calendar_act = 'calendarActs/{act}'");
        let moved = async {
            while self.count(&moves).await == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, moved)
            .await
            .expect("the calendar is followed");
    }

    async fn report(&self, lines: PunctualityLines) -> PunctualityReport {
        let request = GetPunctualityRequest {
            year: 2026,
            lines: lines.into(),
            ..Default::default()
        };
        let report = self.client(None).get_punctuality(request).await;
        report.expect("it counts").into_inner()
    }

    /// Corrects a placed edition.
    async fn corrected(&self, name: &str) -> Edition {
        let mut operator = self.operator();
        try_correct(&mut operator, name, "a wrong total")
            .await
            .expect("a correction begins");
        upload(&mut operator, &header(name), b"corrected")
            .await
            .expect("it is taken");
        seal(&mut operator, name).await;
        let placed = place(&mut operator, &placing(name, Place::InformationService)).await;
        placed.expect("it is placed")
    }

    /// Places an edition, or declares it nil, on a day at noon in Astana.
    async fn place_on(&self, name: &str, on: Date, fate: Fate) -> Edition {
        let noon = zone::beginning(on) + 12.hours();
        self.set_clock(&noon.to_string());
        let mut operator = self.operator();
        if fate == Fate::Nil {
            let nil = try_declare_nil(&mut operator, name, "no such cases").await;
            return nil.expect("it is declared");
        }
        upload(&mut operator, &header(name), name.as_bytes())
            .await
            .expect("it is taken");
        seal(&mut operator, name).await;
        let placed = place(&mut operator, &placing(name, Place::InformationService)).await;
        placed.expect("it is placed")
    }
}

/// Counts as a person would who holds the schedule in one hand and the list of placements in the other.
fn by_hand<'a>(editions: impl Iterator<Item = (&'a ScheduleItem, Option<Fate>)>) -> PunctualityCounts {
    let mut counts = PunctualityCounts::default();
    for (_, fate) in editions {
        counts.expected += 1;
        match fate {
            None => counts.not_kept += 1,
            Some(Fate::Missing) => counts.overdue += 1,
            Some(Fate::Nil) => counts.nil += 1,
            Some(Fate::OnTime) => counts.on_time += 1,
            Some(Fate::Late(days)) => {
                let days = i32::try_from(days).expect("few");
                counts.late += 1;
                counts.days_late += days;
                counts.most_days_late = counts.most_days_late.max(days);
            }
        }
    }
    counts.placed = counts.on_time + counts.late;
    counts
}

/// Counts on a day in the middle of the year, before anything of that day is done.
fn by_hand_on<'a>(today: Date, editions: impl Iterator<Item = (&'a ScheduleItem, Option<Fate>)>) -> PunctualityCounts {
    let mut counts = PunctualityCounts::default();
    let (mut done, soon) = (Vec::new(), today + 7.days());
    for (item, fate) in editions {
        let due = due(item);
        let on = match fate {
            None => Some(due),
            Some(Fate::OnTime | Fate::Nil) => Some(due),
            Some(Fate::Late(days)) => Some(due + days.days()),
            Some(Fate::Missing) => None,
        };
        if fate.is_none() || on.is_some_and(|on| on < today) {
            done.push((item, fate));
        } else if due < today {
            counts.overdue += 1;
        } else {
            counts.not_due += 1;
            counts.due_today += i32::from(due == today);
            counts.due_soon += i32::from(due > today && due <= soon);
        }
    }
    let open = counts;
    counts = by_hand(done.into_iter());
    counts.expected += open.overdue + open.not_due;
    counts.overdue = open.overdue;
    (counts.not_due, counts.due_today, counts.due_soon) = (open.not_due, open.due_today, open.due_soon);
    counts
}

#[tokio::test]
async fn a_year_is_lived_through_and_its_punctuality_is_what_a_count_by_hand_gives() {
    let registry = Registry::at(BEGINNING).await;
    let at_first = registry.year().await;
    assert_eq!(at_first.len(), 152);
    let (past, kept): (Vec<_>, Vec<_>) = at_first.iter().cloned().partition(|item| due(item) < day("2026-03-01"));
    assert_eq!(past.len(), 6, "January of the monthly forms");
    let fates: BTreeMap<String, Fate> = kept
        .iter()
        .enumerate()
        .map(|(place, item)| (item.edition.clone(), fate(place, &item.form)))
        .collect();

    // What was placed by a person on which day; the act comes in between.
    let mut doings: Vec<(Date, String)> = Vec::new();
    for item in &kept {
        let due = if due(item) == day(TAKEN) {
            day("2026-08-11")
        } else {
            due(item)
        };
        match fates[&item.edition] {
            Fate::OnTime | Fate::Nil => doings.push((due, item.edition.clone())),
            Fate::Late(days) => doings.push((due + days.days(), item.edition.clone())),
            Fate::Missing => {}
        }
    }
    doings.sort();
    let (before, after) = doings.split_at(doings.partition_point(|(on, _)| *on < day(ACT_RECORDED)));
    for (on, name) in before {
        registry.place_on(name, *on, fates[name]).await;
    }
    registry.set_clock(&format!("{ACT_RECORDED}T05:00:00Z"));
    registry
        .record(act("order-4", date(2026, 8, 10), date(2026, 8, 15)))
        .await;
    registry.until_moved_by("order-4").await;
    let moved = registry.year().await;
    for item in &moved {
        let first = at_first
            .iter()
            .find(|first| first.edition == item.edition)
            .expect("the same editions");
        if due(first) == day(TAKEN) {
            assert_eq!(
                (due(item), item.due_date_revision),
                (day("2026-08-11"), 1),
                "{}",
                item.edition
            );
        } else {
            assert_eq!((due(item), item.due_date_revision), (due(first), 0), "{}", item.edition);
        }
    }
    assert!(
        moved.iter().any(|item| item.due_date_revision == 1),
        "something was due on that day"
    );
    let middle = moved.iter().map(|item| (item, fates.get(&item.edition).copied()));
    let middle = by_hand_on(day(ACT_RECORDED), middle);
    assert!(
        middle.overdue > 0 && middle.not_due > 0 && middle.due_soon > 0,
        "{middle:?}"
    );
    assert_eq!(registry.report(PunctualityLines::ByForm).await.counts, Some(middle));
    for (on, name) in after {
        let placed = registry.place_on(name, *on, fates[name]).await;
        let expected = match fates[name] {
            Fate::Late(days) => (Punctuality::Late, i32::try_from(days).expect("few")),
            _ => (Punctuality::OnTime, 0),
        };
        assert_eq!((placed.punctuality(), placed.days_late), expected, "{name}");
    }

    registry.set_clock(END);
    // What happens to a placed edition later changes nothing in when it was placed.
    let mut on_time = fates
        .iter()
        .filter(|(_, fate)| **fate == Fate::OnTime)
        .map(|(name, _)| name.as_str());
    let (corrected, withdrawn) = (on_time.next().expect("many"), on_time.next().expect("many"));
    let corrected = registry.corrected(corrected).await;
    assert_eq!(
        (corrected.revision, corrected.state(), corrected.days_late),
        (2, EditionState::Placed, 0)
    );
    let withdrawn = try_withdraw(&mut registry.operator(), withdrawn, "it named persons").await;
    let withdrawn = withdrawn.expect("it is withdrawn");
    assert_eq!(
        (withdrawn.state(), withdrawn.punctuality()),
        (EditionState::Withdrawn, Punctuality::OnTime)
    );

    let everything = || moved.iter().map(|item| (item, fates.get(&item.edition).copied()));
    let report = registry.report(PunctualityLines::ByForm).await;
    assert_eq!(report.answering_from, date(2026, 3, 1));
    assert_eq!(report.counts, Some(by_hand(everything())));
    assert_eq!((report.total, report.not_due), (152, 0));
    assert_eq!(report.lines.len(), 26);
    for line in report.lines {
        let counted = by_hand(everything().filter(|(item, _)| item.form == line.form));
        assert_eq!(line.counts, Some(counted), "{}", line.form);
    }
    let report = registry.report(PunctualityLines::ByPeriod).await;
    assert_eq!(report.lines.len(), 12 + 4);
    for line in report.lines {
        let counted = by_hand(everything().filter(|(item, _)| item.period == line.period));
        assert_eq!(line.counts, Some(counted), "{}", line.period);
    }
    // The metrics tell what is overdue of every year, and of the others those that were due in the present one, 2027.
    let of_2027 = by_hand(everything().filter(|(item, _)| due(item) >= day("2027-01-01")));
    assert!(of_2027.on_time > 0 && of_2027.on_time < report.on_time, "{of_2027:?}");
    let told = crate::jobs::punctuality::counted(registry.running.context(|| instant(END))).await;
    assert_eq!(
        told.expect("it counts"),
        [
            ("legalstat.forms.editions_due_today", 0),
            ("legalstat.forms.editions_overdue", report.overdue),
            ("legalstat.forms.editions_on_time", of_2027.on_time),
            ("legalstat.forms.editions_late", of_2027.late),
        ]
    );
    let due_first = ListScheduleRequest {
        due_from: date(2027, 2, 1),
        due_to: date(2027, 2, 28),
        ..Default::default()
    };
    let due_first = registry.client(None).list_schedule(due_first).await;
    let due_first = due_first.expect("it lists").into_inner().items;
    let first = due(&due_first[0]);
    let together = due_first.iter().filter(|item| due(item) == first).count();
    let noon = zone::beginning(first) + 12.hours();
    let told = crate::jobs::punctuality::counted(registry.running.context(move || noon)).await;
    let (_, due_today) = told.expect("it counts")[0];
    assert_eq!(usize::try_from(due_today).ok(), Some(together));
    let overdue = ListScheduleRequest {
        overdue: true,
        due_to: date(2027, 1, 31),
        ..Default::default()
    };
    let overdue = registry
        .client(None)
        .list_schedule(overdue)
        .await
        .expect("it lists")
        .into_inner()
        .items;
    let missing = fates.values().filter(|fate| **fate == Fate::Missing);
    assert_eq!(overdue.len(), missing.count());
    let late = GetEditionRequest {
        name: overdue[0].edition.clone(),
        ..Default::default()
    };
    let late = registry
        .client(None)
        .get_edition(late)
        .await
        .expect("it is scheduled")
        .into_inner();
    let days = (day("2027-02-01") - due(&overdue[0])).get_days();
    assert_eq!((late.punctuality(), late.days_late), (Punctuality::Overdue, days));
}
