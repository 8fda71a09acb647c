//! A named value of a list of facts.

use askama::filters::Safe;

use crate::markup::{Markup, escaped};

/// A named value.
pub struct Fact {
    pub name: &'static str,
    pub value: Markup,
}

impl Fact {
    /// A fact whose value is markup.
    pub fn new(name: &'static str, value: Markup) -> Self {
        Self { name, value }
    }

    /// A fact whose value is text.
    pub fn text(name: &'static str, value: &str) -> Self {
        Self { name, value: Safe(escaped(value)) }
    }

    /// A fact whose value leads to a page.
    pub fn link(name: &'static str, href: &str, value: &str) -> Self {
        Self { name, value: Safe(format!("<a href=\"{}\">{}</a>", escaped(href), escaped(value))) }
    }
}
