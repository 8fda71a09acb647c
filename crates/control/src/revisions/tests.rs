//! Changes of the fleet over a store.

use std::sync::Arc;

use holdfast_config::Secrets;
use holdfast_model::{Clock as _, ManualClock, Timestamp};
use holdfast_store::{MemoryStore, Store};

use super::fixture::{entry, fleet, read, text};
use super::*;
use crate::ErrorKind;

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)))
}

fn order(allowed_removals: usize) -> Order {
    Order { actor: "ann".into(), reason: "release".into(), allowed_removals }
}

async fn apply(store: &dyn Store, apps: &str, allowed: usize) -> Result<u64, crate::Error> {
    let proposal = propose(store, Some(&fleet("")), text(apps)).await?;
    let head =
        proposal.append(store, &order(allowed), &mut fastrand::Rng::with_seed(apps.len() as u64)).await?;
    Ok(head.number)
}

#[tokio::test]
async fn the_first_revision_is_compared_with_the_file_and_the_next_with_the_newest() {
    let store = store();
    let running = fleet(&entry("shop", "gold"));
    let wanted = text(&(entry("shop", "gold") + &entry("wiki", "silver")));
    let first = propose(&store, Some(&running), wanted).await.unwrap();
    assert_eq!((first.replaces, first.diff.gained.len(), first.is_in_force), (None, 1, false));
    let head = first.append(&store, &order(0), &mut fastrand::Rng::with_seed(1)).await.unwrap();
    assert_eq!((head.number, head.reason.as_str()), (1, "release"));
    let again = propose(&store, Some(&running), text(&(entry("shop", "gold") + &entry("wiki", "silver"))))
        .await
        .unwrap();
    assert!(again.diff.is_empty() && again.is_in_force);
    assert_eq!(again.replaces, Some(1));
    let acts = store.audit(0, 9).await.unwrap();
    assert!(format!("{:?}", acts[0].event).contains("RevisionApplied { number: 1"));
}

