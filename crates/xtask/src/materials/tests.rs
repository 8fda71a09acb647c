use std::collections::BTreeSet;

use serde_json::json;

use super::packages::{Package, read};
use super::{notices, sbom};

const LOCK: &str = r#"version = 4

[[package]]
name = "tokio"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "aa11"
dependencies = [
 "bytes",
]

[[package]]
name = "bytes"
version = "1.2.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "bb22"
"#;

fn package(name: &str, version: &str, is_ours: bool, license: &str) -> serde_json::Value {
    let source = (!is_ours).then_some("registry+https://github.com/rust-lang/crates.io-index");
    json!({
        "id": format!("{name}-id"), "name": name, "version": version, "source": source, "license": license,
        "repository": "https://example.com/repo", "authors": ["Ann"], "manifest_path": "/src/Cargo.toml",
    })
}

fn node(id: &str, deps: &[(&str, Option<&str>)]) -> serde_json::Value {
    let deps: Vec<_> = deps
        .iter()
        .map(|(name, kind)| json!({ "pkg": format!("{name}-id"), "dep_kinds": [{ "kind": kind }] }))
        .collect();
    json!({ "id": format!("{id}-id"), "deps": deps })
}

fn metadata() -> String {
    json!({
        "packages": [
            package("holdfast", "0.1.0", true, "MIT OR Apache-2.0"),
            package("holdfast-model", "0.1.0", true, "MIT OR Apache-2.0"),
            package("tokio", "1.0.0", false, "MIT/Apache-2.0"),
            package("bytes", "1.2.0", false, "MIT"),
            package("proptest", "1.0.0", false, "MIT"),
            package("cc", "1.0.0", false, "MIT"),
        ],
        "resolve": { "nodes": [
            node("holdfast", &[("holdfast-model", None), ("proptest", Some("dev"))]),
            node("holdfast-model", &[("tokio", None), ("cc", Some("build"))]),
            node("tokio", &[("bytes", None)]),
            node("bytes", &[]),
            node("proptest", &[]),
            node("cc", &[]),
        ] },
    })
    .to_string()
}

#[test]
fn the_bill_lists_what_is_linked_with_checksums_and_licences() {
    let packages = read(&metadata(), LOCK).unwrap();
    let names: Vec<&str> = packages.third_party.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["bytes", "tokio"], "neither our own nor those of tests and build scripts");
    let bill = sbom::document(&packages);
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let tokio = &bill["components"][1];
    assert_eq!(tokio["purl"], "pkg:cargo/tokio@1.0.0");
    assert_eq!(tokio["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(tokio["hashes"][0]["content"], "aa11");
    assert_eq!(bill["metadata"]["component"]["type"], "application");
    let dependencies = &bill["dependencies"];
    assert_eq!(dependencies[0]["dependsOn"], json!(["pkg:cargo/tokio@1.0.0"]), "through our own crate");
    assert_eq!(dependencies[2]["dependsOn"], json!(["pkg:cargo/bytes@1.2.0"]));
}

#[test]
fn a_licence_text_stands_once_with_the_packages_that_carry_it() {
    let folder = std::env::temp_dir().join(format!("holdfast-notices-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("LICENSE-MIT"), "Permission is granted\r\n").unwrap();
    std::fs::write(folder.join("license.rs"), "fn main() {}").unwrap();
    let mut packages = read(&metadata(), LOCK).unwrap();
    for package in &mut packages.third_party {
        *package = Package { folder: folder.clone(), uses: BTreeSet::new(), ..package.clone() };
    }
    let text = notices::text(&packages).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(text.matches("Permission is granted\n").count(), 1, "{text}");
    assert!(text.contains("bytes 1.2.0, tokio 1.0.0\n"), "{text}");
    assert!(
        text.contains("\ntokio 1.0.0\n  licence: MIT OR Apache-2.0\n  source: https://example.com/repo\n"),
        "{text}"
    );
    assert!(!text.contains("fn main"), "{text}");
}
