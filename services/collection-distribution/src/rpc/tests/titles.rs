//! What collections are called, in which language and from which day on.

use legalstat_proto::{
    collections::v1::{Collection, GetCollectionRequest, ListCollectionsRequest, UpdateCollectionRequest},
    common::v1 as common,
};
use prost_types::FieldMask;

use super::{recipients::day, *};

const COURTS: &str = "collections/courts";

fn titled(kk: &str, ru: &str) -> Collection {
    Collection {
        name: COURTS.into(),
        title: Some(common::LocalizedText {
            kk: kk.into(),
            ru: ru.into(),
            en: String::new(),
        }),
        ..Default::default()
    }
}

fn updating(collection: Collection, paths: &[&str], from: Option<common::Date>) -> UpdateCollectionRequest {
    UpdateCollectionRequest {
        collection: Some(collection),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        effective_from: from,
        reason: "the official title".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

impl Distribution {
    async fn title(&self, as_of: Option<common::Date>) -> (String, String, String) {
        let name = COURTS.to_owned();
        let found = self
            .client(None)
            .get_collection(GetCollectionRequest {
                name,
                as_of,
                languages: Vec::new(),
            })
            .await;
        let title = found.expect("it is public").into_inner().title.unwrap_or_default();
        let request = ListCollectionsRequest {
            as_of,
            ..Default::default()
        };
        let listed = self.client(None).list_collections(request).await.expect("it is public");
        let listed = listed
            .into_inner()
            .collections
            .into_iter()
            .find(|listed| listed.name == COURTS);
        assert_eq!(listed.and_then(|listed| listed.title), Some(title.clone()));
        (title.kk, title.ru, title.en)
    }

    async fn retitle(&self, message: UpdateCollectionRequest) -> Result<Collection, Status> {
        let updated = self.administrator().update_collection(message).await;
        updated.map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_title_is_entered_in_the_languages_that_lack_it_and_is_another_from_a_day_on() {
    let distribution = Distribution::without_calendar().await;
    let (.., loaded) = distribution.title(None).await;
    let message = updating(titled("Соттар", "О судах"), &["title.kk", "title.ru"], None);
    let entered = distribution.retitle(message.clone()).await.expect("it is entered");
    assert_eq!(
        distribution.retitle(message).await.expect("it is a repetition"),
        entered
    );
    let whole = ("Соттар".to_owned(), "О судах".to_owned(), loaded.clone());
    assert_eq!(distribution.title(day(2019, 4, 15)).await, whole);
    let renamed = updating(titled("", "О работе судов"), &["title.ru"], day(2024, 1, 1));
    let renamed = distribution.retitle(renamed).await.expect("it is otherwise then");
    assert_eq!(distribution.title(day(2023, 12, 31)).await, whole);
    let later = ("Соттар".to_owned(), "О работе судов".to_owned(), loaded);
    assert_eq!(distribution.title(None).await, later);
    let same = updating(titled("", "О работе судов"), &["title.ru"], None);
    assert_eq!(distribution.retitle(same).await.expect("it is so already"), renamed);
    let stale = Collection {
        etag: entered.etag,
        ..titled("", "Суды")
    };
    let stale = distribution.retitle(updating(stale, &["title.ru"], None)).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let corrected = distribution
        .retitle(updating(titled("", "Суды"), &["title.ru"], None))
        .await;
    corrected.expect("it was recorded wrong");
    assert_eq!(distribution.title(day(2024, 1, 1)).await.1, "Суды");
    let counting = "SELECT count(*) FROM collections.collection_title WHERE superseded_at IS NULL";
    assert_eq!(distribution.count(counting).await, 2);
    let events = "SELECT count(*) FROM collections.outbox_event WHERE kind LIKE 'collection.update%'";
    assert_eq!(distribution.count(events).await, 4);
}

#[tokio::test]
async fn a_title_that_cannot_be_is_refused_with_every_reason() {
    let distribution = Distribution::without_calendar().await;
    let wrong = UpdateCollectionRequest {
        collection: Some(Collection {
            name: "courts".into(),
            ..titled(&"х".repeat(501), "")
        }),
        reason: String::new(),
        request_id: String::new(),
        ..updating(titled("", ""), &["due_day"], day(2025, 2, 30))
    };
    let mut found = violations(distribution.retitle(wrong).await);
    found.sort();
    let expected = [
        ("collection.name", "RESOURCE_NAME"),
        ("collection.title.kk", "TOO_LONG"),
        ("effective_from", "DATE"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
        ("update_mask", "UNKNOWN"),
    ];
    assert_eq!(found, pairs(&expected));
    let none = distribution.retitle(updating(titled("", ""), &["title"], None)).await;
    assert_eq!(violations(none), pairs(&[("collection.title", "REQUIRED")]));
    let early = distribution
        .retitle(updating(titled("", "Суды"), &["title.ru"], day(2019, 4, 14)))
        .await;
    assert_eq!(violations(early), pairs(&[("effective_from", "OUT_OF_RANGE")]));
    let message = updating(titled("", "Суды"), &["title.ru"], None);
    let refusal = distribution.operator().update_collection(message).await;
    refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
}
