//! Texts that are something to a database, a template, a typesetter, a workbook or a terminal, and letters of every script: in each field
//! that takes a text they are what was written, from the receipt to the documents of the answer. And more items than a request may have.

use std::time::Duration;

use legalstat_answer_document::{Outcome, SignatureChecked, answer::Document, verify};
use legalstat_kit::door::text::composed;
use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::requests::v1::{self as proto, AnswerFormat, CorrectRequestRequest, ListRequestsRequest};

use super::{
    answer_calls::{self, UNTOLD, approval, approve, dispatch, dispatch_of, draft, draft_of, id, item, update},
    held::{Holdings, INDICATOR},
    stage::{Client, Stage, get, request, submission, submit},
    verbs::PATIENCE,
    visibility::lookup,
};

const TEXTS: [&str; 8] = [
    "'; DROP TABLE requests.request; --",
    "\" OR 1=1) /* $1 %s %_ \\' */",
    "{{7*7}} ${jndi:ldap://x} #{1} <%= 1 %> <script>alert(1)</script>",
    "#eval(\"1+1\") #read(\"/etc/passwd\") $x^2$ *bold* _it_ \\u{41} @ref",
    "=HYPERLINK(\"http://example.invalid\")",
    "שלום עולם مرحبا بالعالم",
    "e\u{301}\u{302}\u{303} Z\u{351}\u{336}\u{348} й\u{306}",
    "Әә Ғғ Ққ Ңң Өө Ұұ Үү Һһ Іі — № 5, 漢字 😀",
];

/// A request with a text in every field that takes one.
fn written(text: &str, items: usize) -> proto::Request {
    let whole = request();
    proto::Request {
        requester: whole.requester.map(|requester| proto::Requester {
            full_name: text.into(),
            postal_address: text.into(),
            ..requester
        }),
        signatory: whole.signatory.map(|signatory| proto::Signatory {
            full_name: text.into(),
            ..signatory
        }),
        external_number: text.into(),
        addressee: text.into(),
        essence: text.into(),
        items: (0..items)
            .map(|_| proto::Item {
                description: text.into(),
                ..item(INDICATOR, &["11"])
            })
            .collect(),
        ..request()
    }
}

/// Every text of a request that its sender wrote.
fn texts(request: &proto::Request) -> Vec<&str> {
    let requester = request.requester.as_ref().expect("it has one");
    let signatory = request.signatory.as_ref().expect("it has one");
    let own = [
        &requester.full_name,
        &requester.postal_address,
        &signatory.full_name,
        &request.external_number,
        &request.addressee,
        &request.essence,
    ];
    let items = request.items.iter().map(|item| item.description.as_str());
    own.into_iter().map(String::as_str).chain(items).collect()
}

/// The document of an answer in this format, as whoever holds it reads it.
async fn document(client: &mut Client, name: &str, format: AnswerFormat) -> Document {
    let (_, content) = answer_calls::download(client, name, format).await;
    let verified = verify(&content, &|_, _| SignatureChecked {
        outcome: Outcome::Proved,
        text: String::new(),
    });
    assert!(verified.is_proved(), "{format:?}: {:?}", verified.findings);
    verified.document.expect("it is read")
}

/// Waits until what was corrected is examined: that would change the request under who drafts.
async fn until_examined(stage: &Stage) {
    let examined = async {
        while stage
            .count("SELECT count(*) FROM requests.request WHERE examination_pending")
            .await
            > 0
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, examined).await.expect("it is examined");
}

