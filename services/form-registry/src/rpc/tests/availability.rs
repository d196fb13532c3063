//! What request-intake learns about the items of a request.

use legalstat_proto::forms::v1::{
    AccountingDetail, Availability, AvailabilityItem, AvailabilityView, BatchCreateDetailsRequest, Channel as Place,
    CheckAvailabilityRequest, CheckAvailabilityResponse, Form, Indicator, ItemAvailability, Periodicity,
};

use super::{
    forms::updating,
    recompute::date,
    registers::{basis, code, day, enter, enter_codes, id, indicator, title},
    *,
};

const NOW: &str = "2025-03-05T05:00:00Z";

async fn check(client: &mut Client, items: Vec<AvailabilityItem>) -> Result<Vec<ItemAvailability>, Status> {
    Ok(client
        .check_availability(CheckAvailabilityRequest {
            items,
            ..Default::default()
        })
        .await?
        .into_inner()
        .items)
}

fn item(form: &str, period: &str, until_period: &str) -> AvailabilityItem {
    AvailabilityItem {
        form: form.into(),
        period: period.into(),
        until_period: until_period.into(),
        ..AvailabilityItem::default()
    }
}

#[tokio::test]
async fn each_item_has_its_finding_in_the_order_asked() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for month in ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"] {
        upload(&mut operator, &header(month), b"a").await.expect("it is taken");
        seal(&mut operator, month).await;
    }
    place(
        &mut operator,
        &placing("forms/1/editions/2025-M01", Place::InformationService),
    )
    .await
    .expect("it is placed");
    place(
        &mut operator,
        &placing("forms/1/editions/2025-M02", Place::OfficialWebsite),
    )
    .await
    .expect("it is placed");

    let asked = [
        (item("forms/1", "2025-M01", ""), Availability::Placed, "para 7"),
        (item("forms/1", "2025-M01", "2025-M02"), Availability::Placed, "para 7"),
        (
            item("forms/1", "2025-M01", "2025-M03"),
            Availability::Undetermined,
            "para 5",
        ),
        (item("forms/1", "2025-Q1", ""), Availability::Undetermined, "para 5"),
        (item("", "2025-M01", ""), Availability::Undetermined, "para 5"),
        (item("forms/99", "2025-M01", ""), Availability::NotRegistered, "para 5"),
    ];
    let items = asked.iter().map(|(item, ..)| item.clone()).collect();
    let found = check(&mut registry.client(Some("request-intake")), items)
        .await
        .expect("it answers");
    for ((item, availability, provision), found) in asked.iter().zip(&found) {
        assert_eq!(found.availability(), *availability, "{item:?}");
        assert_eq!(
            found.legal_basis.as_ref().map(|basis| basis.provision.as_str()),
            Some(*provision),
            "{item:?}"
        );
    }
    let both = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
    assert_eq!(found[1].editions, both, "the website is an open source as well");
}

#[tokio::test]
async fn words_are_a_title_in_the_basic_view_and_near_one_for_at_most_five_items_in_the_full_view() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    let words = "Registered crimes";
    let entered = Indicator {
        title: title(words),
        ..indicator("crimes", &[])
    };
    enter(&mut operator, "forms/1", vec![entered])
        .await
        .expect("it is entered");
    let item = |words: &str| AvailabilityItem {
        words: words.into(),
        ..item("forms/1", "2026-M01", "")
    };
    let mut ask = async |items: Vec<AvailabilityItem>, view: AvailabilityView| {
        let request = CheckAvailabilityRequest {
            items,
            view: view.into(),
            languages: Vec::new(),
        };
        operator.check_availability(request).await
    };
    let near = format!("{words} of the year");
    let items = vec![item(&words.to_uppercase()), item(&near)];
    let found = |answer: Result<tonic::Response<CheckAvailabilityResponse>, tonic::Status>| -> Vec<usize> {
        let items = answer.expect("it answers").into_inner().items;
        items.iter().map(|item| item.indicators.len()).collect()
    };
    assert_eq!(found(ask(items.clone(), AvailabilityView::Basic).await), [1, 0]);
    assert_eq!(found(ask(items, AvailabilityView::Full).await), [1, 1]);
    let many = vec![item(&near); 6];
    let refused = ask(many.clone(), AvailabilityView::Full).await;
    assert_eq!(violations(refused), pairs(&[("items", "TOO_MANY")]));
    assert_eq!(found(ask(many, AvailabilityView::Basic).await), [0; 6]);
}

