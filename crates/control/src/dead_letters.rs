//! Dead letters: messages that the broker or a worker refused, as people see and settle them.

use async_trait::async_trait;
use holdfast_model::{Actor, AppId, OperatorAction, RunId, Timestamp};
use holdfast_store::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operator_actions::about_app;
use crate::{Error, ErrorKind};

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct LetterView {
    /// Its id. Identical letters share one.
    pub id: String,
    /// The broker's reason, such as `rejected` or `delivery_limit`.
    pub reason: String,
    /// The queue it was in.
    pub queue: String,
    /// When it became a dead letter.
    pub since: Option<Timestamp>,
    /// The run that it is about, where it can be read.
    pub run_id: Option<RunId>,
    /// The version of the run that it is about.
    pub version: Option<i64>,
    /// Why the message cannot be read, where it cannot.
    pub unreadable: Option<String>,
    /// The size of its body, in bytes.
    pub size: usize,
}

/// A dead letter with its body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ShownLetter {
    /// The letter.
    pub letter: LetterView,
    /// The beginning of its body, which is untrusted.
    pub body: String,
    /// Bytes of the body that are left out.
    #[serde(default)]
    pub left_out: usize,
}

/// What becomes of dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// They are sent again.
    Retry,
    /// They are removed. Their runs become due again by themselves.
    Drop,
}

/// The dead letters of a broker.
#[async_trait]
pub trait DeadLetterBox: Send + Sync {
    /// The oldest letters.
    async fn list(&self) -> Result<Vec<LetterView>, Error>;

    /// The letter with this id.
    async fn show(&self, id: &str) -> Result<Option<ShownLetter>, Error>;

    /// Settles the letters with this id, or all; returns their number.
    async fn settle(&self, settlement: Settlement, letter: Option<&str>) -> Result<usize, Error>;
}

/// The letter with this id, which must be there.
pub async fn show(letters: &dyn DeadLetterBox, id: &str) -> Result<ShownLetter, Error> {
    letters.show(id).await?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no dead letter {id}"))
            .help("`holdfast dead-letters list` lists them")
    })
}

/// Records in the audit who settles letters, then settles them; returns their number.
pub async fn settle(
    (letters, store): (&dyn DeadLetterBox, &dyn Store),
    (settlement, letter): (Settlement, Option<&str>),
    actor: Actor,
    rng: &mut fastrand::Rng,
) -> Result<usize, Error> {
    let named = letter.map(str::to_owned);
    let action = match settlement {
        Settlement::Retry => OperatorAction::DeadLettersRetried { letter: named },
        Settlement::Drop => OperatorAction::DeadLettersDropped { letter: named },
    };
    let record = about_app(&AppId::unknown(), (action, actor), store.now().await?, rng);
    store.add_run(&record).await?;
    letters.settle(settlement, letter).await
}

/// The error where no broker is named.
pub fn no_broker() -> Error {
    Error::new(ErrorKind::Invalid, "only a broker keeps dead letters, and no broker is named")
        .help("give --amqp-url")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_model::ManualClock;
    use holdfast_store::MemoryStore;

    use super::*;
    use crate::views::overview::PersonAct;

    /// A broker that does not answer.
    struct Away;

    #[async_trait]
    impl DeadLetterBox for Away {
        async fn list(&self) -> Result<Vec<LetterView>, Error> {
            Ok(Vec::new())
        }

        async fn show(&self, _: &str) -> Result<Option<ShownLetter>, Error> {
            Ok(None)
        }

        async fn settle(&self, _: Settlement, _: Option<&str>) -> Result<usize, Error> {
            Err(Error::new(ErrorKind::Broker, "the broker does not answer"))
        }
    }

    #[tokio::test]
    async fn who_settles_letters_is_in_the_audit_before_anything_is_done() {
        let store = MemoryStore::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)));
        let mut rng = fastrand::Rng::with_seed(1);
        for (settlement, letter) in [(Settlement::Retry, None), (Settlement::Drop, Some("5b1c"))] {
            let settled = settle((&Away, &store), (settlement, letter), "ann".into(), &mut rng).await;
            assert_eq!(settled.unwrap_err().kind(), ErrorKind::Broker);
        }
        let acts: Vec<PersonAct> =
            store.audit(0, 9).await.unwrap().iter().filter_map(PersonAct::of).collect();
        let texts: Vec<&str> = acts.iter().map(|act| act.what.as_str()).collect();
        let by = "by claimed \"ann\"";
        assert_eq!(
            texts,
            [format!("dead_letters_retried {by}: all"), format!("dead_letters_dropped {by}: 5b1c")]
        );
        assert_eq!(show(&Away, "5b1c").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
