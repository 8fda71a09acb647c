//! Numbers and words as people read them.

use holdfast_control::views::grouped;

/// A count with its thousands apart, such as `1,847`.
pub fn thousands(count: impl TryInto<u64>) -> String {
    grouped(count.try_into().unwrap_or(u64::MAX))
}

/// A count with its noun, such as `1,847 apps`.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let end = if count == 1 { "" } else { "s" };
    format!("{} {noun}{end}", thousands(count))
}

/// The name of a state or a cause in rows, as words.
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A span of seconds in the unit that suits it.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A size with three digits at least, such as `1.49 GiB`.
pub fn size(bytes: i64) -> String {
    let bytes = u64::try_from(bytes).unwrap_or(0);
    let mut unit = ("B", 1_u64);
    for larger in [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)] {
        if bytes >= larger.1 {
            unit = larger;
        }
    }
    let (name, one) = unit;
    let hundredths = bytes / one * 100 + bytes % one * 100 / one;
    match hundredths {
        _ if one == 1 => format!("{bytes} {name}"),
        0..1_000 => format!("{}.{:02} {name}", hundredths / 100, hundredths % 100),
        1_000..10_000 => format!("{}.{} {name}", hundredths / 100, hundredths / 10 % 10),
        _ => format!("{} {name}", hundredths / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_three_digits() {
        let sizes: Vec<String> = [0, 999, 1_024, 52_428_800, 1_600_000_000, 1 << 50, -1].map(size).into();
        assert_eq!(sizes, ["0 B", "999 B", "1.00 KiB", "50.0 MiB", "1.49 GiB", "1024 TiB", "0 B"]);
    }

    #[test]
    fn thousands_stand_apart() {
        let shown: Vec<String> =
            [0_u64, 7, 999, 1_000, 12_345, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!((counted(1_u32, "app"), counted(1_847_u32, "app")), ("1 app".into(), "1,847 apps".into()));
        assert_eq!(
            (span(59), span(600), span(7_200), span(172_800)),
            ("59 s".into(), "10 min".into(), "2 h".into(), "2 d".into())
        );
    }
}
