//! `holdfast schedule preview`: when apps are due next.

use std::time::Duration;

use chrono::{Offset, TimeZone as _};
use chrono_tz::Tz;
use holdfast_model::schedule::spread_offset;
use holdfast_model::{AppId, Policy, PolicyName, Timestamp};
use holdfast_store::Mode;
use serde::Serialize;

use crate::args::PreviewArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, until};
use holdfast_config::{Fleet, Secrets, nearest};
use holdfast_control::app_names;
use holdfast_control::{Error, ErrorKind};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    from: Timestamp,
    schedules: Vec<Preview>,
}

/// The times of a policy, or of one of its apps.
#[derive(Debug, Serialize)]
struct Preview {
    policy: PolicyName,
    /// `null` for the policy itself.
    app: Option<AppId>,
    timezone: &'static str,
    /// The app's place inside the spread; for a policy the whole spread.
    spread_seconds: u64,
    ticks: Vec<Tick>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Tick {
    at: Timestamp,
    /// In the policy's zone, with its distance from UTC then.
    local: String,
    /// Whether the zone's clocks were changed since the tick before.
    clocks_changed: bool,
}

/// Runs the command.
pub async fn run(args: &PreviewArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let from = args.from.unwrap_or_else(|| context.clock.now());
    let schedules = match &args.app {
        Some(app) => vec![of_app(app, &fleet, context, (from, args.count)).await?],
        None => of_policies(args.policy.as_deref(), &fleet, (from, args.count))?,
    };
    let document = Document { from, schedules };
    if context.out.is_json() {
        context.out.json(&document)?;
    } else if document.schedules.is_empty() {
        context.out.text("the fleet has no policies")?;
    } else {
        context.out.table(table(&document))?;
    }
    Ok(Exit::Done)
}

async fn of_app(
    text: &str,
    fleet: &Fleet,
    context: &Context,
    span: (Timestamp, u32),
) -> anyhow::Result<Preview> {
    let mut apps: Vec<(AppId, Option<PolicyName>)> =
        fleet.apps.iter().map(|app| (app.id.clone(), app.policy.clone())).collect();
    // Apps that were discovered stand in the store alone; before the first run there is none.
    if let Ok(store) = context.store(Mode::Read).await {
        let known = store.status().await?.into_iter().filter(|status| !status.removed);
        let known: Vec<_> = known.filter(|status| !apps.iter().any(|(app, _)| *app == status.app)).collect();
        apps.extend(known.into_iter().map(|status| (status.app, status.policy)));
        store.close().await;
    }
    let ids: Vec<AppId> = apps.iter().map(|(app, _)| app.clone()).collect();
    let app = app_names::app(&ids, text)?;
    let policy = apps.into_iter().find(|(id, _)| *id == app).and_then(|(_, policy)| policy);
    let policy = policy.and_then(|name| fleet.policies.get(&name));
    let Some(policy) = policy else {
        let failure = Error::new(ErrorKind::Invalid, format!("{} is in no policy", app.short_name()));
        return Err(failure.help("give it one in the fleet file").into());
    };
    Ok(preview(policy, Some(app), span))
}

fn of_policies(only: Option<&str>, fleet: &Fleet, span: (Timestamp, u32)) -> anyhow::Result<Vec<Preview>> {
    let names = || fleet.policies.keys().map(PolicyName::as_str);
    if let Some(name) = only.filter(|only| !names().any(|name| name == *only)) {
        return Err(no_policy(name, fleet).into());
    }
    let chosen =
        fleet.policies.values().filter(|policy| only.is_none_or(|only| only == policy.name.as_str()));
    Ok(chosen.map(|policy| preview(policy, None, span)).collect())
}

/// The fleet file has no policy of this name.
pub fn no_policy(name: &str, fleet: &Fleet) -> Error {
    let names = || fleet.policies.keys().map(PolicyName::as_str);
    let help = nearest(name, names()).map_or_else(
        || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Error::new(ErrorKind::Invalid, format!("no policy is called `{name}`")).help(help)
}

fn preview(policy: &Policy, app: Option<AppId>, (from, count): (Timestamp, u32)) -> Preview {
    let schedule = &policy.schedule;
    let next = |after: Timestamp| match &app {
        Some(app) => schedule.next_tick(app, after),
        None => schedule.crontab.next_after(after, schedule.timezone),
    };
    let times =
        std::iter::successors(next(from), |after| next(*after)).take(usize::try_from(count).unwrap_or(0));
    let spread = app.as_ref().map_or(schedule.spread, |app| spread_offset(app, schedule.spread));
    Preview {
        policy: policy.name.clone(),
        ticks: ticks(times, schedule.timezone, from),
        app,
        timezone: schedule.timezone.name(),
        spread_seconds: spread.as_secs(),
    }
}

fn ticks(times: impl Iterator<Item = Timestamp>, zone: Tz, from: Timestamp) -> Vec<Tick> {
    let offset = |at: Timestamp| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let mut before = offset(from);
    let mut tick = |at: Timestamp| {
        let now = offset(at);
        let clocks_changed = std::mem::replace(&mut before, now) != now;
        let local = at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %:z").to_string();
        Tick { at, local, clocks_changed }
    };
    times.map(&mut tick).collect()
}

fn table(document: &Document) -> Table {
    let mut table = Table::new(["POLICY", "APP", "LOCAL", "ZONE", "UTC", "DUE", "NOTE"]);
    for preview in &document.schedules {
        let app = preview.app.as_ref().map_or_else(|| "-".to_owned(), AppId::short_name);
        let spread = Duration::from_secs(preview.spread_seconds);
        for tick in &preview.ticks {
            let mut notes = Vec::new();
            if !spread.is_zero() {
                let spread = humantime::format_duration(spread);
                let note = if preview.app.is_some() {
                    format!("{spread} into the spread")
                } else {
                    format!("apps spread over {spread}")
                };
                notes.push(note);
            }
            if tick.clocks_changed {
                notes.push("the clocks have changed".to_owned());
            }
            let utc = tick.at.format("%Y-%m-%d %H:%M:%S").to_string();
            let due = until(tick.at, document.from);
            let policy = preview.policy.as_str();
            let row =
                [policy.into(), app.as_str().into(), tick.local.as_str().into(), preview.timezone.into()];
            table.row(row.into_iter().chain([utc.into(), due.into(), notes.join("; ").into()]));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    #[test]
    fn a_change_of_the_clocks_is_marked_at_the_first_tick_after_it() {
        let times = ["2027-03-27T01:00:00Z", "2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z"];
        let times: Vec<Timestamp> = times.iter().map(|time| parse_timestamp(time).unwrap()).collect();
        let ticks = ticks(times.clone().into_iter(), Tz::Europe__Paris, times[0] - Duration::from_secs(1));
        let marks: Vec<_> = ticks.iter().map(|tick| (tick.local.as_str(), tick.clocks_changed)).collect();
        assert_eq!(
            marks,
            [
                ("2027-03-27 02:00:00 +01:00", false),
                ("2027-03-28 01:00:00 +01:00", false),
                ("2027-03-29 02:00:00 +02:00", true)
            ]
        );
    }
}
