//! The fields of a resource that a person gives, and the mask that names them (AIP-134).

use serde_json::{Map, Value, json};

/// What is given of a resource.
#[derive(Default)]
pub(crate) struct Given {
    /// The fields by their names in JSON.
    pub(crate) fields: Map<String, Value>,
    paths: Vec<String>,
}

impl Given {
    /// A field by its path, where it is given.
    pub(crate) fn field(&mut self, path: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.fields.insert(in_camel_case(path), value.into());
            self.paths.push(path.to_owned());
        }
    }

    /// A text in those of its languages that are given.
    pub(crate) fn localized(&mut self, path: &str, kk: Option<String>, ru: Option<String>, en: Option<String>) {
        let mut text = Map::new();
        for (language, given) in [("kk", kk), ("ru", ru), ("en", en)] {
            if let Some(given) = given {
                text.insert(language.into(), json!(given));
                self.paths.push(format!("{path}.{language}"));
            }
        }
        if !text.is_empty() {
            self.fields.insert(in_camel_case(path), Value::Object(text));
        }
    }

    /// A law, where its act is given.
    pub(crate) fn law(&mut self, act: Option<String>, provision: Option<String>, uri: Option<String>) {
        let basis = act.map(|act| json!({ "act": act, "provision": provision, "uri": uri }));
        self.field("legal_basis", basis);
    }

    /// Names a field that is to be emptied.
    pub(crate) fn emptied(&mut self, path: &str) {
        self.paths.push(path.to_owned());
    }

    /// The mask as proto3 JSON writes it.
    pub(crate) fn mask(&self) -> String {
        let paths = self.paths.iter().map(|path| in_camel_case(path));
        paths.collect::<Vec<_>>().join(",")
    }
}

/// A path of the contract as proto3 JSON spells it.
pub(crate) fn in_camel_case(path: &str) -> String {
    let mut words = path.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (begin, rest) = word.split_at(1);
        camel + &begin.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_written_as_json_writes_it() {
        let mut given = Given::default();
        given.field("certificate_name", Some("justice"));
        given.localized("title", Some("Ә".into()), None, None);
        given.law(Some("Order 1".into()), Some("para 2".into()), None);
        given.field("bin", Some("160340014245"));
        given.field("territory", None::<Value>);
        assert_eq!(given.mask(), "certificateName,title.kk,legalBasis,bin");
        let expected = json!({
            "certificateName": "justice", "title": { "kk": "Ә" }, "bin": "160340014245",
            "legalBasis": { "act": "Order 1", "provision": "para 2", "uri": null },
        });
        assert_eq!(Value::Object(given.fields), expected);
    }
}
