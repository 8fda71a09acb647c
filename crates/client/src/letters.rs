//! The dead letters of a server's broker, and the check of a fleet file.

use holdfast_control::Error;
use holdfast_control::dead_letters::{LetterView, Settlement, ShownLetter};
use holdfast_control::fleet_check::FleetCheck;
use serde::Deserialize;
use serde_json::json;

use crate::query::Query;
use crate::reads::All;
use crate::server::Server;

#[derive(Deserialize)]
struct Settled {
    letters: usize,
}

impl Server {
    /// The oldest dead letters.
    pub async fn dead_letters(&self) -> Result<Vec<LetterView>, Error> {
        self.get::<All<_>>(&["dead-letters"], Query::default()).await.map(|all| all.value)
    }

    /// The dead letter with this id.
    pub async fn dead_letter(&self, id: &str) -> Result<ShownLetter, Error> {
        self.get(&["dead-letters", id], Query::default()).await
    }

    /// Settles the dead letters with this id, or all; returns their number.
    pub async fn settle_letters(&self, settlement: Settlement, letter: Option<&str>) -> Result<usize, Error> {
        let what = match settlement {
            Settlement::Retry => "retry",
            Settlement::Drop => "drop",
        };
        let body = json!({ "letter": letter, "all": letter.is_none() });
        self.post::<Settled>(&["dead-letters", what], &body).await.map(|settled| settled.letters)
    }

    /// Every problem of a fleet file.
    pub async fn check_config(&self, name: &str, text: &str) -> Result<FleetCheck, Error> {
        self.post(&["config", "check"], &json!({ "name": name, "text": text })).await
    }
}
