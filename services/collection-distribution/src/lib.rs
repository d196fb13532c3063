#![doc = include_str!("../README.md")]

use std::sync::Arc;

use legalstat_kit::{Context, Service, calendar::Calendar, files::FileStore, schedule::Completeness};
use legalstat_proto::collections::v1::collection_distribution_service_server::{
    CollectionDistributionServiceServer, SERVICE_NAME,
};
use sqlx::migrate::Migrator;
use tonic::service::Routes;

pub mod clients;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod jobs;
pub mod rpc;

use config::Config;
use rpc::CollectionDistribution;

/// The migrations of the schema `collections`.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Collection distribution.
pub static SERVICE: Service<Config> = Service {
    name: "collection-distribution",
    schema: "collections",
    services: &[SERVICE_NAME],
    migrations: &MIGRATIONS,
    config: config::read,
    start: |context, config| Box::pin(start(context, config)),
};

async fn start(context: Context, config: Config) -> anyhow::Result<Routes> {
    let files = FileStore::open(&config.files, config.file_limit)?;
    let calendar = Calendar::new(&config.calendar_url, &context.tls)?;
    let collections = db::reference::load(&mut *context.db.acquire().await?).await?;
    let schedule = Arc::new(Completeness::default());
    jobs::schedule::start(&context, calendar.clone(), collections, schedule.clone()).await?;
    jobs::recompute::start(&context, calendar.clone());
    let distribution = CollectionDistribution {
        context,
        calendar,
        files,
        schedule,
    };
    Ok(Routes::new(CollectionDistributionServiceServer::new(distribution)))
}
