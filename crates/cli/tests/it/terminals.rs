//! What people see at a terminal: inert text, tables that fit, and colours where they are wanted.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::bad_rows::sql;
use crate::command::{Place, command};

/// What `holdfast` shows at a terminal with these settings of the environment.
fn shown(place: &Place, line: &str, set: &[(&str, &str)]) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let program = File::options()
        .read(true)
        .write(true)
        .open(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())))
        .unwrap();
    let mut command = command(&place.path(""), line);
    command
        .env("TERM", "xterm")
        .envs(set.iter().copied())
        .stdout(program.try_clone().unwrap())
        .stderr(program);
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut read, mut some, mut terminal) = (Vec::new(), [0; 1_024], File::from(terminal));
    while let Ok(count @ 1..) = terminal.read(&mut some) {
        read.extend_from_slice(&some[..count]);
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    String::from_utf8(read).unwrap().replace("\r\n", "\n")
}

#[test]
fn foreign_text_is_inert_tables_fit_and_a_dumb_terminal_has_no_colours() {
    let place = Place::new();
    assert_eq!(place.run("migrate").code, 0);
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/";
    sql(
        &place,
        &format!(
            "INSERT INTO apps (app, policy, paused, partial_is_good, enrolled_at) VALUES
            ('{group}an-app-with-quite-a-long-name', 'gold\u{1b}[2J\u{202e}\u{9b}1m' || char(10) || 'forged', 0, 0,
             '2026-01-01T00:00:00.000Z')"
        ),
    );
    let escaped = |text: &str| text.contains("\u{1b}[2J") || text.contains(['\u{202e}', '\u{9b}']);
    let colored = shown(&place, "status", &[]);
    assert!(colored.contains("\u{1b}[") && !escaped(&colored), "{colored:?}");
    for set in [[("TERM", "dumb"), ("COLUMNS", "0")], [("NO_COLOR", "1"), ("COLUMNS", "0")]] {
        let plain = shown(&place, "status", &set);
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        let line = plain.lines().find(|line| line.contains("an-app-with-quite-a-long-name")).unwrap();
        assert!(line.contains("gold\\u{1b}[2J\\u{202e}\\u{9b}1m\\nforged"), "{plain}");
    }
    let narrow = shown(&place, "status", &[("NO_COLOR", "1"), ("COLUMNS", "60")]);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    let json = place.run("status --output json");
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(document.to_string().contains("gold\\u001b[2J\u{202e}\u{9b}1m\\nforged"), "{document}");
}
