//! The credentials of the fleet file for all that is not ARM: storage and Key Vault.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use holdfast_arm::{Credential, Token, TokenError};
use holdfast_model::{Clock, Timestamp};
use holdfast_storage::{Access, LiveSecrets, NoToken, Tokens};
use secrecy::SecretString;
use tokio::sync::Mutex;
use url::Url;

use crate::clouds::{credential, section, token_timeout};
use crate::config::{Cloud, Fleet};

/// What each `[azure]` section opens.
#[derive(Debug)]
pub struct Identities {
    by_section: BTreeMap<String, Access>,
    choice: String,
}

impl Identities {
    /// Reads the secrets; asks Azure nothing.
    pub fn new(fleet: &Fleet, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let mut by_section = BTreeMap::new();
        for cloud in &fleet.clouds {
            let tokens: Arc<dyn Tokens> = Arc::new(CloudTokens::new(cloud, fleet, clock)?);
            let secrets = LiveSecrets::new(Arc::clone(&tokens));
            let secrets = Arc::new(secrets.context("failed to prepare the reading of secrets")?);
            by_section.insert(cloud.name.clone(), Access { secrets, tokens });
        }
        Ok(Self { by_section, choice: choice(&fleet.clouds).to_owned() })
    }

    /// What the section of this name opens; `None` for the fleet's own choice.
    pub fn access(&self, section: Option<&str>) -> anyhow::Result<Access> {
        let name = section.unwrap_or(&self.choice);
        let access = self.by_section.get(name).cloned();
        access.with_context(|| format!("the fleet file has no section [azure.{name}]"))
    }
}

/// The section that serves every subscription, else the first by name.
fn choice(clouds: &[Cloud]) -> &str {
    let open = clouds.iter().find(|cloud| cloud.subscriptions.is_empty());
    open.or(clouds.first()).map_or("", |cloud| &cloud.name)
}

/// Tokens of one credential, kept until their end is near.
#[derive(Debug)]
struct CloudTokens {
    section: String,
    credential: Credential,
    authority: Option<Url>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    /// By scope. Held while one is asked for, so that those who need it at the same moment share it.
    held: Mutex<BTreeMap<String, Token>>,
}

/// A token is renewed this long before its end.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

impl CloudTokens {
    fn new(cloud: &Cloud, fleet: &Fleet, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(Self {
            section: section(cloud),
            credential: credential(cloud)?,
            authority: cloud.authority.clone(),
            timeout: token_timeout(&fleet.engine),
            clock: Arc::clone(clock),
            held: Mutex::default(),
        })
    }

    async fn ask(&self, scope: &str) -> Result<Token, TokenError> {
        let source = self.credential.clone().source(self.authority.as_ref(), scope)?;
        let answer = tokio::time::timeout(self.timeout, source.token()).await;
        answer.unwrap_or_else(|_| Err(TokenError::new("no answer in time")))
    }
}

#[async_trait]
impl Tokens for CloudTokens {
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.get(scope).filter(|token| will_do(token, self.clock.now())) {
            return Ok(token.secret.clone());
        }
        let asked = self.ask(scope).await;
        let token = asked.map_err(|error| NoToken(format!("[{}] has {error}", self.section)))?;
        let secret = token.secret.clone();
        held.insert(scope.to_owned(), token);
        Ok(secret)
    }
}

fn will_do(token: &Token, now: Timestamp) -> bool {
    now + RENEW_BEFORE < token.expires_on
}
