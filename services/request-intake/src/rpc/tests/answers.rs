//! An answer from its draft to its dispatch.

use legalstat_answer_document::{Outcome, Point, SignatureChecked, verify};
use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::requests::v1::{
    self as proto, AnswerFormat, AnswerSignatureVerdict, ApproveAnswerRequest, DispatchMeans, DownloadAnswerRequest,
    DraftAnswerRequest, ItemMeaning, ItemProvision, OfficialCapacity, RecordDispatchRequest, RequestState,
    UpdateAnswerRequest, Verb,
};
use tonic::Code;

use super::{
    answer_calls::{
        ANOTHERS, UNTOLD, approval, approve, dispatch, dispatch_of, download, draft, draft_of, id, item, read,
        registered, update,
    },
    held::{INDICATOR, RESTRICTED},
    stage::{Client, Stage, get},
};

#[tokio::test]
async fn a_draft_has_the_figures_asked_for_with_totals_and_sources_and_tells_what_is_missing() {
    let stage = Stage::set().await;
    let before = registered(&stage, vec![item(INDICATOR, &["11", "15"])]).await;
    let mut operator = stage.client("operator");
    let message = draft_of(&before);
    let drafted = draft(&mut operator, message.clone()).await.expect("it is drafted");
    let told: Vec<(&str, &str, &str, i32)> = drafted.items[0]
        .figures
        .iter()
        .map(|one| {
            let territory = one.territory.as_ref().map_or("", |territory| territory.code.as_str());
            (one.period.as_str(), territory, one.value.as_str(), one.parts)
        })
        .collect();
    let expected = [
        ("2025-Q1", "11", "10", 0),
        ("2025-Q1", "15", "20", 0),
        ("2025-Q2", "11", "30", 0),
        ("2025-Q2", "15", "", 0),
        ("2025-Q1", "", "30", 2),
        ("2025-Q2", "", "30", 2),
    ];
    assert_eq!(told, expected);
    let first = &drafted.items[0].figures[0];
    assert_eq!(
        first
            .territory
            .as_ref()
            .and_then(|named| named.title.clone())
            .expect("named")
            .ru,
        "Region 11 ru"
    );
    assert_eq!(
        first
            .indicator
            .as_ref()
            .and_then(|named| named.title.clone())
            .expect("named")
            .kk,
        "Registered crimes kk"
    );
    assert_eq!(drafted.items[0].provision(), ItemProvision::PartlyProvided);
    let reasons: Vec<&str> = drafted.items[0]
        .not_provided
        .iter()
        .map(|reason| reason.word.as_str())
        .collect();
    assert_eq!(reasons, ["NO_FIGURES", "SUPPRESSED"]);
    let missing = drafted.items[0].not_provided[0].text.as_ref().expect("it is told");
    assert!(
        missing.en.ends_with("2025-Q3 11, 2025-Q3 15, 2025-Q4 11, 2025-Q4 15"),
        "{}",
        missing.en
    );
    let editions: Vec<&str> = drafted.sources.iter().map(|source| source.edition.as_str()).collect();
    assert_eq!(editions, ["forms/2/editions/2025-Q1", "forms/2/editions/2025-Q2"]);
    assert_eq!(drafted.sources[0].content_sha256, "ab".repeat(32));
    assert_eq!(drafted.sources[0].address, "https://stat.example/2");
    assert!(!drafted.appeal.is_empty() && drafted.appeal[0].legal_basis.is_some());
    assert_eq!((drafted.version, drafted.drafted_by.as_str()), (1, "operator"));

    let after = get(&mut operator, &before.name).await.expect("it is there");
    assert_eq!(after.state(), RequestState::InPreparation);
    assert_eq!(after.decisions[0].verb(), Verb::DraftAnswer);
    assert_eq!(after.etag, drafted.etag);
    let again = draft(&mut operator, message).await.expect("it was answered");
    assert_eq!(again, drafted);
    let events = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.answer_drafted'";
    assert_eq!(stage.count(events).await, 1);
}

#[tokio::test]
async fn restricted_information_is_left_out_with_its_law_and_other_items_are_answered() {
    let stage = Stage::set().await;
    let items = vec![
        item(RESTRICTED, &[]),
        item("", &[]),
        item("forms/2/indicators/7.7", &[]),
        item(INDICATOR, &["11"]),
    ];
    let asked = registered(&stage, items).await;
    let mut operator = stage.client("operator");
    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    let words: Vec<&str> = drafted
        .items
        .iter()
        .map(|item| item.not_provided[0].word.as_str())
        .collect();
    assert_eq!(words, ["RESTRICTED", "UNMATCHED", "NOT_REGISTERED", "NO_FIGURES"]);
    assert!(drafted.items[0].figures.is_empty());
    let law = drafted.items[0].not_provided[0]
        .legal_basis
        .as_ref()
        .expect("it has one");
    assert_eq!(
        (law.act.as_str(), law.provision.as_str()),
        ("Code 350-VI", "art. 45(4)")
    );

    let meant = DraftAnswerRequest {
        meanings: vec![ItemMeaning {
            item: 1,
            indicator: INDICATOR.into(),
        }],
        ..draft_of(&asked)
    };
    let again = draft(&mut operator, meant).await.expect("it is drafted anew");
    assert_eq!(again.version, 2);
    assert_eq!(again.items[1].figures.len(), 1, "{:?}", again.items[1]);
}

