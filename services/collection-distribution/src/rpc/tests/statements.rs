//! What the service says of each copy and signs.

use legalstat_proto::{
    collections::v1::{ListSigningKeysRequest, ListSigningKeysResponse},
    common::v1::SigningKey,
};

use super::*;
use crate::statements::verify;

async fn list_keys(client: &mut Client, request: ListSigningKeysRequest) -> Result<ListSigningKeysResponse, Status> {
    client.list_signing_keys(request).await.map(tonic::Response::into_inner)
}

pub(super) async fn keys(distribution: &Distribution) -> Vec<SigningKey> {
    let listed = list_keys(&mut distribution.client(None), Default::default()).await;
    listed.expect("anyone may ask").signing_keys
}

#[tokio::test]
async fn every_copy_of_a_release_is_signed_as_number_k_of_n_for_its_recipient() {
    let distribution = Distribution::start().await;
    let released = distribution.release_crime().await;
    assert_eq!(
        (released.revision, released.copies_issued, released.copies_total),
        (1, 33, 33)
    );
    let keys = keys(&distribution).await;
    let mut auditor = distribution.client(Some("auditor"));
    let mut digests = Vec::new();
    for (number, listed) in (1..).zip(distribution.copies("auditor").await) {
        assert_eq!(
            (listed.number, listed.ordinal, listed.copies_total),
            (number, number, 33)
        );
        assert_eq!((listed.revision, listed.sending_body.as_str()), (1, "bodies/committee"));
        assert_eq!(listed.statement, None, "a list has no statements");
        let full = get_copy(&mut auditor, &listed.name).await.expect("it is there");
        verify(&full, &keys).unwrap_or_else(|problem| panic!("{}: {problem}", full.name));
        let basic = Copy {
            statement: None,
            ..full.clone()
        };
        assert_eq!(basic, listed);
        digests.push(full.copy_sha256);
    }
    assert_eq!(digests.len(), 33);
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 33, "each copy has a digest of its own");
}

#[tokio::test]
async fn a_copy_of_which_anything_is_changed_is_not_proved() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let keys = keys(&distribution).await;
    let mut auditor = distribution.client(Some("auditor"));
    let copy = get_copy(&mut auditor, &format!("{CRIME}/copies/25"))
        .await
        .expect("it is there");
    verify(&copy, &keys).expect("it is signed");
    let forgeries: [fn(&mut Copy); 6] = [
        |copy| {
            copy.recipient = "recipients/senate".into();
            copy.statement.as_mut().expect("it has one").recipient = "recipients/senate".into();
        },
        |copy| copy.recipient = "recipients/senate".into(),
        |copy| copy.signature[0] ^= 1,
        |copy| copy.copy_sha256 = digest(b"other"),
        |copy| copy.statement.as_mut().expect("it has one").format = "legalstat-copy/2".into(),
        |copy| copy.statement = None,
    ];
    for (place, forge) in forgeries.into_iter().enumerate() {
        let mut forged = copy.clone();
        forge(&mut forged);
        assert!(verify(&forged, &keys).is_err(), "forgery {place}");
    }
    assert!(verify(&copy, &[]).is_err(), "no key is given");
}

#[tokio::test]
async fn a_recipient_sees_the_statement_of_its_own_copies_only() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let (mut court, mut senate) = (
        distribution.client(Some("supreme-court")),
        distribution.client(Some("senate")),
    );
    let name = format!("{CRIME}/copies/25");
    let own = get_copy(&mut court, &name).await.expect("it is its own");
    assert_eq!(
        own.statement.expect("it is told in full").recipient,
        "recipients/supreme-court"
    );
    for missing in [name.as_str(), "collections/crime/editions/2025-Q1/copies/34"] {
        let refusal = refused(
            get_copy(&mut senate, missing).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
        assert_eq!(refusal.message(), format!("there is no {missing}"));
    }
    let request = GetCopyRequest {
        name: name.clone(),
        view: 0,
    };
    let basic = court.get_copy(request).await.expect("it is its own").into_inner();
    assert_eq!(basic.statement, None);
    let faulty = GetCopyRequest {
        name: "copies/1".into(),
        view: 9,
    };
    let expected = [("name", "RESOURCE_NAME"), ("view", "ENUM")];
    assert_eq!(violations(court.get_copy(faulty).await), pairs(&expected));
}

#[tokio::test]
async fn the_keys_are_listed_to_everyone_page_by_page() {
    let distribution = Distribution::start().await;
    let mut stranger = distribution.client(None);
    let request = ListSigningKeysRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = list_keys(&mut stranger, request).await.expect("anyone may ask");
    assert_eq!((page.signing_keys.len(), page.next_page_token.as_str()), (1, ""));
    assert_eq!(page.signing_keys[0].public_key.len(), 32);
    let faulty = ListSigningKeysRequest {
        page_size: -1,
        ..Default::default()
    };
    assert_eq!(violations(list_keys(&mut stranger, faulty).await).len(), 1);
}
