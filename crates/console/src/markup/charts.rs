//! Small charts as SVG. States differ in shape as well as in colour. Pure.

use std::fmt::Write as _;

use askama::filters::Safe;
use holdfast_control::counted;
use holdfast_control::views::DayResult;
use holdfast_store::DayCounts;

use super::escape::{Markup, escaped};

/// Every result of a day, in the order in which they are drawn.
const RESULTS: [DayResult; 5] =
    [DayResult::None, DayResult::Good, DayResult::Partial, DayResult::Missed, DayResult::Failed];

/// The bar of a day in a strip, as a path from its top.
fn bar(day: DayResult) -> &'static str {
    match day {
        DayResult::None => "m0 14v2",
        DayResult::Good | DayResult::Failed => "v16",
        DayResult::Partial => "m0 5v11",
        DayResult::Missed => "v4m0 3v3m0 3v3",
    }
}

/// The last days as a strip: at most one path for each state.
pub fn strip(days: &[DayResult]) -> Markup {
    let width = 6 * days.len();
    let mut svg = format!("<svg class=\"strip\" viewBox=\"0 0 {width} 16\" role=\"img\">");
    let _ = write!(svg, "<title>{}</title>", summary(days));
    for state in RESULTS {
        let mut path = String::new();
        for (index, _) in days.iter().enumerate().filter(|(_, day)| **day == state) {
            let _ = write!(path, "M{} 0{}", 6 * index + 3, bar(state));
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"d-{}\" d=\"{path}\"/>", state.as_str());
        }
    }
    Safe(svg + "</svg>")
}

/// One bar of a strip, for a legend.
pub fn sample(day: DayResult) -> Markup {
    let (class, bar) = (day.as_str(), bar(day));
    Safe(format!(
        "<svg viewBox=\"0 0 6 16\" aria-hidden=\"true\"><path class=\"d-{class}\" d=\"M3 0{bar}\"/></svg>"
    ))
}

/// The days in words, the worst first.
fn summary(days: &[DayResult]) -> String {
    let count = |state| days.iter().filter(|day| **day == state).count();
    let words = [
        (DayResult::Failed, "failed"),
        (DayResult::Missed, "missed"),
        (DayResult::Partial, "partial"),
        (DayResult::Good, "good"),
        (DayResult::None, "without a run"),
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
pub struct PolicyDay {
    /// How they ended.
    pub counts: DayCounts,
    /// The day in words.
    pub label: String,
}

/// One policy by day: the share of failed and missed runs from the bottom, and of partial ones above them.
pub fn policy_days(days: &[PolicyDay], label: &str) -> Markup {
    let width = 10 * days.len();
    let mut svg = format!("<svg viewBox=\"0 0 {width} 22\" preserveAspectRatio=\"none\" role=\"group\"");
    let _ = write!(svg, " aria-label=\"{}\">", escaped(label));
    for (index, day) in days.iter().enumerate() {
        let x = 10 * index;
        let all = day.counts.runs();
        if all == 0 {
            let _ = write!(svg, "<rect class=\"c-none\" x=\"{x}\" y=\"20\" width=\"9\" height=\"2\"/>");
            continue;
        }
        let not_run = day.counts.failed.saturating_add(day.counts.missed);
        let (failed, partial) = (share(not_run, all), share(day.counts.partial, all));
        let _ = write!(
            svg,
            "<g><title>{}</title><rect class=\"c-good\" x=\"{x}\" width=\"9\" height=\"22\"/>",
            escaped(&day.label)
        );
        for (class, height, above) in [("failed", failed, 0), ("partial", partial, failed)] {
            if height > 0 {
                let y = 22_u32.saturating_sub(height + above);
                let _ = write!(
                    svg,
                    "<rect class=\"c-{class}\" x=\"{x}\" y=\"{y}\" width=\"9\" height=\"{height}\"/>"
                );
            }
        }
        svg.push_str("</g>");
    }
    Safe(svg + "</svg>")
}

/// The height of a part of the runs in a row of 22: something is never invisible.
fn share(part: u32, all: u32) -> u32 {
    if part == 0 { 0 } else { (part.saturating_mul(22) / all.max(1)).clamp(3, 22) }
}

/// Labels of a calendar: the index of the first day of a month, and its name.
pub type Months<'a> = &'a [(usize, String)];

/// A year of days in columns of weeks. `weekday` is that of the first day, from Monday as 0.
pub fn calendar(days: &[DayResult], weekday: usize, months: Months<'_>) -> Markup {
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
    for state in RESULTS {
        let mut path = String::new();
        for (index, _) in days.iter().enumerate().filter(|(_, day)| **day == state) {
            let (x, y) = place(index);
            let _ = match state {
                DayResult::None => write!(path, "M{} {}h3v3h-3z", x + 4, y + 4),
                DayResult::Partial => write!(path, "M{x} {}h11v7h-11z", y + 4),
                DayResult::Missed => write!(path, "M{} {}h9v9h-9z", x + 1, y + 1),
                DayResult::Good | DayResult::Failed => write!(path, "M{x} {y}h11v11h-11z"),
            };
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"c-{}\" d=\"{path}\"/>", state.as_str());
        }
    }
    Safe(svg + "</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_at_most_five_paths_and_says_what_it_shows() {
        let days: Vec<DayResult> = (0..30).map(|day| RESULTS[day % 5]).collect();
        let svg = strip(&days).0;
        assert_eq!(svg.matches("<path").count(), 5);
        let title = "<title>last 30 days: 6 failed, 6 missed, 6 partial, 6 good, 6 without a run</title>";
        assert!(svg.contains(title), "{svg}");
        assert!(strip(&[DayResult::Good; 30]).0.len() < 600, "a row must be small");
    }

    #[test]
    fn an_age_past_its_objective_ends_at_the_edge_and_changes_its_class() {
        assert!(age_bar(0.5, "12 h of 24 h").0.contains("class=\"ok\" d=\"M0 6h37\""));
        assert!(age_bar(0.9, "").0.contains("class=\"warn\""));
        assert!(age_bar(9.0, "").0.contains("class=\"bad\" d=\"M0 6h92\""));
        assert!(age_bar(f64::NAN, "").0.contains("class=\"bad\" d=\"M0 6h0\""));
    }

    #[test]
    fn a_failed_run_of_a_thousand_is_seen() {
        let counts = DayCounts { good: 999, failed: 1, ..DayCounts::default() };
        let day = PolicyDay { counts, label: "9 Nov: <1>".into() };
        let svg = policy_days(&[day, PolicyDay::default()], "gold <b>").0;
        assert!(svg.contains("class=\"c-failed\" x=\"0\" y=\"19\" width=\"9\" height=\"3\""), "{svg}");
        assert!(svg.contains("<title>9 Nov: &lt;1&gt;</title>"), "{svg}");
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
        let svg = calendar(&[DayResult::Good, DayResult::Failed], 6, &[(1, "Dec".into())]).0;
        assert!(svg.contains("class=\"c-good\" d=\"M0 100h11v11h-11z\""), "{svg}");
        assert!(svg.contains("class=\"c-failed\" d=\"M14 16h11v11h-11z\""), "{svg}");
    }
}
