//! The pool of connections. Each one is opened with the password that is valid then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{NoPassword, PasswordSource};
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, Postgres};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::postgres::driver::During;
use crate::sql::resting::{Leased, RestingPool};

/// How long to wait for a connection, new or pooled.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections of one process. Operations take milliseconds, so a few serve many workers; the server's default of 100
/// leaves room for several processes.
const CONNECTIONS: u32 = 10;

/// A connection that was idle longer is pinged before use, because the server may have restarted.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long the pool keeps the password of a source without asking again. It is far below the time for which a source
/// renews ahead, because the pool may replace a connection of its own accord.
const PASSWORD_KEPT: Duration = Duration::from_mins(1);

/// The connections of one process.
pub(super) struct Connections {
    pool: RestingPool<Postgres>,
    login: Option<Login>,
}

/// A login whose password changes.
struct Login {
    /// The options of the pool, without the password.
    options: PgConnectOptions,
    passwords: Arc<dyn PasswordSource>,
    asked_at: Mutex<Instant>,
    /// When a failure of the source was last logged.
    logged_at: Mutex<Option<Instant>>,
}

impl Connections {
    /// A pool that opens its first connection when one is needed. `options` has the password that is valid now.
    pub fn new(options: PgConnectOptions, passwords: Option<Arc<dyn PasswordSource>>) -> Self {
        let login = passwords.map(|passwords| {
            let asked_at = Mutex::new(Instant::now());
            let options = options.clone().password("");
            Login { options, passwords, asked_at, logged_at: Mutex::default() }
        });
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rest| {
                Box::pin(async move {
                    if rest.idle_for > TRUSTED {
                        sqlx::Connection::ping(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool: RestingPool::of(pool), login }
    }

    /// A connection for an operation. Without a new password, one that is open serves, and the last password is tried.
    pub async fn acquire(&self, operation: &'static str) -> Result<Leased<Postgres>> {
        let turn = self.pool.turn().await.during(operation)?;
        if !self.login.as_ref().is_some_and(Login::is_old)
            && let Some(connection) = turn.rested(TRUSTED)
        {
            return Ok(turn.with(connection));
        }
        let pool = &self.pool.pool;
        let renewed = match &self.login {
            Some(login) if self.may_open() || login.is_old() => login.renew(pool).await,
            _ => Ok(()),
        };
        match (pool.acquire().await, renewed) {
            (acquired, Ok(())) => acquired.map(|connection| turn.with(connection)).during(operation),
            (Err(_), Err(why)) => Err(Error::Login { operation, why }),
            (Ok(connection), Err(_)) => Ok(turn.with(connection)),
        }
    }

    fn may_open(&self) -> bool {
        self.pool.pool.num_idle() == 0 && self.pool.pool.size() < CONNECTIONS
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Login {
    fn is_old(&self) -> bool {
        let asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        asked_at.elapsed() > PASSWORD_KEPT
    }

    /// Gives the pool the password for the connections that it opens from now on.
    async fn renew(&self, pool: &PgPool) -> Result<(), NoPassword> {
        // Written first: while the source hangs, other operations go on with open connections.
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let password = self.passwords.password().await.inspect_err(|why| self.log(why))?;
        pool.set_connect_options(self.options.clone().password(password.secret.expose_secret()));
        Ok(())
    }

    /// Logs a failure of the source, at most once a minute: open connections hide it until they end.
    fn log(&self, why: &NoPassword) {
        let mut logged_at = self.logged_at.lock().unwrap_or_else(PoisonError::into_inner);
        if logged_at.is_none_or(|at| at.elapsed() > PASSWORD_KEPT) {
            *logged_at = Some(Instant::now());
            let error = why as &dyn std::error::Error;
            tracing::warn!(error, "failed to renew the password of the database");
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use holdfast_model::Password;

    use super::*;

    #[derive(Debug)]
    struct Numbered(Mutex<u32>);

    #[async_trait]
    impl PasswordSource for Numbered {
        async fn password(&self) -> Result<Password, NoPassword> {
            let mut number = self.0.lock().unwrap();
            *number += 1;
            Ok(Password { secret: format!("token-{number}").into(), valid_for: Duration::from_hours(1) })
        }

        fn credential(&self) -> &'static str {
            "managed_identity"
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_pool_is_given_a_newer_password_after_a_minute_although_no_connection_is_needed() {
        let connections = Connections::new(PgConnectOptions::new(), Some(Arc::new(Numbered(Mutex::new(0)))));
        let login = connections.login.as_ref().unwrap();
        for number in 1..3 {
            assert!(!login.is_old());
            tokio::time::advance(PASSWORD_KEPT + Duration::from_secs(1)).await;
            assert!(login.is_old());
            login.renew(&connections.pool.pool).await.unwrap();
            let options = format!("{:?}", connections.pool.pool.connect_options());
            assert!(options.contains(&format!("token-{number}")));
        }
    }
}
