//! The answer to a request: what is assembled from what the form registry holds, and what an official makes of it. What an answer
//! is, is said in `legalstat-answer-document`.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use legalstat_answer_document::{
    MOST_FIGURES,
    answer::{
        Answer, AnsweredItem, Figure, Language, Law, Named, Provision, Reason, RequestAnswered, Requester, SCHEMA,
        Source, Words,
    },
};
use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
    period::ReportingPeriod,
    zone,
};

use super::{
    description::in_few_lines,
    names,
    request::{Item, ItemKind, Receipt, Submission, Unit},
    rules::{Rules, Validity},
};

/// Why something is not provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is no statistics (Instruction, para 7).
    NotStatistics,
    /// It is of restricted access (Instruction, para 2(10)).
    Restricted,
    /// No form has such an indicator (Instruction, para 5).
    NotRegistered,
    /// It matches no one indicator.
    Unmatched,
    /// It is a detail of an accounting document, of which the form registry holds no figures.
    Detail,
    /// There are no figures of some of it.
    NoFigures,
    /// Values are suppressed.
    Suppressed,
    /// It is more than an answer holds.
    TooMany,
    /// The form registry could not answer.
    Untold,
    /// It went to the body that is competent.
    Forwarded,
}

impl Word for Why {
    const ALL: &'static [Self] = &[
        Self::NotStatistics,
        Self::Restricted,
        Self::NotRegistered,
        Self::Unmatched,
        Self::Detail,
        Self::NoFigures,
        Self::Suppressed,
        Self::TooMany,
        Self::Untold,
        Self::Forwarded,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::NotStatistics => "NOT_STATISTICS",
            Self::Restricted => "RESTRICTED",
            Self::NotRegistered => "NOT_REGISTERED",
            Self::Unmatched => "UNMATCHED",
            Self::Detail => "DETAIL",
            Self::NoFigures => "NO_FIGURES",
            Self::Suppressed => "SUPPRESSED",
            Self::TooMany => "TOO_MANY",
            Self::Untold => "UNTOLD",
            Self::Forwarded => "FORWARDED",
        }
    }
}

/// A sentence of an answer that law decides, as long as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Whose it is: a kind of requester for appeals, empty for reasons.
    pub of: String,
    /// Its word.
    pub word: String,
    /// The sentence.
    pub text: LocalizedText,
    /// The law.
    pub legal_basis: LegalBasis,
    /// When it is in force.
    pub validity: Validity,
}

/// The rules of answers, of all times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerRules {
    /// Why something is not provided.
    pub reasons: Vec<Sentence>,
    /// How to appeal, by kind of requester.
    pub appeals: Vec<Sentence>,
}

/// What the form registry says of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Why it has no figures of it, with what it said besides.
    Without(Why, String),
    /// Its figures, totals after what they are made of.
    With(Vec<Figure>),
    /// It is answered by the body that it was passed on to.
    Elsewhere(PassedOn),
}

/// An item that went to another body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOn {
    /// Its place among the items of the request.
    pub item: usize,
    /// The body.
    pub to_body: String,
    /// The day.
    pub on: Date,
    /// The law by which it was passed on.
    pub legal_basis: Option<LegalBasis>,
}

/// What was gathered for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Of each item.
    pub items: Vec<Looked>,
    /// The editions that figures come from.
    pub sources: Vec<Source>,
}

/// Everything that a draft is made of.
pub struct Draft<'d> {
    pub receipt: &'d Receipt,
    pub registration_number: Option<&'d str>,
    pub registered_on: Option<Date>,
    pub submission: &'d Submission,
    pub language: Language,
    pub rules: &'d Rules,
    pub answer_rules: &'d AnswerRules,
    /// Which version it is.
    pub version: u32,
    pub drafted_by: &'d str,
    /// Who edited the versions before it.
    pub edited_by: Vec<String>,
    /// The day of the draft: how to appeal is told by the rules in force on it.
    pub today: Date,
}