#[tokio::test]
async fn a_call_asks_about_1_to_100_items() {
    let registry = Registry::at(NOW).await;
    let mut intake = registry.client(Some("request-intake"));
    for (count, reason) in [(0, "REQUIRED"), (101, "TOO_MANY")] {
        let answer = check(&mut intake, vec![item("forms/1", "2025-M01", ""); count]).await;
        assert_eq!(violations(answer), pairs(&[("items", reason)]), "{count}");
    }
    assert_eq!(
        check(&mut intake, vec![item("forms/1", "2025-M01", ""); 100])
            .await
            .expect("it answers")
            .len(),
        100
    );
}

#[tokio::test]
async fn only_intake_and_officials_ask() {
    let registry = Registry::at(NOW).await;
    for caller in ["edms", "calendar", "auditor"] {
        let answer = check(
            &mut registry.client(Some(caller)),
            vec![item("forms/1", "2025-M01", "")],
        )
        .await;
        assert_refused(answer, Code::PermissionDenied, "ROLE_MISSING", "");
    }
}

/// Uploads, seals and places an edition on a channel.
async fn placed(registry: &Registry, name: &str, channel: Place) -> Edition {
    let mut operator = registry.operator();
    upload(&mut operator, &header(name), b"a").await.expect("it is taken");
    seal(&mut operator, name).await;
    let mut placing = placing(name, channel);
    placing.address = "https://example.kz/1".into();
    place(&mut operator, &placing).await.expect("it is placed")
}

async fn check_one(registry: &Registry, item: AvailabilityItem) -> ItemAvailability {
    let found = check(&mut registry.client(Some("request-intake")), vec![item]).await;
    found.expect("it answers").remove(0)
}

#[tokio::test]
async fn after_a_change_of_periodicity_an_item_about_an_earlier_period_is_answered_as_it_stood_then() {
    let registry = Registry::at(NOW).await;
    placed(&registry, "forms/1/editions/2025-M01", Place::InformationService).await;
    let quarterly = Form {
        name: "forms/1".into(),
        periodicity: Periodicity::Quarterly.into(),
        ..Form::default()
    };
    let update = updating(quarterly, &["periodicity"], date(2025, 4, 1));
    registry.update(update).await.expect("it is updated");
    registry.set_clock("2025-07-20T05:00:00Z");
    placed(&registry, "forms/1/editions/2025-Q2", Place::InformationService).await;
    for (period, availability) in [
        ("2025-M01", Availability::Placed),
        ("2025-Q2", Availability::Placed),
        ("2025-M05", Availability::Undetermined),
        ("2025-Q1", Availability::Undetermined),
    ] {
        let found = check_one(&registry, item("forms/1", period, "")).await;
        assert_eq!(found.availability(), availability, "{period}: {found:?}");
    }
}

#[tokio::test]
async fn what_is_open_is_told_with_address_and_hash_and_what_was_declared_nil_as_nil() {
    let registry = Registry::at(NOW).await;
    let (january, february) = ("forms/1/editions/2025-M01", "forms/1/editions/2025-M02");
    let edition = placed(&registry, january, Place::InformationService).await;
    let nil = try_declare_nil(&mut registry.operator(), february, "no cases").await;
    let nil = nil.expect("it is declared");
    let found = check_one(&registry, item("forms/1", "2025-M01", "2025-M02")).await;
    assert_eq!(found.availability(), Availability::Placed);
    let told: Vec<_> = found
        .open_editions
        .iter()
        .map(|open| (open.edition.as_str(), open.nil, open.revision))
        .collect();
    assert_eq!(told, [(january, false, 1), (february, true, 1)]);
    let hashes: Vec<_> = found
        .open_editions
        .iter()
        .map(|open| open.content_sha256.clone())
        .collect();
    assert_eq!(hashes, [edition.content_sha256, nil.content_sha256]);
    assert_eq!(found.open_editions[0].address, "https://example.kz/1");
    let found = check_one(&registry, item("forms/1", "2025-M02", "")).await;
    assert_eq!(found.availability(), Availability::Nil);
    assert_eq!(found.legal_basis.expect("it has one").provision, "para 7");
    assert_eq!(found.editions, [february]);
}

