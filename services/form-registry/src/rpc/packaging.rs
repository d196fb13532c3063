//! Makes the open data package of a sealed revision: reads what it is of, has `domain/package/` write the files, and keeps them in
//! the folder of files, where the same content lies once.

use std::time::Duration;

use bytes::Bytes;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations, call::deadline, door::wire, files::Staged, write, zone,
};
use legalstat_proto::common::v1::ErrorReason;
use sqlx::PgConnection;
use tokio::sync::SemaphorePermit;
use tonic::Code;
use uuid::Uuid;

use super::FormRegistry;
use crate::{
    db::{
        self,
        canonical::{Leading, Stored},
    },
    domain::{
        edition::{Channel, Edition, Revision, Seal},
        key::EditionKey,
        package::{self, FileEntry, FileKind, Format, LARGEST, LeftOut, MissingName, Part, Parts, Subject},
    },
};

/// How long a placement waits for packages that are being made.
const WAIT: Duration = Duration::from_secs(10);

/// A package that was made, and is not out yet.
pub(super) struct Made {
    pub(super) version: i32,
    pub(super) revision: i32,
    pub(super) content_sha256: [u8; 32],
    /// By path.
    pub(super) files: Vec<FileEntry>,
    pub(super) sha256: [u8; 32],
    pub(super) missing: Vec<MissingName>,
    /// Whether there is anything that the portal takes.
    pub(super) holds_data: bool,
}

/// What becomes of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// They are kept.
    Kept,
    /// They are only described.
    Described,
}

/// What is to be placed where.
pub(super) struct Placing<'c> {
    pub(super) call: &'c Call,
    pub(super) request_id: Uuid,
    pub(super) key: EditionKey,
    pub(super) channel: Channel,
    pub(super) revision: Option<i32>,
    pub(super) validate_only: bool,
}

/// Makes the package that a placement on the open data portal brings out, before the placement's transaction: it can take seconds.
/// Makes none where the placement is refused for another reason, was made before, or is on another channel.
///
/// # Errors
/// NAMES_MISSING, or CONTENT_MISSING when the revision holds nothing that the portal takes.
pub(super) async fn before_placement(registry: &FormRegistry, placing: &Placing<'_>) -> Result<Option<Made>, Error> {
    let (context, key) = (&registry.context, placing.key);
    if placing.channel != Channel::OpenDataPortal
        || write::was_answered(context, placing.call, placing.request_id).await?
    {
        return Ok(None);
    }
    let now = context.now();
    let (edition, is_listed) = {
        let mut connection = context.db.connection().await?;
        let day = zone::civil_day(now);
        let is_listed = db::placement::on_open_data_list(&mut connection, key.form, day).await?;
        (db::edition::get(&mut connection, key, now).await?, is_listed)
    };
    let Some(edition) = edition.filter(|_| is_listed) else {
        return Ok(None);
    };
    let revision = match edition.to_be_placed(placing.revision, now) {
        Ok(revision) if edition.placement(placing.channel, revision.number).is_none() => revision,
        Ok(_) | Err(_) => return Ok(None),
    };
    let files = if placing.validate_only {
        Files::Described
    } else {
        Files::Kept
    };
    let mut connection = context.db.connection().await?;
    let restricted = db::observation::restricted(&mut connection, key, revision.number).await?;
    drop(connection);
    if !restricted.is_empty() {
        return Ok(None);
    }
    let made = make(registry, &edition, revision, files, WAIT).await?;
    let made = made.ok_or_else(|| anyhow::anyhow!("what can be placed is sealed"))?;
    require_whole(key, &made)?;
    Ok(Some(made))
}

/// Stores that the package is out, in the placement's transaction.
///
/// # Errors
/// UNAVAILABLE when the edition is not the one that the package was made of.
pub(super) async fn bring_out(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
    made: Option<&Made>,
    done: &legalstat_kit::call::Done,
) -> Result<(), Error> {
    let next = next_version(connection, key).await?;
    let made = made.filter(|made| (made.revision, made.version) == (revision, next));
    let changed = || Refusal::unavailable("the edition has changed meanwhile; try again").about(&key);
    let made = made.ok_or_else(changed)?;
    let which = (made.version, made.revision);
    db::package::save(connection, key, which, made.sha256, &made.files, done).await?;
    Ok(())
}