#[tokio::test]
async fn without_the_form_registry_nothing_is_drafted_and_nothing_changes() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    stage.fakes.set_away(true);
    let answer = draft(&mut stage.client("operator"), draft_of(&asked)).await;
    refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    assert_eq!(stage.count("SELECT count(*) FROM requests.answer").await, 0);
    let stands = get(&mut stage.client("operator"), &asked.name)
        .await
        .expect("it is there");
    assert_eq!(stands.state(), RequestState::Registered);
}

#[tokio::test]
async fn an_edit_is_a_version_of_its_own_and_of_two_officials_the_second_reads_again() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let (mut one, mut other) = (stage.client("operator"), stage.client("operator"));
    let drafted = draft(&mut one, draft_of(&asked)).await.expect("it is drafted");
    let mut edited = drafted.clone();
    edited.opening = "Құрметті әріптестер".into();
    edited.items[0].figures[0].value = "11".into();
    edited.items[0].not_provided.clear();
    let (mine, yours) = tokio::join!(update(&mut one, &edited), update(&mut other, &edited));
    assert!(mine.is_ok() != yours.is_ok(), "{mine:?} {yours:?}");
    let kept = mine.clone().or(yours.clone()).expect("one of them");
    refused(mine.and(yours), Code::Aborted, "ETAG_MISMATCH");
    assert_eq!((kept.version, kept.opening.as_str()), (2, "Құрметті әріптестер"));
    let figures = &kept.items[0].figures;
    assert!(figures[0].by_hand && figures[0].edition.is_empty());
    assert!(!figures[1].by_hand && figures[1].edition == "forms/2/editions/2025-Q2");
    assert_eq!(kept.items[0].provision(), ItemProvision::Provided);
    assert_ne!(kept.sha256, drafted.sha256);
    assert_eq!(stage.count("SELECT count(*) FROM requests.answer").await, 2);

    let mut wrong = kept.clone();
    wrong.etag = String::new();
    wrong.items[0].figures[0].value = "=1+1".into();
    wrong.items[0].figures[0].period = "January".into();
    wrong.items[0].figures[0].status = "ok".into();
    wrong.items[0].remark = "12\u{202e}34".into();
    wrong.items[0].not_provided.push(proto::AnswerReason::default());
    let named = [
        ("etag", "REQUIRED"),
        ("answer.items[0].remark", "DIRECTION"),
        ("answer.items[0].not_provided[0].text", "REQUIRED"),
        ("answer.items[0].not_provided[0].legal_basis.act", "REQUIRED"),
        ("answer.items[0].figures[0].value", "DECIMAL"),
        ("answer.items[0].figures[0].status", "STATUS"),
        ("answer.items[0].figures[0].period", "PERIOD"),
    ];
    assert_eq!(violations(update(&mut one, &wrong).await), pairs(&named));
    let mut fewer = kept.clone();
    fewer.items.clear();
    assert_eq!(
        violations(update(&mut one, &fewer).await),
        pairs(&[("answer.items", "CONTRADICTION")])
    );
}

#[tokio::test]
async fn who_drafted_or_edited_does_not_approve_and_a_signature_over_something_else_is_refused() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let mut approver = stage.client("approver");
    let drafted = draft(&mut stage.client("operator"), draft_of(&asked))
        .await
        .expect("it is drafted");
    let answer = approve(&mut approver, approval(&drafted, ANOTHERS)).await;
    assert_eq!(violations(answer), pairs(&[("signature", "SIGNATURE")]));
    let answer = approve(&mut approver, approval(&drafted, b"no signature")).await;
    assert_eq!(violations(answer), pairs(&[("signature", "SIGNATURE")]));
    // Another copy of the answer would stay when this one is erased.
    let enclosing = crate::signature::tests::enclosing(UNTOLD, drafted.sha256.as_bytes());
    let answer = approve(&mut approver, approval(&drafted, &enclosing)).await;
    assert_eq!(violations(answer), pairs(&[("signature", "CONFLICT")]));
    let other = ApproveAnswerRequest {
        sha256: "00".repeat(32),
        ..approval(&drafted, UNTOLD)
    };
    refused(approve(&mut approver, other).await, Code::Aborted, "ETAG_MISMATCH");
    let nothing = ApproveAnswerRequest {
        name: drafted.name.trim_end_matches("/answer").into(),
        request_id: id(),
        ..Default::default()
    };
    let named = [
        ("sha256", "REQUIRED"),
        ("capacity", "REQUIRED"),
        ("signature", "REQUIRED"),
    ];
    assert_eq!(violations(approve(&mut approver, nothing).await), pairs(&named));

    // Whose certificate says that he is both is still one person.
    stage
        .execute("UPDATE requests.answer SET written_by = 'approver'")
        .await;
    let answer = approve(&mut approver, approval(&drafted, UNTOLD)).await;
    refused(answer, Code::FailedPrecondition, "SAME_PERSON");
    assert_eq!(stage.count("SELECT count(*) FROM requests.answer_approval").await, 0);
}

