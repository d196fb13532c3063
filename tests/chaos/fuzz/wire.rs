//! Calls as bytes on the line: messages broken in every way, frames and headers that nobody should send, streams that end
//! early.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use tonic::{Status, body::Body, codegen::Service as _, transport::Channel};

use super::{
    BATCH,
    words::{happens, one_of},
};
use crate::dice::Dice;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a feed is watched that says nothing.
const WATCHED: Duration = Duration::from_millis(30);

/// How the stream of a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// The caller takes the call back behind these frames.
    Reset,
    /// The caller hangs up after so many microseconds, whatever was answered.
    HangUp(u64),
}

/// Everything that is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: String,
    pub frames: Vec<Bytes>,
    pub headers: HeaderMap,
    pub end: End,
    pub is_feed: bool,
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// The first message was answered. Of a batch the answer's bytes: only they tell what became of its requests.
    Ok(Vec<u8>),
    /// A refusal, and whether it came before any message.
    Refused(Box<Status>, bool),
    /// What became of the call is not known.
    Lost(String),
    /// Nothing came, though something had to.
    Silent,
}

/// Bytes of a message, sound or not.
pub fn damaged(mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let at = |bytes: &[u8], dice: &mut Dice| (dice.up_to(bytes.len().max(1) as u64) - 1) as usize;
    match dice.up_to(8) {
        // Cut off.
        1 => bytes.truncate(at(&bytes, dice)),
        // One byte is another one.
        2 | 3 => {
            let place = at(&bytes, dice);
            if let Some(byte) = bytes.get_mut(place) {
                *byte = dice.up_to(255) as u8;
            }
        }
        // A field that is not in the contracts.
        4 => bytes.extend([0xfa, 0xff, 0x7f, 0x03, b'a', b'b', b'c']),
        // A known field by another wire type.
        5 => bytes.extend([(dice.up_to(20) as u8) << 3 | one_of(&[0, 1, 2, 5], dice), 1]),
        // Groups within groups.
        6 => bytes.extend(vec![0x0b; 5000]),
        // A message that stands in itself, as deep as 100 levels and deeper.
        7 => {
            let mut nested = Vec::new();
            for _ in 0..one_of(&[90, 150, 2000], dice) {
                let mut outer = vec![0x0a];
                prost::encoding::encode_varint(nested.len() as u64, &mut outer);
                outer.extend(nested);
                nested = outer;
            }
            bytes.extend(nested);
        }
        // A length that no message has, and a number without an end.
        _ => bytes.extend(one_of(
            &[[0x0a, 0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff, 0xff]],
            dice,
        )),
    }
    bytes
}

/// Messages with gRPC's prefix; seldom with another one, or more or fewer of them than the method takes.
pub fn frames(messages: &[Vec<u8>], dice: &mut Dice) -> Vec<Bytes> {
    let mut frames: Vec<Bytes> = messages.iter().map(|message| frame(message, dice)).collect();
    match dice.up_to(100) {
        1 => frames.clear(),
        2 => frames.extend(frames.clone()),
        // In pieces.
        3..=5 => {
            let whole = frames.concat();
            frames = whole
                .chunks(7.max(whole.len() / 5))
                .map(Bytes::copy_from_slice)
                .collect();
        }
        _ => {}
    }
    frames
}

fn frame(message: &[u8], dice: &mut Dice) -> Bytes {
    let mut frame = Vec::with_capacity(message.len() + 5);
    let odd = dice.up_to(150);
    frame.put_u8(match odd {
        1 => 1,
        2 => 0xff,
        _ => 0,
    });
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    frame.put_u32(match odd {
        3 => u32::MAX,
        4 => length.saturating_sub(1),
        5 => length + 1,
        _ => length,
    });
    frame.extend(message);
    frame.into()
}

