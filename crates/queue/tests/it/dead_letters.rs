//! Dead letters: how messages become some, and what people do with them.

use holdfast_queue::{DeadLetter, DeadLetterSelection, DeadLetters, Queue, Unreadable};
use holdfast_tests::rabbitmq::VirtualHost;

use crate::bench::{config, message, queue, receive, receive_until, until};

async fn letters(dead: &DeadLetters, count: usize) -> Vec<DeadLetter> {
    let mut found = Vec::new();
    until("the dead letters have arrived", async || {
        found = dead.list(100).await.unwrap();
        found.len() == count
    })
    .await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_and_future_messages_become_dead_letters_and_the_rest_goes_on() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    host.publish("holdfast.normal", b"hunter2");
    host.publish("holdfast.urgent", br#"{"v":7,"wake":"up"}"#);
    host.publish("holdfast.normal", b"");
    queue.publish(&[message(1)]).await.unwrap();
    receive_until(&queue, 1).await;

    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    let found = letters(&dead, 3).await;
    assert!(found.iter().all(|letter| letter.reason == "rejected" && letter.since.is_some()), "{found:?}");
    let future = found.iter().find(|letter| letter.queue == "holdfast.urgent").unwrap();
    assert_eq!(future.wakeup, Err(Unreadable::Future(7)));
    assert!(!format!("{found:?}").contains("hunter2"));

    // Looking changes nothing, and shows what was sent.
    let malformed = found.iter().find(|letter| letter.size == 7).unwrap();
    for _ in 0..25 {
        assert_eq!(dead.show(&malformed.id).await.unwrap().unwrap().body, b"hunter2");
    }
    assert!(dead.show("0000000000000000").await.unwrap().is_none());
    assert_eq!(letters(&dead, 3).await.len(), 3);
    dead.close().await;
    // A new look, after the first has ended, finds them too.
    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    assert_eq!(letters(&dead, 3).await.len(), 3);
    assert_eq!(dead.list(2).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_sent_again_to_where_it_came_from_or_dropped() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    queue.attach().await.unwrap();
    host.publish("holdfast.normal", b"one");
    host.publish("holdfast.normal", b"two");
    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    let found = letters(&dead, 2).await;
    let [one, two] = [b"one", b"two"].map(|body| found.iter().find(|letter| letter.body == body).unwrap());

    // It is still malformed: it dies again, from the same queue, and is a new letter.
    assert_eq!(dead.retry(&DeadLetterSelection::One(one.id.clone())).await.unwrap(), 1);
    let found = letters(&dead, 2).await;
    let again = found.iter().find(|letter| letter.body == b"one").unwrap();
    assert_eq!((again.queue.as_str(), again.reason.as_str()), ("holdfast.normal", "rejected"));

    assert_eq!(dead.drop(&DeadLetterSelection::One(two.id.clone())).await.unwrap(), 1);
    assert_eq!(dead.drop(&DeadLetterSelection::One(two.id.clone())).await.unwrap(), 0);
    assert_eq!(letters(&dead, 1).await[0].body, b"one");
    assert_eq!(dead.drop(&DeadLetterSelection::All).await.unwrap(), 1);
    assert_eq!(letters(&dead, 0).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wakeup_that_no_worker_survives_becomes_a_letter_and_can_be_sent_again() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    queue.publish(&[message(1)]).await.unwrap();
    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    let killing = async {
        loop {
            drop(queue.receive().await.unwrap());
        }
    };
    let found = tokio::select! {
        () = killing => unreachable!("it never ends"),
        found = letters(&dead, 1) => found,
    };
    assert_eq!(found[0].reason, "delivery_limit");
    assert_eq!(found[0].wakeup.unwrap(), message(1).wakeup);
    assert_eq!(dead.retry(&DeadLetterSelection::All).await.unwrap(), 1);
    let delivery = receive(&queue).await;
    assert_eq!(delivery.message, message(1));
    delivery.ack().await.unwrap();
    assert_eq!(letters(&dead, 0).await.len(), 0);
}

/// Whoever may publish floods the dead letters with large bodies.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_dead_letters_is_bounded_in_bytes_and_read_in_pieces() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    queue.attach().await.unwrap();
    let large = vec![b'x'; 128 * 1024];
    for _ in 0..100 {
        host.publish("holdfast.normal", &large);
    }
    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    let mut most = 0;
    until("the letters are no more than 8 MiB", async || {
        let found = dead.list(1_000).await.unwrap();
        most = most.max(found.len());
        assert!(found.iter().all(|letter| letter.size == large.len() && letter.body.len() <= 256));
        most > 0 && found.len() <= 64
    })
    .await;
    let id = dead.list(1).await.unwrap().remove(0).id;
    assert_eq!(dead.show(&id).await.unwrap().unwrap().body.len(), 64 * 1024);
    assert!(dead.drop(&DeadLetterSelection::All).await.unwrap() <= 64);
    queue.publish(&[message(1)]).await.unwrap();
    receive_until(&queue, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_keeps_the_beginning_of_each_body_and_a_look_at_one_letter_keeps_64_kib() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    queue.attach().await.unwrap();
    for letter in [b'a', b'b', b'c'] {
        host.publish("holdfast.normal", &vec![letter; 100_000]);
    }
    let dead = DeadLetters::open(config(host.url())).await.unwrap();
    let found = letters(&dead, 3).await;
    for letter in &found {
        assert_eq!((letter.size, letter.body.len(), letter.body.capacity()), (100_000, 256, 256));
        assert_eq!(dead.show(&letter.id).await.unwrap().unwrap().body.len(), 64 * 1024);
    }
}
