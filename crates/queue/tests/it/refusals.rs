//! A refused connection fails immediately, with one sentence and without the password.

use std::time::Duration;

use holdfast_queue::{AmqpQueue, ConnectError, Error, Queue};
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::{ExposeSecret, SecretString};

use crate::bench::{config, message, queue, urgent};

async fn refused(url: SecretString) -> ConnectError {
    AmqpQueue::connect(config(url)).await.expect_err("it must be refused")
}

/// One line, and nothing that opens a door.
fn assert_presentable(error: &ConnectError, password: &str) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains('\n') && !text.contains(password), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_called_that() {
    let Some(host) = VirtualHost::new() else { return };
    let url = host.url_with(|url| url.set_password(Some("not-the-password")).unwrap());
    let error = refused(url).await;
    assert!(matches!(&error, ConnectError::Login { user, .. } if user == "holdfast"), "{error:?}");
    assert_presentable(&error, "not-the-password");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_virtual_host_is_named() {
    let Some(host) = VirtualHost::new() else { return };
    let error = refused(host.url_with(|url| url.set_path("nowhere"))).await;
    assert!(matches!(&error, ConnectError::VirtualHost { vhost, .. } if vhost == "nowhere"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_host_that_is_closed_to_the_user_is_named() {
    let (Some(host), Some(other)) = (VirtualHost::new(), VirtualHost::new()) else { return };
    let name = other.name().to_owned();
    let at_home = host.user("stranger", [".*", ".*", ".*"]);
    let mut at_the_other = url::Url::parse(at_home.expose_secret()).unwrap();
    at_the_other.set_path(&name);
    let stranger = SecretString::from(at_the_other.to_string());
    let error = refused(stranger).await;
    assert!(matches!(&error, ConnectError::VirtualHost { vhost, .. } if *vhost == name), "{error:?}");
    assert_presentable(&error, "hunter2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_is_named_before_any_work_begins() {
    let Some(host) = VirtualHost::new() else { return };
    let error = refused(host.user("reader", ["", "", ".*"])).await;
    assert!(matches!(&error, ConnectError::Privilege { .. }), "{error:?}");
    assert!(error.to_string().contains("configure, write and read"), "{error}");
    assert_presentable(&error, "hunter2");

    // A privilege that is taken away later is named when the consumers are attached.
    let queue = AmqpQueue::connect(config(host.user("worker", [".*", ".*", ".*"]))).await.unwrap();
    host.user("worker", [".*", ".*", ""]);
    let error = queue.attach().await.unwrap_err();
    assert!(matches!(&error, ConnectError::Privilege { .. }), "{error:?}");
    assert_eq!(queue.consumers_attached(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_different_arguments_is_an_error_and_not_a_loop() {
    let Some(host) = VirtualHost::new() else { return };
    host.make_classic_queue("holdfast.normal");
    let error = refused(host.url()).await;
    assert!(matches!(&error, ConnectError::Differs { .. }), "{error:?}");
    assert!(error.to_string().contains("holdfast.normal"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_and_an_invalid_url_are_errors() {
    let Some(host) = VirtualHost::new() else { return };
    let nobody = host.url_with(|url| url.set_port(Some(9)).unwrap());
    let error = refused(nobody).await;
    assert!(matches!(&error, ConnectError::Reach { broker, .. } if broker == "127.0.0.1:9"), "{error:?}");
    let none = SecretString::from("http://user:hunter2@host");
    let error = refused(none).await;
    assert!(matches!(error, ConnectError::Url), "{error:?}");
    assert_presentable(&error, "hunter2");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_can_be_printed_holds_the_password() {
    let Some(host) = VirtualHost::new() else { return };
    let password = host.password();
    let queue = queue(&host).await;
    queue.attach().await.unwrap();
    assert!(!format!("{queue:#?} {:#?}", config(host.url())).contains(&password));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_no_queue_takes_is_an_error_and_the_queue_is_made_again() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    host.delete_queue("holdfast.urgent");
    let error = queue.publish(&[message(1), urgent(2)]).await.unwrap_err();
    assert!(matches!(&error, Error::Publish { count: 2, why } if why.contains("NO_ROUTE")), "{error:?}");
    crate::bench::publish_until_confirmed(&queue, &urgent(3)).await;
    crate::bench::receive_until(&queue, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_speak_amqp_costs_the_time_limit_and_no_more() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("amqp://user:hunter2@{}/vhost", silent.local_addr().unwrap());
    let config = holdfast_queue::Config {
        connect_within: Duration::from_millis(50),
        ..config(SecretString::from(url))
    };
    let error = AmqpQueue::connect(config).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Reach { why, .. } if why.contains("no answer")), "{error:?}");
    assert_presentable(&error, "hunter2");
}
