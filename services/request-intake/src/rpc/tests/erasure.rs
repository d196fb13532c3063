//! What an erasure takes, what it leaves, and what whoever asks is told.

use std::{fs, path::Path, time::Duration};

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{
        self as proto, AttachmentKind as Kind, CorrectRequestRequest, EraseRequestRequest, GetRequestStatisticsRequest,
        RequestState, RequestStatistics, SubmitRequestRequest, UploadAttachmentHeader,
    },
};
use prost_types::FieldMask;
use tonic::Code;

use super::{
    answer_calls::{UNTOLD, approval, approve, dispatch, dispatch_of, draft, draft_of, id, item, update},
    attachments::{header, upload, uploaded, with},
    erased_columns::{self, column, dump},
    held::{Holdings, INDICATOR},
    retention::{approved_rule, rule},
    stage::{submission, submit_for_secret},
    verbs::{Desk, clarification, day, forwarding, leaving, person, question},
};

/// Stands in every free field; each field has one of its own behind it.
const MARK: &str = "zqmark";
const IIN: &str = "911003342906";
/// When the data of what ended on the day of the stage are due by a rule of thirty days.
pub(super) const DUE: &str = "2026-04-02T00:00:01+05:00";

fn mark(field: &str) -> String {
    format!("{MARK}{field}")
}

fn is_in(text: &str, marker: &str) -> bool {
    text.contains(marker) || text.contains(&hex::encode(marker))
}

fn law() -> common::LegalBasis {
    common::LegalBasis {
        act: "Order 7".into(),
        provision: "para 2".into(),
        ..Default::default()
    }
}

/// What lies in the folder: the names and contents of all files.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, fs::read(&path).expect("it is readable")));
        }
    }
    found
}

fn contents_with(folder: &Path, marker: &str) -> usize {
    let has = |content: &[u8]| content.windows(marker.len()).any(|part| part == marker.as_bytes());
    files(folder).iter().filter(|(_, content)| has(content)).count()
}

async fn statistics(desk: &Desk) -> RequestStatistics {
    let message = GetRequestStatisticsRequest {
        include_forms: true,
        received_from: day(2026, 3, 1),
        received_to: day(2026, 3, 31),
    };
    let counted = desk.stage.client("auditor").get_request_statistics(message).await;
    counted.expect("they are counted").into_inner()
}

pub(super) async fn until_erased(desk: &Desk, request: &proto::Request) -> proto::Request {
    desk.until(request, |now| now.erased.is_some()).await
}

/// A request of a person that went its whole way, with a marker in each free field; and the calls that began it.
pub(super) struct Planted {
    pub(super) request: proto::Request,
    pub(super) secret: String,
    pub(super) submitted: SubmitRequestRequest,
    pub(super) header: UploadAttachmentHeader,
    pub(super) content: Vec<u8>,
    pub(super) drafted: proto::DraftAnswerRequest,
}

fn marked_person() -> proto::Request {
    let mut asked = person();
    asked.requester = Some(proto::Requester {
        full_name: mark("name"),
        iin: IIN.into(),
        postal_address: mark("address"),
        ..asked.requester.unwrap_or_default()
    });
    asked.signatory.get_or_insert_default().full_name = mark("signatory");
    asked.external_number = mark("number");
    asked.sent_at = Some(prost_types::Timestamp {
        seconds: 1_772_420_000,
        nanos: 0,
    });
    asked.addressee = mark("addressee");
    asked.essence = mark("essence");
    asked.items = vec![item(INDICATOR, &["11"]), item(INDICATOR, &["15"])];
    asked.items[0].description = mark("item");
    asked
}

