use legalstat_proto::collections::v1::{ContentManifest, ManifestFile};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use legalstat_proto::collections::v1::Succession;

use super::*;

const COPY: &str = "collections/crime/editions/2026-Q3/copies/25";

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

fn key(id: &str, pair: &Ed25519KeyPair) -> SigningKey {
    SigningKey {
        id: id.into(),
        public_key: pair.public_key().as_ref().to_vec(),
        ..Default::default()
    }
}

fn recipient_key(pair: &Ed25519KeyPair) -> RecipientKey {
    RecipientKey {
        name: "recipients/supreme-court/signingKeys/a".into(),
        public_key: pair.public_key().as_ref().to_vec(),
        ..Default::default()
    }
}

/// A proof, signed anew after `change`: what a service would sign.
fn proof(change: impl FnOnce(&mut DeliveryProof)) -> DeliveryProof {
    let (service, recipient) = (pair(1), pair(2));
    let statement = CopyStatement {
        format: statement::FORMAT.into(),
        copy: COPY.into(),
        number: 25,
        ordinal: 25,
        copies_total: 33,
        revision: 1,
        recipient: "recipients/supreme-court".into(),
        content_sha256: hex::encode([7; 32]),
        sending_body: "bodies/committee".into(),
        issued_at: Some(Default::default()),
        official_use: None,
    };
    let bytes = statements::of_copy(&statement).expect("it has a text");
    let copy_sha256 = hex::encode(wire::sha256(&bytes));
    let said = ReceiptStatement {
        format: statements::RECEIPT_FORMAT.into(),
        copy: COPY.into(),
        copy_sha256: copy_sha256.clone(),
        content_sha256: statement.content_sha256.clone(),
        recipient: statement.recipient.clone(),
        received_at: Some(Default::default()),
    };
    let received = statements::of_receipt(&said).expect("it has a text");
    let mut proof = DeliveryProof {
        format: FORMAT.into(),
        copy: COPY.into(),
        proved_at: Some(Default::default()),
        state: CopyState::Received.into(),
        copy_sha256,
        copy_key: "one".into(),
        copy_signature: service.sign(&bytes).as_ref().to_vec(),
        receipt: Some(Receipt {
            statement: Some(said),
            signing_key: "recipients/supreme-court/signingKeys/a".into(),
            signature: recipient.sign(&received).as_ref().to_vec(),
            ..Default::default()
        }),
        recipient_key: Some(recipient_key(&recipient)),
        statement: Some(statement),
        signing_keys: vec![key("one", &service)],
        key: "one".into(),
        ..Default::default()
    };
    change(&mut proof);
    proof.signature = service.sign(&signed(&proof).expect("it has a text")).as_ref().to_vec();
    proof
}

fn outcomes(proof: &DeliveryProof) -> Vec<(Point, Outcome)> {
    let keys = [key("one", &pair(1))];
    let findings = verify(proof, Some(&keys), Some(&hex::encode([7; 32]))).expect("it has a text");
    assert_eq!(
        is_proved(&findings),
        findings.iter().all(|finding| finding.outcome == Outcome::Proved)
    );
    findings
        .into_iter()
        .map(|finding| (finding.point, finding.outcome))
        .collect()
}

fn outcome(proof: &DeliveryProof, point: Point) -> Outcome {
    let all = outcomes(proof);
    all.into_iter().find(|(of, _)| *of == point).expect("it is told").1
}

#[test]
fn a_whole_proof_proves_each_of_its_points() {
    assert!(
        outcomes(&proof(|_| ()))
            .iter()
            .all(|(_, outcome)| *outcome == Outcome::Proved)
    );
}

