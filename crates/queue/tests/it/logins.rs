//! A broker that takes client certificates and tokens for passwords.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_model::{NoPassword, Password, PasswordSource};
use holdfast_queue::{AmqpQueue, Config, ConnectError, Queue};
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use secrecy::SecretString;

use crate::bench::{attached, config, message, receive, until};

/// An authority that signs the certificates of the broker and of its clients.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// The certificate and the key of `name`, in PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// Signs tokens as Entra does. It counts them, and says that each is valid for a time of its own.
struct Tokens {
    key: EcdsaKeyPair,
    said_valid_for: Duration,
    audience: &'static str,
    count: AtomicU64,
    given: Mutex<Vec<String>>,
}

impl Tokens {
    fn new(pkcs8: &[u8], said_valid_for: Duration, audience: &'static str) -> Arc<Self> {
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).unwrap();
        Arc::new(Self { key, said_valid_for, audience, count: AtomicU64::new(0), given: Mutex::default() })
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

#[async_trait::async_trait]
impl PasswordSource for Tokens {
    async fn password(&self) -> Result<Password, NoPassword> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let header = r#"{"alg":"ES256","typ":"JWT","kid":"entra"}"#;
        let scopes = r#"["rabbit.configure:*/*","rabbit.write:*/*","rabbit.read:*/*"]"#;
        let claims = format!(
            r#"{{"aud":["{}"],"sub":"holdfast-worker","jti":"{number}","exp":{},"scope":{scopes}}}"#,
            self.audience,
            now + 120
        );
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        self.given.lock().unwrap().push(token.clone());
        Ok(Password { secret: token.into(), valid_for: self.said_valid_for })
    }

    fn credential(&self) -> &'static str {
        "managed_identity"
    }
}

/// A source that has none.
#[derive(Debug)]
struct NoTokens;

#[async_trait::async_trait]
impl PasswordSource for NoTokens {
    async fn password(&self) -> Result<Password, NoPassword> {
        Err(NoPassword("the credential azure_cli has no token: run `az login`".to_owned()))
    }

    fn credential(&self) -> &'static str {
        "azure_cli"
    }
}

/// The broker's log.
fn log(servers: &Servers) -> String {
    let folder = Path::new(servers.fact("rabbitmq", "folder")).join("log");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

async fn is_used(queue: &AmqpQueue, version: i64) {
    queue.publish(&[message(version)]).await.unwrap();
    let delivery = receive(queue).await;
    assert_eq!(delivery.message.wakeup.version, version);
    delivery.ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_or_a_token_logs_in_and_the_token_is_renewed_on_the_open_connection() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let authority = Authority::new();
    std::fs::write(at("ca.pem"), &authority.pem).unwrap();
    for name in ["localhost", "holdfast-worker", "stranger"] {
        let (certificate, key) = authority.issue(name);
        std::fs::write(at(&format!("{name}.pem")), certificate).unwrap();
        std::fs::write(at(&format!("{name}.key")), key).unwrap();
    }
    let signer = KeyPair::generate().unwrap();
    std::fs::write(at("entra.pem"), signer.public_key_pem()).unwrap();
    let port = crate::tls::free_port();
    let settings = [
        "plugin rabbitmq_auth_mechanism_ssl".to_owned(),
        "plugin rabbitmq_auth_backend_oauth2".to_owned(),
        format!("listeners.ssl.1 = 127.0.0.1:{port}"),
        format!("ssl_options.cacertfile = {}", at("ca.pem")),
        format!("ssl_options.certfile = {}", at("localhost.pem")),
        format!("ssl_options.keyfile = {}", at("localhost.key")),
        "ssl_options.verify = verify_peer".to_owned(),
        "ssl_options.fail_if_no_peer_cert = false".to_owned(),
        "ssl_cert_login_from = common_name".to_owned(),
        "auth_mechanisms.1 = EXTERNAL".to_owned(),
        "auth_mechanisms.2 = PLAIN".to_owned(),
        "auth_backends.1 = rabbit_auth_backend_internal".to_owned(),
        "auth_backends.2 = rabbit_auth_backend_oauth2".to_owned(),
        "auth_oauth2.resource_server_id = rabbit".to_owned(),
        "auth_oauth2.default_key = entra".to_owned(),
        format!("auth_oauth2.signing_keys.entra = {}", at("entra.pem")),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let Some(servers) = Servers::start(&["rabbitmq"], &settings) else { return };
    let host = VirtualHost::on(&servers);
    host.user_named("holdfast-worker");
    let url = |name: &str, more: &str| {
        let files = format!(
            "cacertfile={}&certfile={}&keyfile={}",
            at("ca.pem"),
            at(&format!("{name}.pem")),
            at(&format!("{name}.key"))
        );
        SecretString::from(format!("amqps://localhost:{port}/{}?{files}{more}", host.name()))
    };

    let queue = AmqpQueue::connect(config(url("holdfast-worker", "&auth_mechanism=external"))).await.unwrap();
    is_used(&queue, 1).await;
    queue.close().await;
    for (url, expected) in [
        (url("stranger", "&auth_mechanism=external"), "no user with the name in the client's certificate"),
        (url("holdfast-worker", ""), "add auth_mechanism=external"),
    ] {
        let error = AmqpQueue::connect(config(url)).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Login { .. }) && error.to_string().contains(expected),
            "{error}"
        );
    }

    let trusting =
        SecretString::from(format!("amqps://localhost:{port}/{}?cacertfile={}", host.name(), at("ca.pem")));
    let with = |passwords: Arc<dyn PasswordSource>| Config {
        passwords: Some(passwords),
        ..config(trusting.clone())
    };
    let tokens = Tokens::new(&signer.serialize_der(), Duration::from_secs(2), "rabbit");
    let queue = AmqpQueue::connect(with(Arc::clone(&tokens) as _)).await.unwrap();
    is_used(&queue, 2).await;
    attached(&queue).await;
    assert_eq!(tokens.count(), 2, "one for each connection");
    until("both connections have a renewed token", async || {
        log(&servers).matches("user 'holdfast-worker' updated secret").count() >= 2
    })
    .await;
    attached(&queue).await;
    is_used(&queue, 3).await;
    let shown = format!("{queue:?}");
    queue.close().await;

    let foreign = Tokens::new(&signer.serialize_der(), Duration::from_secs(9), "another");
    let error = AmqpQueue::connect(with(Arc::clone(&foreign) as _)).await.unwrap_err();
    assert!(error.to_string().contains("does not take the token of managed_identity"), "{error}");
    let words = format!("{error} {error:?} {shown}");
    for token in tokens.given.lock().unwrap().iter().chain(&*foreign.given.lock().unwrap()) {
        assert!(!words.contains(token.as_str()));
    }
    let error = AmqpQueue::connect(with(Arc::new(NoTokens))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Password { .. }), "{error:?}");
    assert!(error.to_string().contains("the credential azure_cli has no token: run `az login`"), "{error}");
}
