//! An issuer: where it answers, and its keys. They are kept, and asked for again when they are old or a key is missing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_arm::{Transport, TransportRequest};
use holdfast_model::Clock;
use url::Url;

use crate::error::Unavailable;
use crate::key_set::KeySet;
use crate::metadata::Metadata;
use crate::settings::Settings;

/// The issuer is asked again after this.
const USED_FOR: Duration = Duration::from_hours(24);
/// The last answer serves this long while the issuer is away. A key that Entra gave up must not be believed for ever.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);
/// The issuer is asked no more often than this. A token with a made-up key must not become a request to Entra.
const ASK_EVERY: Duration = Duration::from_mins(1);
/// The same while nothing is known of it.
const FIRST_ASK_EVERY: Duration = Duration::from_secs(5);
/// The longest document, in bytes.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// What the issuer is asked for, in messages.
const WHAT: &str = "its keys";

/// An issuer of tokens.
pub(crate) struct Issuer {
    name: String,
    document: Url,
    settings: Settings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Arc<Known>>>,
    /// Held while the issuer is asked, so that it is asked once for all who wait.
    asked: tokio::sync::Mutex<Option<Asked>>,
}

/// What is known of an issuer.
#[derive(Debug)]
pub(crate) struct Known {
    /// Where it answers.
    pub(crate) metadata: Metadata,
    /// Its keys.
    pub(crate) keys: KeySet,
    read: Duration,
}

/// When the issuer was last asked, and why in vain.
struct Asked {
    at: Duration,
    failure: Option<Unavailable>,
}

impl Issuer {
    /// An issuer of this name, whose document is at `document`. Nothing is asked yet.
    pub(crate) fn new(
        (name, document): (String, Url),
        settings: &Settings,
        transport: &Arc<dyn Transport>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            name,
            document,
            settings: settings.clone(),
            transport: Arc::clone(transport),
            clock: Arc::clone(clock),
            known: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
        }
    }

    /// What is known of the issuer, with the key of this name if the issuer has it.
    ///
    /// What is old is used while the issuer is asked again: an Entra that does not answer holds up nobody.
    pub(crate) async fn known(self: &Arc<Self>, key_id: Option<&str>) -> Result<Arc<Known>, Unavailable> {
        let has_key = |known: &Arc<Known>| key_id.is_none_or(|id| known.keys.has(id));
        let usable = self.usable().filter(has_key);
        // In a task of its own: a client that leaves does not end it.
        let ask = || tokio::spawn(Arc::clone(self).ask(key_id.map(ToOwned::to_owned)));
        if let Some(known) = usable {
            if !known.is_new(self.clock.elapsed()) && self.asked.try_lock().is_ok() {
                ask();
            }
            return Ok(known);
        }
        let failure = || Unavailable { what: WHAT, reason: "it was not asked to the end".to_owned() };
        let answered = ask().await.unwrap_or_else(|_| Err(failure()));
        self.usable().ok_or_else(|| answered.err().unwrap_or_else(failure))
    }

    /// Asks the issuer, unless that was done a moment ago.
    async fn ask(self: Arc<Self>, key_id: Option<String>) -> Result<(), Unavailable> {
        let mut asked = self.asked.lock().await;
        let (now, known) = (self.clock.elapsed(), self.current().clone());
        let has_key = |known: &Known| key_id.as_ref().is_none_or(|id| known.keys.has(id));
        if known.as_ref().is_some_and(|known| known.is_new(now) && has_key(known)) {
            return Ok(());
        }
        let pause = if known.is_some() { ASK_EVERY } else { FIRST_ASK_EVERY };
        if let Some(Asked { failure, .. }) = asked.as_ref().filter(|last| now.saturating_sub(last.at) < pause)
        {
            return failure.clone().map_or(Ok(()), Err);
        }
        let answered = self.read().await;
        let failure = answered.as_ref().err().cloned();
        match answered {
            Ok(known) => *self.current() = Some(Arc::new(known)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, issuer = self.name, "the keys of Entra ID cannot be read");
            }
        }
        *asked = Some(Asked { at: self.clock.elapsed(), failure: failure.clone() });
        failure.map_or(Ok(()), Err)
    }

    async fn read(&self) -> Result<Known, Unavailable> {
        let document = self.document_at(self.document.clone()).await?;
        let odd = |reason: String| Unavailable { what: WHAT, reason };
        let metadata = Metadata::read(&document, &self.name, &self.settings.authority).map_err(odd)?;
        let keys = self.document_at(metadata.keys.clone()).await?;
        let keys = KeySet::read(&keys, &self.settings.issuers(), &self.settings.tenant);
        let keys = keys.filter(|keys| !keys.is_empty());
        let keys = keys.ok_or_else(|| odd("the document has no key for the tenant".to_owned()))?;
        Ok(Known { metadata, keys, read: self.clock.elapsed() })
    }

    async fn document_at(&self, url: Url) -> Result<Vec<u8>, Unavailable> {
        let response = self.transport.send(TransportRequest::document(url, DOCUMENT_BYTES_MAX)).await;
        let response = response.map_err(|error| Unavailable { what: WHAT, reason: error.to_string() })?;
        match response.status {
            200 if response.body.len() <= DOCUMENT_BYTES_MAX => Ok(response.body),
            200 => Err(Unavailable { what: WHAT, reason: "the document is too long".to_owned() }),
            status => Err(Unavailable::answered(WHAT, status)),
        }
    }

    /// What is known, unless it is too old to be believed.
    fn usable(&self) -> Option<Arc<Known>> {
        let now = self.clock.elapsed();
        self.current().clone().filter(|known| now.saturating_sub(known.read) < KEPT_FOR)
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether it is not due to be read again.
    fn is_new(&self, now: Duration) -> bool {
        now.saturating_sub(self.read) < USED_FOR
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}
