//! Outputs in docs/cli.md are those of the program, but for names, numbers and times.

const PAGE: &str = include_str!("../../../../docs/cli.md");

/// Fails unless the page shows this output for the line.
pub fn assert_shown(line: &str, output: &str) {
    let (_, rest) = PAGE
        .split_once(&format!("```console\n$ holdfast {line}\n"))
        .unwrap_or_else(|| panic!("docs/cli.md has no example `holdfast {line}`"));
    let (shown, _) = rest.split_once("```").unwrap();
    assert_eq!(
        shape(shown),
        shape(output),
        "docs/cli.md shows for `holdfast {line}`:\n{shown}\nand it says:\n{output}"
    );
}

/// The lines without what differs from run to run: each word with a digit, and the unit that follows a number.
fn shape(text: &str) -> Vec<String> {
    let units = ["ms", "s", "min", "h", "d", "B", "KiB", "MiB"];
    let line = |line: &str| {
        let mut words: Vec<&str> = Vec::new();
        for word in line.split_whitespace() {
            let is_unit = units.contains(&word.trim_end_matches(['.', ','])) && words.last() == Some(&"#");
            if !is_unit {
                words.push(if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word });
            }
        }
        words.join(" ")
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(line).collect()
}
