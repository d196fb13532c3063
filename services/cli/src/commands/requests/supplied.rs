//! The fields of a request that are mended or supplied: one by one, as the sheet names them, or all of a file.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{
    SERVICE,
    draft::{Signs, Written, one_of},
    items::{self, set_part},
};
use crate::{
    commands::{connect, date, field_mask::in_camel_case, place_of, read_text},
    failure::Failure,
    message,
    options::Options,
    place::ServiceName,
};

/// The fields as they should be
#[derive(Args, Debug)]
pub(crate) struct Supplied {
    /// A field as it should be, named as the sheet names it, items[0].period=2026-Q1; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// What is asked for, all of it, each item as `requests new` takes it, NAME=VALUE;…;words=WORDS; may be repeated
    #[arg(long, value_name = "ITEM", value_parser = items::item)]
    item: Vec<Value>,
    /// The fields as they should be: those of a Request in proto3 JSON, and no others; `-` reads standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["set", "item"])]
    fields: Option<PathBuf>,
    /// The request as it stands: of items and the signatory the service takes all or nothing.
    #[arg(skip)]
    stands: Value,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write the field, = and its value")?;
    Ok((field.trim().to_owned(), value.trim().to_owned()))
}

impl Supplied {
    /// Reads the request where a field that is set is part of a whole; its etag then, because what is sent of it holds what
    /// others have written as it was read.
    pub(crate) async fn complete(&mut self, name: &str, options: &Options) -> Result<Option<String>, Failure> {
        let is_part = |(field, _): &(String, String)| field.starts_with("items[") || field.starts_with("signatory.");
        if !self.set.iter().any(is_part) {
            return Ok(None);
        }
        let connection = connect(options, ServiceName::RequestIntake)?;
        let asked = json!({ "name": name, "view": "REQUEST_VIEW_BASIC" });
        self.stands = connection.call(&format!("{SERVICE}/GetRequest"), &asked).await?;
        Ok(self.stands["etag"].as_str().map(str::to_owned))
    }

    /// The fields and their mask, if any are given: both come from what the contract has read.
    pub(crate) fn given(&self) -> Result<Option<(Value, Value)>, Failure> {
        let (text, source) = match &self.fields {
            Some(path) => read_text(path)?,
            None => (self.set_one_by_one()?.to_string(), "what is set".to_owned()),
        };
        let request = message::named("legalstat.requests.v1.Request");
        let (request, paths) = message::read_with_paths(&request, &text, &source)?;
        let mask = masked(&paths).join(",");
        let fields = serde_json::to_value(request).context("the fields of a request")?;
        Ok((!mask.is_empty()).then(|| (fields, json!(mask))))
    }

    /// All that is wrong is told at once.
    fn set_one_by_one(&self) -> Result<Value, Failure> {
        let (mut fields, mut faults) = (json!({}), Vec::new());
        for (field, value) in &self.set {
            if !self.item.is_empty() && field.starts_with("items[") {
                faults.push(format!("--set {field}: --item gives all items already"));
            } else if let Err(fault) = set(&mut fields, &self.stands, field, value) {
                faults.push(format!("--set {field}: {fault}"));
            }
        }
        if !self.item.is_empty() {
            fields["items"] = json!(self.item);
        }
        match faults.is_empty() {
            true => Ok(fields),
            false => Err(Failure::usage(faults.join("\n"))),
        }
    }
}

fn set(fields: &mut Value, stands: &Value, path: &str, text: &str) -> Result<(), String> {
    let unknown = || {
        "no field that can be set: essence, language, addressee, external_number, external_date, reports_crime_or_threat, \
         requester.full_name, requester.bin, requester.iin, requester.postal_address, signatory.full_name, signatory.capacity, and of \
         items[0] kind, description, unit, period, until_period, form, indicator, detail or territories; all items go with --item"
            .to_owned()
    };
    match path.split_once('.') {
        None => match path {
            "essence" | "addressee" => fields[path] = json!(text),
            "external_number" => fields["externalNumber"] = json!(text),
            "external_date" => fields["externalDate"] = date(text)?,
            "language" => fields[path] = one_of::<Written>(text, "LANGUAGE_")?,
            "reports_crime_or_threat" => {
                let told: bool = text.parse().map_err(|_| "write true or false".to_owned())?;
                fields["reportsCrimeOrThreat"] = json!(told);
            }
            _ => return Err(unknown()),
        },
        Some(("requester", field)) => match field {
            "bin" | "iin" => fields["requester"][field] = json!(text),
            "full_name" => fields["requester"]["fullName"] = json!(text),
            "postal_address" => fields["requester"]["postalAddress"] = json!(text),
            _ => return Err(unknown()),
        },
        Some(("signatory", field)) => {
            let signatory = whole(fields, stands, "signatory");
            match field {
                "full_name" => signatory["fullName"] = json!(text),
                "capacity" => signatory["capacity"] = one_of::<Signs>(text, "SIGNATORY_CAPACITY_")?,
                _ => return Err(unknown()),
            }
        }
        Some((item, field)) => {
            let place = place_of(item).ok_or_else(unknown)?;
            let item = whole(fields, stands, "items").get_mut(place);
            let item = item.ok_or("the request has no such item; --item gives all that it asks for")?;
            let part = match field {
                "description" => "words",
                "until_period" => "until",
                "kind" | "unit" | "period" | "form" | "indicator" | "detail" | "territories" => field,
                _ => return Err(unknown()),
            };
            set_part(item, part, text)?;
        }
    }
    Ok(())
}

