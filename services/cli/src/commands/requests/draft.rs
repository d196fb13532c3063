//! A request as `legalstat requests new` puts it together: what it needs by its kind and channel, and how each answer is read.

use clap::ValueEnum;
use legalstat_request_intake::numbers;
use serde_json::{Map, Value, json};

use super::filters::Way;
use crate::commands::{date, forms::word};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A state body
    StateBody,
    /// A prosecutor's body
    ProsecutorBody,
    /// A person
    Individual,
    /// A legal entity
    LegalEntity,
}

/// In which capacity a request is signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Signs {
    /// The head of the body
    Head,
    /// Who substitutes the head
    Substitute,
    /// Another authorised official of the body
    AuthorizedOfficial,
    /// The person, or the legal entity's representative
    Applicant,
}

/// The language of a request.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Written {
    /// Kazakh
    Kk,
    /// Russian
    Ru,
}

/// How much a field is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it the request is refused.
    Required,
    /// Without it the request goes on; where the law wants it, the requester is asked for it.
    Optional,
    /// It does not concern such a request.
    Without,
}

/// A field that is asked for: its flag, its question, where its answer stands, and how that is read.
pub(super) struct Asked {
    pub(super) flag: &'static str,
    pub(super) question: &'static str,
    path: &'static [&'static str],
    pub(super) words: fn() -> Vec<String>,
    pub(super) read: fn(&str) -> Result<Value, String>,
    need: fn(&Draft) -> Need,
}

/// What is asked for, in this order; items come last, and have questions of their own.
pub(super) const FIELDS: [Asked; 13] = [
    Asked {
        flag: "kind",
        question: "Who asks",
        path: &["requester", "kind"],
        words: words::<Kind>,
        read: |text| one_of::<Kind>(text, "REQUESTER_KIND_"),
        need: |_| Need::Required,
    },
    Asked {
        flag: "channel",
        question: "How it came",
        path: &["channel"],
        words: words::<Way>,
        read: |text| one_of::<Way>(text, "CHANNEL_"),
        need: |_| Need::Required,
    },
    Asked {
        flag: "name",
        question: "The body's or entity's name, or the person's surname, name and patronymic",
        path: &["requester", "fullName"],
        words: Vec::new,
        read: |text| some(text, 500),
        need: Draft::of_body,
    },
    Asked {
        flag: "bin",
        question: "The BIN, 12 digits",
        path: &["requester", "bin"],
        words: Vec::new,
        read: |text| checked(text, numbers::check_bin(text.trim())),
        need: |draft| draft.unless(draft.kind() == Some(Kind::Individual)),
    },
    Asked {
        flag: "iin",
        question: "The IIN, 12 digits",
        path: &["requester", "iin"],
        words: Vec::new,
        read: |text| checked(text, numbers::check_iin(text.trim())),
        need: |draft| draft.unless(draft.kind() != Some(Kind::Individual)),
    },
    Asked {
        flag: "address",
        question: "The postal address",
        path: &["requester", "postalAddress"],
        words: Vec::new,
        read: |text| some(text, 500),
        need: |draft| draft.unless(draft.is_body()),
    },
    Asked {
        flag: "external-number",
        question: "The sender's own number of the document",
        path: &["externalNumber"],
        words: Vec::new,
        read: |text| some(text, 100),
        need: |draft| match draft.numbers_documents() && draft.is_body() {
            true => Need::Required,
            false => draft.unless(!draft.is_document()),
        },
    },
    Asked {
        flag: "external-date",
        question: "The date of the sender's document, as 2026-02-28",
        path: &["externalDate"],
        words: Vec::new,
        read: date,
        need: |draft| match draft.is_body() && (draft.numbers_documents() || draft.has(&["externalNumber"])) {
            true => Need::Required,
            false => draft.unless(!draft.is_document() || draft.is_body()),
        },
    },
    Asked {
        flag: "signatory",
        question: "Who signed it: the name",
        path: &["signatory", "fullName"],
        words: Vec::new,
        read: |text| some(text, 500),
        need: Draft::of_document,
    },
    Asked {
        flag: "capacity",
        question: "In which capacity it is signed",
        path: &["signatory", "capacity"],
        words: words::<Signs>,
        read: |text| one_of::<Signs>(text, "SIGNATORY_CAPACITY_"),
        need: |draft| match draft.has(&["signatory", "fullName"]) {
            true => Need::Required,
            false => draft.of_document().or_without(),
        },
    },
    Asked {
        flag: "essence",
        question: "The essence of the request, in words",
        path: &["essence"],
        words: Vec::new,
        read: |text| some(text, 10_000),
        need: Draft::of_body,
    },
    Asked {
        flag: "reports-crime-or-threat",
        question: "Whether it reports a crime or a threat",
        path: &["reportsCrimeOrThreat"],
        words: || vec!["yes".to_owned(), "no".to_owned()],
        read: |text| match text.trim() {
            "yes" => Ok(json!(true)),
            "no" => Ok(json!(false)),
            _ => Err("write yes or no".into()),
        },
        // An anonymous one that does is forwarded at once; a body is not anonymous.
        need: |draft| draft.unless(draft.is_body()),
    },
    Asked {
        flag: "language",
        question: "The language of the request",
        path: &["language"],
        words: words::<Written>,
        read: |text| one_of::<Written>(text, "LANGUAGE_"),
        need: |_| Need::Required,
    },
];

