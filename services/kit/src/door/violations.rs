//! Collects every violation of a request before it is refused.

use std::fmt::Display;

use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use prost::Message;
use tonic::Code;
use uuid::Uuid;

use super::{set_by_service, text};
use crate::{
    error::{Error, Refusal, Violation},
    law::LegalBasis,
};

/// The violations found so far in one request.
#[derive(Debug, Default)]
pub struct Violations {
    found: Vec<Violation>,
    resource: Option<String>,
}

impl Violations {
    /// None found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The refusal for one violation alone.
    pub fn one(field: &str, reason: FieldReason, description: &str) -> Refusal {
        let mut violations = Self::new();
        violations.add(field, reason, description);
        violations.refusal()
    }

    /// Names the resource that the request is about: a refusal then names it too, for the journal.
    pub fn about(&mut self, resource: &impl Display) {
        self.resource = Some(resource.to_string());
    }

    /// Records that a field breaks its rule.
    pub fn add(&mut self, field: impl Into<String>, reason: FieldReason, description: impl Into<String>) {
        self.found.push(Violation {
            field: field.into(),
            reason,
            description: description.into(),
        });
    }

    /// Records that a field breaks a rule of law.
    pub fn add_by_law(
        &mut self,
        field: impl Into<String>,
        reason: FieldReason,
        description: impl Display,
        basis: &LegalBasis,
    ) {
        self.add(field, reason, format!("{description} [{basis}]"));
    }

    /// These violations with others before them, found later but in an earlier field.
    #[must_use]
    pub fn after(mut self, mut earlier: Self) -> Self {
        earlier.found.append(&mut self.found);
        self.found = earlier.found;
        self
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Checks a required text of at most `max` characters, which may have several lines. Gives it in NFC and without blanks
    /// around it; a text that shows nothing is missing.
    pub fn text(&mut self, field: &str, value: &str, max: usize) -> String {
        self.require_shown(field, value);
        self.optional_text(field, value, max)
    }

    /// Checks an optional text, otherwise as [`text`](Self::text).
    pub fn optional_text(&mut self, field: &str, value: &str, max: usize) -> String {
        let takes = |c: char| !text::controls(c) || "\n\r\t".contains(c);
        let description = "must not contain control characters other than line breaks and tabs";
        self.checked(field, value, max, takes, description)
    }

    /// Checks how many elements a required list has: one at least.
    pub fn count(&mut self, field: &str, given: usize, most: usize) {
        if given == 0 {
            self.add(field, FieldReason::Required, format!("required: 1 to {most}"));
        } else if given > most {
            self.add(field, FieldReason::TooMany, format!("1 to {most}"));
        }
    }

    /// Checks a required name or number: one line, otherwise as [`text`](Self::text).
    pub fn name(&mut self, field: &str, value: &str, max: usize) -> String {
        self.require_shown(field, value);
        self.optional_name(field, value, max)
    }

    /// Checks an optional name or number: one line, otherwise as [`text`](Self::text).
    pub fn optional_name(&mut self, field: &str, value: &str, max: usize) -> String {
        let description = "one line: must not contain line breaks, tabs or other control characters";
        self.checked(field, value, max, |c| !text::controls(c), description)
    }

    fn require_shown(&mut self, field: &str, value: &str) {
        if !text::shows(value) {
            self.add(
                field,
                FieldReason::Required,
                "required: a letter, digit, punctuation or symbol at least",
            );
        }
    }

    fn checked(
        &mut self,
        field: &str,
        value: &str,
        max: usize,
        takes: impl Fn(char) -> bool,
        otherwise: &str,
    ) -> String {
        let value = text::composed(value.trim());
        if value.chars().count() > max {
            self.add(field, FieldReason::TooLong, format!("at most {max} characters"));
        }
        if !value.chars().all(takes) {
            self.add(field, FieldReason::InvalidCharacter, otherwise);
        }
        if value.chars().any(text::turns_direction) {
            let description = "must not contain characters that turn the direction of writing";
            self.add(field, FieldReason::Direction, description);
        }
        if text::shows(&value) {
            value.into_owned()
        } else {
            String::new()
        }
    }

    /// Finds every field of a method's message that a caller gave although the service sets it, by the contract's option.
    pub fn set_by_service(&mut self, method: &str, message: &impl Message) {
        for field in set_by_service::given(method, &message.encode_to_vec()) {
            self.add(field, FieldReason::SetByService, "must be empty: the service sets it");
        }
    }

    /// Checks a `request_id`: a required UUID other than the nil one.
    pub fn request_id(&mut self, field: &str, value: &str) -> Uuid {
        match Uuid::try_parse(value) {
            Ok(id) if !id.is_nil() => id,
            _ => {
                let description = "required: a UUID you choose, the same again when you repeat the call";
                self.add(field, FieldReason::RequestId, description);
                Uuid::nil()
            }
        }
    }

    /// Checks an optional SHA-256 in hexadecimal.
    pub fn sha256(&mut self, field: &str, value: &str) -> Option<[u8; 32]> {
        if value.is_empty() {
            return None;
        }
        let mut digest = [0; 32];
        if hex::decode_to_slice(value, &mut digest).is_err() {
            self.add(field, FieldReason::Sha256, "a SHA-256 digest: 64 hexadecimal digits");
            return None;
        }
        Some(digest)
    }

    /// Gives the value of `result`, or records its error as a violation.
    pub fn check<T>(&mut self, field: &str, reason: FieldReason, result: Result<T, impl Display>) -> Option<T> {
        result
            .map_err(|problem| self.add(field, reason, problem.to_string()))
            .ok()
    }

    /// Refuses when any violation was found.
    pub fn refuse(self) -> Result<(), Refusal> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.refusal())
        }
    }

    /// Gives what was read if no violation was recorded, and refuses otherwise.
    ///
    /// # Errors
    /// The violations found.
    pub fn sound<T>(self, read: Option<T>) -> Result<T, Error> {
        self.refuse()?;
        Ok(read.ok_or_else(|| anyhow::anyhow!("a field could not be read, but no violation was recorded"))?)
    }

    fn refusal(self) -> Refusal {
        let fields: Vec<&str> = self.found.iter().map(|violation| violation.field.as_str()).collect();
        let message = summary(&fields);
        let mut refusal = Refusal::new(Code::InvalidArgument, ErrorReason::InvalidFields, message);
        refusal.violations = self.found;
        match self.resource {
            Some(resource) => refusal.about(&resource),
            None => refusal,
        }
    }
}

