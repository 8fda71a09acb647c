//! A broker that speaks TLS, and takes client certificates and tokens for passwords.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_model::{Clock as _, NoPassword, Password, PasswordSource, SystemClock};
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
    given: Mutex<Vec<String>>,
}

impl Tokens {
    fn new(pkcs8: &[u8], said_valid_for: Duration, audience: &'static str) -> Arc<Self> {
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).unwrap();
        Arc::new(Self { key, said_valid_for, audience, given: Mutex::default() })
    }

    fn are_not_in(&self, text: &str) {
        let given = self.given.lock().unwrap();
        assert!(!given.is_empty() && given.iter().all(|token| !text.contains(token.as_str())));
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
        let number = self.given.lock().unwrap().len();
        let now = SystemClock::default().now().timestamp();
        let header = r#"{"alg":"ES256","typ":"JWT","kid":"entra"}"#;
        let roles = r#"["rabbit.configure:*/*","rabbit.write:*/*","rabbit.read:*/*"]"#;
        let claims = format!(
            r#"{{"aud":"{}","sub":"holdfast-worker","uti":"{number}","exp":{},"roles":{roles}}}"#,
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

/// A broker, and the files of TLS.
struct Broker {
    folder: tempfile::TempDir,
    servers: Servers,
    host: VirtualHost,
    port: u16,
    signer: KeyPair,
}

impl Broker {
    /// A broker for certificates of its authority, and for tokens of its signer. It knows the user `holdfast-worker`.
    fn start() -> Option<Self> {
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
        let port = free_port();
        let settings = format!(
            "plugin rabbitmq_auth_mechanism_ssl
             plugin rabbitmq_auth_backend_oauth2
             listeners.ssl.1 = 127.0.0.1:{port}
             ssl_options.cacertfile = {}
             ssl_options.certfile = {}
             ssl_options.keyfile = {}
             ssl_options.verify = verify_peer
             ssl_options.fail_if_no_peer_cert = false
             ssl_cert_login_from = common_name
             auth_mechanisms.1 = EXTERNAL
             auth_mechanisms.2 = PLAIN
             auth_backends.1 = rabbit_auth_backend_internal
             auth_backends.2 = rabbit_auth_backend_oauth2
             auth_oauth2.resource_server_id = rabbit
             auth_oauth2.additional_scopes_key = roles
             auth_oauth2.default_key = entra
             auth_oauth2.signing_keys.entra = {}",
            at("ca.pem"),
            at("localhost.pem"),
            at("localhost.key"),
            at("entra.pem"),
        );
        let settings: Vec<&str> = settings.lines().map(str::trim).collect();
        let servers = Servers::start(&["rabbitmq"], &settings)?;
        let host = VirtualHost::on(&servers);
        host.user_named("holdfast-worker");
        Some(Self { folder, servers, host, port, signer })
    }

    /// A URL with a query, in which `{}` is the folder of the files.
    fn url(&self, login: &str, query: &str) -> SecretString {
        let query = query.replace("{}", &self.folder.path().display().to_string());
        SecretString::from(format!("amqps://{login}localhost:{}/{}?{query}", self.port, self.host.name()))
    }

    fn url_with_certificate(&self, name: &str, more: &str) -> SecretString {
        self.url(
            "",
            &format!("cacertfile={{}}/ca.pem&certfile={{}}/{name}.pem&keyfile={{}}/{name}.key{more}"),
        )
    }

    fn with_tokens(&self, passwords: &Arc<Tokens>) -> Config {
        let passwords: Arc<dyn PasswordSource> = Arc::clone(passwords) as _;
        Config { passwords: Some(passwords), ..config(self.url("", "cacertfile={}/ca.pem")) }
    }

    fn log(&self) -> String {
        let folder = Path::new(self.servers.fact("rabbitmq", "folder")).join("log");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }
}

/// A free port for TLS: `Servers` chooses only the ports that every broker has.
fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

async fn is_used(queue: &AmqpQueue, version: i64) {
    queue.publish(&[message(version)]).await.unwrap();
    let delivery = receive(queue).await;
    assert_eq!(delivery.message.wakeup.version, version);
    delivery.ack().await.unwrap();
}

/// One broker serves all of it, because a start takes seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_verified_and_takes_a_password_a_certificate_or_a_token_that_is_renewed() {
    let Some(broker) = Broker::start() else { return };
    only_a_trusted_broker_is_given_a_password(&broker).await;
    a_client_certificate_logs_in(&broker).await;
    a_token_logs_in_and_is_renewed_on_open_connections(&broker).await;
    a_refused_token_is_named_and_not_shown(&broker).await;
}

async fn only_a_trusted_broker_is_given_a_password(broker: &Broker) {
    let login = format!("holdfast:{}@", broker.host.password());
    let queue = AmqpQueue::connect(config(broker.url(&login, "cacertfile={}/ca.pem"))).await.unwrap();
    is_used(&queue, 1).await;
    queue.close().await;
    let error = AmqpQueue::connect(config(broker.url(&login, ""))).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Reach { why, .. } if why.contains("certificate")), "{error:?}");
    assert!(error.to_string().contains("(TLS)"), "{error}");
}

async fn a_client_certificate_logs_in(broker: &Broker) {
    let url = broker.url_with_certificate("holdfast-worker", "&auth_mechanism=external");
    let queue = AmqpQueue::connect(config(url)).await.unwrap();
    is_used(&queue, 2).await;
    queue.close().await;
    for (name, more, expected) in [
        ("stranger", "&auth_mechanism=external", "no user with the name in the client's certificate"),
        ("holdfast-worker", "", "add auth_mechanism=external"),
    ] {
        let error = AmqpQueue::connect(config(broker.url_with_certificate(name, more))).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Login { .. }) && error.to_string().contains(expected),
            "{error}"
        );
    }
}

async fn a_token_logs_in_and_is_renewed_on_open_connections(broker: &Broker) {
    let tokens = Tokens::new(&broker.signer.serialize_der(), Duration::from_secs(2), "rabbit");
    let queue = AmqpQueue::connect(broker.with_tokens(&tokens)).await.unwrap();
    is_used(&queue, 3).await;
    attached(&queue).await;
    until("both connections have a renewed token", async || {
        broker.log().matches("user 'holdfast-worker' updated secret").count() >= 2
    })
    .await;
    attached(&queue).await;
    is_used(&queue, 4).await;
    tokens.are_not_in(&format!("{queue:?}"));
    queue.close().await;
}

async fn a_refused_token_is_named_and_not_shown(broker: &Broker) {
    let foreign = Tokens::new(&broker.signer.serialize_der(), Duration::from_secs(9), "another");
    let error = AmqpQueue::connect(broker.with_tokens(&foreign)).await.unwrap_err();
    assert!(error.to_string().contains("does not take the token of managed_identity"), "{error}");
    foreign.are_not_in(&format!("{error} {error:?}"));
    let none = Config { passwords: Some(Arc::new(NoTokens)), ..broker.with_tokens(&foreign) };
    let error = AmqpQueue::connect(none).await.unwrap_err();
    assert!(matches!(error, ConnectError::Password { .. }), "{error:?}");
    assert!(error.to_string().contains("the credential azure_cli has no token: run `az login`"), "{error}");
}
