use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::{AppId, Cause, PolicyName};
use holdfast_store::{AppStatus, DayCounts};
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::*;
use crate::ErrorKind;
use crate::views::condition::{Condition, Severity};
use crate::views::day_mark::DayMark;
use crate::views::fleet::{Facet, FleetPage, FleetQuery, Sort};
use crate::views::fleet_page::fleet_page;
use crate::views::overview_of::overview;
use crate::views::reading::FleetReading;
use crate::views::sas_state::SasState;

fn names(page: &FleetPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.name.as_str()).collect()
}

fn query(text: &str) -> FleetQuery {
    FleetQuery::from_url(text).unwrap()
}

fn all(reading: &FleetReading, text: &str) -> FleetPage {
    fleet_page(reading, &query(text), 1_000).unwrap()
}

#[test]
fn the_worst_app_comes_first_and_apps_that_left_come_only_when_asked_for() {
    let reading = reading(one_of_each());
    let page = all(&reading, "");
    let conditions: Vec<Condition> = page.rows.iter().map(|row| row.condition).collect();
    assert_eq!(conditions, Condition::ALL[..16]);
    assert_eq!((page.enrolled, page.matching, page.next), (16, 16, None));
    assert_eq!(names(&all(&reading, "condition=left")), ["app-16"]);
    assert_eq!(names(&all(&reading, "condition=left&condition=lost&reverse=1")), ["app-16", "app-02"]);
}

#[test]
fn an_empty_fleet_has_an_empty_page() {
    let page = all(&reading([]), "sort=size");
    assert_eq!((page.enrolled, page.matching, page.rows.len(), page.next), (0, 0, 0, None));
    assert_eq!(page.facets.conditions, []);
}

#[test]
fn filters_of_one_kind_are_alternatives_and_those_of_different_kinds_all_apply() {
    let other = AppStatus {
        policy: Some(PolicyName::new("silver")),
        ..AppStatus { app: AppId::new("s2", "Intranet", "Wiki", Some("staging")), ..good("x") }
    };
    let reading =
        reading([good("shop"), failed("shop-api", Cause::TimedOut), without_policy("stray"), other]);
    for (text, expected) in [
        ("q=SHOPS+GOLD", vec!["shop-api", "shop"]),
        ("q=shop-+api", vec!["shop-api"]),
        ("q=intra", vec!["wiki/staging"]),
        ("q=silver", vec!["wiki/staging"]),
        ("q=nothing", vec![]),
        ("policy=silver&policy=", vec!["stray", "wiki/staging"]),
        ("policy=gold&condition=good", vec!["shop"]),
        ("subscription=s2", vec!["wiki/staging"]),
        ("group=shops&condition=no_policy&condition=good", vec!["stray", "shop"]),
        ("cause=timed_out", vec!["shop-api"]),
        ("cause=timed_out&cause=skipped&recent=1", vec!["shop-api"]),
        ("unknown=1&sort=name&reverse=1", vec!["wiki/staging", "stray", "shop-api", "shop"]),
    ] {
        assert_eq!(names(&all(&reading, text)), expected, "{text}");
    }
}

