//! Requests with a signed original.

use jiff::Timestamp;
use legalstat_local::testing::{
    harness::Running,
    refusals::{pairs, violations},
};
use legalstat_proto::requests::v1::{
    self as proto, Attachment, AttachmentKind as Kind, CheckOutcome, CheckRule, DownloadAttachmentRequest,
    RequestState, SignatureOutcome, UploadAttachmentHeader, download_attachment_response::Part,
};

use super::{
    attachments::{CONTENT, LATER, PDF, header, signature, upload, uploaded, with},
    stage::{Client, Stage, get, outcome, request, submission, submit},
};
use crate::{SERVICE, signature::tests as samples};

/// A stage whose operator trusts the authority of the fixtures, after they were signed.
async fn trusting() -> Stage {
    let folder = samples::folder().display().to_string();
    Stage::set_on(&[("LEGALSTAT_SIGNATURE_TRUST", &folder)], async |settings| {
        let now: Timestamp = LATER.parse().expect("an instant");
        Running::start(&SERVICE, settings, move || now).await
    })
    .await
}

/// How the check of a request with these attachments comes out, and what it says.
async fn checked(client: &mut Client, attachments: &[&Attachment]) -> (CheckOutcome, String, proto::Request) {
    let accepted = submit(client, submission(with(request(), attachments)))
        .await
        .expect("it is accepted");
    let checks = &accepted.examination.as_ref().expect("it was examined").checks;
    let check = checks.iter().find(|check| check.rule() == CheckRule::Signature);
    let text = check
        .and_then(|check| check.text.as_ref())
        .expect("it says something")
        .en
        .clone();
    (outcome(&accepted, CheckRule::Signature), text, accepted)
}

#[tokio::test]
async fn a_valid_signature_passes_and_says_who_signed() {
    let stage = trusting().await;
    let mut edms = stage.client("edms");
    let container = include_bytes!("../../signature/fixtures/enclosing_stream.p7s");
    let original = uploaded(&mut edms, Kind::SignedOriginal, "request.p7m", container).await;
    assert_eq!(original.content_type, "application/pkcs7-mime");
    let verdict = original.signature.clone().expect("it is a container");
    assert_eq!((verdict.outcome(), verdict.reason), (SignatureOutcome::Valid, None));
    let signer = &verdict.signers[0];
    assert_eq!(signer.name, "Есенова Айгүл Қуанышқызы");
    assert_eq!(signer.authorities, ["CN=Test authority", "CN=Test root"]);
    assert_eq!(signer.algorithm, "ECDSA with SHA-256");
    assert!(signer.sign_time.is_some() && signer.revocations_time.is_some() && signer.certificate_sha256.len() == 64);
    let (passed, _, accepted) = checked(&mut edms, &[&original]).await;
    assert_eq!(passed, CheckOutcome::Passed);
    assert_eq!(get(&mut edms, &accepted.name).await.expect("it is there"), accepted);

    // The same of a signature beside the document.
    let document = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    assert_eq!(document.signature, None);
    let beside = signature(&mut edms, &document, include_bytes!("../../signature/fixtures/rsa.p7s")).await;
    assert_eq!(beside.signs, document.name);
    assert_eq!(
        beside.signature.clone().expect("it was verified").outcome(),
        SignatureOutcome::Valid
    );
    assert_eq!(checked(&mut edms, &[&beside, &document]).await.0, CheckOutcome::Passed);
}

/// Why a signature is not valid, as a download in Russian describes it: in Kazakh, Russian and English.
async fn told_in_russian(client: &mut Client, file: &Attachment) -> [String; 3] {
    let request = DownloadAttachmentRequest {
        name: file.name.clone(),
        languages: vec!["ru".into()],
        ..Default::default()
    };
    let download = client
        .download_attachment(request)
        .await
        .expect("it is the caller's own");
    let first = download
        .into_inner()
        .message()
        .await
        .expect("it comes")
        .expect("it is described");
    let Some(Part::File(described)) = first.part else {
        panic!("the first message describes the file")
    };
    let reason = described
        .signature
        .and_then(|verdict| verdict.reason)
        .expect("it says why");
    [reason.kk, reason.ru, reason.en]
}

