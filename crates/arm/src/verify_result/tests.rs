use holdfast_model::{BackupId, Timestamp};

use super::*;

fn facts(size_bytes: i64) -> BackupFacts {
    BackupFacts {
        id: BackupId(7),
        blob: "b.zip".into(),
        size_bytes,
        accepted_at: Timestamp::UNIX_EPOCH,
        finished_at: None,
        databases: Vec::new(),
    }
}

fn listed(status: BackupStatus) -> Backup {
    Backup::new(BackupId(7), status)
}

/// Blobs of these sizes.
fn blobs(archive: Option<u64>, manifest: Option<u64>) -> BlobSizes {
    BlobSizes { archive, manifest }
}

fn lost(detail: &str) -> VerifyResult {
    VerifyResult::Lost { detail: detail.to_owned() }
}

fn unchecked(detail: &str) -> VerifyResult {
    VerifyResult::Unchecked { detail: detail.to_owned() }
}

#[test]
fn a_listed_backup_is_verified_by_its_blobs() {
    let there = listed(BackupStatus::Succeeded);
    let judged = |size, blobs| {
        judge(&facts(size), &Observation { listed: Some(&there), blobs, ..Observation::default() })
    };
    let verified = |size_bytes| VerifyResult::Verified { size_bytes };
    assert_eq!(judged(10, Some(Ok(blobs(Some(10), Some(1))))), verified(Some(10)));
    assert_eq!(judged(10, None), verified(None), "storage is out of reach");
    assert_eq!(judged(0, Some(Ok(blobs(Some(10), Some(1))))), verified(Some(10)), "its size was never known");
    assert_eq!(judged(10, Some(Ok(blobs(None, Some(1))))), lost("its blob is not in the container"));
    assert_eq!(judged(10, Some(Ok(blobs(Some(0), Some(1))))), lost("its blob is empty"));
    assert_eq!(judged(10, Some(Ok(blobs(Some(9), Some(1))))), lost("its blob has 9 bytes and had 10"));
    let manifest = "the manifest (.xml) beside its blob is not there, and a restore needs it";
    assert_eq!(judged(10, Some(Ok(blobs(Some(10), None)))), lost(manifest));
}

#[test]
fn a_backup_that_neither_list_has_is_lost() {
    let judged = |blobs| judge(&facts(10), &Observation { blobs, ..Observation::default() });
    assert_eq!(judged(None), lost("azure no longer lists it"));
    assert_eq!(judged(Some(Err("503".into()))), lost("azure no longer lists it"));
    assert_eq!(
        judged(Some(Ok(blobs(Some(10), Some(1))))),
        lost("azure no longer lists it; its blob is still there")
    );
}

#[test]
fn a_backup_that_could_not_be_checked_is_not_lost() {
    let there = listed(BackupStatus::Succeeded);
    let going = listed(BackupStatus::DeleteInProgress);
    let late = listed(BackupStatus::InProgress);
    let storage = Some(Err("storage did not answer".to_owned()));
    for (observed, why) in [
        (
            Observation { listed: Some(&there), blobs: storage, ..Observation::default() },
            "storage did not answer",
        ),
        (
            Observation { doubt: Some("azure answered 503".into()), ..Observation::default() },
            "azure answered 503",
        ),
        (Observation { is_being_deleted: true, ..Observation::default() }, "it is being deleted"),
        (
            Observation {
                listed: Some(&going),
                blobs: Some(Ok(blobs(None, None))),
                ..Observation::default()
            },
            "it is being deleted",
        ),
        (
            Observation { listed: Some(&late), blobs: Some(Ok(blobs(None, None))), ..Observation::default() },
            "azure calls it InProgress",
        ),
        (Observation { listed: Some(&late), ..Observation::default() }, "azure calls it InProgress"),
    ] {
        assert_eq!(judge(&facts(10), &observed), unchecked(why), "{observed:?}");
    }
}

#[test]
fn every_result_has_the_same_keys() {
    let json = |result| serde_json::to_value::<VerifyResult>(result).unwrap();
    let verified = serde_json::json!({ "result": "verified", "size_bytes": 7, "detail": null });
    assert_eq!(json(VerifyResult::Verified { size_bytes: Some(7) }), verified);
    let lost = serde_json::json!({ "result": "lost", "size_bytes": null, "detail": "it is empty" });
    assert_eq!(json(VerifyResult::Lost { detail: "it is empty".into() }), lost);
}
