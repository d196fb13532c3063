//! Who may call which method: read from the contracts' access option, enforced by one layer before every handler.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context as Polling, Poll},
};

use legalstat_proto::common::v1::ErrorReason;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use tonic::{Code, Status, body::Body};

use crate::{
    Call, Refusal,
    call::caller::{Caller, CallerError, Peer, Role},
    repeated,
    write::{EachRefused, RefusalRecorder, Withheld},
};

/// Services without an access option: anyone may ask what exists and whether it runs.
const EXEMPT: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// Who may call one method.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The roles that may call.
    pub roles: Vec<Role>,
    /// The services that may call under the role SERVICE.
    pub services: Vec<String>,
    /// Whether the method changes state.
    pub mutates: bool,
    /// Whether the method, though it changes nothing, leaves a journal entry.
    pub recorded: bool,
}

/// The policies of all methods of the contracts by full method name; `None` where the option is missing.
static POLICIES: LazyLock<HashMap<String, Option<Policy>>> = LazyLock::new(|| read(legalstat_proto::descriptors()));

fn read(contracts: &DescriptorPool) -> HashMap<String, Option<Policy>> {
    let methods = contracts
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| {
            (
                format!("/{}/{}", method.parent_service().full_name(), method.name()),
                option(contracts, &method),
            )
        })
        .collect()
}

fn option(contracts: &DescriptorPool, method: &MethodDescriptor) -> Option<Policy> {
    let extension = contracts.get_extension_by_name("legalstat.common.v1.access")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let value = options.get_extension(&extension);
    let access: &DynamicMessage = value.as_message()?;
    let list = |field: &str| {
        access
            .get_field_by_name(field)
            .and_then(|list| list.as_list().map(<[Value]>::to_vec))
    };
    let flag = |field: &str| {
        access
            .get_field_by_name(field)
            .and_then(|value| value.as_bool())
            .unwrap_or(false)
    };
    Some(Policy {
        roles: list("roles")?
            .iter()
            .filter_map(Value::as_enum_number)
            .filter_map(|n| Role::try_from(n).ok())
            .collect(),
        services: list("services")?
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        mutates: flag("mutates"),
        recorded: flag("recorded"),
    })
}

/// The policy of a method of the contracts, with its name.
pub(crate) fn policy(path: &str) -> Option<(&'static str, &'static Policy)> {
    let (name, policy) = POLICIES.get_key_value(path)?;
    Some((name, policy.as_ref()?))
}

/// Whether a caller may call a method of the contracts, by its path; no one may call what they do not have.
pub fn admits(path: &str, caller: &Caller) -> bool {
    policy(path).is_some_and(|(_, policy)| policy.admit(caller, path).is_ok())
}

/// Whether a method of the contracts leaves nothing behind, so that it can be called again, by its path.
pub(crate) fn only_reads(path: &str) -> bool {
    policy(path).is_some_and(|(_, policy)| !policy.mutates && !policy.recorded)
}

/// The name of a method of the contracts, for labels that must not grow with what strangers ask for.
pub(crate) fn known_method(path: &str) -> Option<&'static str> {
    POLICIES.get_key_value(path).map(|(name, _)| name.as_str())
}

/// Checks that every method of the named services says who may call it.
///
/// # Errors
/// Names the first method that does not: such a server must not start.
pub fn require_policies(services: &[&str]) -> anyhow::Result<()> {
    for service in services {
        let descriptor = legalstat_proto::descriptors()
            .get_service_by_name(service)
            .ok_or_else(|| anyhow::anyhow!("{service} is not in the contracts"))?;
        for method in descriptor.methods() {
            let name = format!("/{service}/{}", method.name());
            let policy = POLICIES.get(&name).and_then(Option::as_ref);
            anyhow::ensure!(
                policy.is_some_and(|p| !p.roles.is_empty()),
                "{name} does not say who may call it"
            );
        }
    }
    Ok(())
}

impl Policy {
    /// Whether this caller may call.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a certificate, PERMISSION_DENIED with the wrong role.
    pub fn admit(&self, caller: &Caller, method: &str) -> Result<(), Refusal> {
        let admitted = |role: &Role| match role {
            Role::Public => true,
            Role::Service => caller.has(Role::Service) && self.services.contains(&caller.name),
            role => caller.has(*role),
        };
        if self.roles.iter().any(admitted) {
            return Ok(());
        }
        if caller.is_anonymous() {
            let message = format!("{method} needs a client certificate");
            return Err(Refusal::new(
                Code::Unauthenticated,
                ErrorReason::CertificateRequired,
                message,
            ));
        }
        let roles: Vec<&str> = self.roles.iter().map(Role::as_str_name).collect();
        let message = format!(
            "{} may not call {method}; it takes one of {}",
            caller.name,
            roles.join(", ")
        );
        Err(Refusal::new(Code::PermissionDenied, ErrorReason::RoleMissing, message))
    }
}

