//! Placing editions, and how they stand to their due dates.

use legalstat_proto::forms::v1::{Channel as Place, EditionState, Form, Punctuality, PunctualityReport};
use sqlx::Executor;

use super::{forms::updating, recompute::date, *};

const JANUARY: &str = "forms/1/editions/2025-M01";
const FEBRUARY: &str = "forms/1/editions/2025-M02";
/// 5 February 2025 ends in Almaty.
const DUE: &str = "2025-02-05T19:00:00Z";

/// What a report counts, without its details.
fn counted(report: PunctualityReport) -> PunctualityReport {
    PunctualityReport {
        counts: None,
        answering_from: None,
        ..report
    }
}

async fn punctuality(registry: &Registry) -> PunctualityReport {
    let request = GetPunctualityRequest {
        year: 2025,
        form: "forms/1".into(),
        ..Default::default()
    };
    let report = registry.client(None).get_punctuality(request).await;
    counted(report.expect("it counts").into_inner())
}

#[tokio::test]
async fn a_placement_counts_as_on_time_until_the_due_date_ends() {
    let registry = Registry::at("2025-02-05T18:59:59Z").await;
    let mut operator = registry.operator();
    let before = PunctualityReport {
        year: 2025,
        not_due: 12,
        total: 12,
        ..Default::default()
    };
    assert_eq!(punctuality(&registry).await, before);
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let placed = place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(
        (placed.state(), placed.punctuality()),
        (EditionState::Placed, Punctuality::OnTime)
    );
    let basis = placed.placements[0].legal_basis.clone().expect("it has one");
    assert_eq!(
        (basis.act.as_str(), basis.provision.as_str()),
        ("Instruction", "para 14 and Appendix 2")
    );

    registry.set_clock("2025-03-05T19:00:00Z");
    assert_eq!(
        punctuality(&registry).await,
        PunctualityReport {
            on_time: 1,
            overdue: 1,
            not_due: 10,
            ..before.clone()
        }
    );
    upload(&mut operator, &header(FEBRUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, FEBRUARY).await;
    let placed = place(&mut operator, &placing(FEBRUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(placed.punctuality(), Punctuality::Late);
    assert_eq!(
        punctuality(&registry).await,
        PunctualityReport {
            on_time: 1,
            late: 1,
            not_due: 10,
            ..before.clone()
        }
    );
}

#[tokio::test]
async fn placing_again_on_the_same_channel_changes_nothing_but_is_recorded() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let request = placing(JANUARY, Place::InformationService);
    let first = place(&mut operator, &request).await.expect("it is placed");
    registry.set_clock(DUE);
    assert_eq!(place(&mut operator, &request).await.expect("it is replayed"), first);
    let again = place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("nothing changes");
    assert_eq!(again, first);
    assert_eq!(registry.count("placement").await, 1);
    assert_eq!(
        registry
            .count("journal_entry WHERE outcome IN ('DONE', 'REPEATED') AND method LIKE '%/PlaceEdition'")
            .await,
        2
    );
}

#[tokio::test]
async fn two_placements_at_once_place_one_time() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let (mut one, mut other) = (registry.operator(), registry.operator());
    upload(&mut one, &header(JANUARY), b"a").await.expect("it is taken");
    seal(&mut one, JANUARY).await;
    let requests = [
        placing(JANUARY, Place::InformationService),
        placing(JANUARY, Place::InformationService),
    ];
    let (first, second) = tokio::join!(place(&mut one, &requests[0]), place(&mut other, &requests[1]));
    assert_eq!(
        first.expect("it is placed").placements,
        second.expect("it is placed").placements
    );
    assert_eq!(registry.count("placement").await, 1);
}

#[tokio::test]
async fn an_edition_is_placed_on_several_channels() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let website = place(&mut operator, &placing(JANUARY, Place::OfficialWebsite))
        .await
        .expect("it is placed");
    assert_eq!(
        (website.state(), website.punctuality()),
        (EditionState::Placed, Punctuality::NotDue)
    );
    let both = place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!((both.placements.len(), both.punctuality()), (2, Punctuality::OnTime));
}

#[tokio::test]
async fn the_open_data_portal_takes_only_forms_on_the_approved_list() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let refused = place(&mut operator, &placing(JANUARY, Place::OpenDataPortal)).await;
    assert_refused(
        refused,
        Code::FailedPrecondition,
        "NOT_ON_OPEN_DATA_LIST",
        "Instruction, para 9",
    );
    let entry = "INSERT INTO forms.open_data_list
             (form, valid_from, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         VALUES (1, '2025-02-05', 'Order No. 22', '', '', false)";
    let names = "UPDATE forms.form_version SET title_kk = 'kk', title_ru = 'ru' WHERE form = 1";
    for entered in [entry, names] {
        registry.database().await.execute(entered).await.expect("it is entered");
    }
    let placed = place(&mut operator, &placing(JANUARY, Place::OpenDataPortal))
        .await
        .expect("it is placed");
    assert_eq!(
        placed.placements[0].legal_basis.clone().expect("it has one").provision,
        "para 9"
    );
}

