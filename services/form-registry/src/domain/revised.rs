//! How an administrator changes a form: other terms from a day on, corrected texts, or its end. Each gives recordings that follow
//! those there are; nothing that was recorded changes.

use std::cmp::Ordering;

use jiff::civil::Date;
use legalstat_kit::{
    call::Done,
    due::Duty,
    law::{LegalBasis, LocalizedText},
};

use super::{
    edition::Channel,
    form::{Form, Periodicity, Responsible},
    history::{History, Kind, Recording},
};

/// What of a form changes; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// `Some(None)` takes the code away.
    pub code: Option<Option<String>>,
    pub title_kk: Option<String>,
    pub title_ru: Option<String>,
    pub title_en: Option<String>,
    pub periodicity: Option<Periodicity>,
    pub due_day: Option<i32>,
    pub roll_forward: Option<bool>,
    pub roll_forward_basis: Option<LegalBasis>,
    pub legal_basis: Option<LegalBasis>,
    pub channels: Option<Vec<Channel>>,
    pub responsible: Option<Responsible>,
}

/// Why a form cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the form is in force from {from}{}", until(.to))]
    NotInForce { from: Date, to: Option<Date> },
    #[error("the title would have no language left")]
    NoTitle,
}

fn until(last: &Option<Date>) -> String {
    last.map(|day| format!(" to {day}")).unwrap_or_default()
}

/// Who records what, and why.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub reason: String,
    pub done: Done,
}

impl Edit {
    /// Whether it changes more than texts.
    pub fn changes_terms(&self) -> bool {
        let Self {
            periodicity,
            due_day,
            roll_forward,
            roll_forward_basis,
            legal_basis,
            channels,
            ..
        } = self;
        periodicity.is_some()
            || due_day.is_some()
            || roll_forward.is_some()
            || roll_forward_basis.is_some()
            || legal_basis.is_some()
            || channels.is_some()
    }

    fn of(&self, form: &Form) -> Form {
        let (duty, title) = (form.duty.clone(), form.title.clone());
        let periodicity = self.periodicity.unwrap_or(form.periodicity);
        Form {
            list_number: form.list_number,
            code: self.code.clone().unwrap_or_else(|| form.code.clone()),
            title: LocalizedText {
                kk: self.title_kk.clone().unwrap_or(title.kk),
                ru: self.title_ru.clone().unwrap_or(title.ru),
                en: self.title_en.clone().unwrap_or(title.en),
            },
            periodicity,
            duty: Duty {
                periods: periodicity.periods(),
                due_day: self.due_day.unwrap_or(duty.due_day),
                roll_forward: self.roll_forward.unwrap_or(duty.roll_forward),
                roll_forward_basis: self.roll_forward_basis.clone().unwrap_or(duty.roll_forward_basis),
                legal_basis: self.legal_basis.clone().unwrap_or(duty.legal_basis),
                ..duty
            },
            channels: self.channels.clone().unwrap_or_else(|| form.channels.clone()),
            responsible: self.responsible.clone().unwrap_or_else(|| form.responsible.clone()),
        }
    }
}

fn named(form: &Form) -> Result<(), Unfit> {
    if form.missing_languages().len() == 3 {
        Err(Unfit::NoTitle)
    } else {
        Ok(())
    }
}

impl History {
    /// Other terms from a day on, until the next version that begins later; no recording when they are those that hold.
    ///
    /// # Errors
    /// A day on which the form is not in force.
    pub fn update(&self, edit: &Edit, from: Date, recorded: &Recorded) -> Result<Vec<Recording>, Unfit> {
        let versions = self.versions();
        let present = versions.iter().find(|version| version.form.duty.holds_on(from));
        let present = &present.ok_or_else(|| self.not_in_force())?.form;
        let changed = edit.of(present);
        named(&changed)?;
        if changed == *present {
            return Ok(Vec::new());
        }
        let changed = changed.within(from, present.duty.valid_to);
        Ok(self.following(Kind::Updated, [changed], recorded))
    }

