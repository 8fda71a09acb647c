//! The configuration of the simulated Azure.

use std::time::Duration;

use holdfast_model::{BackupName, Timestamp};
use secrecy::SecretString;

use crate::{Faults, Fleet};

/// 2028-03-31, in seconds since 1970.
const DATABASES_END: i64 = 1_838_073_600;

/// The configuration of an [`Azure`](crate::Azure).
#[derive(Debug, Clone)]
pub struct Config {
    /// The sites and storage accounts.
    pub fleet: Fleet,
    /// The fault rates.
    pub faults: Faults,
    /// The application that may call ARM.
    pub client: Client,
    /// ARM's token buckets.
    pub buckets: BucketSizes,
    /// The durations of Azure's work.
    pub pace: Pace,
    /// The most elements on a page of a list.
    pub page_size: usize,
    /// The origin that links to further pages lead to, such as `https://elsewhere.example`; `None` for the caller's own.
    /// A client must not follow a link to another host.
    pub link_origin: Option<String>,
    /// The largest app that Azure backs up, in bytes: 10 GB in the documentation.
    pub app_bytes_max: u64,
    /// The largest blob that a caller may write, in bytes. A larger one is answered 413.
    pub blob_bytes_max: usize,
    /// The time from which backups succeed without their databases. Azure has announced it for 2028-03-31.
    pub drop_databases_from: Option<Timestamp>,
    /// Whether an app's backups beyond the 12th of a day (UTC; in Basic and Standard, else the 50th) end `Skipped`.
    pub limits_backups_per_day: bool,
    /// Whether to keep the secrets in requests and responses, for tests that search for leaks.
    pub remembers_secrets: bool,
}

impl Config {
    /// Azure with the documented limits, no faults, and backups that take minutes.
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            faults: Faults::none(),
            client: Client::default(),
            buckets: BucketSizes::default(),
            pace: Pace::default(),
            page_size: 50,
            link_origin: None,
            app_bytes_max: 10 << 30,
            blob_bytes_max: 256 << 10,
            drop_databases_from: Timestamp::from_timestamp(DATABASES_END, 0),
            limits_backups_per_day: false,
            remembers_secrets: false,
        }
    }
}

/// The only application that the token endpoint accepts.
#[derive(Debug, Clone)]
pub struct Client {
    /// The tenant in the token endpoint's path.
    pub tenant: String,
    /// The application's id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
    /// The lifetime of a token: about an hour at Azure.
    pub token_lifetime: Duration,
}

impl Default for Client {
    /// Invented ids and an invented secret.
    fn default() -> Self {
        Self {
            tenant: "5171a7ed-0000-4000-8000-00000000000a".to_owned(),
            id: "5171a7ed-0000-4000-8000-00000000000c".to_owned(),
            secret: "not-a-secret".into(),
            token_lifetime: Duration::from_secs(3599),
        }
    }
}

/// ARM's token buckets, one per subscription and kind of call (Microsoft Learn, request-limits-and-throttling).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSizes {
    /// GET.
    pub reads: BucketSize,
    /// POST and PUT.
    pub writes: BucketSize,
    /// DELETE.
    pub deletes: BucketSize,
}

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSize {
    /// The calls in a full bucket.
    pub capacity: u32,
    /// The calls that are refilled per second.
    pub refill_per_second: u32,
}

impl Default for BucketSizes {
    fn default() -> Self {
        let of = |capacity, refill_per_second| BucketSize { capacity, refill_per_second };
        Self { reads: of(250, 25), writes: of(200, 10), deletes: of(200, 10) }
    }
}

/// The durations of Azure's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The median duration of a backup. The longest takes about eight times as long.
    pub backup_median: Duration,
    /// The time after which a backup ends as `TimedOut`. The real limit is not documented.
    pub timed_out_after: Duration,
    /// The longest delay until a new backup is listed.
    pub listing_lag_max: Duration,
    /// The median duration of a deletion: about a second in a recording.
    pub delete_median: Duration,
    /// The median duration of a restore: 47 seconds in a recording.
    pub restore_median: Duration,
    /// The delay of a response with the fault `slow`.
    pub slow_answer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            backup_median: Duration::from_mins(3),
            timed_out_after: Duration::from_mins(30),
            listing_lag_max: Duration::from_secs(5),
            delete_median: Duration::from_secs(1),
            restore_median: Duration::from_secs(47),
            slow_answer: Duration::from_secs(20),
        }
    }
}

impl Pace {
    /// Backups of about one to three seconds, for demonstrations.
    pub fn demo() -> Self {
        Self {
            backup_median: Duration::from_millis(1_800),
            timed_out_after: Duration::from_secs(5),
            listing_lag_max: Duration::from_secs(1),
            delete_median: Duration::from_millis(300),
            restore_median: Duration::from_millis(1_500),
            slow_answer: Duration::from_secs(3),
        }
    }
}

/// Whether a blob can have this name unchanged. Other names are refused with 400.
pub(crate) fn is_usable(name: &BackupName) -> bool {
    let name = name.as_str();
    !name.is_empty()
        && name.len() <= 200
        && !name.contains(['/', '\\', '?', '#'])
        && !name.contains(char::is_control)
}
