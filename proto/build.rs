//! Compiles the contracts with protox, which needs no system `protoc`, and keeps the descriptor set with its custom
//! options (a decoded `FileDescriptorSet` would drop them).

use std::{collections::BTreeSet, env, error::Error, fmt::Write as _, fs, path::PathBuf};

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    for area in fs::read_dir(root.join("legalstat"))? {
        for file in fs::read_dir(area?.path().join("v1"))? {
            files.push(file?.path());
        }
    }
    files.sort();
    println!("cargo:rerun-if-changed=legalstat");

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    fs::write(out.join("texts.rs"), texts(&compiler.descriptor_pool())?)?;
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

const TEXT: &str = "legalstat.common.v1.LocalizedText";

/// The trait `Texts` for the answers of all methods whose requests have the field `languages`, and for every message in them that has
/// texts. Generated, so that no text of a new field is forgotten. What has texts in one of several parts, as the messages of a download,
/// is left to whoever knows which part it is, and only the parts have the trait.
fn texts(contracts: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut left = Vec::new();
    for service in contracts.services() {
        let asked = service
            .methods()
            .filter(|method| method.input().get_field_by_name("languages").is_some());
        left.extend(asked.map(|method| method.output()));
    }
    let (mut code, mut written) = (String::new(), BTreeSet::new());
    while let Some(message) = left.pop() {
        if !written.insert(message.full_name().to_owned()) {
            continue;
        }
        let path = message.full_name().replace('.', "::");
        let holding = holding(&message);
        left.extend(
            holding
                .iter()
                .map(|(_, held)| held.clone())
                .filter(|held| held.full_name() != TEXT),
        );
        if holding.iter().any(|(field, _)| field.containing_oneof().is_some()) {
            continue;
        }
        writeln!(code, "impl Texts for contracts::{path} {{")?;
        writeln!(
            code,
            "fn each_text(&mut self, each: &mut dyn FnMut(&mut LocalizedText)) {{"
        )?;
        for (field, _) in holding {
            writeln!(
                code,
                "self.{}.iter_mut().for_each(|part| part.each_text(each));",
                field.name()
            )?;
        }
        writeln!(code, "}}\n}}")?;
    }
    Ok(code)
}

/// The fields of a message in which there are texts, each with the message that it holds.
fn holding(message: &MessageDescriptor) -> Vec<(FieldDescriptor, MessageDescriptor)> {
    let messages = message.fields().filter_map(|field| match field.kind() {
        Kind::Message(held) => Some((field, held)),
        _ => None,
    });
    messages.filter(|(_, held)| has_texts(held, &mut Vec::new())).collect()
}

/// Whether there are texts in a message, at whatever depth. `above` are those that hold it: one may hold itself.
fn has_texts(message: &MessageDescriptor, above: &mut Vec<MessageDescriptor>) -> bool {
    if message.full_name() == TEXT {
        return true;
    }
    if !message.package_name().starts_with("legalstat.") || above.contains(message) {
        return false;
    }
    above.push(message.clone());
    let found = message.fields().any(|field| match field.kind() {
        Kind::Message(held) => has_texts(&held, above),
        _ => false,
    });
    above.pop();
    found
}
