//! Logins by Entra ID: of people with a code and PKCE, and of programs with an access token.

use std::sync::Arc;
use std::time::Duration;

use holdfast_access::Role;
use holdfast_console::{Entry, Transport};
use holdfast_model::{Clock as _, ManualClock};
use serde_json::{Value, json};

use crate::access::{JSON, ask, refusals};
use crate::fake_entra::{FakeEntra, PUBLIC_URL, SECRET};
use crate::http::exact;
use crate::signer::{Signer, access_token};
use crate::world::{World, between};

/// A console, its clock, and its Entra.
struct Place {
    world: World,
    clock: Arc<ManualClock>,
    entra: FakeEntra,
}

/// A browser at Entra: the address there, and the cookie of its login.
struct Away {
    address: String,
    cookie: String,
}

impl Place {
    async fn new() -> Self {
        Self::entered(Entry { requires_login: true, ..Entry::default() }).await
    }

    async fn entered(entry: Entry) -> Self {
        let fake = FakeEntra::start().await;
        let (world, clock) = World::with_entra(entry, |clock| fake.logins(clock)).await;
        Self { world, clock, entra: fake }
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// The answer to a request, with its head as it was sent.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let host = self.world.address().to_string();
        let headers = [headers, &[("Host", host.as_str())]].concat();
        exact(self.world.address(), &format!("GET {path}"), &headers, "").await
    }

    async fn begin(&self, next: &str) -> Away {
        let (status, head, body) = self.get(&format!("/login/entra?next={next}"), &[]).await;
        assert_eq!(status, 303, "{body}");
        let address = between(&head, "location: ", "\r\n").to_owned();
        Away { address, cookie: between(&head, "set-cookie: ", ";").to_owned() }
    }

    /// A whole login, with changes to the id token.
    async fn log_in(&self, changes: &Value) -> (u16, String, String) {
        let away = self.begin("/").await;
        let back = self.entra.agree(&away.address, self.now(), changes);
        self.get(&back, &[("Cookie", &away.cookie)]).await
    }

    /// An access token of a workload, with changes.
    fn token(&self, changes: &Value) -> String {
        let mut claims = access_token(&self.entra.authority, self.now());
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Signer::first().sign(&claims)
    }

    async fn reasons(&self) -> Vec<String> {
        refusals(&self.world).await.into_iter().map(|[who, _, _, why]| format!("{who}: {why}")).collect()
    }
}

#[tokio::test]
async fn a_person_logs_in_at_entra_and_comes_back_to_the_page() {
    let place = Place::new().await;
    let asked = place.world.get("/fleet?sort=name").await;
    assert_eq!(asked.status, 401);
    let link = format!("href=\"{PUBLIC_URL}/login/entra?next=%2Ffleet%3Fsort%3Dname\"");
    assert!(asked.body.contains(&link), "{}", asked.body);
    let away = place.begin("%2Ffleet%3Fsort%3Dname").await;
    let back = place.entra.agree(&away.address, place.now(), &json!({}));
    // Browsers say that the navigation comes from another site.
    let headers = [("Cookie", away.cookie.as_str()), ("Sec-Fetch-Site", "cross-site")];
    let (status, head, body) = place.get(&back, &headers).await;
    assert_eq!(status, 303, "{body}");
    assert!(head.contains("location: /fleet?sort=name\r\n"), "{head}");
    assert!(
        head.contains("set-cookie: holdfast-login=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
        "{head}"
    );
    let cookie = between(&head, "set-cookie: ", ";");
    let (status, _, page) = place.get("/fleet", &[("Cookie", cookie)]).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("ann@x.example (operator, by oidc)") && page.contains("Back up selected"),
        "{page}"
    );
    let audit = place.world.audit().await;
    assert!(
        audit.contains("LoggedIn") && audit.contains("ann@x.example") && audit.contains("\"oidc\""),
        "{audit}"
    );
    let form = place.entra.state().forms[0].clone();
    for secret in [SECRET, &form["code"], &form["code_verifier"], "unused-access-token", "eyJ"] {
        let told = [&head, &body, &page, &audit, &away.address];
        assert!(told.iter().all(|text| !text.contains(secret)), "{secret}");
    }
    place.clock.advance(Duration::from_hours(1));
    assert_eq!(place.get("/fleet", &[("Cookie", cookie)]).await.0, 401, "idle for an hour");
}

