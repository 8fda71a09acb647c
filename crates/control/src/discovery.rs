//! Lists the apps of a subscription, with the deployment slots that the rules enroll.

use std::sync::Arc;

use holdfast_arm::{Arm, Error, ErrorKind, SiteList};
use holdfast_config::Fleet;
use holdfast_model::{Site, SubscriptionId};
use tokio::task::JoinSet;

/// Maximum number of concurrent requests for slots.
const AT_ONCE: usize = 8;

/// All apps of a subscription.
///
/// Azure lists apps without slots. Each app that a rule with `slots = true` enrolls costs one call for its slots.
pub async fn sites(
    arm: &Arc<dyn Arm>,
    fleet: &Fleet,
    subscription: &SubscriptionId,
) -> Result<SiteList, Error> {
    let mut found = arm.sites(subscription).await?;
    let asks = |site: &&Site| fleet.discover.iter().any(|rule| rule.slots && rule.takes(site));
    let parents: Vec<Site> = found.sites.iter().filter(asks).cloned().collect();
    for some in parents.chunks(AT_ONCE) {
        let mut asked = JoinSet::new();
        for parent in some.iter().cloned() {
            let arm = Arc::clone(arm);
            asked.spawn(async move { slots_of(&*arm, parent).await });
        }
        while let Some(answered) = asked.join_next().await {
            // A task without a result was cancelled with the process.
            let slots = answered.unwrap_or_else(|_| Ok(SiteList::default()))?;
            found.sites.extend(slots.sites);
            found.left_out.extend(slots.left_out);
        }
    }
    Ok(found)
}

/// The slots of an app, with the tags of the app. An app that was deleted meanwhile has none.
async fn slots_of(arm: &dyn Arm, parent: Site) -> Result<SiteList, Error> {
    match arm.slots(&parent.id).await {
        Ok(SiteList { sites, left_out }) => {
            let with_tags = |slot| Site { tags: parent.tags.clone(), ..slot };
            Ok(SiteList { sites: sites.into_iter().map(with_tags).collect(), left_out })
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(SiteList::default()),
        Err(error) => Err(error),
    }
}
