//! Notifications: the notifier's place, and what is to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::{AppId, NewRun, Tags, Timestamp};

use crate::columns::{later, stamp, word};
use crate::error::Result;
use crate::notifications::{
    Delivery, KEPT_FOR, NewNotification, Notification, NotificationState, NotifierAdvance, NotifierPlace,
};
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::lock::lock_cursors;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::run::without_nul;
use crate::sql::session::{Session, fetch_optional};

pub(super) const PLACE: &str = "read the notifier's place";
pub(super) const ADVANCE: &str = "move the notifier's place";
pub(super) const LEASE: &str = "lease notifications";
pub(super) const SETTLE: &str = "settle a notification";
pub(super) const APP_TAGS: &str = "read the tags of apps";
pub(super) const READ: &str = "read the notifications";

impl FromRow for NotifierPlace {
    const TABLE: &'static str = "notifier";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { version: row.int("version")?, through: row.int("through")?, state: row.text("state")? })
    }
}

impl FromRow for Notification {
    const TABLE: &'static str = "notifications";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.text("id")?,
            channel: row.text("channel")?,
            incident: row.text("incident")?,
            number: row.count("number")?,
            content: row.text("content")?,
            state: row.word("state")?,
            attempts: row.count("attempts")?,
            created_at: row.time("created_at")?,
            due_at: row.time("due_at")?,
            ended_at: row.maybe_time("ended_at")?,
            error: row.maybe_text("error")?,
        })
    }
}

pub(super) async fn place(session: &mut impl Session) -> Result<Option<NotifierPlace>> {
    fetch_optional(session, "/* notifier */ SELECT * FROM notifier WHERE id = 1", Vec::new()).await
}

/// Moves the place, unless another process has; then adds the notifications.
pub(super) async fn advance(session: &mut impl Session, advance: &NotifierAdvance) -> Result<bool> {
    let now = session.now().await?;
    let NotifierAdvance { from, through, state, notifications } = advance;
    let first = "/* begin_notifier */ INSERT INTO notifier (id, version, through, state) VALUES (1, 1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET version = notifier.version + 1, through = excluded.through, state = excluded.state
        WHERE notifier.version = $1";
    let next = "/* advance_notifier */ UPDATE notifier SET version = version + 1, through = $2, state = $3
        WHERE id = 1 AND version = $1";
    let write = if *from == 0 { first } else { next };
    let args = vec![Arg::Int(*from), Arg::Int(*through), Arg::text(state)];
    if session.execute(write, args).await? == 0 {
        return Ok(false);
    }
    for new in notifications {
        add(session, new, now).await?;
    }
    let prune = "/* prune_notifications */ DELETE FROM notifications WHERE ended_at < $1";
    session.execute(prune, vec![Arg::Time(stamp(now - KEPT_FOR))]).await?;
    Ok(true)
}

async fn add(session: &mut impl Session, new: &NewNotification, now: Timestamp) -> Result<()> {
    let add = "/* add_notification */ INSERT INTO notifications
            (id, channel, incident, number, content, state, attempts, created_at, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7) ON CONFLICT (id) DO NOTHING";
    let args = vec![
        Arg::text(&new.id),
        Arg::text(&new.channel),
        Arg::text(&new.incident),
        Arg::Int(i64::from(new.number)),
        Arg::text(&new.content),
        Arg::Text(word(&NotificationState::Pending)),
        Arg::Time(now),
    ];
    session.execute(add, args).await?;
    Ok(())
}

/// Leases due notifications. One process at a time leases, so that no two lease the same.
pub(super) async fn lease(
    session: &mut impl Session,
    (channel, most): (&str, u32),
    lasts: Duration,
) -> Result<Vec<Notification>> {
    session.lock(vec![format!("holdfast.notifications.{channel}")]).await?;
    let now = session.now().await?;
    let due = "/* due_notifications */ SELECT * FROM notifications
        WHERE state = 'pending' AND channel = $1 AND due_at <= $2
          AND NOT EXISTS (SELECT 1 FROM notifications AS earlier
              WHERE earlier.state = 'pending' AND earlier.channel = $1
                AND earlier.incident = notifications.incident AND earlier.number < notifications.number)
        ORDER BY due_at, id LIMIT $3";
    let args = vec![Arg::text(channel), Arg::Time(now), Arg::Int(i64::from(most))];
    let mut leased: Vec<Notification> = fetch_readable(session, due, args).await?;
    let lease = "/* lease_notification */ UPDATE notifications SET due_at = $2, attempts = attempts + 1
        WHERE id = $1 AND state = 'pending'";
    for one in &mut leased {
        (one.due_at, one.attempts) = (later(now, lasts), one.attempts + 1);
        session.execute(lease, vec![Arg::text(&one.id), Arg::Time(one.due_at)]).await?;
    }
    Ok(leased)
}

pub(super) async fn settle(
    session: &mut impl Session,
    (id, delivery): (&str, &Delivery),
    record: Option<&NewRun>,
) -> Result<bool> {
    if record.is_some() {
        lock_cursors(session).await?;
    }
    let now = session.now().await?;
    let find = "/* notification */ SELECT * FROM notifications WHERE id = $1";
    let found: Option<Notification> = fetch_optional(session, find, vec![Arg::text(id)]).await?;
    let Some(found) = found else { return Ok(false) };
    let settled = found.settled(delivery, now);
    let write = "/* settle_notification */ UPDATE notifications
        SET state = $2, due_at = $3, ended_at = $4, error = $5 WHERE id = $1 AND state = 'pending'";
    let args = vec![
        Arg::text(id),
        Arg::Text(word(&settled.state)),
        Arg::Time(settled.due_at),
        Arg::MaybeTime(settled.ended_at),
        Arg::MaybeText(settled.error.as_deref().map(without_nul)),
    ];
    if session.execute(write, args).await? == 0 {
        return Ok(false);
    }
    if let Some(record) = record {
        insert(session, &[record], now).await?;
    }
    Ok(true)
}

struct TagsRow {
    app: AppId,
    tags: Tags,
}

impl FromRow for TagsRow {
    const TABLE: &'static str = "apps";
    const KEY: &'static [&'static str] = &["app"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { app: row.parse("app")?, tags: row.json("tags")? })
    }
}

pub(super) async fn app_tags<S: Session>(
    session: &mut S,
    apps: &BTreeSet<AppId>,
) -> Result<BTreeMap<AppId, Tags>> {
    let apps: Vec<&AppId> = apps.iter().collect();
    let rows: Vec<TagsRow> = fetch_readable(session, S::DIALECT.app_tags, vec![Arg::json(&apps)]).await?;
    Ok(rows.into_iter().map(|TagsRow { app, tags }| (app, tags)).collect())
}

pub(super) async fn list(
    session: &mut impl Session,
    since: Timestamp,
    most: u32,
) -> Result<Vec<Notification>> {
    let list = "/* notifications */ SELECT * FROM notifications WHERE created_at > $1
        ORDER BY created_at DESC, id DESC LIMIT $2";
    fetch_readable(session, list, vec![Arg::Time(stamp(since)), Arg::Int(i64::from(most))]).await
}