fn require_whole(key: EditionKey, made: &Made) -> Result<(), Refusal> {
    let law = Channel::OpenDataPortal.legal_basis();
    if !made.holds_data {
        let message = format!(
            "{key} holds no figures and no CSV, JSON or XML file of at most 10 MB: the open data portal takes nothing else"
        );
        let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::ContentMissing, message);
        return Err(refusal.about(&key).legal_basis(&law));
    }
    if made.missing.is_empty() {
        return Ok(());
    }
    let mut violations = Violations::new();
    for missing in &made.missing {
        let description = format!("no name in {}", missing.language);
        violations.add(missing.resource.clone(), FieldReason::Required, description);
    }
    let Err(mut refusal) = violations.refuse() else {
        return Ok(());
    };
    refusal.code = Code::FailedPrecondition;
    refusal.reason = ErrorReason::NamesMissing;
    refusal.message = format!("{key}: names are missing in Kazakh or Russian: {}", made.missing.len()).into();
    Err(refusal.about(&key).legal_basis(&law))
}

/// Makes the package of a revision as the next version of its edition, after others for which it has patience; `None` of one that is not
/// sealed.
///
/// # Errors
/// RESOURCE_EXHAUSTED when others are being made for too long; when the database or the folder of files fails.
pub(super) async fn make(
    registry: &FormRegistry,
    edition: &Edition,
    revision: &Revision,
    files: Files,
    patience: Duration,
) -> Result<Option<Made>, Error> {
    let Some(seal) = &revision.seal else {
        return Ok(None);
    };
    let key = edition.key;
    let turn = turn(registry, patience).await?;
    let mut snapshot = registry.context.db.snapshot().await?;
    let version = next_version(&mut snapshot, key).await?;
    let set = db::canonical::figure_set(&mut snapshot, key, revision.number).await?;
    let subject = subject(registry, &mut snapshot, key, (revision, seal), set).await?;
    let mut making = Making {
        registry,
        files,
        entries: Vec::new(),
        staged: Vec::new(),
    };
    if let Some(set) = set {
        making.figures(&mut snapshot, &subject, set).await?;
        let table = subject.indicators().map_err(anyhow::Error::new)?;
        making
            .add("indicators.csv", "text/csv", FileKind::Indicators, table)
            .await?;
        let table = subject.codes().map_err(anyhow::Error::new)?;
        making.add("codes.csv", "text/csv", FileKind::Codes, table).await?;
    }
    drop(snapshot);
    let left_out = making.uploaded(revision)?;
    let holds_data = !making.entries.is_empty();
    let data = making.entries.clone();
    let described = FileKind::Description;
    let datapackage = subject.datapackage(version, &data, &left_out);
    making
        .add("datapackage.json", "application/json", described.clone(), datapackage)
        .await?;
    let metadata = subject.portal_metadata(version, &data);
    making
        .add("metadata.json", "application/json", described.clone(), metadata)
        .await?;
    let dcat = subject.dcat(version, &data);
    making
        .add("dcat.jsonld", "application/ld+json", described, dcat)
        .await?;
    // What is left takes no memory, and a slow store keeps nobody else waiting.
    drop(turn);
    for staged in making.staged {
        staged.keep().await?;
    }
    let mut files = making.entries;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Some(Made {
        version,
        revision: revision.number,
        content_sha256: seal.content_sha256,
        sha256: package::sha256(&files),
        files,
        missing: subject.missing_names(),
        holds_data,
    }))
}

/// A turn to make a package, of which each takes memory: waited for as long as the call lasts, and without a connection.
async fn turn(registry: &FormRegistry, patience: Duration) -> Result<SemaphorePermit<'_>, Error> {
    match tokio::time::timeout(deadline::remaining(patience), registry.packaging.acquire()).await {
        Ok(turn) => Ok(turn.map_err(anyhow::Error::new)?),
        Err(_) => Err(Refusal::overloaded("other packages are being made; try again").into()),
    }
}

async fn next_version(connection: &mut PgConnection, key: EditionKey) -> Result<i32, sqlx::Error> {
    let packages = db::package::all(connection, key).await?;
    Ok(packages.last().map_or(1, |last| last.version + 1))
}

