//! The SAS shows nowhere.

use holdfast_arm::{ErrorKind, ThrottleScope};
use holdfast_store::Store;

use crate::azure::Post;
use crate::storage::SIGNATURE;
use crate::world::World;

#[tokio::test]
async fn no_row_and_no_event_of_any_course_of_things_holds_the_signature() {
    let courses = [
        Post::Accept,
        Post::Lose,
        Post::Refuse(ErrorKind::Rejected),
        Post::Refuse(ErrorKind::Forbidden),
        Post::Refuse(ErrorKind::Ambiguous),
        Post::Refuse(ErrorKind::Conflict { retry_after: None }),
        Post::Refuse(ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Arm }),
    ];
    for post in courses {
        let world = World::new();
        world.add_run("shop").await;
        world.azure.script_posts([post.clone()]);
        world.carry_on().await;
        let (rows, audit) = (world.runs().await, world.store.audit(0, 1_000).await.unwrap());
        let told = [
            format!("{rows:?}"),
            format!("{audit:?}"),
            serde_json::to_string(&rows).unwrap(),
            serde_json::to_string(&audit).unwrap(),
        ];
        for text in told {
            assert!(!text.contains(SIGNATURE), "{post:?}: {text}");
        }
        assert!(world.azure.accepted().iter().all(|(_, url)| url.contains(SIGNATURE)), "Azure needs it");
    }
}