#[tokio::test]
async fn only_what_is_served_now_counts() {
    let registry = Registry::at(NOW).await;
    let january = "forms/1/editions/2025-M01";
    placed(&registry, january, Place::InformationService).await;
    let mut operator = registry.operator();
    let asked = || item("forms/1", "2025-M01", "");
    try_correct(&mut operator, january, "a slip")
        .await
        .expect("it is begun");
    assert_eq!(check_one(&registry, asked()).await.open_editions[0].revision, 1);
    upload(&mut operator, &header(january), b"b")
        .await
        .expect("it is taken");
    seal(&mut operator, january).await;
    let mut website = placing(january, Place::OfficialWebsite);
    website.address = "https://website.kz/1".into();
    place(&mut operator, &website).await.expect("it is placed");
    let open = check_one(&registry, asked()).await.open_editions.remove(0);
    assert_eq!((open.revision, open.address.as_str()), (2, "https://website.kz/1"));
    let mut service = placing(january, Place::InformationService);
    service.address = "https://service.kz/1".into();
    place(&mut operator, &service).await.expect("it is placed");
    let open = check_one(&registry, asked()).await.open_editions.remove(0);
    assert_eq!(
        (open.revision, open.address.as_str()),
        (2, "https://service.kz/1"),
        "the form names that channel"
    );
    try_withdraw(&mut operator, january, "wrong")
        .await
        .expect("it is withdrawn");
    assert_eq!(check_one(&registry, asked()).await.editions, [""; 0]);
}

#[tokio::test]
async fn details_of_accounting_documents_are_found_by_name_and_words() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    enter_codes(&mut operator, "ACCOUNTING_DOCUMENT", vec![code("card-1", "")])
        .await
        .expect("it is entered");
    let detail = |code: &str, en: &str, restricted| AccountingDetail {
        code: code.into(),
        title: title(en),
        unit: "CRIME".into(),
        restricted,
        valid_from: day("2024-01-01"),
        legal_basis: basis(),
        ..AccountingDetail::default()
    };
    let request = BatchCreateDetailsRequest {
        parent: "accountingDocuments/card-1".into(),
        details: vec![
            detail("article", "Article of the criminal code", false),
            detail("name", "Name of the victim", true),
        ],
        request_id: id(),
        validate_only: false,
    };
    operator.batch_create_details(request).await.expect("they are entered");
    let named = |name: &str, period: &str| AvailabilityItem {
        detail: name.into(),
        ..item("", period, "")
    };
    let words = |words: &str| AvailabilityItem {
        words: words.into(),
        ..item("", "2025-M01", "")
    };
    let article = "accountingDocuments/card-1/details/article";
    for (asked, availability, matched) in [
        (named(article, "2025-M01"), Availability::NotPlaced, article),
        (words("article of the criminal code"), Availability::NotPlaced, article),
        (
            named("accountingDocuments/card-1/details/none", "2025-M01"),
            Availability::NotRegistered,
            "",
        ),
        (
            named("accountingDocuments/card-2/details/none", "2025-M01"),
            Availability::Undetermined,
            "",
        ),
        (named(article, "2023-M01"), Availability::Undetermined, ""),
    ] {
        let found = check_one(&registry, asked.clone()).await;
        assert_eq!(
            (found.availability(), found.matched.as_str()),
            (availability, matched),
            "{asked:?}"
        );
        let is_detail =
            |found: &legalstat_proto::forms::v1::IndicatorMatch| found.indicator.is_empty() && found.detail == article;
        assert!(found.indicators.iter().all(is_detail), "{found:?}");
    }
    let secret = check_one(&registry, named("accountingDocuments/card-1/details/name", "2025-M01")).await;
    assert!(
        secret.restricted && secret.availability() == Availability::NotPlaced,
        "{secret:?}"
    );
    let both = AvailabilityItem {
        indicator: "forms/1/indicators/a".into(),
        ..named(article, "2025-M01")
    };
    let answer = check(&mut operator, vec![both, named("card-1", "2025-M01")]).await;
    let expected = [("items[0].detail", "CONFLICT"), ("items[1].detail", "RESOURCE_NAME")];
    assert_eq!(violations(answer), pairs(&expected));
}

