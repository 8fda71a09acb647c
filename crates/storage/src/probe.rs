//! A write that tries a SAS out: what a backup would find out only at its end.

use reqwest::{Client, StatusCode};

use crate::http::{blob_url, no_answer, refusal};
use crate::{Container, Refusal, Sas};

/// Writes a blob of a few bytes called `blob_name` and deletes it again.
pub(crate) async fn probe(
    client: &Client,
    container: &Container,
    sas: &Sas,
    blob_name: &str,
) -> Result<(), Refusal> {
    write(client, container, sas, blob_name).await?;
    delete(client, container, sas, blob_name).await
}

async fn write(client: &Client, container: &Container, sas: &Sas, blob_name: &str) -> Result<(), Refusal> {
    let operation = "writing";
    let url = blob_url(container, blob_name, sas).ok_or(Refusal::NoContainer { operation })?;
    let request = client.put(url).header("x-ms-blob-type", "BlockBlob").body("holdfast");
    let answer = request.send().await.map_err(|error| no_answer(operation, error))?;
    match answer.status() {
        StatusCode::CREATED => Ok(()),
        status => Err(refusal(operation, status)),
    }
}

async fn delete(client: &Client, container: &Container, sas: &Sas, blob_name: &str) -> Result<(), Refusal> {
    let operation = "deleting";
    let url = blob_url(container, blob_name, sas).ok_or(Refusal::NoContainer { operation })?;
    let answer = client.delete(url).send().await.map_err(|error| no_answer(operation, error))?;
    match answer.status() {
        // 404: a lifecycle rule, or another process's cleaning, was faster.
        StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
        // A container that keeps every blob for a time (immutable storage) takes backups all the same.
        StatusCode::CONFLICT => {
            tracing::warn!(%container, blob_name, "the container keeps blobs from being deleted; the test blob stays");
            Ok(())
        }
        status => Err(refusal(operation, status)),
    }
}
