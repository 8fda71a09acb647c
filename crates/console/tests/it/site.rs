//! The pages: what each answers, and what none of them does.

use std::sync::Arc;

use holdfast_model::{Clock, SystemClock};
use holdfast_store::{Mode, SqliteStore, Store};

use crate::filled::{Filling, HOSTILE};
use crate::world::World;

const SMALL: Filling = Filling { apps: 70, days: 3, hostile: false };

#[tokio::test]
async fn every_page_is_served_with_the_headers_that_protect_it() {
    let world = World::of(SMALL).await;
    for path in world.pages().await {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        for header in [
            "content-type: text/html; charset=utf-8",
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(answer.head.contains(header), "{path}: {header}: {}", answer.head);
        }
        assert!(
            answer.body.contains("Local mode: everybody on this machine may back up and restore."),
            "{path}"
        );
        assert!(answer.body.contains("<a class=\"skip\" href=\"#main\">"), "{path}");
        assert!(answer.body.contains("<h1>"), "{path}");
    }
}

#[tokio::test]
async fn no_page_has_inline_code_or_style_or_asks_another_host() {
    let world = World::of(SMALL).await;
    let mut texts = Vec::new();
    for path in world.pages().await {
        texts.push((path.clone(), world.page(&path).await));
    }
    for asset in ["style-", "script-"] {
        let path = format!(
            "/static/{asset}{}",
            crate::world::between(&texts[0].1, &format!("/static/{asset}"), "\"")
        );
        texts.push((path.clone(), world.page(&path).await));
    }
    for (path, text) in texts {
        for foreign in ["http://", "https://", "src=\"//", "@import", "url("] {
            assert!(!text.contains(foreign), "{path}: {foreign}");
        }
        for inline in [" style=", "<style", "onclick=", "onerror=\"", "javascript:"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
        assert_eq!(text.matches("<script").count(), text.matches("<script src=\"/static/").count(), "{path}");
    }
}

#[tokio::test]
async fn hostile_names_and_texts_are_shown_and_do_not_act() {
    let world = World::of(Filling { hostile: true, ..SMALL }).await;
    let mut paths = world.pages().await;
    paths.extend([
        "/apps/nobody%3Cimg%20src=x%3E".to_owned(),
        "/fleet?q=%3Cimg%20src=x%3E%E2%80%AE".to_owned(),
    ]);
    for path in paths {
        let body = world.get(&path).await.body;
        for acting in ["<img", "<script>", "\u{202e}", "\u{1b}", "'>", "\"'"] {
            assert!(!body.contains(acting), "{path}: {acting:?}");
        }
        let shows = body.contains("&lt;img src=x") || body.contains("&lt;script&gt;alert(1)");
        assert!(shows || path == "/capacity" || path == "/coverage", "{path}");
    }
    let csv = world.page("/fleet.csv").await;
    assert!(csv.contains(&HOSTILE.replace('"', "\"\"").to_lowercase()[..20]), "{csv}");
}

#[tokio::test]
async fn apps_are_found_by_their_tags() {
    let world = World::of(SMALL).await;
    let fleet = world.page("/fleet?tag=TEAM%3Dshop").await;
    assert!(
        fleet.contains("14 of 70 apps match") && fleet.contains("tag=env%3Dprod&amp;tag=team%3Dshop"),
        "{fleet}"
    );
    let csv = world.page("/fleet.csv?tag=team%3Dshop&tag=env%3Dtest").await;
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("\"env=test, team=shop\"")), "{csv}");
    let name = rows[0].split(',').next().unwrap();
    let app = world.page(&format!("/apps/{name}")).await;
    assert!(app.contains("<a href=\"/fleet?tag=team%3Dshop\">team=shop</a>"), "{app}");
}