impl Draft<'_> {
    /// The answer that is made of what was gathered.
    pub fn assemble(self, gathered: Gathered) -> Answer {
        let submission = self.submission;
        let mut left = MOST_FIGURES;
        let mut items: Vec<AnsweredItem> = Vec::with_capacity(submission.items.len());
        for (item, looked) in submission.items.iter().zip(gathered.items) {
            let answered = self.item(item, looked, left);
            left -= answered.figures.len();
            items.push(answered);
        }
        let used: BTreeSet<&str> = editions(&items).collect();
        let mut sources = gathered.sources;
        sources.retain(|source| used.contains(source.edition.as_str()));
        let external = submission.external.as_ref();
        Answer {
            schema: SCHEMA.to_owned(),
            request: RequestAnswered {
                name: names::request(self.receipt.id),
                coupon_number: self.receipt.coupon_number.clone(),
                registration_number: self.registration_number.unwrap_or_default().to_owned(),
                registered_on: self.registered_on.map(|day| day.to_string()).unwrap_or_default(),
                received_on: submission.received_on().to_string(),
                external_number: external.map(|document| document.number.clone()).unwrap_or_default(),
                external_date: external
                    .and_then(|document| document.date)
                    .map(|date| date.to_string())
                    .unwrap_or_default(),
            },
            requester: Requester {
                kind: submission.requester.kind.word().to_owned(),
                full_name: submission.requester.full_name.clone(),
                bin: submission.requester.bin.clone().unwrap_or_default(),
                postal_address: submission.requester.postal_address.clone(),
            },
            body: submission.addressee.clone(),
            language: self.language,
            version: self.version,
            drafted_on: self.today.to_string(),
            drafted_by: self.drafted_by.to_owned(),
            edited_by: self.edited_by.clone(),
            opening: String::new(),
            items,
            sources,
            appeal: self.appeal(),
        }
    }

    /// The answer to one item, of an answer that has room for so many figures.
    fn item(&self, item: &Item, looked: Looked, room: usize) -> AnsweredItem {
        let (figures, mut not_provided) = match looked {
            Looked::Without(why, said) => (Vec::new(), vec![self.reason(why, &said)]),
            Looked::Elsewhere(passed_on) => (Vec::new(), vec![self.passed_on(&passed_on)]),
            Looked::With(figures) if figures.len() > room => (Vec::new(), vec![self.reason(Why::TooMany, "")]),
            Looked::With(figures) => (figures, Vec::new()),
        };
        if not_provided.is_empty() {
            let missing = missing(item, &figures);
            if !missing.is_empty() {
                not_provided.push(self.reason(Why::NoFigures, &missing.join(", ")));
            }
            if figures.iter().any(|figure| figure.status == SUPPRESSED) {
                not_provided.push(self.reason(Why::Suppressed, ""));
            }
        }
        let text = |period: Option<ReportingPeriod>| period.map(|period| period.to_string()).unwrap_or_default();
        AnsweredItem {
            description: in_few_lines(&item.description),
            unit: item.unit.map(Unit::word).unwrap_or_default().to_owned(),
            period: text(item.period),
            until_period: text(item.until_period),
            provision: provision(&figures, &not_provided),
            figures,
            not_provided,
            remark: String::new(),
        }
    }

    /// A reason by the rules in force on the day of receipt. Without one that is, the word alone stands, for an official to complete.
    fn reason(&self, why: Why, said: &str) -> Reason {
        let day = self.submission.received_on();
        let found = in_force(&self.answer_rules.reasons, day, |sentence| sentence.word == why.word());
        let Some(sentence) = found.last() else {
            return Reason {
                word: why.word().to_owned(),
                text: Words::default(),
                legal_basis: Law::default(),
            };
        };
        let mut reason = self.told(sentence, day);
        if !said.is_empty() {
            for text in [&mut reason.text.kk, &mut reason.text.ru, &mut reason.text.en] {
                *text = format!("{text} {said}");
            }
        }
        reason
    }

    /// That an item is answered elsewhere, by the law by which it went there.
    fn passed_on(&self, passed_on: &PassedOn) -> Reason {
        let PassedOn { to_body, on, .. } = passed_on;
        let reason = self.reason(Why::Forwarded, &format!("{to_body}, {on}."));
        match &passed_on.legal_basis {
            Some(basis) => Reason {
                legal_basis: law(basis),
                ..reason
            },
            None => reason,
        }
    }

    fn appeal(&self) -> Vec<Reason> {
        let kind = self.submission.requester.kind.word();
        let found = in_force(&self.answer_rules.appeals, self.today, |sentence| sentence.of == kind);
        found
            .into_iter()
            .map(|sentence| self.told(sentence, self.today))
            .collect()
    }

    fn told(&self, sentence: &Sentence, day: Date) -> Reason {
        Reason {
            word: sentence.word.clone(),
            text: words(&sentence.text),
            legal_basis: law(&self.rules.basis_on(&sentence.legal_basis, day)),
        }
    }
}