#[tokio::test]
async fn apps_leave_only_where_as_many_are_allowed_to() {
    let store = store();
    let three = entry("shop", "gold") + &entry("wiki", "gold") + &entry("blog", "gold");
    apply(&store, &three, 0).await.unwrap();
    let one = entry("shop", "gold");
    let refused = apply(&store, &one, 1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(refused.to_string(), "2 apps would leave the fleet or its policy: blog, wiki");
    assert_eq!(refused.advice(), Some("if that is meant, allow it with `--allow-removals 2`"));
    assert_eq!(apply(&store, &one, 2).await.unwrap(), 2);
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins_and_the_other_is_told_to_look_again() {
    let store = store();
    let running = fleet("");
    let ann = propose(&store, Some(&running), text(&entry("shop", "gold"))).await.unwrap();
    let bob = propose(&store, Some(&running), text(&entry("wiki", "gold"))).await.unwrap();
    bob.append(&store, &order(0), &mut fastrand::Rng::with_seed(1)).await.unwrap();
    let refused = ann.append(&store, &order(0), &mut fastrand::Rng::with_seed(2)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.to_string().starts_with("revision 1 of the fleet was made meanwhile"), "{refused}");
    assert_eq!(store.newest_revision().await.unwrap(), 1);
}

#[tokio::test]
async fn a_rollback_is_a_new_revision_with_the_old_text() {
    let store = store();
    let (one, two) = (entry("shop", "gold"), entry("shop", "silver"));
    apply(&store, &one, 0).await.unwrap();
    apply(&store, &two, 0).await.unwrap();
    let back = propose_rollback(&store, 1).await.unwrap();
    assert_eq!(back.diff.moved.len(), 1);
    back.append(&store, &order(0), &mut fastrand::Rng::with_seed(1)).await.unwrap();
    let newest = show(&store, 3).await.unwrap();
    assert_eq!((newest.text, newest.is_newest), (text(&one).text, true));
    assert_eq!(newest.head.rolled_back_to, Some(1));
    assert_eq!(compare(&store, 1, 3).await.unwrap(), FleetDiff::default());
    assert_eq!(compare(&store, 2, 3).await.unwrap().moved.len(), 1);
    assert_eq!(propose_rollback(&store, 3).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(propose_rollback(&store, 9).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_invalid_text_and_one_with_a_secret_are_refused_and_kept_nowhere() {
    let store = store();
    let invalid = propose(&store, Some(&fleet("")), text("[[app]]\nid = 7\n")).await.unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::Invalid);
    let secret = "# ?sv=2022-11-02&sig=aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D\n";
    let refused = propose(&store, Some(&fleet("")), text(secret)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(!refused.to_string().contains("aHVudGVy"), "{refused}");
    assert_eq!(store.newest_revision().await.unwrap(), 0);
}

#[tokio::test]
async fn a_process_works_by_the_newest_revision_whose_secrets_it_can_read() {
    let store = store();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("sas");
    std::fs::write(&secret, "sv=1&sig=x").unwrap();
    let with = |text: holdfast_config::FleetText| {
        let reference = format!("file:{}", secret.display());
        holdfast_config::FleetText { text: text.text.replace("env:HOLDFAST_NO_SUCH_SAS", &reference), ..text }
    };
    let now = Timestamp::UNIX_EPOCH;
    assert!(newest_usable(&store, Secrets::Read, now).await.unwrap().is_none());
    let good = with(text(&(entry("shop", "gold") + &entry("wiki", "gold"))));
    let proposal = propose(&store, Some(&fleet("")), good).await.unwrap();
    proposal.append(&store, &order(0), &mut fastrand::Rng::with_seed(1)).await.unwrap();
    apply(&store, &(entry("shop", "gold") + &entry("wiki", "gold") + &entry("blog", "gold")), 0)
        .await
        .unwrap();
    let found = newest_usable(&store, Secrets::Read, now).await.unwrap().unwrap();
    assert_eq!((found.revision, found.fleet.apps.len()), (Some(1), 2));
    let error = found.error.unwrap();
    assert!(error.contains("storage.weu.sas.url") && error.contains("HOLDFAST_NO_SUCH_SAS"), "{error}");
    assert!(read_revision(&store, 2, Secrets::Read, now).await.is_err());
    assert_eq!(read_revision(&store, 2, Secrets::Leave, now).await.unwrap().fleet.apps.len(), 3);
}

#[tokio::test]
async fn a_file_becomes_a_revision_unless_it_is_in_force_was_replaced_or_shrinks() {
    let (store, running) = (store(), fleet(&entry("shop", "gold")));
    let submit = async |apps: &str| {
        let mut rng = fastrand::Rng::with_seed(apps.len() as u64);
        submit_file(&store, &running, text(apps), &order(0), &mut rng).await
    };
    let (one, two) = (entry("shop", "gold"), entry("shop", "gold") + &entry("wiki", "gold"));
    assert_eq!(submit(&one).await.unwrap(), Submitted::Appended(1));
    assert_eq!(submit(&one).await.unwrap(), Submitted::InForce);
    assert_eq!(submit(&two).await.unwrap(), Submitted::Appended(2));
    let replaced = submit(&one).await.unwrap_err();
    assert_eq!(replaced.to_string(), "fleet.toml is the text of revision 1, which a newer one replaced");
    let shrinks = submit(&(one + "# only\n")).await.unwrap_err();
    assert!(shrinks.to_string().contains("1 app would leave"), "{shrinks}");
    assert_eq!(store.newest_revision().await.unwrap(), 2);
}

#[tokio::test]
#[ignore = "measures: cargo nextest run -p holdfast-control ten_thousand --run-ignored only --no-capture"]
async fn a_change_of_ten_thousand_apps_is_shown_in_two_seconds() {
    let clock = holdfast_model::SystemClock::default();
    let apps = |policy: &str| (0..10_000).map(|at| entry(&format!("app-{at}"), policy)).collect::<String>();
    let (old, new) = (read(&text(&apps("gold"))), text(&apps("silver")));
    let begun = clock.elapsed();
    let proposal = propose(&store(), Some(&old), new).await.unwrap();
    assert_eq!((proposal.diff.moved.len(), proposal.diff.ticks.len()), (10_000, 10_000));
    let took = clock.elapsed().saturating_sub(begun);
    assert!(took.as_secs() < 2, "{took:?}");
    eprintln!("a change of 10,000 apps is shown in {took:?}");
}