#[tokio::test]
async fn words_are_answered_for_their_own_periods_though_another_item_names_their_form() {
    let registry = Registry::at(NOW).await;
    let crimes = indicator("registered crimes of the year", &[]);
    let crimes = Indicator {
        code: "crimes".into(),
        ..crimes
    };
    enter(&mut registry.operator(), "forms/1", vec![crimes])
        .await
        .expect("it is entered");
    let february = "forms/1/editions/2025-M02";
    placed(&registry, february, Place::InformationService).await;
    let words = AvailabilityItem {
        words: "registered crimes of the year".into(),
        ..item("", "2025-M02", "")
    };
    let items = vec![item("forms/1", "2025-M01", ""), words];
    let found = check(&mut registry.client(Some("request-intake")), items).await;
    let found = found.expect("it answers");
    assert_eq!(found[1].matched, "forms/1/indicators/crimes");
    assert_eq!(
        (found[0].editions.len(), &found[1].editions[..]),
        (0, &[february.to_owned()][..])
    );
}

#[tokio::test]
async fn a_title_is_found_in_a_long_sentence_and_a_weak_match_decides_nothing() {
    let registry = Registry::at(NOW).await;
    let titled = |code: &str, en: &str, restricted| Indicator {
        code: code.into(),
        restricted,
        ..indicator(en, &[])
    };
    let crimes = titled("crimes", "Crimes against property", false);
    let secrets = titled("secrets", "Suicides of convicted persons in custody", true);
    enter(&mut registry.operator(), "forms/1", vec![crimes, secrets])
        .await
        .expect("they are entered");
    placed(&registry, "forms/1/editions/2025-M01", Place::InformationService).await;
    let sentence = "For the report of our department to the regional council we kindly ask you to send us the number of \
                    crimes against property for the first month of this year, as it was told to us in spring";
    let words = |words: &str| AvailabilityItem {
        words: words.into(),
        ..item("forms/1", "2025-M01", "")
    };
    let found = check_one(&registry, words(sentence)).await;
    assert_eq!(
        (found.matched.as_str(), found.availability()),
        ("forms/1/indicators/crimes", Availability::Placed),
        "{found:?}"
    );
    let found = check_one(&registry, words("all persons in custody")).await;
    assert_eq!(found.indicators[0].indicator, "forms/1/indicators/secrets", "{found:?}");
    assert_eq!(
        (found.matched.as_str(), found.restricted, found.availability()),
        ("", false, Availability::Undetermined),
        "{found:?}"
    );
}

#[tokio::test]
async fn an_unknown_territory_or_view_is_told() {
    let registry = Registry::at(NOW).await;
    placed(&registry, "forms/1/editions/2025-M01", Place::InformationService).await;
    enter_codes(&mut registry.operator(), "KATO", vec![code("75", "")])
        .await
        .expect("it is entered");
    for (territories, availability) in [
        (&["75"][..], Availability::Placed),
        (&["75", "76"], Availability::Undetermined),
    ] {
        let asked = AvailabilityItem {
            territories: territories.iter().map(|code| (*code).to_owned()).collect(),
            ..item("forms/1", "2025-M01", "")
        };
        assert_eq!(
            check_one(&registry, asked).await.availability(),
            availability,
            "{territories:?}"
        );
    }
    let many = AvailabilityItem {
        territories: vec!["75".into(); 101],
        ..item("forms/1", "2025-M01", "")
    };
    let request = CheckAvailabilityRequest {
        items: vec![many],
        view: 9,
        languages: Vec::new(),
    };
    let answer = registry.operator().check_availability(request).await;
    assert_eq!(
        violations(answer),
        pairs(&[("items[0].territories", "TOO_MANY"), ("view", "ENUM")])
    );
}