/// The observation status of a suppressed value.
const SUPPRESSED: &str = "Q";

/// Of each word the sentence in force on a day that began last, in the order of the rules.
fn in_force(sentences: &[Sentence], day: Date, is_wanted: impl Fn(&Sentence) -> bool) -> Vec<&Sentence> {
    let mut found: Vec<&Sentence> = Vec::new();
    for sentence in sentences
        .iter()
        .filter(|one| is_wanted(one) && one.validity.covers(day))
    {
        match found.iter_mut().find(|earlier| earlier.word == sentence.word) {
            Some(earlier) if earlier.validity.from < sentence.validity.from => *earlier = sentence,
            Some(_) => {}
            None => found.push(sentence),
        }
    }
    found
}

/// A text as answers have it.
pub fn words(text: &LocalizedText) -> Words {
    Words {
        kk: text.kk.clone(),
        ru: text.ru.clone(),
        en: text.en.clone(),
    }
}

/// A provision as answers have it.
pub fn law(basis: &LegalBasis) -> Law {
    Law {
        act: basis.act.clone(),
        provision: basis.provision.clone(),
        uri: basis.uri.clone(),
        assumed: basis.assumed,
    }
}

fn editions(items: &[AnsweredItem]) -> impl Iterator<Item = &str> {
    let figures = items.iter().flat_map(|item| &item.figures);
    figures
        .map(|figure| figure.edition.as_str())
        .filter(|edition| !edition.is_empty())
}

/// Whether an item is provided, from its figures and the reasons for what is missing.
pub fn provision(figures: &[Figure], not_provided: &[Reason]) -> Provision {
    match (
        figures.iter().any(|figure| !figure.value.is_empty()),
        not_provided.is_empty(),
    ) {
        (false, _) => Provision::NotProvided,
        (true, false) => Provision::PartlyProvided,
        (true, true) => Provision::Provided,
    }
}

/// The periods of an item, as it asks for them.
pub fn periods(item: &Item) -> Vec<ReportingPeriod> {
    let Some(first) = item.period else {
        return Vec::new();
    };
    let last = item.until_period.unwrap_or(first);
    let years = first.year()..=last.year();
    let all = years.flat_map(|year| ReportingPeriod::of_year(year, first.kind()).unwrap_or_default());
    all.filter(|period| (first..=last).contains(period)).collect()
}

/// The periods, with the territory where some are named, of which there is no figure.
fn missing(item: &Item, figures: &[Figure]) -> Vec<String> {
    let there: BTreeSet<(&str, &str)> = figures
        .iter()
        .filter(|figure| figure.total_of.is_none())
        .map(|figure| (figure.period.as_str(), figure.territory.code.as_str()))
        .collect();
    let whole = [String::new()];
    let territories = if item.territories.is_empty() {
        &whole[..]
    } else {
        &item.territories
    };
    let mut missing = Vec::new();
    for period in periods(item) {
        let period = period.to_string();
        for territory in territories {
            if !there.contains(&(period.as_str(), territory.as_str())) {
                missing.push([period.as_str(), territory].join(" ").trim_end().to_owned());
            }
        }
    }
    missing
}

