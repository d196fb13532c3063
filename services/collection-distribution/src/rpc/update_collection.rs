//! UpdateCollection.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    law::LocalizedText,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::collections::v1::{self as proto, UpdateCollectionRequest};

use super::{
    CollectionDistribution, convert, door,
    recipients::{self, REASON},
};
use crate::{
    db::{collection_title, recipient_detail::Recorded},
    domain::{
        collection::{self, Collection, Title},
        key,
    },
};

/// The fields that can change.
const PATHS: [&str; 4] = ["title", "title.kk", "title.ru", "title.en"];
const TITLE: usize = 500;

pub(super) async fn update_collection(
    service: &CollectionDistribution,
    call: Call,
    message: UpdateCollectionRequest,
) -> Result<proto::Collection, Error> {
    let mut violations = Violations::new();
    let given = message.collection.clone().unwrap_or_default();
    let id = door::resource(&mut violations, "collection.name", &given.name, key::parse_collection);
    let paths = message.update_mask.clone().unwrap_or_default().paths;
    if paths.is_empty() {
        violations.add("update_mask", FieldReason::Required, "required: the fields that change");
    }
    for path in paths.iter().filter(|path| !PATHS.contains(&path.as_str())) {
        let shown: String = path.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
        violations.add("update_mask", FieldReason::Unknown, format!("{shown:?} cannot change"));
    }
    let text = title(&mut violations, &given);
    let from = recipients::day(&mut violations, "effective_from", message.effective_from.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let id = violations.sound(id)?;
    let mutation = Mutation::of(
        &call,
        &key::collection(&id),
        request_id,
        message.validate_only,
        &message,
    );
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let (name, done) = (key::collection(&id), call.done(write.now()));
            let connection = write.connection();
            let collection = door::find_collection(connection, &id).await?;
            require_sent(&collection, from)?;
            let titles = collection_title::of(connection, &[&collection]).await?;
            let titles: Vec<Title> = titles.into_iter().map(|(_, title)| title).collect();
            let today = zone::civil_day(done.at);
            let stands = collection::title_on(&titles, from.unwrap_or(today)).ok_or_else(|| Refusal::changed(&name))?;
            if !given.etag.is_empty() && given.etag != stands.number.to_string() {
                return Err(Refusal::changed(&name).into());
            }
            let text = edited(&stands.text, &text, &paths)?;
            if text == stands.text {
                let answer = convert::to_collection(collection, Some(stands));
                return Ok(Outcome::repeated(&name, "collection.update_repeated", answer));
            }
            let valid_from = from.unwrap_or(stands.valid_from);
            let is_new = valid_from != stands.valid_from || stands.number == 0;
            if !is_new && !collection_title::supersede(connection, stands.number, done.at).await? {
                return Err(Refusal::changed(&name).into());
            }
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            let mut made = Title {
                number: 0,
                text,
                valid_from,
            };
            let stored = collection_title::insert(connection, &id, &made, &recorded).await;
            made.number = stored.map_err(|failed| failure(failed, &name))?;
            Ok(Outcome::of(
                &name,
                "collection.updated",
                convert::to_collection(collection, Some(&made)),
            ))
        })
    })
    .await
}

fn title(violations: &mut Violations, given: &proto::Collection) -> LocalizedText {
    let given = given.title.clone().unwrap_or_default();
    let mut read =
        |language: &str, text: &str| violations.optional_name(&format!("collection.title.{language}"), text, TITLE);
    LocalizedText::new(read("kk", &given.kk), read("ru", &given.ru), read("en", &given.en))
}

fn require_sent(collection: &Collection, from: Option<Date>) -> Result<(), Error> {
    let first = collection.duty.valid_from;
    if from.is_none_or(|from| first <= from) {
        return Ok(());
    }
    let description = format!("not before the collection is sent, from {first} on");
    Err(Violations::one("effective_from", FieldReason::OutOfRange, &description).into())
}

/// The title with the languages of the mask as they are given.
fn edited(stands: &LocalizedText, given: &LocalizedText, paths: &[String]) -> Result<LocalizedText, Error> {
    let has = |path: &str| paths.iter().any(|named| named == "title" || named == path);
    let mut title = stands.clone();
    if has("title.kk") {
        title.kk.clone_from(&given.kk);
    }
    if has("title.ru") {
        title.ru.clone_from(&given.ru);
    }
    if has("title.en") {
        title.en.clone_from(&given.en);
    }
    if title.kk.is_empty() && title.ru.is_empty() && title.en.is_empty() {
        return Err(Violations::one("collection.title", FieldReason::Required, "one language at least").into());
    }
    Ok(title)
}

/// Another write for the same day came first.
fn failure(failed: sqlx::Error, name: &str) -> Error {
    match &failed {
        sqlx::Error::Database(database) if database.constraint() == Some("collection_title_day") => {
            Refusal::changed(name).into()
        }
        _ => failed.into(),
    }
}
