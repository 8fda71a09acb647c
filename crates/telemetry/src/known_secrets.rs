//! The secrets that this process holds, which are blanked wherever they would be shown.

use std::collections::VecDeque;
use std::sync::{LazyLock, PoisonError, RwLock};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::spellings::spellings;

/// The replacement for a secret.
const BLANK: &str = "[blanked]";

/// A shorter text is no secret that can be told from a word, such as `guest`.
const LENGTH_MIN: usize = 8;

/// The most secrets that are kept. Tokens are renewed each hour, and an old one has expired by then.
const KEPT_MAX: usize = 300;

/// Secrets and their spellings, the newest last.
#[derive(Default)]
struct Known {
    secrets: VecDeque<Vec<Zeroizing<String>>>,
}

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);

/// Remembers a secret, and the secrets in it: the signature of a SAS, the key of a connection string, the password of a
/// URL. From now on [`blanked`] replaces them in every spelling.
pub fn remember_secret(secret: &SecretString) {
    let text = secret.expose_secret().trim();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for part in std::iter::once(text).chain(parts(text)) {
        known.add(part);
    }
}

/// The text, in which the remembered secrets are blanked.
pub fn blanked(text: &str) -> Option<String> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.blanked(text)
}

impl Known {
    fn add(&mut self, secret: &str) {
        let is_known = |kept: &Vec<Zeroizing<String>>| kept.first().is_some_and(|raw| raw.as_str() == secret);
        if secret.len() < LENGTH_MIN || self.secrets.iter().any(is_known) {
            return;
        }
        if self.secrets.len() >= KEPT_MAX {
            self.secrets.pop_front();
        }
        self.secrets.push_back(spellings(secret).into_iter().map(Zeroizing::new).collect());
    }

    /// `None` where the text holds none of the secrets.
    fn blanked(&self, text: &str) -> Option<String> {
        let mut blanked: Option<String> = None;
        for spelling in self.secrets.iter().flatten() {
            let now = blanked.as_deref().unwrap_or(text);
            if now.contains(spelling.as_str()) {
                blanked = Some(now.replace(spelling.as_str(), BLANK));
            }
        }
        blanked
    }
}

/// The secrets inside a secret text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let after_key = |pair: &'static str, ends: &'static [char]| {
        text.match_indices(pair).map(move |(at, key)| {
            let value = &text[at + key.len()..];
            &value[..value.find(ends).unwrap_or(value.len())]
        })
    };
    let password = text.split_once("://").and_then(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password)
    });
    let query: &[char] = &['&', ' ', '"', '\''];
    let phrase: &[char] = &[';', '"', '\''];
    after_key("sig=", query)
        .chain(after_key("password=", query))
        .chain(after_key("AccountKey=", phrase))
        .chain(after_key("Password=", phrase))
        .chain(after_key("Pwd=", phrase))
        .chain(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_inside_a_secret_are_blanked_too() {
        for (secret, shown) in [
            ("https://acct.blob/c?sv=1&sig=aB%2BcDeFgH%3D&se=2", "saw aB%2BcDeFgH%3D"),
            ("https://acct.blob/c?sv=1&sig=aB%2BcDeFgH%3D&se=2", "saw aB+cDeFgH="),
            ("AccountName=a;AccountKey=c2VjcmV0a2V5==;X=1", "saw c2VjcmV0a2V5=="),
            ("Server=db;Password=hunter2 hunter2;X=1", "saw hunter2 hunter2"),
            ("postgres://holdfast:hunter2%40db@db.example/x", "saw hunter2%40db"),
            ("postgres://holdfast:hunter2%40db@db.example/x", "saw hunter2@db"),
            ("amqps://u:hunter2hunter2@broker/%2f", "saw hunter2hunter2"),
        ] {
            let mut known = Known::default();
            known.add(secret);
            parts(secret).for_each(|part| known.add(part));
            assert_eq!(known.blanked(shown).as_deref(), Some("saw [blanked]"), "{secret}");
            assert_eq!(known.blanked(secret).as_deref(), Some("[blanked]"));
            assert_eq!(known.blanked("nothing to hide"), None);
        }
    }

    #[test]
    fn a_word_is_no_secret_and_old_secrets_make_room() {
        let mut known = Known::default();
        known.add("guest");
        assert_eq!(known.blanked("guest"), None);
        for number in 0..=KEPT_MAX {
            known.add(&format!("secret-number-{number:04}"));
            known.add(&format!("secret-number-{number:04}"));
        }
        assert_eq!(known.secrets.len(), KEPT_MAX);
        assert_eq!(known.blanked("secret-number-0000"), None);
        assert_eq!(known.blanked("secret-number-0300").as_deref(), Some("[blanked]"));
    }
}
