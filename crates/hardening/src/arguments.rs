//! Arguments of the command line, which every user of the machine sees.

use std::ffi::OsString;

use url::Url;

/// Whether an argument of the command line holds a password, which every user of the machine sees in the list of
/// processes.
pub fn has_password(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().any(|argument| {
        let Some(argument) = argument.to_str() else { return false };
        let Some(scheme) = argument.find("://") else { return false };
        // `--option=URL` and a bare URL.
        let start = argument[..scheme].rfind('=').map_or(0, |sign| sign + 1);
        let url = Url::parse(&argument[start..]);
        url.is_ok_and(|url| {
            let in_query = url.query_pairs().any(|(key, _)| matches!(&*key, "password" | "sig"));
            url.password().is_some_and(|password| !password.is_empty()) || in_query
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_on_the_command_line_is_seen_in_each_form() {
        let has = |text: &str| has_password(text.split(' ').map(OsString::from));
        for line in [
            "holdfast status --database-url postgres://u:hunter2@db/x",
            "holdfast status --database-url=postgres://u:hunter2@db/x",
            "holdfast run --amqp-url amqps://u:hunter2@broker/%2f",
            "holdfast status --database-url postgres://db/x?user=u&password=hunter2",
        ] {
            assert!(has(line), "{line}");
        }
        for line in [
            "holdfast status --database-url env:HOLDFAST_DB",
            "holdfast status --database-url file:/run/secrets/url",
            "holdfast status --database-url postgres://u@db/x?sslmode=verify-full",
            "holdfast restore shop --probe https://shop.example/health?page=1",
            "holdfast hold shop 7 --reason a://b",
        ] {
            assert!(!has(line), "{line}");
        }
    }
}
