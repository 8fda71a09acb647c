//! `holdfast tokens`: creates, lists and revokes API tokens.

use holdfast_access::{ApiToken, Scope};
use holdfast_client::{Listed, Server};
use holdfast_control::{Error, age, audit::system_random, tokens, until};
use holdfast_model::Timestamp;
use holdfast_store::Mode;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::args::{CreateTokenArgs, TokensCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::place::Request;

/// Runs the command.
pub async fn run(command: &TokensCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        TokensCommand::Create(args) => create(args, context).await?,
        TokensCommand::List => {
            let Listed { as_of: now, value: tokens } = context.ask(&AllTokens).await?;
            context.out.show(&tokens, || table(&tokens, now).into())?;
        }
        TokensCommand::Revoke { name } => {
            let token = context.ask(&Revocation { name }).await?;
            context.out.show(&token, || format!("token {name} is revoked").into())?;
        }
    }
    Ok(Exit::Done)
}

async fn create(args: &CreateTokenArgs, context: &Context) -> anyhow::Result<()> {
    let (token, text) = context.ask(args).await?;
    let text = text.expose_secret();
    context.out.message(&format!("token {}: keep it now, it is not shown again", token.name));
    let document = json!({ "token": text, "name": token.name, "expires_at": token.expires_at });
    Ok(context.out.show(&document, || text.into())?)
}

impl Request for CreateTokenArgs {
    type Answer = (ApiToken, SecretString);

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let CreateTokenArgs { name, role, expires_in: life, policies } = self.clone();
        let scope = Scope::of(policies);
        let request = tokens::TokenRequest { name, role, scope, life, actor: context.actor() };
        let bits = tokens::random_bits(&system_random())?;
        let store = context.store(Mode::Join).await?;
        let created = tokens::create(&*store, request, None, bits, &mut context.rng()).await?;
        store.close().await;
        Ok((created.token, created.text.expose().into()))
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.create_token((&self.name, self.role, &self.policies), self.expires_in).await
    }
}

/// The API tokens.
struct AllTokens;

impl Request for AllTokens {
    type Answer = Listed<ApiToken>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let store = context.store(Mode::Read).await?;
        let (as_of, value) = (store.now().await?, store.tokens().await?);
        store.close().await;
        Ok(Listed { as_of, value })
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.tokens().await
    }
}

/// The end of a token.
struct Revocation<'a> {
    name: &'a str,
}

impl Request for Revocation<'_> {
    type Answer = ApiToken;

    async fn here(&self, context: &Context) -> anyhow::Result<ApiToken> {
        let store = context.store(Mode::Join).await?;
        let token = tokens::revoke(&*store, self.name, context.actor(), &mut context.rng()).await?;
        store.close().await;
        Ok(token)
    }

    async fn there(&self, server: &Server) -> Result<ApiToken, Error> {
        server.revoke_token(self.name).await
    }
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
