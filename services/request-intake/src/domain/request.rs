//! A request for legal statistical information (Instruction, para 2(9)) and the words it is described with.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::door::word::Word;
use legalstat_kit::zone;
use uuid::Uuid;

pub use super::item::{Item, ItemKind, Unit};
use super::verdict::Verdict;
use super::{
    attachment::{self, Attachment, Signed},
    examination::Examination,
    retention::Erasure,
};

/// Who asks, as far as channel, signatory and term depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequesterKind {
    /// A state body.
    StateBody,
    /// A body of the prosecutor's office.
    ProsecutorBody,
    /// A person.
    Individual,
    /// A legal entity.
    LegalEntity,
}

impl Word for RequesterKind {
    const ALL: &'static [Self] = &[
        Self::StateBody,
        Self::ProsecutorBody,
        Self::Individual,
        Self::LegalEntity,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::StateBody => "STATE_BODY",
            Self::ProsecutorBody => "PROSECUTOR_BODY",
            Self::Individual => "INDIVIDUAL",
            Self::LegalEntity => "LEGAL_ENTITY",
        }
    }
}

impl RequesterKind {
    /// Whether it is a state body, the prosecutor's bodies included.
    pub const fn is_body(self) -> bool {
        matches!(self, Self::StateBody | Self::ProsecutorBody)
    }
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The Unified electronic document management system of state bodies.
    UnifiedEdms,
    /// The prosecutor's bodies' system "Kadagalau".
    Kadagalau,
    /// In writing on paper.
    Paper,
    /// The e-government portal.
    EGovernment,
    /// By e-mail.
    Email,
    /// By a messenger.
    Messenger,
    /// By word of mouth.
    Oral,
}

impl Word for Channel {
    const ALL: &'static [Self] = &[
        Self::UnifiedEdms,
        Self::Kadagalau,
        Self::Paper,
        Self::EGovernment,
        Self::Email,
        Self::Messenger,
        Self::Oral,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::UnifiedEdms => "UNIFIED_EDMS",
            Self::Kadagalau => "KADAGALAU",
            Self::Paper => "PAPER",
            Self::EGovernment => "E_GOVERNMENT",
            Self::Email => "EMAIL",
            Self::Messenger => "MESSENGER",
            Self::Oral => "ORAL",
        }
    }
}

impl Channel {
    /// Whether the channel is a document management system, whose documents carry the sender's number and date.
    pub const fn numbers_documents(self) -> bool {
        matches!(self, Self::UnifiedEdms | Self::Kadagalau)
    }

    /// Whether what comes this way can be signed at all.
    pub const fn carries_signatures(self) -> bool {
        !matches!(self, Self::Messenger | Self::Oral)
    }
}

/// What a caller is, as far as the channel of a request depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerRole {
    /// The Unified electronic document management system.
    Edms,
    /// "Kadagalau".
    Kadagalau,
    /// An official who records what came otherwise.
    Operator,
}

impl Word for CallerRole {
    const ALL: &'static [Self] = &[Self::Edms, Self::Kadagalau, Self::Operator];

    fn word(self) -> &'static str {
        match self {
            Self::Edms => "EDMS",
            Self::Kadagalau => "KADAGALAU",
            Self::Operator => "OPERATOR",
        }
    }
}

/// In which capacity a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capacity {
    /// The head of the state body.
    Head,
    /// The person substituting the head.
    Substitute,
    /// Another authorised official of the body.
    AuthorizedOfficial,
    /// The individual, or the legal entity's representative.
    Applicant,
}

impl Word for Capacity {
    const ALL: &'static [Self] = &[Self::Head, Self::Substitute, Self::AuthorizedOfficial, Self::Applicant];

    fn word(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Substitute => "SUBSTITUTE",
            Self::AuthorizedOfficial => "AUTHORIZED_OFFICIAL",
            Self::Applicant => "APPLICANT",
        }
    }
}

/// The language of a request, which is that of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
}

impl Word for Language {
    const ALL: &'static [Self] = &[Self::Kk, Self::Ru];