/// Whether an answer gives everything that was asked for, each figure with its value.
pub fn is_whole(answer: &Answer) -> bool {
    let whole = |item: &AnsweredItem| {
        item.provision == Provision::Provided
            && item
                .figures
                .iter()
                .all(|figure| !figure.value.is_empty() && figure.total_of.is_none_or(|of| of.missing == 0))
    };
    !answer.items.is_empty() && answer.items.iter().all(whole)
}

/// What an official writes of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub figures: Vec<Figure>,
    pub not_provided: Vec<Reason>,
    pub remark: String,
}

/// What an official makes of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub language: Option<Language>,
    pub opening: String,
    pub items: Vec<Written>,
}

/// The next version of an answer, as an official edits it. A figure is the register's only as the version before had it; any other
/// is told as entered by hand, and names no edition.
pub fn edited(before: &Answer, edit: Edit, by: &str) -> Answer {
    let mut answer = before.clone();
    let known: HashMap<Key<'_>, &Figure> = before
        .items
        .iter()
        .flat_map(|item| &item.figures)
        .map(|f| (key(f), f))
        .collect();
    answer.language = edit.language.unwrap_or(before.language);
    answer.opening = edit.opening;
    for (item, written) in answer.items.iter_mut().zip(edit.items) {
        item.figures = written
            .figures
            .into_iter()
            .map(|figure| told_by(figure, &known))
            .collect();
        item.not_provided = written.not_provided;
        item.remark = written.remark;
        item.provision = provision(&item.figures, &item.not_provided);
    }
    answer.version += 1;
    if !answer.edited_by.iter().any(|name| name == by) {
        answer.edited_by.push(by.to_owned());
    }
    let used: BTreeSet<String> = editions(&answer.items).map(str::to_owned).collect();
    answer.sources.retain(|source| used.contains(&source.edition));
    answer
}

/// What tells a figure of an edition from another.
type Key<'f> = (&'f str, &'f str, &'f str, &'f str, Vec<(&'f str, &'f str)>, bool);

fn key(figure: &Figure) -> Key<'_> {
    let by = figure.breakdown.iter();
    (
        &figure.edition,
        &figure.indicator.code,
        &figure.territory.code,
        &figure.period,
        by.map(|by| (by.dimension.as_str(), by.code.code.as_str())).collect(),
        figure.total_of.is_some(),
    )
}

fn told_by(figure: Figure, known: &HashMap<Key<'_>, &Figure>) -> Figure {
    match known.get(&key(&figure)) {
        Some(&known) if known.value == figure.value && known.status == figure.status && !known.by_hand => known.clone(),
        _ => Figure {
            edition: String::new(),
            by_hand: true,
            ..figure
        },
    }
}

/// The items that ask for figures here, each with its place, and what it means where an official says so.
pub fn asking(
    submission: &Submission,
    meanings: &HashMap<usize, String>,
    passed_on: &[PassedOn],
) -> Vec<(usize, Item)> {
    let of = |(at, item): (usize, &Item)| {
        let mut item = item.clone();
        if let Some(indicator) = meanings.get(&at) {
            (item.form, item.detail, item.indicator) = (None, None, Some(indicator.clone()));
        }
        (at, item)
    };
    let items = submission.items.iter().enumerate();
    items
        .filter(|(at, item)| item.kind == ItemKind::Statistics && !passed_on.iter().any(|one| one.item == *at))
        .map(of)
        .collect()
}

/// The day of an instant, as answers write days.
pub fn day(instant: jiff::Timestamp) -> String {
    zone::civil_day(instant).to_string()
}

/// A code without a title.
pub fn untitled(code: &str) -> Named {
    Named {
        code: code.to_owned(),
        title: Words::default(),
    }
}

#[cfg(test)]
#[path = "answering_tests.rs"]
mod tests;
