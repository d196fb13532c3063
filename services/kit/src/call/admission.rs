//! How many calls are at work at once, by class of method and caller. One more than are let in waits a moment in a queue that
//! is as bounded, and is then told at once to try again: a call that is let in keeps its time, and no class takes what
//! another needs, and no caller what others of its class need.

use std::{
    collections::HashMap,
    future::Future,
    num::NonZero,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context as Polling, Poll},
    time::Duration,
};

use prost_reflect::MethodDescriptor;
use tokio::sync::Semaphore;
use tonic::{Status, body::Body};

use crate::{
    Call, Error, Refusal,
    call::{
        access,
        apart::apart,
        arrived::{arrived, streamed},
        bounded::{bounded, refuse_compressed},
        caller::{Peer, Role},
        held::{OF_BYTES, held},
        patience,
        places::{Numbers, Room, Whose},
    },
    lent,
    run::environment::{Environment, SettingError},
};

/// What a call is, for how many of its kind are at work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A unary method that reads one thing.
    Read,
    /// A unary method that reads or computes many.
    List,
    /// A unary method that changes state.
    Write,
    /// A stream of bytes in.
    Upload,
    /// A stream of bytes out.
    Download,
    /// A stream of changes, which lasts as long as its caller wants.
    Watch,
    /// Any call of another service of this system: submissions wait for it.
    Service,
    /// Any call without a certificate but downloads.
    Public,
    /// A download without a certificate.
    PublicDownload,
    /// Questions about what the server serves.
    Reflection,
}

/// How a method's names begin that read or compute many things, besides those that give pages.
const OF_MANY: [&str; 8] = [
    "List",
    "Lookup",
    "Batch",
    "Preview",
    "Check",
    "GetPunctuality",
    "GetRequestStatistics",
    // Of a draft the whole package is made.
    "GetOpenDataPackage",
];

static CLASSES: LazyLock<HashMap<&'static str, Class>> = LazyLock::new(|| {
    let services = legalstat_proto::descriptors().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let known = methods.filter_map(|method| {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let (path, policy) = access::policy(&path)?;
        Some((path, of_method(&method, policy.mutates)))
    });
    known.collect()
});

fn of_method(method: &MethodDescriptor, mutates: bool) -> Class {
    let gives_pages = method.input().get_field_by_name("page_size").is_some();
    let is_of_many = gives_pages || OF_MANY.iter().any(|begin| method.name().starts_with(begin));
    match (method.is_client_streaming(), method.is_server_streaming()) {
        (true, _) => Class::Upload,
        (false, true) if method.name().starts_with("Watch") => Class::Watch,
        (false, true) => Class::Download,
        (false, false) if mutates => Class::Write,
        (false, false) if is_of_many => Class::List,
        (false, false) => Class::Read,
    }
}

/// The class of a call, and that of its method.
fn of_call(call: &Call) -> (Class, Class) {
    let of_method = CLASSES.get(call.method).copied().unwrap_or(Class::List);
    let class = match of_method {
        _ if call.caller.has(Role::Service) => Class::Service,
        Class::Download if call.caller.is_anonymous() => Class::PublicDownload,
        _ if call.caller.is_anonymous() => Class::Public,
        of_method => of_method,
    };
    (class, of_method)
}

/// How many calls of one class there may be.
#[derive(Clone, Copy, Debug)]
struct Limit {
    class: Class,
    numbers: Numbers,
    /// How long one waits.
    patience: Duration,
}

/// How many calls of each class there may be.
#[derive(Clone, Debug)]
pub struct Shares(Vec<Limit>);