    /// Other texts in the version of a day, and in every other that has the same texts there; no recording when they are so.
    ///
    /// # Errors
    /// A title that would be gone.
    pub fn correct(&self, edit: &Edit, day: Date, recorded: &Recorded) -> Result<Vec<Recording>, Unfit> {
        let wrong = self.shown_on(day).form;
        let corrected = edit.of(&wrong);
        named(&corrected)?;
        let texts = |form: &Form| {
            let LocalizedText { kk, ru, en } = form.title.clone();
            [
                edit.code.as_ref().map(|_| form.code.clone().unwrap_or_default()),
                edit.title_kk.as_ref().map(|_| kk),
                edit.title_ru.as_ref().map(|_| ru),
                edit.title_en.as_ref().map(|_| en),
                edit.responsible.as_ref().map(|_| format!("{:?}", form.responsible)),
            ]
        };
        let same = self
            .versions()
            .into_iter()
            .filter(|version| texts(&version.form) == texts(&wrong));
        let changed = same.map(|version| (edit.of(&version.form), version.form));
        let changed = changed.filter(|(new, old)| new != old).map(|(new, _)| new);
        Ok(self.following(Kind::Corrected, changed, recorded))
    }

    /// The end of the form after a last day. A last day after the one that was given before lets the form go on until then; no
    /// recording when it is the same.
    ///
    /// # Errors
    /// A day before the form's first.
    pub fn retire(&self, last: Date, legal_basis: &LegalBasis, recorded: &Recorded) -> Result<Vec<Recording>, Unfit> {
        let (first, end) = self.span();
        if last < first {
            return Err(self.not_in_force());
        }
        // From which day on it goes on until then, where it has ended already.
        let from = match end.map(|end| (end.cmp(&last), end)) {
            Some((Ordering::Equal, _)) => return Ok(Vec::new()),
            Some((Ordering::Less, end)) => end.tomorrow().ok(),
            Some((Ordering::Greater, _)) | None => None,
        };
        let form = self.shown_on(last).form;
        let mut ended = form.clone();
        ended.duty.legal_basis = legal_basis.clone();
        let after = last.tomorrow().map_err(|_| self.not_in_force())?;
        let ended = self.following(Kind::Retired, [ended.within(after, None)], recorded);
        match from {
            None => Ok(ended),
            Some(from) => {
                let goes_on = self.following(Kind::Updated, [form.within(from, Some(last))], recorded);
                let more =
                    self.with(&goes_on)
                        .following(Kind::Retired, ended.into_iter().map(|one| one.form), recorded);
                Ok([goes_on, more].concat())
            }
        }
    }

    fn following(&self, kind: Kind, forms: impl IntoIterator<Item = Form>, recorded: &Recorded) -> Vec<Recording> {
        let numbered = (self.last().number + 1..).zip(forms);
        let recordings = numbered.map(|(number, form)| Recording {
            number,
            kind,
            form,
            reason: recorded.reason.clone(),
            recorded: recorded.done.clone(),
        });
        recordings.collect()
    }

