//! A thread of their own for calls without a certificate: whatever they ask, they take no more of the processor than it, and
//! the threads that serve all others never wait for one of them.

use std::sync::LazyLock;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, body::Body};
use tracing::Instrument as _;

use crate::{Error, call::deadline};

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
    let carried_out = AbortOnDropHandle::new(runtime.spawn(deadline::inherited(whole).in_current_span()));
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
        Err(error) => {
            let error = anyhow::Error::new(error).context("an answer could not be written");
            Status::from(Error::Unknown(error)).into_http()
        }
    }
}

fn never(never: std::convert::Infallible) -> Status {
    match never {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;

    use super::*;
    use crate::call::deadline::DeadlineLayer;

    #[tokio::test]
    async fn a_call_has_its_deadline_on_the_thread_of_strangers_too() {
        let (told, left) = tokio::sync::oneshot::channel();
        let told = std::sync::Mutex::new(Some(told));
        let inner = tower::service_fn(move |_: http::Request<Body>| {
            let told = told.lock().expect("no test panics here").take();
            apart(async move {
                let left = deadline::remaining(Duration::from_secs(3600));
                told.expect("it is called once").send(left).ok();
                Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty()))
            })
        });
        let mut layered = tower::Layer::layer(&DeadlineLayer::new(Duration::from_secs(7)), inner);
        let Ok(_) = tower::Service::call(&mut layered, http::Request::new(Body::empty())).await;
        let left = left.await.expect("it was told");
        assert!(left <= Duration::from_secs(7), "{left:?}");
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_written_is_an_unknown_error() {
        let failing = futures::stream::iter([Err::<http_body::Frame<bytes::Bytes>, _>(Status::unknown("inside"))]);
        let body = Body::new(http_body_util::StreamBody::new(failing));
        let answered = apart(async { Ok::<_, std::convert::Infallible>(http::Response::new(body)) }).await;
        let Ok(answer) = answered;
        let status = Status::from_header_map(answer.headers()).expect("it is refused");
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("inside"), "{status:?}");
    }
}
