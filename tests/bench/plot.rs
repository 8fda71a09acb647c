//! A plot as SVG: both axes logarithmic, a few lines with their values.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 50.0;
/// Colours that differ in brightness too, on a light and on a dark ground.
const COLOURS: [&str; 3] = ["#c2410c", "#2563eb", "#15803d"];

/// A plot.
pub(crate) struct Plot {
    /// What the horizontal axis counts.
    pub x: &'static str,
    /// What the vertical axis measures.
    pub y: &'static str,
    pub lines: Vec<Line>,
}

/// One line.
pub(crate) struct Line {
    pub name: &'static str,
    /// Positive values.
    pub points: Vec<(f64, f64)>,
}

/// Whole powers of ten around values.
struct Axis {
    from: i32,
    to: i32,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let logs = values.map(f64::log10);
        let from = logs.clone().fold(f64::INFINITY, f64::min).floor();
        let to = logs.fold(f64::NEG_INFINITY, f64::max).ceil().max(from + 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "powers of ten of measured values are small")]
        Self { from: from as i32, to: to as i32 }
    }

    /// Where a value is, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from..=self.to).map(|power| 10_f64.powi(power))
    }
}

impl Plot {
    /// The plot as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let (across, up) =
            (Axis::around(points().map(|point| point.0)), Axis::around(points().map(|point| point.1)));
        let x = |value: f64| LEFT + across.share(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - up.share(value) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" \
             font-size=\"12\" fill=\"#777\">\n"
        );
        for value in across.ticks() {
            let (x, bottom) = (x(value), HEIGHT - BOTTOM);
            grid(&mut svg, (x, TOP), (x, bottom));
            label(&mut svg, (x, bottom + 18.0), "middle", &value.to_string());
        }
        for value in up.ticks() {
            let y = y(value);
            grid(&mut svg, (LEFT, y), (WIDTH - RIGHT, y));
            label(&mut svg, (LEFT - 8.0, y + 4.0), "end", &value.to_string());
        }
        label(&mut svg, ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0), "middle", self.x);
        label(&mut svg, (LEFT, TOP - 6.0), "middle", self.y);
        for (line, colour) in self.lines.iter().zip(COLOURS) {
            let path: Vec<String> =
                line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            let path = path.join(" ");
            let _ = writeln!(
                svg,
                "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            );
            for (count, value) in &line.points {
                let (x, y) = (x(*count), y(*value));
                let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
                label(&mut svg, (x, y - 8.0), "middle", &short(*value));
            }
            let Some(last) = line.points.last() else { continue };
            for (row, words) in wrapped(line.name).iter().enumerate() {
                label(&mut svg, (x(last.0) + 12.0, y(last.1) + 4.0 + 14.0 * row as f64), "start", words);
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn grid(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#777\" stroke-opacity=\"0.25\"/>"
    );
}

fn label(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// Two to three digits.
fn short(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// Lines of at most 22 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.len() + word.len() < 22) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
