#![doc = include_str!("../README.md")]

pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod rpc;

use std::sync::Arc;

use legalstat_kit::{Context, Service, run::Starting};
use legalstat_proto::calendar::v1::calendar_service_server::{CalendarServiceServer, SERVICE_NAME};
use tonic::service::Routes;

use crate::{
    domain::{Calendars, WorkingHours},
    rpc::CalendarRpc,
};

/// The calendar as a service.
pub static SERVICE: Service<WorkingHours> = Service {
    name: "calendar",
    schema: "calendar",
    services: &[SERVICE_NAME],
    migrations: &MIGRATIONS,
    config: config::working_hours,
    start,
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The largest message a call may bring: a batch of 1,000 deadlines with their laws.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

fn start(context: Context, hours: WorkingHours) -> Starting {
    Box::pin(async move {
        let mut transaction = context.db.begin().await?;
        let new = db::reference::load(&mut transaction).await?;
        let rules = db::rules::all(&mut transaction).await?;
        let terms = db::terms::all(&mut transaction).await?;
        transaction.commit().await?;
        if new > 0 {
            tracing::info!(rows = new, "loaded the registers");
        }
        let rpc = CalendarRpc::new(context, Arc::new(Calendars::new(rules)), terms.into(), hours);
        Ok(Routes::new(
            CalendarServiceServer::new(rpc).max_decoding_message_size(LARGEST_REQUEST),
        ))
    })
}
