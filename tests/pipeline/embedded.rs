//! The embedded form (one process, a SQLite store) leaks no secret.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_simulator::Faults;
use sqlx::{Connection as _, SqliteConnection};

use crate::fleet::{NEVER, Shape, Simulated};
use crate::kinds::site_index;
use crate::process::command;
use crate::secrets::{Secrets, files};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_file_of_an_embedded_store_or_in_what_its_commands_say() {
    let shape = Shape {
        apps: 36,
        every_kind: true,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(8),
        call_timeout: Duration::from_secs(2),
    };
    let folder = tempfile::tempdir().unwrap();
    let simulated = Simulated::serve(shape, folder.path()).await;
    simulated.write(folder.path(), NEVER);
    let env = simulated.env().into_iter().collect();
    let (app, other) = (simulated.app(site_index::SHOP), simulated.app(site_index::OTHERS));
    let scratch = simulated.app(site_index::SCRATCH);
    let mut said = Vec::new();
    for (line, code) in [
        (format!("backup {app} {other} --wait"), 0),
        (format!("sas refresh {app} --all --wait"), 0),
        (format!("restore {app} --latest --overwrite --yes --wait"), 0),
        (format!("drill {other} --into {scratch} --yes --wait"), 0),
        (format!("native-schedule push {other} --yes --wait"), 0),
        (format!("backup {app} --with-policy weak --wait"), 1),
        ("doctor".to_owned(), 1),
    ] {
        let words: Vec<&str> = line.split_whitespace().chain(["--log", "debug"]).collect();
        let output = command(folder.path(), &words, &env).output().await.unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert_eq!(output.status.code(), Some(code), "holdfast {line}: {text}");
        said.push((line, text));
    }
    said.extend(files(folder.path(), &[".sqlite", ".sqlite-wal"]));
    let seen = simulated.azure().secrets_seen();
    assert!(seen.len() > 8, "signatures, tokens and connection strings passed by");
    let seen = seen.iter().map(|secret| secrecy::ExposeSecret::expose_secret(secret).to_owned());
    let secrets = Secrets::new(seen.chain(simulated.secrets()));
    let name = simulated.fleet().sites[site_index::SHOP].site.id.site();
    assert!(said.iter().any(|(file, text)| file.ends_with(".sqlite") && text.contains(name)));
    assert_eq!(secrets.leaks_in(&said), Vec::<String>::new());
}

#[tokio::test]
async fn the_audit_is_verified_from_where_its_first_months_were_removed() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let output = command(folder.path(), &words, &BTreeMap::new()).output().await.unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), text)
    };
    let (code, text) = run("demo --apps 2 --dir .").await;
    assert!(code == Some(0) && !text.contains(" 0 attempts"), "{text}");
    assert!(text.contains("the console is at http://127.0.0.1:"), "{text}");
    let verify = "audit verify --store holdfast.sqlite";
    let (code, whole) = run(verify).await;
    assert_eq!(code, Some(0), "{whole}");

    let file = folder.path().join("holdfast.sqlite");
    let mut store = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let (hash,): (String,) =
        sqlx::query_as("SELECT hash FROM audit_events WHERE seq = 3").fetch_one(&mut store).await.unwrap();
    for change in [
        "DROP TRIGGER IF EXISTS audit_events_stay",
        "DROP TRIGGER IF EXISTS audit_events_are_kept",
        "DELETE FROM audit_events WHERE seq <= 3",
    ] {
        sqlx::query(change).execute(&mut store).await.unwrap();
    }
    store.close().await.unwrap();
    let (code, text) = run(verify).await;
    assert!(code == Some(1) && text.contains("give the hash of their last event with --since"), "{text}");
    let (code, text) = run(&format!("{verify} --since {hash}")).await;
    assert!(
        code == Some(0) && text.contains(" events after the 3 that were removed, the last has"),
        "{text}"
    );
    assert_eq!(last_hash(&text), last_hash(&whole));
    assert!(text.contains("no rows were compared"), "{text}");
    let (code, text) = run(&format!("{verify} --since {} --output json", "0".repeat(64))).await;
    assert!(code == Some(1) && text.contains("\"holds\": false"), "{text}");
    assert_eq!(run(&format!("{verify} --since 1e0f")).await.0, Some(2));
}

/// The hash of the last event, as a verification names it.
fn last_hash(text: &str) -> &str {
    let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_hash).unwrap()
}