/// What can be given whole only, as it stands so far.
fn whole<'f>(fields: &'f mut Value, stands: &Value, field: &str) -> &'f mut Value {
    if fields.get(field).is_none() {
        fields[field] = stands[field].clone();
    }
    &mut fields[field]
}

/// The mask of the fields at these paths: a requester is mended by its fields, everything else as a whole.
fn masked(paths: &[String]) -> Vec<String> {
    const PARTS: &str = "requester.";
    let has_parts = paths.iter().any(|path| path.starts_with(PARTS));
    let is_named = |path: &&String| match path.strip_prefix(PARTS) {
        Some(part) => !part.contains(['.', '[']),
        None => !(path.contains(['.', '[']) || has_parts && *path == "requester"),
    };
    paths.iter().filter(is_named).map(|path| in_camel_case(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of a file that holds this text.
    fn of_file(text: &str) -> Result<Option<(Value, Value)>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("fields.json");
        std::fs::write(&file, text).expect("it is written");
        let supplied = Supplied {
            set: Vec::new(),
            item: Vec::new(),
            fields: Some(file),
            stands: Value::Null,
        };
        supplied.given().map_err(|refused| refused.to_string())
    }

    #[test]
    fn the_mask_names_what_a_file_gives_in_either_spelling_and_a_requester_by_its_fields() {
        let text =
            "\u{feff}{\"requester\": {\"full_name\": \"A\", \"bin\": \"\"}, \"items\": [], \"external_number\": \"12\",
            \"external_date\": null, \"signatory\": {\"fullName\": \"B\"}}";
        let (fields, mask) = of_file(text).expect("it is read").expect("something is given");
        assert_eq!(
            mask,
            "requester.fullName,requester.bin,items,externalNumber,externalDate,signatory"
        );
        assert_eq!(fields["externalNumber"], "12");
        assert_eq!(fields["requester"]["fullName"], "A");
        for method in ["CorrectRequest", "ProvideClarification"] {
            let fields = json!({ "request": fields, "updateMask": mask });
            crate::commands::request(SERVICE, method, &fields).expect("the contract takes it");
        }
        assert_eq!(of_file("{}"), Ok(None));
        let (_, mask) = of_file(r#"{ "requester": null }"#).expect("it is read").expect("given");
        assert_eq!(mask, "requester");
    }

    #[test]
    fn a_field_given_twice_is_refused_by_its_path_and_a_wrong_word_with_those_that_are_allowed() {
        let wrong = r#"{ "externalNumber": "1", "external_number": "2", "requester": { "bin": "1", "bin": "2" }, "language": "ru" }"#;
        let told = of_file(wrong).expect_err("it is refused");
        for part in [
            "external_number: given twice, as externalNumber and as external_number",
            "requester.bin: given twice",
            "language: \"ru\" is none of LANGUAGE_KK, LANGUAGE_RU",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        of_file("[]").expect_err("it is no object");
    }

    #[test]
    fn fields_are_set_as_the_sheet_names_them_and_the_rest_of_a_whole_stays() {
        let supplied = Supplied {
            set: [
                "items[1].period=2026-Q1",
                "items[1].unit=crime",
                "signatory.capacity=head",
                "requester.postal_address=Astana",
                "external_date=2026-02-02",
            ]
            .map(|text| assignment(text).expect("it is one"))
            .to_vec(),
            item: Vec::new(),
            fields: None,
            stands: json!({ "items": [{ "description": "a" }, { "description": "b" }], "signatory": { "fullName": "A" } }),
        };
        let (fields, mask) = supplied.given().expect("it is read").expect("something is given");
        assert_eq!(mask, "items,signatory,requester.postalAddress,externalDate");
        let items = json!([{ "description": "a" }, { "description": "b", "period": "2026-Q1", "unit": "UNIT_CRIME" }]);
        assert_eq!(fields["items"], items);
        assert_eq!(
            fields["signatory"],
            json!({ "fullName": "A", "capacity": "SIGNATORY_CAPACITY_HEAD" })
        );
        for (field, part) in [
            ("items[2].period=2026", "no such item"),
            ("items[0].period=Q1", "a quarter as"),
            ("items[x].period=2026", "no field that can be set"),
            ("channel=paper", "no field that can be set"),
            ("items[0].words=x", "no field that can be set"),
            ("reports_crime_or_threat=maybe", "true or false"),
            ("language=en", "kk, ru"),
        ] {
            let wrong = Supplied {
                set: vec![assignment(field).expect("it is one")],
                item: Vec::new(),
                fields: None,
                stands: supplied.stands.clone(),
            };
            let told = wrong.given().expect_err("it is refused").to_string();
            assert!(told.contains(part), "{field}: {told}");
        }
    }

    #[test]
    fn items_are_given_all_at_once_where_a_request_has_none() {
        let supplied = |set: &[&str]| Supplied {
            set: set.iter().map(|text| assignment(text).expect("it is one")).collect(),
            item: vec![items::item("unit=crime;period=2026-Q1;words=Crimes").expect("it is one")],
            fields: None,
            stands: json!({ "items": [] }),
        };
        let given = supplied(&["reports_crime_or_threat=true"]).given();
        let (fields, mask) = given.expect("it is read").expect("something is given");
        assert_eq!(fields["items"][0]["description"], "Crimes");
        assert_eq!(fields["reportsCrimeOrThreat"], true);
        let mask = mask.as_str().expect("it is a text");
        assert!(
            mask.contains("items") && mask.contains("reportsCrimeOrThreat"),
            "{mask}"
        );
        let both = supplied(&["items[0].period=2026"]).given();
        let told = both.expect_err("it is refused").to_string();
        assert!(told.contains("--item gives all items already"), "{told}");
    }
}
