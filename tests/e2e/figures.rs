//! Figures and what they are of, on the command line: tables from CSV and XLSX, faults by row and column, and what is asked of them.

use legalstat_test_support::system::System;
use serde_json::{Value, json};

const JANUARY: &str = "forms/1/editions/2025-M01";
const LAW: [&str; 4] = ["--valid-from", "2020-01-01", "--act", "Order No. 7"];

fn import<'a>(what: &'a str, of: &'a str, file: &'a str) -> Vec<&'a str> {
    [&["forms", what, "import", of, "--content", file][..], &LAW].concat()
}

/// Territories, sexes, and indicators of form 1.
fn with_registers() -> System {
    let system = System::start();
    system.json(&[
        "forms",
        "code-lists",
        "create",
        "SEX",
        "--title-en",
        "sex",
        "--act",
        "Order No. 7",
    ]);
    for (list, table) in [
        ("SEX", "code,title_en,parent\nT,all,\nF,women,T\nM,men,T\n"),
        (
            "KATO",
            "code;title_ru;parent\n75;Алматы;\n7501;Алмалинский;75\n7502;Ауэзовский;75\n",
        ),
    ] {
        let file = system.file("codes.csv", table);
        system.json(&import("code-lists", list, &file));
    }
    let table = "code,title_en,title_ru,unit,measure,by_territory,dimensions
crimes,Registered crimes,Зарегистрированные преступления,CRIME,number,yes,SEX
cases,Criminal cases,Уголовные дела,CRIMINAL_CASE,number,no,
";
    let file = system.file("indicators.csv", table);
    let change = system.json(&import("indicators", "1", &file));
    assert_eq!(change["created"], 2);
    system
}

fn figures(system: &System, more: &[&str]) -> Vec<Value> {
    let answer = system.json(&[&["forms", "observations", "query", "1"][..], more].concat());
    answer["observations"].as_array().expect("a list").clone()
}

