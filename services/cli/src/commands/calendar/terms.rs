//! `legalstat calendar terms`.

use serde_json::Value;

use super::{Known, SERVICE, Texts};
use crate::{
    commands::{connect, object},
    failure::Failure,
    options::Options,
    output::{self, Language, localized, text},
    place::ServiceName,
};

/// The parts of a term that are a length of time with its law: the name for people and the field.
const SPANS: [(&str, &str); 6] = [
    ("answer", "base"),
    ("longer", "longBase"),
    ("extension", "extension"),
    ("notice", "extensionNotice"),
    ("forwarding", "forwarding"),
    ("return", "returning"),
];

/// Prints the terms.
pub(super) async fn run(texts: &Texts, known: Known, options: &Options) -> Result<(), Failure> {
    let connection = connect(options, ServiceName::Calendar)?;
    let request = object([("asKnownAt", known.as_known_at)]);
    let response = connection.list(&format!("{SERVICE}/ListTerms"), &request).await?;
    let terms = response["terms"].as_array().into_iter().flatten();
    let told: Vec<String> = terms.map(|term| told(term, texts.language)).collect();
    Ok(output::show(&response, options.output, &told.join("\n\n"))?)
}

/// A term as a person would read it: whose requests it governs, then each length of time with its law.
fn told(term: &Value, language: Language) -> String {
    let selected = if term["selected"] == true {
        ""
    } else {
        "; only when named"
    };
    let mut lines = vec![format!(
        "{} for {}{}{selected}",
        text(&term["name"]),
        text(&term["requesterKinds"]),
        received(term)
    )];
    for (heading, field) in SPANS {
        if term[field].is_object() {
            lines.push(format!("  {heading:<10}  {}", span(&term[field], language)));
        }
    }
    lines.push(format!(
        "  counts from {} [{}]",
        text(&term["origin"]).to_lowercase(),
        text(&term["originBasis"])
    ));
    let rolls = if term["rollForward"] == true {
        "moves to the next working day"
    } else {
        "does not move"
    };
    lines.push(format!(
        "  a last day that is off {rolls} [{}]",
        text(&term["rollForwardBasis"])
    ));
    lines.push(if term["suspensionBasis"].is_object() {
        format!("  the clock can stop [{}]", text(&term["suspensionBasis"]))
    } else {
        "  the clock cannot stop".into()
    });
    lines.join("\n")
}

fn received(term: &Value) -> String {
    let (from, to) = (text(&term["receivedFrom"]), text(&term["receivedTo"]));
    match (from.is_empty(), to.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(", received from {from}"),
        (true, false) => format!(", received to {to}"),
        (false, false) => format!(", received {from} to {to}"),
    }
}

/// A length of time: `15 working days [Code 350-VI, art. 76]`, with its note.
fn span(span: &Value, language: Language) -> String {
    let length = text(&span["length"]);
    let unit = text(&span["unit"]).to_lowercase().replace('_', " ");
    let plural = if length == "1" { "" } else { "s" };
    let noted = ["kk", "ru", "en"].iter().any(|language| {
        let note = &span["note"][language];
        note.as_str().is_some_and(|note| !note.is_empty())
    });
    let note = if noted {
        format!(", {}", localized(&span["note"], language))
    } else {
        String::new()
    };
    format!("{length} {unit}{plural}{note} [{}]", text(&span["legalBasis"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_term_is_told_with_its_extension_and_whether_its_clock_can_stop() {
        let basis = json!({ "act": "Code 350-VI", "provision": "art. 76", "uri": "", "assumed": false });
        let note = json!({ "kk": "", "ru": "решением", "en": "by a decision" });
        let mut term = json!({
            "name": "terms/application-2021", "requesterKinds": ["REQUESTER_KIND_INDIVIDUAL"],
            "receivedFrom": { "year": 2021, "month": 7, "day": 1 }, "receivedTo": null, "selected": true,
            "base": { "length": 15, "unit": "TERM_UNIT_WORKING_DAY", "note": null, "legalBasis": basis },
            "extension": { "length": 2, "unit": "TERM_UNIT_MONTH", "note": note, "legalBasis": basis },
            "origin": "TERM_ORIGIN_RECEIPT", "originBasis": basis, "rollForward": true, "rollForwardBasis": basis,
            "suspensionBasis": null,
        });
        let said = told(&term, Language::En);
        for line in [
            "terms/application-2021 for INDIVIDUAL, received from 2021-07-01",
            "  answer      15 working days [Code 350-VI, art. 76]",
            "  extension   2 months, by a decision [Code 350-VI, art. 76]",
            "  the clock cannot stop",
        ] {
            assert!(said.lines().any(|found| found == line), "{line}\n{said}");
        }
        assert!(!said.contains("forwarding"), "what is not set is not shown: {said}");
        term["suspensionBasis"] = basis;
        assert!(told(&term, Language::Ru).contains("the clock can stop [Code 350-VI, art. 76]"));
    }
}
