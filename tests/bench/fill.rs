//! Many stored requests: the rows of submitted ones copied with new keys, which stands for years of business. Which tables and
//! columns there are, the database tells, so that a new schema needs nothing here.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{database::run, stored};

/// Where a request itself stands.
const REQUEST: &str = "request";
/// Columns by which rows belong to a request or its submission without a reference that the database knows.
const LINKS: [&str; 2] = ["resource", "request_id"];
/// Columns that differ from request to request although nothing demands it.
const DIFFERENT: [&str; 1] = ["external_number"];

/// A column, with its type.
#[derive(sqlx::FromRow)]
struct Column {
    relation: String,
    name: String,
    kind: String,
    is_identity: bool,
}

/// Columns that refer to other columns.
#[derive(sqlx::FromRow)]
struct Reference {
    relation: String,
    columns: Vec<String>,
    to: String,
    to_columns: Vec<String>,
}

/// Columns that are unique together.
#[derive(sqlx::FromRow)]
struct Unique {
    relation: String,
    columns: Vec<String>,
}

/// How a key of the n-th copy is made of the one copied.
#[derive(Clone, Copy)]
enum Shift {
    Uuid,
    /// By so much for each copy.
    Number(i64),
    Text,
    Bytes,
}

impl Shift {
    fn of(&self, column: &str) -> String {
        match self {
            Self::Uuid => format!("md5(t.{column}::text || n)::uuid"),
            Self::Number(by) => format!("t.{column} + n * {by}"),
            Self::Text => format!("t.{column} || '-' || n"),
            Self::Bytes => {
                format!("substring(sha256(t.{column} || n::text::bytea) FROM 1 FOR octet_length(t.{column}))")
            }
        }
    }
}

struct Schema {
    columns: Vec<Column>,
    references: Vec<Reference>,
    unique: Vec<Unique>,
}

/// By table and column.
type Shifts = BTreeMap<(String, String), Shift>;

/// Copies what is stored until there are at least so many requests. The jobs of the system see all of it at once or nothing: of a request
/// without its warnings they would write them.
pub(crate) async fn fill(database: &mut PgConnection, wanted: i64) {
    let schema = Schema::read(database).await;
    let copied = schema.copied();
    let locked: Vec<String> = copied.iter().map(|table| format!("requests.{table}")).collect();
    for statement in [
        // Without triggers: what is referred to is copied too.
        "SET session_replication_role = replica",
        "ALTER SYSTEM SET max_wal_size = '8GB'",
        "SELECT pg_reload_conf()",
        "BEGIN",
        // Nobody writes meanwhile: a number that a job takes would be that of a copy.
        &format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", locked.join(", ")),
    ] {
        run(database, statement.into()).await;
    }
    let stored = stored::count(database).await;
    let copies = (wanted - 1) / stored;
    let mut shifts = Shifts::new();
    for table in &copied {
        schema.shift(database, table, &mut shifts).await;
    }
    for table in &copied {
        run(database, schema.copy(table, copies, &shifts)).await;
        for column in schema.of(table).filter(|column| column.is_identity) {
            let name = &column.name;
            run(
                database,
                format!(
                    "SELECT setval(pg_get_serial_sequence('requests.{table}', '{name}'), max({name}))
                     FROM requests.{table} HAVING max({name}) IS NOT NULL"
                ),
            )
            .await;
        }
    }
    for statement in [
        "COMMIT",
        "SET session_replication_role = origin",
        "ALTER SYSTEM RESET max_wal_size",
        "SELECT pg_reload_conf()",
    ] {
        run(database, statement.into()).await;
    }
    // Also vacuums and writes everything out.
    stored::sizes(database).await;
    assert!(stored::count(database).await >= wanted, "it is filled");
}

