//! The notices of the packages that the program contains.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::packages::{Package, Packages};

/// How the names of files with licences and notices begin, in capitals.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// The text: each package with its licence, then each licence text once with the packages that carry it.
pub fn text(packages: &Packages) -> Result<String> {
    let mut text = format!(
        "Third-party software in {} {}\n\nThe program contains the packages below. Where a package offers several licences, \
         any of them\napplies. The texts follow.\n",
        packages.program.name, packages.program.version
    );
    let mut carriers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in &packages.third_party {
        let _ = write!(text, "\n{}\n", heading(package));
        let texts = license_texts(&package.folder)?;
        if texts.is_empty() {
            text.push_str("  its package has no licence file\n");
        }
        for found in texts {
            carriers.entry(found).or_default().push(format!("{} {}", package.name, package.version));
        }
    }
    for (license, carriers) in &carriers {
        let _ = write!(text, "\n{}\n{}\n\n{}\n", "=".repeat(80), carriers.join(", "), license.trim_end());
    }
    Ok(text)
}

fn heading(package: &Package) -> String {
    let mut heading = format!("{} {}", package.name, package.version);
    let license = package.license.as_deref().unwrap_or("see its licence file");
    let _ = write!(heading, "\n  licence: {license}");
    if let Some(repository) = &package.repository {
        let _ = write!(heading, "\n  source: {repository}");
    }
    if !package.authors.is_empty() {
        let _ = write!(heading, "\n  authors: {}", package.authors.join(", "));
    }
    heading
}

/// The texts of the files with licences and notices in a package's folder.
fn license_texts(folder: &Path) -> Result<Vec<String>> {
    let failed = || format!("failed to read the licences in {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        if path.is_file() && !is_code && NAMES.iter().any(|start| name.starts_with(start)) {
            files.push(path);
        }
    }
    files.sort();
    let read =
        |path| Ok(String::from_utf8_lossy(&fs::read(path).with_context(failed)?).replace("\r\n", "\n"));
    files.iter().map(read).collect()
}
