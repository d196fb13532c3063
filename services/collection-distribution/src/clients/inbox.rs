//! Recipients' own servers, which implement `CopyInboxService`: how a copy gets there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt as _, stream};
use legalstat_kit::{Context, call::tls, door::text, files::FileStore, job};
use legalstat_proto::collections::v1 as proto;
use proto::{deliver_copy_request::Part, delivery};
use tokio::sync::OnceCell;
use tonic::Request;
use uuid::Uuid;

use crate::{
    clients::{
        call::{ANSWER, Course},
        content::{Content, Small},
        faults,
        line::Line,
        lines::Lines,
    },
    domain::delivery::{Failure, Outcome},
};

/// How many characters the reason of a rejection may have.
const REASON: usize = 1000;
/// How often a copy is sent within one attempt: once more where the server has another part of it than was thought.
const ROUNDS: usize = 2;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// To connect, and once more to secure the connection.
    pub(super) connect: Duration,
    /// To take the next part of the content.
    pub(super) part: Duration,
    /// For how long a connection is used.
    pub(super) age: Duration,
}

pub(super) const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    part: Duration::from_secs(30),
    age: Duration::from_secs(60),
};

/// A copy on its way.
pub struct Parcel {
    /// Identifies the delivery: the same for every attempt.
    pub delivery_id: Uuid,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// The copy in the full view.
    pub copy: proto::Copy,
    /// The files of its content, in the order in which their bytes follow one another.
    pub files: Vec<proto::EditionContent>,
    /// Nothing is sent after this instant.
    pub until: Instant,
}

/// Where a copy goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `https://` with a host and perhaps a port.
    pub endpoint: String,
    /// The name that the server's certificate must have in its SAN URI.
    pub certificate_name: String,
}

/// What a recipient's server says of a copy.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It received the copy. Nothing of the receipt has been checked.
    Receipt(Box<proto::Receipt>),
    /// It rejects the copy, for this reason of 1 to 1000 characters.
    Rejection(String),
    /// It has stored that the copy was recalled.
    KnowsOfRecall,
}

/// The ways to recipients' servers.
pub struct Inboxes {
    tls: tls::Files,
    client: OnceCell<Arc<tls::Client>>,
    files: FileStore,
    small: Small,
    pub(super) lines: Arc<Lines>,
    limits: Limits,
}

impl Inboxes {
    /// Ways on which content from this store goes.
    pub fn open(context: &Context, files: FileStore) -> Self {
        Self::open_within(context, files, LIMITS)
    }

    pub(super) fn open_within(context: &Context, files: FileStore, limits: Limits) -> Self {
        let lines = Arc::new(Lines::new(limits.age));
        let waiting = lines.clone();
        job::repeat(context, "inbox-connections", limits.age / 4, move || {
            waiting.sweep();
            async { Ok(()) }
        });
        Self {
            tls: context.tls.clone(),
            client: OnceCell::new(),
            files,
            small: Small::default(),
            lines,
            limits,
        }
    }

    #[cfg(test)]
    pub(super) fn files(&self) -> &FileStore {
        &self.files
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lines.number()
    }

    /// Delivers a copy, or goes on with a delivery that broke off. It is safe to drop at any time.
    ///
    /// # Errors
    /// How the attempt ended without an answer.
    pub async fn deliver(&self, to: &Destination, parcel: Parcel) -> Result<Answer, Failure> {
        let until = parcel.until.into();
        if Instant::now() >= parcel.until {
            return Err(faults::late());
        }
        let received = AtomicI64::new(0);
        let attempt = tokio::time::timeout_at(until, self.attempt(to, &parcel, &received));
        let ended = attempt.await.unwrap_or_else(|_| Err(faults::late()));
        ended.map_err(|failure| Failure {
            received_bytes: received.load(Ordering::Relaxed),
            ..failure
        })
    }

    async fn attempt(&self, to: &Destination, parcel: &Parcel, received: &AtomicI64) -> Result<Answer, Failure> {
        let content = Content::of(&parcel.files).map_err(|error| faults::own(error.into()))?;
        let mut delivering = Delivering {
            inboxes: self,
            to,
            parcel,
            content,
            received,
            resumes: parcel.attempt > 1,
        };
        if let Some(line) = self.lines.take(to) {
            match delivering.over(line).await {
                // A connection that has waited may have ended meanwhile; whether something came over it, the server says.
                Err(failure) if failure.outcome == Outcome::BrokenOff => delivering.resumes = true,
                ended => return ended,
            }
        }
        delivering.over(self.line(to, parcel.until).await?).await
    }

    pub(super) async fn line(&self, to: &Destination, until: Instant) -> Result<Line, Failure> {
        let client = self.client.get_or_try_init(|| self.client());
        let client = client.await.map_err(faults::nameless)?;
        Line::open(to, client, self.limits.connect, until).await
    }

    async fn client(&self) -> anyhow::Result<Arc<tls::Client>> {
        let files = self.tls.clone();
        let client = tokio::task::spawn_blocking(move || tls::Client::load(&files)).await?;
        Ok(Arc::new(client?))
    }
}

/// One attempt.
struct Delivering<'a> {
    inboxes: &'a Inboxes,
    to: &'a Destination,
    parcel: &'a Parcel,
    content: Content,
    /// The most bytes that the server has said it has.
    received: &'a AtomicI64,
    /// Whether something may have come already.
    resumes: bool,
}

