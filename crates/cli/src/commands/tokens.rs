//! `holdfast tokens`: creates, lists and revokes API tokens.

use holdfast_access::{ApiToken, Scope};
use holdfast_control::{age, audit::system_random, tokens, until};
use holdfast_model::Timestamp;
use holdfast_store::{Mode, Store};
use serde_json::json;

use crate::args::{CreateTokenArgs, TokensCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;

/// Runs the command.
pub async fn run(command: &TokensCommand, context: &Context) -> anyhow::Result<Exit> {
    let only_reads = matches!(command, TokensCommand::List);
    let store = context.store(if only_reads { Mode::Read } else { Mode::Join }).await?;
    match command {
        TokensCommand::Create(args) => create(args, &*store, context).await?,
        TokensCommand::List => {
            let (now, tokens) = (store.now().await?, store.tokens().await?);
            context.out.show(&tokens, || table(&tokens, now).into())?;
        }
        TokensCommand::Revoke { name } => {
            let token = tokens::revoke(&*store, name, context.actor(), &mut context.rng()).await?;
            context.out.show(&token, || format!("token {name} is revoked").into())?;
        }
    }
    store.close().await;
    Ok(Exit::Done)
}

async fn create(args: &CreateTokenArgs, store: &dyn Store, context: &Context) -> anyhow::Result<()> {
    let CreateTokenArgs { name, role, expires_in: life, policies } = args.clone();
    let request =
        tokens::TokenRequest { name, role, scope: Scope::of(policies), life, actor: context.actor() };
    let bits = tokens::random_bits(&system_random())?;
    let created = tokens::create(store, request, None, bits, &mut context.rng()).await?;
    let (token, text) = (&created.token, created.text.expose());
    context.out.message(&format!("token {}: keep it now, it is not shown again", token.name));
    let document = json!({ "token": text, "name": token.name, "expires_at": token.expires_at });
    Ok(context.out.show(&document, || text.into())?)
}

fn table(tokens: &[ApiToken], now: Timestamp) -> Table {
    let mut table = Table::new(["NAME", "ROLE", "POLICIES", "STATE", "EXPIRES", "LAST USED", "CREATED BY"]);
    for token in tokens {
        table.row([
            token.name.as_str().into(),
            token.role.as_str().into(),
            token.scope.to_string().into(),
            tokens::state(token, now).into(),
            until(token.expires_at, now).into(),
            token.last_used_at.map_or_else(|| "never".to_owned(), |at| age(at, now)).into(),
            token.created_by.as_str().into(),
        ]);
    }
    table
}
