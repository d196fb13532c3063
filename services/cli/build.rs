//! Embeds the contracts and what stands beside them, so that the program hands out those it speaks. Not in `proto/` itself: a word
//! changed in its guide would have everything compiled anew.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What is handed out beside the contracts.
const BESIDE: [&str; 5] = [
    "ERRORS.md",
    "README.md",
    "buf.gen.yaml",
    "buf.yaml",
    "service-config.json",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .join("../../proto")
        .canonicalize()?;
    let mut files: Vec<PathBuf> = BESIDE.iter().map(|name| root.join(name)).collect();
    for area in fs::read_dir(root.join("legalstat"))? {
        for file in fs::read_dir(area?.path().join("v1"))? {
            files.push(file?.path());
        }
    }
    files.sort();
    println!("cargo:rerun-if-changed={}", root.join("legalstat").display());
    let mut code = String::from("&[\n");
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        writeln!(code, "({:?}, include_str!({file:?})),", file.strip_prefix(&root)?)?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("contracts.rs"), code + "]\n")?;
    Ok(())
}
