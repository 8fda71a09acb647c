//! Streams of server-sent events over the real listener.

use std::time::Duration;

use holdfast_access::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::access::{FORM, ask};
use crate::filled::Filling;
use crate::world::{World, between};

const SMALL: Filling = Filling { apps: 5, days: 1, hostile: false };
const WITHIN: Duration = Duration::from_secs(5);

/// A stream of a page.
struct Events {
    connection: TcpStream,
    read: String,
}

impl Events {
    /// Opens one, and reads its beginning.
    async fn open(world: &World, login: (&str, &str)) -> Self {
        let mut connection = TcpStream::connect(world.address()).await.unwrap();
        let (name, value) = login;
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n{name}: {value}\r\n\r\n",
            world.address()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { connection, read: String::new() };
        events.until("retry: 3000").await;
        assert!(events.read.contains("content-type: text/event-stream"), "{}", events.read);
        events
    }

    /// Reads until a text comes.
    async fn until(&mut self, text: &str) {
        while !self.read.contains(text) {
            assert!(self.more().await, "the stream ended: {}", self.read);
        }
    }

    /// Reads until the stream ends.
    async fn end(mut self) -> String {
        while !self.read.ends_with("0\r\n\r\n") && self.more().await {}
        self.read
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 1_024];
        let read = tokio::time::timeout(WITHIN, self.connection.read(&mut bytes)).await;
        let count = read.unwrap().unwrap_or(0);
        self.read.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }
}

/// Pauses an app.
async fn pause(world: &World, token: &str) {
    let app = world.store.status().await.unwrap().remove(0).app;
    let path = format!("POST /api/v1/apps{app}/pause");
    let paused = ask(world, token, &path, &json!({ "for": "8h", "reason": "test" }).to_string()).await;
    assert_eq!(paused.status, 200, "{}", paused.body);
}

#[tokio::test]
async fn a_stream_tells_of_a_change_and_ends_with_the_session() {
    let (world, _clock) = World::with_login(SMALL).await;
    let token = world.token("ann", Role::Operator, &[]).await;
    let answer = world.form("/login", &format!("token={token}")).await;
    let cookie = between(&answer.head, "set-cookie: ", ";").to_owned();
    let mut events = Events::open(&world, ("Cookie", &cookie)).await;
    pause(&world, &token).await;
    events.until("event: changed\ndata: ").await;
    let page = world.ask("GET /fleet", &[("Cookie", &cookie)], "").await.body;
    assert!(page.contains("data-live"), "{page}");
    let body = format!("session={}", between(&page, "name=\"session\" value=\"", "\""));
    let own = [FORM, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null"), ("Cookie", &cookie)];
    assert_eq!(world.ask("POST /logout", &own, &body).await.status, 303);
    events.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_a_client_that_connects_again_hears_what_it_missed() {
    let (world, _clock) = World::with_login(SMALL).await;
    let [ann, boss] =
        [world.token("ann", Role::Operator, &[]).await, world.token("boss", Role::Admin, &[]).await];
    let bearer = format!("Bearer {ann}");
    let mut events = Events::open(&world, ("Authorization", &bearer)).await;
    pause(&world, &boss).await;
    events.until("event: changed").await;
    let missed = format!("{bearer}\r\nLast-Event-ID: 0");
    Events::open(&world, ("Authorization", &missed)).await.until("event: changed").await;
    assert_eq!(ask(&world, &boss, "DELETE /api/v1/tokens/ann", "").await.status, 200);
    events.end().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_process_stops_and_gives_way_to_new_connections() {
    let world = World::with_connections(SMALL, 3).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    let bearer = format!("Bearer {token}");
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Events::open(&world, ("Authorization", &bearer)).await);
    }
    // Nobody reads them meanwhile.
    assert_eq!(ask(&world, &token, "GET /api/v1/whoami", "").await.status, 200);
    streams.remove(0).end().await;
    world.stop.notify_one();
    for stream in streams {
        stream.end().await;
    }
}

#[tokio::test]
async fn a_stream_needs_a_login_and_a_client_that_accepts_one() {
    let (world, _clock) = World::with_login(SMALL).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    let accept = ("Accept", "text/event-stream");
    assert_eq!(world.ask("GET /events", &[accept], "").await.status, 401);
    assert_eq!(ask(&world, &token, "GET /events", "").await.status, 406);
}
