//! A report as a page of its own: no script, nothing from elsewhere.

use std::fmt::Write as _;

use holdfast_model::{format_timestamp, inert};

use super::summary::{AppReport, Report};

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:2rem;color:#111}table{border-collapse:collapse}\
    th,td{padding:.25rem .6rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}\
    td.n{text-align:right;font-variant-numeric:tabular-nums}tr.bad{background:#fdecea}code{font-size:12px}";

/// The report as HTML.
pub fn html(report: &Report) -> String {
    let Report { month, made_at, audit, totals, .. } = report;
    let about = report.scope.describe();
    let is_whole = *made_at >= report.until;
    let note = if is_whole {
        ""
    } else {
        "<p><strong>The month had not ended when this report was made.</strong></p>"
    };
    let rows: String = report.apps.iter().map(row).collect::<Vec<_>>().concat();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Backups in {month}</title>\
         <style>{STYLE}</style></head><body>\n<h1>Backups in {month}</h1>\n<p>About {about}. {good} of {owed} owed backups are good; \
         {whole} of {apps} apps have all of theirs; {proven} were proven by a drill.</p>\n{note}\n\
         <p>Made at {made}. The audit ended with event {seq}, hash <code>{hash}</code>.</p>\n<table>\n<thead><tr><th>App</th>\
         <th>Policy</th><th>Owed</th><th>Good</th><th>Partial</th><th>Failed</th><th>Missed</th><th>Proven by a drill</th>\
         <th>Kept</th><th>Oldest kept</th><th>Deleted</th><th>Lost</th><th>Restores and deletions by people</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n</body></html>\n",
        about = escaped(&about),
        good = totals.good,
        owed = totals.owed,
        whole = totals.whole,
        apps = totals.apps,
        proven = totals.proven,
        made = format_timestamp(*made_at),
        seq = audit.seq,
        hash = escaped(&audit.hash),
    )
}

fn row(app: &AppReport) -> String {
    let is_bad = app.good < app.owed || app.lost > 0 || app.drills_failed > 0;
    let class = if is_bad { " class=\"bad\"" } else { "" };
    let policy = app.policy.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let mut text = format!(
        "<tr{class}><td title=\"{}\">{}</td><td>{}</td>",
        escaped(&app.app.to_string()),
        escaped(&app.name),
        escaped(&policy)
    );
    let number = |text: &mut String, number: u32| {
        // Writing to a String cannot fail.
        let _ = write!(text, "<td class=\"n\">{number}</td>");
    };
    for count in [app.owed, app.good, app.partial, app.failed, app.missed] {
        number(&mut text, count);
    }
    let proven = match (app.proven_at, app.drills_failed) {
        (Some(at), 0) => format_timestamp(at),
        (Some(at), failed) => format!("{}, and {failed} failed", format_timestamp(at)),
        (None, 0) => "-".to_owned(),
        (None, failed) => format!("no: {failed} failed"),
    };
    let _ = write!(text, "<td>{proven}</td>");
    number(&mut text, app.kept);
    let _ = write!(text, "<td>{}</td>", app.oldest_kept_at.map_or_else(|| "-".to_owned(), format_timestamp));
    number(&mut text, app.deleted);
    number(&mut text, app.lost);
    let acts: Vec<String> = app.acts().iter().map(|act| escaped(act)).collect();
    let _ = writeln!(text, "<td>{}</td></tr>", acts.join("<br>"));
    text
}

fn escaped(text: &str) -> String {
    let text = inert(text);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
