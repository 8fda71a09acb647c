//! The modules of one crate, and which of their files use names of which others.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// From a file and to a file: the names that tie them.
pub type Ties = BTreeMap<(String, String), BTreeSet<String>>;

/// Every module that has a file, by its path from the crate's root.
pub struct Modules(BTreeMap<Vec<String>, File>);

struct File {
    path: String,
    source: Source,
}

/// A path from the crate's root, without the word `crate`.
type Absolute = Vec<String>;

/// Re-exports and imports are followed this often; more would be a chain without an end, such as `use serde::serde`.
const HOPS_MAX: u32 = 8;

impl Modules {
    /// Reads the root and every module declared outside of tests. `#[path]` and inline modules are not followed.
    pub fn read(read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut modules = Self(BTreeMap::new());
        let mut pending: Vec<Vec<String>> = vec![Vec::new()];
        while let Some(module) = pending.pop() {
            let name = module.join("/");
            let paths = if name.is_empty() {
                ["lib.rs".to_owned(), "main.rs".to_owned()]
            } else {
                [format!("{name}.rs"), format!("{name}/mod.rs")]
            };
            let found = paths.into_iter().find_map(|path| Some((read(&path)?, path)));
            let Some((text, path)) = found else { continue };
            let source = Source::parse(&text);
            pending.extend(source.modules.iter().map(|child| join(&module, std::slice::from_ref(child))));
            modules.0.insert(module, File { path, source });
        }
        modules
    }

    /// Every use of another file's names.
    pub fn ties(&self) -> Ties {
        let mut ties = Ties::new();
        for (module, file) in &self.0 {
            let imports = file.source.imports.iter().map(|import| (import.is_public, &import.path));
            let paths = file.source.paths.iter().map(|path| (false, path));
            for (is_public, path) in imports.chain(paths) {
                let Some(path) = self.absolute(module, path, HOPS_MAX) else { continue };
                // A module that re-exports what is below it does not use it.
                let is_re_export = is_public && path.starts_with(module);
                if let Some((to, name)) = self.definition(&path, HOPS_MAX)
                    && !is_re_export
                    && to != file.path
                {
                    ties.entry((file.path.clone(), to.to_owned())).or_default().insert(name);
                }
            }
        }
        ties
    }

    /// The path from the crate's root; `None` for a path that leads elsewhere.
    fn absolute(&self, module: &[String], path: &[String], hops: u32) -> Option<Absolute> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some(join(module, rest)),
            "super" => {
                let parent = module.split_last()?.1;
                let is_longer = rest.first().is_some_and(|next| next == "super");
                if is_longer { self.absolute(parent, rest, hops) } else { Some(join(parent, rest)) }
            }
            _ if self.0.contains_key(&join(module, std::slice::from_ref(first))) => Some(join(module, path)),
            _ => {
                let import =
                    self.0.get(module)?.source.imports.iter().find(|import| import.name == *first)?;
                Some(join(&self.absolute(module, &import.path, hops.checked_sub(1)?)?, rest))
            }
        }
    }

    /// The file that defines what the path names, and its name there. `None` for a module or for something external.
    fn definition(&self, path: &[String], hops: u32) -> Option<(&str, String)> {
        let depth = (0..=path.len()).rev().find(|depth| self.0.contains_key(&path[..*depth]))?;
        let (module, rest) = path.split_at(depth);
        let file = self.0.get(module)?;
        let (name, after) = rest.split_first()?;
        match file.source.imports.iter().find(|import| import.name == *name) {
            None => Some((&file.path, name.clone())),
            Some(import) => {
                let hops = hops.checked_sub(1)?;
                let target = join(&self.absolute(module, &import.path, hops)?, after);
                self.definition(&target, hops)
            }
        }
    }
}

fn join(module: &[String], rest: &[String]) -> Vec<String> {
    [module, rest].concat()
}
