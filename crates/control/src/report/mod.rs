//! Reports: what a month owed the apps, and what was done, in a form that an auditor can verify without the store.

mod build;
mod csv_form;
mod html_form;
mod month;
mod summary;

pub use build::build;
pub use csv_form::csv;
pub use html_form::html;
pub use month::{InvalidMonth, Month};
pub use summary::{Act, AppReport, Report, ReportScope, Totals};

#[cfg(test)]
mod tests;
