//! What fails for the moment and may succeed when it is tried again, by class: PostgreSQL's SQLSTATEs, sqlx's own errors, and
//! what the file system or the store of files says. What is in none of the classes is a fault of ours, and trying again would not help.

use std::io;

/// Why a call cannot be carried out just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// The database cannot be reached, is starting or stopping, or does not take writes.
    Away,
    /// The database answers others, or another transaction was in the way.
    Busy,
    /// A disk has no room.
    Full,
    /// A disk or what it holds fails, or the store of files.
    Failing,
}

impl Outage {
    /// Why an error that has such an outage among its causes happened.
    pub(crate) fn behind(error: &anyhow::Error) -> Option<Self> {
        error.chain().find_map(|cause| {
            let of_database = cause.downcast_ref().and_then(Self::of_database);
            let of_store = || cause.downcast_ref().and_then(Self::of_store);
            of_database
                .or_else(of_store)
                .or_else(|| cause.downcast_ref().and_then(Self::of_file))
        })
    }

    /// Why the database failed.
    pub(crate) fn of_database(error: &sqlx::Error) -> Option<Self> {
        use sqlx::Error::{BeginFailed, Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
        match error {
            Database(error) => Self::of_sqlstate(&error.code()?),
            PoolTimedOut => Some(Self::Busy),
            // Of this process's own handles and memory none is free.
            Io(error) if Self::of_file(error) == Some(Self::Busy) && error.kind() != io::ErrorKind::TimedOut => {
                Some(Self::Busy)
            }
            Io(_) | Tls(_) | Protocol(_) | PoolClosed | WorkerCrashed | BeginFailed => Some(Self::Away),
            _ => None,
        }
    }

    /// PostgreSQL, Appendix A "Error Codes".
    fn of_sqlstate(code: &str) -> Option<Self> {
        match (code.get(..2)?, code) {
            // A statement that needs another state of its own session is ours to mend.
            (_, "55P02" | "55P04") => None,
            (_, "57014") => Some(Self::Busy),
            (_, "53100") => Some(Self::Full),
            // What is written to is a standby, or was closed for writing.
            (_, "25006") => Some(Self::Away),
            // A transaction that idled or ran for too long; the rest of its class is ours to mend.
            (_, "25P03" | "25P04") => Some(Self::Busy),
            // The connection; who may connect, and to which database.
            ("08" | "28" | "3D" | "57", _) => Some(Self::Away),
            // Conflicts of transactions; what the server has too little of; what another session holds; too old a snapshot.
            ("40" | "53" | "55" | "72", _) => Some(Self::Busy),
            // What the server's machine fails at.
            ("58", _) => Some(Self::Failing),
            // XX among others: what the server finds wrong with itself or its data stays wrong.
            _ => None,
        }
    }

    /// Why a bucket failed: it is away, is too slow, has no room, or refuses the key, which an operator puts right. What it says of one
    /// object tells of names, as the file system's does. A folder says why itself, as the cause of this error.
    fn of_store(error: &object_store::Error) -> Option<Self> {
        use object_store::Error::{Generic, PermissionDenied, Unauthenticated};
        match error {
            Generic { store: "S3", .. } | PermissionDenied { .. } | Unauthenticated { .. } => Some(Self::Failing),
            _ => None,
        }
    }

    /// Why the file system failed. Every such error passes, sooner or later: what a caller sends has no part in it.
    pub(crate) fn of_file(error: &io::Error) -> Option<Self> {
        use io::ErrorKind::{
            AlreadyExists, Interrupted, InvalidData, InvalidInput, NotFound, OutOfMemory, QuotaExceeded, ResourceBusy,
            StorageFull, TimedOut, UnexpectedEof, Unsupported, WouldBlock,
        };
        const TOO_MANY_FILES: [i32; 2] = [23, 24];
        if error
            .raw_os_error()
            .is_some_and(|errno| TOO_MANY_FILES.contains(&errno))
        {
            return Some(Self::Busy);
        }
        match error.kind() {
            StorageFull | QuotaExceeded => Some(Self::Full),
            Interrupted | OutOfMemory | ResourceBusy | TimedOut | WouldBlock => Some(Self::Busy),
            // These tell of names and bytes, not of the disk.
            AlreadyExists | InvalidData | InvalidInput | NotFound | UnexpectedEof | Unsupported => None,
            _ => Some(Self::Failing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SQLSTATEs of PostgreSQL 18 in the classes that tell of outages, and of each other class one.
    const SQLSTATES: &[(Option<Outage>, &str)] = &[
        (Some(Outage::Away), "08000 08001 08003 08004 08006 08007 08P01"),
        (Some(Outage::Away), "25006 28000 28P01 3D000"),
        (Some(Outage::Away), "57000 57P01 57P02 57P03 57P04 57P05"),
        (Some(Outage::Busy), "25P03 25P04 40000 40001 40002 40003 40P01"),
        (
            Some(Outage::Busy),
            "53000 53200 53300 53400 55000 55006 55P03 57014 72000",
        ),
        (Some(Outage::Full), "53100"),
        (Some(Outage::Failing), "58000 58030 58P01 58P02 58P03"),
        (None, "25000 25001 25002 25003 25004 25005 25007 25008 25P01 25P02"),
        (None, "55P02 55P04 XX000 XX001 XX002"),
        (
            None,
            "00000 01000 02000 03000 09000 0A000 0B000 0F000 0L000 0P000 0Z000 10608",
        ),
        (
            None,
            "20000 21000 22001 23505 24000 26000 27000 2B000 2D000 2F000 34000",
        ),
        (
            None,
            "38000 39000 3B000 3F000 42501 42P01 44000 54000 F0000 HV000 P0001",
        ),
    ];

    #[test]
    fn every_class_of_the_databases_faults_is_told_as_what_it_is() {
        for (expected, codes) in SQLSTATES {
            for code in codes.split_whitespace() {
                assert_eq!(Outage::of_sqlstate(code), *expected, "{code}");
            }
        }
        assert_eq!(Outage::of_sqlstate(""), None);
        assert_eq!(Outage::of_sqlstate("ж"), None);
    }

    #[test]
    fn a_connection_that_fails_is_away_and_a_pool_without_a_spare_one_is_busy() {
        use sqlx::Error;
        let io = |errno: i32| Error::Io(io::Error::from_raw_os_error(errno));
        let (reset, refused, timed_out, handles) = (io(104), io(111), io(110), io(24));
        for away in [
            reset,
            refused,
            timed_out,
            Error::PoolClosed,
            Error::WorkerCrashed,
            Error::BeginFailed,
        ] {
            assert_eq!(Outage::of_database(&away), Some(Outage::Away), "{away}");
        }
        let away = [Error::Tls("cut".into()), Error::Protocol("half a message".into())];
        assert!(
            away.iter()
                .all(|error| Outage::of_database(error) == Some(Outage::Away))
        );
        for busy in [handles, Error::PoolTimedOut] {
            assert_eq!(Outage::of_database(&busy), Some(Outage::Busy), "{busy}");
        }
        for ours in [Error::RowNotFound, Error::ColumnNotFound("name".into())] {
            assert_eq!(Outage::of_database(&ours), None, "{ours}");
        }
    }

    #[test]
    fn a_disk_that_is_full_is_told_from_one_that_fails() {
        // ENOSPC, EDQUOT; ENFILE, EMFILE, EBUSY, ENOMEM, EAGAIN; EIO, EACCES, EPERM, EROFS, ENODEV, ESTALE; ENOENT.
        for (expected, numbers) in [
            (Some(Outage::Full), &[28, 122][..]),
            (Some(Outage::Busy), &[23, 24, 16, 12, 11]),
            (Some(Outage::Failing), &[5, 13, 1, 30, 19, 116]),
            (None, &[2]),
        ] {
            for number in numbers {
                let error = io::Error::from_raw_os_error(*number);
                assert_eq!(Outage::of_file(&error), expected, "{error}");
                let source = Box::new(error);
                let stored = object_store::Error::Generic {
                    store: "folder",
                    source,
                };
                let told = anyhow::Error::new(stored).context("file store");
                assert_eq!(Outage::behind(&told), expected, "{told:#}");
            }
        }
    }

    #[test]
    fn a_bucket_that_does_not_answer_or_refuses_is_an_outage_and_content_that_it_has_not_is_a_fault() {
        use object_store::Error;
        let source = || Box::new(io::Error::from_raw_os_error(111));
        let (away, path) = (
            Error::Generic {
                store: "S3",
                source: source(),
            },
            String::new,
        );
        let refused = Error::PermissionDenied {
            path: path(),
            source: source(),
        };
        let missing = Error::NotFound {
            path: path(),
            source: Box::new(io::Error::from(io::ErrorKind::NotFound)),
        };
        for (expected, error) in [
            (Some(Outage::Failing), away),
            (Some(Outage::Failing), refused),
            (None, missing),
        ] {
            let told = anyhow::Error::new(error).context("file store");
            assert_eq!(Outage::behind(&told), expected, "{told:#}");
        }
    }
}
