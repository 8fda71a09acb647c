//! API tokens, and requests with a key.

use holdfast_access::ApiToken;
use holdfast_model::{NewRun, Timestamp};

use crate::columns::stamp;
use crate::error::Result;
use crate::memory::state::State;
use crate::requests::{AnsweredRequest, RequestAnswer, RequestKey};

impl State {
    pub fn add_token(&mut self, token: &ApiToken, record: &NewRun, now: Timestamp) -> Result<bool> {
        let is_taken = |other: &ApiToken| other.name == token.name && other.revoked_at.is_none();
        if self.tokens.contains_key(&token.id) || self.tokens.values().any(is_taken) {
            return Ok(false);
        }
        self.add_run(record, now)?;
        let (created_at, expires_at) = (stamp(token.created_at), stamp(token.expires_at));
        let stored =
            ApiToken { created_at, expires_at, last_used_at: None, revoked_at: None, ..token.clone() };
        self.tokens.insert(token.id.clone(), stored);
        Ok(true)
    }

    pub fn revoke_token(&mut self, id: &str, record: &NewRun, now: Timestamp) -> Result<bool> {
        if self.tokens.get(id).is_none_or(|token| token.revoked_at.is_some()) {
            return Ok(false);
        }
        self.add_run(record, now)?;
        if let Some(token) = self.tokens.get_mut(id) {
            token.revoked_at = Some(now);
        }
        Ok(true)
    }

    pub fn tokens(&self) -> Vec<ApiToken> {
        let mut tokens: Vec<ApiToken> = self.tokens.values().cloned().collect();
        tokens.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        tokens
    }

    pub fn token_used(&mut self, id: &str, at: Timestamp) {
        if let Some(token) = self.tokens.get_mut(id).filter(|token| token.is_use_to_record(stamp(at))) {
            token.last_used_at = Some(stamp(at));
        }
    }

    pub fn request(&self, key: &RequestKey, now: Timestamp) -> RequestAnswer {
        let row = self.requests.get(&(key.principal.clone(), key.key.clone()));
        AnsweredRequest::answer_to(row, key, now)
    }

    pub fn add_runs_once(
        &mut self,
        (key, answer): (&RequestKey, &str),
        runs: &[NewRun],
        now: Timestamp,
    ) -> Result<RequestAnswer> {
        let known = self.request(key, now);
        if known != RequestAnswer::New {
            return Ok(known);
        }
        self.requests.retain(|_, request| request.at > now - AnsweredRequest::KEPT);
        self.add_all_runs(runs, now)?;
        let (key, answer) = (key.clone(), answer.to_owned());
        let place = (key.principal.clone(), key.key.clone());
        self.requests.insert(place, AnsweredRequest { key, answer, at: now });
        Ok(RequestAnswer::New)
    }
}
