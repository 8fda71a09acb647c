//! Sends a notice to a channel: one request, one answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{TransportRequest, http_transport};
use holdfast_config::Channel;
use holdfast_model::{Clock, Timestamp};
use holdfast_storage::{SecretRef, Secrets};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::notice::Notice;
use crate::send_error::{SendError, TIMEOUT};
use crate::signature::signature;
use crate::wording::Look;
use crate::{mail, render};

/// Answers are not read beyond this.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// The address of PagerDuty's Events API v2.
const PAGER_DUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// Sends notices.
#[async_trait]
pub trait Sending: Send + Sync {
    /// Sends a notice under an id.
    async fn send(&self, id: &str, notice: &Notice) -> Result<(), SendError>;
}

/// A channel of the fleet file.
pub struct ChannelSender {
    /// The channel.
    pub channel: Channel,
    /// Reads its secrets, for each try, because they rotate.
    pub secrets: Arc<dyn Secrets>,
    /// Dates the signatures.
    pub clock: Arc<dyn Clock>,
    /// Where people look further.
    pub look: Look,
    /// Blanks the known secrets of a text; `None` where it has none.
    pub blank: fn(&str) -> Option<String>,
}

impl fmt::Debug for ChannelSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSender").field("channel", &self.channel).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sending for ChannelSender {
    async fn send(&self, id: &str, notice: &Notice) -> Result<(), SendError> {
        match tokio::time::timeout(TIMEOUT, self.try_send(id, notice)).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::later(format!("no answer within {} s", TIMEOUT.as_secs()))),
        }
    }
}

impl ChannelSender {
    async fn try_send(&self, id: &str, notice: &Notice) -> Result<(), SendError> {
        let look = &self.look;
        match &self.channel {
            Channel::Webhook { url, secret } => {
                let body = self.text(&render::cloud_event(notice, look, id));
                self.post(url, |request| async move {
                    self.signed(request, secret.as_ref(), (id, self.clock.now()), &body).await
                })
                .await
            }
            Channel::Slack { url } => self.post_json(url, &render::slack(notice, look)).await,
            Channel::Teams { url } => self.post_json(url, &render::teams(notice, look)).await,
            Channel::Apprise { url, tag } => {
                let request = render::apprise(notice, look, tag.as_deref());
                let (url, body) = (self.url(url).await?, self.text(&request));
                match send(TransportRequest::post(url, body, ANSWER_MAX_BYTES)).await? {
                    // An Apprise API answers so where it has no receiver.
                    204 => Err(SendError::Never("answered 204: no receiver has this key or tag".to_owned())),
                    _ => Ok(()),
                }
            }
            Channel::PagerDuty { key, url } => self.page(notice, key, url.as_ref()).await,
            Channel::Email(email) => {
                let login = match &email.login {
                    Some((user, password)) => Some((user.as_str(), self.read(password).await?)),
                    None => None,
                };
                let (subject, text) = render::mail(notice, look);
                mail::send(email, login, (self.blanked(subject), self.blanked(text)), id).await
            }
            Channel::Heartbeat { url, .. } => self.beat(url).await,
        }
    }

    /// Requests the URL of a heartbeat.
    pub(crate) async fn beat(&self, url: &SecretRef) -> Result<(), SendError> {
        let url = self.url(url).await?;
        send(TransportRequest::document(url, ANSWER_MAX_BYTES)).await.map(drop)
    }

    /// The routing key is added after the text is blanked, which would blank it too.
    async fn page(&self, notice: &Notice, key: &SecretRef, url: Option<&SecretRef>) -> Result<(), SendError> {
        let key = self.read(key).await?;
        let url = match url {
            Some(url) => self.url(url).await?,
            None => PAGER_DUTY.parse().map_err(|_| not_a_url())?,
        };
        let text = self.text(&render::pager_duty(notice, &self.look));
        let mut event: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(event) = event.as_object_mut() {
            event.insert("routing_key".to_owned(), key.expose_secret().trim().into());
        }
        let body = serde_json::to_vec(&event).unwrap_or_default();
        send(TransportRequest::post(url, body, ANSWER_MAX_BYTES)).await.map(drop)
    }

