//! Cron texts of every kind, around a moment.

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

/// One text of each kind, with the hour and the date of `local` in it.
pub fn kinds(local: DateTime<FixedOffset>) -> Vec<String> {
    let (hour, minute) = (local.hour(), local.minute());
    let (day, month) = (local.day(), local.month());
    let weekday = local.weekday().num_days_from_sunday();
    let (next, far) = ((hour + 1) % 24, (hour + 12) % 24);
    let (tomorrow, friday) = (local.date_naive().succ_opt().unwrap().day(), (weekday + 5) % 7);
    let (low, high) = (hour.min(far), hour.max(far));
    let mut texts: Vec<String> = [
        // Fixed times: single ones, lists, ranges, stepped ranges, and dates.
        format!("0 {hour} * * *"),
        format!("30 {hour} * * *"),
        format!("59 {hour} * * *"),
        format!("{minute} {hour} * * *"),
        format!("0 {next} * * *"),
        format!("15 {next} * * *"),
        format!("30 {hour},{far} * * *"),
        format!("0,30 {hour} * * *"),
        format!("0-45/15 {low}-{high} * * *"),
        format!("30 {low}-{high}/12 * * *"),
        format!("30 {hour} {day} * *"),
        format!("30 {hour} {day} {month} *"),
        format!("30 {hour} * {month} {weekday}"),
        format!("30 {hour} {tomorrow} * {friday}"),
        format!("30 {hour} */2 * {weekday}"),
        format!("30 {hour} {day} * */2"),
        format!("30 {next} {day} * *"),
        format!("0 0 {tomorrow} * *"),
        format!("59 23 * * {weekday}"),
        // Intervals.
        format!("*/30 {hour} * * *"),
        format!("*/20 {hour},{next} * * *"),
        format!("{minute} * * * *"),
        format!("0 * {day} * *"),
        format!("*/15 */2 * * {weekday}"),
        format!("0 */2 */2 * {weekday}"),
        format!("*,5 {hour} * * *"),
        format!("30 *,{hour} * {month} *"),
    ]
    .into();
    let plain = [
        "0-59 0-23 * * *",
        "15 0-23 * * *",
        "0 0-23/2 * * *",
        "30 0 * * *",
        "30 23 * * 6",
        "0 0 * * MON-FRI",
        "@daily",
        "@midnight",
        "@weekly",
        "@monthly",
        "@yearly",
        "* * * * *",
        "*/15 * * * *",
        "0 */2 * * *",
        "30 */3 * * *",
        "@hourly",
    ];
    texts.extend(plain.map(str::to_owned));
    texts
}

/// A text whose fields are drawn at random.
pub fn any(rng: &mut fastrand::Rng) -> String {
    [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)].map(|limits| field(rng, limits)).join(" ")
}

fn field(rng: &mut fastrand::Rng, (min, max): (u32, u32)) -> String {
    let part = |rng: &mut fastrand::Rng| {
        let (one, other, step) = (rng.u32(min..=max), rng.u32(min..=max), rng.u32(1..=max - min));
        let (low, high) = (one.min(other), one.max(other));
        match rng.u32(..4) {
            0 => format!("{low}-{high}"),
            1 => format!("{low}-{high}/{step}"),
            _ => format!("{one}"),
        }
    };
    let step = rng.u32(1..=max - min);
    match rng.u32(..8) {
        0..3 => "*".to_owned(),
        3 => format!("*/{step}"),
        4 => format!("*/{step},{}", part(rng)),
        5 => format!("{},{},{}", part(rng), part(rng), part(rng)),
        _ => part(rng),
    }
}
