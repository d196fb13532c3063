//! What intake finds about the items of a request in the real registry: open, not open, restricted, undetermined.

use serde_json::{Value, json};

use crate::command_line::request;
use legalstat_test_support::system::System;

const JANUARY: &str = "forms/1/editions/2025-M01";
const ADDRESS: &str = "https://qamqor.gov.kz/1-m";

/// Indicators of form 1, and a detail of an accounting document; January of 2025 is placed.
fn with_registers() -> (System, String) {
    let system = System::start();
    let law = ["--valid-from", "2020-01-01", "--act", "Order No. 7"];
    let import = |what: &str, of: &str, table: &str| {
        let file = system.file("table.csv", table);
        system.json(&[&["forms", what, "import", of, "--content", &file][..], &law].concat());
    };
    let indicators = "code,title_en,unit,measure,by_territory,restricted
crimes,Registered crimes,CRIME,number,no,no
persons,Persons convicted of crimes,PERSON,number,no,no
secrets,Crimes that are a state secret,CRIME,number,no,yes
";
    import("indicators", "1", indicators);
    import(
        "code-lists",
        "ACCOUNTING_DOCUMENT",
        "code,title_en\ncard-1,Card of a crime\n",
    );
    import(
        "details",
        "card-1",
        "code,title_en,unit\narticle,Article of the code,CRIME\n",
    );
    let content = system.file("form.csv", "a;1\n");
    system.json(&["forms", "upload", JANUARY, "--content", &content]);
    let sealed = system.json(&["forms", "seal", JANUARY]);
    system.json(&["forms", "place", JANUARY, "--address", ADDRESS]);
    let hash = sealed["contentSha256"].as_str().expect("it has a hash").to_owned();
    (system, hash)
}

/// What the checks about an item found, each as outcome, text and law: whether it is within the indicators, and whether it is open.
fn found(system: &System, item: Value) -> [(String, String, String); 2] {
    checks(system, item).map(|check| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let outcome = text(&check["outcome"]).replace("CHECK_OUTCOME_", "");
        (
            outcome,
            text(&check["text"]["en"]),
            text(&check["legalBasis"]["provision"]),
        )
    })
}

/// The two checks themselves.
fn checks(system: &System, item: Value) -> [Value; 2] {
    let mut asked = request();
    // Each item is asked about once.
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, item.to_string().as_bytes());
    asked["requestId"] = json!(id.to_string());
    asked["request"]["items"] = json!([item]);
    let file = system.file("request.json", &asked.to_string());
    let answer = system.examined(&["requests", "submit", "--as", "edms", "--file", &file]);
    assert_eq!(answer["state"], "REQUEST_STATE_REGISTERED", "{answer}");
    let checks = answer["examination"]["checks"].as_array().expect("a list");
    ["CHECK_RULE_WITHIN_INDICATORS", "CHECK_RULE_NOT_OPENLY_AVAILABLE"].map(|rule| {
        let check = checks.iter().find(|check| check["rule"] == rule);
        check.expect("it is made").clone()
    })
}

fn item(more: &Value) -> Value {
    let mut item = json!({ "kind": "ITEM_KIND_STATISTICS", "description": "Registered crimes", "unit": "UNIT_CRIME", "period": "2025-M01" });
    let fields = more.as_object().expect("an object").clone();
    item.as_object_mut().expect("an object").extend(fields);
    item
}

#[test]
fn each_item_is_judged_by_what_the_registry_holds() {
    let (system, hash) = with_registers();
    let indicator = "forms/1/indicators/crimes";
    let by_words = json!({});
    let by_name = json!({ "indicator": indicator, "description": "As in the table of the ministry" });
    for open in [&by_words, &by_name] {
        let [within, openly] = found(&system, item(open));
        assert!(within.0 == "PASSED" && within.1.contains(indicator), "{within:?}");
        assert_eq!((openly.0.as_str(), openly.2.as_str()), ("PROPOSED", "para 7"));
        for part in [JANUARY, ADDRESS, &hash, indicator] {
            assert!(openly.1.contains(part), "{part}: {}", openly.1);
        }
    }

    let [within, openly] = checks(&system, item(&by_name));
    assert_eq!(within["openEditions"], json!([]), "they show that it is open");
    let shown = &openly["openEditions"][0];
    let address = json!(ADDRESS);
    assert_eq!(
        (&shown["edition"], &shown["address"], &shown["contentSha256"]),
        (&json!(JANUARY), &address, &json!(hash))
    );

    let [within, openly] = found(&system, item(&json!({ "period": "2025-M02", "form": "forms/1" })));
    assert_eq!(
        (within.0.as_str(), openly.0.as_str()),
        ("PASSED", "PASSED"),
        "February is not placed"
    );

    let [within, openly] = found(&system, item(&json!({ "indicator": "forms/1/indicators/secrets" })));
    assert_eq!((within.0.as_str(), within.2.as_str()), ("PROPOSED", "para 2(10)"));
    assert!(
        within.1.contains("restricted access") && within.1.contains("indicators/secrets"),
        "{within:?}"
    );
    assert_eq!(openly.0, "PASSED", "what is restricted is not placed openly");

    // Words near to nothing, a territory that nobody entered, a period of another kind: the registry cannot tell.
    for unclear in [
        json!({ "description": "Weather", "form": "forms/1" }),
        json!({ "indicator": indicator, "territories": ["750000000"] }),
        json!({ "indicator": indicator, "period": "2025-Q1" }),
    ] {
        let [within, openly] = found(&system, item(&unclear));
        assert_eq!(
            (within.0.as_str(), openly.0.as_str()),
            ("UNDETERMINED", "UNDETERMINED"),
            "{unclear}"
        );
    }

    let [within, openly] = found(&system, item(&json!({ "indicator": "forms/1/indicators/none" })));
    assert_eq!(
        (within.0.as_str(), openly.0.as_str()),
        ("PROPOSED", "UNDETERMINED"),
        "it is none of those entered"
    );

    let detail = "accountingDocuments/card-1/details/article";
    let [within, openly] = found(&system, item(&json!({ "detail": detail })));
    assert!(within.0 == "PASSED" && within.1.contains(detail), "{within:?}");
    assert!(
        within.1.starts_with("The information is a registered detail"),
        "{within:?}"
    );
    assert_eq!(openly.0, "PASSED");

    let february = "forms/1/editions/2025-M02";
    system.json(&["forms", "nil", february, "--reason", "There were none"]);
    let [_, openly] = found(&system, item(&json!({ "indicator": indicator, "period": "2025-M02" })));
    assert!(
        openly.0 == "PROPOSED" && openly.1.contains("nothing to report") && openly.1.contains(february),
        "{openly:?}"
    );
}
