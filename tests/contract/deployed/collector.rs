//! The collector's configuration, against itself and against what runs it in `compose.yaml` and `k8s/`. No collector reads it here.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::{at, documents, entries, items, text, texts};

const MANIFEST: &str = "k8s/components/collector/collector.yaml";

fn configuration() -> Value {
    documents("collector/collector.yaml").remove(0)
}

fn declared(configuration: &Value, part: &str) -> BTreeSet<String> {
    entries(configuration, part).map(|(name, _)| name.to_owned()).collect()
}

/// The port of an endpoint at which everybody is listened to.
fn port(configuration: &Value, endpoint: &str) -> u64 {
    let endpoint = at(configuration, endpoint).as_str().expect("it has an endpoint");
    let port = endpoint.strip_prefix("0.0.0.0:").expect("it listens to everybody");
    port.parse().expect("it is a number")
}

/// For OTLP, for Prometheus, for health.
fn ports() -> [u64; 3] {
    let configuration = configuration();
    [
        "receivers.otlp.protocols.grpc.endpoint",
        "exporters.prometheus.endpoint",
        "extensions.health_check.endpoint",
    ]
    .map(|endpoint| port(&configuration, endpoint))
}

fn of_kind(kind: &str, name: &str) -> Value {
    let mut documents = documents(MANIFEST).into_iter();
    let is_it = |document: &Value| document["kind"] == *kind && document["metadata"]["name"] == *name;
    documents
        .find(is_it)
        .unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

fn numbers(value: &Value, path: &str, key: &str) -> Vec<u64> {
    items(value, path)
        .map(|item| item[key].as_u64().expect("it is a number"))
        .collect()
}

#[test]
fn every_part_of_a_pipeline_is_declared_and_every_part_that_is_declared_is_used() {
    let configuration = configuration();
    for part in ["receivers", "processors", "exporters"] {
        let pipelines = entries(&configuration, "service.pipelines");
        let used: BTreeSet<String> = pipelines.flat_map(|(_, pipeline)| texts(pipeline, part)).collect();
        assert_eq!(used, declared(&configuration, part), "{part}");
    }
    let extensions: BTreeSet<String> = texts(&configuration, "service.extensions").into_iter().collect();
    assert_eq!(extensions, declared(&configuration, "extensions"));
    for (name, pipeline) in entries(&configuration, "service.pipelines") {
        assert!(["metrics", "traces"].contains(&name), "nothing sends {name}");
        assert_eq!(texts(pipeline, "receivers"), ["otlp"], "{name}");
        let first = texts(pipeline, "processors").into_iter().next();
        assert_eq!(
            first.as_deref(),
            Some("memory_limiter"),
            "{name}: it comes first, or it limits nothing"
        );
    }
}

#[test]
fn it_is_the_file_that_the_container_and_the_pod_read_by_one_image() {
    let compose = documents("compose.yaml").remove(0);
    let container = at(&compose, "services.collector");
    let command = texts(container, "command");
    let [read] = &command[..] else { panic!("{command:?}") };
    let read = read.strip_prefix("--config=").expect("it is told its configuration");
    assert_eq!(
        texts(container, "volumes"),
        [format!("./collector/collector.yaml:{read}:ro")]
    );
    assert_eq!(texts(container, "networks"), ["services"], "where the services are");

    let deployment = of_kind("Deployment", "collector");
    let pod = at(&deployment, "spec.template.spec");
    let mount = at(pod, "containers.0.volumeMounts.0.mountPath")
        .as_str()
        .expect("it is mounted");
    assert_eq!(
        texts(pod, "containers.0.args"),
        [format!("--config={mount}/collector.yaml")]
    );
    assert_eq!(at(pod, "volumes.0.configMap.name"), "collector");
    let component = documents("k8s/components/collector/kustomization.yaml").remove(0);
    assert!(texts(&component, "resources").contains(&"../../../collector".to_owned()));
    let made = documents("collector/kustomization.yaml").remove(0);
    assert_eq!(at(&made, "configMapGenerator.0.name"), "collector");
    assert_eq!(texts(&made, "configMapGenerator.0.files"), ["collector.yaml"]);

    let image = at(pod, "containers.0.image").as_str().expect("it has an image");
    assert_eq!(*at(container, "image"), *format!("${{COLLECTOR_IMAGE:-{image}}}"));
}

#[test]
fn its_ports_are_those_that_are_opened_called_and_probed() {
    let [otlp, metrics, health] = ports();
    let deployment = of_kind("Deployment", "collector");
    let container = at(&deployment, "spec.template.spec.containers.0");
    assert_eq!(numbers(container, "ports", "containerPort"), [otlp, metrics]);
    for probe in ["readinessProbe", "livenessProbe"] {
        assert_eq!(*at(container, &format!("{probe}.httpGet.port")), health, "{probe}");
    }
    assert_eq!(
        numbers(&of_kind("Service", "collector"), "spec.ports", "port"),
        [otlp, metrics]
    );
    let policy = of_kind("NetworkPolicy", "collector");
    let opened: Vec<u64> = items(&policy, "spec.ingress")
        .flat_map(|rule| numbers(rule, "ports", "port"))
        .collect();
    assert_eq!(opened, [otlp, metrics]);
    assert_eq!(
        numbers(&of_kind("NetworkPolicy", "to-collector"), "spec.egress.0.ports", "port"),
        [otlp]
    );
    let endpoint = format!("http://collector:{otlp}");
    let component = text("k8s/components/collector/kustomization.yaml");
    assert_eq!(
        component
            .matches(&format!("LEGALSTAT_OTLP_ENDPOINT={endpoint}\""))
            .count(),
        4
    );
    let guide = text("README.md");
    assert!(guide.contains(&format!("`{endpoint}`")) && guide.contains(&format!("on its port {metrics}")));
}
