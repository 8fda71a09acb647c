//! The section `[audit]`.

use std::path::PathBuf;
use std::time::Duration;

use holdfast_model::StorageName;

use super::*;
use crate::CheckpointDestination;

fn file(audit: &str) -> String {
    format!("{EXAMPLE}\n[audit]\ncheckpoint = {{ {audit} }}\n")
}

#[test]
fn checkpoints_arrive_with_their_destinations() {
    let text = file(
        r#"every = "15m", to = ["storage:weu", "file:c.jsonl", "stdout"], key = "file:k.pem", name = "a-1""#,
    );
    let found = look(&text).fleet.unwrap().checkpoints.unwrap();
    assert_eq!((found.every, found.name.as_str()), (Duration::from_mins(15), "a-1"));
    assert_eq!(found.key.to_string(), "file:k.pem");
    let expected = [
        CheckpointDestination::Stdout,
        CheckpointDestination::File(PathBuf::from("c.jsonl")),
        CheckpointDestination::Storage(StorageName::new("weu")),
    ];
    assert_eq!(found.to, expected);
    let texts: Vec<String> = found.to.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["stdout", "file:c.jsonl", "storage:weu"]);
    let short = look(&file(r#"to = ["stdout"], key = "env:K""#)).fleet.unwrap().checkpoints.unwrap();
    assert_eq!((short.every, short.name.as_str()), (Duration::from_hours(1), "holdfast"));
}

#[test]
fn a_mistake_in_checkpoints_is_one_error() {
    for (audit, error) in [
        (r#"key = "env:K""#, "`audit.checkpoint` is missing `to`"),
        (r#"to = ["stdout"]"#, "`audit.checkpoint` is missing `key`"),
        (r#"to = [], key = "env:K""#, "`audit.checkpoint.to`: expected a list such as"),
        (
            r#"to = ["stdout", "stdout"], key = "env:K""#,
            "`audit.checkpoint.to[1]`: \"stdout\" is there twice",
        ),
        (r#"to = ["disk"], key = "env:K""#, "`audit.checkpoint.to[0]`: expected `storage:NAME`"),
        (r#"to = ["storage:wuu"], key = "env:K""#, "there is no section [storage.wuu]; did you mean `weu`?"),
        (
            r#"to = ["stdout"], key = "MC4CAQAwBQYDK2Vw""#,
            "`audit.checkpoint.key`: expected a reference to a secret",
        ),
        (
            r#"to = ["stdout"], key = "env:K", name = "a/b""#,
            "`audit.checkpoint.name`: expected 1 to 64 letters",
        ),
        (r#"to = ["stdout"], key = "env:K", every = "0s""#, "`audit.checkpoint.every`: expected at least 1s"),
        (r#"to = ["stdout"], key = "env:K", evry = "1h""#, "unknown key `evry` in `audit.checkpoint`"),
    ] {
        let found = errors(&file(audit));
        assert!(found.len() == 1 && found[0].contains(error), "{audit}: {found:?}");
    }
}

#[test]
fn only_the_check_of_the_file_needs_the_signing_key() {
    let text = file(r#"to = ["stdout"], key = "env:HOLDFAST_NOBODY_SETS_THIS""#);
    let about_key = |secrets| {
        let problems = checked(&text, secrets).problems;
        problems.iter().filter(|problem| problem.message.contains("audit.checkpoint.key")).count()
    };
    assert_eq!([Secrets::Judge, Secrets::Read, Secrets::Leave].map(about_key), [1, 0, 0]);
}
