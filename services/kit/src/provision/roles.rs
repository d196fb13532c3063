//! The database of a system: one schema per service, an owner and a runtime role each.

use std::path::Path;

use anyhow::Context as _;
use rand::RngExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::folder::write_whole;
use crate::schema;

/// The schemas, as `deploy/postgres/roles.sql` makes them.
pub const SCHEMAS: [&str; 4] = ["calendar", "forms", "requests", "collections"];
const ROLES: &str = include_str!("../../../../deploy/postgres/roles.sql");

/// The secret that the roles' passwords are derived from.
pub struct ServicePasswords {
    secret: String,
}

impl ServicePasswords {
    /// Passwords for a system that lives no longer than this process.
    pub fn random() -> Self {
        let secret: [u8; 32] = rand::rng().random();
        Self { secret: hex::encode(secret) }
    }

    /// The passwords kept in a file, made at the first call.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open_or_create(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            write_whole(path, Self::random().secret.as_bytes(), 0o600)?;
        }
        Ok(Self { secret: std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))? })
    }

    fn of(&self, role: &str) -> String {
        hex::encode(crate::wire::sha256(format!("{}:{role}", self.secret).as_bytes()))
    }

    /// The URL of a schema's owner, for a server known by its superuser's URL.
    ///
    /// # Errors
    /// A server URL that cannot be read.
    pub fn owner_url(&self, server: &str, database: &str, schema: &str) -> anyhow::Result<String> {
        self.url(server, database, &format!("{schema}_owner"))
    }

    /// The URL of a schema's runtime role.
    ///
    /// # Errors
    /// A server URL that cannot be read.
    pub fn runtime_url(&self, server: &str, database: &str, schema: &str) -> anyhow::Result<String> {
        self.url(server, database, &format!("{schema}_runtime"))
    }

    fn url(&self, server: &str, database: &str, role: &str) -> anyhow::Result<String> {
        let options: PgConnectOptions = schema::options(server)?;
        let url = options.username(role).password(&self.of(role)).database(database).to_url_lossy();
        Ok(url.to_string())
    }
}

/// Makes the database, its roles and its schemas where they are missing, and sets the roles' passwords.
///
/// # Errors
/// What the server says.
pub async fn prepare_database(server: &str, database: &str, passwords: &ServicePasswords) -> anyhow::Result<()> {
    let options = schema::options(server)?;
    let mut connection = options.connect().await.context("connecting to the database server")?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        execute(&mut connection, &format!("CREATE DATABASE {}", quoted(database))).await?;
    }
    connection.close().await?;
    let mut connection = options.database(database).connect().await?;
    execute(&mut connection, ROLES).await.context("making the roles")?;
    for role in SCHEMAS.iter().flat_map(|schema| [format!("{schema}_owner"), format!("{schema}_runtime")]) {
        execute(&mut connection, &format!("ALTER ROLE {} PASSWORD '{}'", quoted(&role), passwords.of(&role))).await?;
    }
    Ok(connection.close().await?)
}

/// Makes a database as a copy of another that nobody is connected to.
///
/// # Errors
/// What the server says.
pub async fn copy_database(server: &str, template: &str, copy: &str) -> anyhow::Result<()> {
    let mut connection = schema::options(server)?.connect().await?;
    execute(&mut connection, &format!("CREATE DATABASE {} TEMPLATE {}", quoted(copy), quoted(template))).await?;
    for role in SCHEMAS.iter().flat_map(|schema| [format!("{schema}_owner"), format!("{schema}_runtime")]) {
        let grant = format!("GRANT CONNECT ON DATABASE {} TO {}", quoted(copy), quoted(&role));
        execute(&mut connection, &grant).await?;
    }
    Ok(connection.close().await?)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

async fn execute(connection: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    // Identifiers are quoted above and passwords are hexadecimal.
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(())
}