#[tokio::test]
async fn a_signature_that_is_not_valid_is_kept_and_proposed_to_an_official_with_its_reason() {
    let stage = trusting().await;
    let mut edms = stage.client("edms");
    for (container, said) in [
        (
            include_bytes!("../../signature/fixtures/revoked.p7s").as_slice(),
            "was revoked",
        ),
        (include_bytes!("../../signature/fixtures/stranger.p7s"), "trusted"),
        (b"0\x82 this is no container at all", "cannot be read"),
    ] {
        let document = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
        let beside = signature(&mut edms, &document, container).await;
        let verdict = beside.signature.clone().expect("it was verified");
        assert_eq!(
            (verdict.outcome(), verdict.signers.len()),
            (SignatureOutcome::NotValid, 0)
        );
        let reason = verdict.reason.expect("it says why");
        assert!(
            reason.en.contains(said) && !reason.kk.is_empty() && !reason.ru.is_empty(),
            "{reason:?}"
        );
        assert_eq!(told_in_russian(&mut edms, &beside).await, ["", &reason.ru, ""]);
        let (proposed, text, accepted) = checked(&mut edms, &[&document, &beside]).await;
        assert_eq!(
            (proposed, accepted.state()),
            (CheckOutcome::Proposed, RequestState::Registered)
        );
        assert!(text.contains("is not valid") && text.contains(said), "{text}");
    }
    let document = uploaded(&mut edms, Kind::SignedOriginal, "request.pdf", PDF).await;
    let (proposed, text, _) = checked(&mut edms, &[&document]).await;
    assert_eq!(proposed, CheckOutcome::Proposed);
    assert!(text.contains("encloses no signature"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_verified_is_undetermined_and_never_valid() {
    let stage = trusting().await;
    let mut edms = stage.client("edms");
    let document = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let beside = signature(&mut edms, &document, &samples::gost()).await;
    assert_eq!(
        beside.signature.clone().expect("it was verified").outcome(),
        SignatureOutcome::Unsupported
    );
    let (undetermined, text, accepted) = checked(&mut edms, &[&document, &beside]).await;
    assert_eq!(
        (undetermined, accepted.state()),
        (CheckOutcome::Undetermined, RequestState::Registered)
    );
    assert!(text.contains("unsupported: GOST 34.310-2004"), "{text}");

    // Where nobody is trusted nothing is said of who signed.
    let stage = Stage::set_on(&[], async |settings| {
        let now: Timestamp = LATER.parse().expect("an instant");
        Running::start(&SERVICE, settings, move || now).await
    });
    let stage = stage.await;
    let mut edms = stage.client("edms");
    let document = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let beside = signature(&mut edms, &document, include_bytes!("../../signature/fixtures/rsa.p7s")).await;
    assert_eq!(
        beside.signature.clone().expect("it was verified").outcome(),
        SignatureOutcome::NobodyTrusted
    );
    assert_eq!(
        checked(&mut edms, &[&document, &beside]).await.0,
        CheckOutcome::Undetermined
    );
}

#[tokio::test]
async fn a_signature_comes_with_its_original_and_a_request_has_one_of_each() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let document = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let second = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let beside = signature(&mut edms, &document, include_bytes!("../../signature/fixtures/rsa.p7s")).await;
    for attachments in [&[&beside][..], &[&document, &second], &[&second, &beside]] {
        let told = violations(submit(&mut edms, submission(with(request(), attachments))).await);
        assert_eq!(told, pairs(&[("request.attachments", "CONFLICT")]));
    }
    let of_another = UploadAttachmentHeader {
        signs: uploaded(&mut edms, Kind::Attachment, "a.txt", b"a").await.name,
        ..header(Kind::Signature, "a.p7s")
    };
    let told = violations(upload(&mut edms, &of_another, CONTENT).await);
    assert_eq!(told, pairs(&[("header.signs", "CONFLICT")]));
    submit(&mut edms, submission(with(request(), &[&document, &beside])))
        .await
        .expect("it is accepted");
}

/// Reads a request until its check of the signature comes out so.
async fn until_checked(client: &mut Client, name: &str, expected: CheckOutcome) -> proto::Request {
    loop {
        let stands = get(client, name).await.expect("it is there");
        if outcome(&stands, CheckRule::Signature) == expected {
            return stands;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_signed_later_is_checked_again_and_keeps_number_and_due_date() {
    let stage = trusting().await;
    let mut edms = stage.client("edms");
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(outcome(&accepted, CheckRule::Signature), CheckOutcome::NotApplicable);
    let to_it = |kind, filename, signs: &str| UploadAttachmentHeader {
        request: accepted.name.clone(),
        signs: signs.into(),
        ..header(kind, filename)
    };
    let original = upload(&mut edms, &to_it(Kind::SignedOriginal, "request.txt", ""), CONTENT).await;
    let original = original.expect("it is added");
    until_checked(&mut edms, &accepted.name, CheckOutcome::Proposed).await;
    let beside = to_it(Kind::Signature, "request.p7s", &original.name);
    let signature = include_bytes!("../../signature/fixtures/rsa.p7s");
    upload(&mut edms, &beside, signature).await.expect("it is added");
    let stands = until_checked(&mut edms, &accepted.name, CheckOutcome::Passed).await;
    assert_eq!(stands.state(), RequestState::Registered);
    assert_eq!(
        (&stands.registration_number, &stands.due_date),
        (&accepted.registration_number, &accepted.due_date)
    );
    assert_eq!(
        stage.count("SELECT count(*) FROM requests.earlier_examination").await,
        2
    );

    // A file that signs nothing changes nothing of what was found.
    let other = to_it(Kind::Attachment, "a.txt", "");
    upload(&mut edms, &other, b"a").await.expect("it is added");
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.request WHERE examination_pending")
            .await,
        0
    );
}
