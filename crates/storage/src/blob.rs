//! Reads the facts of a blob.

use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use reqwest::{Client, StatusCode};

use crate::http::{blob_url, is_error, no_answer, refusal};
use crate::{BlobFacts, Container, Refusal, Sas};

/// Reads the facts of a blob with a HEAD; `None` when it does not exist.
pub(crate) async fn look(
    client: &Client,
    container: &Container,
    sas: &Sas,
    blob_name: &str,
) -> Result<Option<BlobFacts>, Refusal> {
    let operation = "looking";
    // A name that no URL can express cannot exist in storage.
    let Some(url) = blob_url(container, blob_name, sas) else { return Ok(None) };
    let answer = client.head(url).send().await.map_err(|error| no_answer(operation, error))?;
    match answer.status() {
        StatusCode::OK => match length(answer.headers()) {
            Some(size_bytes) => Ok(Some(BlobFacts { size_bytes })),
            None => Err(Refusal::NoAnswer { operation, reason: "the response has no length".to_owned() }),
        },
        // A HEAD's 404 has no body; only this header distinguishes a missing blob from a missing container.
        StatusCode::NOT_FOUND if !is_error(&answer, "ContainerNotFound") => Ok(None),
        _ => Err(refusal(operation, &answer)),
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
