//! The console's pages in a browser: wide and narrow, light and dark, by keyboard, and without JavaScript.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use holdfast_tests::service;

use crate::command::{Place, command};

/// A running demonstration, ended with its guard.
struct Demo {
    child: Child,
    /// Where its console is.
    url: String,
}

impl Demo {
    /// Starts it, and waits for the end of its night.
    fn kept(place: &Place) -> Self {
        let line = "demo --apps 12 --keep --listen 127.0.0.1:0 --dir .";
        let mut starting = command(&place.path(""), line);
        let mut child = starting.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.find_map(|line| {
            let rest = line.split_once("the demonstration goes on at ")?.1.to_owned();
            Some(rest.split_once("/;")?.0.to_owned())
        });
        // What it says from here on must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.unwrap() }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_page_works_in_a_browser_for_everybody() {
    let Some(packages) = service("HOLDFAST_TEST_BROWSER") else { return };
    let place = Place::new();
    let demo = Demo::kept(&place);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/console_pages/pages.mjs");
    let mut walk = Command::new("node");
    walk.arg(script).args([&demo.url, &packages]);
    // Where a person wants to look at the pages too.
    walk.args(std::env::var_os("HOLDFAST_SCREENSHOTS"));
    let walked = walk.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(walked.status.success(), "{}{}", text(&walked.stdout), text(&walked.stderr));
}
