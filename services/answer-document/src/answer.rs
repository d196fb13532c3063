//! The answer as plain data. What is signed is its canonical form (`canonical.rs`), so every field is told in `README.md`, and
//! one that is added later changes the schema's version.

use serde::{Deserialize, Serialize};

/// The version of the canonical form that this release writes.
pub const SCHEMA: &str = "legalstat.answer/1";

/// A language that a document can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Kazakh, the state language.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kk, Self::Ru, Self::En];

    /// Its tag by BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Kk => "kk",
            Self::Ru => "ru",
            Self::En => "en",
        }
    }
}

/// A text in three languages; those not entered are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// In Kazakh.
    pub kk: String,
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// In a language, else in the first of Kazakh, Russian and English that there is.
    pub fn in_language(&self, language: Language) -> &str {
        let own = match language {
            Language::Kk => &self.kk,
            Language::Ru => &self.ru,
            Language::En => &self.en,
        };
        let first = [own, &self.kk, &self.ru, &self.en];
        first.into_iter().find(|text| !text.is_empty()).map_or("", |text| text)
    }
}

/// A provision of an act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// The act.
    pub act: String,
    /// The provision in it.
    pub provision: String,
    /// Where its text stands; empty when unknown.
    pub uri: String,
    /// Whether no source in force was found for it.
    pub assumed: bool,
}

/// A reason with its law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reason {
    /// A word for programs, for example `RESTRICTED`.
    pub word: String,
    /// The reason.
    pub text: Words,
    /// The law.
    pub legal_basis: Law,
}

/// The request that is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestAnswered {
    /// Its resource name.
    pub name: String,
    /// Its coupon's number.
    pub coupon_number: String,
    /// Its registration number.
    pub registration_number: String,
    /// The day of its registration, as all days `2026-03-14`.
    pub registered_on: String,
    /// The civil day on which it was received.
    pub received_on: String,
    /// The sender's own number; empty when there is none.
    pub external_number: String,
    /// The sender's own date; empty when there is none.
    pub external_date: String,
}

/// Who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requester {
    /// The kind, for example `STATE_BODY`.
    pub kind: String,
    /// The name.
    pub full_name: String,
    /// The organisation's BIN; empty when there is none. A person's IIN never stands in an answer.
    pub bin: String,
    /// The postal address; empty when none was given.
    pub postal_address: String,
}

/// What an indicator, a territory or a code of a breakdown is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its code, or its resource name.
    pub code: String,
    /// Its title.
    pub title: Words,
}

/// One code that a figure is broken down by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// The dimension.
    pub dimension: String,
    /// The code.
    pub code: Named,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Figure {
    /// The indicator; without code where an official enters what no register names.
    pub indicator: Named,
    /// The territory; without code for the whole country.
    pub territory: Named,
    /// The reporting period.
    pub period: String,
    /// What it is broken down by.
    pub breakdown: Vec<Breakdown>,
    /// The value as a decimal, exact; empty where it is missing.
    pub value: String,
    /// The observation status of SDMX, for example `A`.
    pub status: String,
    /// What there is to say of it, such as why it is suppressed.
    pub note: Words,
    /// Of a total: of how many figures, and how many of these have no value.
    pub total_of: Option<TotalOf>,
    /// The edition that holds it, one of `sources`; empty where an official entered it by hand.
    pub edition: String,
    /// Whether an official entered it by hand.
    pub by_hand: bool,
}

/// What a total is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalOf {
    /// How many figures.
    pub parts: u32,
    /// How many of them have no value.
    pub missing: u32,
}

/// Whether an item is provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provision {
    /// All that was asked for.
    Provided,
    /// Some of it.
    PartlyProvided,
    /// None of it.
    NotProvided,
}

/// The answer to one item of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnsweredItem {
    /// What was asked for, in the requester's words.
    pub description: String,
    /// The unit, for example `CRIME`; empty where none was named.
    pub unit: String,
    /// The first period; empty where none was named.
    pub period: String,
    /// The last period; empty for `period` alone.
    pub until_period: String,
    /// Whether it is provided.
    pub provision: Provision,
    /// The figures, and totals after the figures they are made of.
    pub figures: Vec<Figure>,
    /// Why it, or a part of it, is not provided.
    pub not_provided: Vec<Reason>,
    /// What the official says of it, in the answer's language.
    pub remark: String,
}

/// An edition that figures come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The edition.
    pub edition: String,
    /// What its form is called.
    pub title: Words,
    /// Its revision.
    pub revision: u32,
    /// SHA-256 over its content, in lowercase hexadecimal.
    pub sha256: String,
    /// Where it can be read openly; empty when it is not open.
    pub address: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// [`SCHEMA`].
    pub schema: String,
    /// The request.
    pub request: RequestAnswered,
    /// Who asked.
    pub requester: Requester,
    /// The body that answers; empty is the Committee.
    pub body: String,
    /// The language of the answer.
    pub language: Language,
    /// Which version of the draft it is, from 1.
    pub version: u32,
    /// The day on which this version was drafted.
    pub drafted_on: String,
    /// Who drafted the first version.
    pub drafted_by: String,
    /// Who edited it since, each once.
    pub edited_by: Vec<String>,
    /// What the official says before the items, in the answer's language.
    pub opening: String,
    /// The items, in the order of the request.
    pub items: Vec<AnsweredItem>,
    /// Where the figures come from.
    pub sources: Vec<Source>,
    /// How the answer can be appealed against: one reason for each way.
    pub appeal: Vec<Reason>,
}

/// In which capacity an answer is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Capacity {
    /// The head.
    Head,
    /// A deputy.
    Deputy,
    /// The head of the apparatus.
    HeadOfApparatus,
}

/// An approval as the service recorded it. The signature covers the answer, and not what stands here beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// Who approved, by the name in the certificate shown to the service.
    pub approved_by: String,
    /// In which capacity.
    pub capacity: Capacity,
    /// When, by RFC 3339.
    pub approved_at: String,
    /// The civil day of it.
    pub approved_on: String,
    /// The detached CMS signature over the canonical form, DER in lowercase hexadecimal.
    pub signature: String,
}

/// An answer as it is given out: what was approved, by whom, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The answer.
    pub answer: Answer,
    /// Its approval; none for a draft.
    pub approval: Option<Approval>,
    /// The language of headings and of what the registers say. What an official wrote stays in the answer's own.
    pub language: Language,
}
