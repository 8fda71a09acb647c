//! Verifying backups from the pages: confirmed, once, and in the background.

use holdfast_access::Role;

use crate::access::{SMALL, ask};
use crate::actions::fields_of;
use crate::world::{World, between};

#[tokio::test]
async fn a_selection_is_verified_once_and_its_page_says_what_was_found() {
    let (world, _clock) = World::with_login(SMALL).await;
    let operator = world.token("operator", Role::Operator, &[]).await;
    let fleet = ask(&world, &operator, "GET /fleet", "").await.body;
    assert!(fleet.contains("Verify selected") && fleet.contains("formaction=\"/verifications/preview\""));
    let asked = ask(&world, &operator, "POST /verifications/preview", "scope=all&query=policy%3Dgold").await;
    let count = between(&asked.body, "Type <b>", "<").to_owned();
    let fields = fields_of(&asked, "action=\"/verifications\">");
    let wrong = ask(&world, &operator, "POST /verifications", &format!("count=9999&{fields}")).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let body = format!("count={count}&{fields}");
    let first = ask(&world, &operator, "POST /verifications", &body).await;
    let place = between(&first.head, "location: ", "\r\n").to_owned();
    let again = ask(&world, &operator, "POST /verifications", &body).await;
    assert_eq!(between(&again.head, "location: ", "\r\n"), place);
    let page = loop {
        let page = ask(&world, &operator, &format!("GET {place}"), "").await.body;
        if !page.contains("It goes on when you leave this page") {
            break page;
        }
    };
    let said = format!("Of {count} backups of {count} apps, 0 are verified, {count} are lost");
    assert!(page.contains(&said) && page.contains("no blob"), "{page}");
}

#[tokio::test]
async fn the_apps_of_other_policies_are_not_verified_by_a_limited_login() {
    let (world, _clock) = World::with_login(SMALL).await;
    let limited = world.token("limited", Role::Operator, &["gold"]).await;
    for (query, status) in [("gold", 200), ("silver", 403)] {
        let body = format!("scope=all&query=policy%3D{query}");
        let asked = ask(&world, &limited, "POST /verifications/preview", &body).await;
        assert_eq!(asked.status, status, "{query}: {}", asked.body);
    }
}
