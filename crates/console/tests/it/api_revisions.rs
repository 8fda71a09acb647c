//! Revisions of the fleet through the API.

use holdfast_access::Role;
use serde_json::{Value, json};

use crate::access::{SMALL, ask};
use crate::world::World;

const TEXT: &str = r#"[azure]
credential = { kind = "azure_cli" }

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { url = "env:HOLDFAST_NO_SUCH_SAS" }

[policy.gold]
schedule = "0 2 * * *"
storage = "weu"
"#;

#[tokio::test]
async fn an_administrator_applies_a_text_and_everyone_who_may_view_reads_it() {
    let (world, _clock) = World::with_login(SMALL).await;
    let admin = world.token("ann", Role::Admin, &[]).await;
    let viewer = world.token("bob", Role::Viewer, &[]).await;
    let apply = async |body: Value| {
        let answer = ask(&world, &admin, "POST /api/v1/revisions", &body.to_string()).await;
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
    };
    let (status, dry) = apply(json!({ "text": TEXT, "dryRun": true })).await;
    let leaving = dry["diff"]["lost"].as_array().unwrap().len();
    assert!(status == 200 && leaving > 0 && dry["revision"].is_null(), "{status}: {dry:#}");
    let (status, refused) = apply(json!({ "text": TEXT })).await;
    assert_eq!((status, &refused["code"]), (422, &"refused".into()));
    assert!(refused["help"].as_str().unwrap().contains(&format!("--allow-removals {leaving}")), "{refused}");
    let all = json!({ "text": TEXT, "reason": "it's time", "allowRemovals": leaving });
    let (status, made) = apply(all.clone()).await;
    assert_eq!((status, &made["revision"]["number"]), (201, &1.into()), "{made}");
    assert_eq!(apply(all).await.0, 200, "it is in force");
    let secret = format!("{TEXT}# ?sig=aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D\n");
    let (status, kept) = apply(json!({ "text": secret })).await;
    assert!(status == 422 && !kept.to_string().contains("aHVudGVy"), "{status}: {kept}");
    assert_eq!(apply(json!({ "text": "[azure" })).await.0, 400);
    let rest = format!("{TEXT}# {}\n", "long ".repeat(100_000));
    let (status, late) = apply(json!({ "text": rest, "replaces": 0 })).await;
    assert_eq!((status, &late["code"]), (409, &"conflict".into()), "{late}");
    assert_eq!(
        apply(json!({ "text": rest, "replaces": 1, "name": "new.toml", "allowRemovals": leaving })).await.0,
        201
    );
    let (status, back) =
        apply(json!({ "rollbackTo": 1, "replaces": 2, "reason": "no", "allowRemovals": leaving })).await;
    assert_eq!((status, &back["revision"]["rolled_back_to"]), (201, &1.into()), "{back}");
    for (body, status) in
        [(json!({}), 400), (json!({ "text": TEXT, "rollbackTo": 1 }), 400), (json!({ "rollbackTo": 9 }), 404)]
    {
        assert_eq!(apply(body.clone()).await.0, status, "{body}");
    }

    let read = async |path: &str| ask(&world, &viewer, &format!("GET /api/v1/revisions{path}"), "").await;
    let list: Value = serde_json::from_str(&read("").await.body).unwrap();
    let head = &list["value"][2];
    assert_eq!(
        (&head["number"], &head["actor"], &head["actor_through"]),
        (&1.into(), &"ann".into(), &"api".into())
    );
    let one: Value = serde_json::from_str(&read("/1").await.body).unwrap();
    assert_eq!(
        (&one["text"], &one["is_newest"], &one["reason"]),
        (&TEXT.into(), &false.into(), &"it's time".into())
    );
    assert_eq!((read("/4").await.status, read("/x").await.status), (404, 400));
    let same: Value = serde_json::from_str(&read("/3/changes?from=1").await.body).unwrap();
    assert_eq!((&same["policies"], &same["settings"]), (&json!([]), &json!([])), "{same}");
    assert_eq!((read("/3/changes").await.status, read("/3/changes?from=9").await.status), (400, 404));
    assert!(world.audit().await.contains("RevisionApplied { number: 1"));
}
