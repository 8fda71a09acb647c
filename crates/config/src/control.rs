//! The section `[control]`: what a second person must confirm.

use std::time::Duration;

use crate::diagnostics::{Diagnostics, Located};
use crate::nearest::did_you_mean;
use crate::section::Section;

/// What can be in `four_eyes`.
pub const WORDS: [&str; 2] = ["restore", "delete"];

/// The shortest time that a request waits for a second person.
const EXPIRE_MIN: Duration = Duration::from_mins(1);

/// The longest. What was planned a week ago is planned again.
const EXPIRE_MAX: Duration = Duration::from_hours(7 * 24);

/// What a second person must confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FourEyes {
    /// A restore that replaces an existing app.
    pub restore: bool,
    /// A deletion of backups by a person.
    pub delete: bool,
    /// How long a request waits for the second person.
    pub expire: Duration,
}

impl Default for FourEyes {
    fn default() -> Self {
        Self { restore: false, delete: false, expire: Duration::from_hours(24) }
    }
}

/// Reads the section `[control]`.
pub fn four_eyes(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>) -> FourEyes {
    let mut four_eyes = FourEyes::default();
    let Some(mut section) = file.section(diagnostics, "control", "a table with `four_eyes`") else {
        return four_eyes;
    };
    for Located { value, place } in
        section.texts(diagnostics, "four_eyes", "a list such as [\"restore\", \"delete\"]")
    {
        match value {
            "restore" => four_eyes.restore = true,
            "delete" => four_eyes.delete = true,
            other => {
                let near = did_you_mean(other, WORDS);
                let message = format_args!(
                    "`{}`: expected \"restore\" or \"delete\", found \"{other}\"{near}",
                    place.key
                );
                diagnostics.error(&place, message);
            }
        }
    }
    if let Some(Located { value, place }) = section.duration(diagnostics, "four_eyes_expire", EXPIRE_MIN) {
        four_eyes.expire = value;
        if value > EXPIRE_MAX {
            diagnostics.error(&place, format_args!("`{}`: a request waits a week at most", place.key));
        }
    }
    section.finish(diagnostics);
    four_eyes
}
