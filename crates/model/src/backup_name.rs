//! The name of one attempt's backup.

use crate::ids::text_id;
use crate::{AppId, RunId};

text_id!(
    /// The name of one attempt's backup. Azure names the blob after it, so no two attempts may share one.
    BackupName
);

impl BackupName {
    /// The prefix of every backup that Holdfast makes.
    pub const PREFIX: &str = "hf-";

    /// The name of attempt `number` of a run of `app`: app, end of the run's id, number, nonce.
    ///
    /// The app is part of the name because one container serves many apps, and equal names overwrite each other's
    /// blobs. `/` and characters that blob names escape become `-`. The nonce (8 hex digits) makes the name unique even
    /// where the store lost a committed attempt and its number is used again. A name has at most 94 bytes.
    pub fn of_attempt(app: &AppId, run: RunId, number: u32, rng: &mut fastrand::Rng) -> Self {
        Self::new(format!("{}{number}-{:08x}", Self::of_run(app, run), rng.u32(..)))
    }

    /// The prefix shared by all attempts of a run.
    pub fn of_run(app: &AppId, run: RunId) -> String {
        let app: String = app
            .short_name()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        format!("{}{app}-{}-", Self::PREFIX, run.tail())
    }

    /// The number of the attempt of `run` that has this name; `None` for a name of anything else.
    pub fn number_in(name: &str, app: &AppId, run: RunId) -> Option<u32> {
        let (number, nonce) = name.strip_prefix(&Self::of_run(app, run))?.split_once('-')?;
        let is_nonce = nonce.len() == 8 && nonce.bytes().all(|b| b.is_ascii_hexdigit());
        number.parse().ok().filter(|_| is_nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    const SHOP: &str =
        "/subscriptions/0A0A/resourceGroups/Shops/providers/Microsoft.Web/sites/Shop/slots/Staging";

    #[test]
    fn backup_names_differ_by_app_run_and_attempt_and_share_the_runs_prefix() {
        let mut rng = fastrand::Rng::with_seed(1);
        let app: AppId = SHOP.parse().unwrap();
        let (one, two) =
            (RunId::new(Timestamp::UNIX_EPOCH, &mut rng), RunId::new(Timestamp::UNIX_EPOCH, &mut rng));
        let name = BackupName::of_attempt(&app, one, 12, &mut rng);
        assert!(name.as_str().starts_with("hf-shop-staging-") && name.as_str().contains("-12-"), "{name}");
        assert!(name.as_str().starts_with(&BackupName::of_run(&app, one)));
        assert!(!name.as_str().starts_with(&BackupName::of_run(&app, two)));
        assert_ne!(one, two);
    }
    #[test]
    fn an_attempt_that_begins_again_under_its_number_has_another_name_of_the_same_number() {
        let mut rng = fastrand::Rng::with_seed(1);
        let app: AppId = SHOP.parse().unwrap();
        let run = RunId::new(Timestamp::UNIX_EPOCH, &mut rng);
        let [one, other] = [(); 2].map(|()| BackupName::of_attempt(&app, run, 1, &mut rng));
        assert_ne!(one, other);
        for name in [&one, &other] {
            assert_eq!(BackupName::number_in(name.as_str(), &app, run), Some(1), "{name}");
        }
        let prefix = BackupName::of_run(&app, run);
        for foreign in [
            "hf-shop",
            &prefix,
            &format!("{prefix}1"),
            &format!("{prefix}1-xyz"),
            &format!("{prefix}x-0a0a0a0a"),
        ] {
            assert_eq!(BackupName::number_in(foreign, &app, run), None, "{foreign}");
        }
    }

    #[test]
    fn a_name_fits_the_limits_of_azure_and_of_blobs_and_needs_no_escape() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (site, slot) = ("ü".repeat(60), "s".repeat(59));
        let app = AppId::new("s", "g", &site, Some(&slot));
        let run = RunId::new(Timestamp::UNIX_EPOCH, &mut rng);
        let name = BackupName::of_attempt(&app, run, u32::MAX, &mut rng);
        assert!(name.as_str().len() <= 94, "{name}");
        assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
    }
}