    async fn post_json(&self, url: &SecretRef, body: &serde_json::Value) -> Result<(), SendError> {
        let (url, body) = (self.url(url).await?, self.text(body));
        send(TransportRequest::post(url, body, ANSWER_MAX_BYTES)).await.map(drop)
    }

    async fn post<F>(&self, url: &SecretRef, request: impl FnOnce(Url) -> F) -> Result<(), SendError>
    where
        F: Future<Output = Result<TransportRequest, SendError>>,
    {
        let url = self.url(url).await?;
        send(request(url).await?).await.map(drop)
    }

    /// A CloudEvent by POST, with the headers of Standard Webhooks.
    async fn signed(
        &self,
        url: Url,
        secret: Option<&SecretRef>,
        (id, now): (&str, Timestamp),
        body: &[u8],
    ) -> Result<TransportRequest, SendError> {
        let seconds = now.timestamp();
        let mut request = TransportRequest::post(url, body.to_vec(), ANSWER_MAX_BYTES)
            .with_header("content-type", "application/cloudevents+json; charset=utf-8")
            .with_header("webhook-id", id)
            .with_header("webhook-timestamp", &seconds.to_string());
        if let Some(secret) = secret {
            let key = self.read(secret).await?;
            let signature =
                signature(&key, id, seconds, body).map_err(|error| SendError::later(error.to_string()))?;
            request = request.with_header("webhook-signature", &signature);
        }
        Ok(request)
    }

    fn text(&self, body: &serde_json::Value) -> Vec<u8> {
        self.blanked(body.to_string()).into_bytes()
    }

    fn blanked(&self, text: String) -> String {
        (self.blank)(&text).unwrap_or(text)
    }

    async fn url(&self, reference: &SecretRef) -> Result<Url, SendError> {
        let text = self.read(reference).await?;
        text.expose_secret().trim().parse().map_err(|_| not_a_url())
    }

    /// A secret that cannot be read may be there at the next try.
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SendError> {
        self.secrets.read(reference).await.map_err(|error| SendError::later(error.to_string()))
    }
}

fn not_a_url() -> SendError {
    SendError::later("its `url` is no URL: correct the secret that it refers to")
}

/// Sends a request over HTTPS, or over HTTP to this machine. Redirects are not followed.
async fn send(request: TransportRequest) -> Result<u16, SendError> {
    let transport = http_transport(&request.url, TIMEOUT)
        .map_err(|_| SendError::Never("its `url` must begin with https://".to_owned()))?;
    let answer = transport.send(request).await.map_err(|error| SendError::later(error.to_string()))?;
    let pause = answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    judge(answer.status, pause.map(Duration::from_secs)).map(|()| answer.status)
}

/// What the status of an answer means. Its body may repeat what was sent, and is not kept.
fn judge(status: u16, pause: Option<Duration>) -> Result<(), SendError> {
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(SendError::Never(format!(
            "answered {status}, a redirect, which is not followed: set the address that it leads to"
        ))),
        408 | 424 | 425 | 429 => Err(SendError::Later { why: format!("answered {status}"), pause }),
        400..=499 => Err(SendError::Never(format!(
            "answered {status}: check the address and the key of the channel, then try it with `holdfast notify test`"
        ))),
        _ => Err(SendError::Later { why: format!("answered {status}"), pause }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_final_unless_the_receiver_may_recover() {
        for status in [200, 201, 202] {
            assert_eq!(judge(status, None), Ok(()), "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 410, 422] {
            assert!(matches!(judge(status, None), Err(SendError::Never(_))), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(judge(status, None), Err(SendError::Later { .. })), "{status}");
        }
    }
}
