//! The software bill of materials in CycloneDX 1.5 (JSON).

use serde_json::{Value, json};

use super::packages::{Package, Packages};

/// The document. It has no time and no random number, so that the same sources give the same bytes.
pub fn document(packages: &Packages) -> Value {
    let Packages { program, third_party } = packages;
    let mut root = component(program);
    root["type"] = "application".into();
    let dependencies = std::iter::once(program).chain(third_party);
    let dependency = |package: &Package| json!({ "ref": package.purl(), "dependsOn": package.uses.iter().collect::<Vec<_>>() });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": root },
        "components": third_party.iter().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies.map(dependency).collect::<Vec<_>>(),
    })
}

fn component(package: &Package) -> Value {
    let Package { name, version, license, repository, sha256, .. } = package;
    let mut component = json!({
        "type": "library",
        "bom-ref": package.purl(),
        "name": name,
        "version": version,
        "purl": package.purl(),
    });
    if let Some(license) = license {
        component["licenses"] = json!([{ "expression": license }]);
    }
    if let Some(sha256) = sha256 {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
    }
    if let Some(url) = repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": url }]);
    }
    component
}
