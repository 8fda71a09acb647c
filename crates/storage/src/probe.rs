//! Tests a SAS with a write. A backup would fail only at its end.

use holdfast_model::Timestamp;
use reqwest::{Client, Response, StatusCode};

use crate::http::{blob_url, no_answer, refusal, server_time};
use crate::{Container, Refusal, Sas};

/// The result of a test write.
#[derive(Debug)]
pub(crate) struct Probed {
    pub result: Result<(), Refusal>,
    /// The storage's own time, if it responded.
    pub server_time: Option<Timestamp>,
}

/// Writes a small blob called `blob_name` and deletes it.
pub(crate) async fn probe(client: &Client, container: &Container, sas: &Sas, blob_name: &str) -> Probed {
    match write(client, container, sas, blob_name).await {
        Ok(answer) => {
            let server_time = server_time(&answer);
            let result = match answer.status() {
                StatusCode::CREATED => delete(client, container, sas, blob_name).await,
                _ => Err(refusal(WRITING, &answer)),
            };
            Probed { result, server_time }
        }
        Err(refusal) => Probed { result: Err(refusal), server_time: None },
    }
}

const WRITING: &str = "writing";

async fn write(
    client: &Client,
    container: &Container,
    sas: &Sas,
    blob_name: &str,
) -> Result<Response, Refusal> {
    let url = blob_url(container, blob_name, sas).ok_or(Refusal::NoContainer { operation: WRITING })?;
    let request = client.put(url).header("x-ms-blob-type", "BlockBlob").body("holdfast");
    request.send().await.map_err(|error| no_answer(WRITING, error))
}

async fn delete(client: &Client, container: &Container, sas: &Sas, blob_name: &str) -> Result<(), Refusal> {
    let operation = "deleting";
    let url = blob_url(container, blob_name, sas).ok_or(Refusal::NoContainer { operation })?;
    let answer = client.delete(url).send().await.map_err(|error| no_answer(operation, error))?;
    match answer.status() {
        // 404: a lifecycle rule or another process deleted it first.
        StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
        // A container with immutable storage refuses deletions and still accepts backups.
        StatusCode::CONFLICT => {
            tracing::warn!(%container, blob_name, "the container keeps blobs from being deleted; the test blob stays");
            Ok(())
        }
        _ => Err(refusal(operation, &answer)),
    }
}
