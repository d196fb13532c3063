//! Files of requests: uploaded one after the other, each going on where it broke off, and then named by their request.

use std::path::PathBuf;

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value as Field};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Mutation, new_request_id, object, submit::Submission};
use crate::{
    call::{self, Connection},
    failure::Failure,
    message, output,
    output::View,
};

const UPLOAD: &str = "legalstat.requests.v1.RequestIntakeService/UploadAttachment";
const CAME: &str = "legalstat.requests.v1.RequestIntakeService/GetAttachmentUpload";
const SUBMIT: &str = "legalstat.requests.v1.RequestIntakeService/SubmitRequest";

/// How the attachments of a request are shown.
pub(super) const ATTACHMENTS: View = View::Rows(
    "attachments",
    &[
        ("attachment", "name"),
        ("kind", "kind"),
        ("file", "filename"),
        ("type", "contentType"),
        ("bytes", "sizeBytes"),
        ("signature", "signature.outcome"),
    ],
);

/// The files of a request, as flags name them.
#[derive(clap::Args, Debug)]
pub(crate) struct Files {
    /// The request as it was signed: a CMS container, or a document whose --signature stands beside it
    #[arg(long, value_name = "PATH")]
    signed_original: Option<PathBuf>,
    /// The signature beside the signed original, a CMS container
    #[arg(long, value_name = "PATH", requires = "signed_original")]
    signature: Option<PathBuf>,
}

impl Files {
    /// Whether any is given.
    pub(super) fn are_given(&self) -> bool {
        self.signed_original.is_some()
    }
}

/// Uploads, and what is done with them.
#[derive(Debug)]
pub(crate) struct Attach {
    files: Vec<(&'static str, PathBuf)>,
    /// The request that they are added to; empty for one that is submitted with them.
    request: String,
    /// What the ids of the uploads are made of, so that the same command repeats the same uploads.
    id: Uuid,
    again: bool,
    validate_only: bool,
    submission: Option<Submission>,
}

impl Attach {
    /// Files that are added to a request.
    pub(super) fn to(
        request: String,
        attached: Vec<PathBuf>,
        files: Files,
        mutation: &Mutation,
    ) -> Result<Self, Failure> {
        let attach = Self::of(attached, files);
        if attach.files.is_empty() {
            return Err(Failure::usage("name a file to attach".to_owned()));
        }
        let made = mutation.request_id.clone().unwrap_or_else(new_request_id);
        if mutation.request_id.is_none() {
            output::tell(&format!(
                "request id {made}; the same call with --request-id {made} has no second effect"
            ));
        }
        Ok(Self {
            request,
            id: parsed(&made)?,
            again: mutation.request_id.is_some(),
            validate_only: mutation.validate_only,
            ..attach
        })
    }

    /// Files that are submitted with a request, whose message has a `request_id`.
    pub(super) fn with(
        submission: Submission,
        attached: Vec<PathBuf>,
        files: Files,
        mutation: &Mutation,
    ) -> Result<Self, Failure> {
        let attach = Self::of(attached, files);
        // What is wrong with the id of a request without files is for the service to say.
        let id = match attach.files.is_empty() {
            true => Uuid::nil(),
            false => parsed(&message::text(&submission.message, "request_id"))?,
        };
        Ok(Self {
            id,
            // The id may stand in the file too, so that something may have come before.
            again: mutation.request_id.is_some(),
            validate_only: message::is_trial(&submission.message),
            submission: Some(submission),
            ..attach
        })
    }

    fn of(attached: Vec<PathBuf>, files: Files) -> Self {
        let original = files.signed_original.map(|file| ("SIGNED_ORIGINAL", file));
        let signature = files.signature.map(|file| ("SIGNATURE", file));
        let attached = attached.into_iter().map(|file| ("ATTACHMENT", file));
        Self {
            // The signature names the original, which comes before it.
            files: original.into_iter().chain(signature).chain(attached).collect(),
            request: String::new(),
            id: Uuid::nil(),
            again: false,
            validate_only: false,
            submission: None,
        }
    }

    /// Uploads the files and submits what is to be submitted with them; the answer is the request, or the attachments.
    pub(crate) async fn run(self, connection: &Connection) -> Result<Value, Failure> {
        let mut uploaded: Vec<Value> = Vec::new();
        for (place, (kind, file)) in self.files.iter().enumerate() {
            let original = uploaded.first().filter(|_| *kind == "SIGNATURE");
            if self.validate_only && *kind == "SIGNATURE" {
                // What was only checked has no name that a signature could sign.
                continue;
            }
            let header = self.header(place, kind, file, original)?;
            let answer = connection.upload_resuming(UPLOAD, CAME, &header, file, self.again);
            uploaded.push(answer.await?);
        }
        let Some(mut submission) = self.submission else {
            return Ok(json!({ "attachments": uploaded }));
        };
        if !self.validate_only {
            name(&mut submission.message, &uploaded)?;
        }
        submission.send(connection, SUBMIT).await
    }

    fn header(
        &self,
        place: usize,
        kind: &str,
        file: &std::path::Path,
        original: Option<&Value>,
    ) -> Result<DynamicMessage, Failure> {
        let filename = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let id = Uuid::new_v5(&self.id, format!("attachment {place}").as_bytes());
        let fields = object([
            ("kind", Some(json!(format!("ATTACHMENT_KIND_{kind}")))),
            ("filename", filename.map(Value::from)),
            ("requestId", Some(json!(id.to_string()))),
            ("request", Some(json!(self.request))),
            ("signs", original.map(|original| original["name"].clone())),
            ("validateOnly", self.validate_only.then(|| json!(true))),
        ]);
        message::of(&call::header(UPLOAD), &fields)
    }
}

fn parsed(id: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(id).map_err(|_| Failure::usage("--request-id is a UUID".to_owned()))
}

/// Adds the names of what was uploaded to a submission.
fn name(submission: &mut DynamicMessage, uploaded: &[Value]) -> Result<(), Failure> {
    let Some(Field::Message(request)) = submission.get_field_by_name_mut("request") else {
        return Ok(());
    };
    let field = request.descriptor().get_field_by_name("attachments");
    let field = field.ok_or_else(|| anyhow::anyhow!("a request has attachments"))?;
    let kind = field.kind();
    let kind = kind
        .as_message()
        .ok_or_else(|| anyhow::anyhow!("an attachment is a message"))?;
    let named = uploaded
        .iter()
        .map(|one| Ok(Field::Message(message::of(kind, &json!({ "name": one["name"] }))?)));
    let named = named.collect::<Result<Vec<_>, Failure>>()?;
    if let Field::List(there) = request.get_field_mut(&field) {
        there.extend(named);
    }
    Ok(())
}
