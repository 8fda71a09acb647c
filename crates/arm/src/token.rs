//! Tokens: where they come from, and the one that is in use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::scrub::brief;

/// A bearer token for ARM.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// Not valid from here on.
    pub expires_on: Timestamp,
}

/// No token could be had; the text says why and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token: {0}")]
pub struct TokenError(String);

impl TokenError {
    /// From what the token service or the environment said. It is blanked and shortened here.
    pub fn new(what: &str) -> Self {
        Self(brief(what))
    }
}

/// Where tokens come from.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A fresh token, asked for anew each time: the client keeps it, and asks again when ARM refuses it.
    async fn token(&self) -> Result<Token, TokenError>;
}

/// The token in use. It is renewed shortly before its end, by one caller while the others wait for what comes of it.
#[derive(Debug)]
pub(crate) struct TokenCache {
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    time_limit: Duration,
    held: Mutex<Held>,
    /// How many renewals have ended, read before waiting: who finds it raised knows that one ended meanwhile.
    ended: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    token: Option<(Token, Timestamp)>,
    failure: Option<TokenError>,
}

impl TokenCache {
    /// A cache without a token; a renewal may take `time_limit`.
    pub(crate) fn new(source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>, time_limit: Duration) -> Self {
        Self { source, clock, time_limit, held: Mutex::default(), ended: 0.into() }
    }

    /// The token to send, renewed if its end is near. When the renewal fails, the old one serves until its end.
    pub(crate) async fn token(&self) -> Result<Token, TokenError> {
        let ended = self.ended();
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        let valid = held.token.as_ref().filter(|(token, _)| now < token.expires_on).cloned();
        match valid {
            Some((token, since)) if now < renewal_time(&token, since) => Ok(token),
            valid => {
                let renewed = self.renew(&mut held, ended).await;
                valid.map_or(renewed.clone(), |(old, _)| Ok(renewed.unwrap_or(old)))
            }
        }
    }

    /// A token other than the one that ARM `refused`.
    pub(crate) async fn token_after_refusal(&self, refused: &Token) -> Result<Token, TokenError> {
        let ended = self.ended();
        let mut held = self.held.lock().await;
        match &held.token {
            Some((token, _)) if token.secret.expose_secret() != refused.secret.expose_secret() => {
                Ok(token.clone())
            }
            _ => self.renew(&mut held, ended).await,
        }
    }

    fn ended(&self) -> u64 {
        self.ended.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Asks the source, unless a renewal failed while this caller waited for the lock: then its failure is shared,
    /// so that an outage of the token service does not queue up all callers one behind the other.
    async fn renew(&self, held: &mut Held, ended_before: u64) -> Result<Token, TokenError> {
        if let Some(failure) = held.failure.clone().filter(|_| self.ended() > ended_before) {
            return Err(failure);
        }
        let answer = tokio::time::timeout(self.time_limit, self.source.token()).await;
        let late = |_| Err(TokenError::new(&format!("no answer within {:?}", self.time_limit)));
        let answer = answer.unwrap_or_else(late);
        self.ended.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        held.failure = answer.as_ref().err().cloned();
        if let Ok(token) = &answer {
            held.token = Some((token.clone(), self.clock.now()));
        }
        answer
    }
}

/// Two minutes before its end, or after nine tenths of its life for one that lives shorter than that.
fn renewal_time(token: &Token, since: Timestamp) -> Timestamp {
    let life = (token.expires_on - since).to_std().unwrap_or_default();
    token.expires_on - Duration::from_mins(2).min(life / 10)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use holdfast_model::ManualClock;

    use super::*;

    /// Gives tokens numbered from 1 that live an hour, or fails while `failing`.
    #[derive(Debug)]
    struct Numbered {
        clock: Arc<ManualClock>,
        asked: StdMutex<(u32, bool)>,
    }

    #[async_trait]
    impl TokenSource for Numbered {
        async fn token(&self) -> Result<Token, TokenError> {
            tokio::task::yield_now().await;
            let (asked, failing) = {
                let mut state = self.asked.lock().unwrap();
                state.0 += 1;
                *state
            };
            if failing {
                return Err(TokenError::new("down"));
            }
            Ok(Token {
                secret: asked.to_string().into(),
                expires_on: self.clock.now() + Duration::from_hours(1),
            })
        }
    }

    fn cache() -> (Arc<Numbered>, TokenCache) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let source = Arc::new(Numbered { clock: clock.clone(), asked: StdMutex::default() });
        (source.clone(), TokenCache::new(source, clock, Duration::from_secs(10)))
    }

    async fn text(cache: &TokenCache) -> String {
        cache.token().await.map_or_else(|e| e.to_string(), |token| token.secret.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn a_token_serves_until_two_minutes_before_its_end() {
        let (source, cache) = cache();
        assert_eq!(text(&cache).await, "1");
        source.clock.advance(Duration::from_secs(3_479));
        assert_eq!(text(&cache).await, "1");
        source.clock.advance(Duration::from_secs(1));
        assert_eq!(text(&cache).await, "2");
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_the_old_token_in_use_until_its_end() {
        let (source, cache) = cache();
        text(&cache).await;
        source.asked.lock().unwrap().1 = true;
        source.clock.advance(Duration::from_secs(3_500));
        assert_eq!(text(&cache).await, "1");
        source.clock.advance(Duration::from_secs(100));
        assert_eq!(text(&cache).await, "no token: down");
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_renewal_and_one_failure() {
        for failing in [false, true] {
            let (source, cache) = cache();
            source.asked.lock().unwrap().1 = failing;
            let (a, b, c) = tokio::join!(text(&cache), text(&cache), text(&cache));
            assert!(a == b && b == c);
            assert_eq!(source.asked.lock().unwrap().0, 1);
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_once_by_all_who_held_it() {
        let (source, cache) = cache();
        let token = cache.token().await.unwrap();
        let (a, b) = tokio::join!(cache.token_after_refusal(&token), cache.token_after_refusal(&token));
        assert_eq!((a.unwrap().secret.expose_secret(), b.unwrap().secret.expose_secret()), ("2", "2"));
        assert_eq!(source.asked.lock().unwrap().0, 2);
    }
}
