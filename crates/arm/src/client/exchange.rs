//! One call: a token, a request and its response.

use std::sync::PoisonError;
use std::time::Duration;

use holdfast_model::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use tracing::{Instrument, Span};
use url::Url;

use super::ArmClient;
use crate::envelope::is_azures_refusal;
use crate::headers::{header, remaining};
use crate::{
    ArmResponse, CallFacts, CallSubject, Error, ErrorKind, Remaining, Token, TokenError, TransportError,
    TransportRequest, TransportResponse,
};

/// A request that is sent once, or once more with another token.
struct Draft {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    not_after: SendDeadline,
}

/// The latest time at which a request may still be sent, by both clocks.
struct SendDeadline {
    wall: Timestamp,
    elapsed: Duration,
}

impl ArmClient {
    /// Sends a request and receives its response. Only a 401 of Azure's is repeated: once, with a fresh token. Azure answers
    /// 401 before it does anything, so a POST may be repeated too. A gateway's 401 says nothing of the kind.
    pub(super) async fn call<'a>(
        &self,
        subject: &CallSubject<'a>,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<ArmResponse<'a>, Error> {
        let begun = self.clock.elapsed();
        let no_token = |e: TokenError| {
            if !e.is_refused() {
                self.observer.no_token(subject.subscription, self.clock.elapsed().saturating_sub(begun));
            }
            let kind = match (e.is_refused_for_good(), e.is_refused()) {
                (true, _) => ErrorKind::CredentialRefused,
                (false, true) => ErrorKind::Unauthorized,
                (false, false) => ErrorKind::NotSent,
            };
            subject.error(kind, &e.to_string())
        };
        let draft = Draft { method, url, body, not_after: self.send_deadline() };
        let token = self.tokens.token().await.map_err(no_token)?;
        let mut response = self.exchange(subject, &draft, &token).await?;
        if response.status == 401 && is_azures_refusal(&response) {
            tracing::info!(operation = %subject.operation, "azure refused the token, which is renewed");
            let token = self.tokens.token_after_refusal(&token).await.map_err(no_token)?;
            response = self.exchange(subject, &draft, &token).await?;
        }
        Ok(ArmResponse { subject: *subject, asked: draft.url, received: self.clock.now(), response })
    }

    /// The longest a call takes before its last request: a token, a refused request, another token. The caller's lease
    /// covers this time and no more. A timer cannot detect that the host was suspended, because it was suspended too.
    fn send_deadline(&self) -> SendDeadline {
        let longest = 2 * self.settings.token_timeout + self.settings.call_timeout;
        SendDeadline { wall: self.clock.now() + longest, elapsed: self.clock.elapsed() + longest }
    }

    /// Sends once, in its own span, and reports to the observer.
    async fn exchange(
        &self,
        subject: &CallSubject<'_>,
        draft: &Draft,
        token: &Token,
    ) -> Result<TransportResponse, Error> {
        let client_request_id = self.client_request_id();
        let span = subject.span(draft.method.as_str(), &client_request_id);
        let begun = self.clock.elapsed();
        let request = draft.request(subject, token, &client_request_id)?;
        if self.clock.now() > draft.not_after.wall || begun > draft.not_after.elapsed {
            return Err(subject.error(ErrorKind::NotSent, "too late to send it: the machine stood still"));
        }
        let sent = self.transport.send(request).instrument(span.clone()).await;
        let received = received(subject, sent);
        let headers = received.as_ref().ok().map(|response| &response.headers);
        let status = received.as_ref().map_or_else(Error::status, |response| Some(response.status));
        record(&span, status, headers);
        self.observer.answered(&CallFacts {
            operation: subject.operation,
            method: draft.method.as_str(),
            subscription: subject.subscription,
            app: subject.app,
            status,
            remaining: headers.map_or_else(Remaining::default, remaining),
            elapsed: self.clock.elapsed().saturating_sub(begun),
        });
        received
    }

    fn client_request_id(&self) -> String {
        let mut random = [0; 10];
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut random);
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }
}

impl Draft {
    fn request(
        &self,
        subject: &CallSubject<'_>,
        token: &Token,
        client_request_id: &str,
    ) -> Result<TransportRequest, Error> {
        let no_header = |_| subject.error(ErrorKind::NotSent, "no token: it has signs no header can carry");
        let bearer = format!("Bearer {}", token.secret.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(no_header)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        if let Ok(id) = HeaderValue::from_str(client_request_id) {
            headers.insert(HeaderName::from_static("x-ms-client-request-id"), id);
        }
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if self.method == Method::POST {
            // hyper leaves the length out, and IIS answers 411 to a POST without one.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(TransportRequest {
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body: self.body.clone(),
            response_bytes_max: subject.operation.response_bytes_max(),
        })
    }
}

/// The response, or the error that its absence means. The status of a refusal counts even when its body is incomplete.
fn received(
    subject: &CallSubject<'_>,
    sent: Result<TransportResponse, TransportError>,
) -> Result<TransportResponse, Error> {
    let bytes_max = subject.operation.response_bytes_max();
    let is_refusal = |status| (400..500).contains(&status);
    match sent {
        Ok(response) if response.body.len() <= bytes_max => Ok(response),
        Ok(response) if is_refusal(response.status) => Ok(TransportResponse { body: Vec::new(), ..response }),
        Ok(response) => {
            let what = format!("the answer is larger than {bytes_max} bytes");
            let error = subject.error(ErrorKind::Ambiguous, &what);
            Err(error.with_answer(response.status, None).with_request_id(response.request_id()))
        }
        Err(TransportError { head: Some(head), .. }) if is_refusal(head.status) => Ok(*head),
        Err(failure) => Err(subject.transport_error(failure)),
    }
}

/// Records what the response adds to the span of its request.
fn record(span: &Span, status: Option<u16>, headers: Option<&HeaderMap>) {
    if let Some(status) = status {
        span.record("status", status);
    }
    for (field, name) in
        [("request_id", "x-ms-request-id"), ("correlation_id", "x-ms-correlation-request-id")]
    {
        if let Some(id) = headers.and_then(|headers| header(headers, name)) {
            span.record(field, id);
        }
    }
}
