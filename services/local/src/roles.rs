//! The database of a system: one schema per service, an owner and a runtime role each.

use std::path::Path;

use anyhow::Context as _;
use rand::RngExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{folder::write_whole, residents::SERVICES};
use legalstat_kit::schema;

const ROLES: &str = include_str!("../../../deploy/postgres/roles.sql");

/// The secret that the roles' passwords are derived from.
pub struct ServicePasswords {
    secret: String,
}

impl ServicePasswords {
    /// Passwords for a system that lives no longer than this process.
    pub fn random() -> Self {
        let secret: [u8; 32] = rand::rng().random();
        Self {
            secret: hex::encode(secret),
        }
    }

    /// The passwords kept in a file, made at the first call.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open_or_create(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            write_whole(path, Self::random().secret.as_bytes(), 0o600)?;
        }
        Ok(Self {
            secret: std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?,
        })
    }

    fn of(&self, role: &str) -> String {
        hex::encode(legalstat_kit::door::wire::sha256(
            format!("{}:{role}", self.secret).as_bytes(),
        ))
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
        let url = options
            .username(role)
            .password(&self.of(role))
            .database(database)
            .to_url_lossy();
        Ok(url.to_string())
    }
}

/// Makes the database, its roles and its schemas where they are missing, and sets the roles' passwords.
///
/// # Errors
/// What the server says.
pub async fn prepare_database(server: &str, database: &str, passwords: &ServicePasswords) -> anyhow::Result<()> {
    let options = unlogged(server)?;
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
    for role in roles() {
        execute(
            &mut connection,
            &format!("ALTER ROLE {} PASSWORD '{}'", quoted(&role), passwords.of(&role)),
        )
        .await?;
    }
    Ok(connection.close().await?)
}

/// Makes a database as a copy of another that nobody is connected to.
///
/// # Errors
/// What the server says.
pub async fn copy_database(server: &str, template: &str, copy: &str) -> anyhow::Result<()> {
    let mut connection = schema::options(server)?.connect().await?;
    execute(
        &mut connection,
        &format!("CREATE DATABASE {} TEMPLATE {}", quoted(copy), quoted(template)),
    )
    .await?;
    // A copy has the content of its template but not the grants on the database itself.
    execute(
        &mut connection,
        &format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", quoted(copy)),
    )
    .await?;
    for role in roles() {
        let grant = format!("GRANT CONNECT ON DATABASE {} TO {}", quoted(copy), quoted(&role));
        execute(&mut connection, &grant).await?;
    }
    Ok(connection.close().await?)
}

/// Removes a database, whoever is connected to it. One that does not exist is no error.
///
/// # Errors
/// What the server says.
pub async fn drop_database(server: &str, database: &str) -> anyhow::Result<()> {
    let mut connection = schema::options(server)?.connect().await?;
    execute(
        &mut connection,
        &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(database)),
    )
    .await?;
    Ok(connection.close().await?)
}

fn roles() -> impl Iterator<Item = String> {
    SERVICES
        .iter()
        .flat_map(|(_, schema)| [format!("{schema}_owner"), format!("{schema}_runtime")])
}

