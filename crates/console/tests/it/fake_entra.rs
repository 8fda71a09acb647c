//! Entra over HTTP: its documents, its keys, and the exchange of codes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_entra::{Entra, Settings};
use holdfast_model::Clock;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::signer::{CLIENT, Signer, TENANT, document, id_token};

pub const SECRET: &str = "s3cret-of-the-application";
pub const PUBLIC_URL: &str = "http://localhost:9464";

/// A fake Entra, which knows one application.
#[derive(Clone)]
pub struct FakeEntra {
    pub authority: String,
    state: Arc<Mutex<Inner>>,
}

pub struct Inner {
    pub signer: Signer,
    /// Whether every request is answered 500.
    pub is_broken: bool,
    /// The forms that were sent for codes.
    pub forms: Vec<BTreeMap<String, String>>,
    codes: BTreeMap<String, Code>,
}

/// What a person agreed to.
struct Code {
    challenge: String,
    claims: Value,
}

impl FakeEntra {
    pub async fn start() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = format!("http://{}", listener.local_addr().unwrap());
        let (forms, codes) = (Vec::new(), BTreeMap::new());
        let state = Arc::new(Mutex::new(Inner { signer: Signer::first(), is_broken: false, forms, codes }));
        let fake = Self { authority, state };
        let routes = axum::Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        fake
    }

    pub fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }

    /// The logins of a process that believes this Entra.
    pub fn logins(&self, clock: Arc<dyn Clock>) -> Entra {
        let secret: holdfast_entra::ClientSecret = Arc::new(|| Ok(SECRET.into()));
        let settings =
            Settings::new(&self.authority, (TENANT, CLIENT), PUBLIC_URL.parse().unwrap(), Some(secret));
        Entra::over_http(settings.unwrap(), clock).unwrap()
    }

    /// A person logs in at the address to which the console led, and agrees: where Entra sends the browser, with changes
    /// to the id token.
    pub fn agree(&self, address: &str, now: i64, changes: &Value) -> String {
        let address: Url = address.parse().unwrap();
        assert!(address.as_str().starts_with(&self.authority), "{address}");
        let query: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let fixed = ["response_type", "response_mode", "code_challenge_method", "client_id", "scope"];
        assert_eq!(
            fixed.map(|name| query[name].as_str()),
            ["code", "query", "S256", CLIENT, "openid profile"]
        );
        let mut claims = id_token(&self.authority, now, &query["nonce"]);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let mut state = self.state();
        let code = format!("code-{}", state.codes.len() + state.forms.len());
        state.codes.insert(code.clone(), Code { challenge: query["code_challenge"].clone(), claims });
        let back = query["redirect_uri"].strip_prefix(PUBLIC_URL).unwrap();
        format!("{back}?code={code}&state={}&session_state=x", query["state"])
    }
}

async fn answer(State(fake): State<FakeEntra>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 100_000).await.unwrap();
    let mut state = fake.state();
    if state.is_broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let answered = match path.rsplit('/').next().unwrap() {
        "keys" => json!({ "keys": [state.signer.jwk()] }),
        "openid-configuration" => document(&fake.authority, !path.contains("/v2.0/")),
        "token" => {
            let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
            return exchange(&mut state, form);
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(answered).into_response()
}

/// A code is good once, with the secret, the address and the verifier of its login.
fn exchange(state: &mut Inner, form: BTreeMap<String, String>) -> Response {
    let code = state.codes.remove(&form["code"]);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    let code = code.filter(|code| {
        code.challenge == challenge
            && form["client_secret"] == SECRET
            && form["redirect_uri"] == format!("{PUBLIC_URL}/login/entra/callback")
            && form["grant_type"] == "authorization_code"
    });
    state.forms.push(form);
    let Some(Code { claims, .. }) = code else {
        let error =
            json!({ "error": "invalid_grant", "error_description": "AADSTS70008: the code was used <b>" });
        return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
    };
    axum::Json(json!({ "id_token": state.signer.sign(&claims), "access_token": "unused-access-token" }))
        .into_response()
}