#[tokio::test]
async fn behind_a_proxy_the_cookies_of_a_login_are_for_tls_alone() {
    let place = Place::entered(Entry { transport: Transport::BehindProxy, ..Entry::default() }).await;
    let https = ("X-Forwarded-Proto", "https");
    let (status, head, _) = place.get("/login/entra?next=//evil.example", &[https]).await;
    assert_eq!(status, 303);
    assert!(head.contains("; HttpOnly; SameSite=Lax; Max-Age=600; Secure\r\n"), "{head}");
    let cookie = between(&head, "set-cookie: ", ";");
    assert!(cookie.starts_with("__Host-holdfast-login="), "{cookie}");
    let back = place.entra.agree(between(&head, "location: ", "\r\n"), place.now(), &json!({}));
    assert_eq!(place.get(&back, &[("Cookie", cookie)]).await.0, 403, "not through the proxy");
    let plain = cookie.trim_start_matches("__Host-");
    assert_eq!(place.get(&back, &[https, ("Cookie", plain)]).await.0, 401, "a name that other hosts can set");
    let (status, head, _) = place.get(&back, &[https, ("Cookie", cookie)]).await;
    assert_eq!(status, 303);
    assert!(head.contains("set-cookie: __Host-holdfast=") && head.contains("location: /\r\n"), "{head}");
}

#[tokio::test]
async fn an_answer_of_entra_that_is_not_of_this_login_begins_no_session() {
    let place = Place::new().await;
    let (mine, other) = (place.begin("/").await, place.begin("/").await);
    let back = place.entra.agree(&mine.address, place.now(), &json!({}));
    let state = between(&format!("{back}&"), "&state=", "&").to_owned();
    for (path, cookie) in [
        (back.clone(), ""),
        (back.clone(), other.cookie.as_str()),
        (back.clone(), "holdfast-login="),
        (back.replace(&state, "0"), &mine.cookie),
        (back.replace("state=", "estate="), &mine.cookie),
        (format!("{back}&state=x"), &mine.cookie),
        ("/login/entra/callback".to_owned(), &mine.cookie),
        ("/login/entra/callback?error=access_denied&error_description=hello".to_owned(), &mine.cookie),
    ] {
        let (status, head, body) = place.get(&path, &[("Cookie", cookie)]).await;
        assert_eq!(status, 401, "{path} {cookie}");
        assert!(!head.contains("set-cookie") && body.contains("was not begun in this browser"), "{body}");
        assert!(!body.contains("hello") && !body.contains(&state), "{body}");
    }
    assert!(place.entra.state().forms.is_empty(), "no code was shown to Entra");
    let foreign = back.replace("code-0", "code-of-another-client");
    let (status, _, body) = place.get(&foreign, &[("Cookie", &mine.cookie)]).await;
    assert_eq!(status, 401);
    assert!(body.contains("Entra ID refused the login: invalid_grant (AADSTS70008)."), "{body}");
    assert_eq!(place.get(&back, &[("Cookie", &mine.cookie)]).await.0, 401, "a login ends once");
    assert_eq!(place.reasons().await.len(), 1, "one record of the client in ten minutes");
    let (status, _, _) = place.get("/login/entra", &[]).await;
    assert_eq!(status, 429, "ten logins failed");
    place.clock.advance(Duration::from_mins(1));
    assert_eq!(place.log_in(&json!({})).await.0, 303);
}

