//! Tokens from the agent of Azure Arc, which gives a server outside Azure its identity.
//!
//! The agent answers the first request with 401 and names a file that only members of its group can read. The second
//! request carries the content of that file. Source: Microsoft's "Authenticate against Azure resources with Azure
//! Arc-enabled servers". `azure_identity` refuses this source of tokens.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, SystemClock};
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Client, Response};
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::http::{is_loopback, read_body, without_redirects};
use crate::token_answer::{self, TOKEN_ANSWER_BYTES_MAX, TokenService};
use crate::{Token, TokenError, TokenSource};

/// A client of Azure Arc's agent on this machine.
pub(crate) struct ArcIdentity {
    request: Url,
    /// The only folder whose files are read.
    keys: PathBuf,
    http: Client,
    clock: Arc<dyn Clock>,
}

/// The version of the agent's API.
const API_VERSION: &str = "2020-06-01";

/// The largest key file, in bytes, as in Microsoft's own clients.
const KEY_BYTES_MAX: u64 = 4_096;

/// The longest time for a request. The agent asks Azure for the token.
const TIMEOUT: Duration = Duration::from_secs(30);

impl ArcIdentity {
    /// The agent that the environment names; `None` where it names none.
    ///
    /// `variable` reads the environment. `client_id` is of a user-assigned identity, which the agent does not have.
    pub(crate) fn find(
        client_id: Option<&str>,
        scope: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TokenError> {
        let endpoint = variable("IDENTITY_ENDPOINT");
        let is_arc = variable("IDENTITY_HEADER").is_none() && variable("IMDS_ENDPOINT").is_some();
        let Some(endpoint) = endpoint.filter(|_| is_arc) else { return Ok(None) };
        if client_id.is_some() {
            return Err(TokenError::new(
                "the agent of Azure Arc has the machine's own identity only: remove `client_id`",
            ));
        }
        let keys = keys(&variable).ok_or_else(|| TokenError::new("`ProgramData` is not set"))?;
        Self::new(&endpoint, keys, scope).map(Some)
    }

    fn new(endpoint: &str, keys: PathBuf, scope: &str) -> Result<Self, TokenError> {
        let foreign = "the `IDENTITY_ENDPOINT` of Azure Arc is not an http URL of this machine";
        let mut request = Url::parse(endpoint).map_err(|_| TokenError::new(foreign))?;
        if !is_loopback(&request) || request.scheme() != "http" {
            return Err(TokenError::new(foreign));
        }
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        request.set_query(None);
        request.query_pairs_mut().append_pair("api-version", API_VERSION).append_pair("resource", resource);
        let http = without_redirects().no_proxy().timeout(TIMEOUT).build();
        let http = http.map_err(|_| TokenError::new("failed to build the HTTP client"))?;
        Ok(Self { request, keys, http, clock: Arc::new(SystemClock::default()) })
    }

    async fn ask(&self, key: Option<&str>) -> Result<Response, TokenError> {
        let mut request = self.http.get(self.request.clone()).header("metadata", "true");
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Basic {key}"));
        }
        let no_answer = |error: reqwest::Error| {
            let error = error.without_url();
            TokenError::new(&format!(
                "the agent of Azure Arc did not answer: {}",
                crate::cause::innermost(&error)
            ))
        };
        request.send().await.map_err(no_answer)
    }

    /// Reads the key file that the agent's challenge names, if it is one of the agent's.
    fn key(&self, challenge: &str) -> Result<Zeroizing<String>, TokenError> {
        let Some((_, path)) = challenge.split_once("realm=") else {
            return Err(TokenError::new(
                "the agent of Azure Arc answered 401 without the path of a key file",
            ));
        };
        let path = Path::new(path.trim().trim_matches('"'));
        let is_in_folder = path.parent() == Some(&self.keys);
        if !is_in_folder || path.extension().is_none_or(|extension| extension != "key") {
            return Err(TokenError::new(&format!(
                "the agent of Azure Arc named a key file outside {}, or without the extension .key: it is not read",
                self.keys.display()
            )));
        }
        read_key(path).map_err(|why| {
            TokenError::new(&format!("failed to read the key file of Azure Arc, {}: {why}", path.display()))
        })
    }
}

/// The folder in which the agent puts its keys.
fn keys(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("ProgramData")
            .map(|data| Path::new(&data).join("AzureConnectedMachineAgent\\Tokens"));
    }
    Some(PathBuf::from("/var/opt/azcmagent/tokens"))
}

fn read_key(path: &Path) -> Result<Zeroizing<String>, String> {
    let said = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!("{error}; add the user of this process to the group himds")
        }
        _ => error.to_string(),
    };
    if !fs::symlink_metadata(path).map_err(said)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut key = Zeroizing::new(String::new());
    File::open(path).and_then(|file| file.take(KEY_BYTES_MAX + 1).read_to_string(&mut key)).map_err(said)?;
    if key.len() as u64 > KEY_BYTES_MAX {
        return Err(format!("it is larger than {KEY_BYTES_MAX} bytes"));
    }
    Ok(key)
}

#[async_trait]
impl TokenSource for ArcIdentity {
    async fn token(&self) -> Result<Token, TokenError> {
        let challenge = self.ask(None).await?;
        let status = challenge.status().as_u16();
        let named = challenge.headers().get(WWW_AUTHENTICATE).and_then(|header| header.to_str().ok());
        let named = named.filter(|_| status == 401).map(str::to_owned);
        let Some(named) = named else {
            let what = format!("the agent of Azure Arc answered {status} in place of its challenge");
            return Err(TokenError::new(&what));
        };
        let key = self.key(&named)?;
        let mut answer = self.ask(Some(key.trim())).await?;
        let status = answer.status().as_u16();
        let body = read_body(&mut answer, TOKEN_ANSWER_BYTES_MAX).await;
        let body = body.map_err(|error| TokenError::new(&error.to_string()))?;
        token_answer::token(TokenService::ManagedIdentity, status, &body, self.clock.now())
    }
}

impl fmt::Debug for ArcIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcIdentity").field("request", &self.request.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
