//! Rules for lines and for the length of files.

use super::fault::Fault;

/// The limit for a Rust file, in lines. Most files are far shorter.
const FILE_LINES_MAX: usize = 400;

/// Reports a Rust file that is too long.
pub fn length(text: &str) -> Option<Fault> {
    let lines = text.lines().count();
    let fault = || (lines, format!("the file has {lines} lines, the limit is {FILE_LINES_MAX}"));
    (lines > FILE_LINES_MAX).then(fault)
}

/// Reports tabs and trailing whitespace.
pub fn whitespace(text: &str) -> impl Iterator<Item = Fault> {
    text.split('\n').enumerate().flat_map(|(index, line)| {
        let tab = line.contains('\t').then_some("a tab: use spaces");
        let end = line.ends_with(char::is_whitespace).then_some("whitespace at the end of the line");
        tab.into_iter().chain(end).map(move |fault| (index + 1, fault.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_have_400_lines_and_not_one_more() {
        assert_eq!(length(&"\n".repeat(400)), None);
        let fault = (401, "the file has 401 lines, the limit is 400".to_owned());
        assert_eq!(length(&"\n".repeat(401)), Some(fault));
    }

    #[test]
    fn tabs_and_trailing_whitespace_are_found() {
        let faults: Vec<Fault> = whitespace("clean\n\tindented\nends \r\n").collect();
        let expected = [(2, "a tab: use spaces"), (3, "whitespace at the end of the line")];
        assert_eq!(faults, expected.map(|(line, fault)| (line, fault.to_owned())));
    }
}