#[test]
fn an_app_must_have_every_tag_of_a_view_and_the_facet_narrows_it_further() {
    let tagged =
        |name, tags: &[(&str, &str)]| AppStatus { tags: tags.iter().copied().collect(), ..good(name) };
    let reading = reading([
        tagged("a", &[("Team", "shop"), ("env", "prod")]),
        tagged("b", &[("team", "shop")]),
        tagged("c", &[("team", "Shop")]),
        good("d"),
    ]);
    for (text, expected) in [
        ("tag=team%3Dshop", vec!["a", "b"]),
        ("tag=TEAM", vec!["a", "b", "c"]),
        ("tag=team%3Dshop&tag=env", vec!["a"]),
        ("tag=team%3Dshop&tag=team%3DShop", vec![]),
    ] {
        assert_eq!(names(&all(&reading, text)), expected, "{text}");
    }
    let page = all(&reading, "tag=team%3Dshop");
    let facets: Vec<_> =
        page.facets.tags.iter().map(|facet| (facet.value.as_str(), facet.count, facet.is_selected)).collect();
    assert_eq!(facets, [("team=shop", 2, true), ("env=prod", 1, false)]);
    assert_eq!(page.rows[0].tags.to_string(), "env=prod, team=shop");
    assert_eq!(FleetQuery::from_url("tag=%3Dshop").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_facet_counts_the_apps_that_match_the_filters_of_all_other_kinds() {
    let silver = AppStatus { policy: Some(PolicyName::new("silver")), ..failed("c", Cause::TimedOut) };
    let reading = reading([good("a"), failed("b", Cause::TimedOut), silver, without_policy("d"), left("e")]);
    let page = all(&reading, "policy=gold&condition=failed");
    let counts = |facets: &[Facet]| -> Vec<(String, usize, bool)> {
        facets.iter().map(|facet| (facet.label.clone(), facet.count, facet.is_selected)).collect()
    };
    let row = |label: &str, count, is_selected| (label.to_owned(), count, is_selected);
    assert_eq!(page.matching, 1);
    assert_eq!(
        counts(&page.facets.conditions),
        [row("failed", 1, true), row("good", 1, false), row("left the fleet", 1, false)]
    );
    assert_eq!(counts(&page.facets.policies), [row("gold", 1, true), row("silver", 1, false)]);
    assert_eq!(counts(&page.facets.causes), [row("timed out", 1, false)]);
    // What is selected stays visible although no app has it.
    let page = all(&reading, "policy=bronze");
    assert!(counts(&page.facets.policies).contains(&row("bronze", 0, true)));
    assert!(counts(&all(&reading, "").facets.policies).contains(&row("no policy", 1, false)));
}

#[test]
fn rows_are_ordered_as_asked_and_equal_ones_by_name() {
    let mut reading = reading([
        AppStatus { last_good_at: Some(ago(3)), next_tick: None, ..good("c") },
        AppStatus { last_good_at: Some(ago(9)), ..good("b") },
        AppStatus { next_tick: Some(now()), ..never("a") },
        AppStatus { last_good_at: Some(ago(9)), ..good("d") },
    ]);
    let mark = |bytes| vec![DayMark::new(now().date_naive(), DayCounts::default(), Some(bytes))];
    reading.days = [(app("b"), mark(5)), (app("d"), mark(7))].into();
    for (text, expected) in [
        ("sort=name", ["a", "b", "c", "d"]),
        ("sort=age", ["a", "b", "d", "c"]),
        ("sort=age&reverse=1", ["c", "d", "b", "a"]),
        ("sort=next_tick", ["a", "b", "d", "c"]),
        ("sort=size", ["d", "b", "a", "c"]),
    ] {
        assert_eq!(names(&all(&reading, text)), expected, "{text}");
    }
}

#[test]
fn a_row_has_the_age_against_the_objective_and_thirty_days() {
    let mut reading = reading([AppStatus { last_good_at: Some(ago(13)), ..good("shop") }, never("wiki")]);
    let day = |days: u64| now().date_naive() - chrono::Days::new(days);
    let counts = DayCounts { good: 1, ..DayCounts::default() };
    let marks =
        [(9, Some(4)), (2, None), (1, Some(6))].map(|(days, bytes)| DayMark::new(day(days), counts, bytes));
    reading.days.insert(app("shop"), marks.to_vec());
    let page = all(&reading, "sort=name");
    let row = &page.rows[0];
    assert_eq!((row.age_permille, row.objective_s), (Some(500), Some(26 * 3_600)));
    assert_eq!((row.days.len(), row.days[0].day, row.days[29].day), (30, day(29), day(0)));
    assert_eq!((row.last_bytes, row.sizes.clone()), (Some(6), vec![4, 6]));
    assert_eq!((row.days[28].bytes, row.days[27].counts), (Some(6), counts));
    assert_eq!((page.rows[1].age_permille, page.rows[1].last_bytes), (None, None));
}

#[test]
fn a_sas_is_lapsing_a_week_before_its_expiry_unless_holdfast_mints_it() {
    let with = |name, hours: i64| AppStatus {
        sas_expiry: Some(now() + chrono::TimeDelta::hours(hours)),
        ..good(name)
    };
    let minted = AppStatus { policy: Some(PolicyName::new("auto")), ..with("minted", 1) };
    let mut reading = reading([
        with("lapsed", 0),
        with("soon", 7 * 24),
        with("valid", 7 * 24 + 1),
        good("unknown"),
        AppStatus { removed: true, ..with("left", 1) },
        AppStatus { proven_at: Some(ago(50)), ..minted },
    ]);
    reading.minted = std::sync::Arc::new([PolicyName::new("auto")].into());
    let states: Vec<_> = all(&reading, "sort=sas").rows.iter().map(|row| row.sas).collect();
    let expected = [SasState::Lapsed, SasState::Minted, SasState::Lapsing, SasState::Valid];
    assert_eq!(states[..4], expected.map(Some));
    assert_eq!((states.len(), states[4]), (5, None));
    assert_eq!(names(&all(&reading, "sas=lapsing&sort=name")), ["lapsed", "soon"]);
    assert_eq!(query("sas=lapsing").to_url(), "sas=lapsing");
    let tile = overview(&reading, false).tiles.pop().unwrap();
    assert_eq!((tile.count, tile.severity, tile.query), (2, Severity::Bad, query("sas=lapsing")));
    assert_eq!(all(&reading, "sort=proven&reverse=1").rows[0].name, "minted");
    assert!(FleetQuery::from_url("sas=other").is_err());
}

/// Apps of which many are equal in every order.
fn large(count: usize) -> FleetReading {
    let conditions = one_of_each();
    let status = |place: usize| {
        let name = format!("app-{}", place % (count / 2 - 1));
        let id = AppId::new(["s1", "s2", "s3"][place % 3], &format!("group-{}", place % 7), &name, None);
        let status = conditions[place % conditions.len()].clone();
        let last_good_at = status.last_good_at.map(|at| at - Duration::from_hours(place as u64 % 5));
        AppStatus { app: id, last_good_at, ..status }
    };
    reading((0..count).map(status))
}

/// Reads all pages of a query, and checks that they hold each app once.
fn pages_hold_each_app_once(reading: &FleetReading, mut query: FleetQuery, most: usize) {
    let everyone: BTreeSet<&AppId> =
        reading.apps.iter().filter(|status| !status.removed).map(|status| &status.app).collect();
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = fleet_page(reading, &query, most).unwrap();
        assert_eq!(page.matching, everyone.len());
        seen.extend(page.rows.into_iter().map(|row| row.app));
        pages += 1;
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, everyone.len().div_ceil(most));
    assert_eq!(seen.len(), everyone.len());
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), everyone, "{query:?}");
}