impl Need {
    /// What is only of use beside something else is not asked for alone.
    fn or_without(self) -> Self {
        if self == Self::Optional { Self::Without } else { self }
    }
}

impl Asked {
    /// How much a request as it is so far needs it.
    pub(super) fn need(&self, draft: &Draft) -> Need {
        (self.need)(draft)
    }

    /// Whether a request has it.
    pub(super) fn is_given(&self, draft: &Draft) -> bool {
        draft.has(self.path)
    }

    /// Sets it.
    pub(super) fn set(&self, draft: &mut Draft, value: Value) {
        draft.set(self.path, value);
    }

    /// What it is, with the words that it can be.
    pub(super) fn told(&self) -> String {
        match &(self.words)()[..] {
            [] => self.question.to_owned(),
            words => format!("{}: {}", self.question, words.join(", ")),
        }
    }
}

/// A request in proto3 JSON, so far.
#[derive(Debug, Default)]
pub(super) struct Draft(Map<String, Value>);

impl Draft {
    /// The request as SubmitRequest takes it.
    pub(super) fn into_request(self) -> Value {
        Value::Object(self.0)
    }

    /// The request, to be shown.
    pub(super) fn shown(&self) -> Value {
        Value::Object(self.0.clone())
    }

    pub(super) fn set(&mut self, path: &[&str], value: Value) {
        match path {
            [field] => {
                self.0.insert((*field).to_owned(), value);
            }
            [message, field, ..] => {
                let held = self.0.entry((*message).to_owned()).or_insert_with(|| json!({}));
                held[*field] = value;
            }
            [] => {}
        }
    }

    /// Adds an item.
    pub(super) fn add_item(&mut self, item: Value) {
        let items = self.0.entry("items").or_insert_with(|| json!([]));
        if let Some(items) = items.as_array_mut() {
            items.push(item);
        }
    }

    fn has(&self, path: &[&str]) -> bool {
        let mut fields = path.iter();
        let first = fields.next().and_then(|field| self.0.get(*field));
        fields
            .fold(first, |value, field| value.and_then(|value| value.get(*field)))
            .is_some()
    }

    fn kind(&self) -> Option<Kind> {
        let word = self.0.get("requester")?["kind"].as_str()?;
        let kinds = Kind::value_variants().iter().copied();
        kinds.into_iter().find(|kind| is_word(*kind, "REQUESTER_KIND_", word))
    }

    fn channel(&self) -> Option<Way> {
        let word = self.0.get("channel")?.as_str()?;
        let ways = Way::value_variants().iter().copied();
        ways.into_iter().find(|way| is_word(*way, "CHANNEL_", word))
    }

    /// Whether a body asks, which is assumed until it is known: it needs more.
    pub(super) fn is_body(&self) -> bool {
        !matches!(self.kind(), Some(Kind::Individual | Kind::LegalEntity))
    }

    /// Whether a document came, and nothing was said or written by a messenger.
    fn is_document(&self) -> bool {
        !matches!(self.channel(), Some(Way::Oral | Way::Messenger))
    }

    /// The document system whose channel it is, as its certificate is called; none of a channel that officials record.
    pub(super) fn brings(&self) -> Option<&'static str> {
        match self.channel()? {
            Way::UnifiedEdms => Some("edms"),
            Way::Kadagalau => Some("kadagalau"),
            _ => None,
        }
    }

    fn numbers_documents(&self) -> bool {
        matches!(self.channel(), Some(Way::UnifiedEdms | Way::Kadagalau))
    }

    /// What a body must give, and others are asked for.
    fn of_body(&self) -> Need {
        if self.is_body() { Need::Required } else { Need::Optional }
    }

    /// What the document of a body must have, and that of others should.
    fn of_document(&self) -> Need {
        if self.is_document() {
            self.of_body()
        } else {
            Need::Without
        }
    }

    fn unless(&self, concerns_it_not: bool) -> Need {
        if concerns_it_not { Need::Without } else { Need::Optional }
    }

    /// Whether items are needed.
    pub(super) fn needs_items(&self) -> Need {
        self.of_document()
    }

    /// Whether it has items.
    pub(super) fn has_items(&self) -> bool {
        self.has(&["items"])
    }

    /// How many items it has.
    pub(super) fn items(&self) -> usize {
        self.0.get("items").and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// What it cannot be submitted without, as flags and what they are.
    pub(super) fn missing(&self) -> Vec<(&'static str, String)> {
        let fields = FIELDS
            .iter()
            .filter(|field| !field.is_given(self) && field.need(self) == Need::Required);
        let mut missing: Vec<(&str, String)> = fields.map(|field| (field.flag, field.told())).collect();
        if !self.has_items() && self.needs_items() == Need::Required {
            missing.push((
                "item",
                "What is asked for, as kind=statistics;unit=crime;period=2026-Q1;words=Registered crimes".into(),
            ));
        }
        missing
    }
}

