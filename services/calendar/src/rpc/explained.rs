//! ComputeDeadline on the wire.
//!
//! An explained deadline has some twenty steps, each with a text in three languages and a citation, all of which the
//! calendar holds already. The generated message would own a copy of each, a hundred and more small allocations, only to be
//! written out and dropped: more than everything else that a call costs this service. So this method answers with bytes that
//! [`super::written`] makes of the calendar's own texts; everything else is as generated.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use legalstat_kit::{Call, call::MESSAGE};
use legalstat_proto::calendar::v1::{
    ComputeDeadlineRequest,
    calendar_service_server::{CalendarServiceServer, SERVICE_NAME},
};
use prost::bytes::BufMut as _;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, CompressionEncoding, EncodeBuf, Encoder},
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstDecoder;

use super::{CalendarRpc, compute_deadline, written};

const METHOD: &str = "/legalstat.calendar.v1.CalendarService/ComputeDeadline";

/// The calendar's methods as a service of tonic.
#[derive(Clone)]
pub struct CalendarServer {
    rpc: Arc<CalendarRpc>,
    generated: CalendarServiceServer<CalendarRpc>,
}

impl CalendarServer {
    /// Serves these methods.
    pub fn new(rpc: CalendarRpc) -> Self {
        let rpc = Arc::new(rpc);
        Self {
            generated: CalendarServiceServer::from_arc(Arc::clone(&rpc))
                .accept_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size(MESSAGE),
            rpc,
        }
    }
}

impl NamedService for CalendarServer {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for CalendarServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != METHOD {
            return self.generated.call(request);
        }
        let method = ComputeDeadline(Arc::clone(&self.rpc));
        let mut grpc = Grpc::new(Written)
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(MESSAGE);
        Box::pin(async move { Ok(grpc.unary(method, request).await) })
    }
}

struct ComputeDeadline(Arc<CalendarRpc>);

impl UnaryService<ComputeDeadlineRequest> for ComputeDeadline {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;

    fn call(&mut self, request: Request<ComputeDeadlineRequest>) -> Self::Future {
        let rpc = Arc::clone(&self.0);
        Box::pin(async move {
            let (call, message) = Call::with_message(request);
            let (deadline, languages) = compute_deadline::answer(&rpc, &call, message).await?;
            Ok(Response::new(written::deadline(deadline, languages)))
        })
    }
}

/// Reads the request as generated code does, and sends an answer that is written already.
#[derive(Clone, Copy)]
struct Written;

impl Codec for Written {
    type Encode = Vec<u8>;
    type Decode = ComputeDeadlineRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<ComputeDeadlineRequest>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl Encoder for Written {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}