/// Options for statements with passwords: neither this process nor the server writes them to its log.
fn unlogged(server: &str) -> anyhow::Result<PgConnectOptions> {
    let settings = [
        ("log_statement", "none"),
        ("log_min_duration_statement", "-1"),
        ("log_min_error_statement", "panic"),
    ];
    Ok(schema::options(server)?.options(settings).disable_statement_logging())
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

async fn execute(connection: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    // Identifiers are quoted above and passwords are hexadecimal.
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{Cluster, ClusterOptions};

    const GRANTS: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
        SELECT concat_ws(' ', rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin) FROM pg_roles
        UNION ALL SELECT concat_ws(' ', setrole::regrole, setconfig) FROM pg_db_role_setting
        UNION ALL SELECT concat_ws(' ', nspname, nspowner::regrole, nspacl) FROM pg_namespace
        UNION ALL SELECT concat_ws(' ', datname, datacl) FROM pg_database) AS lines (line)";

    async fn server() -> (tempfile::TempDir, Cluster) {
        let folder = tempfile::tempdir().expect("a folder");
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), passable).expect("others may pass");
        let options = ClusterOptions {
            bin: None,
            folder: folder.path().join("postgres"),
            durable: false,
        };
        let cluster = Cluster::start(&options).await.expect("it starts");
        (folder, cluster)
    }

    async fn connect(url: &str) -> PgConnection {
        schema::options(url)
            .expect("a URL")
            .connect()
            .await
            .expect("it lets us in")
    }

    async fn refusal(connection: &mut PgConnection, sql: &'static str) -> Option<String> {
        let error = sqlx::raw_sql(sql).execute(connection).await.expect_err("it is refused");
        error
            .as_database_error()
            .and_then(|error| error.code())
            .map(String::from)
    }

    #[tokio::test]
    async fn preparing_a_database_twice_changes_nothing() {
        let (_folder, cluster) = server().await;
        let (server, passwords) = (cluster.admin_url("postgres"), ServicePasswords::random());
        let mut seen = Vec::new();
        for _ in 0..2 {
            prepare_database(&server, "legal \"stat\"", &passwords)
                .await
                .expect("it is prepared");
            let mut connection = schema::options(&server)
                .expect("a URL")
                .database("legal \"stat\"")
                .connect()
                .await
                .expect("it is there");
            seen.push(
                sqlx::query_scalar::<_, String>(GRANTS)
                    .fetch_one(&mut connection)
                    .await
                    .expect("read"),
            );
        }
        assert!(seen[0].contains("calendar_owner"), "{}", seen[0]);
        assert_eq!(seen[0], seen[1]);
        drop_database(&server, "legal \"stat\"").await.expect("it is removed");
        drop_database(&server, "legal \"stat\"")
            .await
            .expect("it is gone already");
    }

    #[tokio::test]
    async fn a_runtime_role_creates_nothing_and_sees_no_other_schema() {
        let (_folder, cluster) = server().await;
        let (server, passwords) = (cluster.admin_url("postgres"), ServicePasswords::random());
        prepare_database(&server, "first", &passwords)
            .await
            .expect("it is prepared");
        copy_database(&server, "first", "second").await.expect("it is copied");
        for database in ["first", "second"] {
            let mut owner = connect(&passwords.owner_url(&server, database, "forms").expect("a URL")).await;
            sqlx::raw_sql("CREATE TABLE sheet (n int)")
                .execute(&mut owner)
                .await
                .expect("the owner may");
            let mut runtime = connect(&passwords.runtime_url(&server, database, "calendar").expect("a URL")).await;
            for sql in [
                "CREATE TABLE calendar.day (n int)",
                "CREATE TABLE public.day (n int)",
                "CREATE TEMPORARY TABLE day (n int)",
                "CREATE SCHEMA day",
                "CREATE ROLE day",
                "SELECT FROM forms.sheet",
            ] {
                assert_eq!(refusal(&mut runtime, sql).await.as_deref(), Some("42501"), "{sql}");
            }
            let timeout: String = sqlx::query_scalar("SHOW statement_timeout")
                .fetch_one(&mut runtime)
                .await
                .expect("read");
            assert_eq!(timeout, "10s");
        }
    }

    #[tokio::test]
    async fn no_role_of_a_service_connects_to_another_database() {
        let (_folder, cluster) = server().await;
        let (server, passwords) = (cluster.admin_url("postgres"), ServicePasswords::random());
        prepare_database(&server, "first", &passwords)
            .await
            .expect("it is prepared");
        for database in ["postgres", "template1"] {
            for url in [
                passwords.runtime_url(&server, database, "forms"),
                passwords.owner_url(&server, database, "forms"),
            ] {
                let options = schema::options(&url.expect("a URL")).expect("a URL");
                let error = options.connect().await.expect_err("it is closed");
                let code = error
                    .as_database_error()
                    .and_then(|error| error.code())
                    .map(String::from);
                assert_eq!(code.as_deref(), Some("42501"), "{database}: {error}");
            }
        }
    }

    #[tokio::test]
    async fn passwords_reach_neither_the_server_log_nor_the_data_of_other_users() {
        let (folder, cluster) = server().await;
        let passwords = ServicePasswords::open_or_create(&folder.path().join("passwords")).expect("written");
        prepare_database(&cluster.admin_url("postgres"), "first", &passwords)
            .await
            .expect("it is prepared");
        let log = std::fs::read_to_string(folder.path().join("postgres/log")).expect("there is a log");
        assert!(!log.is_empty() && roles().all(|role| !log.contains(&passwords.of(&role))));
        for name in ["passwords", "postgres/password"] {
            let file = std::fs::metadata(folder.path().join(name)).expect("it is there");
            assert_eq!(
                std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777,
                0o600,
                "{name}"
            );
        }
    }
}
