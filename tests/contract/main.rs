//! The contracts keep their rules: what a caller may rely on does not change unseen.

mod answered;
mod catalogue;
mod complete;
mod deployed;
mod events;
mod graph;
mod languages;
mod lint;
mod methods;
mod provoked;
mod reasons;
mod released;
mod rooms;
mod service_config;
mod set_by_service;
mod shown;
mod snapshot;
mod sources;
