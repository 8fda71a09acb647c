//! The time zone data in use: the system's where it is newer than the program's.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use holdfast_model::Zone;

/// Directories in which systems keep TZif files. `TZDIR` replaces them.
const DIRECTORIES: [&str; 4] =
    ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// Largest TZif file; the largest zone has less than 4 KiB.
const FILE_MAX_BYTES: u64 = 256 * 1024;

/// The time zone data of this process.
///
/// The system's data is used when its directory names a release of the IANA database that is newer than
/// [`Zone::BUNDLED_VERSION`]. Otherwise, and for zones that the system lacks, the program's own data is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneData {
    system: Option<SystemZones>,
}

/// A directory of TZif files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SystemZones {
    directory: PathBuf,
    /// The release that it names, such as `2026f`.
    version: Option<String>,
}

impl ZoneData {
    /// The program's data alone.
    pub fn bundled() -> Self {
        Self { system: None }
    }

    /// The data of this machine. Reads the environment and the first lines of a file.
    pub fn find() -> Self {
        let named = std::env::var_os("TZDIR").filter(|directory| !directory.is_empty()).map(PathBuf::from);
        let usual = || DIRECTORIES.iter().map(PathBuf::from).find(|directory| directory.is_dir());
        named.or_else(usual).map_or_else(Self::bundled, |directory| Self::with_system(&directory))
    }

    /// The data of a machine that keeps its TZif files in `directory`.
    pub fn with_system(directory: &Path) -> Self {
        let version = version(directory);
        Self { system: Some(SystemZones { directory: directory.to_owned(), version }) }
    }

    /// The zone of this IANA name, spelt exactly.
    pub fn zone(&self, name: &str) -> Option<Zone> {
        let of_system = self.newer_system().and_then(|system| system.zone(name));
        of_system.or_else(|| Zone::bundled(name))
    }

    /// The release of the IANA database in use, such as `2026f`.
    pub fn version(&self) -> &str {
        let of_system = self.newer_system().and_then(|system| system.version.as_deref());
        of_system.unwrap_or(Zone::BUNDLED_VERSION)
    }

    /// Where the data in use comes from, and what of the system is not used.
    pub fn source(&self) -> String {
        let Some(SystemZones { directory, version }) = &self.system else {
            return "from the program; the system has none".to_owned();
        };
        let directory = directory.display();
        match version {
            Some(_) if self.newer_system().is_some() => {
                format!("from {directory}; the program has {}", Zone::BUNDLED_VERSION)
            }
            Some(version) => format!("from the program; {directory} has {version}"),
            None => format!("from the program; {directory} names no release"),
        }
    }

    fn newer_system(&self) -> Option<&SystemZones> {
        self.system
            .as_ref()
            .filter(|system| system.version.as_deref().and_then(release) > release(Zone::BUNDLED_VERSION))
    }
}

impl fmt::Display for ZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tzdb {}, {}", self.version(), self.source())
    }
}

impl SystemZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        // On a file system that folds case, another spelling would be found only here.
        let is_misspelt = Zone::bundled(name).is_none()
            && Zone::bundled_names().any(|bundled| bundled.eq_ignore_ascii_case(name));
        if !is_name(name) || is_misspelt {
            return None;
        }
        let mut data = Vec::new();
        File::open(self.directory.join(name)).ok()?.take(FILE_MAX_BYTES).read_to_end(&mut data).ok()?;
        Zone::from_tzif(name, &data).ok()
    }
}

/// Whether a text can be an IANA name. The directory has other files and copies beside the zones.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let is_copy =
        ["posix", "right", "localtime", "posixrules"].contains(&text.split('/').next().unwrap_or_default());
    text.split('/').all(is_part) && !is_copy
}

/// The release that a directory names: in the first line of `tzdata.zi`, or in `+VERSION` on BSD and macOS.
fn version(directory: &Path) -> Option<String> {
    let first_line = |name: &str| {
        let mut start = Vec::new();
        File::open(directory.join(name)).ok()?.take(100).read_to_end(&mut start).ok()?;
        let text = String::from_utf8(start).ok()?;
        text.lines().next().map(|line| line.trim().to_owned())
    };
    let compiled = || first_line("tzdata.zi")?.strip_prefix("# version ").map(str::to_owned);
    let version = compiled().or_else(|| first_line("+VERSION"))?;
    Some(version).filter(|version| release(version).is_some())
}

