//! What kind of Azure this is.

use std::time::Duration;

use holdfast_model::{BackupName, Timestamp};
use secrecy::SecretString;

use crate::{Faults, Fleet};

/// 2028-03-31, in seconds since 1970.
const DATABASES_END: i64 = 1_838_073_600;

/// What an [`Azure`](crate::Azure) is made from.
#[derive(Debug, Clone)]
pub struct Config {
    /// The sites and storage accounts there are.
    pub fleet: Fleet,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// Who may call ARM.
    pub client: Client,
    /// ARM's token buckets.
    pub buckets: BucketSizes,
    /// How long things take.
    pub pace: Pace,
    /// The most elements on a page of a list.
    pub page_size: usize,
    /// The origin that links to further pages lead to, such as `https://elsewhere.example`; `None` for the caller's own.
    /// A client must not follow a link to another host.
    pub link_origin: Option<String>,
    /// The most bytes of an app that Azure backs up: 10 GB in the documentation.
    pub app_bytes_max: u64,
    /// The most bytes of a blob that a caller may write; the answer to more is 413.
    pub blob_bytes_max: usize,
    /// From when on backups leave out their databases and succeed all the same: Azure has announced it for
    /// 2028-03-31.
    pub drop_databases_from: Option<Timestamp>,
    /// Whether an app's backups beyond the 12th of a day (UTC; in Basic and Standard, else the 50th) end `Skipped`.
    pub limits_backups_per_day: bool,
    /// Whether the secrets that pass by are kept, for tests that look for them where they must not be.
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

/// The one application that the token endpoint knows.
#[derive(Debug, Clone)]
pub struct Client {
    /// The tenant, as it stands in the token endpoint's path.
    pub tenant: String,
    /// The application's id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
    /// How long a token is good for: about an hour at Azure.
    pub token_lifetime: Duration,
}

impl Default for Client {
    /// Invented ids and a secret that is no secret.
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
    /// Calls that a full bucket holds.
    pub capacity: u32,
    /// Calls that come back in a second.
    pub refill_per_second: u32,
}

impl Default for BucketSizes {
    fn default() -> Self {
        let of = |capacity, refill_per_second| BucketSize { capacity, refill_per_second };
        Self { reads: of(250, 25), writes: of(200, 10), deletes: of(200, 10) }
    }
}

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Half of all backups take less than this; the longest about eight times as long.
    pub backup_median: Duration,
    /// How long Azure works on a backup before it gives up with `TimedOut`. The real limit is not documented.
    pub timed_out_after: Duration,
    /// The longest until a new backup shows in the list.
    pub listing_lag_max: Duration,
    /// Half of all deletions take less than this; about a second in a recording.
    pub delete_median: Duration,
    /// Half of all restores take less than this; 47 seconds in a recording.
    pub restore_median: Duration,
    /// How late an answer is that the fault `slow` holds up.
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
    /// Backups of one to three seconds or so, for demonstrations.
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

/// Is the name one that a blob can have as it stands? Others are refused with 400.
pub(crate) fn is_usable(name: &BackupName) -> bool {
    let name = name.as_str();
    !name.is_empty()
        && name.len() <= 200
        && !name.contains(['/', '\\', '?', '#'])
        && !name.contains(char::is_control)
}
