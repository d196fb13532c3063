//! PostgreSQL's own programs: where they are, and how to get them.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// The oldest PostgreSQL that the services work with.
const OLDEST: u32 = 15;
/// A setting of Debian's packages, in a file of its own so that the machine's settings stay as they are.
const NO_CLUSTER: (&str, &str) = (
    "/etc/postgresql-common/createcluster.d/legalstat.conf",
    "# legalstat starts a server of its own.\ncreate_main_cluster = false\n",
);

/// No PostgreSQL was found on this machine.
#[derive(Debug, thiserror::Error)]
pub struct PostgresMissing {
    distribution: String,
}

impl fmt::Display for PostgresMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "PostgreSQL {OLDEST} or later was not found (LEGALSTAT_POSTGRES_BIN, PATH, the usual folders)."
        )?;
        write!(f, "Install it: {}", self.command())
    }
}

impl PostgresMissing {
    fn here() -> Self {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let field = |name: &str| {
            let line = release
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let distribution = if cfg!(target_os = "macos") {
            "macos".into()
        } else {
            format!("{} {}", field("ID"), field("ID_LIKE"))
        };
        Self { distribution }
    }

    fn is(&self, name: &str) -> bool {
        self.distribution.split_whitespace().any(|word| word == name)
    }

    /// The command that installs it here.
    pub fn command(&self) -> &'static str {
        if self.is("debian") || self.is("ubuntu") {
            "apt-get install -y postgresql"
        } else if self.is("fedora") || self.is("rhel") {
            "dnf install -y postgresql-server"
        } else if self.is("alpine") {
            "apk add postgresql"
        } else if self.is("arch") {
            "pacman -S postgresql"
        } else if self.is("macos") {
            "brew install postgresql"
        } else {
            "install the package of your distribution that has the programs initdb and postgres"
        }
    }

    /// Whether [`PostgresMissing::install`] can do it: as root on Debian or Ubuntu.
    pub fn can_install(&self) -> bool {
        nix::unistd::geteuid().is_root() && (self.is("debian") || self.is("ubuntu"))
    }

    /// Installs the distribution's package, without the cluster that it would otherwise start. What apt-get says goes to
    /// standard error.
    ///
    /// # Errors
    /// When apt-get fails.
    pub fn install(&self) -> anyhow::Result<()> {
        super::folder::write_whole(Path::new(NO_CLUSTER.0), NO_CLUSTER.1.as_bytes(), 0o644)?;
        for arguments in [&["update"][..], &["install", "-y", "postgresql"]] {
            let mut command = Command::new("apt-get");
            command
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(Stdio::null())
                .stdout(std::io::stderr());
            let status = command.status().context("running apt-get")?;
            anyhow::ensure!(status.success(), "apt-get {} failed", arguments.join(" "));
        }
        Ok(())
    }
}

/// Finds the folder of PostgreSQL's programs: the one given, on PATH, or in the usual places, newest first.
///
/// # Errors
/// [`PostgresMissing`].
pub fn find(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given.filter(|given| !given.as_os_str().is_empty()) {
        version(given).with_context(|| format!("{} has no usable PostgreSQL", given.display()))?;
        return Ok(given.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(usual());
    folders
        .into_iter()
        .find(|folder| version(folder).is_ok())
        .ok_or_else(|| PostgresMissing::here().into())
}

fn usual() -> Vec<PathBuf> {
    let below = |parent: &str, prefix: &str, rest: &str| {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        named.map(|entry| entry.path().join(rest)).collect::<Vec<_>>()
    };
    let mut folders = below("/usr/lib/postgresql", "", "bin");
    folders.extend(below("/usr", "pgsql-", "bin"));
    folders.extend(below("/opt/homebrew/opt", "postgresql", "bin"));
    folders.extend(below("/usr/local/opt", "postgresql", "bin"));
    folders.push("/usr/local/pgsql/bin".into());
    folders.sort_by_cached_key(|folder| std::cmp::Reverse(version(folder).unwrap_or_default()));
    folders
}

fn version(folder: &Path) -> anyhow::Result<u32> {
    anyhow::ensure!(
        folder.join("initdb").is_file() && folder.join("pg_ctl").is_file(),
        "the programs are not there"
    );
    let output = Command::new(folder.join("postgres")).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.rsplit("PostgreSQL) ").next().unwrap_or_default();
    let major: u32 = number
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()?;
    anyhow::ensure!(major >= OLDEST, "PostgreSQL {major} is older than {OLDEST}");
    Ok(major)
}
