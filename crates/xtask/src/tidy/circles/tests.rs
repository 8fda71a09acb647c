use super::*;

/// The ties of every circle among these files: a path and a text, in turn.
fn ties(files: &[(&str, &str)]) -> Vec<String> {
    let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
    circles(&read).into_iter().flat_map(|circle| circle.ties).collect()
}

#[test]
fn two_files_that_import_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use std::fs;\nuse crate::b::{B, inner::{self, C as D}};\nstruct A;"),
        ("b.rs", "struct B;\nfn f() { super::a::A; }"),
    ];
    assert_eq!(ties(&files), ["a.rs -> b.rs (B, inner)", "b.rs -> a.rs (A)"]);
}

#[test]
fn a_circle_of_three_names_no_file_outside_of_it() {
    let files = [
        ("main.rs", "mod a; mod b; mod c; mod d; use a::f;"),
        ("a.rs", "use crate::b; fn f() { b::g(); crate::d::f() }"),
        ("b.rs", "use super::c::h; fn g() { h() }"),
        ("c.rs", "use crate::a::f as other; fn h() { other() }"),
        ("d.rs", "fn f() {}"),
    ];
    assert_eq!(ties(&files), ["a.rs -> b.rs (g)", "b.rs -> c.rs (h)", "c.rs -> a.rs (f)"]);
}

#[test]
fn a_module_that_only_re_exports_its_children_adds_no_dependency() {
    let files = [
        ("lib.rs", "mod a;\npub use a::{First, Second};"),
        ("a/mod.rs", "mod first; mod second; pub use first::First; pub(crate) use second::Second;"),
        ("a/first.rs", "pub struct First(crate::Second);"),
        ("a/second.rs", "pub struct Second;"),
    ];
    assert_eq!(ties(&files), Vec::<String>::new());
    let second = ("a/second.rs", "use super::First;\npub struct Second;");
    let circle = ["a/first.rs -> a/second.rs (Second)", "a/second.rs -> a/first.rs (First)"];
    assert_eq!(ties(&[files[0], files[1], files[2], second]), circle);
}

#[test]
fn a_parent_that_calls_the_child_which_imports_from_it_is_a_circle() {
    let child = ("a/child.rs", "use super::Shared;\npub fn run(_: Shared) {}");
    let calls = ("a.rs", "mod child;\npub struct Shared;\nfn f() { child::run(Shared) }");
    assert_eq!(
        ties(&[("lib.rs", "mod a;"), calls, child]),
        ["a.rs -> a/child.rs (run)", "a/child.rs -> a.rs (Shared)"]
    );
    let uses = ("a.rs", "mod child;\npub use child::run;\npub struct Shared;\nfn f() { run(Shared) }");
    assert_eq!(ties(&[("lib.rs", "mod a;"), uses, child]).len(), 2);
    let exports = ("a.rs", "mod child;\npub use child::run;\npub struct Shared;");
    assert_eq!(ties(&[("lib.rs", "mod a;"), exports, child]).len(), 0);
}

#[test]
fn tests_comments_and_strings_add_no_dependency() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; struct A; #[cfg(test)] mod tests;"),
        ("a/tests.rs", "use crate::b::B;"),
        (
            "b.rs",
            "// crate::a::A\nstruct B(&'static str = \"crate::a::A\");\n#[cfg(test)]\nuse crate::a::{A};\n\
             #[cfg(test)]\n#[expect(x)]\nmod tests { use crate::a::A; fn f() {} }",
        ),
    ];
    assert_eq!(ties(&files), Vec::<String>::new());
}

#[test]
fn new_circles_and_removed_known_circles_are_faults() {
    let circle = |files: [&str; 3], tie: &str| Circle {
        files: files.into_iter().map(str::to_owned).collect(),
        ties: vec![tie.to_owned()],
    };
    let found = [
        ("crates/x", circle(["a.rs", "b.rs", "c.rs"], "a.rs -> b.rs (B)")),
        ("crates/y", circle(["a.rs", "b.rs", "d.rs"], "a.rs -> b.rs (B)")),
    ];
    let faults = compare(&found, &[("crates/x", "c.rs", "a.rs"), ("crates/x", "c.rs", "d.rs")]);
    assert_eq!(
        faults,
        [
            "crates/y/src: these files import each other in a circle:\n    a.rs -> b.rs (B)",
            "crates/x/src: c.rs and d.rs are in no circle: remove them from KNOWN_CIRCLES",
        ]
    );
}