/// Headers as a client sends them, or not, and whether a call with them is one that gRPC knows.
pub fn headers(dice: &mut Dice) -> (HeaderMap, bool) {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("te", "trailers");
    put("content-type", "application/grpc");
    if happens(94, dice) {
        return (headers, true);
    }
    match dice.up_to(6) {
        1 | 2 => put(
            "grpc-timeout",
            one_of(
                &[
                    "1S",
                    "50m",
                    "1n",
                    "0S",
                    "",
                    "x",
                    "-1m",
                    "1",
                    "m",
                    "123456789S",
                    "99999999H",
                    "1.5S",
                    "1 S",
                ],
                dice,
            ),
        ),
        3 => put(
            "grpc-encoding",
            one_of(&["gzip", "identity", "br", "", "gzip,gzip", "zstd"], dice),
        ),
        4 => put(
            "content-type",
            one_of(
                &[
                    "application/grpc+proto",
                    "application/grpc+json",
                    "application/json",
                    "",
                ],
                dice,
            ),
        ),
        5 => put("x-odd-bin", one_of(&["AAA=", "%%%", "", "я"], dice)),
        _ => put(
            "traceparent",
            one_of(
                &[
                    "00-00-00-00",
                    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "\u{7f}",
                ],
                dice,
            ),
        ),
    }
    (headers, false)
}

/// Makes a call.
pub async fn call(channel: &Channel, sent: &Sent) -> Answer {
    let answered = tokio::time::timeout(PATIENCE, answer(channel.clone(), sent));
    match sent.end {
        End::HangUp(after) => {
            let answered = tokio::time::timeout(Duration::from_micros(after), answered).await;
            drop(answered);
            Answer::Lost("the caller hung up".into())
        }
        _ => answered.await.unwrap_or(Answer::Silent),
    }
}

async fn answer(mut channel: Channel, sent: &Sent) -> Answer {
    let frames: Vec<Result<Frame<Bytes>, Status>> = sent
        .frames
        .iter()
        .cloned()
        .map(|frame| Ok(Frame::data(frame)))
        .collect();
    let taken_back = (sent.end == End::Reset).then(|| Err(Status::cancelled("taken back")));
    let body = StreamBody::new(stream::iter(frames.into_iter().chain(taken_back)).boxed());
    let mut request = http::Request::new(Body::new(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = sent.path.parse().expect("a path");
    *request.headers_mut() = sent.headers.clone();
    if let Err(error) = std::future::poll_fn(|polling| channel.poll_ready(polling)).await {
        return Answer::Lost(format!("the line: {error}"));
    }
    let response = match channel.call(request).await {
        Ok(response) => response,
        Err(error) => return Answer::Lost(format!("the line: {error}")),
    };
    if let Some(status) = Status::from_header_map(response.headers()) {
        return of_status(status, true);
    }
    if response.status() != http::StatusCode::OK {
        return Answer::Lost(format!("HTTP {}", response.status()));
    }
    read(response.into_body(), sent).await
}

fn of_status(status: Status, before_any: bool) -> Answer {
    if status.code() == tonic::Code::Ok {
        Answer::Ok(Vec::new())
    } else {
        Answer::Refused(Box::new(status), before_any)
    }
}

async fn read(mut body: Body, sent: &Sent) -> Answer {
    let mut content = Vec::new();
    loop {
        let next = if sent.is_feed {
            match tokio::time::timeout(WATCHED, body.frame()).await {
                Ok(next) => next,
                Err(_) => return Answer::Ok(content),
            }
        } else {
            body.frame().await
        };
        match next {
            None => return Answer::Lost("an answer without its end".into()),
            Some(Err(error)) => return Answer::Lost(format!("the line: {error}")),
            Some(Ok(frame)) => {
                if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                    return match of_status(status, false) {
                        Answer::Ok(_) => Answer::Ok(content),
                        refused => refused,
                    };
                }
                if let (true, Some(data)) = (sent.path.ends_with(BATCH), frame.data_ref()) {
                    content.extend_from_slice(data);
                }
            }
        }
        if sent.is_feed && body.is_end_stream() {
            return Answer::Ok(content);
        }
    }
}
