//! Rows that cannot be read: every command leaves them out and names them, and one command removes them.

use holdfast_tests::sqlite;

use crate::command::{FLEET, Place};

/// An app whose name changes when a program lower-cases it.
const APP: &str = r#"
[[app]]
id = "/subscriptions/s/resourceGroups/İzmir-üretim/providers/Microsoft.Web/sites/Shop"
policy = "gold"
"#;

/// Runs SQL on the store, with nothing of the program between.
pub fn sql(place: &Place, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sqlite::execute(&place.path("holdfast.sqlite"), sql)).unwrap();
}

fn add_app(place: &Place, id: &str) {
    sql(
        place,
        &format!(
            "INSERT INTO apps (app, policy, paused, partial_is_good, enrolled_at)
            VALUES ('{id}', 'gold', 0, 0, '2026-01-01T00:00:00.000Z')"
        ),
    );
}

#[test]
fn a_bad_row_is_left_out_named_and_removed() {
    let place = Place::new();
    place.write("fleet.toml", &format!("{FLEET}{APP}"));
    assert_eq!(place.run("migrate").code, 0);
    assert_eq!(place.run("store check").out.trim(), "every row can be read");
    add_app(&place, "/subscriptions/s/resourceGroups/İzmir-üretim/providers/Microsoft.Web/sites/shop");
    let odd = "/subscriptions/s/resourceGroups/\u{1b}[2J/providers/Microsoft.Web/sites/odd";
    add_app(&place, odd);

    let status = place.run("status");
    assert_eq!(status.code, 0, "{}", status.err);
    assert!(status.out.contains("shop") && !status.out.contains("odd"), "{}", status.out);
    assert!(status.err.contains("a row of the store cannot be read and is left out"), "{}", status.err);
    assert!(status.err.contains("\\u{1b}[2J") && !status.err.contains('\u{1b}'), "{:?}", status.err);
    for line in ["history shop", "retention", "hold list", "store check"] {
        let ended = place.run(line);
        assert_eq!(ended.code, i32::from(line == "store check"), "{line}: {}{}", ended.out, ended.err);
    }
    // The reader of stdout may leave; the exit code stays.
    assert_eq!(place.run_unread("store check").code, 1);
    assert_eq!(place.run_unread("status").code, 0);

    let problems = place.json("store check");
    assert_eq!(problems[0]["table"], "apps");
    assert_eq!(problems[0]["key"], odd);
    assert_eq!(problems[0]["column"], "app");
    let remove =
        |key: &str, rest: &str| place.run(&format!("store remove apps {key} --reason a-test {rest}"));
    let unasked = remove(odd, "");
    assert!(unasked.code == 2 && unasked.err.contains("--yes"), "{}", unasked.err);
    let other =
        remove("/subscriptions/s/resourceGroups/İzmir-üretim/providers/Microsoft.Web/sites/shop", "--yes");
    assert!(other.code == 2 && other.err.contains("can be read, and stays"), "{}", other.err);
    let removed = remove(odd, "--yes");
    assert_eq!(removed.code, 0, "{}", removed.err);
    assert_eq!(place.run("store check").code, 0);
    // No event enrols the app whose row was added by hand.
    let verified = place.run("audit verify");
    assert!(verified.code == 1 && verified.err.contains("its events say not enrolled"), "{}", verified.err);
    let none = place.run("store remove audit_events 1 --reason a-test --yes");
    assert!(none.code == 1 && none.err.contains("audit events are never removed"), "{}", none.err);
}
