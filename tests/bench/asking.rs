//! Questions asked once, off the clock, so that every later answer is known to be as long.

use bytes::Bytes;
use futures::StreamExt;
use tonic::transport::Channel;

use crate::{
    call::{self, call},
    load::{Asked, IN_FLIGHT},
};

/// Asks each of these of a method once.
pub(crate) async fn once(method: &'static str, channels: &[Channel], encoded: Vec<Bytes>) -> Asked {
    let sizes = futures::stream::iter(encoded.iter().enumerate())
        .map(|(at, question)| async move {
            let answer = call(&channels[at % channels.len()], method, call::skip, question.clone()).await;
            answer.expect("every question has an answer")
        })
        .buffered(IN_FLIGHT);
    let sizes = sizes.collect().await;
    Asked { encoded, sizes }
}