#[tokio::test]
async fn the_database_lets_nobody_approve_what_he_wrote() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    draft(&mut stage.client("operator"), draft_of(&asked))
        .await
        .expect("it is drafted");
    let approving = "INSERT INTO requests.answer_approval
        SELECT request, version, 'operator', 'HEAD', now(), '\\x30', 'VALID', '' FROM requests.answer";
    let refused = sqlx::query(approving)
        .execute(&mut stage.running.superuser().await)
        .await;
    let refused = refused
        .expect_err("it is his own")
        .into_database_error()
        .expect("the database refuses");
    assert_eq!(refused.constraint(), Some("answer_approval_by_another"));
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_told_as_a_repeat_and_leaves_version_and_approval() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let mut operator = stage.client("operator");
    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    let edited = update(&mut operator, &drafted).await.expect("it is edited");
    assert_ne!(
        edited.version, drafted.version,
        "who edits first is named by a version of its own"
    );
    let approved = approve(&mut stage.client("approver"), approval(&edited, UNTOLD)).await;
    let approved = approved.expect("it is approved");
    let again = update(&mut operator, &approved).await.expect("it is so already");
    assert_eq!(again, approved, "the approval stands for the same words");
    let otherwise = proto::Answer {
        opening: "otherwise".into(),
        ..again
    };
    let otherwise = update(&mut operator, &otherwise).await.expect("it is edited");
    assert_eq!(otherwise.version, approved.version + 1);
    for (count, expected) in [
        ("outbox_event WHERE kind = 'request.answer_edited'", 2),
        ("outbox_event WHERE kind = 'request.answer_edit_repeated'", 1),
        (
            "journal_entry WHERE outcome = 'REPEATED' AND method LIKE '%/UpdateAnswer'",
            1,
        ),
        ("decision WHERE verb = 'UPDATE_ANSWER'", 2),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM requests.{count}"));
        let counted: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut stage.running.superuser().await)
            .await
            .expect("it counts");
        assert_eq!(counted, expected, "{count}");
    }
}