pub(super) async fn plant(desk: &Desk) -> Planted {
    *desk.stage.fakes.answers.holdings.lock().expect("no test panics here") = Holdings {
        figures: vec![("2025-Q1", "11", "10"), ("2025-Q1", "15", "20")],
        by_words: false,
    };
    let (mut operator, mut approver) = (desk.operator(), desk.approver());
    let content = format!("%PDF-1.7\n{}", mark("content")).into_bytes();
    let header = header(Kind::SignedOriginal, &format!("{}.pdf", mark("file")));
    let original = upload(&mut operator, &header, &content).await.expect("it is taken");
    let beside = format!("{} beside", mark("beside")).into_bytes();
    let beside = uploaded(&mut operator, Kind::Attachment, &mark("list.txt"), &beside).await;
    let submitted = submission(with(marked_person(), &[&original, &beside]));
    let answered = submit_for_secret(&mut operator, submitted.clone()).await;
    let answered = answered.expect("it is accepted");
    assert_eq!(answered.state(), RequestState::Registered, "{:?}", answered.examination);
    let mut asking = question(&answered, &["essence"]);
    asking.defects[0].text.get_or_insert_default().ru = mark("question");
    operator.ask_clarification(asking).await.expect("it is asked");
    let mut supplied = clarification(&answered, None);
    supplied.clarification = mark("supplied");
    operator.provide_clarification(supplied).await.expect("it is supplied");
    desk.until_state(&answered, RequestState::Registered).await;
    let corrected = CorrectRequestRequest {
        name: answered.name.clone(),
        request: Some(proto::Request {
            essence: mark("mended"),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["essence".into()],
        }),
        reason: mark("slip"),
        request_id: id(),
        ..Default::default()
    };
    operator.correct_request(corrected).await.expect("it is mended");
    let mut forwarded = forwarding(&answered, &[1]);
    (forwarded.to_body, forwarded.reason) = (mark("body"), mark("forward"));
    operator.forward_request(forwarded).await.expect("an item is forwarded");
    // The examination of what was mended would change the request under who drafts.
    let pending = "SELECT count(*) FROM requests.request WHERE examination_pending";
    let examined = async {
        while desk.stage.count(pending).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), examined)
        .await
        .expect("it is examined");
    let message = draft_of(&answered);
    let mut drafted = draft(&mut operator, message.clone()).await.expect("it is drafted");
    drafted.opening = mark("opening");
    let edited = update(&mut operator, &drafted).await.expect("it is edited");
    let approved = approve(&mut approver, approval(&edited, UNTOLD))
        .await
        .expect("it is approved");
    let mut dispatched = dispatch_of(&approved);
    dispatched.proof = mark("proof");
    dispatch(&mut operator, dispatched).await.expect("it is dispatched");
    let request = desk.get(&answered).await;
    assert_eq!(request.state(), RequestState::Answered);
    Planted {
        secret: answered.coupon.map(|coupon| coupon.secret).unwrap_or_default(),
        request,
        submitted,
        header,
        content,
        drafted: message,
    }
}

#[tokio::test]
async fn nothing_personal_is_left_of_an_erased_request_and_the_record_of_what_was_done_stays() {
    let desk = Desk::open().await;
    let running = &desk.stage.running;
    erased_columns::require_all_decided(running).await;
    let planted = plant(&desk).await;
    let other = desk.of_person().await;
    // As the release before stored it: with the answer inside.
    desk.stage
        .execute(
            "UPDATE requests.answer_approval p SET is_detached = false, signature = p.signature || a.canonical
             FROM requests.answer a WHERE (a.request, a.version) = (p.request, p.version)",
        )
        .await;
    let before = dump(running).await;
    for (table, name) in erased_columns::of_words() {
        let held = column(running, table, name).await;
        let held = is_in(&held, MARK) || held.contains(IIN);
        assert!(held, "nothing was written into {table}.{name}");
    }
    assert!(is_in(&before, &mark("name")) && is_in(&before, IIN));
    let folder = desk.stage.files.path();
    assert_eq!(contents_with(folder, MARK), 2);
    let counted = statistics(&desk).await;
    let entries = desk.stage.count("SELECT count(*) FROM requests.journal_entry").await;

    let rule = approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    let erased = until_erased(&desk, &planted.request).await;
    let after = dump(running).await;
    assert!(
        !is_in(&after, MARK),
        "{:?}",
        after.lines().find(|line| is_in(line, MARK))
    );
    assert!(!is_in(&after, IIN));
    let gone = async {
        while contents_with(folder, MARK) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(60), gone).await;
    gone.expect("the contents are removed");

    assert_eq!(statistics(&desk).await, counted);
    let kept = "SELECT count(*) FROM requests.journal_entry WHERE method <> 'jobs/erasure' AND method NOT LIKE '%RetentionRule'
                AND method <> 'jobs/warning'";
    assert_eq!(desk.stage.count(kept).await, entries);
    let noted = "SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/erasure' AND outcome = 'DONE'";
    assert_eq!(desk.stage.count(noted).await, 1);
    let events = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.erased'";
    assert_eq!(desk.stage.count(events).await, 1);
    let before = planted.request;
    assert_eq!(
        (
            &erased.name,
            erased.state(),
            &erased.registration_number,
            erased.due_date
        ),
        (
            &before.name,
            before.state(),
            &before.registration_number,
            before.due_date
        )
    );
    assert_eq!(erased.coupon, before.coupon);
    assert_eq!(erased.received_at, before.received_at);
    assert!(before.sent_at.is_some() && erased.sent_at.is_none());
    let decided = |request: &proto::Request| -> Vec<_> {
        let of = |one: &proto::Decision| {
            (
                one.verb,
                one.decided_by.clone(),
                one.decided_at,
                one.legal_basis.clone(),
            )
        };
        request.decisions.iter().map(of).collect()
    };
    assert_eq!(decided(&erased), decided(&before));
    let erasure = erased.erased.expect("it tells so");
    assert_eq!(erasure.retention_rule, rule.name);
    assert_eq!((erasure.attachments, erasure.answer_versions), (2, 2));
    let others = desk.get(&other).await;
    assert_eq!((others.essence, others.erased), (other.essence, None));
}

