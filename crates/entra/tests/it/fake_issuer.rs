//! Entra as a transport: its documents, its keys, and what it was asked for.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use holdfast_arm::{Transport, TransportError, TransportRequest, TransportResponse};
use holdfast_entra::{Entra, Settings};
use holdfast_model::{Clock as _, ManualClock, Timestamp};
use serde_json::{Value, json};

use crate::signer::{CLIENT, Signer, TENANT, access_token, document};

pub const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Entra, and a process that believes it.
pub struct World {
    pub entra: Entra,
    pub clock: Arc<ManualClock>,
    issuer: Arc<FakeIssuer>,
}

#[derive(Default)]
struct FakeIssuer(Mutex<State>);

#[derive(Default)]
pub struct State {
    pub keys: Vec<Value>,
    pub is_away: bool,
    pub is_silent: bool,
    pub asked: Vec<String>,
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH + Duration::from_hours(500_000)));
        let issuer = Arc::new(FakeIssuer::default());
        issuer.state().keys = vec![Signer::first().jwk()];
        let public = "https://hf.example".parse().unwrap();
        let settings = Settings::new(AUTHORITY, (TENANT, CLIENT), public, None).unwrap();
        let entra = Entra::new(settings, Arc::clone(&issuer) as _, Arc::clone(&clock) as _);
        Self { entra, clock, issuer }
    }

    pub fn issuer(&self) -> MutexGuard<'_, State> {
        self.issuer.state()
    }

    /// How often the keys were asked for.
    pub fn keys_asked(&self) -> usize {
        self.issuer().asked.iter().filter(|path| path.ends_with("/keys")).count()
    }

    /// The claims of a good access token, with changes.
    pub fn claims(&self, changes: &Value) -> Value {
        let mut claims = access_token(AUTHORITY, self.clock.now().timestamp());
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    }
}

impl FakeIssuer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[async_trait::async_trait]
impl Transport for FakeIssuer {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        if self.state().is_silent {
            std::future::pending::<()>().await;
        }
        let path = request.url.path().to_owned();
        let mut state = self.state();
        state.asked.push(path.clone());
        if state.is_away {
            return Err(TransportError::not_sent("no connection"));
        }
        let older = path == format!("/{TENANT}/.well-known/openid-configuration");
        let body = match path.as_str() {
            path if path.ends_with("/keys") => json!({ "keys": state.keys }),
            _ => document(AUTHORITY, older),
        };
        Ok(TransportResponse::new(200, body.to_string().into_bytes()))
    }
}
