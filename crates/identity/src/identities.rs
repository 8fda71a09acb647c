//! The credentials of the fleet file for all that is not ARM: storage and Key Vault.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{TokenCache, TokenError};
use holdfast_config::{Cloud, Fleet};
use holdfast_model::Clock;
use holdfast_storage::{Access, LiveSecrets, NoToken, Tokens};
use secrecy::SecretString;

use crate::arm_clients::{scope, section, token_timeout};
use crate::error::Error;
use crate::remembering::{Remember, RememberingSecrets};
use crate::scope_tokens::ScopeTokens;

/// What each `[azure]` section opens.
#[derive(Debug)]
pub struct Identities {
    by_section: BTreeMap<String, Access>,
    choice: String,
}

impl Identities {
    /// Reads the secrets; asks Azure nothing.
    pub fn new(fleet: &Fleet, clock: &Arc<dyn Clock>, remember: Remember) -> Result<Self, Error> {
        let mut by_section = BTreeMap::new();
        for cloud in &fleet.clouds {
            let tokens: Arc<dyn Tokens> = Arc::new(CloudTokens::new(cloud, fleet, clock, remember)?);
            let secrets = LiveSecrets::new(Arc::clone(&tokens)).map_err(Error::PrepareSecrets)?;
            let secrets = Arc::new(RememberingSecrets { secrets, remember });
            by_section.insert(cloud.name.clone(), Access { secrets, tokens });
        }
        Ok(Self { by_section, choice: choice(&fleet.clouds).to_owned() })
    }

    /// What the section of this name opens; `None` for the fleet's own choice.
    pub fn access(&self, section: Option<&str>) -> Result<Access, Error> {
        let name = section.unwrap_or(&self.choice);
        self.by_section.get(name).cloned().ok_or_else(|| Error::NoSection(name.to_owned()))
    }
}

/// The section that serves every subscription, else the first by name.
pub(crate) fn choice(clouds: &[Cloud]) -> &str {
    let open = clouds.iter().find(|cloud| cloud.subscriptions.is_empty());
    open.or(clouds.first()).map_or("", |cloud| &cloud.name)
}

/// The tokens of one credential, by scope.
#[derive(Debug)]
struct CloudTokens {
    cloud: Cloud,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    remember: Remember,
    by_scope: Mutex<BTreeMap<String, Arc<TokenCache>>>,
}

impl CloudTokens {
    fn new(cloud: &Cloud, fleet: &Fleet, clock: &Arc<dyn Clock>, remember: Remember) -> Result<Self, Error> {
        // A secret that cannot be read is reported at the start.
        ScopeTokens::new(cloud, &scope(&cloud.endpoint), remember).check()?;
        Ok(Self {
            cloud: cloud.clone(),
            timeout: token_timeout(&fleet.engine),
            clock: Arc::clone(clock),
            remember,
            by_scope: Mutex::default(),
        })
    }

    fn cache(&self, scope: &str) -> Arc<TokenCache> {
        let mut by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = by_scope.entry(scope.to_owned()).or_insert_with(|| {
            let source = Arc::new(ScopeTokens::new(&self.cloud, scope, self.remember));
            Arc::new(TokenCache::new(source, Arc::clone(&self.clock), self.timeout))
        });
        Arc::clone(cache)
    }
}

#[async_trait]
impl Tokens for CloudTokens {
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken> {
        let no_token = |error: TokenError| NoToken {
            reason: format!("[{}] has {error}", section(&self.cloud)),
            is_refused_for_good: error.is_refused_for_good(),
        };
        Ok(self.cache(scope).token().await.map_err(no_token)?.secret)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::http::StatusCode;
    use holdfast_arm::Credential;
    use holdfast_model::{Limits, ManualClock, SubscriptionId};
    use holdfast_storage::SecretRef;
    use secrecy::ExposeSecret;
    use url::Url;

    use super::*;
    use holdfast_config::EngineConfig;

    /// A token service that counts, and gives each token a number. It refuses the first `refused` requests.
    async fn token_service(refused: u32) -> Url {
        token_service_with(move |number| number >= refused).await
    }

    /// A token service that gives token `number` where `grants(number)`, and else refuses.
    async fn token_service_with(grants: impl Fn(u32) -> bool + Clone + Send + Sync + 'static) -> Url {
        let asked = Arc::new(AtomicU32::new(0));
        let answer = move || {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            let body = format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"t-{number}"}}"#);
            let status = if grants(number) { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            std::future::ready((status, body))
        };
        serve(axum::Router::new().fallback(answer)).await
    }

    /// A token service that refuses every request with an error of this number.
    async fn refusing_service(number: u32) -> Url {
        let body = format!(r#"{{"error":"invalid_client","error_description":"AADSTS{number}: no"}}"#);
        let answer = move || std::future::ready((StatusCode::UNAUTHORIZED, body.clone()));
        serve(axum::Router::new().fallback(answer)).await
    }

    async fn serve(router: axum::Router) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url.parse().unwrap()
    }

    fn cloud(name: &str, authority: &Url, subscriptions: &[&str]) -> Cloud {
        let secret = SecretRef::Env("CARGO_PKG_NAME".into());
        Cloud {
            name: name.into(),
            credential: Credential::ClientSecret { tenant: "t".into(), client_id: "c".into(), secret },
            endpoint: authority.clone(),
            authority: Some(authority.clone()),
            api_version: "2024-11-01".into(),
            trusted_hosts: Vec::new(),
            subscriptions: subscriptions.iter().map(|id| SubscriptionId::new(id)).collect(),
        }
    }

