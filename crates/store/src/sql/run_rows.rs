//! Rows of runs with the columns that follow from their state.

use holdfast_model::{BackupFacts, Cause, Outcome, PolicyName, Run, RunId};

use crate::columns::{Ending, word};
use crate::error::{Error, Result};
use crate::run_rows::{RunPage, RunRow};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::run::without_nul;
use crate::sql::session::Session;

pub(super) const READ: &str = "read the rows of runs";

impl FromRow for RunRow {
    const KEY: &'static [&'static str] = Run::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        let run = Run::read(row)?;
        let Ending { outcome, cause, backup, verification } = Ending::of(&run.state);
        let texts: [(&'static str, Option<String>); 9] = [
            ("kind", Some(run.task.kind().as_str().to_owned())),
            ("subject", run.task.subject()),
            ("subscription", Some(run.app.subscription().as_str().to_owned())),
            ("state", Some(run.state.code().as_str().to_owned())),
            ("outcome", outcome.map(Outcome::as_str).map(str::to_owned)),
            ("cause", cause.map(Cause::as_str).map(str::to_owned)),
            ("backup_blob", backup.map(|backup| without_nul(&backup.blob))),
            ("verification", verification.as_ref().map(word)),
            ("storage", Some(run.policy_snapshot.storage.as_str().to_owned())),
        ];
        let numbers: [(&'static str, Option<i64>); 2] = [
            ("backup_id", backup.map(|backup: &BackupFacts| backup.id.0)),
            ("size_bytes", backup.map(|backup| backup.size_bytes)),
        ];
        let mut odd_columns = Vec::new();
        for (name, expected) in texts {
            if row.maybe_text(name)? != expected {
                odd_columns.push(name);
            }
        }
        for (name, expected) in numbers {
            if row.maybe_int(name)? != expected {
                odd_columns.push(name);
            }
        }
        if row.maybe_text("policy")?.map(PolicyName::new) != run.policy {
            odd_columns.push("policy");
        }
        // Without its row there, a run waits for ever.
        let place = (run.ended_at.is_none()).then_some(run.version);
        if row.maybe_int("place_version")? != place {
            odd_columns.push("unfinished_runs.version");
        }
        Ok(Self { run, odd_columns })
    }
}

pub(super) async fn page(session: &mut impl Session, after: Option<RunId>, most: u32) -> Result<RunPage> {
    const FIRST: &str = "/* check */ SELECT runs.*, place.version AS place_version
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id ORDER BY runs.id LIMIT $1";
    const NEXT: &str = "/* check */ SELECT runs.*, place.version AS place_version
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id WHERE runs.id > $2 ORDER BY runs.id LIMIT $1";
    let (statement, args) = match after {
        None => (FIRST, vec![Arg::most(most)]),
        Some(after) => (NEXT, vec![Arg::most(most), Arg::Id(after)]),
    };
    let mut page = RunPage::default();
    for row in session.fetch_each::<RunRow>(statement, args).await? {
        match row {
            Ok(row) => {
                page.last = Some(row.run.id);
                page.rows.push(row);
            }
            Err(Error::Unreadable { row, .. }) => {
                page.last = row.key_text().parse().ok().or(page.last);
                session.unreadable_log().warn(&row);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

pub(super) async fn of<S: Session>(session: &mut S, ids: &[RunId]) -> Result<Vec<RunRow>> {
    fetch_readable(session, S::DIALECT.read_run_rows, vec![Arg::json(ids)]).await
}
