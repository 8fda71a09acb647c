//! Times as elements: what a reader sees, and the exact time for programs.

use askama::filters::Safe;
use chrono::SubsecRound as _;
use holdfast_control::{age, until};
use holdfast_model::{Timestamp, format_timestamp};

use super::escape::{Markup, escaped};

/// How much of a time is shown. The page's script shows the same parts in the reader's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// `29 Nov`
    Day,
    /// `14:31:08`
    Clock,
    /// `29 Nov 14:31`
    Short,
    /// `29 Nov 2026 14:31:08`
    Full,
}

impl Parts {
    fn name_and_format(self) -> (&'static str, &'static str) {
        match self {
            Self::Day => ("day", "%-d %b"),
            Self::Clock => ("clock", "%H:%M:%S"),
            Self::Short => ("short", "%-d %b %H:%M"),
            Self::Full => ("full", "%-d %b %Y %H:%M:%S"),
        }
    }
}

/// A time, in UTC until the page's script shows it in the reader's zone.
pub fn time(at: Timestamp, parts: Parts) -> Markup {
    let (name, format) = parts.name_and_format();
    let shown = at.format(format);
    Safe(format!("<time datetime=\"{}\" data-as=\"{name}\">{shown}</time>", exact(at)))
}

/// How long ago a time was, such as `3 h ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> Markup {
    Safe(format!("<time datetime=\"{}\">{}</time>", exact(at), escaped(&age(at, now))))
}

/// How soon a time comes, such as `in 3 h`.
pub fn soon(at: Timestamp, now: Timestamp) -> Markup {
    Safe(format!("<time datetime=\"{}\">{}</time>", exact(at), escaped(&until(at, now))))
}

/// The time in whole seconds; pages show no finer one.
fn exact(at: Timestamp) -> String {
    format_timestamp(at.trunc_subsecs(0))
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    #[test]
    fn a_time_says_what_people_and_programs_need() {
        let at = parse_timestamp("2026-11-29T04:31:08.250Z").unwrap();
        let (short, full) = (time(at, Parts::Short).0, time(at, Parts::Full).0);
        assert!(short.ends_with(" data-as=\"short\">29 Nov 04:31</time>"), "{short}");
        assert!(full.ends_with(" data-as=\"full\">29 Nov 2026 04:31:08</time>"), "{full}");
        let later = parse_timestamp("2026-11-29T09:31:08Z").unwrap();
        assert!(ago(at, later).0.ends_with(">4 h ago</time>"), "{}", ago(at, later).0);
        assert!(soon(later, at).0.ends_with(">in 4 h</time>"), "{}", soon(later, at).0);
        assert!(short.starts_with("<time datetime=\"2026-11-29T04:31:08"), "{short}");
    }
}
