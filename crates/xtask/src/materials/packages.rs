//! The packages that are linked into the program, from `cargo metadata` and `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

/// The package of the program.
const PROGRAM: &str = "holdfast";

/// The program and the packages that it is made of.
#[derive(Debug)]
pub struct Packages {
    /// The program.
    pub program: Package,
    /// The packages of others, by name and version.
    pub third_party: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The licence as an SPDX expression.
    pub license: Option<String>,
    pub repository: Option<String>,
    pub authors: Vec<String>,
    /// The folder of its source.
    pub folder: PathBuf,
    /// The checksum of its archive, from the lock file.
    pub sha256: Option<String>,
    /// The packages of others that it uses, by their purl.
    pub uses: BTreeSet<String>,
}

impl Package {
    /// The package URL.
    pub fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// Reads the packages from the document of `cargo metadata` and the text of `Cargo.lock`.
///
/// Dependencies for tests and build scripts are left out: they are not part of the program.
pub fn read(metadata: &str, lock: &str) -> Result<Packages> {
    let document: Value = serde_json::from_str(metadata).context("`cargo metadata` wrote no JSON")?;
    let checksums = checksums(lock);
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut is_ours: BTreeMap<String, bool> = BTreeMap::new();
    for package in array(&document["packages"]) {
        let id = text(package, "id")?;
        is_ours.insert(id.clone(), package["source"].is_null());
        packages.insert(id, of(package, &checksums)?);
    }
    let uses = uses(&document["resolve"]["nodes"])?;
    let program = packages.iter().find(|(id, package)| package.name == PROGRAM && is_ours[*id]);
    let root = program.map(|(id, _)| id.clone()).context("the workspace has no package `holdfast`")?;
    let linked = reachable(&root, &uses);
    let purl = |id: &String| packages[id].purl();
    let third_party_of = |id: &String| -> BTreeSet<String> {
        uses.get(id).into_iter().flatten().filter(|id| !is_ours[*id]).map(purl).collect()
    };
    let mut third_party: Vec<Package> = linked
        .iter()
        .filter(|id| !is_ours[*id])
        .map(|id| Package { uses: third_party_of(id), ..packages[id].clone() })
        .collect();
    third_party.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    // Our own crates are part of the program: what they use, it uses.
    let uses = linked.iter().filter(|id| is_ours[*id]).flat_map(third_party_of).collect();
    let program = Package { uses, ..packages[&root].clone() };
    Ok(Packages { program, third_party })
}

fn of(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Result<Package> {
    let (name, version) = (text(package, "name")?, text(package, "version")?);
    let manifest = PathBuf::from(text(package, "manifest_path")?);
    let maybe = |key: &str| package[key].as_str().map(str::to_owned);
    Ok(Package {
        sha256: checksums.get(&(name.clone(), version.clone())).cloned(),
        // Older manifests separate alternatives with a slash.
        license: maybe("license").map(|license| license.replace('/', " OR ").replace("  ", " ")),
        repository: maybe("repository"),
        authors: array(&package["authors"]).filter_map(Value::as_str).map(str::to_owned).collect(),
        folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
        uses: BTreeSet::new(),
        name,
        version,
    })
}

/// What each package uses, without dependencies for tests and build scripts.
fn uses(nodes: &Value) -> Result<BTreeMap<String, Vec<String>>> {
    let mut uses = BTreeMap::new();
    for node in array(nodes) {
        let linked = array(&node["deps"])
            .filter(|dependency| array(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()));
        let ids: Result<Vec<String>> = linked.map(|dependency| text(dependency, "pkg")).collect();
        uses.insert(text(node, "id")?, ids?);
    }
    Ok(uses)
}

fn reachable(root: &str, uses: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(id) = open.pop() {
        if reached.insert(id.clone()) {
            open.extend(uses.get(&id).into_iter().flatten().cloned());
        }
    }
    reached
}

/// The checksums of a lock file by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let of_package = |block: &str| {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|text| text.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    };
    lock.split("[[package]]").filter_map(of_package).collect()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text =
        value[key].as_str().with_context(|| format!("`cargo metadata` has an entry without `{key}`"))?;
    Ok(text.to_owned())
}
