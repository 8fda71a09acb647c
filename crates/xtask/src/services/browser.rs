//! What drives Debian's Chromium through the console's pages: npm's packages of Playwright and axe.

use std::path::PathBuf;

use crate::step;

/// The packages of npm, in the versions for which the test is written.
pub const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// The folder with the packages. It is below `target`, so that `cargo clean` removes it.
pub fn install_folder() -> PathBuf {
    step::target_folder().join("browser-1.65.1")
}

/// Whether the packages are installed.
pub fn is_installed() -> bool {
    install_folder().is_dir()
}
