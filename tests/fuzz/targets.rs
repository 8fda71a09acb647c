//! The targets: what reads text from outside, and what must hold of its answer.

use std::cell::RefCell;
use std::time::Duration;

use holdfast_config::Secrets;
use holdfast_model::schedule::Crontab;
use holdfast_model::{Timestamp, Zone, parse_timestamp};
use holdfast_storage::{Container, Sas, check_sas};
use secrecy::{ExposeSecret, SecretString};

use crate::arm;

/// A reader of text from outside.
pub struct Target {
    /// Its name, and the name of its folder in the corpus.
    pub name: &'static str,
    /// Well-formed inputs.
    pub seeds: &'static [&'static str],
    /// Words of its format.
    pub words: &'static [&'static str],
    /// Reads an input. The error says what is wrong with the answer.
    pub run: fn(&[u8]) -> Result<(), String>,
}

const SIGNATURE: &str = "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE";

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "arm", seeds: arm::BODIES, words: arm::WORDS, run: arm::bodies },
    Target { name: "links", seeds: arm::LINKS, words: arm::LINK_WORDS, run: arm::links },
    Target {
        name: "sas",
        seeds: &[
            "?sv=2022-11-02&sr=c&sp=rwdl&st=2027-01-31T00:00:00Z&se=2027-02-02T00:00:00Z&spr=https&sig=c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE%3D",
            "https://acct.blob.core.windows.net/backups?sv=2022-11-02&ss=b&srt=sco&sp=rwdlacup&se=2027-02-02&sig=c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE=",
            "SAS=\"sv=2022-11-02\\u0026sr=c\\u0026si=policy\\u0026sip=10.0.0.1-10.0.0.9\\u0026sig=c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE%3D\"",
        ],
        words: &[
            "sv=",
            "&sig=",
            "sp=",
            "se=",
            "st=",
            "%3D",
            "%253D",
            "&amp;",
            "\\u0026",
            "?",
            "T24:00:00Z",
            "+12:00",
            "://",
        ],
        run: sas,
    },
    Target {
        name: "cron",
        seeds: &[
            "0 2 * * *",
            "30 2,14 1-7 */2 mon-fri",
            "@daily",
            "*/5 8-18/2 L * 5#2",
            "0 0 29 2 *",
            "59 23 31 12 7",
        ],
        words: &["*", "*/", "-", ",", "/0", "60", "@", "MON", "jan", "?", "W", "L", "#", "CRON_TZ=UTC "],
        run: cron,
    },
    Target {
        name: "fleet",
        seeds: &[FLEET],
        words: &[
            "[azure]",
            "[[app]]",
            "[policy.gold]",
            "= {",
            "}",
            "\"env:X\"",
            "= [",
            "]",
            "'''",
            "\"\"\"",
            "retry.partial = ",
            "schedule",
            "true",
            "1e3",
            "0x1F",
            "1979-05-27",
            "[audit]",
        ],
        run: fleet,
    },
    Target {
        name: "messages",
        seeds: &[
            r#"{"v":1,"run_id":"019aa0f1-27c0-7c3e-a1b2-0123456789ab","version":42}"#,
            r#"{"v":2,"wake":"up"}"#,
        ],
        words: &["\"v\":", "\"run_id\":", "\"version\":", "-9223372036854775809", "{", "}"],
        run: messages,
    },
];

const FLEET: &str = r#"[azure.contoso]
credential  = { kind = "client_secret", tenant = "contoso.com", client_id = "11", secret = "env:AZURE_CLIENT_SECRET" }
subscriptions = ["0a0a"]

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }

[policy.gold]
schedule = "0 2 * * *"
timezone = "Europe/Paris"
spread   = "2h"
storage  = "weu"
recovery_point_objective = "26h"
retention = { days = 30, keep_at_least = 1, weekly = 4, dry_run = false }
retry.timed_out = { attempts = 3, first = "5m", max = "1h" }
native_schedule = { every = "7 days", retention_days = 30 }

[[app]]
id     = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop"
policy = "gold"
databases = [{ type = "SqlAzure", name = "shop", connection_string = "env:SHOP_DB" }]

[[discover]]
subscription = "0a0a"
tags   = { backup = "gold" }
policy = "gold"
exclude = ["shop/staging"]

[limits]
reads = { capacity = 250, per_second = 25 }

[audit]
checkpoint = { every = "1h", to = ["storage:weu", "stdout"], key = "env:KEY" }
"#;

fn now() -> Timestamp {
    parse_timestamp("2027-01-31T12:00:00Z").unwrap()
}

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn sas(input: &[u8]) -> Result<(), String> {
    let text = SecretString::from(text(input));
    let container: Container = "https://acct.blob.core.windows.net/backups".parse().unwrap();
    let parsed = Sas::parse_for(&text, &container).or_else(|_| Sas::parse(&text));
    let told = match &parsed {
        Ok(sas) => format!("{sas:?} {:?}", check_sas(sas, now(), now() + Duration::from_hours(4), false)),
        Err(error) => format!("{error} {error:?}"),
    };
    if told.contains(SIGNATURE) {
        return Err("it shows the signature".to_owned());
    }
    let Ok(sas) = parsed else { return Ok(()) };
    // The text that is sent is read as the same SAS.
    let sent = SecretString::from(sas.url(&container).expose_secret().to_owned());
    match Sas::parse_for(&sent, &container) {
        Ok(again) if again.fingerprint() == sas.fingerprint() => Ok(()),
        Ok(_) => Err("the text that is sent has another signature".to_owned()),
        Err(error) => Err(format!("the text that is sent is refused: {error}")),
    }
}

fn cron(input: &[u8]) -> Result<(), String> {
    let text = text(input);
    let Ok(crontab) = Crontab::try_from(text.clone()) else { return Ok(()) };
    if Crontab::try_from(String::from(crontab.clone())).as_ref() != Ok(&crontab) {
        return Err("it does not read back".to_owned());
    }
    for name in ["UTC", "Europe/Paris", "America/Nuuk", "Australia/Lord_Howe"] {
        let zone = Zone::bundled(name).unwrap();
        let mut after = now();
        for _ in 0..3 {
            let Some(next) = crontab.next_after(after, &zone) else { break };
            if next <= after {
                return Err(format!("the time after {after} is {next} in {name}"));
            }
            after = next;
        }
    }
    Ok(())
}

fn fleet(input: &[u8]) -> Result<(), String> {
    thread_local! {
        static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(tempfile::tempdir().unwrap());
    }
    let path = FOLDER.with_borrow(|folder| folder.path().join("fleet.toml"));
    std::fs::write(&path, input).unwrap();
    let Ok(checked) = holdfast_config::check(&path, Secrets::Leave, now()) else { return Ok(()) };
    let told: String = checked.problems.iter().map(|problem| format!("{problem}\n")).collect();
    if checked.fleet.is_none() && checked.problems.is_empty() {
        return Err("it is refused without a reason".to_owned());
    }
    if told.chars().any(|c| c.is_control() && c != '\n') {
        return Err("a problem moves the terminal's cursor".to_owned());
    }
    Ok(())
}

fn messages(input: &[u8]) -> Result<(), String> {
    match holdfast_queue::decode(input) {
        Ok(wakeup) => {
            let _ = format!("{wakeup:?}");
            Ok(())
        }
        Err(error) if error.to_string().len() < 200 => Ok(()),
        Err(_) => Err("the error repeats the message".to_owned()),
    }
}
