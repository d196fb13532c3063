//! Files on their way: an upload that broke off goes on where it stopped, and so does a download; neither is held in memory.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use prost_reflect::{DynamicMessage, Value as Field};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    time::Instant,
};

use super::{CHUNK, Connection, Dynamic, method, path, unreadable, with_digest};
use crate::{
    failure::Failure,
    message::{self, to_json},
};

/// How far a transfer has come, and until when it may stand still.
struct Course {
    at: u64,
    until: Instant,
}

impl Connection {
    fn course(&self) -> Course {
        Course {
            at: 0,
            until: Instant::now() + self.timeout,
        }
    }

    /// Waits before the next try, or gives the failure back when nothing has moved for as long as a call may take.
    async fn go_on(&self, course: &mut Course, at: u64, failure: Failure) -> Result<(), Failure> {
        if !matches!(failure, Failure::Away(_) | Failure::Unreachable(_)) {
            return self.explained(Err(failure)).await;
        }
        if at > course.at {
            *course = Course { at, ..self.course() };
            return Ok(());
        }
        let pause = failure.retry_after().unwrap_or(std::time::Duration::from_secs(1));
        if Instant::now() + pause > course.until {
            return self.explained(Err(failure)).await;
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Uploads a file in as many calls as it takes. `asked` is the method that tells what has come under a `request_id`; with
    /// `again`, something may have come before.
    pub(crate) async fn upload_resuming(
        &self,
        name: &str,
        asked: &str,
        header: &DynamicMessage,
        file: &Path,
        again: bool,
    ) -> Result<Value, Failure> {
        if file.is_dir() {
            return Err(Failure::usage(format!("{} is a folder", file.display())));
        }
        let mut header = with_digest(header, file)?;
        let size = std::fs::metadata(file).map_err(|error| unreadable(file, &error))?.len();
        let signed = i64::try_from(size).context("a file has no so many bytes")?;
        // Nothing can be resumed where nothing is; the service says what is wrong with it.
        header.set_field_by_name("resumable", Field::Bool(size > 0));
        header.set_field_by_name("size_bytes", Field::I64(signed));
        let bar = bar(size);
        let (mut course, mut offset) = (self.course(), 0);
        if again {
            offset = self.received(asked, &header).await.unwrap_or(0);
        }
        let sent = loop {
            match self.send_from(name, &header, file, offset, &bar).await {
                Ok(answer) => break Ok(answer),
                Err(failure) => {
                    let there = self.received(asked, &header).await;
                    if let Err(failure) = self.go_on(&mut course, there.unwrap_or(offset), failure).await {
                        break Err(failure);
                    }
                    // What is not there any more was taken as a whole, or is over its time.
                    offset = self.received(asked, &header).await.unwrap_or(0);
                }
            }
        };
        bar.finish_and_clear();
        sent
    }

    /// How many bytes have come under the id of a header; `None` where nothing is kept, or nobody answers.
    async fn received(&self, asked: &str, header: &DynamicMessage) -> Option<u64> {
        let request = json!({ "uploadId": message::text(header, "request_id") });
        let request = message::of(&method(asked).input(), &request).ok()?;
        let answer = tokio::time::timeout(self.timeout, self.send_once(asked, &request)).await;
        answer.ok()?.ok()?["receivedBytes"].as_str()?.parse().ok()
    }

    async fn send_from(
        &self,
        name: &str,
        header: &DynamicMessage,
        file: &Path,
        offset: u64,
        bar: &ProgressBar,
    ) -> Result<Value, Failure> {
        let (method, mut header) = (method(name), header.clone());
        let signed = i64::try_from(offset).context("a file has no so many bytes")?;
        header.set_field_by_name("offset", Field::I64(signed));
        let mut first = DynamicMessage::new(method.input());
        first.set_field_by_name("header", Field::Message(header));
        let opened = tokio::fs::File::open(file).await;
        let mut opened = opened.map_err(|error| unreadable(file, &error))?;
        let sought = opened.seek(SeekFrom::Start(offset)).await;
        sought.map_err(|error| unreadable(file, &error))?;
        bar.set_position(offset);
        let (input, counted) = (method.input(), bar.clone());
        let chunk = input.get_field_by_name("chunk").context("an upload has chunks")?;
        let chunks = futures::stream::unfold(opened, move |mut file| {
            let (input, chunk, counted) = (input.clone(), chunk.clone(), counted.clone());
            async move {
                let mut bytes = vec![0; CHUNK];
                let read = file.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
                bytes.truncate(read);
                counted.inc(read as u64);
                let mut message = DynamicMessage::new(input);
                message.set_field(&chunk, Field::Bytes(bytes.into()));
                Some((message, file))
            }
        });
        let requests = futures::stream::once(async { first }).chain(chunks);
        let mut client = self.ready(&method).await?;
        let response = client
            .client_streaming(self.request(requests), path(&method), Dynamic(method.output()))
            .await?;
        Ok(to_json(response.get_ref())?)
    }

    /// Downloads into a file in as many calls as it takes: it stands beside its place until it is whole. What has come stays
    /// there with `resume`, and the next such download goes on from it.
    pub(crate) async fn download_to(
        &self,
        name: &str,
        request: &Value,
        to: &Path,
        resume: bool,
    ) -> Result<Value, Failure> {
        let part = beside(to);
        if !resume {
            std::fs::remove_file(&part).ok();
        }
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&part);
        let mut file = opened.with_context(|| format!("writing {}", part.display()))?;
        let fetched = self.fetch(name, request, &mut file, to).await;
        let finished = fetched.and_then(|description| finish(description, file, &part, to));
        if finished.is_err() && !resume {
            std::fs::remove_file(&part).ok();
        }
        finished
    }

    async fn fetch(&self, name: &str, request: &Value, file: &mut File, to: &Path) -> Result<Value, Failure> {
        let (bar, mut course) = (bar(0), self.course());
        let fetched = loop {
            match self.fetch_from(name, request, (file, to), &bar).await {
                Ok(description) => break Ok(description),
                Err(failure) => {
                    let at = file.metadata().map(|data| data.len()).unwrap_or(0);
                    if let Err(failure) = self.go_on(&mut course, at, failure).await {
                        break Err(failure);
                    }
                }
            }
        };
        bar.finish_and_clear();
        fetched
    }

    async fn fetch_from(
        &self,
        name: &str,
        request: &Value,
        (file, to): (&mut File, &Path),
        bar: &ProgressBar,
    ) -> Result<Value, Failure> {
        let writing = || format!("writing {}", to.display());
        let method = method(name);
        let mut request = request.clone();
        let length = file.metadata().with_context(writing)?.len();
        request["offset"] = json!(length);
        let request = self.request(message::of(&method.input(), &request)?);
        let mut client = self.ready(&method).await?;
        let mut responses = client
            .server_streaming(request, path(&method), Dynamic(method.output()))
            .await?
            .into_inner();
        let mut out = tokio::fs::File::from_std(file.try_clone().with_context(writing)?);
        let mut description = Value::Null;
        let came = async {
            while let Some(message) = responses.next().await {
                let message = message?;
                match message.get_field_by_name("chunk").as_deref() {
                    Some(Field::Bytes(bytes)) if !bytes.is_empty() => {
                        out.write_all(bytes).await.with_context(writing)?;
                        bar.inc(bytes.len() as u64);
                    }
                    _ => {
                        description = to_json(&message)?;
                        bar.set_length(size(&description));
                        bar.set_position(length);
                    }
                }
            }
            Ok(())
        };
        let came: Result<(), Failure> = came.await;
        out.flush().await.with_context(writing)?;
        came?;
        Ok(description)
    }
}

fn size(description: &Value) -> u64 {
    let size = described(description)["sizeBytes"]
        .as_str()
        .and_then(|size| size.parse().ok());
    size.unwrap_or(0)
}

/// What the first message of a download says of its content: some methods call it a file.
fn described(description: &Value) -> &Value {
    description.get("file").unwrap_or(&description["content"])
}

fn bar(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    // It is drawn on standard error, and only on a terminal.
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Where a file stands until it is whole.
fn beside(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".legalstat-{name}.part"))
}

/// Puts a whole file into its place; one that is not what the service described is removed.
fn finish(mut description: Value, mut file: File, part: &Path, to: &Path) -> Result<Value, Failure> {
    let (mut digest, mut block, mut length) = (Sha256::new(), vec![0; CHUNK], 0);
    file.seek(SeekFrom::Start(0)).context("reading what has come")?;
    loop {
        match file.read(&mut block).context("reading what has come")? {
            0 => break,
            read => {
                digest.update(&block[..read]);
                length += read;
            }
        }
    }
    let sha256 = hex::encode(digest.finalize());
    if described(&description)["sha256"] != sha256 {
        std::fs::remove_file(part).ok();
        let told = "what has come is not the file that the service describes: it changed meanwhile; download it again";
        return Err(anyhow::anyhow!(told).into());
    }
    file.sync_all().context("bringing it to the disk")?;
    legalstat_local::folder::put_chosen(part, to)?;
    description["received"] = json!({ "sizeBytes": length, "sha256": sha256 });
    Ok(description)
}
