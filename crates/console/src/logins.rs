//! Logins: API tokens, sessions, and the record of what was refused.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use holdfast_access::{ApiToken, LoginMethod, Principal, TokenRefusal, TokenText};
use holdfast_control::{Error, operator_actions};
use holdfast_model::{Actor, AppId, Clock, OperatorAction};
use holdfast_store::Store;
use ring::rand::SecureRandom;

use crate::attempts::{Attempts, RefusalLog};
use crate::caller::{Peer, Through};
use crate::connections::counted_peer;
use crate::failure::{Failure, sentence};
use crate::forms::hex;
use crate::sessions::{OpenSession, Sessions};

/// Ids of tokens that were accepted, at most: they are not held up by the failures of others at their address.
const ACCEPTED: usize = 1_000;

/// Proves who asks.
pub struct Logins {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom + Send + Sync>,
    sessions: Sessions,
    attempts: Attempts,
    refusals: RefusalLog,
    accepted: Mutex<BTreeSet<String>>,
}

/// From where and through what a client asks.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The address, as the listener saw it.
    pub peer: Option<Peer>,
    /// Through what.
    pub through: Through,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl Client {
    /// The client in the audit, under a name.
    pub fn actor(self, name: &str, login: LoginMethod) -> Actor {
        Actor { login: Some(login.as_str().to_owned()), ..self.unnamed(Actor::from(name)) }
    }

    /// A person at this client.
    pub fn unnamed(self, person: Actor) -> Actor {
        Actor {
            through: Some(self.through.as_str().to_owned()),
            address: self.peer.map(|Peer(address)| address.to_canonical().to_string()),
            ..person
        }
    }

    fn counted(self) -> IpAddr {
        counted_peer(self.peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(address)| address))
    }
}

