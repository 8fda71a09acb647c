//! Probes an app over HTTP, as any client can.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use url::Url;

use crate::cause::innermost;
use crate::http::client_builder;

/// Checks whether a URL answers.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Sends one GET. Any status but 2xx is an error; redirects are not followed.
    async fn probe(&self, url: &str) -> Result<(), ProbeError>;
}

/// A probe that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The text is not a URL.
    #[error("the probe's URL is no URL")]
    Url,
    /// The HTTP client could not be built.
    #[error("the probe could not be made: {0}")]
    Client(String),
    /// The status was not 2xx.
    #[error("the probe was answered {0}")]
    Status(u16),
    /// No response came.
    #[error("the probe got no answer: {0}")]
    NoAnswer(String),
}

/// Probes over HTTP, without a token.
#[derive(Debug, Clone, Copy)]
pub struct HttpProbe {
    /// The longest wait for a response. An app that was just restored starts slowly.
    pub timeout: Duration,
}

#[async_trait]
impl Probe for HttpProbe {
    async fn probe(&self, url: &str) -> Result<(), ProbeError> {
        let url: Url = url.parse().map_err(|_| ProbeError::Url)?;
        let client = client_builder(&url).timeout(self.timeout).build();
        let client: Client = client.map_err(|error| ProbeError::Client(error.without_url().to_string()))?;
        let answer = client.get(url).send().await;
        let status = answer
            .map_err(|error| ProbeError::NoAnswer(innermost(&error.without_url()).to_string()))?
            .status();
        if status.is_success() { Ok(()) } else { Err(ProbeError::Status(status.as_u16())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_response_is_reported_with_its_innermost_cause() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The listener is dropped, so the port is closed.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let probe = HttpProbe { timeout: Duration::from_secs(5) };
        let error = probe.probe(&format!("http://{closed}/")).await.unwrap_err().to_string();
        assert!(error.contains("refused") && !error.contains(&closed.to_string()), "{error}");
    }
}