#[tokio::test]
async fn an_answer_goes_from_its_draft_to_its_dispatch_and_only_that_meets_the_term() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11", "15"])]).await;
    let (mut operator, mut approver, mut edms) =
        (stage.client("operator"), stage.client("approver"), stage.client("edms"));
    refused(read(&mut operator, &asked).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    refused(read(&mut edms, &asked).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    let early = dispatch(&mut operator, dispatch_of(&drafted)).await;
    refused(early, Code::FailedPrecondition, "ANSWER_NOT_APPROVED");

    let (file, canonical) = download(&mut approver, &asked.name, AnswerFormat::CanonicalJson).await;
    assert_eq!(
        (file.answer_sha256.as_str(), file.sha256.as_str()),
        (drafted.sha256.as_str(), drafted.sha256.as_str())
    );
    assert_eq!(legalstat_answer_document::digest(&canonical), drafted.sha256);
    let approved = approve(&mut approver, approval(&drafted, UNTOLD))
        .await
        .expect("it is approved");
    let told = approved.approval.as_ref().expect("it is approved");
    assert_eq!(
        (told.approved_by.as_str(), told.capacity()),
        ("approver", OfficialCapacity::Deputy)
    );
    assert_eq!(told.verdict(), AnswerSignatureVerdict::Unsupported);
    assert!(!told.signer.is_empty(), "why nothing can be said of it");
    let stands = get(&mut operator, &asked.name).await.expect("it is there");
    assert_eq!(stands.state(), RequestState::InPreparation);

    // An edit after the approval is another version, which nobody has approved.
    let edited = update(&mut operator, &approved).await.expect("it is edited");
    assert!(edited.approval.is_none());
    let unapproved = dispatch(&mut operator, dispatch_of(&edited)).await;
    refused(unapproved, Code::FailedPrecondition, "ANSWER_NOT_APPROVED");
    let approved = approve(&mut approver, approval(&edited, UNTOLD))
        .await
        .expect("it is approved");

    let at = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    for (time, reason) in [(4_000_000_000, "IN_FUTURE"), (1_700_000_000, "OUT_OF_RANGE")] {
        let wrong = RecordDispatchRequest {
            dispatch_time: at(time),
            ..dispatch_of(&approved)
        };
        assert_eq!(
            violations(dispatch(&mut operator, wrong).await),
            pairs(&[("dispatch_time", reason)])
        );
    }
    let message = dispatch_of(&approved);
    let answered = dispatch(&mut operator, message.clone())
        .await
        .expect("it is dispatched");
    let told = answered.dispatch.as_ref().expect("it is recorded");
    assert_eq!(
        (told.means(), told.proof.as_str()),
        (DispatchMeans::Post, "registered letter 17")
    );
    let stands = get(&mut edms, &asked.name).await.expect("it is there");
    assert_eq!(stands.state(), RequestState::Answered);
    assert_eq!(
        dispatch(&mut operator, message).await.expect("it was answered"),
        answered
    );
    refused(
        dispatch(&mut operator, dispatch_of(&approved)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    refused(
        update(&mut operator, &answered).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    let told = read(&mut edms, &asked).await.expect("who brought it reads it now");
    assert_eq!(told, answered);
    refused(
        read(&mut stage.client("kadagalau"), &asked).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    for (kind, count) in [
        ("answer_drafted", 1),
        ("answer_edited", 1),
        ("answer_approved", 2),
        ("answered", 1),
    ] {
        let events: i64 =
            sqlx::query_scalar("SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.' || $1")
                .bind(kind)
                .fetch_one(&mut stage.running.superuser().await)
                .await
                .expect("it counts");
        assert_eq!(events, count, "{kind}");
    }
    documents(&mut edms, &asked.name, &answered.sha256).await;
}

/// Every document of a dispatched answer carries its digest and shows what it carries.
async fn documents(client: &mut Client, name: &str, sha256: &str) {
    let taken = |_: &[u8], _: &[u8]| SignatureChecked {
        outcome: Outcome::Proved,
        text: String::new(),
    };
    for (format, ending) in [
        (AnswerFormat::Pdf, ".pdf"),
        (AnswerFormat::Xlsx, ".xlsx"),
        (AnswerFormat::Json, ".json"),
    ] {
        let (file, content) = download(client, name, format).await;
        assert!(file.filename.ends_with(ending), "{}", file.filename);
        assert_eq!(file.size_bytes, i64::try_from(content.len()).expect("not so many"));
        assert_eq!(
            (file.sha256, file.answer_sha256.as_str()),
            (legalstat_answer_document::digest(&content), sha256)
        );
        let verified = verify(&content, &taken);
        assert!(verified.is_proved(), "{format:?}: {:?}", verified.findings);
        assert_eq!(verified.outcome(Point::Shown), Some(Outcome::Proved));
        assert_eq!(verified.sha256, sha256);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_question_about_an_answer_is_told_at_once() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let wrong = DraftAnswerRequest {
        language: 7,
        meanings: vec![
            ItemMeaning {
                item: -1,
                indicator: "1.1".into(),
            },
            ItemMeaning {
                item: 0,
                indicator: INDICATOR.into(),
            },
            ItemMeaning {
                item: 0,
                indicator: INDICATOR.into(),
            },
        ],
        ..DraftAnswerRequest::default()
    };
    let named = [
        ("language", "ENUM"),
        ("meanings[0].indicator", "RESOURCE_NAME"),
        ("meanings[0].item", "OUT_OF_RANGE"),
        ("meanings[2].item", "DUPLICATE"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(draft(&mut operator, wrong).await), pairs(&named));
    let answer = operator.download_answer(DownloadAnswerRequest::default()).await;
    assert_eq!(
        violations(answer),
        pairs(&[("name", "RESOURCE_NAME"), ("format", "REQUIRED")])
    );
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let named = [
        ("etag", "REQUIRED"),
        ("answer.name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    let nothing = operator.update_answer(UpdateAnswerRequest::default()).await;
    assert_eq!(violations(nothing), pairs(&named));
    let beyond = DraftAnswerRequest {
        meanings: vec![ItemMeaning {
            item: 5,
            indicator: INDICATOR.into(),
        }],
        ..draft_of(&asked)
    };
    assert_eq!(
        violations(draft(&mut operator, beyond).await),
        pairs(&[("meanings", "OUT_OF_RANGE")])
    );
    let dispatched = dispatch(
        &mut operator,
        RecordDispatchRequest {
            name: asked.name.clone(),
            request_id: id(),
            ..Default::default()
        },
    )
    .await;
    assert_eq!(
        violations(dispatched),
        pairs(&[("means", "REQUIRED"), ("sha256", "REQUIRED"), ("proof", "REQUIRED")])
    );
}