/// A release in its order: the year, and the letters after it. A suffix such as `-dirty` does not count.
fn release(version: &str) -> Option<(u32, usize, &str)> {
    let (year, rest) = version.split_at_checked(4)?;
    let letters = rest.split('-').next().unwrap_or_default();
    let is_release = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    is_release.then_some((year.parse().ok()?, letters.len(), letters))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A TZif file with one offset.
    fn tzif(offset_hours: u8) -> Vec<u8> {
        // RFC 9636: an empty first block, and a second one with one type and a footer.
        let header = |types: u8, chars: u8| {
            let mut header = b"TZif2".to_vec();
            header.extend([0; 15]);
            header.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            header.extend([0, 0, 0, types, 0, 0, 0, chars]);
            header
        };
        let offset = (i32::from(offset_hours) * 3_600).to_be_bytes();
        let kind = [&offset[..], &[0, 0], b"ABC\0"].concat();
        let footer = format!("\nABC-{offset_hours}\n").into_bytes();
        [header(1, 4), kind.clone(), header(1, 4), kind, footer].concat()
    }

    fn system(version: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("tzdata.zi"), format!("# version {version}\n# more\n")).unwrap();
        fs::create_dir(directory.path().join("Europe")).unwrap();
        fs::write(directory.path().join("Europe/Paris"), tzif(7)).unwrap();
        fs::write(directory.path().join("Europe/Rome"), "no zone").unwrap();
        fs::write(directory.path().join("localtime"), tzif(7)).unwrap();
        directory
    }

    fn hours(data: &ZoneData, name: &str) -> Option<i32> {
        let zone = data.zone(name)?;
        Some(zone.local(holdfast_model::Timestamp::UNIX_EPOCH).offset().local_minus_utc() / 3_600)
    }

    #[test]
    fn newer_data_of_the_system_is_used_and_the_programs_fills_its_gaps() {
        let directory = system("2999a");
        let data = ZoneData::with_system(directory.path());
        assert_eq!(hours(&data, "Europe/Paris"), Some(7));
        assert_eq!(hours(&data, "Asia/Tokyo"), Some(9), "the system has no such file");
        assert_eq!(hours(&data, "Europe/Rome"), Some(1), "the system's file is broken");
        assert_eq!(data.version(), "2999a");
        let source =
            format!("from {}; the program has {}", directory.path().display(), Zone::BUNDLED_VERSION);
        assert_eq!(data.to_string(), format!("tzdb 2999a, {source}"));
    }

    #[test]
    fn data_of_the_system_that_is_not_newer_is_told_and_not_used() {
        let own = Zone::BUNDLED_VERSION;
        for (version, told) in [
            ("2025b", "has 2025b"),
            (own, &*format!("has {own}")),
            ("unknown", "names no release"),
            ("", "names no release"),
        ] {
            let directory = system(version);
            let data = ZoneData::with_system(directory.path());
            assert_eq!((hours(&data, "Europe/Paris"), data.version()), (Some(1), own), "{version}");
            assert!(
                data.source().starts_with("from the program; ") && data.source().ends_with(told),
                "{data}"
            );
        }
        let none = ZoneData::with_system(Path::new("/does/not/exist"));
        assert_eq!((none.version(), hours(&none, "Europe/Paris")), (own, Some(1)));
        assert_eq!(ZoneData::bundled().source(), "from the program; the system has none");
    }

    #[test]
    fn a_release_of_bsd_and_macos_is_read_too() {
        let directory = system("");
        fs::write(directory.path().join("+VERSION"), "2999b\n").unwrap();
        assert_eq!(hours(&ZoneData::with_system(directory.path()), "Europe/Paris"), Some(7));
    }

    #[test]
    fn what_is_no_zone_of_the_directory_is_not_opened() {
        let directory = system("2999a");
        let data = ZoneData::with_system(directory.path());
        for name in [
            "localtime",
            "posix/Europe/Paris",
            "../Europe/Paris",
            "/etc/passwd",
            "Europe//Paris",
            "europe/paris",
            "",
        ] {
            assert_eq!(data.zone(name), None, "{name}");
        }
    }

    #[test]
    fn releases_have_an_order() {
        let order = ["2025b", "2026a", "2026f", "2026f-dirty", "2026g", "2026z", "2026za", "2027a"];
        for pair in order.windows(2) {
            assert!(release(pair[0]) <= release(pair[1]) && release(pair[1]).is_some(), "{pair:?}");
        }
        assert!(release("2026z") < release("2026za"));
        for text in ["", "2026", "unknown", "2026F", "26f", "2026f1"] {
            assert_eq!(release(text), None, "{text}");
        }
    }
}
