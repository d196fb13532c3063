//! The bytes of one connection. A peer that takes none of what is sent to it loses the connection.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context as Polling, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// A line with a time limit for every write.
pub struct Line<S> {
    stream: S,
    stall: Duration,
    /// Runs while a write waits for the peer.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S: Unpin> Line<S> {
    /// A line whose peer may take nothing for so long.
    pub fn new(stream: S, stall: Duration) -> Self {
        Self {
            stream,
            stall,
            waiting: None,
        }
    }

    fn limited<T>(&mut self, written: Poll<io::Result<T>>, polling: &mut Polling<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let stall = self.stall;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        waiting
            .as_mut()
            .poll(polling)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        polling: &mut Polling<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(polling, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, polling: &mut Polling<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(polling, bytes);
        self.limited(written, polling)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        polling: &mut Polling<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(polling, bytes);
        self.limited(written, polling)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(polling);
        self.limited(flushed, polling)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(polling);
        self.limited(ended, polling)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// A line to a peer who took a little at a time, longer than the limit in all and shorter each; the peer's end of it.
    async fn slowly_taken() -> io::Result<(Line<DuplexStream>, DuplexStream)> {
        let (near, mut far) = tokio::io::duplex(16);
        let mut line = Line::new(near, Duration::from_secs(1));
        let reading = async {
            let mut taken = [0; 8];
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                far.read_exact(&mut taken).await?;
            }
            Ok::<_, io::Error>(())
        };
        tokio::try_join!(line.write_all(&[0; 56]), reading)?;
        Ok((line, far))
    }

    #[tokio::test]
    async fn who_takes_nothing_loses_the_line_and_who_takes_a_little_keeps_it() {
        let mut taken = slowly_taken().await;
        // A machine that stops for as long takes nothing either, and not each time.
        for _ in 0..9 {
            if taken.is_err() {
                taken = slowly_taken().await;
            }
        }
        let (mut line, _far) = taken.expect("each byte is taken within the limit");
        let refused = line.write_all(&[0; 64]).await.expect_err("nobody takes them");
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }
}
