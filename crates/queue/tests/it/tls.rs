//! A broker that speaks TLS.

use holdfast_queue::{AmqpQueue, Config, ConnectError, Queue};
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;

use crate::bench::{config, message, receive};

/// A free port for TLS: `Servers` chooses only the ports that every broker has.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_over_tls_to_a_broker_whose_certificate_is_trusted_and_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("certificate.pem"), &certificate).unwrap();
    std::fs::write(at("key.pem"), key).unwrap();
    let port = free_port();
    let settings = [
        format!("listeners.ssl.1 = 127.0.0.1:{port}"),
        format!("ssl_options.cacertfile = {}", at("certificate.pem")),
        format!("ssl_options.certfile = {}", at("certificate.pem")),
        format!("ssl_options.keyfile = {}", at("key.pem")),
        "ssl_options.verify = verify_none".to_owned(),
    ];
    let Some(servers) = Servers::start(&["rabbitmq"], &settings.each_ref().map(String::as_str)) else {
        return;
    };
    let host = VirtualHost::on(&servers);
    let plain = host.url_with(|url| {
        url.set_host(Some("localhost")).unwrap();
        url.set_port(Some(port)).unwrap();
    });
    let url = secrecy::ExposeSecret::expose_secret(&plain).replacen("amqp:", "amqps:", 1);

    let trusting = Config { tls_ca: Some(certificate), ..config(url.clone().into()) };
    let queue = AmqpQueue::connect(trusting).await.unwrap();
    queue.publish(&[message(1)]).await.unwrap();
    receive(&queue).await.ack().await.unwrap();

    let error = AmqpQueue::connect(config(url.into())).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Reach { why, .. } if why.contains("certificate")), "{error:?}");
    assert!(error.to_string().contains("(TLS)"), "{error}");
}
