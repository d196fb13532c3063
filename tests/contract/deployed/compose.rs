//! `compose.yaml` and the Dockerfile.

use std::{collections::BTreeSet, process::Command};

use serde_yaml::Value;

use super::{Deployed, FILE, documents, ending, entries, of_command_line, services, text, texts};
use crate::sources;

fn compose() -> Value {
    documents("compose.yaml").remove(0)
}

/// The containers that run a service's program, with their names: the service and its migration.
fn containers(compose: &Value, service: &Deployed) -> Vec<(String, Value)> {
    let runs = |container: &Value| texts(container, "command").first() == Some(&service.program());
    let containers = entries(compose, "services").filter(|(_, container)| runs(container));
    containers
        .map(|(name, container)| (name.to_owned(), container.clone()))
        .collect()
}

/// Whether a container has the image that is made here.
fn is_ours(container: &Value) -> bool {
    let image = container["image"].as_str();
    image.is_some_and(|image| image.starts_with("${LEGALSTAT_IMAGE"))
}

fn settings(container: &Value) -> BTreeSet<String> {
    entries(container, "environment")
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// What a service's program can be told to do, beside serving.
fn arguments() -> BTreeSet<String> {
    let all = sources::all();
    let run = all
        .iter()
        .find(|source| source.path == "kit/src/run/mod.rs")
        .expect("it is there");
    let arms = run
        .code()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("[\"")?.split_once("\"] =>"));
    arms.map(|(argument, _)| argument.to_owned()).collect()
}

#[test]
fn every_setting_of_a_container_is_known_to_its_program_and_every_setting_of_a_program_can_be_set() {
    let compose = compose();
    for service in services() {
        let containers = containers(&compose, &service);
        assert_eq!(containers.len(), 2, "{} and its migration", service.name);
        for (name, container) in &containers {
            assert_eq!(service.faults(&settings(container)), [""; 0], "{name}");
        }
        // Where a container listens is the image's; its secrets are files; and only a migration has the owner's.
        let of_image = ["LEGALSTAT_LISTEN", "LEGALSTAT_HEALTH_LISTEN"].map(str::to_owned);
        let given = settings(&containers[1].1)
            .union(&settings(&containers[0].1))
            .cloned()
            .collect();
        let unset = service.known.difference(&given).filter(|name| !of_image.contains(name));
        let unset: Vec<&String> = unset
            .filter(|name| !service.known.contains(&format!("{name}{FILE}")))
            .collect();
        assert_eq!(unset, [""; 0], "{}", service.name);
    }
}

#[test]
fn every_setting_of_a_container_of_the_command_line_is_known_to_it() {
    let compose = compose();
    let programs = services().map(|service| service.program());
    let of_service = |container: &Value| {
        texts(container, "command")
            .first()
            .is_some_and(|first| programs.contains(first))
    };
    let others = entries(&compose, "services").filter(|(_, container)| is_ours(container) && !of_service(container));
    let others: Vec<(&str, BTreeSet<String>)> = others.map(|(name, container)| (name, settings(container))).collect();
    assert_eq!(
        others.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["certificates", "cli"]
    );
    for (name, settings) in others {
        let unknown = settings.difference(&of_command_line()).cloned().collect::<Vec<_>>();
        assert_eq!(unknown, [""; 0], "{name}");
    }
}

#[test]
fn every_command_and_health_check_is_one_that_the_programs_take() {
    let (compose, arguments) = (compose(), arguments());
    assert!(
        arguments.contains("migrate") && arguments.contains("check"),
        "{arguments:?}"
    );
    for service in services() {
        for (name, container) in containers(&compose, &service) {
            let command = texts(&container, "command");
            let wanted = if name.starts_with("migrate-") {
                &["migrate"][..]
            } else {
                &[]
            };
            assert_eq!(command[1..], *wanted, "{name}");
            assert!(
                command[1..].iter().all(|argument| arguments.contains(argument)),
                "{name}"
            );
            if wanted.is_empty() {
                assert_eq!(name, service.name);
                let check = texts(&container, "healthcheck.test");
                assert_eq!(check, ["CMD", &service.program(), "health"], "{name}");
                assert!(arguments.contains("health"));
            }
        }
    }
    let script = texts(&compose, "services.certificates.command")
        .pop()
        .expect("it is a script");
    let lines: Vec<&str> = script
        .lines()
        .filter_map(|line| line.trim().strip_prefix("legalstat "))
        .collect();
    assert!(!lines.is_empty());
    for line in lines {
        let asked = Command::new(env!("CARGO_BIN_EXE_legalstat"))
            .args(line.split(' '))
            .arg("--help")
            .output();
        assert!(asked.expect("the program starts").status.success(), "legalstat {line}");
    }
}

