//! The body of a notice for each channel. Pure.

use serde_json::{Value, json};
use url::Url;

use crate::notice::{Notice, NoticeKind};
use crate::wording::{Look, Severity, Wording};

/// A CloudEvent in structured form.
///
/// Source: CloudEvents 1.0.2, "JSON event format".
pub fn cloud_event(notice: &Notice, look: &Look, id: &str) -> Value {
    let wording = Wording::of(notice, look);
    let source = look.public_url.as_ref().map_or("urn:holdfast", Url::as_str);
    json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": format!("holdfast.{}", event_type(notice.kind)),
        "subject": notice.incident,
        "time": holdfast_model::format_timestamp(notice.at),
        "datacontenttype": "application/json",
        "data": {
            "title": wording.title,
            "severity": wording.severity,
            "incident": notice.incident,
            "number": notice.number,
            "kind": notice.kind,
            "rule": notice.rule,
            "on": notice.on,
            "policy": notice.policy,
            "subscription": notice.subscription,
            "cause": notice.cause,
            "opened_at": notice.opened_at,
            "affected": notice.affected,
            "in_trouble": notice.in_trouble,
            "names": notice.names,
            "run_id": notice.run,
            "digest": notice.digest,
            "advice": wording.advice,
            "command": wording.command,
            "link": wording.link,
        },
    })
}

fn event_type(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Opened => "incident.opened",
        NoticeKind::Reminder => "incident.reminder",
        NoticeKind::Resolved => "incident.resolved",
        NoticeKind::Digest => "digest",
        NoticeKind::Test => "test",
    }
}

/// A message of Slack: a text for notifications, and blocks.
///
/// Source: Slack, "Sending messages using incoming webhooks" and "Blocks". In mrkdwn `&`, `<` and `>` are written as entities.
pub fn slack(notice: &Notice, look: &Look) -> Value {
    let wording = Wording::of(notice, look);
    let title = format!("{} {}", emoji(wording.severity, notice.kind), wording.title);
    let facts = wording.facts.iter().map(|(name, value)| format!("*{name}:* {}", mrkdwn(value)));
    let more = match &wording.link {
        Some(link) => format!("<{link}|Look at it>"),
        None => format!("`{}`", wording.command),
    };
    let advice = Some(mrkdwn(&wording.advice)).filter(|advice| !advice.is_empty());
    let text = facts.chain(advice).chain([more]).collect::<Vec<_>>().join("\n");
    json!({
        "text": mrkdwn(&title),
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": cut(&title, 150) } },
            { "type": "section", "text": { "type": "mrkdwn", "text": cut(&text, 3_000) } },
        ],
    })
}

fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn emoji(severity: Severity, kind: NoticeKind) -> &'static str {
    match (kind, severity) {
        (NoticeKind::Resolved, _) => "✅",
        (_, Severity::Critical) => "🔴",
        (_, Severity::Error) => "🟠",
        (_, Severity::Warning) => "🟡",
        (_, Severity::Info) => "ℹ️",
    }
}

/// An Adaptive Card in the envelope of a Teams workflow.
///
/// Source: Microsoft Teams, "Create incoming webhooks with Workflows"; Adaptive Cards 1.4. Texts of a card are Markdown, so names
/// stand in a fact set, and what would be a link in them is escaped.
pub fn teams(notice: &Notice, look: &Look) -> Value {
    let wording = Wording::of(notice, look);
    let color = match (notice.kind, wording.severity) {
        (NoticeKind::Resolved, _) => "good",
        (_, Severity::Critical | Severity::Error) => "attention",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "default",
    };
    let facts: Vec<Value> = wording
        .facts
        .iter()
        .map(|(name, value)| json!({ "title": name, "value": plain_markdown(value) }))
        .collect();
    let mut body = vec![
        json!({
            "type": "TextBlock", "text": plain_markdown(&wording.title), "weight": "bolder", "size": "medium",
            "color": color, "wrap": true,
        }),
        json!({ "type": "FactSet", "facts": facts }),
    ];
    if !wording.advice.is_empty() {
        body.push(json!({ "type": "TextBlock", "text": wording.advice, "wrap": true }));
    }
    if wording.link.is_none() {
        let text = plain_markdown(&wording.command);
        body.push(json!({ "type": "TextBlock", "text": text, "fontType": "monospace", "wrap": true }));
    }
    let link = wording.link.iter();
    let actions: Vec<Value> =
        link.map(|url| json!({ "type": "Action.OpenUrl", "title": "Look at it", "url": url })).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// A text whose characters have no meaning in Markdown.
fn plain_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '`' | '~' | '#' | '<' | '>' | '|') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// An event of PagerDuty, without its routing key.
///
/// Source: PagerDuty, "Send an alert event" (Events API v2). The deduplication key is the incident's id.
pub fn pager_duty(notice: &Notice, look: &Look) -> Value {
    let wording = Wording::of(notice, look);
    let is_over = notice.kind == NoticeKind::Resolved;
    let mut event = json!({
        "event_action": if is_over { "resolve" } else { "trigger" },
        "dedup_key": notice.incident,
        "client": "Holdfast",
    });
    if let Some(event) = event.as_object_mut().filter(|_| !is_over) {
        let details: serde_json::Map<String, Value> =
            wording.facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let payload = json!({
            "summary": cut(&wording.title, 1_024),
            "source": "holdfast",
            "severity": wording.severity,
            "timestamp": holdfast_model::format_timestamp(notice.at),
            "component": notice.policy,
            "class": notice.on,
            "custom_details": details,
        });
        event.insert("payload".to_owned(), payload);
        if let Some(link) = &wording.link {
            event.insert("client_url".to_owned(), json!(link));
            event.insert("links".to_owned(), json!([{ "href": link, "text": "Holdfast" }]));
        }
    }
    event
}

/// A request to an Apprise API.
///
/// Source: Apprise API, `POST /notify/{KEY}`.
pub fn apprise(notice: &Notice, look: &Look, tag: Option<&str>) -> Value {
    let wording = Wording::of(notice, look);
    let kind = match (notice.kind, wording.severity) {
        (NoticeKind::Resolved, _) => "success",
        (_, Severity::Critical | Severity::Error) => "failure",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "info",
    };
    let mut request =
        json!({ "title": wording.title, "body": wording.body(), "type": kind, "format": "text" });
    if let Some((request, tag)) = request.as_object_mut().zip(tag) {
        request.insert("tag".to_owned(), json!(tag));
    }
    request
}

/// The subject and the text of an e-mail.
pub fn mail(notice: &Notice, look: &Look) -> (String, String) {
    let wording = Wording::of(notice, look);
    let subject = cut(&format!("[holdfast] {}", wording.title), 200);
    (subject, format!("{}\n\n{}\n\nIncident {}\n", wording.title, wording.body(), notice.incident))
}

#[cfg(test)]
mod tests;
