//! The permissions of a SAS.

use std::fmt;

/// The letters of `sp`. Other characters are dropped, so that they cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    letters: String,
    /// Whether `sp` has other characters than letters, or too many.
    has_others: bool,
}

/// The most letters of `sp` that are kept. Azure defines fewer.
const LENGTH_MAX: usize = 16;

/// The letters for blobs and containers, in the only order that storage takes (Microsoft's "Create a service SAS").
const ORDER: &str = "racwdxyltfmeopi";

impl Permissions {
    pub(crate) fn new(text: &str) -> Self {
        let letters: String = text.chars().filter(char::is_ascii_alphabetic).take(LENGTH_MAX).collect();
        Self { has_others: letters.len() != text.len(), letters }
    }

    pub(crate) fn hold(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    /// Whether each letter is one that storage knows for blobs and containers.
    pub(crate) fn are_known(&self) -> bool {
        !self.has_others && self.letters.chars().all(|letter| ORDER.contains(letter))
    }

    /// The known letters, each once and in the order that storage takes.
    pub(crate) fn in_order(&self) -> Self {
        let letters = ORDER.chars().filter(|letter| self.hold(*letter)).collect();
        Self { letters, has_others: false }
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_one_order() {
        for (written, right) in
            [("rwdl", "rwdl"), ("lwdr", "rwdl"), ("dlrw", "rwdl"), ("rrwdl", "rwdl"), ("lcwadr", "racwdl")]
        {
            let permissions = Permissions::new(written);
            assert_eq!(permissions.in_order().to_string(), right);
            assert_eq!(permissions == permissions.in_order(), written == right, "{written}");
        }
    }

    #[test]
    fn letters_that_storage_does_not_know_are_noticed() {
        for (written, known) in
            [("racwdxyltfmeopi", true), ("RWDL", false), ("r,w,d,l", false), ("rwdlz", false)]
        {
            assert_eq!(Permissions::new(written).are_known(), known, "{written}");
        }
    }
}
