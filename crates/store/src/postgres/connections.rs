//! The pool of connections. Each one is opened with the password that is valid then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{NoPassword, PasswordSource};
use secrecy::ExposeSecret;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, Postgres};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::postgres::driver::During;

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
    pool: PgPool,
    login: Option<Login>,
}

/// A login whose password changes.
struct Login {
    /// The options of the pool, without the password.
    options: PgConnectOptions,
    passwords: Arc<dyn PasswordSource>,
    asked_at: Mutex<Instant>,
}

impl Connections {
    /// A pool that opens its first connection when one is needed. `options` has the password that is valid now.
    pub fn new(options: PgConnectOptions, passwords: Option<Arc<dyn PasswordSource>>) -> Self {
        let login = passwords.map(|passwords| {
            let asked_at = Mutex::new(Instant::now());
            Login { options: options.clone().password(""), passwords, asked_at }
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
        Self { pool, login }
    }

    /// A connection for an operation. Without a new password, one that is open serves, and the last password is tried.
    pub async fn acquire(&self, operation: &'static str) -> Result<PoolConnection<Postgres>> {
        let renewed = match &self.login {
            Some(login) if self.may_open() || login.is_old() => login.renew(&self.pool).await,
            _ => Ok(()),
        };
        match (self.pool.acquire().await, renewed) {
            (acquired, Ok(())) => acquired.during(operation),
            (Err(_), Err(why)) => Err(Error::Login { operation, why }),
            (Ok(connection), Err(why)) => {
                let error = &why as &dyn std::error::Error;
                tracing::warn!(error, "failed to renew the password of the database");
                Ok(connection)
            }
        }
    }

    fn may_open(&self) -> bool {
        self.pool.num_idle() == 0 && self.pool.size() < CONNECTIONS
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
        let password = self.passwords.password().await?;
        pool.set_connect_options(self.options.clone().password(password.secret.expose_secret()));
        Ok(())
    }
}
