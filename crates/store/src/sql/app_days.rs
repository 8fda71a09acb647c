//! The daily roll-up of backup runs.

use holdfast_model::{AppId, Run};

use crate::app_days::{AppDay, Day};
use crate::error::Result;
use crate::rules::app_days::added;
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::session::Session;

pub(super) const READ: &str = "read the days of apps";

/// Adds what the backup runs among `written` add, in one statement; in none where no backup run has ended.
pub(super) async fn add<'a, S: Session>(
    session: &mut S,
    written: impl IntoIterator<Item = &'a Run>,
) -> Result<()> {
    let days = added(written);
    if days.is_empty() {
        return Ok(());
    }
    session.execute(S::DIALECT.add_app_days, vec![Arg::json(&days)]).await.map(drop)
}

/// The days from `since` on, by app and day.
pub(super) async fn list<S: Session>(
    session: &mut S,
    since: Day,
    app: Option<&AppId>,
) -> Result<Vec<AppDay>> {
    let since = Arg::text(&since);
    let mut days: Vec<AppDay> = match app {
        None => fetch_readable(session, S::DIALECT.app_days, vec![since]).await?,
        Some(app) => fetch_readable(session, S::DIALECT.app_days_of, vec![since, Arg::text(app)]).await?,
    };
    days.sort_by(|a, b| (&a.app, a.day).cmp(&(&b.app, b.day)));
    Ok(days)
}