#[tokio::test]
async fn an_erasure_that_fails_leaves_everything_and_is_made_when_it_can_be() {
    let desk = Desk::open().await;
    let planted = plant(&desk).await;
    let running = &desk.stage.running;
    let order = EraseRequestRequest {
        name: planted.request.name.clone(),
        legal_basis: Some(law()),
        reason: "by order".into(),
        etag: planted.request.etag.clone(),
        request_id: id(),
        validate_only: false,
    };
    let mut administrator = desk.stage.client("administrator");
    administrator.erase_request(order.clone()).await.expect("it is ordered");
    given_by_another(&desk).await;
    let order = EraseRequestRequest {
        request_id: id(),
        ..order
    };
    let mut before = Vec::new();
    for (table, name) in erased_columns::of_words() {
        before.push(column(running, table, name).await);
    }
    desk.stage
        .execute(
            "CREATE FUNCTION requests.broken() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''something fails''; END'",
        )
        .await;
    desk.stage
        .execute(
            "CREATE TRIGGER broken BEFORE UPDATE ON requests.dispatch FOR EACH ROW EXECUTE FUNCTION requests.broken()",
        )
        .await;
    let failed = administrator.erase_request(order.clone()).await;
    assert_eq!(failed.expect_err("nothing is erased").code(), Code::Internal);
    for ((table, name), before) in erased_columns::of_words().zip(before) {
        assert_eq!(column(running, table, name).await, before, "{table}.{name}");
    }
    assert_eq!(desk.stage.count("SELECT count(*) FROM requests.erasure").await, 0);
    assert_eq!(contents_with(desk.stage.files.path(), MARK), 2);
    desk.stage.execute("DROP TRIGGER broken ON requests.dispatch").await;
    let erased = administrator
        .erase_request(order)
        .await
        .expect("it is erased")
        .into_inner();
    assert!(erased.erased.is_some() && erased.essence.is_empty(), "{erased:?}");
}

/// Makes the order that waits another administrator's: the stage has one.
async fn given_by_another(desk: &Desk) {
    desk.stage
        .execute("UPDATE requests.erasure_order SET ordered_by = 'another'")
        .await;
}