    fn not_in_force(&self) -> Unfit {
        let (from, to) = self.span();
        Unfit::NotInForce { from, to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;
    use jiff::Timestamp;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn recorded() -> Recorded {
        Recorded {
            reason: "Order No. 7".into(),
            done: Done {
                at: Timestamp::UNIX_EPOCH,
                by: "administrator".into(),
            },
        }
    }

    fn loaded() -> History {
        let form = register::appendix_2().expect("it is readable").swap_remove(0);
        let first = Recording {
            number: 1,
            kind: Kind::Loaded,
            form,
            reason: "the register".into(),
            recorded: recorded().done,
        };
        History::new(vec![first]).expect("one recording")
    }

    fn due(due_day: i32) -> Edit {
        Edit {
            due_day: Some(due_day),
            ..Edit::default()
        }
    }

    fn updated(history: &History, due_day: i32, from: &str) -> History {
        let more = history.update(&due(due_day), day(from), &recorded());
        history.with(&more.expect("it fits"))
    }

    fn spans(history: &History) -> Vec<(String, i32)> {
        let versions = history.versions().into_iter().map(|version| version.form.duty);
        versions
            .map(|duty| (duty.valid_from.to_string(), duty.due_day))
            .collect()
    }

    #[test]
    fn an_update_holds_until_the_next_version() {
        let history = updated(&updated(&loaded(), 7, "2028-01-01"), 9, "2027-01-01");
        let expected = [("2019-04-15", 5), ("2027-01-01", 9), ("2028-01-01", 7)];
        assert_eq!(spans(&history), expected.map(|(from, due)| (from.to_owned(), due)));
        let again = history.update(&due(9), day("2027-06-01"), &recorded());
        assert_eq!(again, Ok(Vec::new()), "nothing would change");
    }

    #[test]
    fn a_form_is_updated_only_on_its_days() {
        let ended = loaded().retire(day("2026-12-31"), &LegalBasis::instruction("x"), &recorded());
        let ended = loaded().with(&ended.expect("it fits"));
        for from in ["2019-04-14", "2027-01-01"] {
            let refused = ended.update(&due(9), day(from), &recorded()).expect_err(from);
            assert_eq!(
                refused.to_string(),
                "the form is in force from 2019-04-15 to 2026-12-31"
            );
        }
        let gone = ended.retire(day("2019-04-14"), &LegalBasis::instruction("x"), &recorded());
        assert!(gone.is_err(), "it was in force on its first day");
        let shortest = ended.retire(day("2019-04-15"), &LegalBasis::instruction("x"), &recorded());
        let shortest = ended.with(&shortest.expect("a form can end on its first day"));
        assert_eq!(shortest.span(), (day("2019-04-15"), Some(day("2019-04-15"))));
    }

    #[test]
    fn a_correction_reaches_every_version_with_the_same_text_and_changes_no_days() {
        let history = updated(&loaded(), 7, "2027-01-01");
        let edit = Edit {
            title_kk: Some("атауы".into()),
            ..Edit::default()
        };
        let corrected = history.correct(&edit, day("2026-11-24"), &recorded()).expect("it fits");
        assert_eq!(corrected.iter().map(|one| one.number).collect::<Vec<_>>(), [3, 4]);
        let corrected = history.with(&corrected);
        assert_eq!(spans(&corrected), spans(&history));
        assert!(
            corrected
                .versions()
                .iter()
                .all(|version| version.form.title.kk == "атауы")
        );
        let other = Edit {
            title_kk: Some("басқа".into()),
            ..Edit::default()
        };
        let since = corrected
            .update(&other, day("2027-01-01"), &recorded())
            .expect("it fits");
        let since = corrected.with(&since);
        let once = since
            .correct(&edit_of("кейін"), day("2026-11-24"), &recorded())
            .expect("it fits");
        assert_eq!(once.len(), 1, "the later version has another text");
        let nothing = Edit {
            title_en: Some(String::new()),
            ..Edit::default()
        };
        assert_eq!(
            loaded().correct(&nothing, day("2026-11-24"), &recorded()),
            Err(Unfit::NoTitle)
        );
    }

    fn edit_of(kk: &str) -> Edit {
        Edit {
            title_kk: Some(kk.into()),
            ..Edit::default()
        }
    }

    #[test]
    fn a_last_day_can_be_moved_both_ways() {
        let basis = LegalBasis::instruction("x");
        let retire = |history: &History, last: &str| {
            let more = history.retire(day(last), &basis, &recorded()).expect("it fits");
            history.with(&more)
        };
        let ended = retire(&updated(&loaded(), 7, "2026-07-01"), "2026-12-31");
        assert_eq!(ended.span().1, Some(day("2026-12-31")));
        let longer = retire(&ended, "2027-12-31");
        assert_eq!(longer.span().1, Some(day("2027-12-31")));
        assert_eq!(
            longer.on(day("2027-06-01")).map(|version| version.form.duty.due_day),
            Some(7)
        );
        let shorter = retire(&longer, "2026-03-31");
        assert_eq!((shorter.span().1, spans(&shorter).len()), (Some(day("2026-03-31")), 1));
        assert_eq!(shorter.retire(day("2026-03-31"), &basis, &recorded()), Ok(Vec::new()));
        assert!(longer.last().number < shorter.last().number);
    }
}
