//! Letter case of Azure's names.

/// The text with each letter in lower case that has exactly one lower-case form and back.
///
/// Two spellings of an Azure name are one name when their folded texts are equal. A letter whose lower-case form is
/// longer, such as `İ`, or belongs to another letter too, such as the Kelvin sign, keeps its form. The result has as
/// many characters as the text, and folding it again changes nothing. ARM compares names without regard to case letter
/// by letter, as .NET's `OrdinalIgnoreCase` does.
pub fn fold_case(text: &str) -> String {
    // Nearly all names are ASCII, and each row that is read has some.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(fold).collect()
}

fn fold(letter: char) -> char {
    let lower = only(letter.to_lowercase());
    lower.filter(|lower| only(lower.to_uppercase()) == Some(letter)).unwrap_or(letter)
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_without_a_lower_case_of_their_own_keep_their_form() {
        for (text, folded) in [
            ("Shop", "shop"),
            ("Kiosk-IJ", "kiosk-ij"),
            ("ÜRETİM-İzmir", "üretİm-İzmir"),
            ("Straße", "straße"),
            ("STRAẞE", "straẞe"),
            ("ſhop", "ſhop"),
            ("\u{212a}elvin", "\u{212a}elvin"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("ǅ", "ǅ"),
        ] {
            assert_eq!(fold_case(text), folded);
        }
    }

    #[test]
    fn folding_twice_changes_nothing_and_no_letter_turns_into_something_else() {
        for letter in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let folded = fold(letter);
            assert_eq!(fold_case(&letter.to_string()), folded.to_string());
            assert_eq!(fold(folded), folded, "{letter:?}");
            assert_eq!(folded.is_alphanumeric(), letter.is_alphanumeric(), "{letter:?}");
        }
    }
}
