//! The open data package of an edition.

use std::collections::BTreeMap;

use legalstat_kit::door::wire;
use legalstat_proto::forms::v1::{
    Channel as Place, DownloadOpenDataFileRequest, GetOpenDataPackageRequest, OpenDataPackage,
    download_open_data_file_response,
};
use serde_json::Value;
use sqlx::Executor;

use super::*;

const JANUARY: &str = "forms/1/editions/2025-M01";
const NOW: &str = "2025-02-05T05:00:00Z";

/// A form on the approved list, named in three languages, with an indicator by gravity and territory.
const REGISTERS: &str = "
    INSERT INTO forms.open_data_list
        (form, valid_from, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
    VALUES (1, '2025-01-01', 'Order No. 22', '', '', false);
    INSERT INTO forms.code_list
        (code, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
    VALUES ('GRAVITY', 'Ауырлығы', 'Тяжесть', 'Gravity', 'Criminal Code', '', '', false);
    INSERT INTO forms.code (code_list, code)
    SELECT l.id, c.code FROM forms.code_list l
    JOIN (VALUES ('GRAVITY', 'GRAVE'), ('GRAVITY', 'MINOR'), ('KATO', '750000000'), ('KATO', '710000000')) AS c (list, code)
        ON c.list = l.code;
    INSERT INTO forms.code_version
        (code, valid_from, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
         legal_basis_assumed, recorded_at, recorded_by)
    SELECT c.id, '2019-04-15', c.code || ' kk', c.code || ' ru', c.code || ' en', 'act', '', '', false, now(), 'operator'
    FROM forms.code c WHERE NOT EXISTS (SELECT FROM forms.code_version v WHERE v.code = c.id);
    INSERT INTO forms.indicator (form, code) VALUES (1, '1.1');
    INSERT INTO forms.indicator_version
        (indicator, valid_from, title_kk, title_ru, title_en, unit, measure, by_territory, dimensions, dimension_lists,
         restricted, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, recorded_at, recorded_by)
    SELECT i.id, '2019-04-15', 'Қылмыстар', 'Преступления', 'Crimes', u.id, 'number', true, '{GRAVITY}', ARRAY[l.id],
        false, 'act', '', '', false, now(), 'operator'
    FROM forms.indicator i, forms.code u, forms.code_list l WHERE u.code = 'CRIME' AND l.code = 'GRAVITY';
    INSERT INTO forms.breakdown (dimensions, codes)
    SELECT '{GRAVITY}', ARRAY[c.id] FROM forms.code c WHERE c.code IN ('GRAVE', 'MINOR');";

/// The figures of the first revision.
pub(super) const FIGURES: &str = "
    INSERT INTO forms.figure_set (form, period, revision, rows, sha256, imported_at, imported_by)
    VALUES (1, '2025-M01', 1, 4, sha256(''), now(), 'operator');
    INSERT INTO forms.observation (figure_set, indicator, territory, breakdown, status, value)
    SELECT s.id, i.id, f.territory, f.breakdown, f.status::\"char\", f.value
    FROM forms.figure_set s, forms.indicator i, (
        SELECT 0, 0, 'A', 12.50 UNION ALL
        SELECT t.id, b.id, CASE WHEN c.code = 'GRAVE' THEN 'A' ELSE 'M' END, CASE WHEN c.code = 'GRAVE' THEN 3 END
        FROM forms.code t, forms.breakdown b JOIN forms.code c ON c.id = b.codes[1] WHERE t.code = '750000000' UNION ALL
        SELECT t.id, 0, 'P', 7 FROM forms.code t WHERE t.code = '710000000'
    ) AS f (territory, breakdown, status, value)";

pub(super) const NAMES: &str =
    "UPDATE forms.form_version SET title_kk = 'Тіркелген қылмыстар', title_ru = 'Зарегистрированные преступления'
                     WHERE form = 1";

async fn run(registry: &Registry, sql: &str) {
    let done = registry
        .database()
        .await
        .execute(sqlx::AssertSqlSafe(sql.to_owned()))
        .await;
    done.expect("it is carried out");
}

/// A registry whose January is sealed with figures and a file.
pub(super) async fn registry(names: &str, figures: &str) -> Registry {
    let registry = Registry::start_with(None, NOW, true, &[("LEGALSTAT_FILE_LIMIT", "20000000")]).await;
    registry.until_whole().await;
    run(&registry, &format!("{REGISTERS}; {names}")).await;
    upload(&mut registry.operator(), &header(JANUARY), b"a;b\n1;2\n")
        .await
        .expect("it is taken");
    run(&registry, figures).await;
    seal(&mut registry.operator(), JANUARY).await;
    registry
}

/// Asks for the draft, and waits so long for it.
async fn draft_within(registry: &Registry, caller: &str, seconds: u64) -> Result<OpenDataPackage, Status> {
    let mut request = tonic::Request::new(GetOpenDataPackageRequest {
        name: JANUARY.into(),
        version: "draft".into(),
    });
    request.set_timeout(Duration::from_secs(seconds));
    let mut client = registry.client(Some(caller));
    client
        .get_open_data_package(request)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn while_a_package_is_being_made_another_waits_and_is_told_to_try_again() {
    let registry = registry(NAMES, FIGURES).await;
    let mut database = registry.database().await;
    database
        .execute("BEGIN; LOCK TABLE forms.breakdown IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("it is locked");
    let refusing = async {
        loop {
            let making = draft_within(&registry, "operator", 20);
            let asking = async {
                loop {
                    let status = draft_within(&registry, "approver", 10).await;
                    let status = status.expect_err("no package can be made");
                    if status.message().contains("packages are being made") {
                        break status;
                    }
                }
            };
            tokio::select! {
                made = making => drop(made.expect_err("it cannot be made")),
                status = asking => break status,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, refusing).await.expect("it is refused");
    refused(Err::<(), _>(status), Code::ResourceExhausted, "OVERLOADED");
    database.execute("COMMIT").await.expect("it is free");
    for caller in ["operator", "approver"] {
        let made = draft_within(&registry, caller, 30).await;
        made.expect("one is made after the other");
    }
}

async fn package(registry: &Registry, caller: Option<&str>, version: &str) -> Result<OpenDataPackage, Status> {
    let request = GetOpenDataPackageRequest {
        name: JANUARY.into(),
        version: version.into(),
    };
    let mut client = registry.client(caller);
    client
        .get_open_data_package(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn file(registry: &Registry, package: &str, path: &str) -> Result<Vec<u8>, Status> {
    let request = DownloadOpenDataFileRequest {
        name: package.into(),
        path: path.into(),
    };
    let mut stream = registry
        .client(None)
        .download_open_data_file(request)
        .await?
        .into_inner();
    let mut content = Vec::new();
    while let Some(message) = stream.message().await? {
        if let Some(download_open_data_file_response::Part::Chunk(chunk)) = message.part {
            content.extend(chunk);
        }
    }
    Ok(content)
}

/// Every file of a package, each checked against its digest.
async fn files(registry: &Registry, package: &OpenDataPackage) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for described in &package.files {
        let content = file(registry, &package.name, &described.path).await.expect("it is out");
        assert_eq!(
            hex::encode(wire::sha256(&content)),
            described.sha256,
            "{}",
            described.path
        );
        assert_eq!(
            i64::try_from(content.len()).ok(),
            Some(described.size_bytes),
            "{}",
            described.path
        );
        files.insert(described.path.clone(), content);
    }
    files
}

async fn place_openly(registry: &Registry) -> Edition {
    let placed = place(&mut registry.operator(), &placing(JANUARY, Place::OpenDataPortal)).await;
    placed.expect("it is placed")
}

#[tokio::test]
async fn a_package_comes_out_with_the_placement_and_is_what_the_draft_was() {
    let registry = registry(NAMES, FIGURES).await;
    refused(package(&registry, None, "").await, Code::NotFound, "RESOURCE_NOT_FOUND");
    refused(
        package(&registry, None, "draft").await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let draft = package(&registry, Some("operator"), "draft")
        .await
        .expect("officials see it");
    assert!(draft.missing_names.is_empty() && draft.made_at.is_none());
    place_openly(&registry).await;
    let first = package(&registry, None, "").await.expect("it is out");
    assert_eq!((first.version.as_str(), first.revision), ("v1", 1));
    assert_eq!(
        (&first.sha256, &first.files),
        (&draft.sha256, &draft.files),
        "the same revision has the same bytes"
    );
    let edition = get(&mut registry.operator(), JANUARY).await;
    assert_eq!(
        first.content_sha256, edition.revisions[0].content_sha256,
        "it is the same wherever the edition appears"
    );

    let files = files(&registry, &first).await;
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = [
        "codes.csv",
        "datapackage.json",
        "dcat.jsonld",
        "figures-001.csv",
        "figures-001.json",
        "files/1-form.csv",
        "indicators.csv",
        "metadata.json",
    ];
    assert_eq!(paths, expected);
    let figures = "indicator,territory,period,gravity,value,status\n1.1,_T,2025-M01,_T,12.5,A\n\
                   1.1,710000000,2025-M01,_T,7,P\n1.1,750000000,2025-M01,GRAVE,3,A\n1.1,750000000,2025-M01,MINOR,,M\n";
    assert_eq!(String::from_utf8_lossy(&files["figures-001.csv"]), figures);
    let described: Value = serde_json::from_slice(&files["datapackage.json"]).expect("it is JSON");
    assert_eq!(described["contentSha256"], first.content_sha256);
    assert_eq!(described["resources"].as_array().map(Vec::len), Some(5));
    let dcat = String::from_utf8_lossy(&files["dcat.jsonld"]);
    assert!(
        dcat.contains(&first.content_sha256) && dcat.contains("Зарегистрированные преступления"),
        "{dcat}"
    );
    let metadata: Value = serde_json::from_slice(&files["metadata.json"]).expect("it is JSON");
    assert_eq!(metadata["nameKk"], "Тіркелген қылмыстар, 2025-M01");
    let codes = String::from_utf8_lossy(&files["codes.csv"]);
    assert!(
        codes.contains("GRAVITY,GRAVE,GRAVE kk") && codes.contains("UNIT,CRIME,") && codes.contains("KATO,710000000")
    );
}

#[tokio::test]
async fn a_version_that_is_out_never_changes_and_a_correction_is_the_next() {
    let registry = registry(NAMES, FIGURES).await;
    place_openly(&registry).await;
    let first = package(&registry, None, "v1").await.expect("it is out");
    let before = files(&registry, &first).await;
    run(
        &registry,
        "UPDATE forms.form_version SET title_ru = 'Другое название' WHERE form = 1",
    )
    .await;
    try_correct(&mut registry.operator(), JANUARY, "a figure was wrong")
        .await
        .expect("it is begun");
    upload(&mut registry.operator(), &header(JANUARY), b"a;b\n1;3\n")
        .await
        .expect("it is taken");
    seal(&mut registry.operator(), JANUARY).await;
    place_openly(&registry).await;
    let second = package(&registry, None, "").await.expect("it is out");
    assert_eq!((second.version.as_str(), second.revision), ("v2", 2));
    assert_ne!(second.sha256, first.sha256);
    assert_eq!(package(&registry, None, "v1").await.expect("it stays"), first);
    assert_eq!(files(&registry, &first).await, before);
    assert!(String::from_utf8_lossy(&files(&registry, &second).await["metadata.json"]).contains("Другое название"));
    let forbidden = "UPDATE forms.open_data_file SET sha256 = sha256('')";
    let mut runtime = registry.running.runtime().await;
    runtime
        .execute(forbidden)
        .await
        .expect_err("the runtime role may add rows only");
}

#[tokio::test]
async fn names_missing_in_kazakh_or_russian_are_listed_and_keep_an_edition_from_the_portal_until_they_are_entered() {
    let registry = registry("SELECT 1", FIGURES).await;
    run(
        &registry,
        "UPDATE forms.indicator_version SET title_ru = '' WHERE title_en = 'Crimes'",
    )
    .await;
    let draft = package(&registry, Some("operator"), "draft")
        .await
        .expect("officials see it");
    let missing: Vec<(&str, &str)> = draft
        .missing_names
        .iter()
        .map(|name| (name.resource.as_str(), name.language.as_str()))
        .collect();
    assert_eq!(
        missing,
        [("forms/1", "kk"), ("forms/1", "ru"), ("forms/1/indicators/1.1", "ru")]
    );
    let answer = place(&mut registry.operator(), &placing(JANUARY, Place::OpenDataPortal)).await;
    let status = refused(answer, Code::FailedPrecondition, "NAMES_MISSING");
    assert_eq!(metadata(&status, "legal_basis"), "Instruction, para 9");
    let details = status.get_error_details();
    let fields = details.bad_request().expect("it names each").field_violations.iter();
    let fields: Vec<&str> = fields.map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["forms/1", "forms/1", "forms/1/indicators/1.1"]);
    assert_eq!(registry.count("placement").await, 0);
    place(&mut registry.operator(), &placing(JANUARY, Place::InformationService))
        .await
        .expect("it needs no names");
    run(
        &registry,
        &format!("{NAMES}; UPDATE forms.indicator_version SET title_ru = 'Преступления' WHERE title_en = 'Crimes'"),
    )
    .await;
    place_openly(&registry).await;
}

#[tokio::test]
async fn a_repeated_placement_and_one_that_only_checks_bring_out_nothing_more() {
    let registry = registry(NAMES, FIGURES).await;
    let mut checking = placing(JANUARY, Place::OpenDataPortal);
    checking.validate_only = true;
    place(&mut registry.operator(), &checking)
        .await
        .expect("it could be placed");
    assert_eq!(registry.count("open_data_package").await, 0);
    let request = placing(JANUARY, Place::OpenDataPortal);
    let first = place(&mut registry.operator(), &request).await.expect("it is placed");
    assert_eq!(
        place(&mut registry.operator(), &request).await.expect("it is answered"),
        first
    );
    place_openly(&registry).await;
    assert_eq!(registry.count("open_data_package").await, 1);
}

#[tokio::test]
async fn what_holds_nothing_that_the_portal_takes_is_refused_there() {
    let registry = Registry::start_with(None, NOW, true, &[]).await;
    registry.until_whole().await;
    run(&registry, &format!("{REGISTERS}; {NAMES}")).await;
    let mut pdf = header(JANUARY);
    pdf.filename = "form.pdf".into();
    pdf.content_type = "application/pdf".into();
    upload(&mut registry.operator(), &pdf, b"%PDF-1.7\n%%EOF\n")
        .await
        .expect("it is taken");
    seal(&mut registry.operator(), JANUARY).await;
    let answer = place(&mut registry.operator(), &placing(JANUARY, Place::OpenDataPortal)).await;
    assert_refused(
        answer,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
        "Instruction, para 9",
    );
}

#[tokio::test]
async fn a_package_of_what_was_withdrawn_is_kept_for_officials_alone() {
    let registry = registry(NAMES, FIGURES).await;
    place_openly(&registry).await;
    try_withdraw(&mut registry.operator(), JANUARY, "it was wrong")
        .await
        .expect("it is withdrawn");
    refused(
        package(&registry, None, "v1").await,
        Code::FailedPrecondition,
        "EDITION_WITHDRAWN",
    );
    let name = format!("{JANUARY}/openDataPackages/v1");
    refused(
        file(&registry, &name, "figures-001.csv").await,
        Code::FailedPrecondition,
        "EDITION_WITHDRAWN",
    );
    package(&registry, Some("operator"), "v1")
        .await
        .expect("officials see it");
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_with_its_field() {
    let registry = registry(NAMES, FIGURES).await;
    place_openly(&registry).await;
    for version in ["1", "v0", "v01", "V1", "v1/../v2"] {
        let answer = package(&registry, None, version).await;
        assert_eq!(violations(answer), pairs(&[("version", "RESOURCE_NAME")]), "{version}");
    }
    refused(
        package(&registry, None, "v2").await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let name = format!("{JANUARY}/openDataPackages/v1");
    assert_eq!(
        violations(file(&registry, JANUARY, "codes.csv").await),
        pairs(&[("name", "RESOURCE_NAME")])
    );
    assert_eq!(
        violations(file(&registry, &name, "").await),
        pairs(&[("path", "REQUIRED")])
    );
    for path in ["../codes.csv", "codes.CSV", "files/form.csv"] {
        refused(file(&registry, &name, path).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    }
}

/// 120,000 figures of two territories.
const MANY: &str = "
    INSERT INTO forms.figure_set (form, period, revision, rows, sha256, imported_at, imported_by)
    VALUES (1, '2025-M01', 1, 120000, sha256(''), now(), 'operator');
    INSERT INTO forms.code (code_list, code)
    SELECT l.id, 'C' || n FROM forms.code_list l, generate_series(1, 60000) AS n WHERE l.code = 'GRAVITY';
    INSERT INTO forms.code_version
        (code, valid_from, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
         legal_basis_assumed, recorded_at, recorded_by)
    SELECT c.id, '2019-04-15', 'kk', 'ru', 'en', 'act', '', '', false, now(), 'operator'
    FROM forms.code c WHERE c.code LIKE 'C%' AND NOT EXISTS (SELECT FROM forms.code_version v WHERE v.code = c.id);
    INSERT INTO forms.breakdown (dimensions, codes) SELECT '{GRAVITY}', ARRAY[id] FROM forms.code WHERE code ~ '^C[0-9]+$';
    INSERT INTO forms.observation (figure_set, indicator, territory, breakdown, status, value)
    SELECT s.id, i.id, t.id, b.id, 'A', 1000000 + b.id
    FROM forms.figure_set s, forms.indicator i, forms.code t, forms.breakdown b JOIN forms.code c ON c.id = b.codes[1]
    WHERE t.code IN ('710000000', '750000000') AND c.code ~ '^C[0-9]+$'";

#[tokio::test]
async fn no_file_has_more_than_ten_megabytes_and_parts_hold_whole_territories() {
    let registry = registry(NAMES, MANY).await;
    place_openly(&registry).await;
    let package = package(&registry, None, "").await.expect("it is out");
    assert!(package.files.iter().all(|file| file.size_bytes <= 10_000_000));
    let files = files(&registry, &package).await;
    let parts: Vec<&String> = files
        .keys()
        .filter(|path| path.starts_with("figures-") && path.ends_with(".json"))
        .collect();
    assert_eq!(parts, ["figures-001.json", "figures-002.json"]);
    for (part, territory) in parts.into_iter().zip(["710000000", "750000000"]) {
        let rows: Vec<Value> = serde_json::from_slice(&files[part]).expect("an array");
        assert_eq!(rows.len(), 60_000);
        assert!(rows.iter().all(|row| row["territory"] == territory), "{part}");
    }
}

/// How many contents lie in the folder of files.
fn contents(registry: &Registry) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(registry.files.path())
}

#[tokio::test]
async fn no_package_is_made_for_a_placement_that_a_restriction_forbids() {
    let registry = registry(NAMES, FIGURES).await;
    run(&registry, "UPDATE forms.indicator_version SET restricted = true").await;
    let before = contents(&registry);
    let placed = place(&mut registry.operator(), &placing(JANUARY, Place::OpenDataPortal)).await;
    refused(placed, Code::FailedPrecondition, "RESTRICTED_INFORMATION");
    assert_eq!(contents(&registry), before);
    run(&registry, "UPDATE forms.indicator_version SET restricted = false").await;
    place_openly(&registry).await;
    assert!(contents(&registry) > before, "a package has files");
}
