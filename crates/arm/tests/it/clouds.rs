//! Several credentials behind one trait.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_arm::{Arm, Clouds, ErrorKind};
use holdfast_model::{AppId, SubscriptionId};

use crate::answers::app;
use crate::every::{ALL, call};
use crate::server::{Server, arm};

/// A server whose answers some calls take and some do not: only where they arrive counts.
async fn server() -> Server {
    Server::always(200, "{}").await
}

#[tokio::test]
async fn each_app_is_reached_through_the_client_of_its_subscription() {
    let (ours, theirs) = (server().await, server().await);
    let by_subscription: BTreeMap<SubscriptionId, Arc<dyn Arm>> =
        BTreeMap::from([(app().subscription().clone(), Arc::new(arm(&ours.url)) as Arc<dyn Arm>)]);
    let clouds = Clouds { by_subscription, otherwise: Some(Arc::new(arm(&theirs.url))) };
    let other = AppId::new("other", "g", "bread", None);
    for (server, app) in [(&ours, &app()), (&theirs, &other)] {
        for operation in ALL {
            let before = server.seen().len();
            if let Err(error) = call(&clouds, operation, app).await {
                assert_eq!((error.operation(), error.kind()), (operation, &ErrorKind::Ambiguous));
            }
            let seen = server.seen();
            assert_eq!(seen.len(), before + 1, "{operation}");
            assert!(seen[before].uri.contains(app.subscription().as_str()), "{operation}");
        }
    }
}

#[tokio::test]
async fn a_subscription_that_no_credential_serves_is_refused_for_good() {
    let clouds = Clouds { by_subscription: BTreeMap::new(), otherwise: None };
    for operation in ALL {
        let error = call(&clouds, operation, &app()).await.unwrap_err();
        assert_eq!((error.operation(), error.kind()), (operation, &ErrorKind::Rejected));
        assert!(error.to_string().ends_with("no credential serves this subscription"), "{error}");
    }
}
