//! `datapackage.json`, by Frictionless Data Package, version 2 (<https://datapackage.org/standard/data-package/>).

use legalstat_kit::law::LocalizedText;
use serde_json::{Value, json};

use super::{FileEntry, FileKind, LeftOut, Parts, Subject, texts};

pub(super) fn datapackage(subject: &Subject, version: i32, files: &[FileEntry], left_out: &[LeftOut]) -> Value {
    let title = texts::title(subject);
    let description = texts::description(subject);
    let resources: Vec<Value> = files.iter().map(|file| resource(subject, file)).collect();
    let law = &subject.legal_basis;
    let publisher = texts::publisher();
    json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": subject.name(),
        "title": texts::some(&title),
        "titles": languages(&title),
        "description": description.en,
        "descriptions": languages(&description),
        "version": format!("{version}.0.0"),
        "created": subject.sealed_at.to_string(),
        "keywords": texts::keywords(subject).concat(),
        "sources": [{
            "title": format!("{}, {}", law.act, law.provision),
            "path": law.uri,
        }],
        "contributors": [{ "title": publisher.en, "roles": ["publisher"] }],
        "edition": subject.edition.to_string(),
        "revision": subject.revision,
        "portalVersion": format!("v{version}"),
        "contentSha256": hex::encode(subject.content_sha256),
        "leftOut": left_out.iter().map(|file| json!({
            "filename": file.filename,
            "bytes": file.size_bytes,
            "hash": format!("sha256:{}", hex::encode(file.sha256)),
        })).collect::<Vec<_>>(),
        "resources": resources,
    })
}

fn resource(subject: &Subject, file: &FileEntry) -> Value {
    let (stem, extension) = file.path.rsplit_once('.').unwrap_or((&file.path, ""));
    let mut resource = json!({
        "name": format!("{stem}-{extension}").replace(['/', '_', '.'], "-").to_lowercase(),
        "path": file.path,
        "format": extension,
        "mediatype": file.media_type,
        "bytes": file.size_bytes,
        "hash": format!("sha256:{}", hex::encode(file.sha256)),
    });
    match &file.kind {
        FileKind::Figures { territories } => {
            if extension == "json" {
                // Frictionless's own program counts no bytes of a table in JSON, and would take the number for a fault.
                resource.as_object_mut().and_then(|fields| fields.remove("bytes"));
            }
            resource["type"] = json!("table");
            resource["encoding"] = json!("utf-8");
            resource["territories"] = json!(territories);
            resource["schema"] = figures(subject);
        }
        FileKind::Indicators => {
            resource["type"] = json!("table");
            resource["encoding"] = json!("utf-8");
            let heads = ["indicator", "unit", "measure", "title_kk", "title_ru", "title_en"];
            resource["schema"] = strings(&heads, &["indicator"]);
        }
        FileKind::Codes => {
            resource["type"] = json!("table");
            resource["encoding"] = json!("utf-8");
            resource["schema"] = strings(&["list", "code", "title_kk", "title_ru", "title_en"], &["list", "code"]);
        }
        FileKind::Uploaded { filename, language } => {
            resource["title"] = json!(filename);
            resource["language"] = json!(language);
        }
        FileKind::Description => {}
    }
    resource
}

/// The table schema of the figures.
fn figures(subject: &Subject) -> Value {
    let ids: Vec<String> = subject
        .dimensions
        .iter()
        .map(|dimension| dimension.id.clone())
        .collect();
    let heads = Parts::heads(&ids);
    let fields: Vec<Value> = heads
        .iter()
        .map(|head| field(head, &column_label(subject, head), head != "value"))
        .collect();
    let key: Vec<&String> = heads
        .iter()
        .filter(|head| !["value", "status"].contains(&head.as_str()))
        .collect();
    json!({
        "fields": fields,
        "primaryKey": key,
        "missingValues": [""],
    })
}

/// A table of texts.
fn strings(heads: &[&str], key: &[&str]) -> Value {
    let fields: Vec<Value> = heads
        .iter()
        .map(|head| field(head, &texts::label(head), key.contains(head)))
        .collect();
    json!({ "fields": fields, "primaryKey": key, "missingValues": [""] })
}

fn field(name: &str, label: &LocalizedText, required: bool) -> Value {
    let kind = if name == "value" { "number" } else { "string" };
    let mut field = json!({
        "name": name,
        "type": kind,
        "title": texts::some(label),
        "titles": languages(label),
    });
    if required {
        field["constraints"] = json!({ "required": true });
    }
    field
}

/// What a column is called in each language.
pub(super) fn column_label(subject: &Subject, head: &str) -> LocalizedText {
    let dimension = subject
        .dimensions
        .iter()
        .find(|dimension| dimension.id.to_lowercase() == head);
    dimension.map_or_else(|| texts::label(head), |dimension| dimension.title.clone())
}

fn languages(text: &LocalizedText) -> Value {
    json!({ "kk": text.kk, "ru": text.ru, "en": text.en })
}
