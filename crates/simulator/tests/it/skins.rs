//! Every operation through both transports, by the trait `Arm`.

use holdfast_arm::{Arm, BackupBody, ErrorKind, Progress, RestoreBody, ScheduleBody};
use holdfast_model::{
    AppId, BackupId, BackupName, BackupStatus, FrequencyUnit, ManualClock, NativeSchedule, Timestamp,
};
use std::time::Duration;

use crate::support::*;

fn restore(url: &str, blob: &str, target: &AppId) -> RestoreBody {
    RestoreBody {
        storage_url: url.to_owned().into(),
        blob: blob.to_owned(),
        target: target.clone(),
        overwrite: true,
        plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: true,
    }
}

/// The life of a backup: created, listed, read, restored, given a new SAS and deleted.
pub async fn life_of_a_backup(arm: &dyn Arm, clock: &ManualClock, url: &str) {
    let shop = app("shop");
    let asked = BackupBody {
        name: BackupName::new("hf-1"),
        storage_url: url.to_owned().into(),
        databases: Vec::new(),
    };
    let id = arm.backup(&shop, &asked).await.unwrap().id;
    clock.advance(Duration::from_mins(50));
    assert_eq!(arm.list_site_backups(&shop).await.unwrap()[0].status, BackupStatus::Succeeded);
    let staging = AppId::new(SUBSCRIPTION, "rg-shops", "shop", Some("staging"));
    let request = restore(url, "hf-1.zip", &staging);
    assert_eq!(arm.discover(&shop, &request).await.unwrap().site.as_deref(), Some("shop"));
    for by_blob in [false, true] {
        let started = if by_blob {
            arm.restore_from_blob(&shop, &request).await
        } else {
            arm.restore(&shop, id, &request).await
        };
        let operation = started.unwrap().operation.unwrap();
        let under_way = arm.operation(&shop, &operation).await.unwrap();
        assert_eq!(under_way, Progress::UnderWay { retry_after: None });
        let site = arm.site(&staging).await.unwrap();
        assert_eq!(site.state.as_deref(), Some("Stopped"));
        assert_eq!(site.operation.as_deref(), operation.rsplit('/').next());
        clock.advance(Duration::from_mins(20));
        assert_eq!(arm.operation(&shop, &operation).await.unwrap(), Progress::Done);
    }
    assert!(arm.get_backup(&shop, id).await.unwrap().restored.is_some());
    let missing = arm.restore_from_blob(&shop, &restore(url, "hf-2.zip", &staging)).await.unwrap();
    clock.advance(Duration::from_mins(20));
    let failed = arm.operation(&shop, &missing.operation.unwrap()).await.unwrap();
    assert!(matches!(failed, Progress::Failed { detail } if detail.contains("manifest")));

    let renewed = format!("{url}&comment=renewed");
    let secrets = arm.backup_secrets(&shop, id, Some(&renewed.clone().into())).await.unwrap();
    assert_eq!(secrets.backup.id, id);
    assert_eq!(secrecy::ExposeSecret::expose_secret(&secrets.storage_url.unwrap()), renewed);
    let deleted = arm.delete_backup(&shop, id).await.unwrap().unwrap();
    assert_eq!(deleted.status, BackupStatus::DeleteInProgress);
    clock.advance(Duration::from_mins(1));
    for kind in [
        arm.delete_backup(&shop, id).await.unwrap_err().kind().clone(),
        arm.get_backup(&shop, id).await.unwrap_err().kind().clone(),
        arm.get_backup(&shop, BackupId(1)).await.unwrap_err().kind().clone(),
    ] {
        assert_eq!(kind, ErrorKind::NotFound);
    }
    assert!(arm.discover(&shop, &request).await.is_err());
}

/// A schedule is set, read and taken away.
pub async fn life_of_a_schedule(arm: &dyn Arm, clock: &ManualClock, url: &str, now: Timestamp) {
    let api = app("api");
    assert!(arm.schedule(&api).await.unwrap().is_none());
    let schedule = NativeSchedule {
        enabled: true,
        every: 2,
        unit: FrequencyUnit::Hour,
        retention_days: 3,
        keep_at_least_one: true,
        start: None,
    };
    let request = ScheduleBody {
        schedule: schedule.clone(),
        storage_url: url.to_owned().into(),
        databases: Vec::new(),
    };
    arm.put_schedule(&api, &request).await.unwrap();
    let found = arm.schedule(&api).await.unwrap().unwrap();
    assert_eq!(found.storage_url.as_ref().map(secrecy::ExposeSecret::expose_secret), Some(url));
    let azures = found.schedule;
    assert_eq!(azures.start, Some(now));
    assert_eq!(schedule.drift(&azures), Vec::<String>::new());
    clock.advance(Duration::from_hours(1));
    let backups = arm.list_backups(&api).await.unwrap();
    assert!(backups.len() == 1 && backups[0].scheduled, "{backups:?}");
    for _ in 0..2 {
        arm.delete_schedule(&api).await.unwrap();
    }
    assert!(arm.schedule(&api).await.unwrap().is_none());
}

/// The simulated Azure whose pages of one element link to another host.
pub fn config_with_foreign_links() -> holdfast_simulator::Config {
    let link_origin = Some("https://elsewhere.example".to_owned());
    holdfast_simulator::Config { page_size: 1, link_origin, ..config() }
}

/// A list whose next page is at another host is refused, and not taken for a whole one.
pub async fn a_list_that_links_to_another_host(arm: &dyn Arm) {
    let error = arm.sites(app("shop").subscription()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Ambiguous);
    let text = error.to_string();
    assert!(text.contains("the link to the next page leads to another host, elsewhere.example"), "{text}");
}
