//! The content of an edition until its seal: its files, its marking and its embargo.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use legalstat_collection_distribution::statements;
use legalstat_proto::collections::v1::{ContentManifest, EditionContent, ManifestFile};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SERVICE, edition};
use crate::{
    call::{Connection, file_sha256, header},
    commands::{Action, Command, Mutation, connect, date, instant, object, request},
    failure::Failure,
    message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// Files, marking, embargo and seal.
#[derive(Subcommand, Debug)]
pub(crate) enum Contents {
    /// Upload files of an edition; what breaks off goes on
    #[command(after_help = "Examples:
  legalstat collections upload crime/2025-Q1 --content crime.pdf
  legalstat collections upload crime/2025-Q1 --content crime.xlsx --kk crime-kk.pdf --ru crime-ru.pdf
A file of the same name is replaced, another name adds one. An upload that was ended goes on with its --request-id, which it told at its
beginning.")]
    Upload(Upload),
    /// Take a file out of an edition that is not sealed
    #[command(after_help = "Example:\n  legalstat collections remove-file crime/2025-Q1 crime-kk.pdf")]
    RemoveFile {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// The file's name
        filename: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Mark an edition for official use, or open it again; its seal fixes that
    #[command(after_help = "Examples:
  legalstat collections mark crime/2025-Q1 --copies 33 --reason \"It tells of pending cases\" --expires 2026-12-31
  legalstat collections mark crime/2025-Q1 --open")]
    Mark {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// It is not marked
        #[arg(long, conflicts_with_all = ["copies", "reason", "expires"])]
        open: bool,
        /// How many copies there are in all
        #[arg(long, required_unless_present = "open")]
        copies: Option<i32>,
        /// Why it is marked
        #[arg(long, required_unless_present = "open")]
        reason: Option<String>,
        /// The last day on which the marking holds [default: no end is known]
        #[arg(long, value_name = "DAY", value_parser = date)]
        expires: Option<Value>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Put an edition under an embargo, move it, or lift it; its seal fixes that
    #[command(after_help = "Examples:
  legalstat collections embargo crime/2025-Q1 --until 2025-04-10T10:00:00+05:00
  legalstat collections embargo crime/2025-Q1 --lift")]
    Embargo {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// The instant from which on it may be released
        #[arg(long, value_parser = instant, required_unless_present = "lift", conflicts_with = "lift")]
        until: Option<Value>,
        /// Lift it
        #[arg(long)]
        lift: bool,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Seal an edition: fix its files, its marking and its embargo
    ///
    /// With --file the digest is computed here; of several files, all must be named, and it is refused when the service holds others.
    #[command(after_help = "Examples:
  legalstat collections seal crime/2025-Q1 --file crime.pdf
  legalstat collections seal crime/2025-Q1 --file crime.xlsx crime-kk.pdf crime-ru.pdf")]
    Seal {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// SHA-256 of the content to seal
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        sha256: Option<String>,
        /// The files to seal, as they were uploaded
        #[arg(long, value_name = "PATH", num_args = 1..)]
        file: Vec<PathBuf>,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// Which files
#[derive(Args, Debug)]
pub(crate) struct Upload {
    /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
    name: String,
    /// A file in all languages or none; may be repeated
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present_any = ["kk", "ru", "en"])]
    content: Vec<PathBuf>,
    /// A file in Kazakh; may be repeated
    #[arg(long, value_name = "PATH", num_args = 1..)]
    kk: Vec<PathBuf>,
    /// A file in Russian; may be repeated
    #[arg(long, value_name = "PATH", num_args = 1..)]
    ru: Vec<PathBuf>,
    /// A file in English; may be repeated
    #[arg(long, value_name = "PATH", num_args = 1..)]
    en: Vec<PathBuf>,
    /// The media type of all of them [default: what each name tells]
    #[arg(long)]
    content_type: Option<String>,
    /// SHA-256 of the only file; other content is refused
    #[arg(long)]
    sha256: Option<String>,
    #[command(flatten)]
    mutation: Mutation,
}

impl Contents {
    /// Carries it out.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let (method, fields, mutation) = match self {
            Self::Upload(upload) => return upload.run(options).await,
            Self::RemoveFile {
                name,
                filename,
                mutation,
            } => {
                let fields = json!({ "name": edition(&name), "filename": filename });
                ("RemoveEditionFile", fields, mutation)
            }
            Self::Mark {
                name,
                open,
                copies,
                reason,
                expires,
                mutation,
            } => {
                let marking = object([
                    ("copies", copies.map(Value::from)),
                    ("reason", reason.map(Value::from)),
                    ("expiresOn", expires),
                ]);
                let fields = object([
                    ("name", Some(json!(edition(&name)))),
                    ("officialUse", (!open).then_some(marking)),
                ]);
                ("MarkEdition", fields, mutation)
            }
            Self::Embargo {
                name,
                until,
                lift: _,
                mutation,
            } => {
                let fields = object([("name", Some(json!(edition(&name)))), ("until", until)]);
                ("SetEmbargo", fields, mutation)
            }
            Self::Seal {
                name,
                sha256,
                file,
                mutation,
            } => {
                let name = edition(&name);
                let sha256 = match sha256 {
                    Some(sha256) => sha256,
                    None => {
                        let connection = connect(options, ServiceName::CollectionDistribution)?;
                        digest(&file, &held(&connection, &name, None).await?)?
                    }
                };
                ("SealEdition", json!({ "name": name, "sha256": sha256 }), mutation)
            }
        };
        let request = mutation.add_to(request(SERVICE, method, &fields)?);
        let action = Action::Send(request, View::Record);
        Command::new(SERVICE, method, action).run(options).await
    }
}

impl Upload {
    async fn run(self, options: &Options) -> Result<(), Failure> {
        let languages = [
            ("", &self.content),
            ("kk", &self.kk),
            ("ru", &self.ru),
            ("en", &self.en),
        ];
        let files = languages
            .into_iter()
            .flat_map(|(language, files)| files.iter().map(move |file| (language, file)));
        let files: Vec<_> = files.collect();
        if files.len() > 1 && self.sha256.is_some() {
            return Err(Failure::usage("--sha256 is that of one file, and several are named"));
        }
        let method = format!("{SERVICE}/UploadEditionContent");
        let asked = format!("{SERVICE}/GetEditionContentUpload");
        let first = self.mutation.add_to(message::of(&header(&method), &json!({}))?);
        let id = message::text(&first, "request_id");
        let connection = connect(options, ServiceName::CollectionDistribution)?;
        let mut answer = Value::Null;
        for (place, (language, file)) in files.into_iter().enumerate() {
            let filename = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let content_type = self.content_type.as_deref().unwrap_or_else(|| media_type(filename));
            let fields = object([
                ("name", Some(json!(edition(&self.name)))),
                ("filename", Some(json!(filename))),
                ("contentType", Some(json!(content_type))),
                ("language", Some(json!(language))),
                ("sha256", self.sha256.clone().map(Value::from)),
                ("requestId", Some(json!(id_of(&id, place)))),
                ("validateOnly", self.mutation.validate_only.then(|| json!(true))),
            ]);
            let header = message::of(&header(&method), &fields)?;
            let again = self.mutation.request_id.is_some();
            answer = connection
                .upload_resuming(&method, &asked, &header, file, again)
                .await?;
        }
        Ok(output::print(&answer, options.output, View::Record)?)
    }
}

/// The id of an upload: that of the command for its first file, and one made of it for each other, so that the same command repeats the
/// same uploads. What is wrong with an id is for the service to say.
fn id_of(id: &str, place: usize) -> String {
    match Uuid::try_parse(id) {
        Ok(id) if place > 0 => Uuid::new_v5(&id, format!("file {place}").as_bytes()).to_string(),
        _ => id.to_owned(),
    }
}

/// The media type that a name tells.
fn media_type(filename: &str) -> &'static str {
    let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    match extension.as_deref() {
        Some("pdf") => "application/pdf",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("csv") => "text/csv",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

/// The files that the service holds of an edition: of its current revision, or of one that it tells of.
pub(super) async fn held(
    connection: &Connection,
    edition: &str,
    revision: Option<i32>,
) -> Result<Vec<ManifestFile>, Failure> {
    let request = json!({ "name": edition, "view": "EDITION_VIEW_FULL" });
    let answer = connection.call(&format!("{SERVICE}/GetEdition"), &request).await?;
    let told = message::of(&message::named("legalstat.collections.v1.Edition"), &answer)?;
    let edition: legalstat_proto::collections::v1::Edition = message::typed(&told)?;
    let mut revisions = edition.revisions.into_iter();
    let manifest = match revision {
        Some(number) => revisions.find(|told| told.revision == number),
        None => None,
    };
    let manifest = manifest.and_then(|revision| revision.manifest);
    Ok(manifest.map_or_else(
        || edition.files.into_iter().map(listed).collect(),
        |manifest| manifest.files,
    ))
}

fn listed(file: EditionContent) -> ManifestFile {
    ManifestFile {
        filename: file.filename,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        sha256: file.sha256,
        language: file.language,
    }
}

/// The digest of the content that these files are, once they are known to be those that the service holds, by their names and digests. One
/// file needs no other's word for its digest.
///
/// # Errors
/// Every file that is other, missing, or too many.
pub(super) fn digest(files: &[PathBuf], held: &[ManifestFile]) -> Result<String, Failure> {
    if let ([file], [] | [_]) = (files, held) {
        return file_sha256(file);
    }
    let mut found = Vec::new();
    for file in files {
        let name = filename(file);
        match held.iter().find(|held| held.filename == name) {
            None => found.push(format!("{name:?} is none of its files")),
            Some(held) if held.sha256 != file_sha256(file)? => found.push(format!("{name:?} is another file there")),
            Some(_) => {}
        }
    }
    let given: Vec<_> = files.iter().map(|file| filename(file)).collect();
    let missing = held.iter().filter(|held| !given.contains(&held.filename));
    found.extend(missing.map(|held| format!("{:?} is not among those named here", held.filename)));
    if !found.is_empty() {
        return Err(anyhow::anyhow!("the service holds other content: {}", found.join("; ")).into());
    }
    let manifest = ContentManifest {
        format: statements::CONTENT_FORMAT.into(),
        files: held.to_vec(),
    };
    Ok(statements::content_sha256(&manifest)?)
}

fn filename(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = ["a.pdf", "b.xlsx"].map(|name| folder.path().join(name));
        for file in &files {
            std::fs::write(file, filename(file)).expect("it is written");
        }
        (folder, files.to_vec())
    }

    fn held_of(files: &[PathBuf]) -> Vec<ManifestFile> {
        let files = files.iter().map(|file| ManifestFile {
            filename: filename(file),
            sha256: file_sha256(file).expect("it is there"),
            ..Default::default()
        });
        files.collect()
    }

    #[test]
    fn several_files_have_the_digest_of_their_manifest_once_they_are_those_that_are_held() {
        let (folder, files) = folder();
        let mut held = held_of(&files);
        let manifest = ContentManifest {
            format: "legalstat-content/1".into(),
            files: held.clone(),
        };
        let expected = statements::content_sha256(&manifest).expect("it has files");
        let reversed: Vec<_> = files.iter().rev().cloned().collect();
        assert_eq!(digest(&reversed, &held).expect("they are the same"), expected);
        let of_one = digest(&files[..1], &held[..1]).expect("it is one");
        assert_eq!(of_one, file_sha256(&files[0]).expect("it is there"));

        held[1].sha256 = "00".into();
        held.push(ManifestFile {
            filename: "c.pdf".into(),
            ..Default::default()
        });
        let other = folder.path().join("other.pdf");
        std::fs::write(&other, "other").expect("it is written");
        let told = digest(&[files, vec![other]].concat(), &held).expect_err("they are others");
        let told = told.to_string();
        for name in ["b.xlsx", "c.pdf", "other.pdf"] {
            assert!(told.contains(name), "{told}");
        }
        assert!(!told.contains("a.pdf"), "{told}");
    }

    #[test]
    fn the_first_file_has_the_id_of_the_command_and_each_other_one_of_its_own() {
        let id = "6f1f2c1a-6f0e-4d39-9a55-0d8f6a2c9f10";
        let ids = [0, 1, 2, 1].map(|place| id_of(id, place));
        assert_eq!(ids[0], id);
        assert!(ids[1] != ids[2] && ids[1] != id);
        assert_eq!(ids[1], ids[3]);
        assert_eq!(id_of("wrong", 1), "wrong");
    }
}
