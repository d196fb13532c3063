//! The bytes of one connection. What ended it is kept as it was: HTTP/2 tells its calls no more than that it broke. And once the time of
//! an attempt is over nothing leaves, not even what waits in buffers: a process that was frozen in between sends nothing when it wakes.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context as Polling, Poll, ready},
    time::Instant,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    clients::faults,
    domain::delivery::{Failure, Outcome},
};

/// How many times a connection that takes nothing more is asked what it has said before.
const LAST_WORDS: usize = 64;
const CLOSED: &str = "the server closed the connection";

/// What is known of a connection.
#[derive(Default)]
pub(super) struct Wire(Mutex<State>);

#[derive(Default)]
struct State {
    until: Option<Instant>,
    fault: Option<Failure>,
}

impl Wire {
    /// Lets bytes pass until this instant; without one, those that keep the connection up.
    pub(super) fn set_until(&self, until: Option<Instant>) {
        self.state().until = until;
    }

    /// What ended the connection, if something has.
    pub(super) fn fault(&self) -> Option<Failure> {
        self.state().fault.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn ended(&self, how: Failure) {
        self.state().fault.get_or_insert(how);
    }

    fn is_late(&self) -> bool {
        self.state().until.is_some_and(|until| Instant::now() >= until)
    }
}

/// A connection whose bytes are watched.
pub(super) struct Watched<S> {
    stream: S,
    wire: Arc<Wire>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    pub(super) fn new(stream: S, wire: Arc<Wire>) -> Self {
        Self { stream, wire }
    }

    /// Notes what ended the connection. What the server said before it stopped to listen says more than that it did: with TLS 1.3
    /// it refuses a certificate when this side writes already.
    fn note_unwritable(&mut self, polling: &mut Polling<'_>, error: &io::Error) {
        let mut space = [0; 1024];
        for _ in 0..LAST_WORDS {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(polling, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(Err(last)) => return self.wire.ended(of(&last)),
                Poll::Ready(Ok(())) | Poll::Pending => break,
            }
        }
        self.wire.ended(of(error));
    }

    fn writing<T>(
        &mut self,
        polling: &mut Polling<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Polling<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.wire.is_late() {
            self.wire.ended(faults::late());
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = ready!(write(Pin::new(&mut self.stream), polling));
        if let Err(error) = &written {
            self.note_unwritable(polling, error);
        }
        Poll::Ready(written)
    }
}

fn of(error: &io::Error) -> Failure {
    match faults::of_tls(error).map(faults::tls) {
        // It came about, and ended later.
        Some(failure) if failure.outcome == Outcome::Unreachable => faults::broken(failure.detail),
        Some(failure) => failure,
        None if error.kind() == io::ErrorKind::UnexpectedEof => faults::broken(CLOSED),
        None => faults::broken(format!("the connection broke: {error}")),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        polling: &mut Polling<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(polling, buffer));
        match &read {
            Ok(()) if buffer.filled().len() > before => {}
            Ok(()) => self.wire.ended(faults::broken(CLOSED)),
            Err(error) => self.wire.ended(of(error)),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, polling: &mut Polling<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writing(polling, |stream, polling| stream.poll_write(polling, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        self.writing(polling, |stream, polling| stream.poll_flush(polling))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        self.writing(polling, |stream, polling| stream.poll_shutdown(polling))
    }
}
