//! Where `holdfast audit verify` reads checkpoints.

use std::path::Path;
use std::sync::Arc;

use holdfast_config::{Fleet, Secrets};
use holdfast_control::audit::{CheckpointLines, blob_prefix};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::StorageName;
use holdfast_runtime::checkpoints::container;
use holdfast_storage::{
    Access, AppendContainer, Container, LiveSecrets, NoToken, SasSource, SecretRef, StorageTarget, Tokens,
};
use secrecy::{ExposeSecret, SecretString};

use crate::context::Context;

/// Reads checkpoints from a file or a folder, from a storage of the fleet file, or from a container's URL.
pub async fn read(text: &str, name: Option<&str>, context: &Context) -> anyhow::Result<CheckpointLines> {
    let prefix = name.map(blob_prefix).unwrap_or_default();
    let container = match text.split_once(':') {
        Some(("storage", storage)) => stored(&StorageName::new(storage), context)?,
        Some(("https" | "http", _)) => at_url(text, context)?,
        Some(("env", _)) => with_sas(text)?,
        _ => return Ok(CheckpointLines::of_path(Path::new(text))?),
    };
    Ok(CheckpointLines::of_container(&container, &prefix, context.clock.now()).await?)
}

fn fleet(context: &Context) -> anyhow::Result<Fleet> {
    context.fleet_with(Secrets::Leave)
}

fn stored(storage: &StorageName, context: &Context) -> anyhow::Result<AppendContainer> {
    container(&fleet(context)?, storage, &context.clock)
}

/// The container of a storage of the fleet file, by its URL.
fn at_url(url: &str, context: &Context) -> anyhow::Result<AppendContainer> {
    if url.contains('?') {
        let error =
            Error::new(ErrorKind::Invalid, "the URL of the checkpoints has a query, which may be a SAS");
        let help = "every user of this machine sees a command line: put the URL into a variable, and give `env:NAME`";
        return Err(error.help(help).into());
    }
    let wanted: Container = url.parse().map_err(|error: holdfast_storage::InvalidContainer| {
        Error::new(ErrorKind::Invalid, format!("`{url}` is not the URL of a container: {error}"))
    })?;
    let fleet = fleet(context)?;
    let found = fleet.storages.iter().find(|(_, target)| target.container == wanted);
    let Some((name, _)) = found else {
        let error = Error::new(
            ErrorKind::NotFound,
            format!("no storage of the fleet file has the container {wanted}"),
        );
        return Err(error.help("give `env:NAME` with the URL of the container and a SAS").into());
    };
    container(&fleet, name, &context.clock)
}

/// The container of a URL with a SAS, in an environment variable.
fn with_sas(reference: &str) -> anyhow::Result<AppendContainer> {
    let reference: SecretRef = reference
        .parse()
        .map_err(|_| Error::new(ErrorKind::Invalid, "expected `env:NAME` for the checkpoints"))?;
    let invalid = |why: String| Error::new(ErrorKind::Invalid, format!("`{reference}` {why}"));
    let secret = reference.read().map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    let url = secret.expose_secret().split('?').next().unwrap_or_default();
    let container: Container = url.parse().map_err(|error: holdfast_storage::InvalidContainer| {
        invalid(format!("has no container's URL: {error}"))
    })?;
    let tokens: Arc<dyn Tokens> = Arc::new(NoTokens);
    let secrets = Arc::new(LiveSecrets::new(Arc::clone(&tokens))?);
    let target = StorageTarget::new(container, SasSource::Url(reference));
    Ok(AppendContainer::new(StorageName::new("checkpoints"), target, Access { secrets, tokens })?)
}

/// Gives no token: the SAS is all that is used.
#[derive(Debug)]
struct NoTokens;

#[async_trait::async_trait]
impl Tokens for NoTokens {
    async fn token(&self, _scope: &str) -> Result<SecretString, NoToken> {
        let reason = "a URL with a SAS needs none".to_owned();
        Err(NoToken { reason, is_refused_for_good: false })
    }
}
