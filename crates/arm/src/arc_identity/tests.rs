use std::sync::Mutex;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use secrecy::ExposeSecret;

use super::*;

const SCOPE: &str = "https://management.azure.com/.default";

/// What an agent was asked: each query and the header `Authorization`.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// An agent that names `realm` as its key file, and gives a token for the content `k3y`.
async fn agent(realm: String) -> (String, Asked) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let answer = move |uri: Uri, headers: HeaderMap| {
        let key = headers.get(AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default();
        let query = uri.query().unwrap_or_default().to_owned();
        assert_eq!(headers["metadata"], "true");
        seen.lock().unwrap().push((query, key.clone()));
        let challenge = [(WWW_AUTHENTICATE, format!("Basic realm={realm}"))];
        std::future::ready(match key.as_str() {
            "" => (StatusCode::UNAUTHORIZED, challenge, String::new()),
            "Basic k3y" => (
                StatusCode::OK,
                challenge,
                r#"{"access_token":"S3CR3T","expires_in":"3599","token_type":"Bearer"}"#.to_owned(),
            ),
            _ => (StatusCode::FORBIDDEN, challenge, "S3CR3T".to_owned()),
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metadata/identity/oauth2/token", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    (url, asked)
}

/// Asks an agent that names `name` in the folder of its keys, or another path.
async fn ask(keys: &Path, realm: &Path) -> (Result<Token, TokenError>, usize) {
    let (url, asked) = agent(realm.display().to_string()).await;
    let token = ArcIdentity::new(&url, keys.to_owned(), SCOPE).unwrap().token().await;
    let asked = asked.lock().unwrap().len();
    (token, asked)
}

#[tokio::test]
async fn the_agents_key_file_opens_a_token() {
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("0a.key");
    fs::write(&key, "k3y\n").unwrap();
    let (url, asked) = agent(key.display().to_string()).await;
    let identity = ArcIdentity::new(&url, keys.path().to_owned(), SCOPE).unwrap();
    assert_eq!(identity.token().await.unwrap().secret.expose_secret(), "S3CR3T");
    let query = "api-version=2020-06-01&resource=https%3A%2F%2Fmanagement.azure.com".to_owned();
    assert_eq!(*asked.lock().unwrap(), [(query.clone(), String::new()), (query, "Basic k3y".to_owned())]);
    assert!(!format!("{identity:?}").contains("k3y"));
}

#[tokio::test]
async fn no_other_file_is_read_for_the_agent() {
    let (keys, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |path: PathBuf, length: usize| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "k".repeat(length)).unwrap();
        path
    };
    for (path, why) in [
        (write(elsewhere.path().join("0a.key"), 9), "named a key file outside"),
        (write(keys.path().join("deep/0a.key"), 9), "named a key file outside"),
        (keys.path().join("deep/../0a.key"), "named a key file outside"),
        (write(keys.path().join("0a.txt"), 9), "named a key file outside"),
        (write(keys.path().join("0a"), 9), "named a key file outside"),
        (write(keys.path().join("large.key"), 4_097), "it is larger than 4096 bytes"),
        (keys.path().join("missing.key"), "failed to read the key file of Azure Arc"),
        (PathBuf::new(), "named a key file outside"),
    ] {
        let (token, asked) = ask(keys.path(), &path).await;
        let error = token.unwrap_err().to_string();
        assert!(error.contains(why), "{}: {error}", path.display());
        assert_eq!(asked, 1, "nothing is sent after a refused challenge: {}", path.display());
    }
    #[cfg(unix)]
    {
        let link = keys.path().join("link.key");
        std::os::unix::fs::symlink(elsewhere.path().join("0a.key"), &link).unwrap();
        let (token, asked) = ask(keys.path(), &link).await;
        assert!(token.unwrap_err().to_string().ends_with("it is not a file"));
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn a_key_that_the_agent_does_not_take_is_an_error_without_its_body() {
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("0a.key");
    fs::write(&key, "another").unwrap();
    let error = ask(keys.path(), &key).await.0.unwrap_err().to_string();
    assert!(error.contains("answered 403") && !error.contains("S3CR3T"), "{error}");
}

#[test]
fn the_environment_of_the_agent_is_told_apart_from_that_of_app_service_and_of_a_virtual_machine() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token");
    let imds = ("IMDS_ENDPOINT", "http://localhost:40342");
    let find = |client_id: Option<&str>, set: &[(&str, &str)]| {
        let variable =
            |name: &str| set.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
        ArcIdentity::find(client_id, SCOPE, variable).map(|found| found.is_some())
    };
    assert_eq!(find(None, &[endpoint, imds]), Ok(true));
    for other in [&[][..], &[endpoint], &[imds], &[endpoint, ("IDENTITY_HEADER", "h")]] {
        assert_eq!(find(None, other), Ok(false), "{other:?}");
    }
    let assigned = find(Some("c"), &[endpoint, imds]).unwrap_err().to_string();
    assert!(assigned.ends_with("remove `client_id`"), "{assigned}");
    for foreign in ["http://169.254.169.254/token", "https://arc.example/token", "nowhere"] {
        assert!(find(None, &[("IDENTITY_ENDPOINT", foreign), imds]).is_err(), "{foreign}");
    }
}