/// The layer that admits callers and records refusals.
#[derive(Clone)]
pub struct AccessLayer {
    recorder: Option<RefusalRecorder>,
    served: Arc<[&'static str]>,
}

impl AccessLayer {
    /// A layer before the named gRPC services that hands refusals to `recorder`; without one, where there is no journal, it logs them.
    pub fn new(recorder: Option<RefusalRecorder>, served: impl Into<Arc<[&'static str]>>) -> Self {
        Self {
            recorder,
            served: served.into(),
        }
    }
}

impl<S> tower::Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access {
            inner,
            recorder: self.recorder.clone(),
            served: self.served.clone(),
        }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Access<S> {
    inner: S,
    recorder: Option<RefusalRecorder>,
    served: Arc<[&'static str]>,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<http::Response<Body>, E>> + Send>>;

impl<S> tower::Service<http::Request<Body>> for Access<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if EXEMPT.iter().any(|prefix| path.starts_with(prefix)) {
            return Box::pin(self.inner.call(request));
        }
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let policy = POLICIES.get_key_value(path).filter(|_| self.served.contains(&service));
        let Some((method, Some(policy))) = policy else {
            let message = format!("there is no method {path}");
            return answer(Refusal::new(Code::Unimplemented, ErrorReason::MethodUnknown, message));
        };
        let peer = request.extensions().get::<Peer>();
        let call = Call::new(peer, method);
        let problem = peer.and_then(|peer| peer.problem.as_ref());
        let recorder = self.recorder.clone();
        if let Err(refusal) = policy.admit(&call.caller, method) {
            let refusal = problem.map_or(refusal, |problem| unusable(method, problem));
            return Box::pin(async move {
                let recorded = match recorder {
                    Some(recorder) => recorder.record(call, refusal.reason.as_str_name(), "").await,
                    None => {
                        log(&call, refusal.reason.as_str_name());
                        Ok(())
                    }
                };
                let told = recorded.err().unwrap_or(refusal);
                Ok(Status::from(told).into_http())
            });
        }
        request.extensions_mut().insert(call.clone());
        let answered = self.inner.call(request);
        let recorded = policy.mutates || policy.recorded;
        Box::pin(async move {
            let response = answered.await?;
            let Some(recorder) = recorder else {
                return Ok(response);
            };
            let extensions = response.extensions();
            let stored = if let Some(withheld) = extensions.get::<Withheld>() {
                let reason = withheld.reason.as_str_name();
                recorder.record(call, reason, &withheld.resource).await
            } else if let Some(refused) = extensions.get::<EachRefused>() {
                recorder.record_each(&call, recorded, refused).await
            } else {
                recorder.record_answer(call, recorded, response.headers()).await
            };
            match stored {
                Ok(()) => Ok(response),
                Err(unrecorded) => Ok(Status::from(unrecorded).into_http()),
            }
        })
    }
}

/// Logs who is not let in, where no journal has it.
fn log(call: &Call, reason: &str) {
    let refused = format!("{} is refused {}: {reason}", call.caller.name, call.method);
    if let Some(unlogged) = repeated::to_log(&refused) {
        tracing::info!(address = ?call.address, refused, unlogged, "a caller was not let in");
    }
}

/// What a caller is told whose certificate cannot be used.
fn unusable(method: &str, problem: &CallerError) -> Refusal {
    let message = format!("{method} needs a client certificate, and the one shown cannot be used: {problem}");
    Refusal::new(Code::Unauthenticated, ErrorReason::CertificateUnusable, message).with("problem", problem.word())
}

fn answer<E: Send + 'static>(refusal: Refusal) -> Answer<E> {
    Box::pin(async move { Ok(Status::from(refusal).into_http()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str, role: Role) -> Caller {
        Caller {
            name: name.into(),
            roles: vec![role],
        }
    }

    #[test]
    fn every_method_of_the_contracts_says_who_may_call_it() {
        for (method, policy) in POLICIES.iter() {
            assert!(
                policy.as_ref().is_some_and(|policy| !policy.roles.is_empty()),
                "{method}"
            );
        }
    }

    #[test]
    fn a_service_is_admitted_only_by_name() {
        let policy = Policy {
            roles: vec![Role::Service],
            services: vec!["request-intake".into()],
            mutates: false,
            recorded: false,
        };
        assert!(policy.admit(&caller("request-intake", Role::Service), "m").is_ok());
        assert!(policy.admit(&caller("calendar", Role::Service), "m").is_err());
        assert!(policy.admit(&caller("request-intake", Role::Operator), "m").is_err());
    }

    #[test]
    fn no_certificate_and_the_wrong_role_are_told_apart() {
        let policy = Policy {
            roles: vec![Role::Operator],
            services: vec![],
            mutates: true,
            recorded: false,
        };
        let refused = |caller: &Caller| policy.admit(caller, "m").expect_err("not an operator").code;
        assert_eq!(refused(&Caller::anonymous()), Code::Unauthenticated);
        assert_eq!(refused(&caller("edms", Role::Edms)), Code::PermissionDenied);
    }

    #[test]
    fn a_service_whose_methods_are_not_in_the_contracts_does_not_start() {
        assert!(require_policies(&["legalstat.calendar.v1.CalendarService"]).is_ok());
        assert!(require_policies(&["legalstat.calendar.v1.NoSuchService"]).is_err());
    }
}
