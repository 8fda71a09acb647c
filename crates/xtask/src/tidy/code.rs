//! Rust source without its comments and literals.

/// Whether the character can be part of a Rust name.
pub fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Replaces every comment, string and character literal with spaces. Line breaks stay.
pub fn only(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let length = match literal(rest) {
            0 if is_name(rest[0]) => {
                let name = rest.iter().take_while(|character| is_name(**character)).count();
                code.extend(&rest[..name]);
                name
            }
            0 => {
                code.push(rest[0]);
                1
            }
            length => {
                code.extend(rest[..length].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                length
            }
        };
        at += length;
    }
    code
}

/// The length of the comment or literal at the start, in characters; zero if there is none.
///
/// `rest` never starts inside a name, so its first `r` starts a word.
fn literal(rest: &[char]) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted(rest, '\''),
        ['r', tail @ ..] | ['b' | 'c', 'r', tail @ ..] => {
            raw_string(tail).map_or(0, |length| rest.len() - tail.len() + length)
        }
        _ => 0,
    }
}

/// The length of a block comment. They nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length up to the closing quote. A backslash escapes the character after it.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw string after its `r`; `None` for a raw name such as `r#type`.
fn raw_string(tail: &[char]) -> Option<usize> {
    let hashes = tail.iter().take_while(|character| **character == '#').count();
    if tail.get(hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let text = &tail[hashes + 1..];
    let length = text.windows(end.len()).position(|window| window == end);
    Some(length.map_or(tail.len(), |length| hashes + 1 + length + end.len()))
}

#[cfg(test)]
mod tests {
    use super::only;

    /// The remaining code, without spaces.
    fn left(text: &str) -> String {
        only(text).replace(' ', "")
    }

    #[test]
    fn comments_become_spaces_and_lines_stay() {
        assert_eq!(left("a // { \" '\nb /* { /* } */ { */ c\n"), "a\nbc\n");
        assert_eq!(only("a /* 1\n2 */ b").lines().count(), 2);
        assert_eq!(left("a /* never closed {"), "a");
    }

    #[test]
    fn strings_become_spaces() {
        assert_eq!(left(r#"a "{ // \" {" b"#), "ab");
        assert_eq!(left("a r#\"{ \" \\\"# b"), "ab");
        assert_eq!(left("a br##\"{ \"# \"## b"), "ab");
        assert_eq!(left("a cr\"\\\" b"), "ab");
        assert_eq!(left("a b\"{\" c"), "abc");
        assert_eq!(left("a \"two\nlines {\" b"), "a\nb");
    }

    #[test]
    fn characters_become_spaces_and_lifetimes_stay() {
        assert_eq!(left("a '{' '\"' '\\'' '\\u{7b}' b'}' c"), "abc");
        assert_eq!(left("fn f<'a>(x: &'a str, y: &'static str) {}"), "fnf<'a>(x:&'astr,y:&'staticstr){}");
    }

    #[test]
    fn names_that_look_like_the_start_of_a_literal_stay() {
        assert_eq!(left("r#type b c br r carr \"{\""), "r#typebcbrrcarr");
        assert_eq!(left("macro_r\"{\" x"), "macro_rx");
    }
}
