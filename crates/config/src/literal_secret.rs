//! Texts that look like secrets, so that a fleet file with one is not stored.
//!
//! The fleet file refers to secrets, and a value in their place is refused when it is read. A comment may hold anything.

/// What stands before a secret.
const MARKS: [&str; 5] = ["sig=", "accountkey=", "sharedaccesskey=", "password=", "client_secret="];

/// Fewest characters of a secret behind a mark.
const SECRET_MIN: usize = 16;

/// Characters of the key of a storage account: 64 bytes in Base64, with its padding.
const ACCOUNT_KEY: usize = 88;

/// The first line, from 1, with a text that looks like a secret, such as a SAS or the key of a storage account.
pub fn literal_secret(text: &str) -> Option<usize> {
    text.lines()
        .position(|line| has_marked_secret(line) || line.split(is_no_base64).any(is_account_key))
        .map(|at| at + 1)
}

fn has_marked_secret(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let secret_behind = |(at, mark): (usize, &str)| {
        let rest = lower.get(at + mark.len()..).unwrap_or_default();
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "%+/-_.~!".contains(*c)).count()
            >= SECRET_MIN
    };
    MARKS.iter().any(|mark| lower.match_indices(mark).any(secret_behind))
}

fn is_no_base64(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || "+/=".contains(c))
}

fn is_account_key(word: &str) -> bool {
    word.len() == ACCOUNT_KEY && word.ends_with("==")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sas_and_a_key_are_found_also_in_a_comment() {
        let key = "aHVudGVy".repeat(10) + "aHVudA==";
        for secret in [
            "# https://acct.blob.core.windows.net/b?sv=2022-11-02&sig=aHVudGVyMmh1bnRlcjJodW50ZXIy%3D"
                .to_owned(),
            format!("# old: {key}"),
            format!("# AccountKey={key};EndpointSuffix=x"),
            "# Password=correct-horse-battery".to_owned(),
        ] {
            assert_eq!(literal_secret(&format!("[azure]\n{secret}\n")), Some(2), "{secret}");
        }
    }

    #[test]
    fn references_and_words_about_secrets_are_none() {
        let text = "sas = { url = \"env:SAS\" } # sig= comes from the environment\n\
                    key = \"file:/run/secrets/storage-key\"\n# password=env:SECRET\n\
                    id = \"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/a-very-long-name-of-a-group-is-no-key-at-all-x\"";
        assert_eq!(literal_secret(text), None);
    }
}
