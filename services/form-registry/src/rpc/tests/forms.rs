//! Forms as an administrator enters and changes them, and how the schedule follows.

use legalstat_proto::{
    calendar::v1::CalendarChangeKind,
    common::v1::{Date, LegalBasis, LocalizedText},
    forms::v1::{
        BodyKind, Channel as Place, CreateFormRequest, Form, FormVersionKind, GetEditionRequest, GetFormRequest,
        ListFormVersionsRequest, ListFormsRequest, ListScheduleRequest, Periodicity, Responsible, UpdateFormRequest,
    },
};

use super::{
    recompute::{act, date},
    *,
};

pub(super) const NOW: &str = "2026-11-24T05:00:00Z";

pub(super) fn law(act: &str) -> Option<LegalBasis> {
    Some(LegalBasis {
        act: act.into(),
        provision: "para 1".into(),
        ..Default::default()
    })
}

fn entered() -> CreateFormRequest {
    CreateFormRequest {
        form: Some(Form {
            list_number: 27,
            code: "1-X".into(),
            title: Some(LocalizedText {
                ru: "О чём-то".into(),
                ..Default::default()
            }),
            periodicity: Periodicity::Monthly.into(),
            due_day: 5,
            roll_forward: true,
            roll_forward_basis: law("Order No. 7"),
            legal_basis: law("Order No. 7"),
            valid_from: date(2026, 1, 1),
            channels: vec![Place::InformationService.into(), Place::OfficialWebsite.into()],
            responsible: Some(Responsible {
                body: BodyKind::Territorial.into(),
                territory: "710000000".into(),
                unit: "Statistics".into(),
            }),
            ..Default::default()
        }),
        reason: "Order No. 7 of 2025".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

/// What an update asks for.
pub(super) fn updating(form: Form, paths: &[&str], from: Option<Date>) -> UpdateFormRequest {
    UpdateFormRequest {
        form: Some(form),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        effective_from: from,
        reason: "Order No. 8".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

pub(super) fn due_day(number: i32, due_day: i32) -> Form {
    Form {
        name: format!("forms/{number}"),
        due_day,
        ..Default::default()
    }
}

impl Registry {
    pub(super) fn administrator(&self) -> Client {
        self.client(Some("administrator"))
    }

    async fn create(&self, request: CreateFormRequest) -> Result<Form, Status> {
        let created = self.administrator().create_form(request).await;
        created.map(tonic::Response::into_inner)
    }

    pub(super) async fn update(&self, request: UpdateFormRequest) -> Result<Form, Status> {
        let updated = self.administrator().update_form(request).await;
        updated.map(tonic::Response::into_inner)
    }

    pub(super) async fn form(&self, name: &str, as_of: Option<Date>) -> Result<Form, Status> {
        let request = GetFormRequest {
            name: name.into(),
            as_of,
            languages: Vec::new(),
        };
        let form = self.client(None).get_form(request).await;
        form.map(tonic::Response::into_inner)
    }

    /// The due dates of a form's editions of a year, by period.
    pub(super) async fn scheduled(&self, form: &str, year: i32) -> Vec<(String, Option<Date>)> {
        let request = ListScheduleRequest {
            year,
            form: form.into(),
            ..Default::default()
        };
        let items = self.client(None).list_schedule(request).await.expect("it lists");
        let items = items.into_inner().items.into_iter();
        items.map(|item| (item.period, item.due_date)).collect()
    }

    async fn edition(&self, name: &str) -> Edition {
        let request = GetEditionRequest {
            name: name.into(),
            ..Default::default()
        };
        let edition = self.client(None).get_edition(request).await;
        edition.expect("it is scheduled").into_inner()
    }
}

#[tokio::test]
async fn a_form_that_an_administrator_enters_is_scheduled_at_once() {
    let registry = Registry::at(NOW).await;
    let request = entered();
    let trial = CreateFormRequest {
        validate_only: true,
        ..entered()
    };
    registry.create(trial).await.expect("it would be entered");
    assert_eq!(registry.count("form WHERE list_number = 27").await, 0);
    let form = registry.create(request.clone()).await.expect("it is entered");
    assert_eq!((form.name.as_str(), form.version, form.valid_to), ("forms/27", 1, None));
    assert_eq!(form.missing_languages, ["kk", "en"]);
    assert_eq!(registry.form("forms/27", None).await.expect("it is registered"), form);
    assert_eq!(registry.create(request).await.expect("it is replayed"), form);
    let items = registry.scheduled("forms/27", 2026).await;
    assert_eq!(items.len(), 12);
    assert_eq!(
        items[10],
        ("2026-M11".into(), date(2026, 12, 7)),
        "5 December is a Saturday"
    );
    let before = registry.scheduled("forms/27", 2025).await;
    assert_eq!(
        before,
        [("2025-M12".into(), date(2026, 1, 5))],
        "due on a day on which it is in force"
    );
    assert_eq!(registry.scheduled("forms/27", 2035).await.len(), 12);
    assert_eq!(registry.count("outbox_event WHERE kind = 'form.created'").await, 1);
    let taken = registry.create(entered()).await;
    assert_refused(taken, Code::AlreadyExists, "ALREADY_EXISTS", "");

    // The register of the release loads as before, whatever an administrator has entered.
    let context = registry.running.context(|| instant(NOW));
    let stored = crate::db::reference::load(&context).await.expect("it loads");
    let released = crate::domain::register::appendix_2().expect("it is readable");
    assert_eq!(crate::db::reference::edited(&released, &stored), Vec::<String>::new());
    assert_eq!(registry.count("form_version").await, 27);
}

#[tokio::test]
async fn every_fault_of_a_form_is_named_at_once() {
    let registry = Registry::at(NOW).await;
    let wrong = Form {
        list_number: 0,
        code: "1\n2".into(),
        due_day: 29,
        legal_basis: Some(LegalBasis {
            uri: "http://x".into(),
            ..Default::default()
        }),
        valid_from: date(2019, 4, 14),
        valid_to: date(2027, 1, 1),
        missing_languages: vec!["kk".into()],
        version: 1,
        etag: "1".into(),
        channels: vec![Place::OfficialWebsite.into(), Place::OfficialWebsite.into(), 9],
        responsible: Some(Responsible {
            body: BodyKind::Territorial.into(),
            territory: "71".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let refused = registry
        .create(CreateFormRequest {
            form: Some(wrong),
            ..Default::default()
        })
        .await;
    let expected = [
        ("form.list_number", "OUT_OF_RANGE"),
        ("form.code", "INVALID_CHARACTER"),
        ("form.title", "REQUIRED"),
        ("form.periodicity", "REQUIRED"),
        ("form.due_day", "OUT_OF_RANGE"),
        ("form.roll_forward_basis", "REQUIRED"),
        ("form.legal_basis.act", "REQUIRED"),
        ("form.legal_basis.uri", "URI"),
        ("form.valid_from", "OUT_OF_RANGE"),
        ("form.valid_to", "SET_BY_SERVICE"),
        ("form.missing_languages", "SET_BY_SERVICE"),
        ("form.version", "SET_BY_SERVICE"),
        ("form.etag", "SET_BY_SERVICE"),
        ("form.channels[1]", "DUPLICATE"),
        ("form.channels[2]", "ENUM"),
        ("form.responsible.territory", "TERRITORY"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(refused), pairs(&expected));
    let nothing = updating(due_day(1, 7), &[], None);
    assert_eq!(
        violations(registry.update(nothing).await),
        pairs(&[("update_mask", "REQUIRED")])
    );
    let unknown = updating(due_day(1, 7), &["due_day", "colour"], None);
    let expected = [("update_mask", "UNKNOWN"), ("effective_from", "REQUIRED")];
    assert_eq!(violations(registry.update(unknown).await), pairs(&expected));
    let early = updating(due_day(1, 29), &["due_day"], date(2019, 4, 14));
    let expected = [("form.due_day", "OUT_OF_RANGE"), ("effective_from", "OUT_OF_RANGE")];
    assert_eq!(violations(registry.update(early).await), pairs(&expected));
    let unregistered = registry
        .update(updating(due_day(27, 7), &["due_day"], date(2027, 1, 1)))
        .await;
    assert_refused(unregistered, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    for (caller, code, reason) in [
        (None, Code::Unauthenticated, "CERTIFICATE_REQUIRED"),
        (Some("operator"), Code::PermissionDenied, "ROLE_MISSING"),
    ] {
        let refused = registry.client(caller).create_form(entered()).await;
        assert_refused(refused, code, reason, "");
    }
}

#[tokio::test]
async fn other_terms_move_what_is_due_under_them_and_not_met_and_keep_what_was_promised() {
    let registry = Registry::at(NOW).await;
    let (placed, open) = ("forms/1/editions/2026-M09", "forms/1/editions/2026-M10");
    let mut operator = registry.operator();
    upload(&mut operator, &header(placed), b"a").await.expect("it is taken");
    seal(&mut operator, placed).await;
    place(&mut operator, &placing(placed, Place::InformationService))
        .await
        .expect("it is placed");
    let before = registry.due_dates().await;
    let request = updating(due_day(1, 10), &["due_day"], date(2026, 10, 1));
    let form = registry.update(request.clone()).await.expect("it is updated");
    assert_eq!(
        (form.due_day, form.version, form.valid_from),
        (10, 2, date(2026, 10, 1))
    );
    assert_eq!(registry.update(request).await.expect("it is replayed"), form);
    let after = registry.due_dates().await;
    let changed: Vec<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    assert!(
        changed.iter().all(|name| name.starts_with("forms/1/editions/2")),
        "{changed:?}"
    );
    assert_eq!(after[placed], before[placed], "it is met");
    assert_eq!(
        after["forms/1/editions/2026-M08"], before["forms/1/editions/2026-M08"],
        "due by the former terms"
    );
    assert_eq!(
        (before[open].as_str(), after[open].as_str()),
        ("2026-11-05", "2026-11-10")
    );
    let edition = registry.edition(open).await;
    let moved = &edition.due_date_changes[0];
    assert_eq!(
        (moved.old_due_date, moved.new_due_date),
        (date(2026, 11, 5), date(2026, 11, 10))
    );
    assert_eq!(moved.change(), CalendarChangeKind::TermsChanged);
    assert_eq!(
        (moved.terms.as_str(), moved.reason.as_str()),
        ("forms/1/versions/2", "Order No. 8")
    );
    let told = format!("outbox_event WHERE kind = 'edition.due_date_moved' AND resource = '{open}'");
    assert_eq!(registry.count(&told).await, 1);
    assert_eq!(
        i64::try_from(changed.len()).expect("few"),
        registry.count("due_date_change WHERE change = 'TERMS_CHANGED'").await
    );

    for (day, due) in [(date(2026, 9, 30), 5), (date(2026, 10, 1), 10), (None, 10)] {
        assert_eq!(
            registry.form("forms/1", day).await.expect("it is in force").due_day,
            due,
            "{day:?}"
        );
    }
    let nobody = registry
        .form("forms/1", date(2019, 4, 15))
        .await
        .expect("its first day");
    assert_eq!(nobody.valid_to, date(2026, 9, 30));
    let versions = ListFormVersionsRequest {
        parent: "forms/1".into(),
        ..Default::default()
    };
    let versions = registry
        .administrator()
        .list_form_versions(versions)
        .await
        .expect("it lists");
    let versions = versions.into_inner().form_versions;
    let kinds: Vec<FormVersionKind> = versions.iter().map(|version| version.kind()).collect();
    assert_eq!(kinds, [FormVersionKind::Loaded, FormVersionKind::Updated]);
    assert_eq!(
        (versions[1].reason.as_str(), versions[1].recorded_by.as_str()),
        ("Order No. 8", "administrator")
    );

    // Open due dates follow the calendar by the new terms.
    registry
        .record(act("order-9", date(2026, 12, 10), date(2026, 12, 19)))
        .await;
    registry.until_followed("").await;
    assert_eq!(registry.due_dates().await["forms/1/editions/2026-M11"], "2026-12-11");
}

#[tokio::test]
async fn of_two_who_change_a_form_at_once_one_is_told_to_read_it_again() {
    let registry = Registry::at(NOW).await;
    let form = registry.form("forms/1", None).await.expect("it is registered");
    let edit = |title_kk: &str| {
        let title = LocalizedText {
            kk: title_kk.into(),
            ..Default::default()
        };
        let form = Form {
            title: Some(title),
            ..form.clone()
        };
        updating(form, &["title.kk"], None)
    };
    let (one, other) = tokio::join!(registry.update(edit("бір")), registry.update(edit("екі")));
    let (kept, refused) = match (one, other) {
        (Ok(kept), refused) => (kept, refused),
        (refused, kept) => (kept.expect("one of them is carried out"), refused),
    };
    assert_refused(refused, Code::Aborted, "ETAG_MISMATCH", "");
    assert_eq!(registry.form("forms/1", None).await.expect("it is registered"), kept);
    assert_refused(registry.update(edit("үш")).await, Code::Aborted, "ETAG_MISMATCH", "");
    assert_eq!(registry.count("form_version WHERE form = 1").await, 2);
}

#[tokio::test]
async fn a_missing_title_is_entered_without_the_calendar_and_moves_nothing() {
    let registry = Registry::at(NOW).await;
    let before = registry.due_dates().await;
    registry.calendar.shut();
    let title = LocalizedText {
        kk: "атауы".into(),
        ru: "название".into(),
        ..Default::default()
    };
    let form = Form {
        name: "forms/2".into(),
        title: Some(title),
        ..Default::default()
    };
    let request = updating(form.clone(), &["title.kk", "title.ru"], None);
    let corrected = registry.update(request).await.expect("it is corrected");
    assert!(corrected.missing_languages.is_empty() && corrected.valid_from == date(2019, 4, 15));
    let again = updating(form, &["title.kk", "title.ru"], None);
    assert_eq!(
        registry.update(again).await.expect("nothing changes").version,
        corrected.version
    );
    assert_eq!(registry.due_dates().await, before);
    let moved = registry
        .update(updating(due_day(2, 7), &["due_day"], date(2027, 1, 1)))
        .await;
    assert_refused(moved, Code::Unavailable, "DEPENDENCY_UNAVAILABLE", "");
    assert_eq!(registry.count("form_version WHERE form = 2").await, 2);
    let listed = ListFormsRequest {
        as_of: date(2026, 1, 1),
        page_size: 2,
        ..Default::default()
    };
    let listed = registry
        .client(None)
        .list_forms(listed)
        .await
        .expect("it lists")
        .into_inner();
    assert_eq!(listed.forms[1], corrected);
    assert!(!listed.next_page_token.is_empty());
    let before = ListFormsRequest {
        as_of: date(2019, 4, 14),
        ..Default::default()
    };
    assert_eq!(
        violations(registry.client(None).list_forms(before).await),
        pairs(&[("as_of", "OUT_OF_RANGE")])
    );
}
