//! What becomes of a database that an earlier release filled.

use legalstat_proto::{
    collections::v1::{CopyState, EditionState},
    common::v1::Date,
};

use super::{
    copies::{confirm, confirming, download},
    recall::{recall, recalling},
    *,
};

/// The first migration that the release lacked whose rows these are.
const SCHEDULED: i64 = 20_261_126_000_000;
const RELEASED: &str = "collections/crime/editions/2024-Q4";
const PREPARED: &str = "collections/drugs/editions/2024-Q4";
const BEGUN: &[u8] = b"the collection on drugs, as far as it is";

/// Crime: the last quarter is released in two copies, of which one was received, and the first is sealed. Drugs: the last quarter is
/// prepared, the first is expected.
const ROWS: &str = "
    INSERT INTO collections.collection
    SELECT id, number, title, '', '', 'QUARTERLY', 14, true, 'Instruction', 'para 13', '', true, copies, 'Instruction', 'para 12', '',
        false, '2019-04-15', NULL
    FROM (VALUES ('crime', 1, 'On crime', 33), ('drugs', 3, 'On drugs', 30)) AS c (id, number, title, copies);
    INSERT INTO collections.recipient
    SELECT id, column_number, name, '', '', NULL, 'Instruction', 'Appendix 1', '', false, '2019-04-15', NULL
    FROM (VALUES ('supreme-court', 16, 'Supreme Court'), ('gpo-leadership', 2, 'Leadership')) AS r (id, column_number, name);
    INSERT INTO collections.edition
        (collection, period, period_first_day, period_last_day, due_date, due_time, provisional, assumed, calendar_version, state,
         filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, sealed_at, sealed_by, released_at, released_by)
    SELECT collection, period, first_day, (first_day + interval '3 months - 1 day')::date, due_date,
        (due_date + 1)::timestamp AT TIME ZONE 'Asia/Almaty', false, true, 'of-before', state, filename,
        CASE WHEN content IS NOT NULL THEN 'application/pdf' END, octet_length(content), sha256(content),
        CASE WHEN content IS NOT NULL THEN due_date - interval '7 days' END, CASE WHEN content IS NOT NULL THEN 'operator' END,
        CASE WHEN state IN ('SEALED', 'RELEASED') THEN due_date - interval '6 days' END,
        CASE WHEN state IN ('SEALED', 'RELEASED') THEN 'operator' END,
        CASE WHEN state = 'RELEASED' THEN due_date - interval '5 days' END, CASE WHEN state = 'RELEASED' THEN 'approver' END
    FROM (VALUES
        ('crime', '2024-Q4', '2024-10-01'::date, '2025-01-14'::date, 'RELEASED', 'crime.pdf', 'the collection on crime'::bytea),
        ('crime', '2025-Q1', '2025-01-01', '2025-04-14', 'SEALED', 'crime.pdf', 'the collection on crime'),
        ('drugs', '2024-Q4', '2024-10-01', '2025-01-14', 'PREPARED', 'drugs.pdf', 'the collection on drugs, as far as it is'),
        ('drugs', '2025-Q1', '2025-01-01', '2025-04-14', 'SCHEDULED', NULL, NULL)
    ) AS e (collection, period, first_day, due_date, state, filename, content);
    INSERT INTO collections.copy
    SELECT 'crime', '2024-Q4', number, recipient, sha256('the collection on crime'), state, 'Instruction', 'Appendix 1', '', false,
        '2025-01-09T00:00:00Z', CASE state WHEN 'RECEIVED' THEN '2025-01-10T05:00:00Z'::timestamptz END
    FROM (VALUES (1, 'gpo-leadership', 'RECEIVED'), (25, 'supreme-court', 'ISSUED')) AS c (number, recipient, state);
";

async fn upgraded() -> Distribution {
    let distribution = Distribution::started(true, async |settings| {
        let (_, folder) = settings
            .iter()
            .find(|(name, _)| *name == "LEGALSTAT_FILES")
            .expect("it is set");
        for content in [CONTENT, BEGUN] {
            let name = digest(content);
            let folder = std::path::Path::new(folder).join("sha256").join(&name[..2]);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(name), content).expect("a file");
        }
        Running::start_upgraded((SCHEDULED, ROWS), &crate::SERVICE, settings, || instant(NOW)).await
    })
    .await;
    distribution.until_whole().await;
    distribution
}

