//! Formatting changes no meaning, and a file is replaced whole or not at all.

use std::fs;

use holdfast_model::Timestamp;

use super::schema::fleet_files;
use super::*;
use crate::format::format;

#[test]
fn formatting_changes_the_meaning_of_no_fleet_file_of_the_tree_and_is_done_once() {
    let mut count = 0;
    for (name, text) in fleet_files() {
        let Ok(before) = text.parse::<toml::Table>() else { continue };
        let new = format(&text);
        assert_eq!(new.parse::<toml::Table>().as_ref(), Ok(&before), "{}: {new}", name.display());
        assert_eq!(format(&new), new, "{}", name.display());
        let comments = |text: &str| text.matches('#').count();
        assert_eq!(comments(&new), comments(&text), "{}", name.display());
        count += 1;
    }
    assert!(count > 20, "{count}");
    let fleet = |text: &str| check_text("fleet.toml", text, Timestamp::UNIX_EPOCH).fleet.unwrap();
    let (before, after) = (fleet(EXAMPLE), fleet(&format(EXAMPLE)));
    assert_eq!(before.settings, after.settings);
    assert_eq!((before.policies, before.apps, before.discover), (after.policies, after.apps, after.discover));
}

#[test]
fn every_file_of_a_fleet_is_replaced_with_its_permissions_and_a_second_time_none() {
    let folder = tempfile::tempdir().unwrap();
    let (root, part) = (folder.path().join("fleet.toml"), folder.path().join("apps.toml"));
    fs::write(&root, "include=[\"apps.toml\"]\n[limits]\nper_plan=2").unwrap();
    fs::write(&part, "[[app]]\r\nid=\"a\" # b\r\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let old = fs::metadata(&part).unwrap().permissions();
    for file in formatted(&root).unwrap() {
        file.write().unwrap();
    }
    assert_eq!(fs::read_to_string(&root).unwrap(), "include = [\"apps.toml\"]\n\n[limits]\nper_plan = 2\n");
    assert_eq!(fs::read_to_string(&part).unwrap(), "[[app]]\nid = \"a\" # b\n");
    assert_eq!(fs::metadata(&part).unwrap().permissions(), old);
    assert!(formatted(&root).unwrap().iter().all(|file| file.text.is_none()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no file is left over");
}

#[test]
fn a_file_that_is_no_toml_is_refused_as_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let (root, part) = (folder.path().join("fleet.toml"), folder.path().join("apps.toml"));
    fs::write(&root, "include=[\"apps.toml\"]\n").unwrap();
    fs::write(&part, "[[app]]\nid = \"a\n").unwrap();
    let told = formatted(&root).unwrap_err().to_string();
    let FormatError::Invalid(Invalid(found)) = formatted(&root).unwrap_err() else { panic!("{told}") };
    let checked = check(&root, Secrets::Leave, Timestamp::UNIX_EPOCH).unwrap();
    assert!(checked.problems.contains(&found[0]), "{found:#?} {:#?}", checked.problems);
    fs::write(&root, "include=[\"none.toml\"]\n").unwrap();
    assert!(formatted(&root).unwrap_err().to_string().contains("which no file matches"));
}
