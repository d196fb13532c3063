//! Resource names: `requests/{uuid}`, and those of the form registry as it writes them: `forms/{number}`,
//! `forms/{number}/indicators/{code}`, `accountingDocuments/{code}/details/{code}`.

use legalstat_kit::door::names::number;
use uuid::Uuid;

/// The name of a request.
pub fn request(id: Uuid) -> String {
    format!("requests/{id}")
}

/// Reads the name of a request; `None` for another notation, for a resource has one name only.
pub fn parse_request(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name.strip_prefix("requests/")?).ok()?;
    (request(id) == name).then_some(id)
}

/// The name of an attachment.
pub fn attachment(id: Uuid) -> String {
    format!("attachments/{id}")
}

/// Reads the name of an attachment; `None` for another notation.
pub fn parse_attachment(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name.strip_prefix("attachments/")?).ok()?;
    (attachment(id) == name).then_some(id)
}

/// The name of a retention rule.
pub fn retention_rule(id: Uuid) -> String {
    format!("retentionRules/{id}")
}

/// Reads the name of a retention rule; `None` for another notation.
pub fn parse_retention_rule(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name.strip_prefix("retentionRules/")?).ok()?;
    (retention_rule(id) == name).then_some(id)
}

/// The name of a body.
pub fn body(id: &str) -> String {
    format!("bodies/{id}")
}

/// Reads the id in the name of a body; `None` for another notation.
pub fn parse_body(name: &str) -> Option<&str> {
    let id = name.strip_prefix("bodies/")?;
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (id.len() <= 64 && id.split('-').all(word)).then_some(id)
}

/// Whether a text can be the name in a certificate.
pub fn is_certificate_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Whether a text is the name of a form, which need not be registered.
pub fn is_form(name: &str) -> bool {
    name.strip_prefix("forms/").and_then(number).is_some()
}

/// The form of an indicator, which need not be registered; `None` for a text that names none.
pub fn form_of_indicator(name: &str) -> Option<&str> {
    let (form, code) = name.split_once("/indicators/")?;
    (is_form(form) && is_code(code)).then_some(form)
}

/// Whether a text is the name of a detail of an accounting document, which need not be registered.
pub fn is_detail(name: &str) -> bool {
    let parts = name
        .strip_prefix("accountingDocuments/")
        .and_then(|rest| rest.split_once("/details/"));
    parts.is_some_and(|(document, code)| is_code(document) && is_code(code))
}

/// Whether a text is a code as the registers of the form registry have them.
pub fn is_code(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_name_of_a_request_is_read() {
        let id = Uuid::from_u128(0x0192_3f1e_3f0e_7c61_9b55_1f9a_6d1c_2e01);
        assert_eq!(parse_request(&request(id)), Some(id));
        assert_eq!(parse_attachment(&attachment(id)), Some(id));
        assert_eq!(parse_attachment(&request(id)), None);
        assert_eq!(parse_retention_rule(&retention_rule(id)), Some(id));
        assert_eq!(parse_retention_rule(&request(id)), None);
        let upper = request(id).to_uppercase();
        for name in [
            "",
            "requests/",
            "requests/1",
            "requests/01923f1e3f0e7c619b551f9a6d1c2e01",
            upper.as_str(),
        ] {
            assert_eq!(parse_request(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_form_is_named_by_its_number() {
        assert!(is_form("forms/1") && is_form("forms/27"));
        for name in [
            "",
            "forms/",
            "forms/0",
            "forms/01",
            "forms/-",
            "1-M",
            "forms/1/editions/2019",
            "forms/1234567890",
        ] {
            assert!(!is_form(name), "{name:?}");
        }
    }

    #[test]
    fn a_body_is_named_by_lower_case_words() {
        for id in ["committee", "justice-1", "1"] {
            assert_eq!(parse_body(&body(id)), Some(id));
        }
        let long = body(&"a".repeat(65));
        for name in [
            "",
            "bodies/",
            "bodies/A",
            "bodies/a--b",
            "bodies/-a",
            "bodies/a/b",
            "justice",
            &long,
        ] {
            assert_eq!(parse_body(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_certificate_names_its_holder_in_letters_that_certificates_take() {
        assert!(is_certificate_name("Ministry_of.Justice-2"));
        for name in ["", "a b", "министерство", "a/b", &"a".repeat(201)] {
            assert!(!is_certificate_name(name), "{name:?}");
        }
    }

    #[test]
    fn indicators_and_details_are_named_by_codes() {
        assert_eq!(form_of_indicator("forms/5/indicators/crimes-1.a"), Some("forms/5"));
        assert!(is_detail("accountingDocuments/card-1/details/article"));
        let long = format!("forms/1/indicators/{}", "a".repeat(41));
        for name in [
            "",
            "forms/1",
            "forms/01/indicators/a",
            "forms/1/indicators/",
            "forms/1/indicators/a b",
            &long,
        ] {
            assert_eq!(form_of_indicator(name), None, "{name:?}");
        }
        for name in [
            "",
            "card-1/details/a",
            "accountingDocuments/card-1",
            "accountingDocuments//details/a",
        ] {
            assert!(!is_detail(name), "{name:?}");
        }
    }
}