impl Delivering<'_> {
    async fn over(&self, mut line: Line) -> Result<Answer, Failure> {
        let mut from = 0;
        if self.resumes
            && let Some(known) = self.known(&line).await?
        {
            match self.read(known)? {
                Stand::Answered(answer) => return Ok(self.keep(line, answer)),
                Stand::Received(bytes) => from = bytes,
            }
        }
        for round in 1..=ROUNDS {
            let (delivery, whole) = self.send(&line, from).await?;
            match self.read(delivery)? {
                Stand::Answered(answer) if whole => return Ok(self.keep(line, answer)),
                Stand::Answered(answer) => return Ok(answer),
                Stand::Received(bytes) if bytes == from || round == ROUNDS => break,
                Stand::Received(bytes) => from = bytes,
            }
            // What of the first round has not left yet goes with its connection.
            if !whole {
                line = self.inboxes.line(self.to, self.parcel.until).await?;
            }
        }
        let size = self.content.size;
        Err(faults::unreadable(format!(
            "the server neither confirms nor rejects the copy, whose {size} bytes were sent to it from where it asked"
        )))
    }

    fn keep(&self, line: Line, answer: Answer) -> Answer {
        self.inboxes.lines.keep(self.to, line);
        answer
    }

    /// Where the delivery stands at the server; `None` when nothing has come.
    async fn known(&self, line: &Line) -> Result<Option<proto::Delivery>, Failure> {
        let (client, course) = line.call(self.parcel.until);
        let asked = self.timed(proto::GetDeliveryRequest {
            delivery_id: self.parcel.delivery_id.to_string(),
        });
        let mut client = client.max_decoding_message_size(ANSWER);
        match client.get_delivery(asked).await {
            Ok(delivery) => Ok(Some(delivery.into_inner())),
            Err(_) if course.is_not_found() => Ok(None),
            Err(status) => Err(course.failure(&status)),
        }
    }

    /// Sends the content from this byte on. Answers what the server says, and whether all was sent before.
    async fn send(&self, line: &Line, from: u64) -> Result<(proto::Delivery, bool), Failure> {
        let (client, course) = line.call(self.parcel.until);
        let messages =
            stream::iter([message(Part::Header(self.header(from)?))]).chain(self.chunks(from, course.clone()));
        let mut client = client.max_decoding_message_size(ANSWER);
        tokio::select! {
            answered = client.deliver_copy(self.timed(messages)) => match answered {
                Ok(delivery) => Ok((delivery.into_inner(), course.is_whole())),
                Err(status) => Err(course.failure(&status)),
            },
            stalled = course.stalled(self.inboxes.limits.part) => Err(stalled),
        }
    }

    fn header(&self, from: u64) -> Result<proto::DeliverCopyHeader, Failure> {
        Ok(proto::DeliverCopyHeader {
            delivery_id: self.parcel.delivery_id.to_string(),
            copy: Some(self.parcel.copy.clone()),
            files: self.parcel.files.clone(),
            offset: i64::try_from(from).map_err(|error| faults::own(anyhow::Error::new(error).into()))?,
            attempt: self.parcel.attempt,
        })
    }

    fn chunks(&self, from: u64, course: Arc<Course>) -> impl Stream<Item = proto::DeliverCopyRequest> + use<> {
        let chunks = self.content.from(&self.inboxes.files, &self.inboxes.small, from);
        chunks.scan((), move |(), chunk| {
            let sent = match chunk {
                Ok(chunk) => Some(message(Part::Chunk(chunk.to_vec()))),
                Err(error) => {
                    course.fail(faults::own(error));
                    None
                }
            };
            std::future::ready(sent)
        })
    }

    fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.parcel.until.saturating_duration_since(Instant::now()));
        request
    }

    fn read(&self, delivery: proto::Delivery) -> Result<Stand, Failure> {
        if delivery.delivery_id != self.parcel.delivery_id.to_string() {
            return Err(faults::unreadable("the answer is for another delivery"));
        }
        match delivery.answer {
            Some(delivery::Answer::Receipt(receipt)) => Ok(Stand::Answered(Answer::Receipt(Box::new(receipt)))),
            Some(delivery::Answer::Rejection(rejection)) => rejected(&rejection.reason),
            None => self.received(delivery.received_bytes),
        }
    }

    fn received(&self, bytes: i64) -> Result<Stand, Failure> {
        let size = self.content.size;
        let possible = u64::try_from(bytes).ok().filter(|bytes| *bytes <= size);
        let impossible = || faults::unreadable(format!("the server says that it has {bytes} bytes of {size}"));
        let possible = possible.ok_or_else(impossible)?;
        self.received.fetch_max(bytes, Ordering::Relaxed);
        Ok(Stand::Received(possible))
    }
}

/// Where a delivery stands at the server.
enum Stand {
    /// The server has answered.
    Answered(Answer),
    /// It has so many bytes.
    Received(u64),
}

fn rejected(reason: &str) -> Result<Stand, Failure> {
    let reason = reason.trim();
    if !text::shows(reason) || reason.chars().count() > REASON {
        let detail = format!("the server rejects the copy without a reason of 1 to {REASON} characters");
        return Err(faults::unreadable(detail));
    }
    Ok(Stand::Answered(Answer::Rejection(text::carried(reason, REASON))))
}

fn message(part: Part) -> proto::DeliverCopyRequest {
    proto::DeliverCopyRequest { part: Some(part) }
}