#[tokio::test]
async fn whatever_is_written_in_any_field_stays_what_was_written_from_the_receipt_to_the_documents() {
    let stage = Stage::set().await;
    *stage.fakes.answers.holdings.lock().expect("no test panics here") = Holdings {
        figures: vec![("2025-Q1", "11", "10")],
        by_words: false,
    };
    let (mut edms, mut operator) = (stage.client("edms"), stage.client("operator"));
    for text in TEXTS {
        // The one form in which letters with marks are kept.
        let kept = composed(text);
        let accepted = submit(&mut edms, submission(written(text, 2))).await;
        let accepted = accepted.expect("any text is taken");
        let read = get(&mut operator, &accepted.name).await.expect("it is there");
        assert!(texts(&read).iter().all(|read| *read == kept), "{read:?}");
        assert_eq!(lookup(&mut edms, text).await, [accepted.name.as_str()], "{text}");
        let wanted = ListRequestsRequest {
            words: text.into(),
            requester: text.into(),
            ..Default::default()
        };
        let listed = operator
            .list_requests(wanted)
            .await
            .expect("they are listed")
            .into_inner();
        let names: Vec<&str> = listed.requests.iter().map(|request| request.name.as_str()).collect();
        assert_eq!(names, [accepted.name.as_str()], "{text}");

        let corrected = operator.correct_request(CorrectRequestRequest {
            name: accepted.name.clone(),
            request: Some(proto::Request {
                addressee: "Committee".into(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["addressee".into()],
            }),
            reason: text.into(),
            request_id: id(),
            ..Default::default()
        });
        let corrected = corrected.await.expect("it is corrected").into_inner();
        until_examined(&stage).await;
        let mut answer = draft(&mut operator, draft_of(&corrected)).await.expect("it is drafted");
        answer.opening = text.into();
        answer.items[0].remark = text.into();
        let answer = update(&mut operator, &answer).await.expect("it is edited");
        let approved = approve(&mut stage.client("approver"), approval(&answer, UNTOLD)).await;
        let mut out = dispatch_of(&approved.expect("it is approved"));
        out.proof = text.into();
        let dispatched = dispatch(&mut operator, out).await.expect("it is dispatched");
        assert_eq!(dispatched.dispatch.expect("it is recorded").proof, kept);
        let read = get(&mut operator, &accepted.name).await.expect("it is there");
        assert_eq!(read.decisions[0].reason, kept);

        let answer = document(&mut edms, &accepted.name, AnswerFormat::Json).await.answer;
        let item = &answer.items[0];
        for shown in [
            &answer.opening,
            &item.remark,
            &item.description,
            &answer.requester.full_name,
        ] {
            assert_eq!(*shown, kept);
        }
        if text == TEXTS[0] {
            // What else each text is in a document, the tests of documents tell.
            for format in [AnswerFormat::Pdf, AnswerFormat::Xlsx] {
                assert_eq!(document(&mut edms, &accepted.name, format).await.answer, answer);
            }
        }
    }
    let stored = stage.count("SELECT count(*) FROM requests.request").await;
    assert_eq!(usize::try_from(stored).expect("a few"), TEXTS.len());
}

#[tokio::test]
async fn a_request_has_a_hundred_items_and_of_thousands_it_is_told_that_they_are_too_many() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let most = submit(&mut edms, submission(written("crimes", 100))).await;
    assert_eq!(most.expect("a hundred are taken").items.len(), 100);
    for items in [101, 5000] {
        let many = submit(&mut edms, submission(written("crimes", items))).await;
        assert_eq!(violations(many), pairs(&[("request.items", "TOO_MANY")]), "{items}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 1);
}

#[tokio::test]
async fn each_text_of_a_request_has_so_many_characters_and_all_that_are_longer_are_told_at_once() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    // Of letters that take two bytes each.
    let of = |more: usize| {
        let text = |most: usize| "қ".repeat(most + more);
        let mut request = written("", 1);
        let requester = request.requester.get_or_insert_default();
        (requester.full_name, requester.postal_address) = (text(500), text(500));
        request.signatory.get_or_insert_default().full_name = text(500);
        (request.external_number, request.addressee) = (text(100), text(200));
        (request.essence, request.items[0].description) = (text(10_000), text(4000));
        submission(request)
    };
    submit(&mut edms, of(0)).await.expect("so long they may be");
    let mut told = violations(submit(&mut edms, of(1)).await);
    told.sort();
    let fields = [
        "request.addressee",
        "request.essence",
        "request.external_number",
        "request.items[0].description",
        "request.requester.full_name",
        "request.requester.postal_address",
        "request.signatory.full_name",
    ];
    assert_eq!(told, pairs(&fields.map(|field| (field, "TOO_LONG"))));
}