#[test]
fn every_secret_is_a_file_that_is_made_and_each_container_has_its_own_only() {
    let compose = compose();
    let declared: BTreeSet<String> = entries(&compose, "secrets")
        .map(|(name, secret)| {
            assert_eq!(secret["file"].as_str(), Some(&*format!("./secrets/{name}")));
            name.to_owned()
        })
        .collect();
    let mut used = BTreeSet::new();
    for (name, container) in entries(&compose, "services") {
        assert!(container["env_file"].is_null(), "{name} has secrets in its environment");
        for (setting, value) in entries(container, "environment") {
            let value = value.as_str().expect("settings are texts");
            assert!(
                !value.contains("://") || value.starts_with("https://") || value.starts_with("${"),
                "{name}: {setting}"
            );
            if let Some(secret) = value.strip_prefix("/run/secrets/") {
                assert!(
                    setting.ends_with(FILE) && texts(container, "secrets").contains(&secret.to_owned()),
                    "{name}: {setting}"
                );
            }
        }
        used.extend(texts(container, "secrets"));
    }
    assert_eq!(used, declared);
    for service in services() {
        let [runtime, owner] = ["runtime", "owner"].map(|role| format!("{}_{role}", service.schema));
        for (name, container) in containers(&compose, &service) {
            let mut secrets = vec![runtime.clone()];
            let migrates = name.starts_with("migrate-");
            secrets.extend(migrates.then(|| owner.clone()));
            // Only who keeps files has the keys of their store; who migrates has all settings, so that a wrong one stops the upgrade.
            if service.known.contains("LEGALSTAT_S3_ENDPOINT") {
                secrets.extend(["s3-access-key-id", "s3-secret-access-key"].map(str::to_owned));
            }
            assert_eq!(texts(&container, "secrets"), secrets, "{name}");
        }
    }
    assert_eq!(declared, made_secrets());
}

/// What `secrets/make` makes, in a folder of its own.
fn made_secrets() -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let secrets = folder.path().join("secrets");
    let make = secrets.join("make");
    std::fs::create_dir(&secrets).expect("it can be made");
    std::fs::copy(super::folder().join("secrets/make"), &make).expect("it can be copied");
    let made = Command::new("sh").arg(&make).status().expect("there is a shell");
    assert!(made.success());
    let files = std::fs::read_dir(&secrets).expect("it is readable");
    let files = files.map(|file| file.expect("it is readable").file_name().to_string_lossy().into_owned());
    files.filter(|name| name != "make").collect()
}

#[test]
fn every_role_that_is_made_or_given_a_password_is_one_of_a_service() {
    let roles: BTreeSet<String> = services()
        .iter()
        .flat_map(|service| ["owner", "runtime"].map(|kind| format!("{}_{kind}", service.schema)))
        .collect();
    let passwords = text("postgres/passwords.sql");
    let given = passwords
        .lines()
        .filter_map(|line| line.strip_prefix("ALTER ROLE ")?.split_once(' '));
    assert_eq!(given.map(|(role, _)| role.to_owned()).collect::<BTreeSet<_>>(), roles);
    let script = text("postgres/roles.sh");
    let words = script.split_whitespace().map(|word| word.trim_end_matches(';'));
    let wanted = words.filter(|word| word.ends_with("_owner") || word.ends_with("_runtime"));
    assert_eq!(wanted.map(str::to_owned).collect::<BTreeSet<_>>(), roles);
    let made = text("postgres/roles.sql");
    let (_, schemas) = made
        .split_once("FOREACH schema IN ARRAY ARRAY[")
        .expect("it makes schemas");
    let schemas = schemas
        .split(']')
        .next()
        .unwrap_or_default()
        .split(", ")
        .map(|schema| schema.trim_matches('\''));
    assert_eq!(
        schemas.collect::<BTreeSet<_>>(),
        services().iter().map(|service| service.schema).collect()
    );
}

#[test]
fn the_image_has_every_program_that_a_container_runs_and_every_folder_that_a_volume_is_mounted_on() {
    let (dockerfile, compose) = (text("Dockerfile"), compose());
    let linked = dockerfile
        .lines()
        .find_map(|line| line.trim().strip_prefix("&& for service in ")?.strip_suffix("; do \\"))
        .expect("the program has links");
    let links = tempfile::tempdir().expect("there is a folder for temporary files");
    assert_eq!(linked.split(' ').count(), services().len());
    for (name, service) in linked.split(' ').zip(services()) {
        let link = links.path().join(format!("legalstat-{name}"));
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_legalstat"), &link).expect("a link can be made");
        let told = Command::new(link)
            .arg("--version")
            .output()
            .expect("the program starts");
        let told = String::from_utf8(told.stdout).expect("it is text");
        assert!(told.starts_with(&format!("{} ", service.program())), "{told}");
    }
    // The folders come from this image; others bring their own.
    for (name, container) in entries(&compose, "services").filter(|(_, container)| is_ours(container)) {
        for volume in texts(container, "volumes")
            .iter()
            .filter(|volume| !volume.starts_with('.'))
        {
            let target = volume.split(':').nth(1).expect("a volume has a target");
            let is_made = dockerfile.split_whitespace().any(|word| word == target);
            assert!(is_made, "{name}: {target} is not the program's own");
        }
    }
    assert!(dockerfile.contains("cargo clean --profile dist --workspace") && dockerfile.contains("USER 10001:10001"));
    for argument in entries(&compose, "services.certificates.build.args").map(|(name, _)| name) {
        assert!(dockerfile.contains(&format!("ARG {argument}=")), "{argument}");
    }
}

#[test]
fn a_container_has_the_time_that_its_service_takes_to_end() {
    let compose = compose();
    for service in services() {
        let grace = compose["services"][service.name]["stop_grace_period"]
            .as_str()
            .expect("it is set");
        let grace: u64 = grace.trim_end_matches('s').parse().expect("it is in seconds");
        assert!(grace >= ending(), "{} takes up to {} s", service.name, ending());
    }
}
