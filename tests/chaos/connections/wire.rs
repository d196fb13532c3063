//! HTTP/2 by hand: frames that no client's library would send (RFC 9113).

use std::{collections::BTreeMap, io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    time::Instant,
};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RESET: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW: u8 = 8;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// Anything that carries bytes both ways.
pub trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("frames are short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client says first: the preface and settings, each a number and a value.
pub fn opening(settings: &[(u16, u32)]) -> Vec<u8> {
    let settings = settings.iter().flat_map(|(number, value)| {
        let (number, value) = (number.to_be_bytes(), value.to_be_bytes());
        [&number[..], &value[..]].concat()
    });
    [PREFACE, &frame(SETTINGS, 0, 0, &settings.collect::<Vec<u8>>())].concat()
}

/// The header of a call, as one block without compression (RFC 7541, 6.2.2).
pub fn block(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let text = |text: &str| {
        assert!(text.len() < 127, "longer texts are written otherwise");
        [&[u8::try_from(text.len()).expect("it is short")], text.as_bytes()].concat()
    };
    let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    usual.iter().chain(more).flat_map(field).collect()
}

/// The frame that opens a call.
pub fn call(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(path, &[]))
}

/// A message in its gRPC frame.
pub fn message(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("messages are short").to_be_bytes();
    [&[0], &length[..], bytes].concat()
}

/// What came back: for each kind of frame the streams that it came on, in order.
#[derive(Debug, Default)]
pub struct Heard {
    frames: BTreeMap<u8, Vec<(u32, Vec<u8>)>>,
    /// How long it took until the line ended; none while it has not.
    pub ended: Option<Duration>,
}

impl Heard {
    /// The streams on which a kind of frame came.
    pub fn streams(&self, kind: u8) -> Vec<u32> {
        let frames = self.frames.get(&kind).into_iter().flatten();
        frames.map(|(stream, _)| *stream).collect()
    }

    /// This, and what came after it.
    pub fn and(mut self, later: Self) -> Self {
        for (kind, frames) in later.frames {
            self.frames.entry(kind).or_default().extend(frames);
        }
        self.ended = self.ended.or(later.ended);
        self
    }

    /// The payloads of a kind of frame.
    pub fn payloads(&self, kind: u8) -> impl Iterator<Item = &[u8]> {
        let frames = self.frames.get(&kind).into_iter().flatten();
        frames.map(|(_, payload)| payload.as_slice())
    }
}

/// Listens until `enough`, until the line ends, or for so long. Pings and settings are answered, as a sound peer's library does.
pub async fn listen(line: &mut impl Bytes, patience: Duration, enough: impl Fn(&Heard) -> bool) -> Heard {
    hear(line, patience, enough, &[PING, SETTINGS]).await
}

/// Listens as [`listen`] does, and answers no ping.
pub async fn listen_mute(line: &mut impl Bytes, patience: Duration, enough: impl Fn(&Heard) -> bool) -> Heard {
    hear(line, patience, enough, &[SETTINGS]).await
}

async fn hear(line: &mut impl Bytes, patience: Duration, enough: impl Fn(&Heard) -> bool, answered: &[u8]) -> Heard {
    let began = Instant::now();
    let mut heard = Heard::default();
    let listening = async {
        while !enough(&heard) {
            match one(line, answered).await {
                Ok((kind, stream, payload)) => heard.frames.entry(kind).or_default().push((stream, payload)),
                Err(_) => {
                    heard.ended = Some(began.elapsed());
                    return;
                }
            }
        }
    };
    tokio::time::timeout(patience, listening).await.ok();
    heard
}

async fn one(line: &mut impl Bytes, answered: &[u8]) -> io::Result<(u8, u32, Vec<u8>)> {
    use tokio::io::AsyncWriteExt as _;
    let mut header = [0; 9];
    line.read_exact(&mut header).await?;
    let [a, b, c, kind, flags, d, e, f, g] = header;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]).try_into().expect("it fits")];
    line.read_exact(&mut payload).await?;
    let acknowledged = match kind {
        PING => &payload[..],
        _ => &[],
    };
    if answered.contains(&kind) && flags & ACK == 0 {
        line.write_all(&frame(kind, ACK, 0, acknowledged)).await?;
        line.flush().await?;
    }
    Ok((kind, u32::from_be_bytes([d, e, f, g]), payload))
}