async fn subject(
    registry: &FormRegistry,
    connection: &mut PgConnection,
    key: EditionKey,
    (revision, seal): (&Revision, &Seal),
    set: Option<i32>,
) -> Result<Subject, Error> {
    let history = db::form::history(connection, key.form).await?;
    let history = history.ok_or_else(|| anyhow::anyhow!("an edition belongs to a form"))?;
    let day = key.period.last_day();
    let form = history.shown_on(day).form;
    let (mut indicators, mut dimensions, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(set) = set {
        indicators = db::package::indicators(connection, set, day).await?;
        dimensions = db::package::dimensions(connection, set).await?;
        codes = db::package::codes(connection, set, day).await?;
    }
    Ok(Subject {
        edition: key,
        revision: revision.number,
        content_sha256: seal.content_sha256,
        sealed_at: seal.sealed.at,
        title: form.title,
        periodicity: form.periodicity,
        legal_basis: form.duty.legal_basis,
        unit: form.responsible.unit,
        indicators,
        dimensions,
        codes,
        portal: registry.portal.url.clone(),
        contact: registry.portal.contact.clone(),
    })
}

/// Figures as they are gathered into parts of each format, with the number of the last part that is finished.
struct Gathering {
    order: db::package::Order,
    parts: [(Format, usize, Parts); 2],
}

impl Gathering {
    /// Adds the figures of a page; gives the parts that are full.
    fn add(&mut self, page: Vec<Stored>) -> Vec<(Format, usize, Part)> {
        let mut finished = Vec::new();
        for figure in self.order.figures(page) {
            for (format, number, gathered) in &mut self.parts {
                if let Some(part) = gathered.push(&figure) {
                    *number += 1;
                    finished.push((*format, *number, part));
                }
            }
        }
        finished
    }
}

/// The files made so far.
struct Making<'r> {
    registry: &'r FormRegistry,
    files: Files,
    entries: Vec<FileEntry>,
    /// Their contents, kept once no snapshot is open: a store may take its time.
    staged: Vec<Staged>,
}

impl Making<'_> {
    /// Writes the figures as CSV and as JSON, part by part as they are read.
    async fn figures(&mut self, connection: &mut PgConnection, subject: &Subject, set: i32) -> Result<(), Error> {
        let order = db::package::Order::of(connection, set, &subject.dimensions).await?;
        let ids: Vec<String> = subject
            .dimensions
            .iter()
            .map(|dimension| dimension.id.clone())
            .collect();
        let period = subject.edition.period.to_string();
        let formats = [Format::Csv, Format::Json];
        let parts = formats.map(|format| (format, 0, Parts::new(format, LARGEST, &period, &ids)));
        let mut gathering = Gathering { order, parts };
        for page in db::canonical::pages(connection, set, Leading::Territory).await? {
            let stored = db::canonical::read(connection, set, &page).await?;
            // Writing them down would keep every other call of this thread waiting.
            let gathered = tokio::task::spawn_blocking(move || (gathering.add(stored), gathering));
            let (finished, rest) = gathered.await.map_err(anyhow::Error::new)?;
            gathering = rest;
            for (format, number, part) in finished {
                self.part(format, number, part).await?;
            }
        }
        for (format, number, gathered) in gathering.parts {
            if let Some(part) = gathered.finish() {
                self.part(format, number + 1, part).await?;
            }
        }
        Ok(())
    }

    async fn part(&mut self, format: Format, number: usize, part: Part) -> Result<(), Error> {
        let path = format!("figures-{number:03}.{}", format.extension());
        let kind = FileKind::Figures {
            territories: part.territories,
        };
        self.add(&path, format.media_type(), kind, part.bytes).await
    }

    async fn add(&mut self, path: &str, media_type: &str, kind: FileKind, bytes: Vec<u8>) -> Result<(), Error> {
        self.entries.push(FileEntry {
            path: path.to_owned(),
            media_type: media_type.to_owned(),
            size_bytes: bytes.len(),
            sha256: wire::sha256(&bytes),
            kind,
        });
        if self.files == Files::Kept {
            let content = futures::stream::iter([Ok(Bytes::from(bytes))]);
            self.staged.push(self.registry.files.receive(content).await?);
        }
        Ok(())
    }

    /// Adds the uploaded files that the portal takes, which lie under their digests already; gives the others.
    fn uploaded(&mut self, revision: &Revision) -> Result<Vec<LeftOut>, Error> {
        let mut left_out = Vec::new();
        for (place, file) in revision.files.iter().enumerate() {
            let content = &file.content;
            let size_bytes = u64::try_from(content.size_bytes).map_err(anyhow::Error::new)?;
            let sha256 = content.sha256.as_slice().try_into().map_err(anyhow::Error::new)?;
            if !package::is_taken(&content.content_type, size_bytes) || file.restricted {
                left_out.push(LeftOut {
                    filename: content.filename.clone(),
                    size_bytes,
                    sha256,
                });
                continue;
            }
            self.entries.push(FileEntry {
                path: package::path_of_upload(place + 1, &content.filename),
                media_type: content.content_type.clone(),
                size_bytes: usize::try_from(size_bytes).map_err(anyhow::Error::new)?,
                sha256,
                kind: FileKind::Uploaded {
                    filename: content.filename.clone(),
                    language: file.language.clone(),
                },
            });
        }
        Ok(left_out)
    }
}
