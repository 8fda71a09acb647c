//! Containers that depend on the app: `container = "https://acct.blob.core.windows.net/{app}"`.

use holdfast_model::{AppId, CONTAINER_PLACEHOLDERS, StorageName, unknown_placeholders};
use holdfast_storage::{Container, SasSource, StorageTarget};
use url::Url;

use crate::diagnostics::{Diagnostics, SourceLocation};

/// A container, or the pattern of the containers of apps.
#[derive(Debug)]
pub struct PerApp {
    /// The container; with a pattern, that of a made-up app.
    pub container: Container,
    /// The pattern.
    pub pattern: Option<String>,
}

/// The pattern in a container's URL, and the URL for a made-up app. `None` where a placeholder means nothing.
pub fn pattern(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    mut url: Url,
) -> Option<(Url, Option<String>)> {
    let path = url.path().trim_end_matches('/').to_owned();
    // The parser of URLs encodes braces.
    let Some((before, name)) = path.rsplit_once('/').filter(|(_, name)| name.contains("%7")) else {
        return Some((url, None));
    };
    let pattern = name.replace("%7B", "{").replace("%7D", "}");
    if let Some(unknown) = unknown_placeholders(&pattern).first() {
        let named = if is_word(unknown) {
            format!("the placeholder `{unknown}`")
        } else {
            "a placeholder".to_owned()
        };
        let message = format_args!("`{}`: {named} is not known", place.key);
        diagnostics.error_with_help(
            place,
            message,
            format!("known are {}", CONTAINER_PLACEHOLDERS.join(", ")),
        );
        return None;
    }
    let sample = StorageName::new("").with_container(&pattern).for_app(&sample());
    url.set_path(&format!("{before}/{}", sample.container().unwrap_or_default()));
    Some((url, Some(pattern)))
}

/// Whether a placeholder is a word in braces: what else is behind a brace may be a part of a SAS.
fn is_word(placeholder: &str) -> bool {
    let word = placeholder.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    word.is_some_and(|word| word.len() <= 20 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

fn sample() -> AppId {
    AppId::new("subscription", "group", "app", None)
}

/// Refuses a name that reads like a storage of an app.
pub fn check_name(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, name: &str) {
    if name.contains(['/', '{', '}']) {
        let message = format_args!("`{}`: the name of a storage has no `/` and no braces", place.key);
        diagnostics.error_with_help(place, message, "use letters, digits and `-`");
    }
}

/// Refuses a SAS of one container for the containers of apps, and for creating one.
pub fn check_source(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, target: &StorageTarget) {
    if !matches!(target.source, SasSource::Url(_)) {
        return;
    }
    let what = match (&target.pattern, target.creates) {
        (Some(_), _) => "a container that depends on the app needs a SAS of its own",
        (None, true) => "a SAS of a container cannot create it",
        (None, false) => return,
    };
    let message = format_args!("`{}`: {what}, and `sas` is one that somebody wrote", place.key);
    let help = "let Holdfast mint it: sas = { mint = \"account_key\", key = \"env:NAME\" }";
    diagnostics.error_with_help(place, message, help);
}
