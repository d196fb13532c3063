//! Messages that are carried out, so that the fuzz also goes on from what succeeds. A method without one here is tried with
//! random messages alone.

use jiff::ToSpan as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::{Value, json};

use super::words::{happens, id, one_of};
use crate::{dice::Dice, submission::submission};

/// Methods that compute every due date anew: a few of them are enough.
const DEAR: [&str; 3] = ["CreateCalendarAct", "WithdrawCalendarAct", "PreviewRecompute"];

/// The messages of a call of this method, if some are known.
pub fn messages(path: &str, input: &MessageDescriptor, dice: &mut Dice) -> Option<Vec<DynamicMessage>> {
    if path.ends_with("/SubmitRequest") {
        let mut message = submission(&format!("fuzz-{}", id(dice).simple()));
        message.validate_only = happens(20, dice);
        return Some(vec![read(input, &message.encode_to_vec())]);
    }
    let messages = written(path, dice)?;
    let made = messages.into_iter().map(|message| match message["chunk"].as_str() {
        Some(content) => {
            let mut chunk = DynamicMessage::new(input.clone());
            let content = content.as_bytes().to_vec();
            chunk.set_field_by_name("chunk", prost_reflect::Value::Bytes(content.into()));
            chunk
        }
        None => DynamicMessage::deserialize(input.clone(), message).expect("it is a message of the method"),
    });
    Some(made.collect())
}

fn read(input: &MessageDescriptor, bytes: &[u8]) -> DynamicMessage {
    DynamicMessage::decode(input.clone(), bytes).expect("it is a message of the method")
}

fn written(path: &str, dice: &mut Dice) -> Option<Vec<Value>> {
    let method = path.rsplit('/').next().unwrap_or_default();
    if DEAR.contains(&method) && happens(92, dice) {
        return None;
    }
    // Few editions, so that one call goes on from another.
    let (year, quarter, month) = (2024, dice.up_to(4), dice.up_to(12));
    let form = format!("forms/{}/editions/{year}-M{month:02}", one_of(&[1, 4, 5, 7], dice));
    let collection = one_of(&["crime", "courts", "drugs"], dice);
    let edition = format!("collections/{collection}/editions/{year}-Q{quarter}");
    let (id, validate) = (id(dice).to_string(), happens(30, dice));
    let basis = json!({ "act": "Instruction", "provision": "para 13" });
    let content = hex::encode(legalstat_kit::door::wire::sha256(edition.as_bytes()));
    Some(match method {
        "UploadEditionFile" => upload(&form, "form.csv", &form, &id),
        "UploadEditionContent" => upload(&edition, "collection.pdf", &edition, &id),
        "PlaceEdition" => vec![
            json!({ "name": form, "channel": "CHANNEL_INFORMATION_SERVICE", "requestId": id,
                                       "validateOnly": validate }),
        ],
        "DeleteObservations" => vec![json!({ "name": form, "requestId": id, "validateOnly": validate })],
        "SealEdition" if path.contains("FormRegistry") => {
            vec![json!({ "name": form, "requestId": id, "validateOnly": validate })]
        }
        "CorrectEdition" | "WithdrawEdition" | "DeclareNilEdition" => {
            vec![json!({ "name": form, "reason": "a mistake", "requestId": id, "validateOnly": validate })]
        }
        "DeleteEditionFile" => {
            vec![json!({ "name": form, "filename": "form.csv", "requestId": id, "validateOnly": validate })]
        }
        "RemoveEditionFile" => {
            vec![json!({ "name": edition, "filename": "collection.pdf", "requestId": id, "validateOnly": validate })]
        }
        "MarkEdition" => vec![
            json!({ "name": edition, "officialUse": { "copies": 33, "reason": "a reason" }, "requestId": id,
                    "validateOnly": validate }),
        ],
        "SetEmbargo" if path.contains("CollectionDistribution") => {
            vec![json!({ "name": edition, "requestId": id, "validateOnly": validate })]
        }
        "SealEdition" => vec![json!({ "name": edition, "sha256": content, "requestId": id, "validateOnly": validate })],
        "ReleaseEdition" => vec![json!({ "name": edition, "requestId": id, "validateOnly": validate })],
        "DownloadCopy" => vec![json!({ "name": format!("{edition}/copies/{}", dice.up_to(33)) })],
        "ConfirmReceipt" => vec![
            json!({ "name": format!("{edition}/copies/{}", dice.up_to(33)), "sha256": content,
                                         "requestId": id, "validateOnly": validate }),
        ],
        "CreateCalendarAct" => vec![json!({ "calendarAct": act(dice), "requestId": id,
                                            "validateOnly": happens(80, dice) })],
        "WithdrawCalendarAct" => vec![json!({ "name": act(dice)["name"], "requestId": id,
                                              "validateOnly": happens(50, dice) })],
        "PreviewRecompute" => vec![json!({ "calendarAct": act(dice) })],
        "ComputeDeadline" => vec![
            json!({ "obligation": { "period": format!("{year}-Q{quarter}"), "dueDay": 14,
            "rollForward": true, "legalBasis": basis, "rollForwardBasis": basis } }),
        ],
        _ => return None,
    })
}

/// A chunk is written here as its text.
fn upload(name: &str, filename: &str, content: &str, id: &str) -> Vec<Value> {
    let header = json!({ "name": name, "filename": filename, "contentType": "text/csv", "requestId": id });
    vec![json!({ "header": header }), json!({ "chunk": content })]
}

/// An order that moves a day off from a Friday of 2027 or later to the Saturday after it.
fn act(dice: &mut Dice) -> Value {
    let week = i64::try_from(dice.up_to(400)).expect("it is small");
    let friday = jiff::civil::date(2027, 1, 8) + (7 * week).days();
    let saturday = friday + 1.day();
    let wire = |day: jiff::civil::Date| json!({ "year": day.year(), "month": day.month(), "day": day.day() });
    json!({ "name": format!("calendarActs/fuzz-{week}"), "kind": "CALENDAR_ACT_KIND_ORDER",
            "citation": format!("Order No. {week}"), "uri": "https://adilet.zan.kz/rus/docs/ORDER",
            "grade": "GRADE_ACT_READ", "transfers": [{ "workingDay": wire(saturday), "dayOff": wire(friday) }] })
}
