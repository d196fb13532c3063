#![doc = include_str!("../README.md")]

use legalstat_kit::{
    Context, Service,
    due::{self, calendar::Calendar},
    schema::Tables,
    write,
};
use legalstat_proto::requests::v1::request_intake_service_server::{RequestIntakeServiceServer, SERVICE_NAME};
use tonic::service::Routes;

mod clients;
mod config;
mod db;
mod domain;
mod error;
mod jobs;
mod rpc;

use clients::Services;
use config::Config;
use rpc::RequestIntake;

/// The tables of the schema `requests`.
static TABLES: Tables = Tables::of_service(sqlx::migrate!("./migrations"));

/// Request intake.
pub static SERVICE: Service<Config> = Service {
    name: "request-intake",
    schema: "requests",
    services: &[SERVICE_NAME],
    tables: &[&write::TABLES, &due::TABLES, &TABLES],
    config: config::read,
    start: |context, config| Box::pin(start(context, config)),
};

async fn start(context: Context, config: Config) -> anyhow::Result<Routes> {
    let services = Services::new(&config, &context.tls)?;
    db::reference::load(&mut *context.db.connection().await?).await?;
    let calendar = Calendar::new(&config.calendar_url, &context.tls)?;
    jobs::examination::start(&context, services.clone());
    jobs::recompute::start(&context, calendar.clone());
    Ok(Routes::new(RequestIntakeServiceServer::new(RequestIntake {
        context,
        services,
        calendar,
    })))
}
