//! `legalstat forms package`: the open data package of an edition, written into a folder.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use legalstat_local::folder::write_chosen;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{connect, edition_name, forms::SERVICE};
use crate::{
    call::Connection,
    failure::Failure,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

const FILES: View = View::Rows(
    "files",
    &[
        ("file", "path"),
        ("type", "contentType"),
        ("bytes", "sizeBytes"),
        ("SHA-256", "sha256"),
    ],
);
const MISSING: View = View::Rows(
    "missingNames",
    &[("without a name", "resource"), ("language", "language")],
);

/// Which package, and where to write it
#[derive(Args, Debug)]
pub(crate) struct Package {
    /// The edition, forms/1/editions/2026-M10 or 1/2026-M10
    name: String,
    /// The version, v1 and on, or draft: what a placement on the open data portal would make now [default: the last one]
    #[arg(long, value_name = "VERSION", default_value = "")]
    package_version: String,
    /// The folder to write it into, made if it is not there; without it the package is only described
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

impl Package {
    /// Tells what is in the package, and writes it where that is wanted.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let service = ServiceName::of_grpc_service(SERVICE).expect("the form registry is a service");
        let connection = connect(options, service)?;
        let request = json!({ "name": edition_name("forms/", &self.name), "version": self.package_version });
        let package = connection
            .call(&format!("{SERVICE}/GetOpenDataPackage"), &request)
            .await?;
        if let Some(folder) = &self.to {
            if package["version"] == "draft" {
                return Err(Failure::usage(
                    "a draft is not out yet: it can be described, and not written",
                ));
            }
            write(&connection, &package, folder).await?;
        }
        let missing = package["missingNames"]
            .as_array()
            .is_some_and(|names| !names.is_empty());
        let view = if missing { MISSING } else { FILES };
        Ok(output::print(&package, options.output, view)?)
    }
}

/// Writes every file, once its content is found to be what the package says.
async fn write(connection: &Connection, package: &Value, folder: &Path) -> Result<(), Failure> {
    let method = format!("{SERVICE}/DownloadOpenDataFile");
    for file in package["files"].as_array().into_iter().flatten() {
        let path = file["path"].as_str().unwrap_or_default();
        let to = within(folder, path)?;
        let request = json!({ "name": package["name"], "path": path });
        let (_, content) = connection.download(&method, &request).await?;
        if file["sha256"] != hex::encode(Sha256::digest(&content)) {
            let message = format!("{path} came with another content than the package says; nothing of it was written");
            return Err(anyhow::anyhow!(message).into());
        }
        let parent = to.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| Failure::usage(format!("{}: {error}", parent.display())))?;
        write_chosen(&to, &content)?;
    }
    Ok(())
}

/// A file of the package in the folder; never one outside of it, whatever the service says.
fn within(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    let parts = Path::new(path).components();
    if path.is_empty() || !parts.clone().all(|part| matches!(part, Component::Normal(_))) {
        let message = format!("the package names a file outside of itself: {}", output::escaped(path));
        return Err(anyhow::anyhow!(message).into());
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        let folder = Path::new("out");
        assert_eq!(
            within(folder, "files/1-a.csv").ok(),
            Some(PathBuf::from("out/files/1-a.csv"))
        );
        for path in ["", "/etc/passwd", "../a", "files/../../a"] {
            assert!(within(folder, path).is_err(), "{path}");
        }
    }
}
