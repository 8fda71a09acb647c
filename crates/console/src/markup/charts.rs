//! Small charts as SVG. States differ in shape as well as in colour. Pure.

use std::fmt::Write as _;

use askama::filters::Safe;
use holdfast_control::counted;

use super::escape::{Markup, escaped};

/// What happened on a day, as a strip or a calendar shows it. The worse one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    /// No run ended.
    Empty,
    /// Every run was good.
    Good,
    /// A run was partial.
    Partial,
    /// A tick was not run.
    Missed,
    /// A run failed.
    Failed,
}

impl Day {
    const ALL: [Self; 5] = [Self::Empty, Self::Good, Self::Partial, Self::Missed, Self::Failed];

    fn class(self) -> &'static str {
        match self {
            Self::Empty => "none",
            Self::Good => "good",
            Self::Partial => "partial",
            Self::Missed => "missed",
            Self::Failed => "failed",
        }
    }

    /// The bar of a day in a strip, as a path from its top.
    fn bar(self) -> &'static str {
        match self {
            Self::Empty => "m0 14v2",
            Self::Good | Self::Failed => "v16",
            Self::Partial => "m0 5v11",
            Self::Missed => "v4m0 3v3m0 3v3",
        }
    }
}

/// The last days as a strip: at most one path for each state.
pub fn strip(days: &[Day]) -> Markup {
    let width = 6 * days.len();
    let mut svg = format!("<svg class=\"strip\" viewBox=\"0 0 {width} 16\" role=\"img\">");
    let _ = write!(svg, "<title>{}</title>", summary(days));
    for state in Day::ALL {
        let mut path = String::new();
        for (index, _) in days.iter().enumerate().filter(|(_, day)| **day == state) {
            let _ = write!(path, "M{} 0{}", 6 * index + 3, state.bar());
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"d-{}\" d=\"{path}\"/>", state.class());
        }
    }
    Safe(svg + "</svg>")
}

/// One bar of a strip, for a legend.
pub fn sample(day: Day) -> Markup {
    let (class, bar) = (day.class(), day.bar());
    Safe(format!(
        "<svg viewBox=\"0 0 6 16\" aria-hidden=\"true\"><path class=\"d-{class}\" d=\"M3 0{bar}\"/></svg>"
    ))
}

