//! What a policy inherits: the policy that it extends, and the section `[defaults]`.

use std::collections::BTreeMap;

use holdfast_model::PolicyName;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostics, SourceLocation};
use crate::nearest::did_you_mean;
use crate::section::{Layer, Section};
use crate::wrong_kind::wrong_kind;

/// The key that names the policy to inherit from.
const EXTENDS: &str = "extends";

/// The tables of all policies, and of `[defaults]`.
#[derive(Debug)]
pub struct Inheritance<'t> {
    policies: BTreeMap<PolicyName, Layer<'t>>,
    defaults: Option<Layer<'t>>,
}

impl<'t> Inheritance<'t> {
    /// Reads `[defaults]`, and remembers the tables below `[policy]`.
    pub fn of(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'t>, policies: &Section<'t>) -> Self {
        let tables = policies.entries().filter_map(|(name, (place, value))| match value {
            DeValue::Table(table) => Some((PolicyName::new(name), (place, table))),
            _ => None,
        });
        let policies = tables.collect();
        let expected = "a table with keys of policies, such as `timezone`";
        let defaults = file.section(diagnostics, "defaults", expected).map(|section| section.layer());
        if let Some((place, table)) = &defaults
            && let Some(found) = extends(place, table)
        {
            let message = format_args!("`{}`: [defaults] extends no policy", found.0.key);
            diagnostics.error_with_help(
                &found.0,
                message,
                "write its keys here, or extend the policy elsewhere",
            );
        }
        Self { policies, defaults }
    }

    /// Adds to a policy what it inherits: first of the policy that it extends, and so on, last of `[defaults]`.
    pub fn complete(
        &self,
        diagnostics: &mut Diagnostics<'_>,
        name: &PolicyName,
        section: Section<'t>,
    ) -> Section<'t> {
        let mut layers: Vec<Layer<'t>> = Vec::new();
        let (mut names, mut current) = (vec![name.clone()], section.layer());
        while let Some((place, value)) = extends(&current.0, current.1) {
            let Some(parent) = self.parent(diagnostics, &place, value) else { break };
            let Some(layer) = self.policies.get(&parent) else { break };
            if names.contains(&parent) {
                let names: Vec<&str> = names.iter().chain([&parent]).map(PolicyName::as_str).collect();
                let message =
                    format_args!("`{}`: policies extend each other: {}", place.key, names.join(", "));
                diagnostics.error_with_help(&place, message, "let one of them extend none");
                break;
            }
            names.push(parent);
            layers.push(layer.clone());
            current = layer.clone();
        }
        layers.extend(self.defaults.clone());
        section.inheriting(layers)
    }

    /// Whether another policy inherits from this one.
    pub fn is_extended(&self, name: &PolicyName) -> bool {
        let mut named = self.policies.values().filter_map(|(place, table)| extends(place, table));
        named.any(|(_, value)| value.as_str() == Some(name.as_str()))
    }

    fn parent(
        &self,
        diagnostics: &mut Diagnostics<'_>,
        place: &SourceLocation,
        value: &DeValue<'_>,
    ) -> Option<PolicyName> {
        let Some(text) = value.as_str() else {
            wrong_kind(diagnostics, place, "the name of a [policy.NAME]", value);
            return None;
        };
        let parent = PolicyName::new(text);
        if self.policies.contains_key(&parent) {
            return Some(parent);
        }
        let near = did_you_mean(text, self.policies.keys().map(PolicyName::as_str));
        diagnostics.missing(
            place,
            format_args!("`{}`: no policy is called \"{text}\"{near}", place.key),
            None,
        );
        None
    }
}

/// What a table says that it extends.
fn extends<'t>(place: &SourceLocation, table: &'t DeTable<'t>) -> Option<(SourceLocation, &'t DeValue<'t>)> {
    let value = table.get(EXTENDS)?;
    let place = SourceLocation { key: format!("{}.{EXTENDS}", place.key), at: value.span() };
    Some((place, value.get_ref()))
}
