//! One request and its answer.

use std::sync::PoisonError;

use holdfast_model::{AppId, BackupId, SubscriptionId};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use secrecy::ExposeSecret;
use tracing::{Instrument, Span, field};
use url::Url;

use crate::refusal::{header, refusal, remaining};
use crate::wire::{self, Unreadable};
use crate::{Backup, CallFacts, Error, HttpArm, Operation, Remaining, Token, TokenError, Verdict};

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    operation: Operation,
    subscription: &'a SubscriptionId,
    app: Option<&'a AppId>,
    backup: Option<BackupId>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) request_id: Option<String>,
}

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
        let no_token = |e: TokenError| target.error(Verdict::NotSent, &e.to_string());
        let token = self.tokens.token().await.map_err(no_token)?;
        let mut answer = self.exchange(target, &method, &url, body.clone(), &token).await?;
        if answer.status == 401 {
            tracing::info!(operation = %target.operation, "azure refused the token, which is renewed");
            let token = self.tokens.token_after_refusal(&token).await.map_err(no_token)?;
            answer = self.exchange(target, &method, &url, body, &token).await?;
        }
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(refusal(
                target.operation,
                target.name(),
                status,
                &answer.headers,
                &answer.body,
                self.clock.now(),
            )
            .with_request_id(answer.request_id)),
        }
    }

    /// Sends and reads once, in a span of its own, and tells the observer.
    async fn exchange(
        &self,
        target: &Target<'_>,
        method: &Method,
        url: &Url,
        body: Option<Vec<u8>>,
        token: &Token,
    ) -> Result<Answer, Error> {
        let client_request_id = self.client_request_id();
        let span = target.span(&client_request_id);
        let begun = self.clock.elapsed();
        let sent =
            self.send(target, method, url, body, token, &client_request_id).instrument(span.clone()).await;
        let elapsed = self.clock.elapsed().saturating_sub(begun);
        let (status, headers) = match &sent {
            Ok(answer) => (Some(answer.status), Some(&answer.headers)),
            Err(error) => (error.status(), None),
        };
        if let Some(status) = status {
            span.record("status", status);
        }
        for (field, name) in [("request_id", REQUEST_ID), ("correlation_id", CORRELATION_ID)] {
            if let Some(id) = headers.and_then(|headers| header(headers, name)) {
                span.record(field, id);
            }
        }
        self.observer.answered(&CallFacts {
            operation: target.operation,
            subscription: target.subscription,
            app: target.app,
            status,
            remaining: headers.map_or_else(Remaining::default, remaining),
            elapsed,
        });
        sent
    }

    async fn send(
        &self,
        target: &Target<'_>,
        method: &Method,
        url: &Url,
        body: Option<Vec<u8>>,
        token: &Token,
        client_request_id: &str,
    ) -> Result<Answer, Error> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()));
        let mut bearer = bearer
            .map_err(|_| target.error(Verdict::NotSent, "no token: it has signs no header can carry"))?;
        bearer.set_sensitive(true);
        let mut request = self.http.request(method.clone(), url.clone());
        request = request.header(AUTHORIZATION, bearer).header("x-ms-client-request-id", client_request_id);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        } else if *method == Method::POST {
            request = request.body("");
        }
        let response = request.send().await.map_err(|e| target.lost(e))?;
        target.read(response).await
    }

    fn client_request_id(&self) -> String {
        let mut random = [0; 10];
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut random);
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }
}

const REQUEST_ID: &str = "x-ms-request-id";
const CORRELATION_ID: &str = "x-ms-correlation-request-id";

impl<'a> Target<'a> {
    pub(crate) fn subscription(operation: Operation, subscription: &'a SubscriptionId) -> Self {
        Self { operation, subscription, app: None, backup: None }
    }

    pub(crate) fn app(operation: Operation, app: &'a AppId) -> Self {
        Self { operation, subscription: app.subscription(), app: Some(app), backup: None }
    }

    pub(crate) fn backup(operation: Operation, app: &'a AppId, id: BackupId) -> Self {
        Self { backup: Some(id), ..Self::app(operation, app) }
    }

    /// The backup that an answer tells.
    pub(crate) fn backup_in(&self, answer: &Answer) -> Result<Backup, Error> {
        let backup =
            wire::json_body(&answer.body).and_then(|body| wire::backup(&body, answer.request_id.as_deref()));
        backup.map_err(|e| self.unreadable(&e, answer))
    }

    /// The error of a 2xx whose body is not what it should be. Whether Azure did what was asked cannot be told.
    pub(crate) fn unreadable(&self, why: &Unreadable, answer: &Answer) -> Error {
        let kind = header(&answer.headers, "content-type").unwrap_or("no content type");
        let what = format!("azure answered {} and {why} ({kind})", answer.status);
        self.error(Verdict::Ambiguous, &what)
            .with_answer(answer.status, None)
            .with_request_id(answer.request_id.clone())
    }

    fn error(&self, verdict: Verdict, what: &str) -> Error {
        Error::new(self.operation, self.name(), verdict, what)
    }

    fn name(&self) -> String {
        match (self.app, self.backup) {
            (Some(app), Some(id)) => format!("backup {id} of {}", app.short_name()),
            (Some(app), None) => app.short_name(),
            (None, _) => format!("subscription {}", self.subscription),
        }
    }

    fn span(&self, client_request_id: &str) -> Span {
        tracing::info_span!(
            "arm",
            operation = self.operation.as_str(),
            subscription = %self.subscription,
            app = self.app.map(|app| field::display(app.short_name())),
            backup = self.backup.map(field::display),
            client_request_id,
            status = field::Empty,
            request_id = field::Empty,
            correlation_id = field::Empty,
        )
    }

    /// The error of a request without an answer. Only a connection that was never made is certain to have carried
    /// nothing.
    fn lost(&self, error: reqwest::Error) -> Error {
        let verdict =
            if error.is_connect() || error.is_builder() { Verdict::NotSent } else { Verdict::Ambiguous };
        let what = match (&verdict, error.is_timeout()) {
            (Verdict::NotSent, true) => "no connection in time",
            (Verdict::NotSent, false) => "no connection",
            (_, true) => "no answer in time",
            (_, false) => "the connection broke before the answer",
        };
        self.broken(verdict, what, error)
    }

    /// Adds the innermost cause to the text, such as `Connection refused`; the URL is left out of it.
    fn broken(&self, verdict: Verdict, what: &str, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(deeper) = innermost.source() {
            innermost = deeper;
        }
        self.error(verdict, &format!("{what}: {innermost}")).with_source(error)
    }

    /// Reads the body up to the operation's limit.
    async fn read(&self, mut response: Response) -> Result<Answer, Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let request_id = header(&headers, REQUEST_ID).map(str::to_owned);
        let mut body = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.operation.answer_bytes_max() => {
                    let what =
                        format!("the answer is larger than {} bytes", self.operation.answer_bytes_max());
                    break Err(self.error(Verdict::Ambiguous, &what));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break Ok(()),
                Err(error) => {
                    let what = if error.is_timeout() {
                        "the answer did not end in time"
                    } else {
                        "the answer broke off"
                    };
                    break Err(self.broken(Verdict::Ambiguous, what, error));
                }
            }
        };
        match end {
            Ok(()) => Ok(Answer { status, headers, body, request_id }),
            // The status of a refusal means what it means, even when its words are cut off.
            Err(_) if (400..500).contains(&status) => {
                Ok(Answer { status, headers, body: Vec::new(), request_id })
            }
            Err(error) => Err(error.with_answer(status, None).with_request_id(request_id)),
        }
    }
}
