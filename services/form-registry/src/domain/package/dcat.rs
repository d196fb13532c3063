//! `dcat.jsonld`: the data set by DCAT-AP 3 (<https://semiceu.github.io/DCAT-AP/releases/3.0.0/>), with the law behind it and the
//! checksum of every file.

use legalstat_kit::law::LocalizedText;
use serde_json::{Value, json};

use super::{FileEntry, Subject, days, texts};
use crate::domain::form::Periodicity;

pub(super) fn record(subject: &Subject, version: i32, files: &[FileEntry]) -> Value {
    let api = format!(
        "{}/api/v4/{}/v{version}",
        subject.portal.trim_end_matches('/'),
        subject.name()
    );
    let (first, last) = days(subject.edition.period);
    let law = json!({ "@id": subject.legal_basis.uri });
    let distributions: Vec<Value> = files.iter().map(|file| distribution(subject, &api, file)).collect();
    let languages: Vec<Value> = ["KAZ", "RUS", "ENG"].map(|code| authority("language", code)).into();
    json!({
        "@context": context(),
        "@id": api,
        "@type": "dcat:Dataset",
        "dct:identifier": format!("{}/v{version}", subject.name()),
        "dct:title": tagged(&texts::title(subject)),
        "dct:description": tagged(&texts::description(subject)),
        "dcat:keyword": keywords(subject),
        "dcat:version": format!("v{version}"),
        "dct:issued": instant(subject),
        "dct:modified": instant(subject),
        "dct:language": languages,
        "dct:publisher": {
            "@type": "foaf:Agent",
            "foaf:name": tagged(&texts::publisher()),
        },
        "dcat:contactPoint": contact(subject),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": { "@type": "xsd:date", "@value": first.to_string() },
            "dcat:endDate": { "@type": "xsd:date", "@value": last.to_string() },
        },
        "dct:spatial": authority("country", "KAZ"),
        "dcat:theme": authority("data-theme", "JUST"),
        "dct:accrualPeriodicity": authority("frequency", match subject.periodicity {
            Periodicity::Monthly => "MONTHLY",
            Periodicity::Quarterly => "QUARTERLY",
        }),
        "dct:accessRights": authority("access-right", "PUBLIC"),
        "dcatap:applicableLegislation": law,
        "spdx:checksum": checksum(subject.content_sha256),
        "dcat:distribution": distributions,
    })
}

fn context() -> Value {
    json!({
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcatap": "http://data.europa.eu/r5r/",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "spdx": "http://spdx.org/rdf/terms#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

fn distribution(subject: &Subject, api: &str, file: &FileEntry) -> Value {
    let extension = file.path.rsplit('.').next().unwrap_or_default().to_uppercase();
    json!({
        "@id": format!("{api}#{}", file.path),
        "@type": "dcat:Distribution",
        "dct:title": file.path,
        "dcat:accessURL": { "@id": api },
        "dct:format": authority("file-type", &extension),
        "dcat:mediaType": { "@id": format!("https://www.iana.org/assignments/media-types/{}", file.media_type) },
        "dcat:byteSize": { "@type": "xsd:nonNegativeInteger", "@value": file.size_bytes.to_string() },
        "dct:issued": instant(subject),
        "dcatap:availability": { "@id": "http://publications.europa.eu/resource/authority/planned-availability/STABLE" },
        "dcatap:applicableLegislation": { "@id": subject.legal_basis.uri },
        "spdx:checksum": checksum(file.sha256),
    })
}

fn checksum(sha256: [u8; 32]) -> Value {
    json!({
        "@type": "spdx:Checksum",
        "spdx:algorithm": { "@id": "spdx:checksumAlgorithm_sha256" },
        "spdx:checksumValue": { "@type": "xsd:hexBinary", "@value": hex::encode(sha256) },
    })
}

fn contact(subject: &Subject) -> Value {
    let (contact, publisher) = (&subject.contact, texts::publisher());
    let name = if contact.name.is_empty() {
        &publisher.en
    } else {
        &contact.name
    };
    let mut card = json!({ "@type": "vcard:Organization", "vcard:fn": name });
    if !subject.unit.is_empty() {
        card["vcard:organization-unit"] = json!(subject.unit);
    }
    if !contact.email.is_empty() {
        card["vcard:hasEmail"] = json!({ "@id": format!("mailto:{}", contact.email) });
    }
    if !contact.phone.is_empty() {
        card["vcard:hasTelephone"] = json!({ "@id": format!("tel:{}", contact.phone.replace(' ', "")) });
    }
    card
}

fn instant(subject: &Subject) -> Value {
    json!({ "@type": "xsd:dateTime", "@value": subject.sealed_at.to_string() })
}

fn authority(table: &str, code: &str) -> Value {
    json!({ "@id": format!("http://publications.europa.eu/resource/authority/{table}/{code}") })
}

/// A text in each language that has one.
fn tagged(text: &LocalizedText) -> Value {
    let languages = [("kk", &text.kk), ("ru", &text.ru), ("en", &text.en)].into_iter();
    let tagged = languages.filter(|(_, text)| !text.is_empty());
    tagged
        .map(|(language, text)| json!({ "@language": language, "@value": text }))
        .collect()
}

fn keywords(subject: &Subject) -> Value {
    let of_language = ["kk", "ru", "en"].into_iter().zip(texts::keywords(subject));
    let words = of_language.flat_map(|(language, words)| {
        let tag = move |word: String| json!({ "@language": language, "@value": word });
        words.into_iter().map(tag).collect::<Vec<_>>()
    });
    words.collect()
}