#[tokio::test]
async fn a_code_is_bound_to_the_verifier_of_its_login_and_is_good_once() {
    let place = Place::new().await;
    let (mine, theirs) = (place.begin("/").await, place.begin("/").await);
    let [back, stolen] =
        [&mine, &theirs].map(|away| place.entra.agree(&away.address, place.now(), &json!({})));
    let code = |path: &str| between(path, "code=", "&").to_owned();
    let swapped = back.replace(&code(&back), &code(&stolen));
    let (status, _, body) = place.get(&swapped, &[("Cookie", &mine.cookie)]).await;
    assert_eq!(status, 401, "the code of another login, injected into this one: {body}");
    let (status, ..) = place.get(&stolen, &[("Cookie", &theirs.cookie)]).await;
    assert_eq!(status, 401, "and it is used up");
    let again = place.begin("/").await;
    let back = place.entra.agree(&again.address, place.now(), &json!({}));
    assert_eq!(place.get(&back, &[("Cookie", &again.cookie)]).await.0, 303);
    assert_eq!(place.get(&back, &[("Cookie", &again.cookie)]).await.0, 401);
}

#[tokio::test]
async fn an_id_token_that_proves_no_login_here_begins_no_session_and_is_recorded() {
    for (changes, status, why) in [
        (json!({ "nonce": "another" }), 401, "unknown: the token is of another login"),
        (json!({ "aud": "another" }), 401, "unknown: the token is for another application"),
        (json!({ "tid": "another" }), 401, "unknown: the token is of another tenant"),
        (json!({ "exp": 1 }), 401, "unknown: the token has expired"),
        (json!({ "iss": "https://evil.example" }), 401, "unknown: the token is of another issuer"),
        (
            json!({ "roles": ["Admin"] }),
            403,
            "ann@x.example: the login has none of the app roles viewer, operator, restorer, admin",
        ),
    ] {
        let place = Place::new().await;
        let (answered, head, body) = place.log_in(&changes).await;
        assert_eq!(answered, status, "{changes}: {body}");
        assert!(!head.contains("set-cookie"), "{changes}: {head}");
        assert_eq!(place.reasons().await, [why]);
    }
    let place = Place::new().await;
    let away = place.begin("/").await;
    let back = place.entra.agree(&away.address, place.now(), &json!({}));
    let declined = back.replace("code=", "error=access_denied&error_description=AADSTS65004%3Cb%3E&was=");
    let (status, _, body) = place.get(&declined, &[("Cookie", &away.cookie)]).await;
    assert_eq!(status, 401);
    assert!(body.contains("Entra ID refused the login: access_denied (AADSTS65004)."), "{body}");
    assert_eq!(place.reasons().await, ["unknown: Entra ID refused the login: access_denied (AADSTS65004)"]);
    place.entra.state().signer = Signer::second();
    let (status, _, body) = place.log_in(&json!({})).await;
    assert_eq!(status, 401, "a key that the issuer does not have yet: {body}");
    place.clock.advance(Duration::from_mins(1));
    assert_eq!(place.log_in(&json!({})).await.0, 303, "the new key is found");
}

#[tokio::test]
async fn while_entra_is_away_people_are_told_and_tokens_go_on() {
    let place = Place::new().await;
    let away = place.begin("/").await;
    let back = place.entra.agree(&away.address, place.now(), &json!({}));
    place.entra.state().is_broken = true;
    let (status, _, body) = place.get(&back, &[("Cookie", &away.cookie)]).await;
    assert_eq!(status, 503);
    assert!(
        body.contains("Entra ID cannot be asked now") && !body.contains(&place.entra.authority),
        "{body}"
    );
    let token = place.token(&json!({}));
    assert_eq!(ask(&place.world, &token, "GET /api/v1/whoami", "").await.status, 200, "the last keys serve");
    let token = place.world.token("ann", Role::Viewer, &[]).await;
    assert_eq!(ask(&place.world, &token, "GET /api/v1/whoami", "").await.status, 200);
    assert_eq!(place.reasons().await, [] as [&str; 0], "nobody is to blame");

    let place = Place::new().await;
    place.entra.state().is_broken = true;
    let (status, head, body) = place.get("/login/entra", &[]).await;
    assert_eq!(status, 503);
    assert!(!head.contains("set-cookie") && body.contains("name=\"token\""), "tokens still log in: {body}");
    let answer = ask(&place.world, &place.token(&json!({})), "GET /api/v1/whoami", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("\"code\":\"entra_unavailable\""), "{}", answer.body);
}