async fn get(client: &mut Client, name: &str) -> Edition {
    let request = GetEditionRequest {
        name: name.into(),
        view: 0,
    };
    client.get_edition(request).await.expect("it is scheduled").into_inner()
}

#[tokio::test]
async fn what_an_earlier_release_released_is_released_and_its_copies_are_their_recipients() {
    let distribution = upgraded().await;
    let mut operator = distribution.operator();
    let released = get(&mut operator, RELEASED).await;
    let due = Date {
        year: 2025,
        month: 1,
        day: 14,
    };
    assert_eq!(
        (released.state(), released.due_date),
        (EditionState::Released, Some(due))
    );
    assert_eq!(released.calendar_version, "of-before", "what is met never moves");
    let content = released.content.expect("it has content");
    assert_eq!(
        (content.filename.as_str(), content.sha256),
        ("crime.pdf", digest(CONTENT))
    );
    let court = distribution.copies("supreme-court").await;
    assert_eq!(
        (court.len(), court[0].number, court[0].state()),
        (1, 25, CopyState::Issued)
    );
    let leadership = distribution.copies("gpo-leadership").await;
    assert_eq!((leadership.len(), leadership[0].state()), (1, CopyState::Received));
    let mut reader = distribution.client(Some("supreme-court"));
    assert_eq!(
        download(&mut reader, &court[0].name).await.expect("it is its own").1,
        CONTENT
    );
    let received = confirm(&mut reader, &confirming(&court[0].name, CONTENT)).await;
    assert_eq!(received.expect("it is received").state(), CopyState::Received);
}

#[tokio::test]
async fn what_an_earlier_release_had_begun_goes_on() {
    let distribution = upgraded().await;
    let (mut operator, mut approver) = (distribution.operator(), distribution.approver());
    assert_eq!(get(&mut operator, CRIME).await.state(), EditionState::Sealed);
    let issued = release(&mut approver, &releasing(CRIME)).await.expect("it is released");
    assert_eq!(issued.state(), EditionState::Released);
    assert_eq!(get(&mut operator, PREPARED).await.state(), EditionState::Prepared);
    let sealed = seal(&mut operator, &sealing(PREPARED, BEGUN))
        .await
        .expect("it is sealed");
    assert_eq!(sealed.content.expect("it has content").sha256, digest(BEGUN));
    assert_eq!(get(&mut operator, DRUGS).await.state(), EditionState::Scheduled);
    let drugs = UploadEditionContentHeader {
        filename: "drugs.pdf".into(),
        ..header(DRUGS)
    };
    let uploaded = upload(&mut operator, &drugs, BEGUN).await.expect("it is taken");
    assert_eq!(uploaded.state(), EditionState::Prepared);
    let year = distribution
        .count("SELECT count(*) FROM collections.edition_file")
        .await;
    assert_eq!(year, 4, "three of before and this one");
}

#[tokio::test]
async fn copies_of_an_earlier_release_are_told_as_unsigned_and_a_replacement_is_numbered_on() {
    let distribution = upgraded().await;
    let (mut operator, mut approver) = (distribution.operator(), distribution.approver());
    let old = format!("{RELEASED}/copies/25");
    let copy = get_copy(&mut operator, &old).await.expect("it is there");
    assert_eq!((copy.revision, copy.ordinal, copy.copies_total), (1, 0, 0));
    assert!(copy.statement.is_none() && copy.signature.is_empty() && copy.signing_key.is_empty());
    assert_eq!(
        get(&mut operator, RELEASED).await.copies_total,
        2,
        "as many as were issued"
    );

    let recalled = recall(&mut approver, &recalling(RELEASED))
        .await
        .expect("it was released");
    assert_eq!(recalled.revisions.len(), 1);
    upload(&mut operator, &header(RELEASED), b"mended")
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(RELEASED, b"mended"))
        .await
        .expect("it is sealed");
    let released = release(&mut approver, &releasing(RELEASED)).await;
    assert_eq!(released.expect("it is released").copies_issued, 33);
    let next = get_copy(&mut operator, &format!("{RELEASED}/copies/26")).await;
    let next = next.expect("numbers go on after the last one");
    assert_eq!((next.revision, next.ordinal, next.copies_total), (2, 1, 33));
    let old = get_copy(&mut operator, &old).await.expect("it is there for ever");
    assert_eq!((old.state(), old.signature.len()), (CopyState::Recalled, 0));
}
