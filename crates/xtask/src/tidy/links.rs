//! Relative links in Markdown must name files that exist.

use std::path::Path;

use super::fault::Fault;

/// Reports relative links to missing files in the page at `path`, from `root`.
pub fn broken(root: &Path, path: &str, text: &str) -> Vec<Fault> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    for (line, target) in targets(text) {
        let Some(file) = file_of(target) else { continue };
        // A leading slash means the root of the repository, as on GitHub.
        let full = match file.strip_prefix('/') {
            Some(from_root) => root.join(from_root),
            None => root.join(folder).join(file),
        };
        if !full.exists() {
            faults.push((line, format!("the link names a missing file: {target}")));
        }
    }
    faults
}

/// The file that a link names; `None` for another site, a heading of the same page or an item of Rust.
fn file_of(target: &str) -> Option<&str> {
    let file = target.split(['#', '?']).next().unwrap_or(target);
    // `https://…`, `mailto:…` and rustdoc's `crate::Item` contain a colon; the repository's files do not.
    (!file.is_empty() && !file.contains(':')).then_some(file)
}

/// Every link target and its line: `[text](target "title")`, `![alt](target)` and `[name]: target`.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut fence = None;
    let mut targets = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let marker = ["```", "~~~"].into_iter().find(|marker| line.trim_start().starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => fence = marker,
            (Some(open), Some(close)) if open == close => fence = None,
            (Some(_), _) => {}
            (None, None) => targets.extend(in_line(line).into_iter().map(|target| (index + 1, target))),
        }
    }
    targets
}

fn in_line(line: &str) -> Vec<&str> {
    if let Some((name, target)) = line.split_once("]: ").filter(|(name, _)| is_reference(name)) {
        return if name.starts_with("[^") { Vec::new() } else { vec![first_word(target)] };
    }
    // Links in code are examples.
    let code = code_spans(line);
    line.match_indices("](")
        .filter(|(at, _)| !code.iter().any(|span| span.contains(at)))
        .filter_map(|(at, _)| line[at + 2..].split_once(')'))
        .map(|(target, _)| first_word(target))
        .collect()
}

fn is_reference(name: &str) -> bool {
    name.starts_with('[') && !name.contains("](")
}

/// The target without a title and without angle brackets.
fn first_word(target: &str) -> &str {
    target.split_whitespace().next().unwrap_or("").trim_start_matches('<').trim_end_matches('>')
}

fn code_spans(line: &str) -> Vec<std::ops::Range<usize>> {
    let ticks: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    ticks.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        targets(text).into_iter().map(|(_, target)| target).collect()
    }

    #[test]
    fn links_are_found_in_every_form() {
        let text =
            "See [a](a.md), ![b](img/b.png \"title\") and [`c`](<c.md#L3>).\n\n[d]: ../d.md\n[^1]: note\n";
        assert_eq!(of(text), ["a.md", "img/b.png", "c.md#L3", "../d.md"]);
        assert_eq!(targets(text)[3].0, 3);
    }

    #[test]
    fn links_in_code_are_ignored() {
        assert!(of("```md\n[a](a.md)\n~~~\n[a](a.md)\n```\nand `[b](b.md)` too\n").is_empty());
        assert_eq!(of("~~~\n~~~\n[a](a.md)"), ["a.md"]);
    }

    #[test]
    fn only_links_to_files_are_checked() {
        assert_eq!(file_of("docs/a.md#L12"), Some("docs/a.md"));
        for elsewhere in ["https://example.com/a", "mailto:a@example.com", "#below", "crate::Store"] {
            assert_eq!(file_of(elsewhere), None);
        }
    }

    #[test]
    fn a_link_to_a_missing_file_is_a_fault_on_its_line() {
        let root = crate::step::root();
        let text = "[ok](../clippy.toml)\n[ok](/clippy.toml)\n[ok](..)\n[no](clippy.toml)\n";
        let faults = broken(root, "docs/page.md", text);
        assert_eq!(faults, [(4, "the link names a missing file: clippy.toml".to_owned())]);
    }
}
