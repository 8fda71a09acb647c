//! Files of one crate must not import each other in a circle.

mod modules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use modules::Modules;

/// Circles that are still allowed: a crate, and two files of the circle. Only ever remove from this list.
const KNOWN_CIRCLES: &[Known<'static>] = &[];

type Known<'a> = (&'a str, &'a str, &'a str);

/// Reports every unknown circle, and every known circle that no longer exists.
pub fn faults<'a>(root: &Path, crates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found = Vec::new();
    for folder in crates {
        let source = root.join(folder).join("src");
        let circles = circles(&|path| fs::read_to_string(source.join(path)).ok());
        found.extend(circles.into_iter().map(|circle| (folder, circle)));
    }
    compare(&found, KNOWN_CIRCLES)
}

fn compare(found: &[(&str, Circle)], known: &[Known<'_>]) -> Vec<String> {
    let is_known = |(folder, circle): &(&str, Circle), (known, one, other): &Known<'_>| {
        folder == known && circle.files.contains(*one) && circle.files.contains(*other)
    };
    let new = found.iter().filter(|found| !known.iter().any(|known| is_known(found, known)));
    let gone = known.iter().filter(|known| !found.iter().any(|found| is_known(found, known)));
    let new = new.map(|(folder, circle)| {
        format!(
            "{folder}/src: these files import each other in a circle:\n    {}",
            circle.ties.join("\n    ")
        )
    });
    let gone = gone.map(|(folder, one, other)| {
        format!("{folder}/src: {one} and {other} are in no circle: remove them from KNOWN_CIRCLES")
    });
    new.chain(gone).collect()
}

/// Files that import each other, directly or through others.
#[derive(Debug, PartialEq)]
struct Circle {
    files: BTreeSet<String>,
    /// `FROM -> TO (NAMES)`
    ties: Vec<String>,
}

/// The circles of the crate whose files `read` returns by their path from `src`.
fn circles(read: &dyn Fn(&str) -> Option<String>) -> Vec<Circle> {
    let ties = Modules::read(read).ties();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in ties.keys() {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|from| (*from, reach(from, &next))).collect();
    let mut groups = BTreeSet::new();
    for (file, others) in &reached {
        let is_mutual = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
        let group: BTreeSet<&str> = others.iter().filter(is_mutual).copied().collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    let circle = |group: BTreeSet<&str>| {
        let inside = ties
            .iter()
            .filter(|((from, to), _)| group.contains(from.as_str()) && group.contains(to.as_str()));
        let ties = inside.map(|((from, to), names)| {
            format!("{from} -> {to} ({})", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        });
        Circle { ties: ties.collect(), files: group.into_iter().map(str::to_owned).collect() }
    };
    groups.into_iter().map(circle).collect()
}

fn reach<'a>(from: &'a str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut pending = vec![from];
    while let Some(file) = pending.pop() {
        let new = next.get(file).into_iter().flatten().filter(|file| reached.insert(**file));
        pending.extend(new.copied().collect::<Vec<_>>());
    }
    reached
}

#[cfg(test)]
mod tests;
