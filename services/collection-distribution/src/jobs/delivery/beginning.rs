//! Begins what releases and recalls have not begun.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    write::{self, Write},
};

use super::METHOD;
use crate::{
    db,
    domain::{copy::CopyState, delivery},
};

/// Has the copies delivered that stand as they were issued although their recipients have servers, and recalls told that nobody has
/// confirmed and of which no attempt follows. What enters a server begins the former and a recall the latter; earlier releases did not.
///
/// # Errors
/// When the database fails.
pub async fn begin_left(context: &Context) -> anyhow::Result<()> {
    let begun = write::by_job(context, METHOD, |write| {
        Box::pin(async move {
            let from_when = servers(write).await?;
            db::delivery::begin_waiting(write.connection(), &from_when, &[CopyState::Issued]).await?;
            db::delivery::begin_recalls(write.connection(), &from_when).await?;
            Ok(Vec::new())
        })
    });
    begun.await.context("beginning what was left to be fetched")?;
    Ok(())
}

/// From when on recipients have servers. Until the write ends, none is entered.
async fn servers(write: &mut Write) -> anyhow::Result<BTreeMap<String, Timestamp>> {
    let (now, connection) = (write.now(), write.connection());
    db::recipient_detail::share_entitlements(connection).await?;
    let known = db::recipient_detail::all(connection).await?;
    Ok(delivery::from_when(
        &known,
        known.iter().map(|row| row.id.as_str()),
        now,
    ))
}