impl Shares {
    /// Reads them. Of the connections for reading, lists take half at most and callers without a certificate half, so that
    /// neither keeps a submission waiting.
    ///
    /// # Errors
    /// Names the setting that is unusable.
    pub fn read(environment: &mut Environment, reading: u32) -> Result<Self, SettingError> {
        let half = (reading as usize).div_ceil(2);
        let (moment, while_) = (Duration::from_millis(300), Duration::from_secs(10));
        let settings = [
            (Class::Read, "LEGALSTAT_READS", 64, 128, moment),
            (Class::List, "LEGALSTAT_LISTS", half, 32, moment),
            (Class::Write, "LEGALSTAT_WRITES", 256, 256, moment),
            (Class::Upload, "LEGALSTAT_UPLOADS", 4, 16, while_),
            (Class::Download, "LEGALSTAT_DOWNLOADS", 16, 32, while_),
            (Class::Watch, "LEGALSTAT_WATCHES", 64, 0, moment),
            (
                Class::Service,
                "LEGALSTAT_SERVICE_CALLS",
                64,
                256,
                Duration::from_secs(1),
            ),
            (Class::Public, "LEGALSTAT_PUBLIC_CALLS", half, 64, moment),
            (Class::PublicDownload, "LEGALSTAT_PUBLIC_DOWNLOADS", 8, 16, while_),
            (Class::Reflection, "LEGALSTAT_REFLECTIONS", 8, 16, moment),
        ];
        // All are read before one is refused: a name that was not read would count as unknown.
        let limits = settings.map(|(class, name, at_work, waiting, patience)| {
            let at_work = environment.parsed(name, NonZero::new(at_work).unwrap_or(NonZero::<usize>::MIN))?;
            let at_work = at_work.get().min(Semaphore::MAX_PERMITS / 2);
            Ok(Limit {
                class,
                numbers: Numbers { at_work, waiting },
                patience,
            })
        });
        Ok(Self(limits.into_iter().collect::<Result<_, _>>()?))
    }
}

/// The layer.
#[derive(Clone)]
pub struct AdmissionLayer(Arc<HashMap<Class, Room>>);

impl AdmissionLayer {
    /// A layer that lets so many calls in.
    pub fn new(limits: &Shares) -> Self {
        let rooms = limits.0.iter().map(|limit| {
            let shared_out = limit.class != Class::Service;
            (limit.class, Room::new(limit.numbers, limit.patience, shared_out))
        });
        Self(Arc::new(rooms.collect()))
    }
}

impl<S> tower::Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Admission<S> {
        Admission {
            inner,
            rooms: Arc::clone(&self.0),
        }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Admission<S> {
    inner: S,
    rooms: Arc<HashMap<Class, Room>>,
}

impl<S> tower::Service<http::Request<Body>> for Admission<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (whose, (class, of_method)) = match request.extensions().get::<Call>() {
            Some(call) => (Whose::of(&call.caller, call.address), of_call(call)),
            None if request.uri().path().starts_with("/grpc.reflection.") => {
                let call = Call::new(request.extensions().get::<Peer>(), "reflection");
                (
                    Whose::of(&call.caller, call.address),
                    (Class::Reflection, Class::Reflection),
                )
            }
            // Whether it serves is answered however much it does.
            None => return Box::pin(self.inner.call(request)),
        };
        let request = match class {
            Class::Public | Class::PublicDownload | Class::Reflection => {
                if let Err(refused) = refuse_compressed(request.headers()) {
                    return Box::pin(std::future::ready(Ok(*refused)));
                }
                request.map(bounded)
            }
            _ => request,
        };
        let rooms = Arc::clone(&self.rooms);
        // The one that was polled ready; its clone stands in for it.
        let other = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, other);
        Box::pin(async move {
            let request = match of_method {
                Class::Read | Class::List | Class::Write => {
                    let (head, body) = request.into_parts();
                    http::Request::from_parts(head, arrived(body).await)
                }
                Class::Upload => request.map(streamed),
                _ => request,
            };
            let Some(places) = rooms[&class].take(whose).await else {
                let message = "as many calls of this kind are under way as the server takes at once; try again";
                return Ok(Status::from(Refusal::overloaded(message)).into_http());
            };
            let answered = patience::of_call(Arc::clone(&places), inner.call(request));
            let answered = told(lent::unless_silent(answered));
            let response = match class {
                Class::Public => apart(answered).await?,
                _ => answered.await?,
            };
            Ok(match of_method {
                Class::Watch => response.map(|body| held(body, places, None)),
                Class::Download | Class::Reflection => response.map(|body| held(body, places, Some(OF_BYTES))),
                _ => response,
            })
        })
    }
}

/// Tells the caller whose call was broken off.
async fn told<E>(
    answered: impl Future<Output = Result<Result<http::Response<Body>, E>, sqlx::Error>>,
) -> Result<http::Response<Body>, E> {
    answered
        .await
        .unwrap_or_else(|silent| Ok(Status::from(Error::from(silent)).into_http()))
}

#[cfg(test)]
mod tests;
