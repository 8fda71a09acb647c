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

    /// The name of attempt `number` of a run of `app`: app, end of the run's id, number.
    ///
    /// The app is part of the name because one container serves many apps, and equal names overwrite each other's
    /// blobs. `/` and characters that blob names escape become `-`.
    pub fn of_attempt(app: &AppId, run: RunId, number: u32) -> Self {
        let app: String = app
            .short_name()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        Self::new(format!("{}{app}-{}-{number}", Self::PREFIX, run.tail()))
    }

    /// The prefix shared by all attempts of a run. It finds attempts whose answers were lost.
    pub fn of_run(app: &AppId, run: RunId) -> String {
        let first = Self::of_attempt(app, run, 0);
        first.as_str().trim_end_matches('0').to_owned()
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
        let name = BackupName::of_attempt(&app, one, 12);
        assert!(name.as_str().starts_with("hf-shop-staging-") && name.as_str().ends_with("-12"), "{name}");
        assert!(name.as_str().starts_with(&BackupName::of_run(&app, one)));
        assert!(!name.as_str().starts_with(&BackupName::of_run(&app, two)));
        assert_ne!(one, two);
    }
}
