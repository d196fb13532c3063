//! One call with a request that is encoded already, whose answer is read as the caller wants.

use bytes::{Buf, BufMut, Bytes};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// Reads an answer.
pub(crate) type Read<R> = fn(&mut DecodeBuf<'_>) -> Result<R, Status>;

/// Makes one call.
pub(crate) async fn call<R: Send + Sync + 'static>(
    channel: &Channel,
    method: &'static str,
    read: Read<R>,
    request: Bytes,
) -> Result<R, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(method);
    let answer = grpc.unary(Request::new(request), path, Plain(read)).await?;
    Ok(answer.into_inner())
}

/// Leaves an answer unread and gives its length.
#[expect(clippy::unnecessary_wraps, reason = "other ways to read an answer may fail")]
pub(crate) fn skip(buffer: &mut DecodeBuf<'_>) -> Result<usize, Status> {
    let length = buffer.remaining();
    buffer.advance(length);
    Ok(length)
}

/// Sends bytes as they are.
pub(crate) struct Plain<R>(pub(crate) Read<R>);

impl<R: Send + Sync + 'static> Codec for Plain<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0)
    }

    fn decoder(&mut self) -> Self {
        Self(self.0)
    }
}

impl<R> Encoder for Plain<R> {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl<R> Decoder for Plain<R> {
    type Item = R;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<R>, Status> {
        (self.0)(buffer).map(Some)
    }
}
