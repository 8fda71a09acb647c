//! Reading rows of which some may be unreadable.

use crate::error::{Error, Result};
use crate::sql::arg::Arg;
use crate::sql::row::FromRow;
use crate::sql::session::Session;
use crate::unreadable::UnreadableRow;

/// The rows of a statement.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    /// Those that can be read, in their order.
    pub rows: Vec<T>,
    /// The others, which are logged.
    pub unreadable: Vec<UnreadableRow>,
}

/// Runs a statement, and separates the rows that cannot be read.
pub(crate) async fn fetch_each<T: FromRow>(
    session: &mut impl Session,
    sql: &'static str,
    args: Vec<Arg>,
) -> Result<Fetched<T>> {
    let mut fetched = Fetched { rows: Vec::new(), unreadable: Vec::new() };
    for row in session.fetch_each(sql, args).await? {
        match row {
            Ok(row) => fetched.rows.push(row),
            Err(Error::Unreadable { row, .. }) => {
                session.unreadable_log().warn(&row);
                fetched.unreadable.push(row);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(fetched)
}

/// Runs a statement, and leaves out the rows that cannot be read.
pub(crate) async fn fetch_readable<T: FromRow>(
    session: &mut impl Session,
    sql: &'static str,
    args: Vec<Arg>,
) -> Result<Vec<T>> {
    Ok(fetch_each(session, sql, args).await?.rows)
}

/// Reads at most `most` rows that can be read; 0 for all. `args` has the statement's arguments for a limit.
///
/// Unreadable rows do not count: the statement is repeated with a greater limit until enough others are found.
pub(crate) async fn fetch_most<T: FromRow>(
    session: &mut impl Session,
    sql: &'static str,
    most: u32,
    args: impl Fn(Arg) -> Vec<Arg>,
) -> Result<Vec<T>> {
    let wanted = if most == 0 { usize::MAX } else { most as usize };
    let mut limit = most;
    loop {
        let Fetched { mut rows, unreadable } = fetch_each(session, sql, args(Arg::most(limit))).await?;
        let is_all = limit == 0 || rows.len() + unreadable.len() < limit as usize;
        if is_all || rows.len() >= wanted {
            rows.truncate(wanted);
            return Ok(rows);
        }
        limit = limit.saturating_add(u32::try_from(unreadable.len()).unwrap_or(u32::MAX)).saturating_mul(2);
    }
}
