//! `holdfast notify`: tries channels, shows notifications, and silences them.

use holdfast_config::Secrets;
use holdfast_control::{age, app_names, until};
use holdfast_model::{AppId, RunId, Timestamp};
use holdfast_notify::{
    Look, Notice, PreviewRow, Silence, SilenceRequest, Wording, channel_named, end_silence, preview,
    send_test, silence, silences,
};
use holdfast_runtime::notifications::sender;
use holdfast_store::{KEPT_FOR, Mode, Notification, Store};
use serde_json::json;

use crate::args::{NotifyCommand, SilenceArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;

/// Runs the command.
pub async fn run(command: &NotifyCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        NotifyCommand::Test { channel } => return test(channel, context).await,
        NotifyCommand::Preview => {
            let rules = context.fleet_with(Secrets::Leave)?.notifications.rules;
            let rows = preview(&rules, &Look::default(), context.clock.now());
            context.out.show(&rows, || preview_table(&rows).into())?;
        }
        NotifyCommand::List { limit } => {
            let store = context.store(Mode::Read).await?;
            let now = store.now().await?;
            let sent = store.notifications().list(now - 2 * KEPT_FOR, *limit).await?;
            context.out.show(&sent, || list_table(&sent, now).into())?;
            store.close().await;
        }
        NotifyCommand::Silences => {
            let store = context.store(Mode::Read).await?;
            let (found, now) = (silences(&*store).await?, store.now().await?);
            context.out.show(&found, || silence_table(&found, now).into())?;
            store.close().await;
        }
        NotifyCommand::Silence(args) => begin(args, context).await?,
        NotifyCommand::Unsilence { silence, reason } => end(*silence, reason, context).await?,
    }
    Ok(Exit::Done)
}

async fn test(channel: &str, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let found = channel_named(&fleet.notifications, channel)?;
    let sender = sender(&fleet, found, &context.clock, Look::default())?;
    send_test(&sender, channel, context.clock.now()).await?;
    let document = json!({ "channel": channel, "sent": true });
    context.out.show(&document, || format!("{channel} accepted a test").into())?;
    Ok(Exit::Done)
}

async fn begin(args: &SilenceArgs, context: &Context) -> anyhow::Result<()> {
    let store = context.store(Mode::Join).await?;
    let SilenceArgs { rule, policy, app, tags, span, reason } = args.clone();
    let app = match &app {
        Some(name) => Some(app_named(&*store, name).await?),
        None => None,
    };
    let request = SilenceRequest { rule, policy, app, tags, lasts: span, reason, actor: context.actor() };
    let id = silence(&*store, request, &mut context.rng()).await?;
    context.out.show(&json!({ "silence": id }), || id.to_string().into())?;
    store.close().await;
    Ok(())
}

async fn app_named(store: &dyn Store, name: &str) -> anyhow::Result<holdfast_model::AppId> {
    let apps: Vec<_> = store.status().await?.into_iter().map(|status| status.app).collect();
    Ok(app_names::app(&apps, name)?)
}

async fn end(id: RunId, reason: &str, context: &Context) -> anyhow::Result<()> {
    let store = context.store(Mode::Join).await?;
    let ended = end_silence(&*store, id, (reason, context.actor()), &mut context.rng()).await?;
    context.out.show(&ended, || format!("silence {id} is over").into())?;
    store.close().await;
    Ok(())
}

fn preview_table(rows: &[PreviewRow]) -> Table {
    let mut table = Table::new(["RULE", "ON", "CHANNELS", "TITLE"]);
    for row in rows {
        table.row([
            row.rule.as_str().into(),
            row.on.as_str().into(),
            row.channels.join(", ").into(),
            row.title.as_str().into(),
        ]);
    }
    table
}

fn list_table(sent: &[Notification], now: Timestamp) -> Table {
    let mut table = Table::new(["CREATED", "CHANNEL", "STATE", "TRIES", "TITLE", "ERROR"]);
    for one in sent {
        let notice = serde_json::from_str::<Notice>(&one.content).ok();
        let title = notice.map(|notice| Wording::of(&notice, &Look::default()).title).unwrap_or_default();
        table.row([
            age(one.created_at, now).into(),
            one.channel.as_str().into(),
            one.state.to_string().into(),
            one.attempts.to_string().into(),
            title.into(),
            one.error.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

fn silence_table(silences: &[Silence], now: Timestamp) -> Table {
    let all = || "all".to_owned();
    let tags = |silence: &Silence| match &silence.tags[..] {
        [] => all(),
        tags => tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut table = Table::new(["SILENCE", "RULE", "POLICY", "APP", "TAGS", "ENDS", "BY", "REASON"]);
    for silence in silences {
        table.row([
            silence.id.to_string().into(),
            silence.rule.clone().unwrap_or_else(all).into(),
            silence.policy.as_ref().map_or_else(all, ToString::to_string).into(),
            silence.app.as_ref().map_or_else(all, AppId::short_name).into(),
            tags(silence).into(),
            until(silence.until, now).into(),
            silence.by.as_str().into(),
            silence.reason.as_str().into(),
        ]);
    }
    table
}