impl Logins {
    /// Logins by the tokens of a store.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn SecureRandom + Send + Sync>,
    ) -> Self {
        let sessions = Sessions::new(Arc::clone(&clock));
        let (attempts, refusals, accepted) = (Attempts::default(), RefusalLog::default(), Mutex::default());
        Self { store, clock, random, sessions, attempts, refusals, accepted }
    }

    /// The principal of an API token.
    pub async fn token(&self, text: &str, client: Client) -> Result<(ApiToken, Principal), Failure> {
        let text = TokenText::parse(text);
        let was_accepted = text.as_ref().is_ok_and(|text| self.accepted().contains(&text.id()));
        if !was_accepted {
            self.has_attempts(client)?;
        }
        let Ok(text) = text else { return Err(self.failed("unknown", TokenRefusal::Unknown, client).await) };
        let now = self.store.now().await.map_err(Error::from)?;
        let Some(token) = self.store.token(&text.id()).await.map_err(Error::from)? else {
            return Err(self.failed("unknown", TokenRefusal::Unknown, client).await);
        };
        match token.principal(&text, now) {
            Ok(principal) => {
                if token.is_use_to_record(now) {
                    self.store.token_used(&token.id, now).await.map_err(Error::from)?;
                }
                self.accept(&token.id);
                Ok((token, principal))
            }
            Err(refusal) => {
                self.accepted().remove(&token.id);
                Err(self.failed(&token.name, refusal, client).await)
            }
        }
    }

    /// Begins a session with an API token. Returns the value of its cookie.
    pub async fn log_in(&self, text: &str, client: Client) -> Result<String, Failure> {
        let (token, principal) = self.token(text, client).await?;
        self.begin(principal, Some(token.id), client).await
    }

    /// Begins a session, which ends with the token of this id where it has one. Returns the value of its cookie.
    pub async fn begin(
        &self,
        principal: Principal,
        token: Option<String>,
        client: Client,
    ) -> Result<String, Failure> {
        let cookie = hex(&self.random_bits()?);
        let actor = client.actor(&principal.name, principal.login);
        self.record(OperatorAction::LoggedIn, actor).await?;
        self.sessions.begin(&cookie, principal, token);
        Ok(cookie)
    }

    /// The session of a cookie, while its token is in force. Without an answer of the store, it stays as it was.
    pub async fn session(&self, cookie: &str, is_use: bool) -> Option<OpenSession> {
        let session = self.sessions.find(cookie, is_use)?;
        let Some(id) = &session.check_token else { return Some(session) };
        let (Ok(now), Ok(token)) = (self.store.now().await, self.store.token(id).await) else {
            return Some(session);
        };
        if token.is_some_and(|token| token.current_principal(now).is_ok()) {
            return Some(session);
        }
        self.sessions.end(&session.key);
        None
    }

    /// Ends a session.
    pub fn log_out(&self, key: &str) {
        self.sessions.end(key);
    }

    /// Records that a principal was refused, unless its last refusals are recorded already.
    pub async fn refused(&self, actor: Actor, what: &str, reason: &str) {
        let client = format!("{} {}", actor.address.as_deref().unwrap_or_default(), actor.name);
        let Some(count) = self.refusals.count(&client, self.clock.elapsed()) else { return };
        let (what, reason) = (what.to_owned(), reason.to_owned());
        if let Err(failure) = self.record(OperatorAction::AccessRefused { what, reason, count }, actor).await
        {
            tracing::warn!(code = &*failure.code, "a refusal is not in the audit");
        }
    }

    /// Records a login of a proxy that gives no role.
    pub async fn without_role(&self, why: &str, client: Client) -> Failure {
        self.refused(client.actor("unknown", LoginMethod::Header), "login", why).await;
        Failure::forbidden(why)
    }

    /// Refuses a client whose address has failed too often.
    pub fn has_attempts(&self, client: Client) -> Result<(), Failure> {
        let is_blocked = self.attempts.is_blocked(client.counted(), self.clock.elapsed());
        if is_blocked { Err(Failure::too_many_logins()) } else { Ok(()) }
    }

    /// Counts and records a failed login.
    pub async fn count_failure(&self, actor: Actor, why: &str, client: Client) {
        self.attempts.failed(client.counted(), self.clock.elapsed());
        self.refused(actor, "login", why).await;
    }

    async fn failed(&self, name: &str, refusal: TokenRefusal, client: Client) -> Failure {
        let actor = client.actor(name, LoginMethod::Token);
        self.count_failure(actor, &refusal.to_string(), client).await;
        Failure::invalid_token(refusal)
    }

    async fn record(&self, action: OperatorAction, actor: Actor) -> Result<(), Failure> {
        let now = self.store.now().await.map_err(Error::from)?;
        let mut seed = [0_u8; 8];
        self.random.fill(&mut seed).map_err(|_| Failure::no_randomness())?;
        let mut rng = fastrand::Rng::with_seed(u64::from_be_bytes(seed));
        let record = operator_actions::about_app(&AppId::unknown(), (action, actor), now, &mut rng);
        Ok(self.store.add_run(&record).await.map_err(Error::from)?)
    }

    /// 256 random bits.
    pub fn random_bits(&self) -> Result<[u8; 32], Failure> {
        let mut bits = [0_u8; 32];
        self.random.fill(&mut bits).map_err(|_| Failure::no_randomness())?;
        Ok(bits)
    }

    fn accept(&self, id: &str) {
        let mut accepted = self.accepted();
        if accepted.len() >= ACCEPTED {
            accepted.pop_first();
        }
        accepted.insert(id.to_owned());
    }

    fn accepted(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    /// A token that gives no login.
    pub fn invalid_token(refusal: TokenRefusal) -> Self {
        let detail = sentence(&refusal.to_string());
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "Not logged in", detail)
            .help("`holdfast tokens list` shows the tokens, and `holdfast tokens create` makes one.")
    }

    /// Too many logins of an address failed.
    pub fn too_many_logins() -> Self {
        let detail = "Too many logins failed from this address.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_logins", "Wait a minute", detail)
            .help("Try again in a minute.")
    }
}