/// What a person reads of these fields at fault.
pub(crate) fn summary(fields: &[&str]) -> String {
    format!(
        "{} of the request {} wrong: {}",
        count(fields.len()),
        verb(fields.len()),
        fields.join(", ")
    )
}

fn count(fields: usize) -> String {
    if fields == 1 {
        "one field".into()
    } else {
        format!("{fields} fields")
    }
}

fn verb(fields: usize) -> &'static str {
    if fields == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_every_field_and_the_resource() {
        let mut violations = Violations::new();
        violations.about(&"forms/1/editions/2019-Q1");
        violations.add("name", FieldReason::PeriodKind, "a month");
        violations.add("channel", FieldReason::Required, "required");
        let Err(Error::Refusal(refusal)) = violations.sound(Some(1)) else {
            panic!("two violations were found")
        };
        assert_eq!(&*refusal.message, "2 fields of the request are wrong: name, channel");
        assert_eq!(refusal.metadata["resource"], "forms/1/editions/2019-Q1");
    }

    #[test]
    fn what_was_read_without_violations_is_sound() {
        assert_eq!(Violations::new().sound(Some(1)).ok(), Some(1));
        let missing = Violations::new().sound(None::<i32>);
        assert!(matches!(missing, Err(Error::Unknown(_))), "{missing:?}");
    }

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<FieldReason> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.found.into_iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn a_required_text_that_shows_nothing_is_missing() {
        for blank in ["", " \n", "\u{200b}", "\u{3164}", "\u{2800}", "\u{feff}\u{ad}"] {
            for check in [Violations::text, Violations::name] {
                let found = reasons(|v| assert_eq!(check(v, "essence", blank, 10), "", "{blank:?}"));
                assert_eq!(found, [FieldReason::Required], "{blank:?}");
            }
            for check in [Violations::optional_text, Violations::optional_name] {
                let found = reasons(|v| assert_eq!(check(v, "addressee", blank, 10), "", "{blank:?}"));
                assert!(found.is_empty(), "{blank:?}");
            }
        }
    }

    #[test]
    fn a_name_is_one_line_and_no_text_turns_its_direction() {
        assert!(reasons(|v| drop(v.text("essence", "a\nb\tc", 10))).is_empty());
        for line in ["a\nb", "a\tb", "a\rb", "a\u{2028}b", "a\u{85}b", "a\0b"] {
            let found = reasons(|v| drop(v.name("full_name", line, 10)));
            assert_eq!(found, [FieldReason::InvalidCharacter], "{line:?}");
        }
        for check in [Violations::text, Violations::name] {
            let found = reasons(|v| drop(check(v, "full_name", "\u{202e}cba", 10)));
            assert_eq!(found, [FieldReason::Direction]);
        }
    }

    #[test]
    fn a_text_is_kept_in_one_composition() {
        let mut violations = Violations::new();
        assert_eq!(violations.text("number", " и\u{306} ", 1), "й");
        assert!(violations.is_empty());
    }
}
