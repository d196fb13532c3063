//! Every method is shown in use, so that who begins with it has something to copy: by a command of the command line, which others read
//! and run, or by a program in `examples/`.

use std::{fs, path::Path};

use crate::{
    lint::own_methods,
    methods,
    sources::{self, Source},
};

/// Shown by the method whose requests it takes by the thousand.
const BATCH: (&str, &str) = ("BatchComputeDeadlines", "ComputeDeadline");

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn examples() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = ["python", "node"].map(|language| fs::read_dir(root.join(language)).expect("there are examples"));
    let files = folders
        .into_iter()
        .flatten()
        .map(|file| file.expect("it is readable").path());
    let sources = files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "py" || extension == "js")
    });
    sources
        .map(|file| fs::read_to_string(file).expect("it is readable"))
        .collect()
}

#[test]
fn every_method_that_others_call_has_an_example() {
    let of_commands = |source: &Source| source.path.starts_with("cli/src/") && !source.is_test();
    let commands: String = sources::all()
        .into_iter()
        .filter(of_commands)
        .map(|source| source.code().to_owned())
        .collect();
    let examples = examples();
    let is_shown = |name: &str| {
        // The command line names methods in full, `legalstat.forms.v1.FormRegistryService/GetForm`, or within their service.
        let named = [format!("/{name}\""), format!("\"{name}\""), format!("{}(", snake(name))];
        named.iter().any(|named| commands.contains(named)) || examples.contains(&format!(".{name}("))
    };
    let of_services = |method: &prost_reflect::MethodDescriptor| methods::access(method).0.starts_with("SERVICE");
    let called = own_methods().into_iter().filter(|method| !of_services(method));
    let names = called
        .map(|method| method.name().to_owned())
        .filter(|name| name != BATCH.0);
    let without: Vec<String> = names.filter(|name| !is_shown(name)).collect();
    assert!(without.is_empty(), "no command and no example shows {without:?}");
    assert!(is_shown(BATCH.1));
}
