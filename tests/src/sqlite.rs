//! Direct access to an SQLite store, with nothing of the program between.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error};

/// Executes SQL on a store's file.
pub async fn execute(file: &Path, sql: &str) -> Result<(), Error> {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

/// The error of a connection that breaks while it is in use.
pub fn broken_connection() -> Error {
    Error::Io(std::io::ErrorKind::BrokenPipe.into())
}
