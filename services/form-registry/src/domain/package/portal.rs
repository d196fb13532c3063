//! `metadata.json`: what data.egov.kz asks for of a data set, with typed fields that are labelled in three languages.

use legalstat_kit::law::LocalizedText;
use serde_json::{Value, json};

use super::{FileEntry, FileKind, Parts, Subject, schema::column_label, texts};

pub(super) fn metadata(subject: &Subject, version: i32, files: &[FileEntry]) -> Value {
    let (title, description, publisher) = (texts::title(subject), texts::description(subject), texts::publisher());
    let [kk, ru, en] = texts::keywords(subject);
    let ids: Vec<String> = subject
        .dimensions
        .iter()
        .map(|dimension| dimension.id.clone())
        .collect();
    let heads = Parts::heads(&ids);
    let fields: Vec<Value> = heads
        .iter()
        .map(|head| field(head, &column_label(subject, head)))
        .collect();
    json!({
        "apiUri": subject.name(),
        "version": format!("v{version}"),
        "nameKk": title.kk, "nameRu": title.ru, "nameEn": title.en,
        "descriptionKk": description.kk, "descriptionRu": description.ru, "descriptionEn": description.en,
        "keywordsKk": kk, "keywordsRu": ru, "keywordsEn": en,
        "ownerKk": publisher.kk, "ownerRu": publisher.ru, "ownerEn": publisher.en,
        "responsible": {
            "unit": subject.unit,
            "fullName": subject.contact.name,
            "email": subject.contact.email,
            "phone": subject.contact.phone,
        },
        "createdAt": subject.sealed_at.to_string(),
        "contentSha256": hex::encode(subject.content_sha256),
        "fields": fields,
        "files": files.iter().map(|file| json!({
            "path": file.path,
            "format": file.path.rsplit('.').next().unwrap_or_default().to_uppercase(),
            "sizeBytes": file.size_bytes,
            "sha256": hex::encode(file.sha256),
            "holdsFigures": matches!(file.kind, FileKind::Figures { .. }),
        })).collect::<Vec<_>>(),
    })
}

fn field(name: &str, label: &LocalizedText) -> Value {
    let is_value = name == "value";
    json!({
        "name": name,
        "type": if is_value { "number" } else { "string" },
        "format": if is_value { "decimal" } else { "default" },
        "primaryKey": !is_value && name != "status",
        "labelKk": label.kk, "labelRu": label.ru, "labelEn": label.en,
    })
}
