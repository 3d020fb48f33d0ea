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
        // A server that ends in the midst of a greeting has said half a word: sqlx takes the end
        // for a wrong answer. Whatever breaks the protocol, another connection is needed.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Code::Unavailable,
        sqlx::Error::Database(database) => {
            database.code().map_or(Code::Internal, |code| told(&code))
        }
        _ => Code::Internal,
    };
    let message = match code {
        Code::Internal => return Error::internal(error),
        Code::Aborted => "a concurrent change won",
        Code::DeadlineExceeded => "the database took too long",
        _ => "the database is not reachable just now",
    };
    Error::new(code, message).with_source(error)
}

/// What Postgres tells by its error code (appendix A of its manual).
fn told(code: &str) -> Code {
    match code {
        // Serialization failure, deadlock, a lock that was not to be waited for: the whole
        // transaction may be repeated.
        "40001" | "40P01" | "55P03" => Code::Aborted,
        // Our `statement_timeout`.
        "57014" => Code::DeadlineExceeded,
        // The server is shutting down, has crashed, is starting up, or ended an idle session.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Code::Unavailable,
        // Its disk cannot be read or written.
        "58030" => Code::Unavailable,
        // Connection exceptions, and too few resources: disk, memory, connections. Somebody has to
        // make room, and until then callers may try again.
        _ if code.starts_with("08") || code.starts_with("53") => Code::Unavailable,
        _ => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_ends_in_the_midst_of_the_greeting_is_not_reachable() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://api@{}/api", listener.local_addr().unwrap());
        let ending = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            // Read, so that the end is an end and no reset.
            tokio::io::AsyncReadExt::read_exact(&mut connection, &mut [0; 8]).await.unwrap();
        });
        let refused = PgPool::connect(&url).await.unwrap_err();
        ending.await.unwrap();
        assert!(matches!(refused, sqlx::Error::Protocol(_)), "{refused:?}");
        assert_eq!(failure(refused).code(), Code::Unavailable);
    }

    #[test]
    fn what_passes_by_itself_may_be_tried_again_and_mistakes_of_ours_are_internal() {
        assert_eq!(told("53100"), Code::Unavailable, "disk full");
        assert_eq!(told("57P03"), Code::Unavailable, "starting up");
        assert_eq!(told("57014"), Code::DeadlineExceeded, "statement timeout");
        assert_eq!(told("40P01"), Code::Aborted, "deadlock");
        assert_eq!(told("42703"), Code::Internal, "undefined column");
    }
}
