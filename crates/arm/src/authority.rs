//! The authority that issues tokens.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport, new_http_client,
};
use url::Url;

use crate::TokenError;
use crate::http::{client_builder, is_loopback, without_redirects};
use crate::token_transport::TokenTransport;

/// The address of Entra, and the connections to it.
pub(crate) struct Authority {
    host: Option<String>,
    transport: Transport,
    /// For the endpoints of managed identities, which are on this machine or beside it.
    direct: Transport,
}

impl Authority {
    /// An authority; `None` for the environment's or the public cloud's.
    pub(crate) fn new(url: Option<&Url>) -> Result<Self, TokenError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Without one, the HTTP client panics.
            return Err(TokenError::new("no TLS provider is installed in this process"));
        }
        let no_client = |_| TokenError::new("failed to build the HTTP client");
        let direct = without_redirects().no_proxy().build().map_err(no_client)?;
        let direct = token_transport(Arc::new(direct));
        match url {
            Some(url) if url.scheme() == "http" && is_loopback(url) => {
                let http = Arc::new(client_builder(url).build().map_err(no_client)?);
                let mut stated = url.clone();
                // Changing http to https cannot fail.
                let _ = stated.set_scheme("https");
                let transport = token_transport(Arc::new(Plain { http, authority: url.clone() }));
                Ok(Self { host: Some(stated.into()), transport, direct })
            }
            Some(url) if url.scheme() != "https" => {
                Err(TokenError::new(&format!("the authority `{url}` is neither https nor on this machine")))
            }
            Some(url) if is_loopback(url) => {
                Ok(Self { host: Some(url.to_string()), transport: direct.clone(), direct })
            }
            url => {
                let transport = token_transport(new_http_client(None));
                Ok(Self { host: url.map(Url::to_string), transport, direct })
            }
        }
    }

    /// The options for a credential. Retries are off at this level, where they would be invisible: the caller decides
    /// when to retry.
    pub(crate) fn client_options(&self) -> ClientOptions {
        self.options(&self.transport)
    }

    /// The options for a managed identity, whose requests never pass a proxy: they are plain http, and their answers
    /// are tokens. Its endpoint is 169.254.169.254 on a virtual machine, and `IDENTITY_ENDPOINT` in App Service.
    pub(crate) fn identity_options(&self) -> ClientOptions {
        self.options(&self.direct)
    }

    fn options(&self, transport: &Transport) -> ClientOptions {
        let cloud = self.host.clone().map(|host| {
            let mut custom = CustomConfiguration::default();
            custom.authority_host = host;
            Arc::new(custom.into())
        });
        let transport = Some(transport.clone());
        ClientOptions { cloud, transport, retry: RetryOptions::none(), ..Default::default() }
    }
}

/// A transport whose answers are read before `azure_identity` sees them.
fn token_transport(client: Arc<dyn HttpClient>) -> Transport {
    Transport::new(Arc::new(TokenTransport::new(client)))
}

/// Sends requests for an authority on this machine over plain http.
///
/// `azure_identity` refuses an authority that is not https. The simulator's is http on loopback: it is declared as https
/// and turned back here, below all of the credential's own code, so that the simulator tests the code that runs against
/// Azure.
#[derive(Debug)]
struct Plain {
    http: Arc<dyn HttpClient>,
    authority: Url,
}

#[async_trait]
impl HttpClient for Plain {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut plain = request.clone();
        let url = plain.url_mut();
        if url.host() == self.authority.host() {
            // Changing https to http cannot fail.
            let _ = url.set_scheme(self.authority.scheme());
        }
        self.http.execute_request(&plain).await
    }
}
