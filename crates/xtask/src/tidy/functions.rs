//! Where the functions of a file begin, and how long they are.

use super::code::is_name;

#[derive(Debug, PartialEq)]
pub struct Function<'a> {
    pub name: &'a str,
    /// The line of its `fn`, counted from one.
    pub line: usize,
    /// From the line of its `fn` to the line of its closing brace.
    pub lines: usize,
}

/// Every function with a body, nested ones too. Wants code without comments and literals.
pub fn find(code: &str) -> Vec<Function<'_>> {
    code.match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|before| is_name(before) || before == '#'))
        .filter_map(|(at, keyword)| function(code, at, code[at + keyword.len()..].trim_start()))
        .collect()
}

/// None for what only looks like one: a declaration without a body, or a macro's `fn $name`.
fn function<'a>(code: &'a str, at: usize, after: &'a str) -> Option<Function<'a>> {
    let name = after.split(|character| !is_name(character)).next().filter(|name| !name.is_empty())?;
    let length = body_end(after)?;
    let line = lines_in(&code[..at]) + 1;
    let to_end = code.len() - after.len() + length - at;
    Some(Function { name, line, lines: lines_in(&code[at..at + to_end]) + 1 })
}

fn lines_in(code: &str) -> usize {
    code.matches('\n').count()
}

/// Where the first brace outside of parentheses and brackets closes again.
fn body_end(after: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for (at, character) in after.char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            '{' if brackets == 0 || braces > 0 => braces += 1,
            '}' if braces > 0 => {
                braces -= 1;
                if braces == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> Vec<(&str, usize, usize)> {
        find(code).into_iter().map(|function| (function.name, function.line, function.lines)).collect()
    }

    #[test]
    fn a_function_counts_from_its_name_to_its_last_brace() {
        let code =
            "\npub async fn one<const N: usize>(\n    x: [u8; N],\n) -> [u8; 4] {\n    if x { y }\n}\n";
        assert_eq!(found(code), [("one", 2, 5)]);
        assert_eq!(found("fn short() {}"), [("short", 1, 1)]);
    }

    #[test]
    fn nested_functions_and_methods_are_found() {
        let code = "impl A {\n    fn outer(&self) {\n        fn inner() {\n        }\n    }\n}\n";
        assert_eq!(found(code), [("outer", 2, 4), ("inner", 3, 2)]);
    }

    #[test]
    fn closures_in_a_call_belong_to_their_function() {
        assert_eq!(found("fn f() {\n    call(|| {\n        g()\n    });\n}\n"), [("f", 1, 5)]);
    }

    #[test]
    fn what_has_no_body_is_no_function() {
        assert!(found("trait T { fn declared(&self) -> [u8; 2]; }").is_empty());
        assert!(found("type F = fn (u8) -> u8; struct S { f: fn(u8) }").is_empty());
        assert!(found("macro { fn $name() {} }").is_empty());
        assert!(found("r#fn x {} often y {}").is_empty());
    }
}