#[tokio::test]
async fn what_has_no_file_or_has_not_ended_is_not_placed() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    let empty = place(&mut operator, &placing(JANUARY, Place::InformationService)).await;
    assert_refused(
        empty,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
        "Instruction, para 14",
    );
    let early = place(&mut operator, &placing(FEBRUARY, Place::InformationService)).await;
    assert_refused(
        early,
        Code::FailedPrecondition,
        "PERIOD_NOT_ENDED",
        "Instruction, Appendix 2",
    );
    let unknown = place(
        &mut operator,
        &placing("forms/1/editions/2018-M01", Place::InformationService),
    )
    .await;
    assert_refused(unknown, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    let wrong = PlaceEditionRequest {
        name: "forms/1/editions/2019-Q5".into(),
        channel: 0,
        ..Default::default()
    };
    let expected = [
        ("name", "PERIOD"),
        ("channel", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(place(&mut operator, &wrong).await), pairs(&expected));
    let wrong = PlaceEditionRequest {
        channel: 9,
        ..placing(JANUARY, Place::InformationService)
    };
    assert_eq!(
        violations(place(&mut operator, &wrong).await),
        pairs(&[("channel", "ENUM")])
    );
    assert_eq!(registry.count("placement").await, 0);
}

#[tokio::test]
async fn validating_a_placement_changes_nothing() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let request = PlaceEditionRequest {
        validate_only: true,
        ..placing(JANUARY, Place::InformationService)
    };
    assert_eq!(
        place(&mut operator, &request)
            .await
            .expect("it would be placed")
            .placements
            .len(),
        1
    );
    assert_eq!(registry.count("placement").await, 0);
}

#[tokio::test]
async fn only_an_operator_uploads_and_places() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    for (caller, code, reason) in [
        (None, Code::Unauthenticated, "CERTIFICATE_REQUIRED"),
        (Some("edms"), Code::PermissionDenied, "ROLE_MISSING"),
        (Some("approver"), Code::PermissionDenied, "ROLE_MISSING"),
    ] {
        let mut client = registry.client(caller);
        assert_refused(
            place(&mut client, &placing(JANUARY, Place::InformationService)).await,
            code,
            reason,
            "",
        );
        assert_refused(upload(&mut client, &header(JANUARY), b"a").await, code, reason, "");
    }
}

