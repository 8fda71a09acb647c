//! Principals: who asks.

use std::collections::BTreeSet;
use std::fmt;

use holdfast_model::PolicyName;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::{Permission, Role};

/// Who asks, as the login proved it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Principal {
    /// The name: of the token, of the person, or of the user who runs the process.
    pub name: String,
    /// How it logged in.
    pub login: LoginMethod,
    /// What it may do.
    pub role: Role,
    /// The apps on which it may act.
    #[serde(rename = "policies")]
    pub scope: Scope,
}

/// How a principal logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LoginMethod {
    /// Not at all: it is on the machine of the process.
    Local,
    /// By an API token.
    Token,
    /// By OpenID Connect at Entra ID, as a person.
    Oidc,
    /// By an access token of Entra ID on the API, as a workload, or as a program for a person.
    Entra,
    /// By the header of an authenticating proxy.
    Header,
}

/// The policies to whose apps the acts of a principal are limited. It sees the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Scope(Option<BTreeSet<PolicyName>>);

impl Scope {
    /// No limit.
    pub const ALL: Self = Self(None);

    /// Apps under one of these policies; no limit where there is none.
    pub fn of(policies: impl IntoIterator<Item = PolicyName>) -> Self {
        Self(Some(policies.into_iter().collect()).filter(|policies: &BTreeSet<_>| !policies.is_empty()))
    }

    /// The policies; `None` for no limit.
    pub fn policies(&self) -> Option<&BTreeSet<PolicyName>> {
        self.0.as_ref()
    }

    /// Whether an app under this policy is in it.
    pub fn covers(&self, policy: Option<&PolicyName>) -> bool {
        self.0.as_ref().is_none_or(|policies| policy.is_some_and(|policy| policies.contains(policy)))
    }

    /// Whether every app that `other` covers is in it.
    pub fn includes(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.is_superset(other),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(policies) = &self.0 else { return f.write_str("all") };
        let names: Vec<String> = policies.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

impl LoginMethod {
    /// The method's name in the audit and in answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Principal {
    /// Whether its role has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, by {})", self.name, self.role, self.login.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(names: &[&str]) -> Scope {
        Scope::of(names.iter().map(|name| PolicyName::new(*name)))
    }

    #[test]
    fn a_scope_covers_the_apps_of_its_policies_and_no_app_without_a_policy() {
        let (gold, silver) = (PolicyName::new("gold"), PolicyName::new("silver"));
        assert!(scope(&["gold"]).covers(Some(&gold)));
        assert!(!scope(&["gold"]).covers(Some(&silver)) && !scope(&["gold"]).covers(None));
        assert!(Scope::ALL.covers(Some(&silver)) && Scope::ALL.covers(None));
        assert_eq!(scope(&[]), Scope::ALL);
    }

    #[test]
    fn a_scope_includes_narrower_ones_alone() {
        assert!(Scope::ALL.includes(&scope(&["gold"])) && Scope::ALL.includes(&Scope::ALL));
        assert!(scope(&["gold", "silver"]).includes(&scope(&["gold"])));
        assert!(!scope(&["gold"]).includes(&scope(&["gold", "silver"])));
        assert!(!scope(&["gold"]).includes(&Scope::ALL));
    }
}
