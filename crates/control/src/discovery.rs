//! Lists the apps of a subscription, with the deployment slots that the rules enroll.

use std::sync::Arc;

use holdfast_arm::{Arm, Error, ErrorKind, SiteList};
use holdfast_config::Fleet;
use holdfast_model::{AppId, Site, SubscriptionId};
use tokio::task::JoinSet;

/// Maximum number of concurrent requests for slots.
const AT_ONCE: usize = 8;

/// The apps of a subscription.
#[derive(Debug, Default)]
pub struct Listed {
    /// The apps, and the slots that could be listed.
    pub list: SiteList,
    /// Apps whose slots could not be listed, and why.
    pub without_slots: Vec<(AppId, Error)>,
}

/// All apps of a subscription.
///
/// Azure lists apps without slots. Each app that a rule with `slots = true` enrolls costs one call for its slots. An app
/// whose slots cannot be listed harms only itself, unless the reason concerns the whole subscription.
pub async fn sites(
    arm: &Arc<dyn Arm>,
    fleet: &Fleet,
    subscription: &SubscriptionId,
) -> Result<Listed, Error> {
    let asks = |site: &Site| fleet.discover.iter().any(|rule| rule.slots && rule.takes(site));
    sites_and_slots(arm, subscription, asks).await
}

/// All apps of a subscription, and the slots of those for which `asks` says so.
pub async fn sites_and_slots(
    arm: &Arc<dyn Arm>,
    subscription: &SubscriptionId,
    asks: impl Fn(&Site) -> bool,
) -> Result<Listed, Error> {
    let (mut found, mut without_slots) = (arm.sites(subscription).await?, Vec::new());
    let parents: Vec<Site> = found.sites.iter().filter(|site| asks(site)).cloned().collect();
    for some in parents.chunks(AT_ONCE) {
        let mut asked = JoinSet::new();
        for parent in some.iter().cloned() {
            let arm = Arc::clone(arm);
            asked.spawn(async move { (parent.id.clone(), slots_of(&*arm, parent).await) });
        }
        while let Some(answered) = asked.join_next().await {
            // A task without a result was cancelled with the process.
            let Ok((app, slots)) = answered else { continue };
            match slots {
                Ok(slots) => {
                    found.sites.extend(slots.sites);
                    found.left_out.extend(slots.left_out);
                }
                Err(error) if concerns_all(error.kind()) => return Err(error),
                Err(error) => without_slots.push((app, error)),
            }
        }
    }
    Ok(Listed { list: found, without_slots })
}

/// Whether every call about the subscription would fail in the same way.
fn concerns_all(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled { .. } | ErrorKind::NotSent | ErrorKind::Unauthorized)
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
