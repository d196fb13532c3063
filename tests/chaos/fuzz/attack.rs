//! One random call, and what its server must have understood of it.

use legalstat_local::residents::SERVICES;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, Value};
use tonic::Code;
use uuid::Uuid;

use super::{
    message, sound,
    wire::{self, End, Sent},
    words::{happens, one_of},
};
use crate::{cutting::INBOX, dice::Dice};

/// A method with what the contracts say of it.
pub struct Method {
    pub path: String,
    input: MessageDescriptor,
    /// The services that serve it, each with its schema.
    served_by: Vec<(&'static str, &'static str)>,
    /// Whom of the callers it admits, by role and name.
    roles: Vec<String>,
    mutates: bool,
    recorded: bool,
    streams_in: bool,
    is_feed: bool,
}

/// Every method of the contracts that a system serves.
pub fn methods() -> Vec<Method> {
    let services = legalstat_proto::descriptors().services();
    let services = services.filter(|service| service.full_name() != INBOX);
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| Method::of(&method)).collect()
}

impl Method {
    fn of(method: &MethodDescriptor) -> Self {
        let service = method.parent_service();
        let area = service.full_name().split('.').nth(1).unwrap_or_default().to_owned();
        let own = SERVICES.into_iter().filter(|(_, schema)| *schema == area);
        let mut served_by: Vec<_> = own.collect();
        if served_by.is_empty() {
            // What is no service's own each of them serves.
            served_by = SERVICES.to_vec();
        }
        let access = legalstat_proto::descriptors().get_extension_by_name("legalstat.common.v1.access");
        let access = method
            .options()
            .get_extension(&access.expect("it is in the contracts"))
            .into_owned();
        let access = access.as_message().expect("access is a message").clone();
        let flag = |name: &str| access.get_field_by_name(name).and_then(|flag| flag.as_bool()) == Some(true);
        Self {
            path: format!("/{}/{}", service.full_name(), method.name()),
            input: method.input(),
            served_by,
            roles: admitted(&access),
            mutates: flag("mutates"),
            recorded: flag("recorded"),
            streams_in: method.is_client_streaming(),
            is_feed: method.name().starts_with("Watch"),
        }
    }
}

/// The roles as the names of callers of `up`.
fn admitted(access: &DynamicMessage) -> Vec<String> {
    let list = |name: &str| {
        let list = access.get_field_by_name(name).map(|list| list.into_owned());
        list.and_then(|list| list.as_list().map(<[Value]>::to_vec))
            .unwrap_or_default()
    };
    let roles = list("roles").into_iter().filter_map(|role| role.as_enum_number());
    let roles = roles.filter_map(|role| legalstat_kit::call::caller::Role::try_from(role).ok());
    let roles = roles.map(|role| match role.as_str_name().trim_start_matches("ROLE_") {
        "RECIPIENT" => "supreme-court".to_owned(),
        role => role.to_lowercase(),
    });
    let services = list("services")
        .into_iter()
        .filter_map(|name| name.as_str().map(str::to_owned));
    roles.chain(services).collect()
}

/// A call, and what must be known of it to judge its answer.
pub struct Attack {
    pub sent: Sent,
    pub service: &'static str,
    pub schema: &'static str,
    pub caller: Option<&'static str>,
    pub mutates: bool,
    pub recorded: bool,
    pub validate_only: bool,
    /// The ids under which it can be carried out: none when no message of it has one that can be read.
    pub ids: Vec<Uuid>,
    /// Of each call that it holds the id and whether it only checks: a batch holds several.
    pub understood: Vec<(Option<Uuid>, bool)>,
    /// Whether its headers are those of a call of gRPC.
    pub is_call: bool,
}

impl Attack {
    /// Any call of these methods by these callers.
    pub fn random(methods: &[Method], callers: &[Option<&'static str>], dice: &mut Dice) -> Self {
        let place = (dice.up_to(methods.len() as u64) - 1) as usize;
        let method = &methods[place];
        let (service, schema) = one_of(&method.served_by, dice);
        let caller = caller(method, callers, dice);
        let messages = messages(method, dice);
        let understood = understood(&method.input, &messages);
        let (headers, is_call) = wire::headers(dice);
        let end = match dice.up_to(if method.streams_in { 12 } else { 40 }) {
            1 => End::HangUp(dice.up_to(20_000)),
            2 => End::Reset,
            _ => End::Whole,
        };
        Self {
            sent: Sent {
                path: method.path.clone(),
                frames: wire::frames(&messages, dice),
                headers,
                end,
                is_feed: method.is_feed,
            },
            service,
            schema,
            caller,
            mutates: method.mutates,
            recorded: method.recorded,
            validate_only: understood.iter().any(|(_, validate_only)| *validate_only),
            ids: understood.iter().filter_map(|(id, _)| *id).collect(),
            understood,
            is_call,
        }
    }

    /// Whether a refusal of it with this code leaves an entry in the journal.
    pub fn is_recorded(&self, code: Code) -> bool {
        match code {
            Code::PermissionDenied => true,
            Code::Unauthenticated => self.caller.is_none(),
            Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::NotFound
            | Code::OutOfRange => self.mutates || self.recorded,
            _ => false,
        }
    }
}

/// Half of all calls are made by somebody who may.
fn caller(method: &Method, callers: &[Option<&'static str>], dice: &mut Dice) -> Option<&'static str> {
    let may = |caller: &Option<&str>| caller.is_some_and(|caller| method.roles.iter().any(|role| role == caller));
    let admitted: Vec<_> = callers.iter().copied().filter(may).collect();
    if admitted.is_empty() || happens(50, dice) {
        one_of(callers, dice)
    } else {
        one_of(&admitted, dice)
    }
}

fn messages(method: &Method, dice: &mut Dice) -> Vec<Vec<u8>> {
    let known = if happens(60, dice) {
        sound::messages(&method.path, &method.input, dice)
    } else {
        None
    };
    let mut messages = known.unwrap_or_else(|| {
        let count = if method.streams_in { dice.up_to(4) } else { 1 };
        (0..count).map(|_| message::any(&method.input, dice)).collect()
    });
    if happens(35, dice) {
        for message in &mut messages {
            message::change(message, dice);
        }
    }
    let damages = happens(12, dice);
    let encoded = messages.iter().map(|message| {
        let bytes = message.encode_to_vec();
        if damages { wire::damaged(bytes, dice) } else { bytes }
    });
    encoded.collect()
}

/// The ids and the wish only to check, as whoever decodes these bytes finds them.
fn understood(input: &MessageDescriptor, messages: &[Vec<u8>]) -> Vec<(Option<Uuid>, bool)> {
    let decoded = messages
        .iter()
        .filter_map(|bytes| DynamicMessage::decode(input.clone(), &bytes[..]).ok());
    decoded
        .flat_map(|message| {
            let header = message.get_field_by_name("header").map(|header| header.into_owned());
            let header = header.and_then(|header| header.as_message().cloned());
            let batch = message.get_field_by_name("requests").map(|batch| batch.into_owned());
            let batch = batch.and_then(|batch| batch.as_list().map(<[_]>::to_vec));
            let calls = batch.map(|batch| batch.iter().filter_map(|call| call.as_message().cloned()).collect());
            calls.unwrap_or_else(|| vec![header.unwrap_or(message)])
        })
        .map(|about| {
            let id = about.get_field_by_name("request_id").map(|id| id.into_owned());
            let id = id.and_then(|id| Uuid::parse_str(id.as_str()?).ok());
            let validate_only = about.get_field_by_name("validate_only").and_then(|only| only.as_bool());
            (id, validate_only == Some(true))
        })
        .collect()
}
