//! Ids of apps with names of every script, as every store keeps them.

use holdfast_model::{App, AppId};
use holdfast_store::{CatalogFilter, FleetChange};

use crate::fixture::{StoreFixture, app, enrolled, secs};

on_every_store!(
    an_id_comes_back_as_it_was_and_in_any_case_is_the_same_app,
    pages_of_the_catalog_follow_the_order_of_ids,
);

async fn an_id_comes_back_as_it_was_and_in_any_case_is_the_same_app(fixture: &StoreFixture) {
    let in_group = |group: &str| {
        let id = AppId::new("0a0a", group, "Shop", None);
        let app = App { id, ..app("shop") };
        enrolled(&app, Some(("daily", fixture.now() + secs(60))))
    };
    let groups = ["İzmir-üretim", "straße", "ſ", "\u{212a}", "e\u{301}", "グループ"];
    let fleet: Vec<_> = groups.map(in_group).into();
    assert_eq!(fixture.sync(&fleet).await.added, 6);
    assert_eq!(fixture.sync(&fleet).await, FleetChange::default());
    let shouted = in_group("İZMIR-ÜRETIM");
    let fleet: Vec<_> = fleet.into_iter().skip(1).chain([shouted]).collect();
    assert_eq!(fixture.sync(&fleet).await, FleetChange::default());
    let mut ids: Vec<AppId> = fleet.iter().map(|enrolled| enrolled.app.id.clone()).collect();
    ids.sort();
    let apps: Vec<AppId> =
        fixture.store.status().await.unwrap().into_iter().map(|status| status.app).collect();
    assert_eq!(apps, ids);
    fixture.advance(60);
    assert_eq!(fixture.cursors_due().await.len(), 6);
    let run = fixture.add_manual(&fleet[5].app).await;
    assert_eq!(fixture.read(run.id).await.app, fleet[5].app.id);
}

async fn pages_of_the_catalog_follow_the_order_of_ids(fixture: &StoreFixture) {
    let named = |(site, slot)| App { id: AppId::new("0a0a", "g", site, slot), ..app("shop") };
    let apps =
        [("shop", None), ("shop", Some("x")), ("shop-a", None), ("shop.b", None), ("şhop", None)].map(named);
    for app in &apps {
        fixture.complete_backup(app, 1, 1).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.catalog(&CatalogFilter { after, most_apps: 2, ..CatalogFilter::default() }).await;
        let Some(last) = page.last() else { break };
        after = Some(last.app.clone());
        seen.extend(page.iter().map(|entry| entry.app.clone()));
    }
    let mut ids: Vec<AppId> = apps.iter().map(|app| app.id.clone()).collect();
    ids.sort();
    assert_eq!(seen, ids);
}