impl Schema {
    async fn read(database: &mut PgConnection) -> Self {
        let columns = sqlx::query_as(
            "SELECT table_name::text AS relation, column_name::text AS name, udt_name::text AS kind,
                 is_identity = 'YES' AS is_identity
             FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'requests' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
             ORDER BY table_name, ordinal_position",
        );
        let references = sqlx::query_as(
            "SELECT f.relname::text AS relation, t.relname::text AS to,
                 ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k (n, at)
                       JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY at) AS columns,
                 ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k (n, at)
                       JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY at) AS to_columns
             FROM pg_constraint JOIN pg_class f ON f.oid = conrelid JOIN pg_class t ON t.oid = confrelid
             WHERE contype = 'f' AND connamespace = 'requests'::regnamespace",
        );
        let unique = sqlx::query_as(
            "SELECT c.relname::text AS relation,
                 ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY k (n, at)
                       JOIN pg_attribute ON attrelid = indrelid AND attnum = n ORDER BY at) AS columns
             FROM pg_index JOIN pg_class c ON c.oid = indrelid
             WHERE indisunique AND c.relnamespace = 'requests'::regnamespace",
        );
        Self {
            columns: columns.fetch_all(&mut *database).await.expect("columns"),
            references: references.fetch_all(&mut *database).await.expect("references"),
            unique: unique.fetch_all(database).await.expect("indexes"),
        }
    }

    fn of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Column> {
        self.columns.iter().filter(move |column| column.relation == table)
    }

    /// The tables that have rows of a request, each after those it refers to.
    fn copied(&self) -> Vec<String> {
        let mut copied = vec![REQUEST.to_owned()];
        let mut at = 0;
        while let Some(table) = copied.get(at).cloned() {
            for reference in self.references.iter().filter(|reference| reference.to == table) {
                if !copied.contains(&reference.relation) {
                    copied.push(reference.relation.clone());
                }
            }
            at += 1;
        }
        for column in self
            .columns
            .iter()
            .filter(|column| LINKS.contains(&column.name.as_str()))
        {
            if !copied.contains(&column.relation) {
                copied.push(column.relation.clone());
            }
        }
        copied
    }

    /// Finds out which columns of a table are new in a copy.
    async fn shift(&self, database: &mut PgConnection, table: &str, shifts: &mut Shifts) {
        let key = |column: &str| (table.to_owned(), column.to_owned());
        for reference in self.references.iter().filter(|reference| reference.relation == table) {
            for (column, to) in reference.columns.iter().zip(&reference.to_columns) {
                if let Some(shift) = shifts.get(&(reference.to.clone(), to.clone())).copied() {
                    shifts.insert(key(column), shift);
                }
            }
        }
        for unique in self.unique.iter().filter(|unique| unique.relation == table) {
            let is_new = unique.columns.iter().any(|column| shifts.contains_key(&key(column)));
            if let Some(column) = self.telling(unique).filter(|_| !is_new) {
                shifts.insert(key(&column.name), shift_of(database, column).await);
            }
        }
        for column in self
            .of(table)
            .filter(|column| DIFFERENT.contains(&column.name.as_str()))
        {
            let shift = shift_of(database, column).await;
            shifts.entry(key(&column.name)).or_insert(shift);
        }
    }

    /// The column that tells rows apart, of those that are unique together: the last of the kind most like a key.
    fn telling<'a>(&'a self, unique: &'a Unique) -> Option<&'a Column> {
        let columns = self
            .of(&unique.relation)
            .filter(|column| unique.columns.contains(&column.name));
        let like_a_key = |column: &&Column| match column.kind.as_str() {
            "uuid" => 3,
            "int8" => 2,
            "int4" | "bytea" => 1,
            _ => 0,
        };
        columns.max_by_key(like_a_key)
    }

    fn copy(&self, table: &str, copies: i64, shifts: &Shifts) -> String {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in self.of(table) {
            let (name, key) = (&column.name, (table.to_owned(), column.name.clone()));
            values.push(match shifts.get(&key) {
                Some(shift) => shift.of(name),
                None if name == "resource" && column.kind == "text" => resource(name),
                None => format!("t.{name}"),
            });
            names.push(name.clone());
        }
        format!(
            "INSERT INTO requests.{table} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM generate_series(1, {copies}) n
             CROSS JOIN requests.{table} t",
            names.join(", "),
            values.join(", ")
        )
    }
}

/// The name of a request's copy.
fn resource(column: &str) -> String {
    let copy = format!("'requests/' || md5(substr(t.{column}, 10) || n)::uuid");
    format!("CASE WHEN t.{column} ~ '^requests/[0-9a-f-]{{36}}$' THEN {copy} ELSE t.{column} END")
}

async fn shift_of(database: &mut PgConnection, column: &Column) -> Shift {
    let Column {
        relation, name, kind, ..
    } = column;
    match kind.as_str() {
        "uuid" => Shift::Uuid,
        "bytea" => Shift::Bytes,
        "int8" | "int4" => {
            let greatest = format!("SELECT coalesce(max({name}), 0)::bigint + 1 FROM requests.{relation}");
            let greatest = sqlx::query_scalar(AssertSqlSafe(greatest)).fetch_one(database).await;
            Shift::Number(greatest.expect("a number"))
        }
        _ => Shift::Text,
    }
}
