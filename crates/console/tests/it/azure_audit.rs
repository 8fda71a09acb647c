//! The key and the broker of requests about the audit and dead letters.

use std::sync::LazyLock;

use async_trait::async_trait;
use holdfast_control::Error;
use holdfast_control::audit::{
    CheckpointReport, Continuity, SigningKey, generate, no_checkpoints, read_pem, system_random,
};
use holdfast_control::dead_letters::{DeadLetterBox, LetterView, Settlement, ShownLetter};
use holdfast_control::operator_requests::AuditRequests;
use holdfast_model::Actor;
use secrecy::SecretString;

use crate::azure::FakeAzure;

#[async_trait]
impl AuditRequests for FakeAzure {
    async fn checkpoint(
        &self,
        _: &Actor,
        _: Continuity,
        _: fastrand::Rng,
    ) -> Result<CheckpointReport, Error> {
        Err(no_checkpoints())
    }

    async fn signing_key(&self) -> Result<SigningKey, Error> {
        Ok(signing_key())
    }
}

/// The key that signs exports, the same each time.
pub fn signing_key() -> SigningKey {
    static KEY: LazyLock<SecretString> = LazyLock::new(|| generate(&system_random()).unwrap());
    read_pem(&KEY).unwrap()
}

/// A broker with one dead letter.
pub struct FakeLetters;

#[async_trait]
impl DeadLetterBox for FakeLetters {
    async fn list(&self) -> Result<Vec<LetterView>, Error> {
        Ok(vec![LetterView {
            id: "5b1c".into(),
            reason: "rejected".into(),
            queue: "holdfast".into(),
            since: None,
            run_id: None,
            version: None,
            unreadable: Some("it is no JSON".into()),
            size: 4,
        }])
    }

    async fn show(&self, id: &str) -> Result<Option<ShownLetter>, Error> {
        let found = self.list().await?.into_iter().find(|letter| letter.id == id);
        Ok(found.map(|letter| ShownLetter { letter, body: "oops".into(), left_out: 0 }))
    }

    async fn settle(&self, _: Settlement, letter: Option<&str>) -> Result<usize, Error> {
        Ok(usize::from(letter.is_none_or(|id| id == "5b1c")))
    }
}
