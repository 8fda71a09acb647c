//! `holdfast dead-letters`: messages that the broker or a worker refused.

use std::sync::Arc;

use holdfast_client::Server;
use holdfast_control::dead_letters::{
    DeadLetterBox, LetterView, Settlement, ShownLetter, no_broker, settle, show,
};
use holdfast_control::{Error, counted};
use holdfast_store::Mode;

use crate::args::{DeadLetterArgs, DeadLettersCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age};
use crate::place::Request;

/// The request for the list.
struct List;

/// The request for one letter.
struct Show<'a>(&'a str);

/// The request to settle letters.
struct Settle<'a>(Settlement, Option<&'a str>);

/// Runs the command.
pub async fn run(command: &DeadLettersCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        DeadLettersCommand::List => {
            let found = context.ask(&List).await?;
            context.out.show(&found, || {
                if found.is_empty() { "no dead letters".into() } else { table(&found, context).into() }
            })?;
        }
        DeadLettersCommand::Show { id } => show_letter(&context.ask(&Show(id)).await?, context)?,
        DeadLettersCommand::Retry(args) => {
            let count = context.ask(&Settle(Settlement::Retry, letter(args))).await?;
            show_count(count, "sent again", context)?;
        }
        DeadLettersCommand::Drop(args) => {
            let count = context.ask(&Settle(Settlement::Drop, letter(args))).await?;
            show_count(count, "removed", context)?;
        }
    }
    Ok(Exit::Done)
}

fn letters(context: &Context) -> anyhow::Result<Arc<dyn DeadLetterBox>> {
    Ok(context.dead_letters()?.ok_or_else(no_broker)?)
}

impl Request for List {
    type Answer = Vec<LetterView>;

    async fn here(&self, context: &Context) -> anyhow::Result<Vec<LetterView>> {
        Ok(letters(context)?.list().await?)
    }

    async fn there(&self, server: &Server) -> Result<Vec<LetterView>, Error> {
        server.dead_letters().await
    }
}

impl Request for Show<'_> {
    type Answer = ShownLetter;

    async fn here(&self, context: &Context) -> anyhow::Result<ShownLetter> {
        Ok(show(&*letters(context)?, self.0).await?)
    }

    async fn there(&self, server: &Server) -> Result<ShownLetter, Error> {
        server.dead_letter(self.0).await
    }
}

impl Request for Settle<'_> {
    type Answer = usize;

    async fn here(&self, context: &Context) -> anyhow::Result<usize> {
        let (letters, Self(settlement, letter)) = (letters(context)?, self);
        let store = context.store(Mode::Join).await?;
        let (from, what) = ((&*letters, &*store), (*settlement, *letter));
        let count = settle(from, what, context.actor(), &mut context.rng()).await;
        store.close().await;
        Ok(count?)
    }

    async fn there(&self, server: &Server) -> Result<usize, Error> {
        server.settle_letters(self.0, self.1).await
    }
}

fn table(letters: &[LetterView], context: &Context) -> Table {
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

fn show_letter(shown: &ShownLetter, context: &Context) -> anyhow::Result<()> {
    if context.out.is_document() {
        return Ok(context.out.document(shown)?);
    }
    context.out.table(table(std::slice::from_ref(&shown.letter), context))?;
    let more = match shown.left_out {
        0 => String::new(),
        more => format!("\n… and {more} bytes more"),
    };
    Ok(context.out.text(&format!("\n{}{more}", shown.body.escape_debug()))?)
}

/// The id that is given; `None` for all letters.
fn letter(args: &DeadLetterArgs) -> Option<&str> {
    args.id.as_deref().filter(|_| !args.all)
}

fn show_count(count: usize, what: &str, context: &Context) -> anyhow::Result<()> {
    let letters = counted(count, "dead letter");
    Ok(context.out.show(&serde_json::json!({ "letters": count }), || format!("{letters} {what}").into())?)
}
