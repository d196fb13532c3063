//! A thread of their own for calls without a certificate: whatever they ask, they take no more of the processor than it, and
//! the threads that serve all others never wait for one of them.

use std::sync::LazyLock;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, body::Body};
use tracing::Instrument as _;

use crate::{Error, Refusal};

/// `None` where no thread can be made: then the calls run where all do.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("public")
        .enable_all()
        .build();
    built.ok()
});

/// Carries out a call to its whole answer on the thread of strangers. It ends when this is dropped.
pub(crate) async fn apart<E: Send + 'static>(
    call: impl Future<Output = Result<http::Response<Body>, E>> + Send + 'static,
) -> Result<http::Response<Body>, E> {
    let Some(runtime) = &*RUNTIME else {
        return call.await;
    };
    let whole = async move { Ok(gathered(call.await?).await) };
    let carried_out = AbortOnDropHandle::new(runtime.spawn(whole.in_current_span()));
    carried_out.await.unwrap_or_else(|panic| {
        let error = Error::Unknown(anyhow::Error::new(panic).context("a call did not end"));
        Ok(Status::from(error).into_http())
    })
}

/// The answer with its messages written, which would otherwise happen where it is sent.
async fn gathered(response: http::Response<Body>) -> http::Response<Body> {
    if response.body().is_end_stream() {
        return response;
    }
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(collected) => http::Response::from_parts(head, Body::new(collected.map_err(never))),
        Err(_) => Status::from(Refusal::internal()).into_http(),
    }
}

fn never(never: std::convert::Infallible) -> Status {
    match never {}
}
