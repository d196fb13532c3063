//! How often the calendar is asked.

use std::time::Duration;

use jiff::{Timestamp, ToSpan, civil::date};
use legalstat_kit::due::{calendar::Calendar, feed::Feed};

use super::stage::{NOW, Stage};
use crate::{
    clients::calendar::Deadlines,
    domain::{
        evidence::{Answer, Deadline},
        request::{Channel, Item, ItemKind, Language, Requester, RequesterKind, Submission},
    },
};

/// Far more than an answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The deadlines of a calendar made up by the test, with a feed that the test moves.
struct Desk {
    stage: Stage,
    feed: Feed,
    deadlines: Deadlines,
}

impl Desk {
    async fn set() -> Self {
        let stage = Stage::set().await;
        let tls = &stage.running.context(Timestamp::now).tls;
        let calendar = Calendar::new(&stage.fakes.url, tls).expect("the address is a URL");
        let feed = Feed::default();
        Self {
            deadlines: Deadlines::new(calendar, feed.clone()),
            stage,
            feed,
        }
    }

    /// Asks about requests of one kind of requester, received so many minutes after the first.
    async fn ask(&self, kind: RequesterKind, minutes: &[i64]) {
        let submissions: Vec<_> = minutes.iter().map(|minutes| submission(kind, *minutes)).collect();
        self.ask_about(&submissions).await;
    }

    async fn ask_about(&self, submissions: &[Submission]) {
        let answers = self
            .deadlines
            .of(&submissions.iter().collect::<Vec<_>>(), PATIENCE)
            .await;
        assert_eq!(answers.len(), submissions.len());
        for answer in answers {
            let Answer::Given(Deadline { due_date, .. }) = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(due_date, date(2026, 4, 2));
        }
    }

    /// How many questions each call to the calendar has had.
    fn asked(&self) -> Vec<usize> {
        self.stage
            .fakes
            .answers
            .questions
            .lock()
            .expect("no test panics here")
            .clone()
    }
}

fn submission(kind: RequesterKind, minutes: i64) -> Submission {
    let first: Timestamp = NOW.parse().expect("an instant");
    Submission {
        requester: Requester {
            kind,
            full_name: "Ministry of Justice".into(),
            bin: None,
            iin: None,
            postal_address: String::new(),
        },
        signatory: None,
        channel: Channel::UnifiedEdms,
        external: None,
        addressee: String::new(),
        receiving_body: None,
        essence: "crimes of a quarter".into(),
        language: Language::Ru,
        items: vec![Item {
            kind: ItemKind::Statistics,
            description: "registered crimes".into(),
            unit: None,
            period: None,
            until_period: None,
            form: None,
            indicator: None,
            detail: None,
            territories: Vec::new(),
        }],
        sent_at: None,
        received_at: first + minutes.minutes(),
        reports_crime_or_threat: false,
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn a_calendar_that_is_followed_and_unchanged_is_asked_once_about_a_day() {
    let desk = Desk::set().await;
    let _reading = desk.feed.reading();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::StateBody, &[1, 60, 120]).await;
    assert_eq!(desk.asked(), [1]);
    // Another day is another question.
    desk.ask(RequesterKind::StateBody, &[0, 24 * 60]).await;
    assert_eq!(desk.asked(), [1, 1]);
}

#[tokio::test]
async fn a_calendar_that_has_changed_is_asked_again() {
    let desk = Desk::set().await;
    let _reading = desk.feed.reading();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.feed.changed();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::StateBody, &[0]).await;
    assert_eq!(desk.asked(), [1, 1]);
    // An answer that turned out to be overtaken is not given again either.
    desk.deadlines.forget();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    assert_eq!(desk.asked(), [1, 1, 1]);
}

#[tokio::test]
async fn a_calendar_that_nobody_follows_is_asked_every_time() {
    let desk = Desk::set().await;
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::StateBody, &[0]).await;
    assert_eq!(desk.asked(), [1, 1]);
    let reading = desk.feed.reading();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::StateBody, &[0]).await;
    assert_eq!(desk.asked(), [1, 1, 1]);
    drop(reading);
    desk.ask(RequesterKind::StateBody, &[0]).await;
    // What was known before the feed ended is not known any more when it is read again.
    let _reading = desk.feed.reading();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    assert_eq!(desk.asked(), [1; 5]);
}

#[tokio::test]
async fn many_requests_are_asked_about_in_one_call_and_the_same_question_is_put_once() {
    let desk = Desk::set().await;
    desk.ask(RequesterKind::StateBody, &[0, 1, 2, 3, 4, 4, 4, 5, 6, 7])
        .await;
    assert_eq!(desk.asked(), [8]);
}

#[tokio::test]
async fn each_kind_of_requester_is_asked_about_on_its_own() {
    let desk = Desk::set().await;
    let _reading = desk.feed.reading();
    desk.ask(RequesterKind::StateBody, &[0]).await;
    desk.ask(RequesterKind::Individual, &[0]).await;
    assert_eq!(desk.asked(), [1, 1]);
    let both = [
        RequesterKind::StateBody,
        RequesterKind::Individual,
        RequesterKind::LegalEntity,
    ];
    desk.ask_about(&both.map(|kind| submission(kind, 0))).await;
    assert_eq!(desk.asked(), [1, 1, 1]);
}
