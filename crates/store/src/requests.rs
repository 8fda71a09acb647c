//! Requests with a key: each adds its runs once, however often it is sent.

use std::time::Duration;

use holdfast_model::Timestamp;

/// The identity of a request, which is the same when it is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who sends it. The keys of others are not its own.
    pub principal: String,
    /// The key that the client chose.
    pub key: String,
    /// A hash of the content, so that a key is not used for two requests.
    pub fingerprint: String,
}

/// What the store knows of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestAnswer {
    /// Nothing: it is new.
    New,
    /// It was carried out, with this answer.
    Answered(String),
    /// Its key was used for another request.
    Reused,
}

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnsweredRequest {
    pub key: RequestKey,
    pub answer: String,
    pub at: Timestamp,
}

impl AnsweredRequest {
    /// How long a request is known.
    pub const KEPT: Duration = Duration::from_hours(24);

    /// What a request with this key gets, given the row of its principal and key.
    pub fn answer_to(row: Option<&Self>, key: &RequestKey, now: Timestamp) -> RequestAnswer {
        match row.filter(|row| row.at > now - Self::KEPT) {
            None => RequestAnswer::New,
            Some(row) if row.key.fingerprint == key.fingerprint => {
                RequestAnswer::Answered(row.answer.clone())
            }
            Some(_) => RequestAnswer::Reused,
        }
    }
}
