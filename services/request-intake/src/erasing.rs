//! Erases the personal data of requests: the rows and the kept answers in one transaction, the contents of files after it. Which contents
//! these are is a row of that transaction until they are removed, whatever fails or crashes meanwhile.

use legalstat_kit::{
    Error,
    files::FileStore,
    schema::Database,
    write::{self, Change, Write},
};
use uuid::Uuid;

use crate::{
    db::{self, erasure::Order},
    domain::{names, request::State, retention, told::Told},
};

/// How many contents are looked up at a time.
const LOOKED_UP: i64 = 100;

/// Erases the data of locked requests that have ended. The contents of their files go once it is committed, see [`remove_contents`].
///
/// # Errors
/// When the database fails.
pub async fn erase(write: &mut Write, requests: &[Uuid], order: &Order<'_>) -> Result<(), Error> {
    let connection = write.connection();
    let attachments = db::erasure::attachments(connection, requests).await?;
    db::erasure::erase(connection, requests, order).await?;
    let named = requests.iter().copied().map(names::request);
    let named = named.chain(attachments.iter().map(|(_, attachment)| names::attachment(*attachment)));
    let told = named.map(|name| retention::told(&name, order.at, order.rule, order.legal_basis));
    let told: Vec<write::Erased> = told.collect();
    write::erase_answers(connection, &told).await?;
    Ok(())
}

/// What is told of a request that was erased where it stands.
pub fn change(request: Uuid, state: State) -> Change {
    Change::of(&names::request(request), "request.erased").telling(&Told::of(state, None))
}

/// Removes content unless an attachment has it. Who is just storing the same is waited for.
///
/// # Errors
/// When the database or the store fails.
pub async fn remove_unused(db: &Database, files: &FileStore, sha256: &[u8; 32]) -> Result<bool, Error> {
    let mut transaction = db.begin().await?;
    db::erasure::remove_content(&mut transaction, sha256).await?;
    db::attachment::lock_content(&mut transaction, sha256).await?;
    let is_used = db::attachment::has_content(&mut transaction, sha256).await?;
    if !is_used {
        files.remove(sha256).await?;
    }
    transaction.commit().await?;
    Ok(!is_used)
}

/// The same of several contents.
///
/// # Errors
/// As [`remove_unused`]; the others are tried all the same.
pub async fn remove_all_unused(db: &Database, files: &FileStore, contents: &[Vec<u8>]) -> Result<usize, Error> {
    let (mut removed, mut failed) = (0, None);
    for content in contents {
        let Ok(sha256) = <&[u8; 32]>::try_from(content.as_slice()) else {
            continue;
        };
        match remove_unused(db, files, sha256).await {
            Ok(is_removed) => removed += usize::from(is_removed),
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(removed), Err)
}

/// Removes the contents of erased files that are still there, and tells how many were. What fails stays to be removed.
///
/// # Errors
/// As [`remove_unused`]; the others are tried all the same.
pub async fn remove_contents(db: &Database, files: &FileStore) -> Result<usize, Error> {
    let (mut removed, mut failed, mut after) = (0, None, Vec::new());
    loop {
        let contents = {
            let mut connection = db.connection().await?;
            db::erasure::contents(&mut connection, &after, LOOKED_UP).await?
        };
        let Some(last) = contents.last() else {
            break;
        };
        after.clone_from(last);
        match remove_all_unused(db, files, &contents).await {
            Ok(some) => removed += some,
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(removed), Err)
}