#[tokio::test]
async fn one_request_is_erased_by_an_order_of_two_that_names_its_law_and_what_was_read() {
    let desk = Desk::open().await;
    let open = desk.of_person().await;
    let mut administrator = desk.stage.client("administrator");
    let order = |request: &proto::Request| EraseRequestRequest {
        name: request.name.clone(),
        legal_basis: Some(law()),
        reason: "by the decision of a court".into(),
        etag: request.etag.clone(),
        request_id: id(),
        validate_only: false,
    };
    let refusal = administrator.erase_request(order(&open)).await;
    let refusal = refused(refusal, Code::FailedPrecondition, "WRONG_STATE");
    assert_eq!(metadata(&refusal, "state"), "REGISTERED");
    let wrong = administrator.erase_request(EraseRequestRequest::default()).await;
    let named = [
        ("legal_basis", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("etag", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(wrong), pairs(&named));
    let left = leaving(&open, "OPENLY_AVAILABLE");
    desk.operator()
        .leave_without_consideration(left)
        .await
        .expect("it is left");
    let stale = administrator.erase_request(order(&open)).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let stands = desk.get(&open).await;
    let denied = desk.operator().erase_request(order(&stands)).await;
    assert_eq!(denied.expect_err("not for operators").code(), Code::PermissionDenied);
    let checked = EraseRequestRequest {
        validate_only: true,
        ..order(&stands)
    };
    let shown = administrator
        .erase_request(checked)
        .await
        .expect("it could be")
        .into_inner();
    let waits = shown.erasure_order.expect("it would be ordered");
    assert_eq!((waits.ordered_by.as_str(), shown.erased), ("administrator", None));
    assert_eq!(desk.get(&open).await, stands);

    let message = order(&stands);
    let ordered = administrator
        .erase_request(message.clone())
        .await
        .expect("it is ordered")
        .into_inner();
    assert_eq!((&ordered.essence, &ordered.etag), (&open.essence, &stands.etag));
    let again = administrator.erase_request(message).await.expect("it is a repetition");
    assert_eq!(again.into_inner(), ordered);
    let waits = desk.get(&open).await.erasure_order;
    assert_eq!(waits, ordered.erasure_order);
    assert!(
        waits.is_some_and(|waits| waits.reason == "by the decision of a court" && waits.legal_basis == Some(law()))
    );
    let alone = administrator.erase_request(order(&stands)).await;
    refused(alone, Code::FailedPrecondition, "SAME_PERSON");
    given_by_another(&desk).await;
    // Another law is another order, which waits anew.
    let other = EraseRequestRequest {
        legal_basis: Some(common::LegalBasis {
            provision: "para 3".into(),
            ..law()
        }),
        ..order(&stands)
    };
    let replaced = administrator
        .erase_request(other.clone())
        .await
        .expect("it is ordered")
        .into_inner();
    assert_eq!(replaced.erased, None);
    given_by_another(&desk).await;
    let events = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.erasure_ordered'";
    assert_eq!(desk.stage.count(events).await, 2);
    let message = EraseRequestRequest {
        request_id: id(),
        ..other
    };
    let erased = administrator
        .erase_request(message.clone())
        .await
        .expect("it is erased")
        .into_inner();
    let erasure = erased.erased.clone().expect("it tells so");
    assert_eq!(
        (
            erasure.retention_rule.as_str(),
            erasure.reason.as_str(),
            erasure.erased_by.as_str(),
            erasure.ordered_by.as_str(),
        ),
        ("", "by the decision of a court", "administrator", "another")
    );
    assert_eq!((&erased.essence, &erased.erasure_order), (&String::new(), &None));
    let again = administrator
        .erase_request(message)
        .await
        .expect("it is a repetition")
        .into_inner();
    assert_eq!(again, erased);
    let second = administrator.erase_request(order(&erased)).await;
    let second = refused(second, Code::FailedPrecondition, "DATA_ERASED");
    assert_eq!(metadata(&second, "retention_rule"), "");
}

#[tokio::test]
async fn the_runtime_role_empties_nothing_but_what_an_erasure_is_recorded_of() {
    let desk = Desk::open().await;
    let (open, ended) = (desk.of_person().await, desk.of_person().await);
    let left = leaving(&ended, "OPENLY_AVAILABLE");
    desk.operator()
        .leave_without_consideration(left)
        .await
        .expect("it is left");
    let mut runtime = desk.stage.running.runtime().await;
    for denied in [
        "UPDATE requests.request SET erased_at = now()",
        "UPDATE requests.decision SET reason = ''",
        "UPDATE requests.answer SET canonical = ''",
        "DELETE FROM requests.journal_entry",
    ] {
        let refusal = sqlx::query(denied).execute(&mut runtime).await.expect_err(denied);
        let database = refusal.as_database_error().expect("the database refuses");
        assert_eq!(database.code().as_deref(), Some("42501"), "{denied}: {database}");
    }
    sqlx::query("SELECT requests.erase(array_agg(id)) FROM requests.request")
        .fetch_all(&mut runtime)
        .await
        .expect("without a record it does nothing");
    assert_eq!(desk.get(&ended).await.essence, ended.essence);
    let record = "INSERT INTO requests.erasure (request, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
                      reason, erased_at, erased_by, attachments, attachment_bytes, answer_versions)
                  SELECT id, 'Order 7', 'para 2', '', false, 'by order', now(), 'x', 0, 0, 0 FROM requests.request";
    sqlx::query(record).execute(&mut runtime).await.expect("it is recorded");
    let refusal = sqlx::query("SELECT requests.erase(array_agg(id)) FROM requests.request")
        .fetch_all(&mut runtime)
        .await
        .expect_err("one of them is open");
    let database = refusal.as_database_error().expect("the database refuses");
    assert_eq!(database.constraint(), Some("request_erased"));
    assert_eq!(desk.get(&open).await.essence, open.essence);
}
