//! `holdfast dead`: messages that the broker or a worker refused.

use anyhow::Context as _;
use holdfast_model::Timestamp;
use holdfast_queue::{Config, DeadLetter, DeadLetterSelection, DeadLetters};
use serde::Serialize;

use crate::args::{DeadCommand, PickArgs};
use crate::context::{Context, secret_url};
use crate::exit::Exit;
use crate::output::{Table, age};
use holdfast_control::{Error, ErrorKind};

/// Letters shown at most.
const MOST: usize = 1_000;

/// One letter, for programs.
#[derive(Debug, Serialize)]
struct Letter {
    id: String,
    reason: String,
    queue: String,
    since: Option<Timestamp>,
    run_id: Option<holdfast_model::RunId>,
    version: Option<i64>,
    /// Why the message says nothing, where it does not.
    unreadable: Option<String>,
    size: usize,
}

/// Runs the command.
pub async fn run(command: &DeadCommand, context: &Context) -> anyhow::Result<Exit> {
    let letters = open(context).await?;
    let done = match command {
        DeadCommand::List => list(&letters, context).await,
        DeadCommand::Show { id } => show(&letters, id, context).await,
        DeadCommand::Retry(pick) => {
            let count = letters.retry(&which(pick)?).await?;
            told(count, "sent again", context)
        }
        DeadCommand::Drop(pick) => {
            let count = letters.drop(&which(pick)?).await?;
            told(count, "forgotten", context)
        }
    };
    letters.close().await;
    done
}

async fn open(context: &Context) -> anyhow::Result<DeadLetters> {
    let Some(url) = &context.global.amqp_url else {
        let failure = Error::new(ErrorKind::Invalid, "only a broker keeps dead letters, and none is named");
        return Err(failure.help("give --amqp-url").into());
    };
    let config = Config::new(secret_url(url)?);
    DeadLetters::open(config).await.context("failed to use the broker")
}

async fn list(letters: &DeadLetters, context: &Context) -> anyhow::Result<Exit> {
    let found: Vec<Letter> = letters.list(MOST).await?.iter().map(letter).collect();
    if context.out.is_json() {
        context.out.json(&found)?;
    } else if found.is_empty() {
        context.out.text("no dead letters")?;
    } else {
        context.out.table(table(&found, context))?;
    }
    Ok(Exit::Done)
}

fn table(letters: &[Letter], context: &Context) -> Table {
    let now = context.clock.now();
    let mut table = Table::new(["ID", "REASON", "SINCE", "QUEUE", "SAYS"]);
    for letter in letters {
        let says = match (&letter.run_id, &letter.unreadable) {
            (Some(run), _) => format!("run {run}"),
            (None, why) => why.clone().unwrap_or_default(),
        };
        let since = letter.since.map_or_else(|| "-".to_owned(), |since| age(since, now));
        table.row([
            letter.id.as_str().into(),
            letter.reason.as_str().into(),
            since.into(),
            letter.queue.as_str().into(),
            says.into(),
        ]);
    }
    table
}

async fn show(letters: &DeadLetters, id: &str, context: &Context) -> anyhow::Result<Exit> {
    let Some(found) = letters.show(id).await? else {
        let failure = Error::new(ErrorKind::Invalid, format!("there is no dead letter {id}"));
        return Err(failure.help("`holdfast dead list` lists them").into());
    };
    let body = String::from_utf8_lossy(&found.body).into_owned();
    if context.out.is_json() {
        context.out.json(&serde_json::json!({ "letter": letter(&found), "body": body }))?;
    } else {
        context.out.table(table(&[letter(&found)], context))?;
        context.out.text(&format!("\n{}", body.escape_debug()))?;
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

fn which(pick: &PickArgs) -> Result<DeadLetterSelection, Error> {
    match (&pick.id, pick.all) {
        (Some(id), false) => Ok(DeadLetterSelection::One(id.clone())),
        (None, true) => Ok(DeadLetterSelection::All),
        _ => Err(Error::new(ErrorKind::Invalid, "expected one letter's id, or --all")),
    }
}

fn told(count: usize, what: &str, context: &Context) -> anyhow::Result<Exit> {
    if context.out.is_json() {
        context.out.json(&serde_json::json!({ "letters": count }))?;
    } else {
        context.out.text(&format!("{count} dead letters {what}"))?;
    }
    Ok(Exit::Done)
}
