//! The environment variables through which a test finds its servers.

use anyhow::Result;
use serde_json::Value;

use super::{azure_sdk, browser, install, schemathesis, smtp_server};

/// Allows tests that need a server to pass without one.
pub const WITHOUT: &str = "HOLDFAST_WITHOUT_SERVICES";
/// The program that starts servers for one test alone.
pub const SERVE: &str = "HOLDFAST_TEST_SERVE";

/// The variables and their values, from the facts of the running servers.
pub fn variables(facts: &Value) -> Result<Vec<(&'static str, String)>> {
    let fact = |kind: &str, name: &str| facts[kind][name].as_str().unwrap_or_default().to_owned();
    Ok(vec![
        ("HOLDFAST_TEST_DATABASE_URL", fact("postgres", "url")),
        ("HOLDFAST_TEST_AMQP_URL", fact("rabbitmq", "url")),
        ("HOLDFAST_TEST_AMQP_ADMIN", fact("rabbitmq", "admin")),
        ("HOLDFAST_TEST_AZURITE_URL", fact("azurite", "url")),
        ("HOLDFAST_TEST_PROMTOOL", install::PROMTOOL.to_owned()),
        ("HOLDFAST_TEST_BROWSER", browser::install_folder().display().to_string()),
        ("HOLDFAST_TEST_AZURE_SDK", azure_sdk::environment().interpreter().display().to_string()),
        ("HOLDFAST_TEST_SCHEMATHESIS", schemathesis::program().display().to_string()),
        ("HOLDFAST_TEST_SMTP_SERVER", smtp_server::environment().interpreter().display().to_string()),
        (SERVE, std::env::current_exe()?.display().to_string()),
    ])
}
