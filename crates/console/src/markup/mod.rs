//! Values as parts of a page: text, times, states, links and charts. Pure.

pub mod charts;
mod escape;
pub mod link;
mod mark;
mod time;

pub use escape::{InertHtml, Markup, escaped};
pub use mark::{class, mark, severity_of};
pub use time::{Parts, ago, soon, time};
