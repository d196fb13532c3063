#![doc = include_str!("../README.md")]

mod config;
mod current;
mod db;
mod domain;
mod error;
mod jobs;
mod rpc;

use std::sync::Arc;

use legalstat_kit::{Context, Service, run::Starting, schema::Tables, write};
use legalstat_proto::calendar::v1::calendar_service_server::SERVICE_NAME;
use tonic::service::Routes;

use crate::{
    current::CurrentCalendars,
    domain::{Calendars, WorkingHours},
    rpc::{CalendarRpc, CalendarServer},
};

/// The calendar as a service.
pub static SERVICE: Service<WorkingHours> = Service {
    name: "calendar",
    schema: "calendar",
    services: &[SERVICE_NAME],
    tables: &[&write::TABLES, &TABLES],
    config: config::working_hours,
    check: |_| Ok(()),
    start,
};

static TABLES: Tables = Tables::of_service(sqlx::migrate!("./migrations"));

fn start(context: Context, hours: WorkingHours) -> Starting {
    Box::pin(async move {
        db::reference::load(&context, &domain::embedded_rules()?).await?;
        let calendars = Calendars::new(db::rule_set::snapshot(&context.db).await?);
        calendars.as_known_at(context.now())?;
        let calendars = Arc::new(CurrentCalendars::new(calendars));
        jobs::follow_acts::start(&context, Arc::clone(&calendars));
        let rpc = CalendarRpc::new(context, calendars, hours);
        Ok(Routes::new(CalendarServer::new(rpc)))
    })
}