fn is_word<T: ValueEnum>(value: T, prefix: &str, written: &str) -> bool {
    word(value, prefix) == written
}

/// The words of an enumeration, as the command line writes them.
pub(super) fn words<T: ValueEnum>() -> Vec<String> {
    let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    words.map(|word| word.get_name().to_owned()).collect()
}

/// A word of an enumeration in proto3 JSON.
pub(super) fn one_of<T: ValueEnum>(text: &str, prefix: &str) -> Result<Value, String> {
    let read = T::from_str(text.trim(), true);
    read.map(|value| word(value, prefix))
        .map_err(|_| format!("write one of {}", words::<T>().join(", ")))
}

/// A text within bounds.
pub(super) fn some(text: &str, most: usize) -> Result<Value, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("write something".into()),
        count if count > most => Err(format!("at most {most} characters, and these are {count}")),
        _ => Ok(json!(text)),
    }
}

fn checked(text: &str, check: Result<(), numbers::IdentifierError>) -> Result<Value, String> {
    check.map(|()| json!(text.trim())).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, channel: &str) -> Draft {
        let mut draft = Draft::default();
        draft.set(&["requester", "kind"], json!(format!("REQUESTER_KIND_{kind}")));
        draft.set(&["channel"], json!(format!("CHANNEL_{channel}")));
        draft
    }

    #[test]
    fn what_is_missing_follows_from_kind_and_channel() {
        let flags = |draft: &Draft| draft.missing().into_iter().map(|(flag, _)| flag).collect::<Vec<_>>();
        let all = [
            "kind",
            "channel",
            "name",
            "signatory",
            "capacity",
            "essence",
            "language",
            "item",
        ];
        assert_eq!(flags(&Draft::default()), all);
        for (kind, channel, expected) in [
            ("STATE_BODY", "ORAL", &["name", "essence", "language"][..]),
            ("STATE_BODY", "PAPER", &all[2..]),
            (
                "PROSECUTOR_BODY",
                "KADAGALAU",
                &[
                    "name",
                    "external-number",
                    "external-date",
                    "signatory",
                    "capacity",
                    "essence",
                    "language",
                    "item",
                ],
            ),
            ("INDIVIDUAL", "PAPER", &["language"]),
            ("LEGAL_ENTITY", "MESSENGER", &["language"]),
        ] {
            assert_eq!(flags(&of(kind, channel)), expected, "{kind} by {channel}");
        }
        let mut signed = of("INDIVIDUAL", "PAPER");
        signed.set(&["signatory", "fullName"], json!("A"));
        assert_eq!(flags(&signed), ["capacity", "language"]);
        let mut numbered = of("STATE_BODY", "PAPER");
        numbered.set(&["externalNumber"], json!("1"));
        assert!(flags(&numbered).contains(&"external-date"));
    }

    #[test]
    fn each_answer_is_read_by_its_field_and_refused_with_what_it_can_be() {
        let read = |flag: &str, text: &str| {
            let field = FIELDS.iter().find(|field| field.flag == flag).expect("it is asked");
            (field.read)(text)
        };
        assert_eq!(read("kind", " State-Body "), Ok(json!("REQUESTER_KIND_STATE_BODY")));
        assert_eq!(read("channel", "e-government"), Ok(json!("CHANNEL_E_GOVERNMENT")));
        assert_eq!(read("bin", "160340014245"), Ok(json!("160340014245")));
        assert_eq!(
            read("external-date", "2028-02-29"),
            Ok(json!({ "year": 2028, "month": 2, "day": 29 }))
        );
        for (flag, text, part) in [
            ("kind", "king", "state-body, prosecutor-body, individual, legal-entity"),
            ("bin", "160340014246", "control digit"),
            ("iin", "1", "12 digits"),
            ("external-date", "2027-02-29", "a day that there is"),
            ("essence", "  ", "something"),
            ("name", &"a".repeat(501), "at most 500"),
        ] {
            let refused = read(flag, text).expect_err("it is refused");
            assert!(refused.contains(part), "{flag}: {refused}");
        }
    }
}
