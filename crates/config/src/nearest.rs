//! Suggests the name that a misspelt one is nearest to.

/// The most candidates that are compared, and the longest word in bytes: each comparison takes the product of lengths.
const CANDIDATES_MAX: usize = 1_000;
const WORD_MAX_BYTES: usize = 100;

/// The candidate that `word` most likely misspells; `None` when none is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_MAX_BYTES {
        return None;
    }
    let word = word.to_lowercase();
    let short = candidates.into_iter().filter(|candidate| candidate.len() <= WORD_MAX_BYTES);
    let scored = short.take(CANDIDATES_MAX).map(|candidate| {
        let folded = candidate.to_lowercase();
        let distance = strsim::osa_distance(&word, &folded);
        (distance, candidate)
    });
    let near = |candidate: &str| (candidate.chars().count().max(word.chars().count()) / 3).clamp(1, 4);
    scored.filter(|(distance, candidate)| *distance <= near(candidate)).min().map(|(_, candidate)| candidate)
}

/// The text `; did you mean …?` for the nearest candidate, or an empty text.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_has_a_nearest_key_and_an_unrelated_key_has_none() {
        let known = ["schedule", "timezone", "spread"];
        for (word, expected) in [
            ("timezon", Some("timezone")),
            ("Schedul", Some("schedule")),
            ("spraed", Some("spread")),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(did_you_mean("colour", known), "");
        assert_eq!(did_you_mean("timezon", known), "; did you mean `timezone`?");
    }
}