    fn fleet(clouds: Vec<Cloud>) -> Fleet {
        Fleet {
            clouds,
            storages: BTreeMap::new(),
            policies: BTreeMap::new(),
            effective: BTreeMap::new(),
            tags: holdfast_config::FileTags::default(),
            apps: Vec::new(),
            discover: Vec::new(),
            limits: Limits::default(),
            engine: EngineConfig::default(),
            checkpoints: None,
            four_eyes: holdfast_config::FourEyes::default(),
            settings: BTreeMap::new(),
            notifications: holdfast_config::Notifications::default(),
        }
    }

    fn clock() -> Arc<ManualClock> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Tokens end by the machine's time, an hour after they are given.
        Arc::new(ManualClock::new(holdfast_model::SystemClock::default().now()))
    }

    fn identities(clouds: Vec<Cloud>, clock: &Arc<ManualClock>) -> Identities {
        let clock: Arc<dyn Clock> = clock.clone();
        Identities::new(&fleet(clouds), &clock, |_| {}).unwrap()
    }

    async fn token(access: &Access, scope: &str) -> String {
        access.tokens.token(scope).await.unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_token_serves_its_scope_until_its_end_is_near() {
        let clock = clock();
        let cloud = cloud("", &token_service(0).await, &[]);
        let access = identities(vec![cloud], &clock).access(None).unwrap();
        let (vault, storage) = ("https://vault.azure.net/.default", "https://storage.azure.com/.default");
        assert_eq!(token(&access, vault).await, "t-0");
        assert_eq!(token(&access, storage).await, "t-1");
        clock.advance(Duration::from_mins(50));
        assert_eq!(token(&access, vault).await, "t-0");
        clock.advance(Duration::from_mins(6));
        assert_eq!(token(&access, vault).await, "t-2");
        assert!(!format!("{access:?}").contains("t-2"));
    }

    #[tokio::test]
    async fn a_token_serves_until_its_end_when_its_renewal_fails() {
        let clock = clock();
        let service = token_service_with(|number| number == 0).await;
        let access = identities(vec![cloud("", &service, &[])], &clock).access(None).unwrap();
        let vault = "https://vault.azure.net/.default";
        assert_eq!(token(&access, vault).await, "t-0");
        clock.advance(Duration::from_mins(58));
        assert_eq!(token(&access, vault).await, "t-0");
        clock.advance(Duration::from_mins(3));
        assert!(access.tokens.token(vault).await.is_err());
    }

    #[tokio::test]
    async fn a_refused_token_is_requested_again_by_the_next_call() {
        let clock = clock();
        let cloud = cloud("contoso", &token_service(1).await, &[]);
        let access = identities(vec![cloud], &clock).access(None).unwrap();
        let error = access.tokens.token("https://vault.azure.net/.default").await.unwrap_err();
        assert!(error.to_string().starts_with("[azure.contoso] has no token"), "{error}");
        assert_eq!(token(&access, "https://vault.azure.net/.default").await, "t-1");
    }

    #[tokio::test]
    async fn an_expired_secret_is_told_apart_from_a_refusal_that_may_pass() {
        for (number, is_for_good) in
            [(7_000_222, true), (7_000_215, true), (700_016, true), (90_033, false), (53_003, false)]
        {
            let cloud = cloud("", &refusing_service(number).await, &[]);
            let access = identities(vec![cloud], &clock()).access(None).unwrap();
            let error = access.tokens.token("https://storage.azure.com/.default").await.unwrap_err();
            assert_eq!(error.is_refused_for_good, is_for_good, "{error}");
            assert!(error.to_string().contains(&format!("AADSTS{number}")), "{error}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_rotated_is_read_before_the_next_token_for_arm_too() {
        clock();
        let service = {
            let answer = |body: String| {
                let secret = body.split('&').find_map(|pair| pair.strip_prefix("client_secret="));
                let token = secret.unwrap_or("none").to_owned();
                std::future::ready(format!(
                    r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{token}"}}"#
                ))
            };
            serve(axum::Router::new().fallback(answer)).await
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut cloud = cloud("", &service, &[]);
        let secret = SecretRef::File(file.path().to_owned());
        cloud.credential = Credential::ClientSecret { tenant: "t".into(), client_id: "c".into(), secret };
        let tokens = ScopeTokens::new(&cloud, &scope(&cloud.endpoint), |_| {});
        for secret in ["first", "second"] {
            std::fs::write(file.path(), secret).unwrap();
            let token = holdfast_arm::TokenSource::token(&tokens).await.unwrap();
            assert_eq!(token.secret.expose_secret(), secret);
        }
    }

    #[test]
    fn the_fleets_own_choice_serves_every_subscription_or_comes_first() {
        let at = Url::parse("http://127.0.0.1:1/").unwrap();
        let clouds = [cloud("a", &at, &["0a"]), cloud("b", &at, &[]), cloud("c", &at, &["0c"])];
        assert_eq!((choice(&clouds), choice(&clouds[..1])), ("b", "a"));
        let identities = identities(clouds.to_vec(), &clock());
        assert!(identities.access(Some("c")).is_ok() && identities.access(Some("d")).is_err());
    }
}
