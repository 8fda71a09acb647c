//! Values as parts of a page: text, times, states, links and charts. Pure.

pub mod charts;
mod escape;
pub mod link;
mod mark;
mod number;
mod time;

pub use escape::{InertHtml, Markup, escaped, sentence};
pub use mark::{class, mark, severity_of, severity_of_cause};
pub use number::{counted, size, span, thousands, words};
pub use time::{Parts, ago, soon, time};
