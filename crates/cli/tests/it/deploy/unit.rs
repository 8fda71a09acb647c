//! The unit for systemd: what it exposes, by systemd's own measure.

use std::process::Command;

use super::{path, read};

/// The greatest exposure, on systemd's scale from 0 to 10.
const EXPOSURE_MAX: f64 = 2.0;

#[test]
fn the_unit_is_hardened() {
    let unit = read("deploy/systemd/holdfast@.service");
    for line in
        ["LimitNOFILE=65536", "LimitCORE=0", "NoNewPrivileges=yes", "SystemCallFilter=@system-service"]
    {
        assert!(unit.lines().any(|of| of == line), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let instance = folder.path().join("holdfast@run.service");
    std::fs::copy(path("deploy/systemd/holdfast@.service"), &instance).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=yes", "--no-pager"]).arg(&instance);
    // Without systemd there is nothing to measure with.
    let Ok(measured) = analyze.output() else { return };
    let text = String::from_utf8_lossy(&measured.stdout).into_owned();
    let figure = text.split("exposure level for holdfast@run.service: ").nth(1);
    let figure = figure.and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
    assert!(figure.is_some_and(|figure| figure < EXPOSURE_MAX), "{text}");
}
