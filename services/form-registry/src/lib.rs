#![doc = include_str!("../README.md")]

use std::sync::Arc;

use legalstat_kit::{
    Context, Service, bucket,
    call::MESSAGE,
    due::{self, Schedule, calendar::Calendar},
    feed::Outbox,
    files::FileStore,
    schema::Tables,
    write,
};
use legalstat_proto::forms::v1::form_registry_service_server::{FormRegistryServiceServer, SERVICE_NAME};
use tokio::sync::Semaphore;
use tonic::{codec::CompressionEncoding, service::Routes};

mod config;
mod db;
mod domain;
mod error;
mod jobs;
mod rpc;

use config::Config;
use rpc::FormRegistry;

/// The tables of the schema `forms`.
static TABLES: Tables = Tables::of_service(sqlx::migrate!("./migrations"));

/// The form registry.
pub static SERVICE: Service<Config> = Service {
    name: "form-registry",
    schema: "forms",
    services: &[SERVICE_NAME],
    tables: &[&write::TABLES, &due::TABLES, &due::SCHEDULE, &TABLES],
    config: config::read,
    check: |config| config.bucket.as_ref().map_or(Ok(()), bucket::Settings::check),
    start: |context, config| Box::pin(start(context, config)),
};

async fn start(context: Context, config: Config) -> anyhow::Result<Routes> {
    let files = FileStore::open(&context, SERVICE.name, &config.files, config.file_limit)?
        .resuming(&context, config.partials)?
        .keeping(&context, SERVICE.name, config.bucket.as_ref())
        .await?;
    let calendar = Calendar::new(&config.calendar_url, &context.tls)?;
    db::reference::load(&context).await?;
    let schedule = Schedule::start(&context, calendar, db::form::duties).await?;
    jobs::embargo_ends::start(&context);
    jobs::punctuality::start(&context, &schedule);
    let registry = FormRegistry {
        outbox: Outbox::start(&context, SERVICE_NAME),
        context,
        files,
        schedule,
        portal: config.portal,
        importing: Arc::new(Semaphore::new(config.figures.import_rows_held as usize)),
        packaging: Semaphore::new(rpc::PACKAGES),
        figures: config.figures,
    };
    let server = FormRegistryServiceServer::new(registry)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MESSAGE);
    Ok(Routes::new(server))
}