#[tokio::test]
async fn what_is_not_there_not_allowed_or_not_readable_is_said_on_a_page() {
    let world = World::of(SMALL).await;
    for (request, status, said) in [
        ("GET /nowhere", 404, "No such page"),
        ("GET /apps/nobody", 404, "No such app"),
        ("GET /runs/7", 404, "No such run"),
        ("GET /runs/018f0000-0000-7000-8000-000000000000", 404, "Not found"),
        ("GET /backups/0", 404, "No such result"),
        ("DELETE /fleet", 405, "Not that way"),
        ("GET /backups", 405, "Not that way"),
        ("GET /fleet?sort=luck", 400, "The request cannot be done"),
        ("GET /fleet?tag=%3Dx", 400, "The request cannot be done"),
        ("GET /fleet?after=x", 400, "The request cannot be done"),
        ("GET /activity?outcome=luck", 400, "The address cannot be read"),
        ("GET /audit?app=shop", 400, "The address cannot be read"),
    ] {
        let answer = world.ask(request, &[], "").await;
        assert_eq!(answer.status, status, "{request}: {}", answer.body);
        assert!(answer.body.contains(&format!("<h1>{said}</h1>")), "{request}: {}", answer.body);
        assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{request}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_gives_a_clear_page_and_none_of_its_insides() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("secret-place.sqlite");
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&path, Arc::clone(&clock), Mode::Own).await.unwrap());
    let world = World::over("127.0.0.1:0", Arc::clone(&store), clock).await;
    store.close().await;
    for path in ["/", "/fleet", "/apps/shop", "/activity", "/audit", "/capacity"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
        assert!(answer.body.contains("<h1>The store is away</h1>"), "{path}");
        assert!(!answer.body.contains("secret-place") && !answer.body.contains("sqlx"), "{path}");
    }
    let answer = world.get("/api/v1/apps").await;
    assert!(answer.head.contains("content-type: application/problem+json"), "{}", answer.head);
    assert!(answer.body.contains("\"code\":\"store_unavailable\""), "{}", answer.body);
}

#[tokio::test]
async fn a_page_is_served_under_a_name_of_this_machine_alone() {
    let world = World::of(Filling { apps: 1, days: 0, hostile: false }).await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:9464", 200),
        ("[::1]:9464", 200),
        ("10.0.0.4", 403),
        ("0.0.0.0:9464", 403),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
    ] {
        for path in ["/", "/api/v1/apps", "/fleet.csv"] {
            let answer = world.ask(&format!("GET {path}"), &[("Host", host)], "").await;
            assert_eq!(answer.status, status, "{host}{path}");
            assert_eq!(answer.body.contains("checkout"), status == 200, "{host}{path}");
        }
    }
    let proxied = world.ask("GET /fleet", &[("X-Forwarded-For", "10.0.0.4")], "").await;
    assert_eq!(proxied.status, 403);
    assert!(proxied.body.contains("A proxy forwards to this address"), "{}", proxied.body);
}

#[tokio::test]
async fn a_static_file_is_kept_for_ever_and_sent_once() {
    let world = World::of(Filling { apps: 1, days: 0, hostile: false }).await;
    let page = world.page("/").await;
    let path = format!("/static/style-{}", crate::world::between(&page, "/static/style-", "\""));
    let first = world.get(&path).await;
    assert!(first.head.contains("cache-control: public, max-age=31536000, immutable"), "{}", first.head);
    let tag = crate::world::between(&first.head, "etag: ", "\r\n").to_owned();
    let again = world.ask(&format!("GET {path}"), &[("If-None-Match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(world.get("/static/style-0.css").await.status, 404);
}

#[tokio::test]
async fn the_script_gets_the_content_of_a_page_without_its_frame() {
    let world = World::of(SMALL).await;
    let answer = world.ask("GET /fleet", &[("X-Fragment", "main")], "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with("<span hidden data-asof><time "), "{}", &answer.body[..80]);
    assert!(answer.body.contains("<h1>Fleet</h1>") && !answer.body.contains("<html"));
}

#[tokio::test]
async fn ten_thousand_apps_fit_every_page() {
    let world = World::of(Filling { apps: 10_000, days: 0, hostile: false }).await;
    for path in ["/", "/fleet", "/fleet?q=shop&sort=size", "/capacity"] {
        let began = SystemClock::default();
        let body = world.page(path).await;
        let took = began.elapsed();
        assert!(body.len() < 200_000, "{path}: {}", body.len());
        assert!(took.as_millis() < 2_000, "{path}: {took:?}");
    }
    let rows = world.page("/fleet.csv").await.lines().count();
    assert_eq!(rows, 10_001);
}

#[tokio::test]
async fn an_address_that_other_machines_reach_serves_probes_and_no_page() {
    let world = World::at("0.0.0.0:0", SMALL).await;
    for path in ["/", "/fleet", "/fleet.csv", "/nowhere", "/static/x", "/audit"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains("Local mode") && !answer.body.contains("shop"), "{path}");
        assert!(answer.body.contains("the console has no login"), "{path}: {}", answer.body);
    }
    let answer = world.get("/api/v1/apps").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("\"code\":\"forbidden\""), "{}", answer.body);
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/metrics").await.status, 200);
}