    fn word(self) -> &'static str {
        match self {
            Self::Kk => "KK",
            Self::Ru => "RU",
        }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Accepted with a coupon, not examined to the end.
    Received,
    /// The requester is asked for what is missing (Instruction, para 8).
    AwaitingClarification,
    /// Registered with a number and a due date.
    Registered,
    /// Left without consideration (Instruction, para 7).
    LeftWithoutConsideration,
    /// Registered, and somebody prepares its answer.
    InPreparation,
    /// The dispatch of its answer is recorded.
    Answered,
    /// Passed on whole to the body that is competent.
    Forwarded,
    /// Given back with reasons.
    Returned,
    /// Its consideration was ended.
    Terminated,
    /// Its requester took it back in writing.
    Withdrawn,
}

impl Word for State {
    const ALL: &'static [Self] = &[
        Self::Received,
        Self::AwaitingClarification,
        Self::Registered,
        Self::LeftWithoutConsideration,
        Self::InPreparation,
        Self::Answered,
        Self::Forwarded,
        Self::Returned,
        Self::Terminated,
        Self::Withdrawn,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::AwaitingClarification => "AWAITING_CLARIFICATION",
            Self::Registered => "REGISTERED",
            Self::LeftWithoutConsideration => "LEFT_WITHOUT_CONSIDERATION",
            Self::InPreparation => "IN_PREPARATION",
            Self::Answered => "ANSWERED",
            Self::Forwarded => "FORWARDED",
            Self::Returned => "RETURNED",
            Self::Terminated => "TERMINATED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

impl State {
    /// Whether a request is neither answered nor ended otherwise.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Received | Self::AwaitingClarification | Self::Registered | Self::InPreparation
        )
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// The kind.
    pub kind: RequesterKind,
    /// The body's or entity's name, or the person's; empty when it is missing.
    pub full_name: String,
    /// The organisation's BIN.
    pub bin: Option<String>,
    /// The person's IIN.
    pub iin: Option<String>,
    /// The postal address; empty when none is given.
    pub postal_address: String,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    /// The name.
    pub full_name: String,
    /// The capacity.
    pub capacity: Capacity,
}

/// The sender's own number and date of the document. A body gives both; an application may have either alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalDocument {
    /// The number; empty when an application has none.
    pub number: String,
    /// The date, unless an application has none.
    pub date: Option<Date>,
}

/// What a requester sent: sound in form, not yet examined. What an application lacks, its examination tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who asks.
    pub requester: Requester,
    /// Who signed.
    pub signatory: Option<Signatory>,
    /// How it came.
    pub channel: Channel,
    /// The sender's number and date.
    pub external: Option<ExternalDocument>,
    /// The body of legal statistics addressed; empty means the Committee.
    pub addressee: String,
    /// The id of the body of legal statistics that received it; none means the Committee.
    pub receiving_body: Option<String>,
    /// Whether it is marked as reporting a crime or a threat.
    pub reports_crime_or_threat: bool,
    /// The essence in words; empty when it is missing.
    pub essence: String,
    /// The language.
    pub language: Language,
    /// What is asked for, at most 100 items.
    pub items: Vec<Item>,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it was sent, as the sender's system says.
    pub sent_at: Option<Timestamp>,
    /// Its files, the signed original among them.
    pub attachments: Vec<Attachment>,
}

impl Submission {
    /// The civil day of receipt: the rules in force on it govern.
    pub fn received_on(&self) -> Date {
        zone::civil_day(self.received_at)
    }

    /// Whether it is anonymous and reports a crime or a threat: then it is forwarded at once all the same.
    pub fn is_to_be_forwarded(&self) -> bool {
        self.reports_crime_or_threat && self.is_anonymous()
    }

    /// Whether it is signed: by whom it says, or by a signature that was found valid.
    pub fn is_signed(&self) -> bool {
        let by_certificate = || {
            matches!(
                attachment::signed(&self.attachments),
                Signed::Verified(Verdict::Valid(_))
            )
        };
        self.signatory.is_some() || by_certificate()
    }

