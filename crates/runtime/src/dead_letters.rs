//! The dead letters of a broker, for people.

use async_trait::async_trait;
use holdfast_control::dead_letters::{DeadLetterBox, LetterView, Settlement, ShownLetter};
use holdfast_control::{Error, ErrorKind};
use holdfast_queue::{Config, DeadLetter, DeadLetterSelection, DeadLetters};

/// Greatest number of letters listed.
const MOST: usize = 1_000;

/// The dead letters of a broker. Each request has a connection of its own.
pub struct BrokerLetters(pub Config);

#[async_trait]
impl DeadLetterBox for BrokerLetters {
    async fn list(&self) -> Result<Vec<LetterView>, Error> {
        let letters = self.open().await?;
        let found = letters.list(MOST).await;
        letters.close().await;
        Ok(found.map_err(failed)?.iter().map(view).collect())
    }

    async fn show(&self, id: &str) -> Result<Option<ShownLetter>, Error> {
        let letters = self.open().await?;
        let found = letters.show(id).await;
        letters.close().await;
        Ok(found.map_err(failed)?.as_ref().map(shown))
    }

    async fn settle(&self, settlement: Settlement, letter: Option<&str>) -> Result<usize, Error> {
        let letters = self.open().await?;
        let one = |id: &str| DeadLetterSelection::One(id.to_owned());
        let selection = letter.map_or(DeadLetterSelection::All, one);
        let settled = match settlement {
            Settlement::Retry => letters.retry(&selection).await,
            Settlement::Drop => letters.drop(&selection).await,
        };
        letters.close().await;
        settled.map_err(failed)
    }
}

impl BrokerLetters {
    async fn open(&self) -> Result<DeadLetters, Error> {
        DeadLetters::open(self.0.clone()).await.map_err(failed)
    }
}

/// The error with its causes in one sentence.
fn failed(error: impl std::error::Error) -> Error {
    let mut what = format!("failed to use the broker: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        what = format!("{what}: {next}");
        cause = next.source();
    }
    Error::new(ErrorKind::Broker, what)
}

fn shown(found: &DeadLetter) -> ShownLetter {
    let body = String::from_utf8_lossy(&found.body).into_owned();
    ShownLetter { letter: view(found), body, left_out: found.size.saturating_sub(found.body.len()) }
}

fn view(found: &DeadLetter) -> LetterView {
    let wakeup = found.wakeup.as_ref();
    LetterView {
        id: found.id.clone(),
        reason: found.reason.clone(),
        queue: found.queue.clone(),
        since: found.since,
        run_id: wakeup.ok().map(|wakeup| wakeup.run_id),
        version: wakeup.ok().map(|wakeup| wakeup.version),
        unreadable: wakeup.err().map(ToString::to_string),
        size: found.size,
    }
}
