//! The user that a PostgreSQL server runs as when this process is root.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{Gid, Uid, User};

/// The user the server runs as, when this process is root, as PostgreSQL refuses to run as root.
#[derive(Clone, Debug)]
pub(crate) struct Unprivileged {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
}

impl Unprivileged {
    pub(crate) fn usual() -> anyhow::Result<Self> {
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name)? {
                return Ok(Self {
                    uid: user.uid,
                    gid: user.gid,
                });
            }
        }
        anyhow::bail!("there is neither a user postgres nor a user nobody to run PostgreSQL as")
    }

    /// The user whose data are already in the folder: PostgreSQL runs as no other on them.
    pub(crate) fn owner(folder: &Path) -> Option<Self> {
        let data = fs::metadata(folder.join("data")).ok()?;
        (data.uid() != 0).then(|| Self {
            uid: Uid::from_raw(data.uid()),
            gid: Gid::from_raw(data.gid()),
        })
    }

    pub(crate) fn owns(&self, path: &Path) -> anyhow::Result<()> {
        Ok(std::os::unix::fs::chown(
            path,
            Some(self.uid.as_raw()),
            Some(self.gid.as_raw()),
        )?)
    }

    /// Whether the user can reach the folder: every folder above lets others through.
    pub(crate) fn reaches(&self, folder: &Path) -> bool {
        folder.ancestors().skip(1).all(|above| {
            above.as_os_str().is_empty() || fs::metadata(above).is_ok_and(|data| data.permissions().mode() & 0o001 != 0)
        })
    }
}
