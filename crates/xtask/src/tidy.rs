//! What Holdfast asks of its own files, beyond what rustfmt and clippy can say.

mod code;
mod functions;
mod links;
mod manifests;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{say, step};

/// A file that has grown past this wants to be split; most are far smaller.
const FILE_LINES_MAX: usize = 400;
/// A function fits a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Macros that mark unfinished work.
const UNFINISHED: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

pub fn run() -> Result<()> {
    let root = step::root();
    let mut faults = Vec::new();
    let paths = files()?;
    for path in &paths {
        let full = root.join(path);
        // A deleted file stays in git's list until the deletion is committed.
        if !full.is_file() {
            continue;
        }
        let read = || fs::read_to_string(&full).with_context(|| format!("failed to read {path}"));
        let found = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
            Some("rs") => rust_faults(&read()?),
            Some("md") => text_faults(&read()?).chain(links::broken(root, path, &read()?)).collect(),
            Some("toml") if path.ends_with("/Cargo.toml") => manifests::faults(root, path, &read()?),
            _ => continue,
        };
        faults.extend(found.into_iter().map(|(line, fault)| format!("{path}:{line}: {fault}")));
    }
    for fault in &faults {
        say::line(fault);
    }
    ensure!(faults.is_empty(), "{} untidy place(s)", faults.len());
    say::line(&format!("{} files are tidy", paths.len()));
    Ok(())
}

/// Every file git knows or would add, from the root, with `/` between folders.
fn files() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(step::root());
    let listed = step::output_of(&mut git)?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}

/// A line, counted from one, and what is wrong there.
type Fault = (usize, String);

fn rust_faults(text: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = text_faults(text).collect();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push((lines, format!("the file has {lines} lines, at most {FILE_LINES_MAX} are allowed")));
    }
    let code = code::only(text);
    for function in functions::find(&code) {
        let functions::Function { name, line, lines } = function;
        if lines > FUNCTION_LINES_MAX {
            let fault = format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed");
            faults.push((line, fault));
        }
    }
    for (index, line) in code.lines().enumerate() {
        let unfinished = UNFINISHED.iter().filter(|word| has_word(line, word));
        faults.extend(unfinished.map(|word| (index + 1, format!("`{word}` marks unfinished work"))));
    }
    faults
}

fn text_faults(text: &str) -> impl Iterator<Item = Fault> {
    text.split('\n').enumerate().flat_map(|(index, line)| {
        let tab = line.contains('\t').then_some("a tab: use spaces");
        let end = line.ends_with(char::is_whitespace).then_some("whitespace at the end of the line");
        tab.into_iter().chain(end).map(move |fault| (index + 1, fault.to_owned()))
    })
}

/// Whether the word stands in the line, and not as the end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(code::is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(faults: Vec<Fault>) -> Vec<String> {
        faults.into_iter().map(|(line, fault)| format!("{line}: {fault}")).collect()
    }

    #[test]
    fn a_short_clean_file_has_no_faults() {
        assert!(rust_faults("fn main() {\n    run(\"todo!\"); // dbg!\n    my_todo!();\n}\n").is_empty());
    }

    #[test]
    fn unfinished_work_is_found_where_it_stands() {
        let faults = texts(rust_faults("fn main() {\n    dbg!(1);\n    std::todo!()\n}\n"));
        assert_eq!(faults, ["2: `dbg!` marks unfinished work", "3: `todo!` marks unfinished work"]);
    }

    #[test]
    fn a_file_may_have_400_lines_and_not_one_more() {
        assert!(rust_faults(&"\n".repeat(400)).is_empty());
        let faults = texts(rust_faults(&"\n".repeat(401)));
        assert_eq!(faults, ["401: the file has 401 lines, at most 400 are allowed"]);
    }

    #[test]
    fn a_function_may_have_70_lines_and_not_one_more() {
        assert!(rust_faults(&format!("fn long() {{\n{}}}\n", "\n".repeat(68))).is_empty());
        let faults = texts(rust_faults(&format!("\nfn long() {{\n{}}}\n", "\n".repeat(69))));
        assert_eq!(faults, ["2: `long` has 71 lines, at most 70 are allowed"]);
    }

    #[test]
    fn tabs_and_trailing_whitespace_are_found() {
        let faults = texts(text_faults("clean\n\tindented\nends \r\n").collect());
        assert_eq!(faults, ["2: a tab: use spaces", "3: whitespace at the end of the line"]);
    }
}