/// The days in words, the worst first.
fn summary(days: &[Day]) -> String {
    let count = |state| days.iter().filter(|day| **day == state).count();
    let words = [
        (Day::Failed, "failed"),
        (Day::Missed, "missed"),
        (Day::Partial, "partial"),
        (Day::Good, "good"),
        (Day::Empty, "without a run"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(state, word)| (count(state), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("last {}: {}", counted(u32::try_from(days.len()).unwrap_or(u32::MAX), "day"), parts.join(", "))
}

/// The age of the last good backup against its objective; 1 is the objective, which has a tick.
pub fn age_bar(share: f64, label: &str) -> Markup {
    const OBJECTIVE: f64 = 74.0;
    const WIDTH: f64 = 92.0;
    let class = if share <= 0.85 {
        "ok"
    } else if share <= 1.0 {
        "warn"
    } else {
        "bad"
    };
    let end = (share.max(0.0) * OBJECTIVE).min(WIDTH);
    Safe(format!(
        "<svg class=\"age\" viewBox=\"0 0 92 12\" role=\"img\"><title>{}</title><path d=\"M0 6h92\"/>\
         <path class=\"{class}\" d=\"M0 6h{end:.0}\"/><path class=\"tick\" d=\"M74.5 0v12\"/></svg>",
        escaped(label)
    ))
}

/// The trend of some sizes; the newest has a dot.
pub fn spark(values: &[f64]) -> Markup {
    let [_, .., _] = values else { return Safe(String::new()) };
    let points = points(values, (54.0, 2.0, 14.0));
    let last = points.rsplit(' ').next().and_then(|point| point.split_once(',')).unwrap_or(("0", "0"));
    let (x, y) = last;
    Safe(format!(
        "<svg class=\"spark\" viewBox=\"0 0 56 16\" aria-hidden=\"true\"><polyline points=\"{points}\"/>\
         <circle cx=\"{x}\" cy=\"{y}\" r=\"1.8\"/></svg>"
    ))
}

/// Values over their order as a line. Its ends and extremes are in words beside it.
pub fn plot(values: &[f64], label: &str) -> Markup {
    let [_, .., _] = values else { return Safe(String::new()) };
    let points = points(values, (600.0, 8.0, 112.0));
    Safe(format!(
        "<svg class=\"plot\" viewBox=\"0 0 600 120\" preserveAspectRatio=\"none\" role=\"img\">\
         <title>{}</title><path class=\"grid\" d=\"M0 8h600M0 60h600M0 112h600\"/>\
         <polyline class=\"line\" points=\"{points}\"/></svg>",
        escaped(label)
    ))
}

/// The points of a line from zero at `bottom` to the greatest value at `top`, over `width`.
fn points(values: &[f64], (width, top, bottom): (f64, f64, f64)) -> String {
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let step = width / as_f64(values.len().saturating_sub(1).max(1));
    let point = |(index, value): (usize, &f64)| {
        format!("{:.1},{:.1}", as_f64(index) * step, bottom - value.max(0.0) / most * (bottom - top))
    };
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The runs of a policy on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayCounts {
    /// Good runs.
    pub good: u64,
    /// Partial runs.
    pub partial: u64,
    /// Failed runs and missed ticks.
    pub failed: u64,
    /// The day in words.
    pub label: String,
    /// Where the day's runs are listed.
    pub href: String,
}

/// One policy by day: the share of partial and failed runs, from the bottom. A day with either is a link.
pub fn policy_days(days: &[DayCounts], label: &str) -> Markup {
    let width = 10 * days.len();
    let mut svg = format!("<svg viewBox=\"0 0 {width} 22\" preserveAspectRatio=\"none\" role=\"group\"");
    let _ = write!(svg, " aria-label=\"{}\">", escaped(label));
    for (index, day) in days.iter().enumerate() {
        let x = 10 * index;
        let all = day.good + day.partial + day.failed;
        if all == 0 {
            let _ = write!(svg, "<rect class=\"c-none\" x=\"{x}\" y=\"20\" width=\"9\" height=\"2\"/>");
            continue;
        }
        let (failed, partial) = (share(day.failed, all), share(day.partial, all));
        let title = escaped(&day.label);
        let is_link = failed + partial > 0;
        if is_link {
            let _ = write!(svg, "<a href=\"{}\" aria-label=\"{title}\">", escaped(&day.href));
        }
        let _ = write!(
            svg,
            "<g><title>{title}</title><rect class=\"c-good\" x=\"{x}\" width=\"9\" height=\"22\"/>"
        );
        for (class, height, above) in [("failed", failed, 0), ("partial", partial, failed)] {
            if height > 0 {
                let y = 22_u64.saturating_sub(height + above);
                let _ = write!(
                    svg,
                    "<rect class=\"c-{class}\" x=\"{x}\" y=\"{y}\" width=\"9\" height=\"{height}\"/>"
                );
            }
        }
        svg.push_str(if is_link { "</g></a>" } else { "</g>" });
    }
    Safe(svg + "</svg>")
}

/// The height of a part of the runs in a row of 22: something is never invisible.
fn share(part: u64, all: u64) -> u64 {
    if part == 0 { 0 } else { (part * 22 / all).clamp(3, 22) }
}

/// Labels of a calendar: the index of the first day of a month, and its name.
pub type Months<'a> = &'a [(usize, String)];

/// A year of days in columns of weeks. `weekday` is that of the first day, from Monday as 0.
pub fn calendar(days: &[Day], weekday: usize, months: Months<'_>) -> Markup {
    let place = |index: usize| {
        let at = index + weekday;
        (14 * (at / 7), 16 + 14 * (at % 7))
    };
    let width = place(days.len().saturating_sub(1)).0 + 14;
    let mut svg = format!("<svg class=\"calendar\" viewBox=\"0 0 {width} 116\" role=\"img\">");
    let _ = write!(svg, "<title>{}</title>", summary(days));
    for (index, month) in months {
        let _ = write!(svg, "<text x=\"{}\" y=\"10\">{}</text>", place(*index).0, escaped(month));
    }
    for state in Day::ALL {
        let mut path = String::new();
        for (index, _) in days.iter().enumerate().filter(|(_, day)| **day == state) {
            let (x, y) = place(index);
            let _ = match state {
                Day::Empty => write!(path, "M{} {}h3v3h-3z", x + 4, y + 4),
                Day::Partial => write!(path, "M{x} {}h11v7h-11z", y + 4),
                Day::Missed => write!(path, "M{} {}h9v9h-9z", x + 1, y + 1),
                Day::Good | Day::Failed => write!(path, "M{x} {y}h11v11h-11z"),
            };
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"c-{}\" d=\"{path}\"/>", state.class());
        }
    }
    Safe(svg + "</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_at_most_five_paths_and_says_what_it_shows() {
        let days: Vec<Day> = (0..30).map(|day| Day::ALL[day % 5]).collect();
        let svg = strip(&days).0;
        assert_eq!(svg.matches("<path").count(), 5);
        let title = "<title>last 30 days: 6 failed, 6 missed, 6 partial, 6 good, 6 without a run</title>";
        assert!(svg.contains(title), "{svg}");
        assert!(strip(&[Day::Good; 30]).0.len() < 600, "a row must be small");
    }

    #[test]
    fn an_age_past_its_objective_ends_at_the_edge_and_changes_its_class() {
        assert!(age_bar(0.5, "12 h of 24 h").0.contains("class=\"ok\" d=\"M0 6h37\""));
        assert!(age_bar(0.9, "").0.contains("class=\"warn\""));
        assert!(age_bar(9.0, "").0.contains("class=\"bad\" d=\"M0 6h92\""));
        assert!(age_bar(f64::NAN, "").0.contains("class=\"bad\" d=\"M0 6h0\""));
    }

    #[test]
    fn a_failed_run_of_a_thousand_is_seen_and_its_day_is_a_link() {
        let day = DayCounts { good: 999, failed: 1, label: "9 Nov".into(), href: "/a?b&c".into(), ..DayCounts::default() };
        let svg = policy_days(&[day, DayCounts { good: 5, ..DayCounts::default() }], "gold <b>").0;
        assert!(svg.contains("class=\"c-failed\" x=\"0\" y=\"19\" width=\"9\" height=\"3\""), "{svg}");
        assert_eq!(svg.matches("<a href=\"/a?b&amp;c\"").count(), 1, "{svg}");
        assert!(svg.contains("aria-label=\"gold &lt;b&gt;\""), "{svg}");
    }

    #[test]
    fn a_line_ends_at_its_newest_value_and_one_value_makes_none() {
        assert_eq!(spark(&[1.0]).0, "");
        assert!(spark(&[0.0, 1.0]).0.contains("points=\"0.0,14.0 54.0,2.0\""));
        assert!(spark(&[0.0, 0.0]).0.contains("54.0,14.0"), "nothing divides by zero");
    }

    #[test]
    fn a_calendar_has_a_column_for_each_week() {
        let svg = calendar(&[Day::Good, Day::Failed], 6, &[(1, "Dec".into())]).0;
        assert!(svg.contains("class=\"c-good\" d=\"M0 100h11v11h-11z\""), "{svg}");
        assert!(svg.contains("class=\"c-failed\" d=\"M14 16h11v11h-11z\""), "{svg}");
    }
}
