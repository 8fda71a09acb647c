use std::sync::Arc;

use holdfast_model::{AppId, ManualClock, OperatorAction};
use holdfast_store::MemoryStore;

use super::*;
use crate::audit::checkpoint::tests::key;
use crate::audit::{VerifiedExport, verify_export};
use crate::operator_actions::about_app;
use crate::views::audit_page::AuditQuery;

const SMALL: PartSize = PartSize { page: 5, lines: 5, events: 10 };

/// A store with `count` acts of ann, and of bob each third time.
async fn store(count: usize) -> MemoryStore {
    let now = Timestamp::UNIX_EPOCH;
    let mut rng = fastrand::Rng::with_seed(count as u64);
    let store = MemoryStore::new(Arc::new(ManualClock::new(now)));
    for number in 0..count {
        let person = if number % 3 == 0 { "bob" } else { "ann" };
        let app = AppId::new("0a0a", "g", &format!("app{number}"), None);
        let action = OperatorAction::FleetFileChanged { sha256: format!("{number}") };
        store.add_run(&about_app(&app, (action, person.into()), now, &mut rng)).await.unwrap();
    }
    store
}

async fn export(store: &MemoryStore, filter: &ExportFilter, key: &SigningKey) -> Vec<String> {
    let (mut lines, mut place) = (Vec::new(), None);
    loop {
        let made = part(store, filter, (place, SMALL), key).await.unwrap();
        lines.extend(made.text.lines().map(str::to_owned));
        place = made.next;
        if place.is_none() {
            return lines;
        }
    }
}

fn verified(lines: &[String], key: &SigningKey) -> Result<VerifiedExport, String> {
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let keys = [key.verifying_key().unwrap()];
    verify_export(text.as_bytes(), "x", &keys).map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_export_in_parts_is_whole_and_says_where_the_audit_ended() {
    let (store, key) = (store(23).await, key());
    let lines = export(&store, &ExportFilter::default(), &key).await;
    let found = verified(&lines, &key).unwrap();
    let end = store.last_event().await.unwrap().unwrap().link;
    assert_eq!((found.events, found.parts, found.audit.seq), (23, 5, end.seq));
    assert_eq!((found.audit.hash, found.filter.as_str()), (end.hash, ""));
    let empty = export(
        &MemoryStore::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))),
        &ExportFilter::default(),
        &key,
    )
    .await;
    assert_eq!(verified(&empty, &key).unwrap().events, 0);
}

#[tokio::test]
async fn a_filtered_export_has_the_events_that_the_page_shows_and_no_other() {
    let (store, key) = (store(23).await, key());
    let query = AuditQuery { person: Some("bob".into()), ..AuditQuery::default() };
    let lines = export(&store, &ExportFilter { acts: false, query }, &key).await;
    let found = verified(&lines, &key).unwrap();
    assert_eq!((found.events, found.filter.as_str(), found.audit.seq), (8, "acts=1&person=bob", 23));
    let acts = export(&store, &ExportFilter { acts: true, ..ExportFilter::default() }, &key).await;
    assert_eq!(verified(&acts, &key).unwrap().filter, "acts=1");
    let mut fewer = lines.clone();
    let place = fewer.iter().position(|line| line.contains("bob")).unwrap();
    fewer.remove(place);
    let error = verified(&fewer, &key).unwrap_err();
    assert!(error.contains("lines were removed or added"), "{error}");
}

#[tokio::test]
async fn what_was_done_to_an_export_is_told_with_its_line() {
    let (ours, theirs, signer) = (store(12).await, store(13).await, key());
    let all = ExportFilter::default();
    let lines = export(&ours, &all, &signer).await;
    let other = export(&theirs, &all, &signer).await;
    // Five events, their signature, five, a signature, two, a signature.
    assert_eq!(lines.len(), 15);
    let bob = AuditQuery { person: Some("bob".into()), ..AuditQuery::default() };
    let of_bob = export(&ours, &ExportFilter { acts: true, query: bob }, &signer).await;
    let edit = |from: &str, to: &str, line: usize| {
        let mut edited = lines.clone();
        edited[line] = edited[line].replacen(from, to, 1);
        edited
    };
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        changed
    };
    let cases: Vec<(Vec<String>, &str)> = vec![
        (edit("ann", "eve", 1), "line 2 of x: audit event 2 was changed after it was written"),
        (with(&|lines| lines.swap(1, 2)), "line 3 of x: audit event 2 does not come after event 3"),
        (
            with(&|lines| lines.insert(3, lines[2].clone())),
            "line 4 of x: audit event 3 does not come after event 3",
        ),
        (
            with(&|lines| drop(lines.remove(0))),
            "line 5 of x: the signature is of 5 events, and 4 stand before it",
        ),
        (
            with(&|lines| lines.truncate(14)),
            "x ends after line 14: no signature follows the events from line 13 on",
        ),
        (
            with(&|lines| lines.truncate(12)),
            "x ends after line 12: it has the events up to 10, and the audit had more",
        ),
        (with(&|lines| lines.clear()), "x ends after line 0: it has no signature"),
        (
            with(&|lines| drop(lines.drain(6..12))),
            "line 9 of x: this part goes on from event 10 to 12, and the part before ended with event 5",
        ),
        (with(&|lines| lines.rotate_left(6)), "line 10 of x: audit event 1 does not come after event 12"),
        (edit("\"events\":5", "\"events\":4", 5), "line 6 of x: the signature is not one of the key"),
        ([&lines[..12], &other[12..]].concat(), "line 13 of x: audit event 11 does not follow event 10"),
        ([&lines[..], &of_bob[..]].concat(), "does not come after event 12"),
        (
            lines.iter().filter(|line| !line.contains("\"events\":5")).cloned().collect(),
            "line 13 of x: the signature is of 2 events",
        ),
    ];
    for (lines, wanted) in cases {
        let error = verified(&lines, &signer).unwrap_err();
        assert!(error.contains(wanted), "wanted {wanted}: {error}");
    }
    let error = verified(&lines, &key()).unwrap_err();
    assert!(error.starts_with("line 6 of x: it was signed with the key "), "{error}");
    let whole = lines.join("\n");
    let keys = [signer.verifying_key().unwrap()];
    let error = verify_export(whole.as_bytes(), "x", &keys).unwrap_err().to_string();
    assert!(error.ends_with("the line has no end: the file was cut off"), "{error}");
}

#[tokio::test]
async fn an_event_that_was_replaced_and_computed_again_is_no_signed_line() {
    let (ours, signer) = (store(3).await, key());
    let lines = export(&ours, &ExportFilter { acts: true, ..ExportFilter::default() }, &signer).await;
    let mut row = crate::audit::export::row(&lines[2]).unwrap();
    row.data = row.data.replace("ann", "eve").replace("bob", "eve");
    let before = Link { seq: 2, hash: row.link.previous.clone(), previous: String::new() };
    row.link = before.then(&row.content());
    let forged = [lines[0].clone(), lines[1].clone(), line(row), lines[3].clone()];
    let error = verified(&forged, &signer).unwrap_err();
    assert!(error.starts_with("line 4 of x: lines 1 to 3 are not those that were signed"), "{error}");
}

#[tokio::test]
async fn a_part_begins_only_where_the_audit_has_its_place() {
    let (store, key) = (store(7).await, key());
    let place = PartPlace { after: 3, previous: "0".repeat(64) };
    let error = export_part(&store, &ExportFilter::default(), Some(place), &key).await.unwrap_err();
    assert!(error.to_string().starts_with("the audit has no event 3 with the hash 000"), "{error}");
}
