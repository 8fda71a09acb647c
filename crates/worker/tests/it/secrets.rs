//! The SAS appears in no row and no event.

use holdfast_arm::{ErrorKind, ThrottleScope};
use holdfast_store::Store;

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::fake_storage::SIGNATURE;
use crate::fixtures::worker_world::WorkerWorld;

#[tokio::test]
async fn no_row_and_no_event_holds_the_signature_whatever_azure_answers() {
    let posts = [
        PostResult::Accepted,
        PostResult::AnswerLost,
        PostResult::Refused(ErrorKind::Rejected),
        PostResult::Refused(ErrorKind::Forbidden),
        PostResult::Refused(ErrorKind::Ambiguous),
        PostResult::Refused(ErrorKind::Conflict { retry_after: None }),
        PostResult::Refused(ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Arm }),
    ];
    for post in posts {
        let world = WorkerWorld::new();
        world.add_run("shop").await;
        world.arm.script_posts([post.clone()]);
        world.run_to_end().await;
        let (rows, audit) = (world.runs().await, world.store.audit(0, 1_000).await.unwrap());
        let texts = [
            format!("{rows:?}"),
            format!("{audit:?}"),
            serde_json::to_string(&rows).unwrap(),
            serde_json::to_string(&audit).unwrap(),
        ];
        for text in texts {
            assert!(!text.contains(SIGNATURE), "{post:?}: {text}");
        }
        assert!(world.arm.accepted().iter().all(|(_, url)| url.contains(SIGNATURE)), "Azure needs it");
    }
}
