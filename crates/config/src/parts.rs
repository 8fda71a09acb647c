//! The files of a fleet as one text: a line before each included file names it, so that a revision keeps whose line is whose.

use std::path::Path;

use crate::source::Source;

/// The start of the line before an included file.
const MARK: &str = "#:file ";

/// Whether the text has its included files.
pub fn is_whole(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(MARK))
}

/// Adds an included file to a text.
pub fn push(text: &mut String, name: &str, part: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend([MARK, name, "\n", part]);
}

/// The included file that a line of the whole text is of, and its line there; both count from 1.
pub fn line(source: &Source, line: usize) -> (Option<String>, usize) {
    let mark = source
        .text
        .lines()
        .take(line)
        .enumerate()
        .filter_map(|(at, text)| Some((at + 1, text.strip_prefix(MARK)?)));
    match mark.last() {
        None => (None, line),
        Some((at, name)) => {
            let path = Path::new(&source.name).with_file_name(name);
            (Some(path.display().to_string()), (line - at).max(1))
        }
    }
}

/// Where the header on a line stands before that line, such as `apps/eu.toml:3`.
pub fn same_header(source: &Source, at: usize) -> Option<String> {
    let header = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let second = header(source.text.lines().nth(at.checked_sub(1)?)?);
    if !second.starts_with('[') || second.starts_with("[[") {
        return None;
    }
    let first = source.text.lines().take(at - 1).position(|line| header(line) == second)?;
    let (file, first) = line(source, first + 1);
    Some(format!("{}:{first}", file.as_ref().unwrap_or(&source.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_told_with_its_own_file() {
        let mut text = "include = \"apps/*.toml\"\n[limits]".to_owned();
        assert!(!is_whole(&text));
        push(&mut text, "apps/a.toml", "[[app]]\n\n");
        push(&mut text, "apps/b.toml", "\n[limits] # again\n");
        assert!(is_whole(&text));
        let source = Source { name: "conf/fleet.toml".into(), text };
        assert_eq!(line(&source, 2), (None, 2));
        assert_eq!(line(&source, 4), (Some("conf/apps/a.toml".into()), 1));
        assert_eq!(line(&source, 8), (Some("conf/apps/b.toml".into()), 2));
        assert_eq!(same_header(&source, 8).unwrap(), "conf/fleet.toml:2");
        assert_eq!(same_header(&source, 2), None);
    }
}
