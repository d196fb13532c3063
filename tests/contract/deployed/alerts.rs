//! The alert rules and the dashboard, and what the guide says of them and of metrics.

use std::collections::BTreeSet;

use super::{at, documents, items, quoted, services, text, texts};
use crate::sources;

/// The code that measures: names of metrics, and of their attributes.
fn measured() -> (BTreeSet<String>, BTreeSet<String>) {
    let all = sources::all();
    let ways = ["telemetry::gauge(", "_histogram(", "measure::start("];
    let measures = |code: &str| ways.iter().any(|way| code.contains(way));
    let code = all
        .iter()
        .filter(|source| !source.is_test())
        .map(|source| source.code())
        .filter(|code| measures(code));
    let (mut metrics, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    for code in code {
        metrics.extend(quoted(code, "legalstat."));
        for name in quoted(code, "rpc.") {
            if code.contains(&format!("_histogram(\"{name}\")")) {
                metrics.insert(name);
            } else {
                attributes.insert(name);
            }
        }
    }
    (metrics, attributes)
}

/// The names under which Prometheus gets them: of the histograms one is in seconds and the other counts calls, the gauges have no unit.
fn shown() -> BTreeSet<String> {
    let (metrics, attributes) = measured();
    let mut shown: BTreeSet<String> = attributes.iter().map(|name| name.replace('.', "_")).collect();
    for name in metrics {
        let plain = name.replace('.', "_");
        let parts = ["bucket", "count", "sum"];
        match name.as_str() {
            "rpc.server.call.duration" => shown.extend(parts.map(|part| format!("{plain}_seconds_{part}"))),
            "legalstat.write.group_size" => shown.extend(parts.map(|part| format!("{plain}_{part}"))),
            _ => drop(shown.insert(plain)),
        }
    }
    shown
}

/// The alerts, each with its expression.
fn alerts() -> Vec<(String, String)> {
    let rules = documents("prometheus/alerts.yml").remove(0);
    let text = |value: &serde_yaml::Value| value.as_str().expect("it is a text").to_owned();
    let groups: Vec<_> = items(&rules, "groups").collect();
    let rules = groups.iter().flat_map(|group| items(group, "rules"));
    rules.map(|rule| (text(&rule["alert"]), text(&rule["expr"]))).collect()
}

/// The panels of the dashboard that show something, each with its expressions.
fn panels() -> Vec<(String, Vec<String>)> {
    let dashboard = documents("grafana/dashboards/legalstat.json").remove(0);
    let text = |value: &serde_yaml::Value| value.as_str().expect("it is a text").to_owned();
    let shows = items(&dashboard, "panels").filter(|panel| panel["type"] != "row");
    shows
        .map(|panel| {
            let expressions = items(panel, "targets").map(|target| text(&target["expr"])).collect();
            (text(&panel["title"]), expressions)
        })
        .collect()
}

/// The metrics and attributes that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("legalstat_") || word.starts_with("rpc_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn every_metric_and_attribute_in_an_alert_is_one_that_the_code_measures() {
    let shown = shown();
    let mut all = BTreeSet::new();
    for (alert, expression) in alerts() {
        let named = named(&expression);
        assert!(named.is_subset(&shown), "{alert}: {named:?} are not all measured");
        all.extend(named);
    }
    assert!(all.len() >= 8, "{all:?}");
}

#[test]
fn the_dashboard_shows_every_metric_that_the_code_measures_and_no_other() {
    let shown = shown();
    let mut all = BTreeSet::new();
    for (panel, expressions) in panels() {
        for expression in expressions {
            let named = named(&expression);
            assert!(named.is_subset(&shown), "{panel}: {named:?} are not all measured");
            all.extend(named);
        }
    }
    for metric in measured().0 {
        let plain = metric.replace('.', "_");
        assert!(
            all.iter().any(|name| name.starts_with(&plain)),
            "{metric} is on no panel"
        );
    }
}

#[test]
fn the_dashboard_asks_the_prometheus_that_grafana_is_given() {
    let dashboard = documents("grafana/dashboards/legalstat.json").remove(0);
    let given = documents("grafana/provisioning/datasources/prometheus.yaml").remove(0);
    let given = at(&given, "datasources.0");
    let asked = items(&dashboard, "panels").filter(|panel| panel["type"] != "row");
    for panel in asked {
        assert_eq!(panel["datasource"]["uid"], given["uid"], "{:?}", panel["title"]);
    }
    let compose = documents("compose.yaml").remove(0);
    assert!(!at(&compose, "services.prometheus").is_null());
    assert_eq!(given["url"], "http://prometheus:9090");
    let provided = documents("grafana/provisioning/dashboards/legalstat.yaml").remove(0);
    let folder = at(&provided, "providers.0.options.path")
        .as_str()
        .expect("it is a text");
    let mounted = texts(&compose, "services.grafana.volumes");
    assert!(
        mounted.contains(&format!("./grafana/dashboards:{folder}:ro")),
        "{mounted:?}"
    );
}

#[test]
fn prometheus_fetches_the_metrics_of_every_service_from_its_health_port_and_names_it_as_the_alerts_do() {
    let config = documents("prometheus/prometheus.yml").remove(0);
    let jobs: Vec<_> = items(&config, "scrape_configs").collect();
    let named = |job: &serde_yaml::Value| job["job_name"].as_str().map(str::to_owned);
    let names: BTreeSet<String> = jobs.iter().filter_map(|job| named(job)).collect();
    assert_eq!(
        names,
        services().iter().map(|service| service.name.to_owned()).collect()
    );
    for job in jobs {
        let found = at(job, "dns_sd_configs.0");
        assert_eq!(texts(found, "names"), [named(job).expect("it has a name")]);
        assert_eq!(found["port"], 8080);
    }
    for (alert, expression) in alerts() {
        for job in expression
            .split("{job=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(names.contains(job), "{alert}: {job}");
        }
    }
}

#[test]
fn the_guide_says_what_to_do_for_each_alert_and_what_each_metric_is() {
    let guide = text("README.md");
    let rows = |beginning: &str| {
        let (_, part) = guide.split_once(beginning).expect("the part is there");
        let part = part.split("\n## ").next().unwrap_or_default();
        let cells = part
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        let named = cells.filter(|cell| cell.starts_with('`'));
        let names = named.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        rows("\n## Alerts\n"),
        alerts().into_iter().map(|(alert, _)| alert).collect()
    );
    assert_eq!(rows("\n## Metrics\n"), measured().0);
    for (alert, _) in alerts() {
        let tests = text("prometheus/alerts_test.yml");
        assert!(
            tests.matches(&format!("alertname: {alert}\n")).count() >= 2,
            "{alert}: given, and not given"
        );
    }
}
