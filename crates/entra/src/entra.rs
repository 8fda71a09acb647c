//! Logins by Entra ID.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_access::Principal;
use holdfast_arm::{Transport, http_transport};
use holdfast_model::Clock;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::claims;
use crate::error::{Error, Unavailable};
use crate::exchange::exchange;
use crate::issuer::Issuer;
use crate::jws::Jws;
use crate::login::LoginAttempt;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// Where the discovery document of an issuer is, below the issuer.
const DOCUMENT: &str = ".well-known/openid-configuration";
/// The longest time for a login, also where the keys must be read first.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Logs people and workloads of one tenant in, by one application of Entra ID.
#[derive(Clone)]
pub struct Entra {
    settings: Settings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    issuer: Arc<Issuer>,
    /// Of access tokens in format 1.0. It has its own document and keys.
    older_issuer: Arc<Issuer>,
}

impl Entra {
    /// Logins by this application, over HTTPS or to this machine.
    pub fn over_http(
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, holdfast_arm::InvalidSettings> {
        let transport = http_transport(&settings.authority, ANSWER_WITHIN)?;
        Ok(Self::new(settings, transport, clock))
    }

    /// Logins by this application. Nothing is sent before the first login.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let issuer = |name: String, document: &str| {
            let document = settings.at_authority(document);
            Arc::new(Issuer::new((name, document), &settings, &transport, &clock))
        };
        let newer = issuer(settings.issuer(), &format!("v2.0/{DOCUMENT}"));
        let older = issuer(settings.older_issuer(), DOCUMENT);
        Self { settings, transport, clock, issuer: newer, older_issuer: older }
    }

    /// The address of the console at which a login begins.
    pub fn begin_url(&self) -> Url {
        self.settings.begin_url()
    }

    /// The address that a person who began a login is sent to.
    pub async fn login_url(&self, attempt: &LoginAttempt) -> Result<Url, Unavailable> {
        let known = within(self.issuer.known(None)).await?;
        Ok(attempt.url(&self.settings, &known.metadata.authorization))
    }

    /// The person who came back from Entra with a code.
    pub async fn log_in(&self, code: &str, attempt: &LoginAttempt) -> Result<Principal, Error> {
        within(async {
            let known = self.issuer.known(None).await?;
            let endpoint = (&known.metadata.token, code);
            let answered = exchange(&self.settings, &*self.transport, endpoint, attempt).await;
            let token = answered.inspect_err(|error| {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "the code of a login cannot be exchanged"
                );
            })?;
            let claims = self.verified(token.expose_secret()).await?;
            claims::of_id_token(&claims, &self.settings, &attempt.nonce, self.clock.now())
        })
        .await
    }

    /// The principal of an access token.
    pub async fn bearer(&self, token: &str) -> Result<Principal, Error> {
        let claims = within(self.verified(token)).await?;
        claims::of_access_token(&claims, &self.settings, self.clock.now())
    }

    /// The claims of a token that its issuer signed. The issuer is looked up by name, so that it is one of the two.
    async fn verified(&self, token: &str) -> Result<Object, Error> {
        let token = Jws::read(token)?;
        let named = token.claims.text("iss");
        let issuer = if named == Some(&self.settings.issuer()) {
            &self.issuer
        } else if named == Some(&self.settings.older_issuer()) {
            &self.older_issuer
        } else {
            return Err(Refusal::Issuer.into());
        };
        issuer.known(Some(&token.key_id)).await?.keys.verify(&token)?;
        Ok(token.claims)
    }
}

/// The answer to a person or a program that waits for one.
async fn within<T, E: From<Unavailable>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let late = |_| Unavailable { what: "a login", reason: "no answer in time".to_owned() };
    tokio::time::timeout(ANSWER_WITHIN, work).await.map_err(late)?
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entra").field("settings", &self.settings).finish_non_exhaustive()
    }
}
