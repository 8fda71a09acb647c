//! A container whose blobs are written once, such as the checkpoints of the audit.

use holdfast_model::{StorageName, Timestamp};
use reqwest::StatusCode;
use secrecy::ExposeSecret;

use crate::http::{Clients, blob_url, body, is_error, no_answer, refusal};
use crate::supply::{Access, StorageTarget, Supply};
use crate::{Error, Refusal, Sas};

/// The most bytes of a blob that are read.
const BLOB_MAX_BYTES: usize = 64 * 1024;

/// The most bytes of one page of a list: 5,000 blobs.
const PAGE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// The most pages of a list.
const PAGES_MAX: usize = 1_000;

/// A container whose blobs are written once and never replaced.
#[derive(Debug)]
pub struct AppendContainer {
    supply: Supply,
    client: reqwest::Client,
}

impl AppendContainer {
    /// The container of a storage. Sends nothing.
    pub fn new(storage: StorageName, target: StorageTarget, access: Access) -> Result<Self, Error> {
        let client = Clients::new()?.of(target.container.url()).clone();
        let supply = Supply::new(storage, target, access, client.clone());
        Ok(Self { supply, client })
    }

    /// Writes a new blob. Fails when a blob of this name exists.
    ///
    /// A minted SAS permits the creation of blobs and nothing else.
    pub async fn create(&self, blob_name: &str, content: &str, now: Timestamp) -> Result<(), Error> {
        let sas = self.supply.for_minutes("c", now).await?;
        let written = self.put(&sas, blob_name, content.to_owned()).await;
        written.map_err(|cause| self.failed("write", blob_name, cause))
    }

    async fn put(&self, sas: &Sas, blob_name: &str, content: String) -> Result<(), Refusal> {
        let operation = "writing";
        let container = &self.supply.target.container;
        let url = blob_url(container, blob_name, sas).ok_or(Refusal::NoContainer { operation })?;
        let request = self
            .client
            .put(url)
            .header("x-ms-blob-type", "BlockBlob")
            .header("if-none-match", "*")
            .header("content-type", "application/json")
            .body(content);
        let answer = request.send().await.map_err(|error| no_answer(operation, error))?;
        match answer.status() {
            StatusCode::CREATED => Ok(()),
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Err(Refusal::Exists { operation }),
            _ => Err(refusal(operation, &answer)),
        }
    }

    /// The names of the blobs that begin with `prefix`, in order.
    pub async fn list(&self, prefix: &str, now: Timestamp) -> Result<Vec<String>, Error> {
        let sas = self.supply.for_minutes("rl", now).await?;
        let mut names = Vec::new();
        let mut marker = String::new();
        for _ in 0..PAGES_MAX {
            let page = self.page(&sas, prefix, &marker).await;
            let page = page.map_err(|cause| self.failed("list", prefix, cause))?;
            names.extend(elements(&page, "Name").filter(|name| name.starts_with(prefix)).map(str::to_owned));
            match elements(&page, "NextMarker").next() {
                Some(next) if !next.is_empty() => next.clone_into(&mut marker),
                _ => {
                    names.sort();
                    return Ok(names);
                }
            }
        }
        let reason = format!("the list has more than {PAGES_MAX} pages");
        Err(self.failed("list", prefix, Refusal::NoAnswer { operation: LISTING, reason }))
    }

    async fn page(&self, sas: &Sas, prefix: &str, marker: &str) -> Result<String, Refusal> {
        let mut url = self.supply.target.container.url().clone();
        url.set_query(Some(sas.query().expose_secret()));
        let own = [("restype", "container"), ("comp", "list"), ("prefix", prefix), ("marker", marker)];
        url.query_pairs_mut().extend_pairs(own.iter().filter(|(_, value)| !value.is_empty()));
        let answer = self.client.get(url).send().await.map_err(|error| no_answer(LISTING, error))?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(LISTING, &answer));
        }
        text(answer, PAGE_MAX_BYTES, LISTING).await
    }

    /// The content of a blob; `None` when it does not exist.
    pub async fn read(&self, blob_name: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let sas = self.supply.for_minutes("rl", now).await?;
        self.get(&sas, blob_name).await.map_err(|cause| self.failed("read", blob_name, cause))
    }

    async fn get(&self, sas: &Sas, blob_name: &str) -> Result<Option<String>, Refusal> {
        let operation = "reading";
        let Some(url) = blob_url(&self.supply.target.container, blob_name, sas) else { return Ok(None) };
        let answer = self.client.get(url).send().await.map_err(|error| no_answer(operation, error))?;
        match answer.status() {
            StatusCode::OK => text(answer, BLOB_MAX_BYTES, operation).await.map(Some),
            StatusCode::NOT_FOUND if !is_error(&answer, "ContainerNotFound") => Ok(None),
            _ => Err(refusal(operation, &answer)),
        }
    }

    fn failed(&self, verb: &'static str, blob_name: &str, cause: Refusal) -> Error {
        let (storage, container) = (self.supply.name.clone(), self.supply.target.container.to_string());
        Error::UseBlob { verb, blob_name: blob_name.into(), storage, container, cause }
    }
}

const LISTING: &str = "listing";

async fn text(
    answer: reqwest::Response,
    max_bytes: usize,
    operation: &'static str,
) -> Result<String, Refusal> {
    let lost = |reason| Refusal::NoAnswer { operation, reason };
    let bytes = body(answer, max_bytes).await.map_err(lost)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| lost("the answer is not UTF-8".to_owned()))
}

/// The texts of all elements of this name, in XML of one known form. Texts with escapes are left out.
fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, after) = after.split_once(&close)?;
        rest = after;
        Some(text)
    })
    .filter(|text| !text.contains(['<', '&']))
}
