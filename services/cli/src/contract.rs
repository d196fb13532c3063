//! `legalstat contract`: what the developers of other systems need to call this one.

use std::path::{Path, PathBuf};

use legalstat_local::folder::write_whole;

use crate::{failure::Failure, output};

/// The contracts, for who builds a system that calls this one
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Contract {
    /// Write the contracts of this release into a folder
    ///
    /// The proto files, the guide for integrators (README.md), the reasons of refusals (ERRORS.md), the gRPC service config, the
    /// settings of buf, and `legalstat.binpb`, all of them with their imports as one google.protobuf.FileDescriptorSet. Files of the
    /// same names are replaced, others stay.
    #[command(after_help = "Examples:
  legalstat contract export ./legalstat-contract
  buf curl --schema ./legalstat-contract --cacert ca.pem --protocol grpc \\
      --data '{\"name\":\"days/2025-01-05\"}' https://localhost:7601/legalstat.calendar.v1.CalendarService/GetDay")]
    Export {
        /// The folder; it is made if there is none
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
}

/// What is handed out, by its path below `proto/`: the contracts, the guide to them, the service config and the settings of buf.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
/// The contracts in one file.
const DESCRIPTORS: &str = "legalstat.binpb";

impl Contract {
    /// Writes them.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self::Export { to } = self;
        export(&to)?;
        let version = env!("CARGO_PKG_VERSION");
        output::tell(&format!("the contracts of legalstat {version} are in {}", to.display()));
        Ok(())
    }
}

fn export(to: &Path) -> anyhow::Result<()> {
    let texts = FILES.iter().map(|(name, text)| (*name, text.as_bytes()));
    for (name, content) in texts.chain([(DESCRIPTORS, legalstat_proto::FILE_DESCRIPTOR_SET)]) {
        write_whole(&to.join(name), content, 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_what_the_program_speaks() {
        let to = tempfile::tempdir().expect("a folder");
        export(to.path()).expect("it is written");
        export(to.path()).expect("it is written again");
        let set = std::fs::read(to.path().join(DESCRIPTORS)).expect("the descriptors");
        assert_eq!(set, legalstat_proto::FILE_DESCRIPTOR_SET);
        for file in legalstat_proto::descriptors().files() {
            let is_own = file.name().starts_with("legalstat/");
            assert_eq!(to.path().join(file.name()).exists(), is_own, "{}", file.name());
        }
        for beside in [
            "README.md",
            "ERRORS.md",
            "service-config.json",
            "buf.gen.yaml",
            "buf.yaml",
        ] {
            assert!(to.path().join(beside).exists(), "{beside}");
        }
    }
}
