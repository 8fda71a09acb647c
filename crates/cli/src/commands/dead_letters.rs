//! `holdfast dead-letters`: messages that the broker or a worker refused.

use anyhow::Context as _;
use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::{RunId, Timestamp};
use holdfast_queue::{DeadLetter, DeadLetterSelection, DeadLetters};
use serde::Serialize;

use crate::args::{DeadLetterArgs, DeadLettersCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age};

/// Greatest number of letters listed.
const MOST: usize = 1_000;

/// One dead letter, as a document.
#[derive(Debug, Serialize)]
struct Letter {
    id: String,
    reason: String,
    queue: String,
    since: Option<Timestamp>,
    run_id: Option<RunId>,
    version: Option<i64>,
    /// Why the message cannot be read, where it cannot.
    unreadable: Option<String>,
    size: usize,
}

/// Runs the command.
pub async fn run(command: &DeadLettersCommand, context: &Context) -> anyhow::Result<Exit> {
    let letters = open(context).await?;
    let done = match command {
        DeadLettersCommand::List => list(&letters, context).await,
        DeadLettersCommand::Show { id } => show(&letters, id, context).await,
        DeadLettersCommand::Retry(args) => {
            let count = letters.retry(&selection(args)?).await?;
            show_count(count, "sent again", context)
        }
        DeadLettersCommand::Drop(args) => {
            let count = letters.drop(&selection(args)?).await?;
            show_count(count, "removed", context)
        }
    };
    letters.close().await;
    done
}

async fn open(context: &Context) -> anyhow::Result<DeadLetters> {
    let Some(config) = context.broker()? else {
        let failure =
            Error::new(ErrorKind::Invalid, "only a broker keeps dead letters, and no broker is named");
        return Err(failure.help("give --amqp-url").into());
    };
    DeadLetters::open(config).await.context("failed to use the broker")
}

async fn list(letters: &DeadLetters, context: &Context) -> anyhow::Result<Exit> {
    let found: Vec<Letter> = letters.list(MOST).await?.iter().map(letter).collect();
    context.out.show(&found, || {
        if found.is_empty() { "no dead letters".into() } else { table(&found, context).into() }
    })?;
    Ok(Exit::Done)
}

fn table(letters: &[Letter], context: &Context) -> Table {
    let now = context.clock.now();
    let mut table = Table::new(["ID", "REASON", "SINCE", "QUEUE", "MESSAGE"]);
    for letter in letters {
        let message = match (&letter.run_id, &letter.unreadable) {
            (Some(run), _) => format!("run {run}"),
            (None, why) => why.clone().unwrap_or_default(),
        };
        table.row([
            letter.id.as_str().into(),
            letter.reason.as_str().into(),
            Cell::or_dash(letter.since.map(|since| age(since, now))),
            letter.queue.as_str().into(),
            message.into(),
        ]);
    }
    table
}

async fn show(letters: &DeadLetters, id: &str, context: &Context) -> anyhow::Result<Exit> {
    let Some(found) = letters.show(id).await? else {
        let failure = Error::new(ErrorKind::NotFound, format!("there is no dead letter {id}"));
        return Err(failure.help("`holdfast dead-letters list` lists them").into());
    };
    let body = String::from_utf8_lossy(&found.body).into_owned();
    if context.out.is_document() {
        context.out.document(&serde_json::json!({ "letter": letter(&found), "body": body }))?;
    } else {
        context.out.table(table(&[letter(&found)], context))?;
        let more = found.size.saturating_sub(found.body.len());
        let more = if more > 0 { format!("\n… and {more} bytes more") } else { String::new() };
        context.out.text(&format!("\n{}{more}", body.escape_debug()))?;
    }
    Ok(Exit::Done)
}

fn letter(found: &DeadLetter) -> Letter {
    let wakeup = found.wakeup.as_ref();
    Letter {
        id: found.id.clone(),
        reason: found.reason.clone(),
        queue: found.queue.clone(),
        since: found.since,
        run_id: wakeup.ok().map(|wakeup| wakeup.run_id),
        version: wakeup.ok().map(|wakeup| wakeup.version),
        unreadable: wakeup.err().map(ToString::to_string),
        size: found.size,
    }
}

fn selection(args: &DeadLetterArgs) -> Result<DeadLetterSelection, Error> {
    match (&args.id, args.all) {
        (Some(id), false) => Ok(DeadLetterSelection::One(id.clone())),
        (None, true) => Ok(DeadLetterSelection::All),
        _ => Err(Error::new(ErrorKind::Invalid, "expected one letter's id, or --all")),
    }
}

fn show_count(count: usize, what: &str, context: &Context) -> anyhow::Result<Exit> {
    let letters = counted(count, "dead letter");
    context.out.show(&serde_json::json!({ "letters": count }), || format!("{letters} {what}").into())?;
    Ok(Exit::Done)
}
