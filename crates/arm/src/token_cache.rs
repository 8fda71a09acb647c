//! The token in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_model::{Clock, Timestamp};
use secrecy::ExposeSecret;
use tokio::sync::{Mutex, MutexGuard};

use crate::{Token, TokenError, TokenSource};

/// Keeps one token and renews it shortly before its end. Concurrent callers share one renewal.
#[derive(Debug)]
pub struct TokenCache {
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    time_limit: Duration,
    held: Mutex<Held>,
    /// How many renewals have ended. A caller reads it before it waits for the lock: a higher value afterwards means
    /// that a renewal ended meanwhile.
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    token: Option<HeldToken>,
    failure: Option<TokenError>,
}

#[derive(Debug, Clone)]
struct HeldToken {
    token: Token,
    since: Timestamp,
}

/// A token is renewed this long before its end, or after nine tenths of its life if that is later.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

impl TokenCache {
    /// An empty cache. A renewal that takes longer than `time_limit` fails.
    pub fn new(source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>, time_limit: Duration) -> Self {
        Self { source, clock, time_limit, held: Mutex::default(), ended: AtomicU64::new(0) }
    }

    /// A valid token, renewed when its end is near. When the renewal fails, the held token serves until its end.
    pub async fn token(&self) -> Result<Token, TokenError> {
        let (mut held, ended) = self.lock().await;
        let now = self.clock.now();
        let valid = held.token.clone().filter(|held| now < held.token.expires_on);
        let Some(valid) = valid else { return self.renew(&mut held, ended).await };
        if now < valid.renewal_time() {
            return Ok(valid.token);
        }
        let renewed = self.renew(&mut held, ended).await;
        Ok(renewed.unwrap_or_else(|error| {
            tracing::warn!(%error, expires_on = %valid.token.expires_on, "failed to renew a token that is still valid");
            valid.token
        }))
    }

    /// A token other than `refused`, which the server did not accept.
    pub async fn token_after_refusal(&self, refused: &Token) -> Result<Token, TokenError> {
        let (mut held, ended) = self.lock().await;
        match &held.token {
            Some(HeldToken { token, .. })
                if token.secret.expose_secret() != refused.secret.expose_secret() =>
            {
                Ok(token.clone())
            }
            _ => self.renew(&mut held, ended).await,
        }
    }

    async fn lock(&self) -> (MutexGuard<'_, Held>, u64) {
        let ended = self.ended.load(Ordering::Acquire);
        (self.held.lock().await, ended)
    }

    /// Requests a token, unless a renewal failed while this caller waited for the lock: then the failure is shared, so
    /// that callers do not queue up one by one behind a token service that is down.
    async fn renew(&self, held: &mut Held, ended_before: u64) -> Result<Token, TokenError> {
        let has_ended = self.ended.load(Ordering::Acquire) > ended_before;
        if let Some(failure) = held.failure.clone().filter(|_| has_ended) {
            return Err(failure);
        }
        let renewed = tokio::time::timeout(self.time_limit, self.source.token()).await;
        let late = |_| Err(TokenError::new(&format!("no answer within {:?}", self.time_limit)));
        let renewed = renewed.unwrap_or_else(late);
        self.ended.fetch_add(1, Ordering::AcqRel);
        held.failure = renewed.as_ref().err().cloned();
        if let Ok(token) = &renewed {
            held.token = Some(HeldToken { token: token.clone(), since: self.clock.now() });
        }
        renewed
    }
}

impl HeldToken {
    fn renewal_time(&self) -> Timestamp {
        let life = (self.token.expires_on - self.since).to_std().unwrap_or_default();
        self.token.expires_on - RENEW_BEFORE.min(life / 10)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use async_trait::async_trait;
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
    async fn a_token_serves_until_five_minutes_before_its_end() {
        let (source, cache) = cache();
        for (passed, token) in [(0, "1"), (3_299, "1"), (1, "2")] {
            source.clock.advance(Duration::from_secs(passed));
            assert_eq!(text(&cache).await, token);
        }
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
