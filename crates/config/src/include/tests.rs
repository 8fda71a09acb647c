use std::path::Path;

use holdfast_model::Timestamp;

use super::*;
use crate::{Checked, FleetText, Secrets};

const ROOT: &str = r#"
include = ["apps/*.toml"]
[azure]
credential = { kind = "azure_cli" }
[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }
[defaults]
timezone = "Europe/Paris"
deadline = "4h"
storage = "weu"
recovery_point_objective = "26h"
"#;

const POLICY: &str = "# ours\n[policy.gold]\nschedule = \"0 2 * * *\"\n";

fn app(name: &str, policy: &str) -> String {
    let id = format!("/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/{name}");
    format!("[[app]]\nid = \"{id}\"\npolicy = \"{policy}\"\n")
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("apps")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn checked(path: &Path) -> Checked {
    crate::check(path, Secrets::Leave, Timestamp::UNIX_EPOCH).unwrap()
}

fn refused(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    read(&folder.path().join("fleet.toml")).unwrap_err().to_string()
}

#[test]
fn included_files_make_one_fleet_and_each_value_keeps_its_file_and_line() {
    let (shop, till) = (app("shop", "gold"), app("till", "gold"));
    let folder = folder(&[
        ("fleet.toml", ROOT),
        ("apps/b.toml", &till),
        ("apps/a.toml", &format!("{POLICY}{shop}")),
        ("apps/.hidden.toml", "no"),
    ]);
    let Checked { fleet, problems, .. } = checked(&folder.path().join("fleet.toml"));
    assert_eq!(problems, []);
    let fleet = fleet.unwrap();
    assert_eq!(fleet.apps.len(), 2);
    let values = fleet.effective.values().next().unwrap();
    let told = |key: &str| {
        let value = values.iter().find(|value| value.key == key).unwrap();
        (value.file.as_ref().map(|file| Path::new(file).ends_with("apps/a.toml")), value.line)
    };
    assert_eq!(told("schedule"), (Some(true), Some(3)));
    assert_eq!(told("timezone"), (None, Some(9)));
}

#[test]
fn a_problem_is_told_with_the_file_that_has_it() {
    let files = [("fleet.toml", ROOT), ("apps/a.toml", POLICY), ("apps/b.toml", &app("shop", "silver"))];
    let folder = folder(&files);
    let told = checked(&folder.path().join("fleet.toml")).problems[0].clone();
    assert!(told.file.ends_with("apps/b.toml") && told.line == 3, "{told}");
}

#[test]
fn a_section_of_two_files_is_an_error_that_names_both() {
    let files = [("fleet.toml", ROOT), ("apps/a.toml", POLICY), ("apps/b.toml", POLICY)];
    let folder = folder(&files);
    let problems = checked(&folder.path().join("fleet.toml")).problems;
    let told = problems.iter().find(|problem| problem.file.ends_with("apps/b.toml")).unwrap();
    assert!(told.line == 2 && told.message.contains("apps/a.toml:2 too"), "{problems:#?}");
}

#[test]
fn the_whole_text_is_a_fleet_without_its_files_and_a_part_of_it_is_not() {
    let files = [("fleet.toml", ROOT), ("apps/a.toml", &format!("{POLICY}{}", app("shop", "silver")))];
    let folder = folder(&files);
    let text = FleetText::read(&folder.path().join("fleet.toml")).unwrap().text;
    let check = |text: &str| crate::check_text("revision 7", text, Timestamp::UNIX_EPOCH).problems;
    let told = check(&text);
    assert_eq!((told[0].file.as_str(), told[0].line), ("apps/a.toml", 6));
    assert!(check(ROOT).iter().any(|told| told.message.contains("no part of this text")));
    let again = folder.path().join("again.toml");
    fs::write(&again, &text).unwrap();
    assert_eq!(read(&again).unwrap().text, text);
}

#[test]
fn a_folder_is_a_fleet_of_its_files() {
    let root = ROOT.replace("include = [\"apps/*.toml\"]", "");
    let (policy, app) = (POLICY, app("shop", "gold"));
    let folder = folder(&[("1.toml", &root), ("2.toml", policy), ("3.toml", &app), ("notes.md", "no")]);
    let Checked { fleet, problems, .. } = checked(folder.path());
    assert_eq!(problems, []);
    assert_eq!(fleet.unwrap().apps.len(), 1);
}

#[test]
fn what_cannot_be_included_is_refused_with_its_reason() {
    let includes = |pattern: &str| format!("include = [\"{pattern}\"]\n");
    for (pattern, expected) in [
        ("apps/*.toml", "which no file matches"),
        ("apps/none.toml", "which no file matches"),
        ("none/*.toml", "the folder cannot be read"),
        ("../other.toml", "no path below its folder"),
        ("/etc/other.toml", "no path below its folder"),
        ("*/a.toml", "in the name of a folder"),
    ] {
        let told = refused(&[("fleet.toml", &includes(pattern))]);
        assert!(told.contains(expected) && told.contains(pattern), "{told}");
    }
    for (part, expected) in [
        ("include = [\"b.toml\"]\n", "does not begin with a section"),
        ("[app.tags]\na = \"b\"\n", "before its first [[app]]"),
        ("[limits]\n#:file b.toml\n", "has included files itself"),
    ] {
        let root = format!("{}[[app]]\nid = \"1\"\n", includes("apps/a.toml"));
        let told = refused(&[("fleet.toml", &root), ("apps/a.toml", part)]);
        assert!(told.contains(expected) && told.contains("apps/a.toml"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let other = folder(&[("other.toml", POLICY)]);
    let folder = folder(&[("fleet.toml", ROOT)]);
    std::os::unix::fs::symlink(other.path().join("other.toml"), folder.path().join("apps/a.toml")).unwrap();
    let told = read(&folder.path().join("fleet.toml")).unwrap_err().to_string();
    assert!(told.contains("leaves the folder"), "{told}");
}

#[test]
fn a_star_stands_for_any_text() {
    assert!(matches("*.toml", "a.toml") && matches("a*b*.toml", "a-b-c.toml") && matches("a.toml", "a.toml"));
    assert!(!matches("a*a", "a") && !matches("*", ".hidden") && !matches("*.toml", "a.toml.bak"));
}
