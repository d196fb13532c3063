//! Resource names: `requests/{uuid}`, and `forms/{number}` as the form registry writes it.

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

/// Whether a text is the name of a form, which need not be registered.
pub fn is_form(name: &str) -> bool {
    name.strip_prefix("forms/").and_then(number).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_name_of_a_request_is_read() {
        let id = Uuid::from_u128(0x0192_3f1e_3f0e_7c61_9b55_1f9a_6d1c_2e01);
        assert_eq!(parse_request(&request(id)), Some(id));
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
}
