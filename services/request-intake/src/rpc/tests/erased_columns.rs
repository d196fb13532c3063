//! Every column of the schema, and what an erasure does to it: a column that nobody has thought about fails the test.

use std::collections::{BTreeMap, BTreeSet};

use legalstat_local::testing::harness::Running;
use sqlx::{AssertSqlSafe, PgConnection};

/// What an erasure takes from the rows of a request, and of what is kept of calls about it. Into each of these something personal can be
/// written; those behind a colon hold no words and are emptied all the same.
pub(super) const ERASED: [(&str, &str); 11] = [
    (
        "request",
        "external_number addressee essence requester_full_name requester_iin requester_postal_address signatory_full_name \
         : external_date sent_at likely_duplicate_of repeats asked",
    ),
    ("item", "description"),
    ("attachment", "filename : sha256"),
    ("attachment_signer", ": name serial_number certificate_sha256 iin bin"),
    ("clarification", "text_ru : text_kk text_en"),
    ("changed_field", "before after"),
    ("decision", "reason to_body"),
    ("answer", "canonical : submission_sha256"),
    // Of one that is not known to enclose nothing.
    ("answer_approval", ": signature"),
    ("dispatch", "proof"),
    ("idempotency", "response : body_sha256"),
];

/// Everything else, and why it stays.
const STAYS: [(&str, &str); 45] = [
    // Which request it is, how it came and of what kind, where it stands and since when, and its receipt as it was signed. The BIN names
    // an organisation, and who sees the request hangs on it.
    (
        "request",
        "id number accepted_by accepted_at coupon_number received_at channel language requester_kind requester_bin signatory_capacity \
         state examination_pending examination_round examined_at registration_number registered_on due_date due_time due_provisional \
         due_assumed due_calendar_version due_term explanation findings version changed_at assignee coupon_content_sha256 coupon_key \
         coupon_signature coupon_secret_digest receiving_body cure_by due_part extension_counted_from extension_until erased_at \
         reports_crime_or_threat due_by_hand",
    ),
    // What was asked for in codes of registers, without a word of the requester.
    (
        "item",
        "request position kind unit period until_period form indicator detail territories",
    ),
    // That there was a file, of which kind and size, and what its signature came to.
    (
        "attachment",
        "id kind content_type size_bytes uploaded_by uploaded_at signs signature signature_detail request bound_at erased",
    ),
    // The rows are deleted.
    (
        "attachment_signer",
        "attachment position algorithm signed_at authorities revocations_of",
    ),
    ("clarification", "request position field decision provided_at"),
    ("changed_field", "request decision field"),
    // What officials decided, by which law; they are named by their certificates.
    (
        "decision",
        "request position verb decided_by capacity decided_at state_before state_after legal_basis_act legal_basis_provision \
         legal_basis_uri legal_basis_assumed ground items until notify_by notified_on \
         explanation explanation_provisional explanation_assumed explanation_calendar_version explanation_term",
    ),
    // That the requester was told, and how.
    ("notice", "request decision notified_on means recorded_by recorded_at"),
    // When its clock stood still.
    (
        "clock_stop",
        "request position decision stopped_at cure_by restarted_at counted",
    ),
    // By when it was to be given back or forwarded.
    (
        "owed_day",
        "request owed counted_from registered_on due_date due_time provisional assumed calendar_version term explanation version \
         rules_revision followed",
    ),
    ("check_review", "request decision finding kept"),
    // The digest of the whole answer, and the approver's signature over it: who kept the answer can prove it.
    ("answer", "request version sha256 written_by written_at"),
    (
        "answer_approval",
        "request version approved_by capacity approved_at verdict signer is_detached",
    ),
    (
        "dispatch",
        "request version means dispatched_at proof_file recorded_by recorded_at",
    ),
    // The key, so that a repetition is told.
    ("idempotency", "caller method request_id recorded_at"),
    // The record of what was done: of what was asked it has a salted digest of the whole call.
    (
        "journal_entry",
        "number recorded_at caller roles method resource outcome reason salt request_digest count peer_address transaction stored_at",
    ),
    ("outbox_event", "number transaction occurred_at kind resource told"),
    ("coupon_try", "request wrong since"),
    ("due_warning", "request due_date days_before warned_at"),
    (
        "due_date_change",
        "number resource changed_at change calendar_act old_due_date new_due_date old_calendar_version new_calendar_version terms reason",
    ),
    // Findings are shared by requests and have no word of any.
    ("earlier_examination", "request round examined_at findings"),
    (
        "finding",
        "id rule outcome field text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed",
    ),
    ("finding_edition", "finding position edition address sha256 figures"),
    (
        "examination_check",
        "request round position rule outcome field text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri \
         legal_basis_assumed",
    ),
    ("explanation", "sha256"),
    (
        "explanation_step",
        "explanation position date effect text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri \
         legal_basis_assumed",
    ),
    (
        "deadline_step",
        "request position date effect text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed",
    ),
    // Until the content is removed.
    ("erased_content", "sha256 erased_at"),
    // That it was erased, and by what.
    (
        "erasure",
        "number request rule legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed reason erased_at erased_by \
         attachments attachment_bytes answer_versions ordered_by",
    ),
    // An order is written without personal data, and stays as its reason does.
    (
        "erasure_order",
        "request legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed reason ordered_at ordered_by",
    ),
    // Rules, bodies and counters are about no requester.
    (
        "retention_rule",
        "id requester_kinds states keep_years keep_months keep_days text_kk text_ru text_en legal_basis_act legal_basis_provision \
         legal_basis_uri legal_basis_assumed valid_from valid_to reason entered_at entered_by approved_at approved_by ended_at ended_by \
         end_reason",
    ),
    ("act", "name uri lapsed_on grade note"),
    (
        "answer_reason",
        "word text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade valid_from valid_to",
    ),
    (
        "appeal_rule",
        "requester_kind word text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade \
         valid_from valid_to",
    ),
    (
        "body",
        "number id title_kk title_ru title_en certificate_name bin kind territory legal_basis_act legal_basis_provision legal_basis_uri \
         legal_basis_assumed valid_from valid_to reason recorded_at recorded_by superseded_at",
    ),
    ("calendar_following", "only_row resume_token known_from"),
    (
        "caller_channel",
        "role channel legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade valid_from valid_to",
    ),
    (
        "channel_rule",
        "requester_kind channel allowed legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade valid_from \
         valid_to",
    ),
    (
        "rule_ground",
        "rule decided_by text_kk text_ru text_en legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade \
         valid_from valid_to",
    ),
    ("rule_revision", "only_row revision"),
    ("registration_counter", "year last"),
    ("draft_progress", "year last"),
    ("draft_waiting", "number request"),
    (
        "signatory_rule",
        "requester_kind capacity allowed legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade valid_from \
         valid_to",
    ),
    (
        "verb_rule",
        "verb ground requester_kind capacities counted_from shortest_days usual_days longest_days text_kk text_ru text_en \
         legal_basis_act legal_basis_provision legal_basis_uri legal_basis_assumed grade valid_from valid_to",
    ),
];

