//! Recipients: who enters them, what is known of them on which day, and what they become.

use legalstat_proto::{
    collections::v1::{
        CreateRecipientRequest, DistributionList, GetDistributionListRequest, GetRecipientRequest,
        ListRecipientsRequest, Recipient, UpdateRecipientRequest,
    },
    common::v1 as common,
};
use prost_types::FieldMask;

use super::*;

pub(super) fn day(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

pub(super) fn law() -> Option<common::LegalBasis> {
    Some(common::LegalBasis {
        act: "Constitutional Law 153-VII".into(),
        provision: "art. 1".into(),
        ..Default::default()
    })
}

fn named(en: &str) -> Option<common::LocalizedText> {
    Some(common::LocalizedText {
        en: en.into(),
        ..Default::default()
    })
}

pub(super) fn court() -> Recipient {
    Recipient {
        name: "recipients/constitutional-court".into(),
        display_name: named("Constitutional Court"),
        column: 11,
        legal_basis: law(),
        valid_from: day(2023, 1, 1),
        certificate_name: "constitutional-court".into(),
        ..Default::default()
    }
}

pub(super) fn creating(recipient: Recipient) -> CreateRecipientRequest {
    CreateRecipientRequest {
        recipient: Some(recipient),
        reason: "by law".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

pub(super) fn updating(recipient: Recipient, paths: &[&str], from: Option<common::Date>) -> UpdateRecipientRequest {
    UpdateRecipientRequest {
        recipient: Some(recipient),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        effective_from: from,
        reason: "by law".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

pub(super) fn council() -> Recipient {
    Recipient {
        name: "recipients/constitutional-council".into(),
        ..Default::default()
    }
}

impl Distribution {
    pub(super) fn administrator(&self) -> Client {
        self.client(Some("administrator"))
    }

    pub(super) async fn update(&self, message: UpdateRecipientRequest) -> Result<Recipient, Status> {
        let updated = self.administrator().update_recipient(message).await;
        updated.map(tonic::Response::into_inner)
    }

    async fn recipient(&self, caller: Option<&str>, name: &str, as_of: Option<common::Date>) -> Recipient {
        let name = format!("recipients/{name}");
        let found = self
            .client(caller)
            .get_recipient(GetRecipientRequest {
                name,
                as_of,
                languages: Vec::new(),
            })
            .await;
        found.expect("it is known").into_inner()
    }

    pub(super) async fn list_of(&self, name: &str, as_of: Option<common::Date>) -> DistributionList {
        let name = format!("collections/{name}");
        let asked = GetDistributionListRequest { name, as_of };
        let list = self.client(None).get_distribution_list(asked).await;
        list.expect("it is public").into_inner()
    }
}

fn english(recipient: &Recipient) -> &str {
    recipient.display_name.as_ref().map_or("", |name| &name.en)
}

#[tokio::test]
async fn a_recipient_is_entered_once_and_its_certificate_is_for_officials_to_know() {
    let distribution = Distribution::without_calendar().await;
    let message = creating(Recipient {
        endpoint: "https://court.example:8443".into(),
        ..court()
    });
    let created = distribution.administrator().create_recipient(message.clone()).await;
    let created = created.expect("it is entered").into_inner();
    let again = distribution.administrator().create_recipient(message).await;
    assert_eq!(again.expect("it is a repetition").into_inner(), created);
    let second = distribution.administrator().create_recipient(creating(court())).await;
    refused(second, Code::AlreadyExists, "ALREADY_EXISTS");
    assert_eq!(
        distribution
            .recipient(Some("auditor"), "constitutional-court", None)
            .await,
        created
    );
    let hidden = distribution.recipient(None, "constitutional-court", None).await;
    assert_eq!((hidden.certificate_name.as_str(), hidden.endpoint.as_str()), ("", ""));
    assert_eq!(hidden.etag, created.etag);
    for caller in ["operator", "approver", "supreme-court"] {
        let refusal = distribution
            .client(Some(caller))
            .create_recipient(creating(court()))
            .await;
        refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
    }
    let told = "SELECT count(*) FROM collections.outbox_event
        WHERE kind = 'recipient.created' AND resource = 'recipients/constitutional-court'";
    assert_eq!(distribution.count(told).await, 1);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_recipient_is_told_at_once() {
    let distribution = Distribution::without_calendar().await;
    let wrong = Recipient {
        name: "recipients/Court".into(),
        display_name: None,
        column: 1,
        parent: "bodies/gpo".into(),
        legal_basis: None,
        valid_from: day(2026, 2, 30),
        valid_to: None,
        certificate_name: "a b".into(),
        endpoint: "http://court.example".into(),
        successor: "recipients/senate".into(),
        recorded_at: Some(prost_types::Timestamp::default()),
        etag: "7".into(),
    };
    let message = CreateRecipientRequest {
        reason: String::new(),
        request_id: "x".into(),
        ..creating(wrong)
    };
    let mut found = violations(distribution.administrator().create_recipient(message).await);
    found.sort();
    assert_eq!(
        found,
        pairs(&[
            ("reason", "REQUIRED"),
            ("recipient.certificate_name", "INVALID_CHARACTER"),
            ("recipient.column", "OUT_OF_RANGE"),
            ("recipient.display_name", "REQUIRED"),
            ("recipient.endpoint", "URI"),
            ("recipient.etag", "SET_BY_SERVICE"),
            ("recipient.legal_basis", "REQUIRED"),
            ("recipient.name", "RESOURCE_NAME"),
            ("recipient.parent", "RESOURCE_NAME"),
            ("recipient.recorded_at", "SET_BY_SERVICE"),
            ("recipient.successor", "CONFLICT"),
            ("recipient.valid_from", "DATE"),
            ("request_id", "REQUEST_ID"),
        ])
    );
}

#[tokio::test]
async fn a_recipient_of_the_register_has_another_name_from_a_day_on_and_its_own_before() {
    let distribution = Distribution::without_calendar().await;
    let loaded = distribution
        .recipient(Some("auditor"), "constitutional-council", None)
        .await;
    assert_eq!(
        (loaded.etag.as_str(), loaded.certificate_name.as_str()),
        ("0", "constitutional-council")
    );
    let renamed = Recipient {
        display_name: named("Constitutional Court"),
        ..council()
    };
    let from = updating(renamed.clone(), &["display_name.en"], day(2023, 1, 1));
    let updated = distribution.update(from.clone()).await.expect("it is otherwise then");
    assert_eq!(distribution.update(from).await.expect("it is a repetition"), updated);
    let name = "constitutional-council";
    for (on, expected) in [
        (day(2022, 12, 31), "Constitutional Council"),
        (day(2023, 1, 1), "Constitutional Court"),
        (None, "Constitutional Court"),
    ] {
        assert_eq!(
            english(&distribution.recipient(None, name, on).await),
            expected,
            "{on:?}"
        );
    }
    let stale = Recipient {
        etag: "0".into(),
        ..renamed.clone()
    };
    let stale = distribution.update(updating(stale, &["display_name"], None)).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let same = distribution.update(updating(renamed, &["display_name.en"], None)).await;
    assert_eq!(same.expect("it is so already"), updated);
    let events = "SELECT count(*) FROM collections.outbox_event WHERE kind LIKE 'recipient.update%'";
    assert_eq!(distribution.count(events).await, 2);
    let rows = "SELECT count(*) FROM collections.recipient_detail WHERE recipient = 'constitutional-council'";
    assert_eq!(distribution.count(rows).await, 2);
}

#[tokio::test]
async fn the_list_of_a_day_has_who_is_in_force_then_and_without_a_day_everyone_once() {
    let distribution = Distribution::without_calendar().await;
    distribution
        .administrator()
        .create_recipient(creating(court()))
        .await
        .expect("it is entered");
    let mut client = distribution.client(None);
    let mut listed = async |as_of, page_size| {
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListRecipientsRequest {
                page_size,
                page_token,
                as_of,
                languages: Vec::new(),
            };
            let page = client
                .list_recipients(request)
                .await
                .expect("it is public")
                .into_inner();
            names.extend(page.recipients.into_iter().map(|recipient| recipient.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return names;
            }
        }
    };
    let court = "recipients/constitutional-court".to_owned();
    assert_eq!(listed(day(2022, 12, 31), 7).await.len(), 24);
    let later = listed(day(2023, 1, 1), 7).await;
    assert_eq!((later.len(), later.contains(&court)), (25, true));
    assert_eq!(listed(None, 100).await, later);
    assert!(listed(day(2019, 4, 14), 7).await.is_empty());
}

#[tokio::test]
async fn a_body_that_gets_copies_ends_only_with_a_successor_which_gets_them_then() {
    let distribution = Distribution::without_calendar().await;
    distribution
        .administrator()
        .create_recipient(creating(court()))
        .await
        .expect("it is entered");
    let ending = Recipient {
        valid_to: day(2022, 12, 31),
        ..council()
    };
    let alone = distribution.update(updating(ending.clone(), &["valid_to"], None)).await;
    assert_eq!(violations(alone), pairs(&[("recipient.successor", "REQUIRED"); 6]));
    let unknown = Recipient {
        successor: "recipients/nobody".into(),
        ..ending.clone()
    };
    let unknown = distribution
        .update(updating(unknown, &["valid_to", "successor"], None))
        .await;
    assert_eq!(violations(unknown), pairs(&[("recipient.successor", "UNKNOWN")]));
    let succeeded = Recipient {
        successor: "recipients/constitutional-court".into(),
        ..ending
    };
    let succeeded = distribution
        .update(updating(succeeded, &["valid_to", "successor"], None))
        .await;
    succeeded.expect("the court gets its copies");
    for (on, expected) in [
        (day(2022, 12, 31), "recipients/constitutional-council"),
        (day(2023, 1, 1), "recipients/constitutional-court"),
    ] {
        let list = distribution.list_of("crime/distributionList", on).await;
        let cell = list
            .cells
            .iter()
            .find(|cell| cell.column == 11)
            .expect("the column is there");
        assert_eq!(cell.recipient, expected);
        assert_eq!(list.copies_total, 33);
    }
}

#[tokio::test]
async fn a_certificate_names_one_recipient_at_a_time() {
    let distribution = Distribution::without_calendar().await;
    let taken = Recipient {
        certificate_name: "senate".into(),
        ..court()
    };
    let refusal = distribution
        .administrator()
        .create_recipient(creating(taken.clone()))
        .await;
    assert_eq!(
        violations(refusal),
        pairs(&[("recipient.certificate_name", "DUPLICATE")])
    );
    let senate = Recipient {
        name: "recipients/senate".into(),
        certificate_name: "senate-2".into(),
        ..Default::default()
    };
    let rotated = updating(senate, &["certificate_name"], day(2023, 1, 1));
    distribution.update(rotated).await.expect("it has another from then on");
    distribution
        .administrator()
        .create_recipient(creating(taken))
        .await
        .expect("the name is free from then on");
}

#[tokio::test]
async fn two_changes_of_one_recipient_at_once_leave_one_row_at_a_time() {
    let distribution = Distribution::without_calendar().await;
    let change = |en: &str| {
        let recipient = Recipient {
            display_name: named(en),
            ..council()
        };
        distribution.update(updating(recipient, &["display_name.en"], day(2023, 1, 1)))
    };
    let (one, other) = tokio::join!(change("one"), change("other"));
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    for lost in [one, other].into_iter().filter_map(Result::err) {
        assert!([Code::AlreadyExists, Code::Aborted].contains(&lost.code()), "{lost:?}");
    }
    let overlapping = "SELECT count(*) FROM collections.recipient_detail a JOIN collections.recipient_detail b
        ON a.recipient = b.recipient AND a.number < b.number AND a.superseded_at IS NULL AND b.superseded_at IS NULL
        AND daterange(a.valid_from, a.valid_to, '[]') && daterange(b.valid_from, b.valid_to, '[]')";
    assert_eq!(distribution.count(overlapping).await, 0);
}