#[tokio::test]
async fn the_runtime_role_cannot_rewrite_what_was_placed() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut runtime = registry.running.runtime().await;
    for sql in [
        "UPDATE forms.placement SET punctuality = 'ON_TIME'",
        "DELETE FROM forms.placement",
        "DELETE FROM forms.edition",
        "UPDATE forms.edition_file SET sha256 = ''",
        "UPDATE forms.form SET due_day = 1",
        "UPDATE forms.form_version SET due_day = 1",
        "DELETE FROM forms.form_version",
        "UPDATE forms.answering_day SET day = '2000-01-01'",
        "UPDATE forms.open_data_list SET valid_from = '2000-01-01'",
        "UPDATE forms.open_data_package SET sha256 = sha256('')",
        "DELETE FROM forms.open_data_package",
        "UPDATE forms.open_data_file SET sha256 = sha256('')",
        "DELETE FROM forms.open_data_file",
        "UPDATE forms.figure_set SET sha256 = sha256('')",
        "UPDATE forms.observation SET value = 0",
        "DELETE FROM forms.embargo_end",
        "DELETE FROM forms.journal_entry",
    ] {
        let error = runtime.execute(sql).await.expect_err(sql);
        assert_eq!(
            error.as_database_error().and_then(|error| error.code()).as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn the_database_keeps_what_is_sealed() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let mut runtime = registry.running.runtime().await;
    for sql in [
        "UPDATE forms.revision SET sealed_by = 'another'",
        "UPDATE forms.revision SET sealed_at = NULL, sealed_by = NULL, content_sha256 = NULL, restricted = NULL",
        "UPDATE forms.edition_file SET removed_at = now(), removed_by = 'another'",
        "INSERT INTO forms.edition_file
             (form, period, revision, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, language, restricted)
         SELECT form, period, revision, 'b', content_type, size_bytes, sha256, uploaded_at, uploaded_by, '', false
         FROM forms.edition_file",
    ] {
        let error = runtime.execute(sql).await.expect_err(sql);
        let constraint = error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(constraint.as_deref(), Some("revision_sealed_stays"), "{sql}");
    }
    for sql in [
        "UPDATE forms.revision SET reason = 'another'",
        "DELETE FROM forms.revision",
        "DELETE FROM forms.edition_file",
        "DELETE FROM forms.embargo",
        "UPDATE forms.embargo SET until = NULL",
        "DELETE FROM forms.pre_release",
        "DELETE FROM forms.withdrawal",
        "UPDATE forms.placement SET revision = 2",
    ] {
        let error = runtime.execute(sql).await.expect_err(sql);
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{sql}");
    }
}

/// The first form with these channels.
fn channels(channels: &[Place]) -> Form {
    Form {
        name: "forms/1".into(),
        channels: channels.iter().map(|channel| (*channel).into()).collect(),
        ..Form::default()
    }
}

#[tokio::test]
async fn an_edition_is_on_time_once_it_stands_on_every_channel_that_its_form_names_for_the_period() {
    let registry = Registry::at("2025-01-02T05:00:00Z").await;
    let both = channels(&[Place::InformationService, Place::OfficialWebsite]);
    let website = channels(&[Place::OfficialWebsite]);
    for (form, from) in [(both, date(2025, 2, 1)), (website, date(2025, 3, 1))] {
        let update = updating(form, &["channels"], from);
        registry.update(update).await.expect("it is updated");
    }
    registry.set_clock("2025-03-04T05:00:00Z");
    let mut operator = registry.operator();
    let [december, february] = ["forms/1/editions/2024-M12", "forms/1/editions/2025-M02"];
    for name in [december, JANUARY, february] {
        upload(&mut operator, &header(name), b"a").await.expect("it is taken");
        seal(&mut operator, name).await;
    }
    let mut placed = async |name: &str, channel: Place| place(&mut operator, &placing(name, channel)).await;
    let one = placed(december, Place::InformationService).await.expect("it is placed");
    assert_eq!(one.punctuality(), Punctuality::Late, "December is of the terms before");
    let half = placed(JANUARY, Place::InformationService).await.expect("it is placed");
    assert_eq!(
        (half.state(), half.punctuality()),
        (EditionState::Placed, Punctuality::Overdue)
    );
    let whole = placed(JANUARY, Place::OfficialWebsite).await.expect("it is placed");
    assert_eq!(whole.punctuality(), Punctuality::Late);
    assert!(whole.placements.iter().all(|placement| placement.ordered));
    let refused = placed(february, Place::InformationService).await;
    let law = "Instruction, para 14 and Appendix 2";
    assert_refused(refused, Code::FailedPrecondition, "CHANNEL_NOT_ORDERED", law);
    let alone = placed(february, Place::OfficialWebsite).await.expect("it is placed");
    assert_eq!(alone.punctuality(), Punctuality::OnTime);
    let unordered = placed(december, Place::OfficialWebsite).await.expect("it is placed");
    let ordered: Vec<bool> = unordered.placements.iter().map(|placement| placement.ordered).collect();
    assert_eq!(ordered, [true, false], "told, and open there all the same");

    let request = GetPunctualityRequest {
        year: 2025,
        form: "forms/1".into(),
        ..Default::default()
    };
    let report = operator.get_punctuality(request).await.expect("it counts").into_inner();
    let counts = report.counts.expect("it has counts");
    assert_eq!((counts.placed, counts.on_time, counts.late, counts.nil), (2, 1, 1, 0));
}

#[tokio::test]
async fn what_was_met_stays_met_and_placed_when_its_form_names_another_channel_later() {
    let registry = Registry::at("2025-02-01T05:00:00Z").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let service = placing(JANUARY, Place::InformationService);
    place(&mut operator, &service).await.expect("it is placed");
    let both = channels(&[Place::InformationService, Place::OfficialWebsite]);
    let update = updating(both, &["channels"], date(2025, 2, 3));
    registry.update(update).await.expect("it is updated");
    let report = punctuality(&registry).await;
    assert_eq!((report.on_time, report.not_due), (1, 11));
}

#[tokio::test]
async fn placing_again_meets_the_due_date_of_what_stands_on_every_channel_that_its_form_still_names() {
    let registry = Registry::at("2025-02-01T05:00:00Z").await;
    let both = channels(&[Place::InformationService, Place::OfficialWebsite]);
    let update = updating(both, &["channels"], date(2025, 2, 1));
    registry.update(update).await.expect("it is updated");
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let service = || placing(JANUARY, Place::InformationService);
    place(&mut operator, &service()).await.expect("it is placed");
    let one = channels(&[Place::InformationService]);
    let update = updating(one, &["channels"], date(2025, 2, 2));
    registry.update(update).await.expect("it is updated");
    registry.set_clock("2025-02-10T05:00:00Z");
    assert_eq!(get(&mut operator, JANUARY).await.punctuality(), Punctuality::Overdue);
    let met = place(&mut operator, &service()).await.expect("it is met");
    assert_eq!((met.punctuality(), met.placements.len()), (Punctuality::OnTime, 1));
    assert_eq!(
        get(&mut operator, JANUARY).await.punctuality(),
        Punctuality::OnTime,
        "it is kept"
    );
    let report = punctuality(&registry).await;
    assert_eq!((report.on_time, report.overdue), (1, 0));
    place(&mut operator, &service()).await.expect("nothing changes");
    for (kind, times) in [("edition.placed", 2), ("edition.placement_repeated", 1)] {
        let told = format!("outbox_event WHERE kind = '{kind}' AND resource = '{JANUARY}'");
        assert_eq!(registry.count(&told).await, times, "{kind}");
    }
}
