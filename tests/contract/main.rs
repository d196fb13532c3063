//! The contracts keep their rules: what a caller may rely on does not change unseen.

mod deployed;
mod events;
mod graph;
mod lint;
mod methods;
mod reasons;
mod rooms;
mod service_config;
mod set_by_service;
mod snapshot;
mod sources;
