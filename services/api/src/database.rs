//! The connection to Postgres, its schema, and what its failures mean.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use treaty_error::{Code, Error};

use crate::config::DatabaseConfig;

/// All migrations, embedded.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// A constraint that was violated, by name.
#[must_use]
pub fn violated(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

/// Opens the pool; connections are made when they are needed.
///
/// # Errors
/// When the address is not one of Postgres. It is not shown, since it may hold a password.
pub fn pool(config: &DatabaseConfig) -> Result<PgPool, Error> {
    let options: PgConnectOptions = config.url.expose_secret().parse().map_err(|_hidden| {
        Error::new(Code::InvalidArgument, "database.url is not an address of Postgres")
    })?;
    let options = options.application_name("api");
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_secs(config.acquire_timeout_seconds))
        .connect_lazy_with(options))
}

/// Brings the schema up to date. Several processes may try at once: Postgres lets one do it.
///
/// # Errors
/// When a migration fails, or the database has one that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    MIGRATIONS.run(pool).await
}

/// What a failure of Postgres means to a caller who did nothing wrong.
#[must_use]
pub fn failure(error: sqlx::Error) -> Error {
    let code = match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Code::Unavailable,
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // Serialization failure and deadlock: the whole transaction may be repeated.
            Some("40001" | "40P01") => Code::Aborted,
            // The server is shutting down, starting up, or out of connections.
            Some("57P01" | "57P02" | "57P03" | "53300") => Code::Unavailable,
            // Connection exceptions.
            Some(code) if code.starts_with("08") => Code::Unavailable,
            _ => Code::Internal,
        },
        _ => Code::Internal,
    };
    let message = match code {
        Code::Internal => return Error::internal(error),
        Code::Aborted => "a concurrent change won",
        _ => "the database is not reachable just now",
    };
    Error::new(code, message).with_source(error)
}
