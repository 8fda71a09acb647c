//! Rules for the manifest and the README of every crate.

use std::fs;
use std::path::Path;

use super::fault::Fault;

const README_IS_THE_DOC: &str = "#![doc = include_str!(\"../README.md\")]";

/// Reports the faults of the crate whose manifest is at `path`, from `root`.
pub fn faults(root: &Path, path: &str, manifest: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !inherits_lints(manifest) {
        faults.push((1, "does not inherit the workspace's lints: [lints] workspace = true".to_owned()));
    }
    let folder = root.join(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let library = fs::read_to_string(folder.join("src/lib.rs")).ok();
    // The package of joint tests has a library that only its own tests use.
    if let Some(library) = library.filter(|_| path.starts_with("crates/")) {
        if !folder.join("README.md").is_file() {
            faults.push((1, "has no README.md".to_owned()));
        }
        if !library.lines().any(|line| line == README_IS_THE_DOC) {
            faults
                .push((1, format!("src/lib.rs does not include the README as its doc: {README_IS_THE_DOC}")));
        }
    }
    faults
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let words: String = line.split_whitespace().collect();
        section == "[lints]" && words == "workspace=true"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_lints_inherits_lints() {
        assert!(inherits_lints("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[dependencies.x]\nworkspace = true\n\n[lints]\n"));
        assert!(!inherits_lints("[lints]\n\n[dependencies.x]\nworkspace = true\n"));
    }

    #[test]
    fn a_library_needs_a_readme_and_a_binary_does_not() {
        let root = crate::step::root();
        let manifest = "[lints]\nworkspace = true\n";
        assert_eq!(faults(root, "crates/model/Cargo.toml", manifest), []);
        assert_eq!(faults(root, "crates/xtask/Cargo.toml", manifest), []);
        assert_eq!(faults(root, "crates/xtask/Cargo.toml", "").len(), 1);
    }
}
