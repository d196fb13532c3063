//! Calls to other services. A channel connects at its first call, so that services start in any order; each call has a
//! deadline.

use std::time::Duration;

use tonic::{
    Code, Status,
    metadata::MetadataMap,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::call::{deadline, telemetry};

/// The longest an outgoing call may take.
const LONGEST: Duration = Duration::from_secs(5);

/// A channel to a service. It connects at the first call and again whenever the line was cut.
///
/// # Errors
/// An address that is not a URL.
pub fn channel(url: &str, tls: ClientTlsConfig) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .tls_config(tls)?
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    Ok(endpoint.connect_lazy())
}

/// Prepares an outgoing request: its deadline is what is left of the current call, at most 5 s, and its trace goes on.
pub fn request<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(deadline::remaining(LONGEST));
    let metadata = std::mem::take(request.metadata_mut());
    let mut headers = metadata.into_headers();
    telemetry::inject(&mut headers);
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    request
}

/// Turns the failure of a call into the failure of a job, which has no caller to answer.
pub fn failed(status: Status) -> anyhow::Error {
    anyhow::anyhow!("{:?}: {}", status.code(), status.message())
}

/// Whether a failure means that the service is unavailable or slow, so that the same call may succeed later.
pub fn is_away(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted
    )
}
