//! Calls as bytes: one shape for every method, so that one piece of code can make, cut and repeat them all.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use prost_reflect::MethodDescriptor;
use tonic::{
    Code, Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A call with all that it sends. It can be made again and again, and is the same call each time.
#[derive(Clone)]
pub struct Call {
    /// The full name of the method, as in the journal.
    pub path: &'static str,
    channel: Channel,
    messages: Vec<Bytes>,
    first_only: bool,
}

impl Call {
    /// A call with one message.
    pub fn new(channel: &Channel, path: &'static str, message: &impl Message) -> Self {
        Self::streamed(channel, path, vec![message.encode_to_vec()])
    }

    /// A call with several messages.
    pub fn streamed(channel: &Channel, path: &'static str, messages: Vec<Vec<u8>>) -> Self {
        Self {
            path,
            channel: channel.clone(),
            messages: messages.into_iter().map(Bytes::from).collect(),
            first_only: false,
        }
    }

    /// The same, whose answer never ends: its first message counts as the answer.
    pub fn feed(channel: &Channel, path: &'static str, message: &impl Message) -> Self {
        Self {
            first_only: true,
            ..Self::new(channel, path, message)
        }
    }

    /// Its last part, as people call it.
    pub fn method(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The method under which the journal has what it did: each request of a batch is a call of its own.
    pub fn journaled(&self) -> &'static str {
        match self.method() {
            "BatchSubmitRequests" => "/legalstat.requests.v1.RequestIntakeService/SubmitRequest",
            _ => self.path,
        }
    }

    /// Whether it changes something, as the contract says.
    pub fn mutates(&self) -> bool {
        let access = legalstat_proto::descriptors().get_extension_by_name("legalstat.common.v1.access");
        let access = access.expect("it is in the contracts");
        let options = method(self.path).options();
        let option = options.get_extension(&access);
        let mutates = option
            .as_message()
            .and_then(|option| option.get_field_by_name("mutates"));
        mutates.and_then(|mutates| mutates.as_bool()).unwrap_or(false)
    }

    /// Makes it.
    pub async fn make(&self, deadline: Option<Duration>) -> Result<Vec<Bytes>, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(usize::MAX);
        client
            .ready()
            .await
            .map_err(|error| Status::unavailable(format!("the line: {error}")))?;
        let mut request = Request::new(tokio_stream::iter(self.messages.clone()));
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        let path = http::uri::PathAndQuery::from_static(self.path);
        let mut stream = client.streaming(request, path, Plain).await?.into_inner();
        let mut answer = Vec::new();
        while let Some(message) = stream.message().await? {
            answer.push(message);
            if self.first_only {
                break;
            }
        }
        Ok(answer)
    }

    /// Makes it and reads the first message of its answer.
    pub async fn read<T: Message + Default>(&self) -> Result<T, String> {
        let answer = self.make(None).await.map_err(|status| self.failed(&status))?;
        let first = answer.into_iter().next().unwrap_or_default();
        T::decode(first).map_err(|error| format!("{} answered what cannot be read: {error}", self.method()))
    }

    /// What to say of an answer that should have been another.
    pub fn failed(&self, status: &Status) -> String {
        format!("{} answered {:?}: {}", self.method(), status.code(), status.message())
    }

    /// Comes back once the server has read everything that was sent on this line before, hang-ups too: a method that does
    /// not exist is answered at once and touches nothing.
    pub async fn heard(&self) -> Result<(), String> {
        let nothing = Self {
            path: "/legalstat.chaos.v1.None/None",
            messages: vec![Bytes::new()],
            ..self.clone()
        };
        match nothing.make(None).await {
            Err(status) if status.code() == Code::Unimplemented => Ok(()),
            other => Err(format!("a method that does not exist answered {other:?}")),
        }
    }
}

/// What the contract says of a method, by its path.
pub fn method(path: &str) -> MethodDescriptor {
    let (service, method) = path
        .trim_start_matches('/')
        .split_once('/')
        .expect("a service and a method");
    let service = legalstat_proto::descriptors().get_service_by_name(service);
    let method = service.and_then(|service| service.methods().find(|found| found.name() == method));
    method.expect("it is in the contracts")
}

/// Messages as they are on the line.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
