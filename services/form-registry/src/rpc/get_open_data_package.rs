//! GetOpenDataPackage.

use std::time::Duration;

use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations, door::wire};
use legalstat_proto::forms::v1::{GetOpenDataPackageRequest, MissingName, OpenDataFile, OpenDataPackage};
use tonic::Response;

use super::{
    FormRegistry, door,
    packaging::{self, Files, Made},
    showing::Showing,
};
use crate::{
    db::{
        self,
        package::{Stored, StoredFile},
    },
    domain::{
        edition::{Edition, Obstacle},
        key::EditionKey,
        visibility::View,
    },
};

/// How long a draft waits for packages that are being made: less than a placement, which many drafts must not keep waiting.
const WAIT: Duration = Duration::from_secs(1);

/// Which package is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Last,
    Draft,
    Number(i32),
}

pub(super) async fn get_open_data_package(
    registry: &FormRegistry,
    call: Call,
    request: GetOpenDataPackageRequest,
) -> Result<Response<OpenDataPackage>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let version = version(&mut violations, "version", &request.version);
    let (key, version) = door::sound(violations, &context.db, ("name", key), key.zip(version)).await?;
    registry.schedule.require_whole()?;
    let now = context.now();
    let edition = door::find(&mut *context.db.connection().await?, "name", key, now).await?;
    let mut showing = Showing::to(&call, now);
    let (edition, view) = showing.edition(edition);
    let answer = if version == Version::Draft {
        draft(registry, &edition, view).await?
    } else {
        let mut connection = context.db.connection().await?;
        let stored = db::package::all(&mut connection, key).await?;
        let stored = readable(&edition, view, version, stored)?;
        let files = db::package::files(&mut connection, key, stored.version).await?;
        to_package(&edition, &stored, files)
    };
    showing.record(context, &call).await?;
    Ok(showing.answer(answer))
}

/// Reads a version: `v1` and on, `draft`, or none.
pub(super) fn version(violations: &mut Violations, field: &str, text: &str) -> Option<Version> {
    let number = || {
        text.strip_prefix('v')?
            .parse()
            .ok()
            .filter(|number| *number > 0 && text == format!("v{number}"))
    };
    let read = match text {
        "" => Some(Version::Last),
        "draft" => Some(Version::Draft),
        _ => number().map(Version::Number),
    };
    violations.check(
        field,
        FieldReason::ResourceName,
        read.ok_or("a version such as v1, or draft"),
    )
}

/// The package that is asked for, of an edition as it is shown.
///
/// # Errors
/// NOT_FOUND when there is none; what keeps it from being served.
pub(super) fn readable(
    edition: &Edition,
    view: View,
    version: Version,
    mut stored: Vec<Stored>,
) -> Result<Stored, Refusal> {
    let key = edition.key;
    if view == View::Dates {
        return Err(Obstacle::Embargoed.refusal(&key));
    }
    stored.retain(|package| edition.revision(package.revision).is_some());
    if view != View::Everything {
        let served = |package: &Stored| {
            let revision = edition.revision(package.revision);
            revision.is_some_and(|revision| revision.withdrawal.is_none())
        };
        if stored.iter().any(|package| !served(package)) && !stored.iter().any(served) {
            return Err(Obstacle::Withdrawn.refusal(&key));
        }
        stored.retain(served);
    }
    let found = match version {
        Version::Last => stored.pop(),
        Version::Number(number) => stored.into_iter().find(|package| package.version == number),
        Version::Draft => None,
    };
    let missing = match version {
        Version::Number(number) => name(key, &format!("v{number}")),
        Version::Last | Version::Draft => format!("{key}/openDataPackages"),
    };
    found.ok_or_else(|| Refusal::not_found(&missing))
}

async fn draft(registry: &FormRegistry, edition: &Edition, view: View) -> Result<OpenDataPackage, Error> {
    let key = edition.key;
    match view {
        View::Everything => {}
        View::Dates => return Err(Obstacle::Embargoed.refusal(&key).into()),
        View::Open | View::Sealed | View::Early => return Err(Refusal::not_found(&name(key, "draft")).into()),
    }
    let revision = edition.to_be_placed(None, registry.context.now());
    let revision = revision.map_err(|obstacle| obstacle.refusal(&key))?;
    let made = packaging::make(registry, edition, revision, Files::Described, WAIT).await?;
    let made = made.ok_or_else(|| Obstacle::NotSealed.refusal(&key))?;
    Ok(to_draft(key, made))
}

fn name(key: EditionKey, version: &str) -> String {
    format!("{key}/openDataPackages/{version}")
}

fn to_package(edition: &Edition, stored: &Stored, files: Vec<StoredFile>) -> OpenDataPackage {
    let version = format!("v{}", stored.version);
    let seal = edition
        .revision(stored.revision)
        .and_then(|revision| revision.seal.as_ref());
    OpenDataPackage {
        name: name(edition.key, &version),
        version,
        revision: stored.revision,
        content_sha256: seal.map(|seal| hex::encode(seal.content_sha256)).unwrap_or_default(),
        made_at: Some(wire::to_timestamp(stored.made_at)),
        files: files.into_iter().map(to_file).collect(),
        sha256: hex::encode(stored.sha256),
        missing_names: Vec::new(),
    }
}

pub(super) fn to_file(file: StoredFile) -> OpenDataFile {
    OpenDataFile {
        path: file.path,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        sha256: hex::encode(file.sha256),
    }
}

fn to_draft(key: EditionKey, made: Made) -> OpenDataPackage {
    let files = made.files.into_iter().map(|file| OpenDataFile {
        path: file.path,
        content_type: file.media_type,
        size_bytes: i64::try_from(file.size_bytes).unwrap_or(i64::MAX),
        sha256: hex::encode(file.sha256),
    });
    let missing = made.missing.into_iter().map(|missing| MissingName {
        resource: missing.resource,
        language: missing.language.into(),
    });
    OpenDataPackage {
        name: name(key, "draft"),
        version: "draft".into(),
        revision: made.revision,
        content_sha256: hex::encode(made.content_sha256),
        made_at: None,
        files: files.collect(),
        sha256: hex::encode(made.sha256),
        missing_names: missing.collect(),
    }
}