/// The tables of the schema with their columns; what the migrations themselves record is left out.
async fn columns(connection: &mut PgConnection) -> BTreeMap<String, BTreeSet<String>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns AS c
         JOIN information_schema.tables AS t USING (table_schema, table_name)
         WHERE table_schema = 'requests' AND t.table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_%'",
    )
    .fetch_all(connection)
    .await
    .expect("the schema is there");
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in rows {
        columns.entry(table).or_default().insert(column);
    }
    columns
}

/// Requires that each column of the schema is decided about, and once.
pub(super) async fn require_all_decided(running: &Running) {
    let mut decided: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, names) in ERASED.iter().chain(&STAYS) {
        for name in names.split_whitespace().filter(|name| *name != ":") {
            let is_new = decided.entry((*table).into()).or_default().insert(name.into());
            assert!(is_new, "{table}.{name} is decided about twice");
        }
    }
    let columns = columns(&mut running.superuser().await).await;
    for (table, there) in &columns {
        let known = decided.remove(table).unwrap_or_default();
        let undecided: Vec<_> = there.difference(&known).collect();
        assert!(
            undecided.is_empty(),
            "{table}: can {undecided:?} hold personal data? erase it in requests.erase and say so here, or say why it stays"
        );
        let gone: Vec<_> = known.difference(there).collect();
        assert!(gone.is_empty(), "{table} has no {gone:?}");
    }
    assert!(decided.is_empty(), "there is no {decided:?}");
}

/// The columns of words that are erased.
pub(super) fn of_words() -> impl Iterator<Item = (&'static str, &'static str)> {
    ERASED.iter().flat_map(|(table, names)| {
        let words = names.split(':').next().unwrap_or_default();
        words.split_whitespace().map(|name| (*table, name))
    })
}

/// One column of all rows, as text.
pub(super) async fn column(running: &Running, table: &str, name: &str) -> String {
    let sql = format!("SELECT coalesce(string_agg({name}::text, ' '), '') FROM requests.{table}");
    let mut connection = running.superuser().await;
    let all = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
    all.expect("it is read")
}

/// All that the schema holds, as text in lower case.
pub(super) async fn dump(running: &Running) -> String {
    let mut connection = running.superuser().await;
    let mut dump = String::new();
    for table in columns(&mut connection).await.keys() {
        let sql = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM requests.{table} AS t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .expect("it is read");
        dump.push_str(&rows.to_lowercase());
    }
    dump
}
