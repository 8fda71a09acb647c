//! The events of runs, as they happen: the end of the audit.

use std::collections::BTreeSet;

use holdfast_model::{AppId, format_timestamp, inert};
use holdfast_store::{AuditEvent, Store};

use super::event_text::detail;
use crate::Error;
use crate::app_resolver::in_store;

/// Events per look.
const PAGE: u32 = 1_000;

/// Follows the audit.
#[derive(Debug)]
pub struct Follower {
    /// The sequence number of the last event that was read.
    after: i64,
    /// The apps; empty for all.
    apps: BTreeSet<AppId>,
}

impl Follower {
    /// Begins with the `last` events that have happened, of which those of other apps than the named ones are left out.
    pub async fn new(store: &dyn Store, names: &[String], last: u32) -> Result<Self, Error> {
        let mut apps = BTreeSet::new();
        for name in names {
            apps.insert(in_store(store, name).await?);
        }
        let end = store.last_event().await?.map_or(0, |event| event.link.seq);
        Ok(Self { after: (end - i64::from(last)).max(0), apps })
    }

    /// The events since the last call, at most a page of them.
    pub async fn news(&mut self, store: &dyn Store) -> Result<Vec<AuditEvent>, Error> {
        let mut events = store.audit(self.after, PAGE).await?;
        self.after = events.last().map_or(self.after, |event| event.link.seq);
        events.retain(|event| self.apps.is_empty() || self.apps.contains(&event.app));
        Ok(events)
    }
}

/// An event as one line: when, which app, what, and the run.
pub fn event_line(event: &AuditEvent) -> String {
    let (at, app, what) = (format_timestamp(event.at), event.app.short_name(), event.event.name());
    let detail = detail(event);
    let detail = if detail.is_empty() { detail } else { format!(" {detail}") };
    inert(&format!("{at} {app} {what}{detail} ({})", event.run_id)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_model::{App, ManualClock, OperatorAction, Timestamp};
    use holdfast_store::MemoryStore;

    use super::*;
    use crate::operator_actions::about_app;

    #[tokio::test]
    async fn each_event_is_shown_once_from_the_last_ones_on() {
        let now = Timestamp::UNIX_EPOCH;
        let store = MemoryStore::new(Arc::new(ManualClock::new(now)));
        let mut rng = fastrand::Rng::with_seed(1);
        let mut record = async |site: &str| {
            let app = App::new(AppId::new("0a0a", "g", site, None)).id;
            let action = OperatorAction::FleetFileChanged { sha256: site.to_owned() };
            store.add_run(&about_app(&app, (action, "ann".into()), now, &mut rng)).await.unwrap();
        };
        for site in ["shop", "wiki", "shop"] {
            record(site).await;
        }
        let lines =
            |events: Vec<AuditEvent>| events.iter().map(|event| event.app.short_name()).collect::<Vec<_>>();
        let mut all = Follower::new(&store, &[], 2).await.unwrap();
        let mut shop = Follower::new(&store, &["shop".to_owned()], 9).await.unwrap();
        assert_eq!(lines(all.news(&store).await.unwrap()), ["wiki", "shop"]);
        assert_eq!(lines(shop.news(&store).await.unwrap()), ["shop", "shop"]);
        record("wiki").await;
        let news = all.news(&store).await.unwrap();
        let line = event_line(&news[0]);
        assert!(line.starts_with("1970-01-01T00:00:00.000Z wiki action_recorded "), "{line}");
        assert!(all.news(&store).await.unwrap().is_empty() && shop.news(&store).await.unwrap().is_empty());
        assert!(Follower::new(&store, &["shup".to_owned()], 1).await.is_err());
    }
}
