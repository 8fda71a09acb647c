//! Numbers as sentences have them.

/// A number with commas between its thousands, such as `1,840`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The number of apps at the start of a sentence: `One app`, `Seven apps`, `1,840 apps`.
pub fn apps_in_words(number: u64) -> String {
    format!("{} {}", capitalized(number), if number == 1 { "app" } else { "apps" })
}

/// A number inside a sentence: in words up to twelve.
pub fn in_words(number: u64) -> String {
    WORDS
        .get(usize::try_from(number).unwrap_or(usize::MAX))
        .map_or_else(|| grouped(number), |&word| word.to_owned())
}

const WORDS: [&str; 13] =
    ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

fn capitalized(number: u64) -> String {
    let word = in_words(number);
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_words_and_large_ones_have_commas() {
        assert_eq!([0, 1, 7, 12].map(apps_in_words), ["No apps", "One app", "Seven apps", "Twelve apps"]);
        assert_eq!(apps_in_words(13), "13 apps");
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(in_words(1_840), "1,840");
    }
}
