//! The token of each request, and what a 401 does.

use async_trait::async_trait;
use holdfast_arm::{Arm, ArmClient, ErrorKind, NoopCallObserver, Settings, Token, TokenError, TokenSource};
use holdfast_model::{Clock, ManualClock};
use std::sync::Arc;
use std::time::Duration;

use crate::answers::{REFUSAL, app, created, list, request};
use crate::server::{Server, answer, arm_with, clock, tls, tokens};

#[tokio::test]
async fn a_401_renews_the_token_once_and_the_post_goes_through() {
    let server = Server::new(|_, before| match before {
        0 => answer(401, &[], r#"{"error":{"code":"ExpiredAuthenticationToken","message":"expired"}}"#),
        _ => answer(200, &[], created(&app()).to_string()),
    })
    .await;
    let arm = arm_with(Settings::new(server.url.clone()), tokens());
    arm.backup(&app(), &request()).await.unwrap();
    arm.backup(&app(), &request()).await.unwrap();
    let sent: Vec<String> =
        server.seen().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(sent, ["Bearer S3CR3T-TOKEN-1", "Bearer S3CR3T-TOKEN-2", "Bearer S3CR3T-TOKEN-2"]);
    assert_eq!(server.seen()[0].body, server.seen()[1].body);
}

#[tokio::test]
async fn a_second_401_is_the_end() {
    let server =
        Server::always(401, r#"{"error":{"code":"InvalidAuthenticationToken","message":"no"}}"#).await;
    let source = tokens();
    let error = arm_with(Settings::new(server.url.clone()), source.clone()).site(&app()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (&ErrorKind::Unauthorized, Some("InvalidAuthenticationToken")));
    assert_eq!((server.seen().len(), *source.given.lock().unwrap()), (2, 2));
}

#[tokio::test]
async fn an_ambiguous_answer_after_a_401_is_not_repeated() {
    let server = Server::new(|_, before| answer(if before == 0 { 401 } else { 502 }, &[], REFUSAL)).await;
    let arm = arm_with(Settings::new(server.url.clone()), tokens());
    assert_eq!(arm.backup(&app(), &request()).await.unwrap_err().kind(), &ErrorKind::Ambiguous);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn one_token_serves_many_calls_at_once() {
    let server = Server::always(200, list(&[]).to_string()).await;
    let source = tokens();
    let arm = Arc::new(arm_with(Settings::new(server.url.clone()), source.clone()));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let arm = arm.clone();
            tokio::spawn(async move { arm.list_backups(&app()).await.map(|list| list.len()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 0);
    }
    assert_eq!((server.seen().len(), *source.given.lock().unwrap()), (20, 1));
}

#[derive(Debug)]
struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self) -> Result<Token, TokenError> {
        Err(TokenError::new("the secret has expired, client_secret=S3CR3T"))
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = Server::always(200, "").await;
    let arm = arm_with(Settings::new(server.url.clone()), Arc::new(NoTokens));
    let error = arm.backup(&app(), &request()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotSent);
    let text = "start a backup of bread: no token: the secret has expired, client_secret=[blanked]";
    assert_eq!(error.to_string(), text);
    assert!(server.seen().is_empty());
}

/// A credential that the token service refuses.
#[derive(Debug)]
struct Refused(TokenError);

#[async_trait]
impl TokenSource for Refused {
    async fn token(&self) -> Result<Token, TokenError> {
        Err(self.0.clone())
    }
}

#[tokio::test]
async fn a_refused_credential_is_not_merely_out_of_reach() {
    let server = Server::always(200, "").await;
    for (refused, kind) in [
        (TokenError::refused("AADSTS53003: a policy forbids it"), ErrorKind::Unauthorized),
        (TokenError::refused_for_good("AADSTS7000222: it has expired"), ErrorKind::CredentialRefused),
    ] {
        let arm = arm_with(Settings::new(server.url.clone()), Arc::new(Refused(refused)));
        let error = arm.backup(&app(), &request()).await.unwrap_err();
        assert_eq!(error.kind(), &kind);
        assert!(error.to_string().contains("AADSTS"), "{error}");
    }
    assert!(server.seen().is_empty());
}

/// Gives a token, and the machine stands still before it is there.
#[derive(Debug)]
struct Stall(Arc<ManualClock>, Duration);

#[async_trait]
impl TokenSource for Stall {
    async fn token(&self) -> Result<Token, TokenError> {
        self.0.advance(self.1);
        Ok(Token { secret: "S3CR3T".into(), expires_on: self.0.now() + Duration::from_hours(1) })
    }
}

#[tokio::test]
async fn a_host_suspended_after_its_token_sends_nothing_late() {
    tls();
    let server = Server::always(200, created(&app()).to_string()).await;
    // A token, a refused request and another token: callers expect at most this time.
    for (stall, sent) in [(Duration::from_secs(119), 1), (Duration::from_mins(4), 0)] {
        let clock = clock();
        let source = Arc::new(Stall(clock.clone(), stall));
        let (settings, rng) = (Settings::new(server.url.clone()), fastrand::Rng::with_seed(7));
        let arm = ArmClient::over_http(settings, source, clock, Arc::new(NoopCallObserver), rng).unwrap();
        let before = server.seen().len();
        let answer = arm.backup(&app(), &request()).await;
        assert_eq!(server.seen().len() - before, sent, "{stall:?}");
        if let Err(error) = answer {
            assert_eq!(error.kind(), &ErrorKind::NotSent, "{error}");
            assert_eq!(
                error.to_string(),
                "start a backup of bread: too late to send it: the machine stood still"
            );
        }
    }
}