#[test]
fn figures_come_from_a_workbook_of_libreoffice_and_are_asked_for_by_code() {
    let system = with_registers();
    let workbook = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/files/figures.xlsx");
    let import = ["forms", "observations", "import", JANUARY, "--content", workbook];
    let tried = system.json(&[&import[..], &["--validate-only"]].concat());
    assert_eq!(tried["rows"], "3");
    assert!(figures(&system, &[]).is_empty(), "a trial imports nothing");
    let imported = system.json(&import);
    assert_eq!(imported["sha256"], tried["sha256"]);
    let all = figures(&system, &[]);
    let values: Vec<_> = all
        .iter()
        .map(|figure| figure["value"].as_str().expect("a text"))
        .collect();
    assert_eq!(values, ["1234.5", "0.3", "1234.5"]);
    let one = figures(&system, &["--dimension", "SEX=M", "--period", "2025-M01", "--growth"]);
    assert_eq!((one.len(), &one[0]["territory"]), (1, &Value::from("7502")));
    let total = figures(&system, &["--total-over", "TERRITORY", "--total-over", "SEX"]);
    assert_eq!(total[0]["value"], "1234.8");
    let table = system.run(&["forms", "observations", "query", "1"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("1234.5"));
    let found = system.json(&[
        "forms",
        "availability",
        "--period",
        "2025-M01",
        "--words",
        "registered crimes",
    ]);
    assert_eq!(
        found["items"][0]["indicators"][0]["indicator"],
        "forms/1/indicators/crimes"
    );
    system.json(&["forms", "seal", JANUARY]);
    system.json(&["forms", "place", JANUARY, "--address", "https://a.kz/1"]);
    let asked = [
        "forms",
        "availability",
        "--period",
        "2025-M01",
        "--indicator",
        "forms/1/indicators/crimes",
        "--territory",
        "7501",
        "--territory",
        "7502",
        "--view",
    ];
    for (view, editions) in [("basic", 0), ("full", 1)] {
        let found = system.json(&[&asked[..], &[view]].concat());
        let item = &found["items"][0];
        assert_eq!(item["availability"], "AVAILABILITY_PLACED", "{item}");
        let holdings = item["holdings"].as_array().map_or(0, Vec::len);
        assert_eq!(holdings, editions, "{view}");
    }
    // A script is told everything, and a person in a table.
    let table = system.run(&[&asked[..], &["full"]].concat());
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for heading in ["address", "SHA-256", "figures"] {
        assert!(table.contains(heading), "{heading}: {table}");
    }
}

#[test]
fn figures_in_preparation_are_taken_away_by_the_name_of_their_edition() {
    let system = with_registers();
    let file = system.file("figures.csv", "indicator,value\ncases,7\n");
    system.json(&["forms", "observations", "import", JANUARY, "--content", &file]);
    let delete = ["forms", "observations", "delete", JANUARY];
    system.json(&[&delete[..], &["--validate-only"]].concat());
    assert_eq!(figures(&system, &[]).len(), 1, "a trial takes nothing away");
    let id = ["--request-id", "6f1c6a52-6d1b-4e7c-9f5c-0d6c2f0e7a10"];
    let edition = system.json(&[&delete[..], &id].concat());
    assert_eq!(edition["name"], JANUARY);
    assert!(figures(&system, &[]).is_empty());
    assert_eq!(
        system.json(&[&delete[..], &id].concat()),
        edition,
        "the same call has the same answer"
    );
    let (_, told) = system.failure(&delete);
    assert!(told.contains("has no figures in preparation"), "{told}");
}

#[test]
fn registers_come_from_a_workbook_of_libreoffice_with_kazakh_text_numbers_and_dates() {
    let system = with_registers();
    let workbook = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/files/indicators.xlsx");
    let change = system.json(&["forms", "indicators", "import", "1", "--content", workbook]);
    assert_eq!(change["created"], 2);
    let entered = system.json(&["forms", "indicators", "list", "1"]);
    let entered = entered["indicators"].as_array().expect("a list");
    let of_code = |code: &str| entered.iter().find(|indicator| indicator["code"] == code);
    let all = of_code("101").expect("a code that is a number");
    assert_eq!(all["title"]["kk"], "Тіркелген қылмыстық құқық бұзушылықтар, барлығы");
    assert_eq!((&all["measure"], &all["byTerritory"]), (&json!("саны"), &json!(true)));
    assert_eq!(all["validFrom"], json!({ "year": 2020, "month": 1, "day": 1 }));
    assert_eq!(all["legalBasis"]["act"], "№ 7 бұйрық");
    let part = of_code("101.1").expect("a code with a point");
    assert_eq!(part["validFrom"], json!({ "year": 2024, "month": 3, "day": 1 }));
}

#[test]
fn each_table_that_is_wrong_is_refused_whole_with_its_rows_and_columns() {
    let system = with_registers();
    let refused = |name: &str, table: &str, code: i32, parts: &[&str]| {
        let file = system.file(name, table);
        let (exit, told) = system.failure(&["forms", "observations", "import", JANUARY, "--content", &file]);
        assert_eq!(exit, code, "{told}");
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    };
    refused(
        "a.csv",
        "indicator,sum\ncrimes,1\n",
        2,
        &["wrong columns", "no column VALUE"],
    );
    refused(
        "a.csv",
        "indicator,value\ncases,\"1,234\"\ncases,many\n",
        2,
        &["row 2, VALUE", "two ways", "row 3, VALUE"],
    );
    refused(
        "a.csv",
        "indicator,value\ncases,1\n\ncases,2\n",
        2,
        &["row 4", "of row 2 again"],
    );
    refused(
        "a.csv",
        "indicator:value\ncases:1\n",
        2,
        &["wrong columns", "no column INDICATOR"],
    );
    refused(
        "a.csv",
        "indicator,value\ncases,1\ncases\n",
        2,
        &["row 3", "1 cells, the heading 2"],
    );
    let windows = system.folder().join("windows.csv");
    std::fs::write(&windows, b"indicator,value,SEX\n\xea\xf0\xe0\xe6\xe8,1,M\n").expect("it is written");
    let windows = windows.display().to_string();
    let (exit, told) = system.failure(&["forms", "observations", "import", JANUARY, "--content", &windows]);
    assert!(
        exit == 2 && told.contains("row 2 is not UTF-8") && told.contains("--encoding windows-1251"),
        "{told}"
    );
    // What only the service knows is told by the rows of the file too.
    let unknown = "indicator;territory;SEX;value\ncrimes;75;F;1\n\nthefts;7599;X;2\ncases;75;;3\n";
    refused(
        "a.csv",
        unknown,
        1,
        &[
            "row 4, indicator: UNKNOWN (thefts)",
            "row 4, territory: UNKNOWN",
            "row 4, SEX",
            "row 5, territory: CONFLICT",
        ],
    );
    let many: String = (0..10_000).map(|row| format!("none{row},1\n")).collect();
    refused(
        "a.csv",
        &format!("indicator,value\n{many}"),
        1,
        &[
            "10000 faults",
            "row 2, indicator",
            "row 101, indicator",
            "and 9900 more",
        ],
    );
    let formula = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/files/formula.xlsx");
    let (exit, told) = system.failure(&["forms", "observations", "import", JANUARY, "--content", formula]);
    assert!(exit == 2 && told.contains("row 3, D: a formula"), "{told}");
    assert!(figures(&system, &[]).is_empty());
    let codes = system.file("codes.csv", "code,title_en,parent\na b,x,\nX,,\nY,y,NONE\n");
    let (exit, told) = system.failure(&import("code-lists", "SEX", &codes));
    assert!(
        exit == 1 && told.contains("row 2, code: KEY (a b)") && told.contains("row 3, title: required (REQUIRED)"),
        "{told}"
    );
}