#[tokio::test]
async fn a_workload_uses_the_api_by_its_app_role_and_no_page() {
    let place = Place::new().await;
    let token = place.token(&json!({}));
    let who = ask(&place.world, &token, "GET /api/v1/whoami", "").await;
    let who: Value = serde_json::from_str(&who.body).unwrap();
    assert_eq!(
        who,
        json!({ "name": "workload-1", "login": "entra", "role": "viewer", "policies": null, "permissions": ["view"], "expires_at": null })
    );
    assert_eq!(ask(&place.world, &token, "GET /fleet", "").await.status, 401, "a page");
    assert_eq!(ask(&place.world, &token, "POST /api/v1/backups", "{}").await.status, 403);
    let form = place.world.form("/login", &format!("token={token}")).await;
    assert_eq!(form.status, 401, "an access token begins no session");
    let reasons = place.reasons().await;
    assert!(reasons.contains(&"workload-1: not_permitted".to_owned()), "{reasons:?}");
    let none = ask(&place.world, &place.token(&json!({ "roles": [] })), "GET /api/v1/apps", "").await;
    assert_eq!(none.status, 403);
    assert!(none.body.contains("workload-1 has none of the app roles"), "{}", none.body);
    let person = json!({ "idtyp": "user", "scp": "access_as_user", "preferred_username": "bob@x.example", "roles": ["restorer"] });
    let who = ask(&place.world, &place.token(&person), "GET /api/v1/whoami", "").await;
    assert!(
        who.body.contains("\"name\":\"bob@x.example\",\"login\":\"entra\",\"role\":\"restorer\""),
        "{}",
        who.body
    );
}

#[tokio::test]
async fn forged_access_tokens_are_refused_limited_and_recorded_and_a_good_one_goes_on() {
    let place = Place::new().await;
    let good = place.token(&json!({ "roles": ["admin"] }));
    assert_eq!(ask(&place.world, &good, "GET /api/v1/tokens", "").await.status, 200);
    let claims = json!({ "iss": format!("{}/x", place.entra.authority), "roles": ["admin"] });
    let unsigned = crate::signer::unsigned(&json!({ "alg": "none", "kid": "key-1" }), &claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let forged = [
        format!("{unsigned}."),
        Signer::first().sign_with_public_key(&claims),
        Signer::second().sign(&access_token(&place.entra.authority, place.now())),
        format!("{signed}x.{signature}"),
        format!("{signed}."),
        place.token(&json!({ "aud": "https://management.azure.com" })),
        place.token(&json!({ "exp": 1 })),
        place.token(&json!({ "azp": null, "nonce": "n" })),
        format!("{signed}.{}", "A".repeat(13_000)),
        "..".to_owned(),
    ];
    for token in &forged {
        let answer = ask(&place.world, token, "GET /api/v1/whoami", "").await;
        assert_eq!(answer.status, 401, "{token:.100}");
        assert!(
            answer.body.contains("\"code\":\"invalid_token\"") && !answer.body.contains("eyJ"),
            "{}",
            answer.body
        );
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
    }
    assert_eq!(ask(&place.world, &forged[0], "GET /api/v1/whoami", "").await.status, 429);
    assert_eq!(ask(&place.world, &good, "GET /api/v1/whoami", "").await.status, 200, "it cannot be guessed");
    assert_eq!(place.reasons().await, ["unknown: the token is not signed"]);
    let twice = [JSON, ("Authorization", &*format!("Bearer {good}")), ("Authorization", "Bearer hf_0")];
    assert_eq!(place.world.ask("GET /api/v1/whoami", &twice, "").await.status, 401);
}

#[tokio::test]
async fn without_entra_there_is_no_such_login() {
    let entra = FakeEntra::start().await;
    let (world, clock) = World::with_login(crate::access::SMALL).await;
    assert!(!world.get("/fleet").await.body.contains("/login/entra"));
    assert_eq!(world.get("/login/entra").await.status, 404);
    let token = Signer::first().sign(&access_token(&entra.authority, clock.now().timestamp()));
    assert_eq!(ask(&world, &token, "GET /api/v1/whoami", "").await.status, 401);
}
