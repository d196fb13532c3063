//! Revisions: several files, sealing, corrections, withdrawal, what is declared nil, and the records of placements.

use std::io::{Cursor, Write as _};

use legalstat_proto::forms::v1::{
    Channel as Place, DeleteEditionFileRequest, EditionState, ListPlacementsRequest, Placement, Punctuality,
    PunctualityReport, Revision,
};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

const NOW: &str = "2025-02-03T05:00:00Z";
const JANUARY: &str = "forms/1/editions/2025-M01";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn named(filename: &str) -> UploadEditionFileHeader {
    UploadEditionFileHeader {
        filename: filename.into(),
        content_type: String::new(),
        ..header(JANUARY)
    }
}

fn names(files: &[EditionFile]) -> Vec<&str> {
    files.iter().map(|file| file.filename.as_str()).collect()
}

fn file(filename: &str) -> DownloadEditionFileRequest {
    DownloadEditionFileRequest {
        name: JANUARY.into(),
        filename: filename.into(),
        ..Default::default()
    }
}

async fn delete(client: &mut Client, filename: &str) -> Result<Edition, Status> {
    let request = DeleteEditionFileRequest {
        name: JANUARY.into(),
        filename: filename.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    client
        .delete_edition_file(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn placements(client: &mut Client, parent: &str) -> Vec<Placement> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListPlacementsRequest {
            parent: parent.into(),
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = client.list_placements(request).await.expect("it lists").into_inner();
        found.extend(page.placements);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

fn workbook(sheet: &str) -> Vec<u8> {
    let types = "<Types><Override PartName=\"/xl/workbook.xml\" ContentType=\
                 \"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>";
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("[Content_Types].xml", types), ("xl/worksheets/sheet1.xml", sheet)] {
        writer
            .start_file(name, SimpleFileOptions::default())
            .expect("it is in memory");
        writer.write_all(content.as_bytes()).expect("it is in memory");
    }
    writer.finish().expect("it is in memory").into_inner()
}

#[tokio::test]
async fn a_revision_has_several_files_each_with_its_type_language_and_mark() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let kazakh = UploadEditionFileHeader {
        language: "kk".into(),
        ..named("form.csv")
    };
    upload(&mut operator, &kazakh, "көрсеткіш;1\n".as_bytes())
        .await
        .expect("it is taken");
    upload(&mut operator, &named("form.xlsx"), &workbook("<v>1</v>"))
        .await
        .expect("it is taken");
    let edition = upload(&mut operator, &named("FORM.PDF"), b"%PDF-1.7\n")
        .await
        .expect("it is taken");
    let told: Vec<_> = edition
        .files
        .iter()
        .map(|file| {
            (
                file.filename.as_str(),
                file.content_type.as_str(),
                file.language.as_str(),
                file.restricted,
            )
        })
        .collect();
    let expected = [
        ("FORM.PDF", "application/pdf", "", false),
        ("form.csv", "text/csv", "kk", false),
        ("form.xlsx", XLSX, "", false),
    ];
    assert_eq!(told, expected);
    let edition = delete(&mut operator, "FORM.PDF").await.expect("it is deleted");
    assert_eq!(names(&edition.files), ["form.csv", "form.xlsx"]);
    let gone = delete(&mut operator, "FORM.PDF").await;
    assert_refused(gone, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    assert_eq!(registry.count("edition_file WHERE removed_by = 'operator'").await, 1);

    let which = fetch(&mut operator, file("")).await;
    assert_eq!(violations(which), pairs(&[("filename", "REQUIRED")]));
    seal(&mut operator, JANUARY).await;
    let late = delete(&mut operator, "form.csv").await;
    assert_refused(late, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let (_, content) = fetch(&mut registry.client(None), file("form.csv"))
        .await
        .expect("it is open");
    assert_eq!(content, "көрсеткіш;1\n".as_bytes());
    let by_digest = DownloadEditionFileRequest {
        sha256: edition.files[0].sha256.to_uppercase(),
        ..file("")
    };
    assert_eq!(
        fetch(&mut registry.client(None), by_digest)
            .await
            .expect("it is open")
            .1,
        content
    );
}

#[tokio::test]
async fn files_that_lie_bombs_and_formulas_are_refused_whole_with_their_reasons() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let bomb = workbook(&" ".repeat(1_500_000));
    for (filename, content, expected) in [
        ("form.csv", b"a;\xea\xe0\n".to_vec(), ("chunk", "CONTENT")),
        ("form.csv", b"%PDF-1.7".to_vec(), ("chunk", "CONTENT")),
        ("form.pdf", b"a;b\n".to_vec(), ("chunk", "CONTENT")),
        ("form.xlsx", b"a;b\n".to_vec(), ("chunk", "CONTENT")),
        ("form.xlsx", bomb, ("chunk", "ARCHIVE")),
        ("form.xlsx", workbook("<c><f>1+1</f><v>2</v></c>"), ("chunk", "FORMULA")),
        ("form.exe", b"MZ".to_vec(), ("header.filename", "MEDIA_TYPE")),
        ("form", b"a".to_vec(), ("header.filename", "MEDIA_TYPE")),
    ] {
        let refused = upload(&mut operator, &named(filename), &content).await;
        assert_eq!(violations(refused), pairs(&[expected]), "{filename}");
    }
    let other = UploadEditionFileHeader {
        content_type: XLSX.into(),
        language: "kaz-Latn".into(),
        ..named("form.csv")
    };
    let expected = [("header.content_type", "MEDIA_TYPE"), ("header.language", "LANGUAGE")];
    assert_eq!(violations(upload(&mut operator, &other, b"a").await), pairs(&expected));
    for content_type in ["TEXT/CSV", "application/octet-stream", ""] {
        let tried = UploadEditionFileHeader {
            content_type: content_type.into(),
            validate_only: true,
            ..named("form.csv")
        };
        upload(&mut operator, &tried, b"a").await.expect("it would be taken");
    }
    assert_eq!(registry.count("edition_file").await, 0);
    registry.until_nothing_is_staged().await;
    assert!(!registry.files.path().join("sha256").exists(), "content was kept");
}

fn digest(edition: &Edition) -> &str {
    assert_eq!(edition.content_sha256.len(), 64, "{edition:?}");
    &edition.content_sha256
}

#[tokio::test]
async fn what_is_placed_goes_on_being_served_until_its_correction_is_placed_and_both_are_kept() {
    let registry = Registry::at(NOW).await;
    let (mut operator, mut anyone) = (registry.operator(), registry.client(None));
    upload(&mut operator, &named("form.csv"), b"one")
        .await
        .expect("it is taken");
    let first = seal(&mut operator, JANUARY).await;
    assert_eq!((first.state(), first.revision), (EditionState::Sealed, 1));
    let placed = place(&mut operator, &placing(JANUARY, Place::InformationService)).await;
    assert_eq!(digest(&placed.expect("it is placed")), digest(&first));

    let unreasoned = try_correct(&mut operator, JANUARY, " ").await;
    assert_eq!(violations(unreasoned), pairs(&[("reason", "REQUIRED")]));
    let begun = try_correct(&mut operator, JANUARY, "a sum was wrong")
        .await
        .expect("it is begun");
    assert_eq!((begun.state(), begun.revision), (EditionState::Placed, 1));
    let again = try_correct(&mut operator, JANUARY, "another").await;
    assert_refused(again, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
    upload(&mut operator, &named("form.csv"), b"two")
        .await
        .expect("it is taken");
    let open = PlaceEditionRequest {
        revision: 2,
        ..placing(JANUARY, Place::InformationService)
    };
    let unsealed = place(&mut operator, &open).await;
    assert_refused(
        unsealed,
        Code::FailedPrecondition,
        "EDITION_NOT_SEALED",
        "Instruction, para 14",
    );

    for served in [&b"one"[..], b"one"] {
        assert_eq!(download(&mut anyone, JANUARY).await.expect("it is open").1, served);
        let shown = get(&mut anyone, JANUARY).await;
        assert_eq!(
            (shown.state(), shown.revision, digest(&shown)),
            (EditionState::Placed, 1, digest(&first))
        );
        assert_eq!(shown.revisions.len(), 1, "nobody sees what is in preparation");
        if get(&mut operator, JANUARY).await.revisions[1].content_sha256.is_empty() {
            seal(&mut operator, JANUARY).await;
        }
    }
    let second = FileOf(2).fetch(&mut operator).await.expect("officials read it");
    assert_eq!(second, b"two");
    let hidden = FileOf(2).fetch(&mut anyone).await;
    assert_refused(hidden, Code::NotFound, "RESOURCE_NOT_FOUND", "");

    registry.set_clock("2025-03-03T05:00:00Z");
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is open").1, b"two");
    assert_eq!(FileOf(1).fetch(&mut anyone).await.expect("it is kept"), b"one");
    let shown = get(&mut anyone, JANUARY).await;
    assert_eq!((shown.revision, shown.punctuality()), (2, Punctuality::OnTime));
    assert_ne!(digest(&shown), digest(&first));
    let Revision {
        replaces,
        reason,
        prepared_by,
        ..
    } = &shown.revisions[1];
    assert_eq!(
        (*replaces, reason.as_str(), prepared_by.as_str()),
        (1, "a sum was wrong", "")
    );
    assert_eq!(get(&mut operator, JANUARY).await.revisions[1].prepared_by, "operator");
    let records = placements(&mut anyone, JANUARY).await;
    let records: Vec<_> = records
        .iter()
        .map(|record| (record.revision, record.late_days))
        .collect();
    assert_eq!(records, [(1, 0), (2, 0)]);
    let earlier = PlaceEditionRequest {
        revision: 1,
        ..placing(JANUARY, Place::OfficialWebsite)
    };
    let earlier = place(&mut operator, &earlier).await;
    assert_refused(earlier, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
}

/// The file of a revision.
struct FileOf(i32);

impl FileOf {
    async fn fetch(&self, client: &mut Client) -> Result<Vec<u8>, Status> {
        let request = DownloadEditionFileRequest {
            revision: self.0,
            ..file("")
        };
        fetch(client, request).await.map(|(_, content)| content)
    }
}

#[tokio::test]
async fn what_is_withdrawn_is_no_longer_served_and_says_why() {
    let registry = Registry::at(NOW).await;
    let (mut operator, mut anyone) = (registry.operator(), registry.client(None));
    let early = try_withdraw(&mut operator, JANUARY, "why").await;
    assert_refused(early, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
    upload(&mut operator, &named("form.csv"), b"one")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let unreasoned = try_withdraw(&mut operator, JANUARY, "").await;
    assert_eq!(violations(unreasoned), pairs(&[("reason", "REQUIRED")]));
    try_withdraw(&mut operator, JANUARY, "another month's figures")
        .await
        .expect("it is withdrawn");
    for _ in 0..2 {
        let refused = download(&mut anyone, JANUARY).await;
        assert_refused(
            refused,
            Code::FailedPrecondition,
            "EDITION_WITHDRAWN",
            "Instruction, para 14",
        );
    }
    let shown = get(&mut anyone, JANUARY).await;
    assert_eq!((shown.state(), shown.files.len()), (EditionState::Withdrawn, 0));
    assert_eq!(shown.revisions[0].withdrawal_reason, "another month's figures");
    assert_eq!(shown.punctuality(), Punctuality::OnTime, "it was there by its day");
    assert_eq!(
        download(&mut operator, JANUARY).await.expect("officials read it").1,
        b"one"
    );
    let again = place(&mut operator, &placing(JANUARY, Place::OfficialWebsite)).await;
    assert_refused(
        again,
        Code::FailedPrecondition,
        "EDITION_WITHDRAWN",
        "Instruction, para 14",
    );

    try_correct(&mut operator, JANUARY, "the right figures")
        .await
        .expect("it is begun");
    upload(&mut operator, &named("form.csv"), b"two")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    assert_eq!(get(&mut anyone, JANUARY).await.state(), EditionState::Withdrawn);
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is open").1, b"two");
    let first = FileOf(1).fetch(&mut anyone).await;
    assert_refused(first, Code::NotFound, "RESOURCE_NOT_FOUND", "");
}

#[tokio::test]
async fn a_nil_edition_has_no_file_and_meets_the_duty() {
    let registry = Registry::at(NOW).await;
    let (mut operator, mut anyone) = (registry.operator(), registry.client(None));
    registry
        .answer_from(super::recompute::date(2025, 1, 1), "")
        .await
        .expect("what was due in January is kept");
    let form_19 = "forms/19/editions/2024-Q4";
    let unreasoned = try_declare_nil(&mut operator, form_19, "").await;
    assert_eq!(violations(unreasoned), pairs(&[("reason", "REQUIRED")]));
    let early = try_declare_nil(&mut operator, "forms/19/editions/2025-Q1", "why").await;
    assert_refused(
        early,
        Code::FailedPrecondition,
        "PERIOD_NOT_ENDED",
        "Instruction, Appendix 2",
    );
    let nil = try_declare_nil(&mut operator, form_19, "no such cases")
        .await
        .expect("it is declared");
    assert_eq!(nil.state(), EditionState::Nil);
    let shown = get(&mut anyone, form_19).await;
    assert_eq!(
        (shown.state(), shown.revisions[0].nil_reason.as_str()),
        (EditionState::Nil, "no such cases")
    );
    assert!([Punctuality::OnTime, Punctuality::Late].contains(&shown.punctuality()));
    let asked = GetPunctualityRequest {
        year: 2024,
        form: "forms/19".into(),
        ..Default::default()
    };
    let report: PunctualityReport = anyone.get_punctuality(asked).await.expect("it counts").into_inner();
    let counted = report.counts.expect("it has counts");
    assert_eq!((counted.nil, counted.placed, counted.on_time + counted.late), (1, 0, 0));
    let placed = place(&mut operator, &placing(form_19, Place::InformationService)).await;
    assert_refused(placed, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
    let uploaded = UploadEditionFileHeader {
        name: form_19.into(),
        ..named("form.csv")
    };
    let refused = upload(&mut operator, &uploaded, b"a").await;
    assert_refused(refused, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");

    upload(&mut operator, &named("form.csv"), b"a")
        .await
        .expect("it is taken");
    let full = try_declare_nil(&mut operator, JANUARY, "why").await;
    assert_refused(full, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
}

#[tokio::test]
async fn restricted_information_is_sealed_and_never_placed() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let restricted = UploadEditionFileHeader {
        restricted: true,
        ..named("names.csv")
    };
    upload(&mut operator, &named("form.csv"), b"a")
        .await
        .expect("it is taken");
    upload(&mut operator, &restricted, b"a").await.expect("it is taken");
    let sealed = seal(&mut operator, JANUARY).await;
    assert!(sealed.revisions[0].restricted && sealed.files[1].restricted);
    for channel in [Place::InformationService, Place::OfficialWebsite, Place::OpenDataPortal] {
        let refused = place(&mut operator, &placing(JANUARY, channel)).await;
        let law = "Instruction, para 2(10)";
        assert_refused(refused, Code::FailedPrecondition, "RESTRICTED_INFORMATION", law);
    }
    for name in ["names.csv", "form.csv"] {
        let refused = fetch(&mut registry.client(None), file(name)).await;
        assert_refused(
            refused,
            Code::FailedPrecondition,
            "EDITION_NOT_PLACED",
            "Instruction, para 14",
        );
        assert!(fetch(&mut registry.client(Some("auditor")), file(name)).await.is_ok());
    }
}

#[tokio::test]
async fn each_placement_is_a_record_of_its_own_and_comes_in_pages() {
    let registry = Registry::at("2025-02-07T05:00:00Z").await;
    let (mut operator, mut anyone) = (registry.operator(), registry.client(None));
    let four = "forms/4/editions/2025-M01";
    let kept = registry.answer_from(super::recompute::date(2025, 1, 1), "").await;
    kept.expect("what was due two days ago is kept");
    for name in [JANUARY, four] {
        upload(&mut operator, &header(name), b"a").await.expect("it is taken");
        seal(&mut operator, name).await;
    }
    let addressed = PlaceEditionRequest {
        address: "https://qamqor.gov.kz/1-m".into(),
        ..placing(JANUARY, Place::OfficialWebsite)
    };
    for request in [
        addressed,
        placing(JANUARY, Place::InformationService),
        placing(four, Place::OfficialWebsite),
    ] {
        place(&mut operator, &request).await.expect("it is placed");
    }
    let wrong = PlaceEditionRequest {
        address: "http://qamqor.gov.kz".into(),
        revision: -1,
        ..placing(JANUARY, Place::OfficialWebsite)
    };
    let expected = [("revision", "OUT_OF_RANGE"), ("address", "URI")];
    assert_eq!(violations(place(&mut operator, &wrong).await), pairs(&expected));

    let all = placements(&mut anyone, "forms/-/editions/-").await;
    assert_eq!(all.len(), 3);
    assert_eq!(placements(&mut anyone, "forms/4/editions/-").await.len(), 1);
    let own = placements(&mut operator, JANUARY).await;
    assert_eq!(own.len(), 2);
    let website = own
        .iter()
        .find(|record| record.channel() == Place::OfficialWebsite)
        .expect("it is there");
    assert_eq!(
        (website.edition.as_str(), website.revision, website.placed_by.as_str()),
        (JANUARY, 1, "operator")
    );
    assert_eq!(
        (website.address.as_str(), website.late_days),
        ("https://qamqor.gov.kz/1-m", 2)
    );
    assert_eq!(website.content_sha256, get(&mut anyone, JANUARY).await.content_sha256);
    assert!(website.due_date.is_some() && !website.calendar_version.is_empty());
    assert!(all.iter().all(|record| record.placed_by.is_empty()));
    for (parent, expected) in [
        ("", Err(("parent", "REQUIRED"))),
        ("forms/1", Err(("parent", "RESOURCE_NAME"))),
        ("forms/01/editions/-", Err(("parent", "RESOURCE_NAME"))),
        ("forms/1/editions/2025-Q1", Err(("parent", "PERIOD_KIND"))),
        ("forms/27/editions/-", Ok(())),
    ] {
        let request = ListPlacementsRequest {
            parent: parent.into(),
            ..Default::default()
        };
        let answer = anyone.list_placements(request).await;
        match expected {
            Err(violation) => assert_eq!(violations(answer), pairs(&[violation]), "{parent:?}"),
            Ok(()) => assert_refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND", ""),
        }
    }
}
