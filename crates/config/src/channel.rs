//! Reads a section `[channel.…]`.

use std::time::Duration;

use crate::diagnostics::{Diagnostics, Located};
use crate::notifications::{Channel, Email, MailTls};
use crate::section::Section;

const TYPES: [&str; 7] = ["webhook", "slack", "teams", "pagerduty", "apprise", "email", "heartbeat"];
/// How a connection to an SMTP server may be encrypted.
pub const TLS: [&str; 3] = ["starttls", "tls", "none"];

/// The shortest interval of a heartbeat. Progress is known to the second.
const BEAT_MIN: Duration = Duration::from_secs(10);
/// The interval of a heartbeat, by default.
pub const BEAT: Duration = Duration::from_mins(1);

/// Reads a channel.
pub fn channel(diagnostics: &mut Diagnostics<'_>, mut section: Section<'_>) -> Option<Channel> {
    let expected =
        "\"webhook\", \"slack\", \"teams\", \"pagerduty\", \"apprise\", \"email\" or \"heartbeat\"";
    let kind = section.choice(diagnostics, "type", &TYPES, expected)?;
    let found = match kind.value {
        "webhook" => {
            let secret = optional_secret(diagnostics, &mut section, "secret");
            section.secret(diagnostics, "url").map(|url| Channel::Webhook { url, secret })
        }
        "slack" => section.secret(diagnostics, "url").map(|url| Channel::Slack { url }),
        "teams" => section.secret(diagnostics, "url").map(|url| Channel::Teams { url }),
        "pagerduty" => {
            let url = optional_secret(diagnostics, &mut section, "url");
            section.secret(diagnostics, "key").map(|key| Channel::PagerDuty { key, url })
        }
        "apprise" => {
            let tag = section.text(diagnostics, "tag", "a tag of Apprise's configuration");
            let tag = tag.map(|found| found.value.to_owned());
            section.secret(diagnostics, "url").map(|url| Channel::Apprise { url, tag })
        }
        "email" => email(diagnostics, &mut section).map(Channel::Email),
        _ => {
            let every = section.duration(diagnostics, "every", BEAT_MIN).map_or(BEAT, |found| found.value);
            section.secret(diagnostics, "url").map(|url| Channel::Heartbeat { url, every })
        }
    };
    section.finish(diagnostics);
    found
}

fn optional_secret(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<holdfast_storage::SecretRef> {
    section.know(key);
    if section.has(key) { section.secret(diagnostics, key) } else { None }
}

fn email(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<Email> {
    let server = section.required(diagnostics, "server", "a host such as \"smtp.contoso.com\"");
    let from = section.required(diagnostics, "from", "an address such as \"holdfast@contoso.com\"");
    let has_receivers = section.require(diagnostics, "to", "a list of addresses");
    let to = section.texts(diagnostics, "to", "a list of addresses");
    for Located { value, place } in from.iter().chain(&to) {
        if !is_address(value) {
            let message = format_args!("`{}`: expected an address such as ops@contoso.com", place.key);
            diagnostics.error(place, message);
        }
    }
    let tls = tls(diagnostics, section, server.as_ref());
    let usual = if tls == MailTls::Implicit { 465 } else { 587 };
    let port = section.count(diagnostics, "port", 1..=65_535).unwrap_or(usual);
    let user = section.text(diagnostics, "user", "the name of the login");
    section.know("password");
    let login = match user {
        Some(user) => section.secret(diagnostics, "password").map(|secret| (user.value.to_owned(), secret)),
        None => None,
    };
    let to: Vec<String> = to.into_iter().map(|found| found.value.to_owned()).collect();
    if has_receivers && to.is_empty() {
        let message = format_args!("`{}` has no receiver in `to`", section.place.key);
        diagnostics.error(&section.place, message);
    }
    let (server, from) = (server?.value.to_owned(), from?.value.to_owned());
    Some(Email { server, port: u16::try_from(port).unwrap_or(587), tls, from, to, login })
}

fn tls(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    server: Option<&Located<&str>>,
) -> MailTls {
    if !section.has("tls") {
        section.know("tls");
        return MailTls::StartTls;
    }
    let found = section.choice(diagnostics, "tls", &TLS, "\"starttls\", \"tls\" or \"none\"");
    let Some(Located { value, place }) = found else { return MailTls::StartTls };
    let is_here = server.is_none_or(|server| matches!(server.value, "localhost" | "127.0.0.1" | "::1"));
    match value {
        "tls" => MailTls::Implicit,
        "none" if is_here => MailTls::None,
        "none" => {
            let message =
                format_args!("`{}`: only the server of this machine is used without TLS", place.key);
            diagnostics.error_with_help(&place, message, "use \"starttls\" or \"tls\"");
            MailTls::StartTls
        }
        _ => MailTls::StartTls,
    }
}

/// Whether a text has the form of an address, with nothing that begins another header.
fn is_address(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')');
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && text.chars().all(is_allowed)
}