    /// Whether nothing tells whose it is: neither name nor number, nor signature, nor address (Code 350-VI, art. 88).
    pub fn is_anonymous(&self) -> bool {
        let Requester {
            kind,
            full_name,
            bin,
            iin,
            postal_address,
        } = &self.requester;
        let is_unknown = full_name.is_empty() && postal_address.is_empty() && bin.is_none() && iin.is_none();
        !kind.is_body() && is_unknown && !self.is_signed()
    }

    /// The items that ask for statistics, each with its position.
    pub fn statistics(&self) -> impl Iterator<Item = (usize, &Item)> {
        self.items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.kind == ItemKind::Statistics)
    }
}

/// The proof that a request was accepted (Code 350-VI, art. 64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The request's id.
    pub id: Uuid,
    /// The coupon's unique number.
    pub coupon_number: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The caller that brought it and was given the coupon.
    pub accepted_by: String,
    /// What the service signed; none when the release before accepted it.
    pub proof: Option<Proof>,
}

/// What the service signed of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The SHA-256 of what was received.
    pub content_sha256: [u8; 32],
    /// The id of the key that signed.
    pub key: String,
    /// The signature.
    pub signature: [u8; 64],
}

/// A request with everything known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its receipt; none when it was only checked.
    pub receipt: Option<Receipt>,
    /// What was sent.
    pub submission: Submission,
    /// What the examination came to.
    pub examination: Examination,
    /// When it was examined last.
    pub examined_at: Timestamp,
    /// The registration number of a registered request; none when it was only checked.
    pub registration_number: Option<String>,
    /// Where it stands now, and since when.
    pub standing: Standing,
}

/// By what a due date is later than the plain one of its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuePart {
    /// The longer time when information from other bodies is needed.
    LongBase,
    /// An extension.
    Extension,
}

impl Word for DuePart {
    const ALL: &'static [Self] = &[Self::LongBase, Self::Extension];

    fn word(self) -> &'static str {
        match self {
            Self::LongBase => "LONG_BASE",
            Self::Extension => "EXTENSION",
        }
    }
}

/// What a later due date is computed from, besides the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// By what it is later.
    pub part: DuePart,
    /// The day after which an extension counts.
    pub counted_from: Option<Date>,
    /// The last day that was chosen; none for the most that the term allows.
    pub until: Option<Date>,
}

/// Where a request stands, and what has changed since it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// How often it has changed.
    pub version: i32,
    /// When it changed last; none while nothing has changed since it was accepted.
    pub changed_at: Option<Timestamp>,
    /// Who prepares its answer.
    pub assignee: Option<String>,
    /// The last day that an official set for curing its defects.
    pub cure_by: Option<Date>,
    /// Why its due date is later than the plain one of its term.
    pub extension: Option<Extension>,
    /// That its personal data were erased.
    pub erased: Option<Box<Erasure>>,
}

impl Standing {
    /// Of a request that was just examined for the first time.
    pub const fn first(state: State) -> Self {
        Self {
            state,
            version: 0,
            changed_at: None,
            assignee: None,
            cure_by: None,
            extension: None,
            erased: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_the_state_bodies_and_those_of_the_prosecutor() {
        let bodies = RequesterKind::ALL.iter().copied().filter(|kind| kind.is_body());
        let expected = [RequesterKind::StateBody, RequesterKind::ProsecutorBody];
        assert_eq!(bodies.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn document_systems_number_what_they_bring_and_only_messenger_and_speech_carry_no_signature() {
        let numbering = Channel::ALL
            .iter()
            .copied()
            .filter(|channel| channel.numbers_documents());
        assert_eq!(
            numbering.collect::<Vec<_>>(),
            [Channel::UnifiedEdms, Channel::Kadagalau]
        );
        let unsigned = Channel::ALL
            .iter()
            .copied()
            .filter(|channel| !channel.carries_signatures());
        assert_eq!(unsigned.collect::<Vec<_>>(), [Channel::Messenger, Channel::Oral]);
    }
}
