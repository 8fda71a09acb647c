//! One request and its answer.

use std::sync::PoisonError;
use std::time::Duration;

use holdfast_model::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response};
use secrecy::ExposeSecret;
use tracing::Instrument;
use url::Url;

use crate::refusal::{header, remaining};
use crate::{Answer, CallFacts, Error, ErrorKind, HttpArm, Remaining, Target, Token, TokenError};

impl HttpArm {
    /// One request and its answer, repeated only after a 401: with a fresh token, and once. A request that was
    /// answered 401 was certainly not carried out, so a POST may be repeated too.
    pub(crate) async fn call(
        &self,
        target: &Target<'_>,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Error> {
        let no_token = |e: TokenError| target.error(ErrorKind::NotSent, &e.to_string());
        let last = self.last_start();
        let token = self.tokens.token().await.map_err(no_token)?;
        let answer = self.exchange(target, &method, &url, body.clone(), (&token, last)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        tracing::info!(operation = %target.operation, "azure refused the token, which is renewed");
        let token = self.tokens.token_after_refusal(&token).await.map_err(no_token)?;
        self.exchange(target, &method, &url, body, (&token, last)).await
    }

    /// The time by which a request that is asked for now has left, by both clocks, as the longest of calls goes: a
    /// token, a refused request, another token. Whoever waits for the answer counts on it. No timer tells of a machine
    /// that stands still, whose own time does too.
    fn last_start(&self) -> (Timestamp, Duration) {
        let longest = 2 * self.settings.token_timeout + self.settings.call_timeout;
        (self.clock.now() + longest, self.clock.elapsed() + longest)
    }

    /// Sends and reads once, in a span of its own, and tells the observer.
    async fn exchange(
        &self,
        target: &Target<'_>,
        method: &Method,
        url: &Url,
        body: Option<Vec<u8>>,
        (token, last): (&Token, (Timestamp, Duration)),
    ) -> Result<Answer, Error> {
        let client_request_id = self.client_request_id();
        let span = target.span(method.as_str(), &client_request_id);
        let begun = self.clock.elapsed();
        let request = self.request(target, method, url, body, token, &client_request_id)?;
        if self.clock.now() > last.0 || begun > last.1 {
            return Err(target.error(ErrorKind::NotSent, "too late to send it: the machine stood still"));
        }
        let sent = send(target, request).instrument(span.clone()).await;
        let (status, headers) = match &sent {
            Ok(answer) => (Some(answer.status), Some(&answer.headers)),
            Err(error) => (error.status(), None),
        };
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
        self.observer.answered(&CallFacts {
            operation: target.operation,
            method: method.as_str(),
            subscription: target.subscription,
            app: target.app,
            status,
            remaining: headers.map_or_else(Remaining::default, remaining),
            elapsed: self.clock.elapsed().saturating_sub(begun),
        });
        sent
    }

    fn request(
        &self,
        target: &Target<'_>,
        method: &Method,
        url: &Url,
        body: Option<Vec<u8>>,
        token: &Token,
        client_request_id: &str,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()));
        let mut bearer = bearer
            .map_err(|_| target.error(ErrorKind::NotSent, "no token: it has signs no header can carry"))?;
        bearer.set_sensitive(true);
        let request = self.http.request(method.clone(), url.clone());
        let request =
            request.header(AUTHORIZATION, bearer).header("x-ms-client-request-id", client_request_id);
        Ok(match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body),
            // hyper leaves the length out, and IIS answers 411 to a POST that does not tell it.
            None if *method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        })
    }

    fn client_request_id(&self) -> String {
        let mut random = [0; 10];
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut random);
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }
}

/// Sends the request and reads the answer to its end.
async fn send(target: &Target<'_>, request: reqwest::RequestBuilder) -> Result<Answer, Error> {
    let mut response = request.send().await.map_err(|e| target.lost(e))?;
    let answer = Answer::new(response.status().as_u16(), response.headers().clone(), Vec::new());
    let answer = Answer { asked: Some(response.url().clone()), ..answer };
    match body(target, &mut response).await {
        Ok(body) => Ok(Answer { body, ..answer }),
        // The status of a refusal means what it means, even when its words are cut off.
        Err(_) if (400..500).contains(&answer.status) => Ok(answer),
        Err(error) => Err(error.with_answer(answer.status, None).with_request_id(answer.request_id())),
    }
}

/// Reads the body, up to the operation's limit and no further.
async fn body(target: &Target<'_>, response: &mut Response) -> Result<Vec<u8>, Error> {
    let bytes_max = target.operation.answer_bytes_max();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > bytes_max => {
                let what = format!("the answer is larger than {bytes_max} bytes");
                return Err(target.error(ErrorKind::Ambiguous, &what));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                let late = error.is_timeout();
                let what = if late { "the answer did not end in time" } else { "the answer broke off" };
                return Err(target.broken(ErrorKind::Ambiguous, what, error));
            }
        }
    }
}
