//! Several credentials behind one trait.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_arm::{Arm, Clouds, Verdict};
use holdfast_model::{AppId, BackupId, SubscriptionId};

use crate::answers::{app, created, list, request, site};
use crate::server::{Seen, Server, answer, arm};

fn reply(seen: &Seen) -> String {
    let path = seen.uri.split('?').next().unwrap();
    match path.rsplit('/').next().unwrap() {
        "backups" | "sites" => list(&[]).to_string(),
        "bread" => site("bread").to_string(),
        _ => created(&app()).to_string(),
    }
}

#[tokio::test]
async fn each_app_is_reached_through_the_client_of_its_subscription() {
    let (ours, theirs) = (
        Server::new(|seen, _| answer(200, &[], reply(seen))).await,
        Server::new(|seen, _| answer(200, &[], reply(seen))).await,
    );
    let by_subscription: BTreeMap<SubscriptionId, Arc<dyn Arm>> =
        BTreeMap::from([(app().subscription().clone(), Arc::new(arm(&ours.url)) as Arc<dyn Arm>)]);
    let clouds = Clouds { by_subscription, otherwise: Some(Arc::new(arm(&theirs.url))) };
    let other = AppId::new("other", "g", "bread", None);
    for app in [&app(), &other] {
        clouds.sites(app.subscription()).await.unwrap();
        clouds.site(app).await.unwrap();
        clouds.backup(app, &request()).await.unwrap();
        clouds.get_backup(app, BackupId(1)).await.unwrap();
        clouds.list_backups(app).await.unwrap();
    }
    for (server, subscription) in [(&ours, app().subscription().as_str()), (&theirs, "other")] {
        assert_eq!(server.seen().len(), 5);
        assert!(server.seen().iter().all(|seen| seen.uri.contains(subscription)));
    }
}

#[tokio::test]
async fn a_subscription_that_no_credential_serves_is_refused_for_good() {
    let clouds = Clouds { by_subscription: BTreeMap::new(), otherwise: None };
    let error = clouds.backup(&app(), &request()).await.unwrap_err();
    assert_eq!(error.verdict(), &Verdict::Rejected);
    assert!(error.to_string().ends_with("no credential serves this subscription"), "{error}");
}