#[test]
fn pages_of_ten_thousand_apps_hold_each_app_once() {
    pages_hold_each_app_once(&large(10_000), FleetQuery::default(), 4_000);
}

#[test]
fn pages_hold_each_app_once_in_every_order() {
    let reading = large(300);
    for sort in Sort::ALL {
        for reverse in [false, true] {
            pages_hold_each_app_once(&reading, FleetQuery { sort, reverse, ..FleetQuery::default() }, 70);
        }
    }
}

#[test]
fn a_page_goes_on_after_its_cursor_although_the_app_of_the_cursor_left() {
    let apps = ["a", "b", "c", "d"].map(good);
    let first = fleet_page(&reading(apps.clone()), &query("sort=name"), 2).unwrap();
    assert_eq!(names(&first), ["a", "b"]);
    let rest: Vec<AppStatus> = apps.into_iter().filter(|status| status.app != app("b")).collect();
    let after = FleetQuery { after: first.next, ..query("sort=name") };
    assert_eq!(names(&fleet_page(&reading(rest), &after, 2).unwrap()), ["c", "d"]);
}

#[test]
fn a_cursor_of_another_order_or_of_nothing_is_refused() {
    let reading = reading(["a", "b", "c"].map(good));
    let next = fleet_page(&reading, &query("sort=name"), 1).unwrap().next;
    for wrong in [
        FleetQuery { after: next.clone(), ..query("sort=age") },
        FleetQuery { after: next, ..query("sort=name&reverse=1") },
        query("after=AAAA"),
        query("after=%00%ff"),
    ] {
        assert_eq!(fleet_page(&reading, &wrong, 1).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    for text in ["condition=splendid", "cause=bad%20luck", "sort=random"] {
        assert_eq!(FleetQuery::from_url(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
    }
    assert_eq!(query("").to_url(), "");
}

fn texts() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(".{0,12}", 0..4)
}

fn queries() -> impl Strategy<Value = FleetQuery> {
    let filters = (
        ".{0,20}",
        texts(),
        texts(),
        texts(),
        btree_set("[a-zA-Z]{1,4}(=.{0,8})?", 0..3),
        btree_set(select(Condition::ALL.to_vec()), 0..4),
        btree_set(select(Cause::ALL.to_vec()), 0..4),
    );
    let order = (any::<bool>(), select(Sort::ALL.to_vec()), any::<bool>(), proptest::option::of(".{1,20}"));
    (filters, order).prop_map(|(filters, (recent, sort, reverse, after))| {
        let (text, policies, subscriptions, resource_groups, tags, conditions, causes) = filters;
        let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        let query = FleetQuery { text, policies, subscriptions, resource_groups, ..FleetQuery::default() };
        FleetQuery { tags, conditions, causes, recent, sort, reverse, after, ..query }
    })
}

proptest! {
    #[test]
    fn a_query_comes_back_from_its_address(query in queries()) {
        let url = query.to_url();
        prop_assert!(url.is_ascii() && !url.contains(['<', '"', '\'', ' ']), "{}", url);
        prop_assert_eq!(FleetQuery::from_url(&url).unwrap(), query);
    }

    #[test]
    fn no_address_makes_a_query_panic(text in ".{0,60}") {
        let _ = FleetQuery::from_url(&text).map(|query| fleet_page(&reading([good("shop")]), &query, 5));
    }
}
