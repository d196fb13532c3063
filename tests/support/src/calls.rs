//! Calls that tests make themselves.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tonic::{Code, Response, Status};

/// How long what a call needs may be away; on a busy machine far more than it is.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);

/// What a service answers to a request. The same request is made again while the service says that it may come later, as clients do: on a
/// busy machine a connection to the database can take longer than a call waits for one.
///
/// # Panics
/// When it is refused, or what it needs stays away.
pub async fn answered<C, Q, T, F>(client: &C, request: &Q, call: impl Fn(C, Q) -> F) -> T
where
    C: Clone,
    Q: Clone,
    F: Future<Output = Result<Response<T>, Status>>,
{
    let began = Instant::now();
    loop {
        match call(client.clone(), request.clone()).await {
            Ok(answer) => return answer.into_inner(),
            Err(status) if status.code() == Code::Unavailable && began.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(status) => panic!("{status:?}"),
        }
    }
}
