//! The token endpoint, and the check of its tokens.

use std::collections::BTreeMap;

use holdfast_model::Timestamp;

/// The valid tokens and their ends.
#[derive(Default)]
pub(super) struct Tokens {
    pub(super) ends: BTreeMap<String, Timestamp>,
}

/// Whether it is `/TENANT/oauth2/v2.0/token`.
pub(super) fn is_token_path(path: &str) -> bool {
    path.split_once("/oauth2/").is_some_and(|(_, rest)| rest == "v2.0/token")
}
