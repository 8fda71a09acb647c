//! The keys of `[channel.NAME]` and `[notify.NAME]`.

use holdfast_model::Cause;
use strum::VariantArray as _;

use super::keys::{
    Form, Table, choice, count, duration, flag, named, secret, table, tables, tags, text, texts, words,
};
use crate::channel::{BEAT, TLS};
use crate::notifications::NotifyOn;
use crate::notify_rule::GATHER;

/// `[channel.NAME]`.
pub fn channels() -> Form {
    let url = |of: &str| secret(&format!("The address {of}."));
    let forms = [
        table("An endpoint for CloudEvents by POST.")
            .is("type", "webhook")
            .required("url", url("of the endpoint"))
            .key("secret", secret("The key of the signature, `whsec_…`.")),
        table("An incoming webhook of Slack.").is("type", "slack").required("url", url("of the webhook")),
        table("A workflow of Teams that posts cards.")
            .is("type", "teams")
            .required("url", url("of the workflow")),
        table("PagerDuty's Events API v2.")
            .is("type", "pagerduty")
            .required("key", secret("The integration key."))
            .key("url", url("of another region")),
        table("An Apprise API.")
            .is("type", "apprise")
            .required("url", url("with the key of its configuration"))
            .key("tag", text("The tag of the receivers; without, all.")),
        email(),
        table("A dead-man's switch, which is asked while backups are planned.")
            .is("type", "heartbeat")
            .required("url", url("of the switch"))
            .key("every", duration("The interval, at least 10s.").lasts(BEAT)),
    ];
    named(
        "Receivers of notifications, each as [channel.NAME].",
        tables("A receiver of notifications.", forms),
    )
}

fn email() -> Table {
    table("E-mail.")
        .is("type", "email")
        .required("server", text("The SMTP server, such as \"smtp.contoso.com\"."))
        .required("from", text("The address of the sender."))
        .required("to", texts("The addresses of the receivers.").not_empty())
        .key("port", count("The port; without, 587, with `tls` 465.", 1..=65_535))
        .key(
            "tls",
            choice("How the connection is encrypted; `none` only for the server of this machine.", &TLS)
                .default("starttls"),
        )
        .key("user", text("The name of the login."))
        .key("password", secret("The password of the login."))
}

/// `[notify.NAME]`.
pub fn rules() -> Form {
    let on: Vec<&str> = NotifyOn::VARIANTS.iter().map(|on| on.as_str()).collect();
    let usual: Vec<&str> = NotifyOn::USUAL.iter().map(|on| on.as_str()).collect();
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let rule = table("A rule: which events send notifications, and to which channels.")
        .required("channels", texts("The names of the channels."))
        .key("policies", texts("Only what is about these policies; without, about all."))
        .key("tags", tags("Only apps with these tags, all of them."))
        .key("on", words("The events that send a notification.", &on).default(usual))
        .key("causes", words("Only these causes; without, all.", &causes))
        .key("failures", count("Failures of an app in a row that open an incident.", 1..=100).default(1))
        .key(
            "successes",
            count("Successes of an app in a row after which it has recovered.", 1..=100).default(1),
        )
        .key("recovery", flag("Whether the end of an incident sends a notification.").default(true))
        .key("gather", duration("How long an incident gathers apps, at most 30s.").lasts(GATHER))
        .key("reminder", duration("The interval of reminders of an open incident, at least 10m."))
        .key(
            "digest",
            text("A time of day, such as \"08:00\", for the runs of the day and the open incidents."),
        )
        .key("quiet", texts("Spans of the day without notifications, such as \"22:00-06:00\"."))
        .key("timezone", text("The IANA zone of `digest` and `quiet`.").default("UTC"));
    named("Rules of notifications, each as [notify.NAME].", rule)
}
