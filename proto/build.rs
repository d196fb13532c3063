//! Compiles the contracts with protox, which needs no system `protoc`, and keeps the descriptor set with its custom
//! options (a decoded `FileDescriptorSet` would drop them). Embeds the files, so that a program hands out the contracts it speaks.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

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
    fs::write(out.join("files.rs"), embedded(&root, &files)?)?;
    println!("cargo:rerun-if-changed=legalstat");

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The files as a constant: the path of each below this folder, and its text.
fn embedded(root: &Path, contracts: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let beside = ["README.md", "buf.gen.yaml", "buf.yaml", "service-config.json"].map(|name| root.join(name));
    let mut code = String::from("&[\n");
    for file in beside.iter().chain(contracts) {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.strip_prefix(root)?;
        writeln!(code, "({name:?}, include_str!({file:?})),")?;
    }
    Ok(code + "]\n")
}