#[test]
fn another_recipient_in_every_part_refutes_each_of_them() {
    let mut changed = proof(|_| ());
    let other = "recipients/supreme-curia";
    changed.statement.as_mut().expect("it has one").recipient = other.into();
    let receipt = changed.receipt.as_mut().expect("it has one");
    receipt.statement.as_mut().expect("it has one").recipient = other.into();
    for point in [Point::Proof, Point::Issue, Point::Receipt] {
        assert_eq!(outcome(&changed, point), Outcome::Refuted, "{point:?}");
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refuted_though_the_service_signed_the_whole() {
    let other_copy = proof(|proof| proof.statement.as_mut().expect("it has one").number = 26);
    assert_eq!(outcome(&other_copy, Point::Proof), Outcome::Proved);
    assert_eq!(outcome(&other_copy, Point::Issue), Outcome::Refuted);
    let other_digest = proof(|proof| {
        let receipt = proof.receipt.as_mut().expect("it has one");
        receipt.statement.as_mut().expect("it has one").content_sha256 = hex::encode([8; 32]);
    });
    assert_eq!(outcome(&other_digest, Point::Receipt), Outcome::Refuted);
    let other_key = proof(|proof| proof.recipient_key = Some(recipient_key(&pair(3))));
    assert_eq!(outcome(&other_key, Point::Receipt), Outcome::Refuted);
    let without_key = proof(|proof| proof.recipient_key = None);
    assert_eq!(outcome(&without_key, Point::Receipt), Outcome::Refuted);
    let without_receipt = proof(|proof| proof.receipt = None);
    assert_eq!(outcome(&without_receipt, Point::Receipt), Outcome::Refuted);
}

#[test]
fn what_nobody_signed_is_said_not_to_be_proved() {
    let by_certificate = proof(|proof| {
        proof.recipient_key = None;
        let receipt = proof.receipt.as_mut().expect("it has one");
        receipt.signing_key.clear();
        receipt.signature.clear();
    });
    assert_eq!(outcome(&by_certificate, Point::Receipt), Outcome::NotProved);
    let waiting = proof(|proof| {
        proof.receipt = None;
        proof.state = CopyState::Issued.into();
    });
    assert_eq!(outcome(&waiting, Point::Receipt), Outcome::NotProved);
    let earlier = proof(|proof| proof.statement = None);
    assert_eq!(outcome(&earlier, Point::Issue), Outcome::NotProved);
}

#[test]
fn keys_are_trusted_only_where_the_verifier_knew_them() {
    let proof = proof(|_| ());
    let told = |keys: Option<&[SigningKey]>| {
        let findings = verify(&proof, keys, None).expect("it has a text");
        let keys = findings.iter().find(|finding| finding.point == Point::Keys);
        (keys.expect("it is told").outcome, is_proved(&findings))
    };
    assert_eq!(told(None), (Outcome::NotProved, false));
    assert_eq!(told(Some(&[key("one", &pair(1))])), (Outcome::Proved, true));
    assert_eq!(told(Some(&[key("one", &pair(9))])), (Outcome::Refuted, false));
    assert_eq!(told(Some(&[])), (Outcome::Refuted, false));
}

#[test]
fn a_successors_key_proves_a_receipt_only_where_the_successions_lead_to_it_from_the_recipient() {
    let heir = "recipients/constitutional-court";
    let step = |recipient: &str, successor: &str| Succession {
        recipient: recipient.into(),
        successor: successor.into(),
        ..Default::default()
    };
    let signed_by_heir = |successor: &str, successions: Vec<Succession>| {
        proof(|proof| {
            let name = format!("{heir}/signingKeys/a");
            let receipt = proof.receipt.as_mut().expect("it has one");
            receipt.signing_key.clone_from(&name);
            receipt.successor = successor.into();
            proof.recipient_key.as_mut().expect("it has one").name = name;
            proof.successions = successions;
        })
    };
    let (court, between) = ("recipients/supreme-court", "recipients/high-court");
    for (successor, successions, expected) in [
        (heir, vec![step(court, heir)], Outcome::Proved),
        (heir, vec![step(court, between), step(between, heir)], Outcome::Proved),
        (heir, vec![step(between, heir)], Outcome::Refuted),
        (heir, vec![step(court, between)], Outcome::Refuted),
        (heir, Vec::new(), Outcome::Refuted),
        ("", vec![step(court, heir)], Outcome::Refuted),
        (between, vec![step(court, between)], Outcome::Refuted),
    ] {
        let told = outcome(&signed_by_heir(successor, successions.clone()), Point::Receipt);
        assert_eq!(told, expected, "{successor} by {successions:?}");
    }
}

#[test]
fn a_strangers_key_proves_no_receipt() {
    let stranger = pair(9);
    let signed_by = |name: &str, resign: bool| {
        let change = |proof: &mut DeliveryProof| {
            let receipt = proof.receipt.as_mut().expect("it has one");
            let said = receipt.statement.as_ref().expect("it says something");
            let bytes = statements::of_receipt(said).expect("it has a text");
            receipt.signature = stranger.sign(&bytes).as_ref().to_vec();
            receipt.signing_key = name.into();
            proof.recipient_key = Some(RecipientKey {
                name: name.into(),
                ..recipient_key(&stranger)
            });
        };
        if resign {
            return proof(change);
        }
        let mut changed = proof(|_| ());
        change(&mut changed);
        changed
    };
    let another = signed_by("recipients/senate/signingKeys/a", true);
    assert_eq!(outcome(&another, Point::Receipt), Outcome::Refuted);
    let slipped_in = signed_by("recipients/supreme-court/signingKeys/a", false);
    assert_eq!(outcome(&slipped_in, Point::Proof), Outcome::Refuted);
    assert_eq!(outcome(&slipped_in, Point::Receipt), Outcome::NotProved);
    let expired = proof(|proof| {
        let key = proof.recipient_key.as_mut().expect("it has one");
        key.valid_to = Some(Timestamp::default());
    });
    assert_eq!(outcome(&expired, Point::Receipt), Outcome::Refuted);
}

fn manifest(files: &[(&str, u8)]) -> ContentManifest {
    let files = files.iter().map(|(filename, byte)| ManifestFile {
        filename: (*filename).into(),
        content_type: "application/pdf".into(),
        size_bytes: 1,
        sha256: hex::encode([*byte; 32]),
        language: String::new(),
    });
    ContentManifest {
        format: "legalstat-content/1".into(),
        files: files.collect(),
    }
}

/// A proof of a copy with this content, whose statement is signed anew.
fn of_content(content_sha256: &str, manifest: ContentManifest) -> DeliveryProof {
    proof(|proof| {
        let statement = proof.statement.as_mut().expect("it has one");
        statement.content_sha256 = content_sha256.into();
        let bytes = statements::of_copy(statement).expect("it has a text");
        proof.copy_sha256 = hex::encode(wire::sha256(&bytes));
        proof.copy_signature = pair(1).sign(&bytes).as_ref().to_vec();
        (proof.receipt, proof.recipient_key) = (None, None);
        proof.manifest = Some(manifest);
    })
}

#[test]
fn a_file_is_held_against_the_manifest_and_the_manifest_against_the_statement() {
    // The file at hand has the digest of sevens.
    let (with_it, without) = (manifest(&[("a", 7), ("b", 8)]), manifest(&[("a", 6), ("b", 8)]));
    let sha256 = |manifest: &ContentManifest| statements::content_sha256(manifest).expect("it has files");
    for (content_sha256, manifest, expected) in [
        (sha256(&with_it), with_it.clone(), Outcome::Proved),
        (sha256(&without), without, Outcome::Refuted),
        (hex::encode([7; 32]), with_it.clone(), Outcome::Refuted),
        (sha256(&manifest(&[("a", 7), ("c", 8)])), with_it, Outcome::Refuted),
    ] {
        let proof = of_content(&content_sha256, manifest);
        assert_eq!(outcome(&proof, Point::Issue), Outcome::Proved);
        assert_eq!(outcome(&proof, Point::Content), expected);
    }
}

#[test]
fn a_manifest_that_is_none_is_refuted() {
    let sound = manifest(&[("a", 7), ("b", 8)]);
    let sha256 = statements::content_sha256(&sound).expect("it has files");
    let unlike: [fn(&mut ContentManifest); 3] = [
        |manifest| manifest.files.reverse(),
        |manifest| manifest.files.clear(),
        |manifest| manifest.format = "legalstat-content/2".into(),
    ];
    for change in unlike {
        let mut changed = sound.clone();
        change(&mut changed);
        assert!(statements::content_sha256(&changed).is_err());
        assert_eq!(outcome(&of_content(&sha256, changed), Point::Content), Outcome::Refuted);
    }
}
