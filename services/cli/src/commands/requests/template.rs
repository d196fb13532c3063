//! The template that `legalstat requests new --template` writes: every field of a request, each with its words where it has some. What
//! nobody fills in is refused by its path when the file is submitted, so nothing is sent by mistake.

use serde_json::{Value, json};

use super::{
    draft::{Draft, FIELDS, Need, words},
    items::{ItemKind, Unit},
};

impl Draft {
    /// The request with a place for each field that concerns it and is not given.
    pub(super) fn into_template(mut self) -> Value {
        for field in &FIELDS {
            if field.is_given(&self) || field.need(&self) == Need::Without {
                continue;
            }
            let place = match field.flag {
                // No day is the year 0's, so whoever forgets it is told.
                "external-date" => json!({ "year": 0, "month": 0, "day": 0 }),
                "reports-crime-or-threat" => json!(false),
                "kind" => choice("REQUESTER_KIND_", &(field.words)()),
                "channel" => choice("CHANNEL_", &(field.words)()),
                "capacity" => choice("SIGNATORY_CAPACITY_", &(field.words)()),
                "language" => choice("LANGUAGE_", &(field.words)()),
                _ => json!(""),
            };
            field.set(&mut self, place);
        }
        if !self.has_items() && self.needs_items() != Need::Without {
            self.add_item(json!({
                "kind": choice("ITEM_KIND_", &words::<ItemKind>()),
                "description": "",
                "unit": choice("UNIT_", &words::<Unit>()),
                "period": "",
                "untilPeriod": "",
                "form": "",
                "indicator": "",
                "detail": "",
                "territories": [],
            }));
        }
        self.into_request()
    }
}

/// The words of which one is to stay.
fn choice(prefix: &str, words: &[String]) -> Value {
    let words = words
        .iter()
        .map(|word| format!("{prefix}{}", word.replace('-', "_").to_uppercase()));
    json!(words.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call, commands::requests::SERVICE, message};

    fn faults(template: &Value) -> String {
        let input = call::method(&format!("{SERVICE}/SubmitRequest")).input();
        let text = json!({ "request": template }).to_string();
        message::read(&input, &text, "-").map_or_else(|refused| refused.to_string(), |_| String::new())
    }

    #[test]
    fn what_is_not_filled_in_is_refused_with_the_words_that_it_can_be() {
        let template = Draft::default().into_template();
        let told = faults(&template);
        for field in [
            "request.requester.kind",
            "request.channel",
            "request.signatory.capacity",
            "request.language",
            "request.items[0].kind",
            "request.items[0].unit",
        ] {
            assert!(told.contains(&format!("{field}: ")), "{field}: {told}");
        }
        let mut filled = template;
        filled["requester"]["kind"] = json!("REQUESTER_KIND_STATE_BODY");
        filled["channel"] = json!("CHANNEL_UNIFIED_EDMS");
        filled["signatory"]["capacity"] = json!("SIGNATORY_CAPACITY_HEAD");
        filled["language"] = json!("LANGUAGE_KK");
        filled["items"][0]["kind"] = json!("ITEM_KIND_STATISTICS");
        filled["items"][0]["unit"] = json!("UNIT_CRIME");
        assert_eq!(faults(&filled), "", "the contract knows every field");
    }

    #[test]
    fn what_the_flags_say_stands_in_it_and_what_does_not_concern_the_request_does_not() {
        let mut draft = Draft::default();
        draft.set(&["requester", "kind"], json!("REQUESTER_KIND_INDIVIDUAL"));
        draft.set(&["channel"], json!("CHANNEL_ORAL"));
        let template = draft.into_template();
        assert_eq!(template["requester"]["kind"], "REQUESTER_KIND_INDIVIDUAL");
        assert!(template["requester"].get("bin").is_none() && template["requester"].get("iin").is_some());
        for field in ["items", "signatory", "externalDate"] {
            assert!(template.get(field).is_none(), "{field}: {template}");
        }
    }
}
