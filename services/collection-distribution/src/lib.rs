#![doc = include_str!("../README.md")]

use legalstat_kit::{
    Context, Service, bucket,
    call::MESSAGE,
    due::{self, Schedule, calendar::Calendar},
    feed::Outbox,
    files::FileStore,
    schema::Tables,
    signing::SigningKeys,
    write,
};
use legalstat_proto::collections::v1::collection_distribution_service_server::{
    CollectionDistributionServiceServer, SERVICE_NAME,
};
use tonic::{codec::CompressionEncoding, service::Routes};

mod clients;
mod config;
mod db;
mod domain;
mod error;
mod jobs;
pub mod proof;
mod receiving;
mod rpc;
pub mod statements;

use clients::inbox::Inboxes;
use config::Config;
use rpc::CollectionDistribution;

/// The tables of the schema `collections`.
static TABLES: Tables = Tables::of_service(sqlx::migrate!("./migrations"));

/// Collection distribution.
pub static SERVICE: Service<Config> = Service {
    name: "collection-distribution",
    schema: "collections",
    services: &[SERVICE_NAME],
    tables: &[&write::TABLES, &due::TABLES, &due::SCHEDULE, &TABLES],
    config: config::read,
    check,
    start: |context, config| Box::pin(start(context, config)),
};

fn check(config: &Config) -> anyhow::Result<()> {
    config.bucket.as_ref().map(bucket::Settings::check).transpose()?;
    SigningKeys::open(&config.signing_keys).map(drop)
}

async fn start(context: Context, config: Config) -> anyhow::Result<Routes> {
    let files = FileStore::open(&context, SERVICE.name, &config.files, config.file_limit)?
        .resuming(&context, config.partials)?
        .keeping(&context, SERVICE.name, config.bucket.as_ref())
        .await?;
    let signing_keys = SigningKeys::open(&config.signing_keys)?;
    signing_keys.follow(&context);
    let calendar = Calendar::new(&config.calendar_url, &context.tls)?;
    db::reference::load(&context).await?;
    let schedule = Schedule::start(&context, calendar, db::collection::duties).await?;
    jobs::overdue::start(&context);
    jobs::punctuality::start(&context, &schedule);
    jobs::delivery::begin_left(&context).await?;
    let due = jobs::delivery::start(&context, Inboxes::open(&context, files.clone()), config.delivery);
    let distribution = CollectionDistribution {
        outbox: Outbox::start(&context, SERVICE_NAME),
        context,
        files,
        file_limit: config.file_limit,
        schedule,
        signing_keys,
        due,
    };
    let server = CollectionDistributionServiceServer::new(distribution)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MESSAGE);
    Ok(Routes::new(server))
}

/// The ids of the recipients that Appendix 1 names, for whom certificates are made.
///
/// # Errors
/// When the embedded register cannot be read.
pub fn recipients_of_appendix_1() -> anyhow::Result<Vec<String>> {
    let recipients = domain::register::appendix_1()?.recipients.into_iter();
    let named = recipients.filter(|recipient| recipient.appendix_column.is_some());
    Ok(named.map(|recipient| recipient.id).collect())
}
