//! The connection to Postgres, its schema, and what its failures mean.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::time::Instant;
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
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_secs(config.acquire_timeout_seconds))
        .connect_lazy_with(options(config)?))
}

fn options(config: &DatabaseConfig) -> Result<PgConnectOptions, Error> {
    let address = config.url.expose_secret();
    let wrong = || Error::new(Code::InvalidArgument, "database.url is not an address of Postgres");
    // sqlx does not look at the scheme.
    if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
        return Err(wrong());
    }
    let options: PgConnectOptions = address.parse().map_err(|_hidden| wrong())?;
    let statement_timeout = format!("{}s", config.statement_timeout_seconds);
    Ok(options.application_name("api").options([
        ("statement_timeout", statement_timeout.as_str()),
        // A process that hangs in a transaction must not keep its locks for ever.
        ("idle_in_transaction_session_timeout", "120s"),
        ("client_min_messages", "warning"),
    ]))
}

/// Waits until Postgres takes a connection, for as long as the configuration says. Unlike the pool
/// it tells why it does not.
///
/// # Errors
/// When the time is over, or Postgres refuses us by name.
pub async fn reach(config: &DatabaseConfig) -> Result<(), Error> {
    let options = options(config)?;
    let until = Instant::now() + Duration::from_secs(config.connect_timeout_seconds);
    loop {
        let error = match PgConnection::connect_with(&options).await {
            Ok(connection) => return connection.close().await.map_err(failure),
            Err(error) => error,
        };
        // Class 28 is about who we are, 3D about the database's name: waiting changes neither.
        let code = error.as_database_error().and_then(|error| error.code());
        let final_refusal = code.is_some_and(|code| code.starts_with("28") || code == "3D000");
        if final_refusal || Instant::now() >= until {
            return Err(
                Error::new(Code::Unavailable, "Postgres cannot be reached").with_source(error)
            );
        }
        tracing::info!(error = %error, "waiting for Postgres");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Brings the schema up to date. Several processes may try at once: Postgres lets one do it.
///
/// # Errors
/// When a migration fails, or the database has one that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    // A migration may take as long as it needs. The connection is not given back, so that nothing
    // else does.
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
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
