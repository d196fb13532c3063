//! The manifests in `k8s/`, as they are written; `.ci/manifests` looks at what kustomize makes of them.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::{Deployed, FILE, at, documents, ending, entries, items, services, text, texts};
use crate::graph::admitted;

/// How many connections to the database a replica holds at most: for writing, for reading, and four beside the pools.
const CONNECTIONS: u64 = 8 + 8 + 4;
/// The label that tells pods apart.
const NAME: &str = "app.kubernetes.io/name";

fn base(file: &str) -> Vec<Value> {
    documents(&format!("k8s/base/{file}.yaml"))
}

fn of_kind<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |document: &&Value| document["kind"] == *kind && document["metadata"]["name"] == *name;
    documents
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The settings of a service, with their values.
fn settings(service: &str) -> Vec<(String, String)> {
    let text = text(&format!("k8s/base/settings/{service}.env"));
    let pairs = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("a line is NAME=VALUE"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn container(workload: &Value) -> &Value {
    at(workload, "spec.template.spec.containers.0")
}

/// The secrets that a workload mounts.
fn secrets(workload: &Value) -> BTreeSet<String> {
    let volumes = items(workload, "spec.template.spec.volumes");
    let names = volumes.filter_map(|volume| at(volume, "secret.secretName").as_str());
    names.map(str::to_owned).collect()
}

fn names(expected: &[&str]) -> BTreeSet<String> {
    expected.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_setting_of_a_pod_is_known_to_its_program_and_every_file_that_one_names_is_mounted() {
    for service in services() {
        let documents = base(service.name);
        let deployment = of_kind(&documents, "Deployment", service.name);
        let own = container(deployment);
        assert_eq!(texts(own, "command"), [service.program()]);
        assert!(own["env"].is_null() && at(own, "envFrom.0.configMapRef.name") == service.name);
        let settings = settings(service.name);
        let given = settings.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(service.faults(&given), [""; 0], "{}", service.name);
        let mounts: Vec<&str> = items(own, "volumeMounts")
            .filter_map(|mount| mount["mountPath"].as_str())
            .collect();
        for (name, value) in settings.iter().filter(|(_, value)| value.starts_with('/')) {
            assert!(
                mounts.iter().any(|mount| value.starts_with(mount)),
                "{}: {name}",
                service.name
            );
        }
        for (name, value) in settings.iter().filter(|(name, _)| name.ends_with("_URL")) {
            let called = value
                .strip_prefix("https://")
                .and_then(|value| value.strip_suffix(":8443"));
            let edge = (service.name.to_owned(), called.expect("it is a service").to_owned());
            assert!(admitted().contains(&edge), "{}: {name}", service.name);
        }
    }
}

#[test]
fn every_schema_is_migrated_by_its_owner_and_a_service_has_no_secret_of_another() {
    let migrations = base("migrations");
    assert_eq!(migrations.len(), services().len());
    for service in services() {
        let job = of_kind(&migrations, "Job", &format!("migrate-{}", service.name));
        let own = container(job);
        assert_eq!(texts(own, "command"), [service.program(), "migrate".to_owned()]);
        assert_eq!(at(own, "envFrom.0.configMapRef.name"), service.name);
        let [runtime, owner] = ["runtime", "owner"].map(|role| format!("{}-{role}", service.schema));
        assert_eq!(secrets(job), names(&[&runtime, &owner]));
        let setting = at(own, "env.0.name").as_str().expect("it is named");
        assert!(setting.ends_with(FILE) && service.known.contains(setting), "{setting}");
        let documents = base(service.name);
        let mut wanted = names(&[&runtime, &format!("{}-certificate", service.name)]);
        if service.known.contains("LEGALSTAT_SIGNING_KEYS") {
            wanted.insert(format!("{}-signing-keys", service.name));
        }
        assert_eq!(secrets(of_kind(&documents, "Deployment", service.name)), wanted);
    }
}

#[test]
fn a_pod_is_asked_for_what_it_serves_and_has_the_time_that_it_takes_to_end() {
    let every = base("every-service").remove(0);
    let own = container(&every);
    for probe in ["startupProbe", "livenessProbe"] {
        let asked = &own[probe]["grpc"];
        assert!(
            asked["port"] == 8080 && asked["service"].is_null(),
            "{probe} asks whether the process lives"
        );
    }
    for service in services() {
        let documents = base(service.name);
        let asked = &container(of_kind(&documents, "Deployment", service.name))["readinessProbe"]["grpc"];
        assert!(
            asked["port"] == 8080 && asked["service"] == *service.grpc,
            "{}",
            service.name
        );
    }
    let pause = at(own, "lifecycle.preStop.sleep.seconds")
        .as_u64()
        .expect("it is a number");
    let grace = at(&every, "spec.template.spec.terminationGracePeriodSeconds")
        .as_u64()
        .expect("it is a number");
    // Readiness is looked at every five seconds, and names are told anew within as many.
    assert!(
        pause >= 10 && grace >= pause + ending(),
        "{pause} s and then {} s are more than {grace} s",
        ending()
    );
}

/// Whom a policy names by one of its peers; `inbox` stands for what is outside. The namespaces of callers name no service.
fn named(peer: &Value) -> Option<String> {
    let callers = "namespaceSelector: { matchLabels: { legalstat/callers: 'true' } }";
    if *peer == serde_yaml::from_str::<Value>(callers).expect("it is YAML") {
        return None;
    }
    if peer.as_mapping().is_some_and(|peer| peer.len() == 1) {
        if let Some(name) = at(peer, "podSelector.matchLabels")[NAME].as_str() {
            let labels = format!("podSelector: {{ matchLabels: {{ {NAME}: {name} }} }}");
            assert_eq!(*peer, serde_yaml::from_str::<Value>(&labels).expect("it is YAML"));
            return Some(name.to_owned());
        }
        if peer["ipBlock"].is_mapping() {
            return Some("inbox".to_owned());
        }
    }
    panic!("this peer is not understood: {peer:?}")
}

/// Who reaches whom by one direction of the policies.
fn reached(direction: &str, peers: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for service in services() {
        let documents = base(service.name);
        let policy = of_kind(&documents, "NetworkPolicy", service.name);
        assert_eq!(at(policy, "spec.podSelector.matchLabels")[NAME], service.name);
        assert_eq!(texts(policy, "spec.policyTypes"), ["Ingress", "Egress"]);
        for other in named_by(policy, direction, peers) {
            let own = service.name.to_owned();
            found.insert(if direction == "egress" {
                (own, other)
            } else {
                (other, own)
            });
        }
    }
    found
}

/// Whom a policy names in one direction. A rule without peers would be for everybody.
fn named_by(policy: &Value, direction: &str, peers: &str) -> Vec<String> {
    let rules: Vec<&Value> = items(policy, &format!("spec.{direction}")).collect();
    assert!(rules.iter().all(|rule| items(rule, peers).count() > 0), "{policy:?}");
    let all = rules.into_iter().flat_map(|rule| items(rule, peers));
    all.filter_map(named).collect()
}

/// The policies of the base, by name.
fn policies() -> BTreeSet<String> {
    let files = services().into_iter().map(|service| service.name).chain(["network"]);
    let policies = files
        .flat_map(base)
        .filter(|document| document["kind"] == "NetworkPolicy");
    let name = |policy: Value| policy["metadata"]["name"].as_str().expect("it is named").to_owned();
    policies.map(name).collect()
}

#[test]
fn the_network_lets_through_who_may_call_by_the_contracts_and_nobody_else() {
    let mut inside = admitted();
    inside.retain(|(_, called)| called != "inbox");
    assert_eq!(reached("egress", "to"), inside);
    assert_eq!(reached("ingress", "from"), inside);
    let mut known = names(&["nobody", "names", "database", "recipients", "metrics"]);
    known.extend(services().into_iter().map(|service| service.name.to_owned()));
    assert_eq!(policies(), known);
    let nobody = base("network");
    let nobody = of_kind(&nobody, "NetworkPolicy", "nobody");
    assert!(at(nobody, "spec.ingress").is_null() && at(nobody, "spec.egress").is_null());
    assert_eq!(entries(nobody, "spec.podSelector").count(), 0, "it is for every pod");
    assert_eq!(texts(nobody, "spec.policyTypes"), ["Ingress", "Egress"]);
}

#[test]
fn only_who_calls_recipients_is_let_out_to_them_and_where_they_are_is_the_overlays_to_say() {
    let outside = admitted().into_iter().filter(|(_, called)| called == "inbox");
    let [(caller, _)] = &outside.collect::<Vec<_>>()[..] else {
        panic!("one service calls the servers of recipients");
    };
    let documents = base(caller);
    let policy = of_kind(&documents, "NetworkPolicy", "recipients");
    assert_eq!(at(policy, "spec.podSelector.matchLabels")[NAME], **caller);
    assert_eq!(texts(policy, "spec.policyTypes"), ["Egress"]);
    assert_eq!(named_by(policy, "egress", "to"), [""; 0]);
    let filled = super::documents("k8s/overlays/prod/recipients.yaml");
    assert_eq!(
        named_by(of_kind(&filled, "NetworkPolicy", "recipients"), "egress", "to"),
        ["inbox"; 2]
    );
}

#[test]
fn a_certificate_names_the_service_under_which_it_is_called() {
    for service in services() {
        let documents = base(service.name);
        let certificate = &of_kind(&documents, "Certificate", service.name)["spec"];
        let named = ["", ".legalstat.svc", ".legalstat.svc.cluster.local"];
        let named = named.map(|ending| format!("{}{ending}", service.name));
        assert_eq!(texts(certificate, "dnsNames"), named);
        assert_eq!(
            texts(certificate, "uris"),
            [format!("legalstat://{}?role=service", service.name)]
        );
        assert_eq!(certificate["secretName"], *format!("{}-certificate", service.name));
        assert_eq!(
            at(of_kind(&documents, "Service", service.name), "spec.clusterIP"),
            "None"
        );
        let budget = of_kind(&documents, "PodDisruptionBudget", service.name);
        assert_eq!(at(budget, "spec.maxUnavailable"), 1);
    }
}

#[test]
fn the_database_has_a_role_for_each_secret_and_room_for_every_replica() {
    let documents = documents("k8s/components/cloudnative-pg/cluster.yaml");
    let cluster = of_kind(&documents, "Cluster", "postgres");
    let told = items(cluster, "spec.managed.roles").map(|role| {
        let name = role["name"].as_str().expect("it is named");
        assert_eq!(*at(role, "passwordSecret.name"), *name.replace('_', "-"));
        name.to_owned()
    });
    let schemas = services().map(|service| service.schema);
    let wanted = schemas
        .iter()
        .flat_map(|schema| ["owner", "runtime"].map(|kind| format!("{schema}_{kind}")));
    assert_eq!(told.collect::<BTreeSet<_>>(), wanted.collect());
    let most = |service: &Deployed| {
        let documents = base(service.name);
        let scaler = &of_kind(&documents, "HorizontalPodAutoscaler", service.name)["spec"];
        assert!(scaler["minReplicas"].as_u64() >= Some(2), "{}", service.name);
        for deployment in [
            of_kind(&documents, "Deployment", service.name),
            &base("every-service")[0],
        ] {
            assert!(
                at(deployment, "spec.replicas").is_null(),
                "two would set the number of {}",
                service.name
            );
        }
        scaler["maxReplicas"].as_u64().expect("it is a number")
    };
    let held: u64 = services().iter().map(|service| most(service) * CONNECTIONS).sum();
    let allowed = at(cluster, "spec.postgresql.parameters.max_connections")
        .as_str()
        .expect("it is a text");
    assert!(held < allowed.parse().expect("it is a number"), "{held} of {allowed}");
}

#[test]
fn the_component_of_s3_sets_what_those_know_who_keep_files_and_lets_them_alone_out_to_it() {
    let keepers: Vec<Deployed> = services()
        .into_iter()
        .filter(|service| service.known.contains("LEGALSTAT_S3_ENDPOINT"))
        .collect();
    let named: Vec<&str> = keepers.iter().map(|service| service.name).collect();
    let component = documents("k8s/components/s3/kustomization.yaml").remove(0);
    let text = text("k8s/components/s3/file-storage.env");
    for line in text.lines() {
        let (setting, _) = line.split_once('=').expect("it is NAME=VALUE");
        assert!(
            keepers.iter().all(|service| service.known.contains(setting)),
            "{setting}"
        );
    }
    let targets = items(&component, "patches").map(|patch| &patch["target"]);
    for target in targets.filter(|target| target["kind"] == "Deployment") {
        assert_eq!(target["name"], *named.join("|"));
    }
    let policies = documents("k8s/components/s3/network.yaml");
    let policy = of_kind(&policies, "NetworkPolicy", "file-storage");
    assert_eq!(texts(policy, "spec.podSelector.matchExpressions.0.values"), named);
    assert_eq!(texts(policy, "spec.policyTypes"), ["Egress"]);
}

#[test]
fn the_components_of_the_collector_and_of_revoked_certificates_set_what_every_service_knows() {
    for component in ["collector", "revoked"] {
        let component = documents(&format!("k8s/components/{component}/kustomization.yaml")).remove(0);
        let maps: Vec<&Value> = items(&component, "configMapGenerator").collect();
        assert_eq!(maps.len(), services().len());
        for service in services() {
            let map = maps.iter().find(|map| map["name"] == *service.name);
            for literal in texts(map.expect("it has one"), "literals") {
                let (setting, _) = literal.split_once('=').expect("it is NAME=VALUE");
                assert!(service.known.contains(setting), "{}: {setting}", service.name);
            }
        }
    }
}
