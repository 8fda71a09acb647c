//! Budgets, and how much goes on at the same time.

use std::time::Duration;

use holdfast_simulator::{Azure, BucketSize, Fleet};

use crate::support::*;

/// A client that sends without pauses gets at most the documented rate, and a `Retry-After`.
#[test]
fn reads_pass_as_the_bucket_allows_and_the_rest_meet_429() {
    let mut config = config();
    config.buckets.reads = BucketSize { capacity: 20, refill_per_second: 4 };
    let mut azure = Azure::new(config, 1).unwrap();
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let begin = after(seed * 100_000);
        let mut now = begin;
        let mut passed = 0;
        for _ in 0..300 {
            now += Duration::from_millis(rng.u64(0..200));
            let answer = call(&mut azure, now, get(&app("shop").to_string()));
            let left = answer.header("x-ms-ratelimit-remaining-subscription-reads").unwrap();
            if answer.status == 429 {
                assert_eq!((left, answer.header("retry-after")), ("0", Some("1")));
                assert_eq!(body(&answer)["error"]["code"], "SubscriptionRequestsThrottled");
            } else {
                passed += 1;
            }
        }
        let millis = u64::try_from((now - begin).num_milliseconds()).unwrap();
        let allowed = 20 + millis * 4 / 1_000;
        assert!(passed <= allowed && passed + 2 >= allowed.min(300), "seed {seed}: {passed} of {allowed}");
    }
}

#[test]
fn writes_reads_and_subscriptions_have_buckets_of_their_own() {
    let mut config = config();
    config.buckets.writes = BucketSize { capacity: 2, refill_per_second: 0 };
    config.fleet.sites.extend(Fleet::generate(1, 3).sites);
    let elsewhere = config.fleet.sites.last().unwrap().site.id.clone();
    let mut azure = Azure::new(config, 1).unwrap();
    started(&mut azure, start(), &app("shop"), "hf-1");
    started(&mut azure, start(), &app("api"), "hf-2");
    let throttled = call(&mut azure, after(1_000), post_backup(&app("shop"), "hf-3", &good_url()));
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("60")));
    assert_eq!(azure.counters().throttled_by_arm, 1);
    assert_eq!(call(&mut azure, after(1_000), get(&app("shop").to_string())).status, 200);
    started(&mut azure, after(1_000), &elsewhere, "hf-4");
}

#[test]
fn the_most_at_once_is_counted_per_plan_and_account_and_ends_are_counted_out() {
    let mut azure = azure();
    for round in 0..3 {
        started(&mut azure, after(round * 3_000), &app("shop"), &format!("hf-a{round}"));
        started(&mut azure, after(round * 3_000), &app("api"), &format!("hf-b{round}"));
        assert_eq!(azure.under_way(after(round * 3_000)), 2);
    }
    let counters = azure.counters();
    assert_eq!(counters.most_at_once_per_plan.values().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(counters.most_at_once_per_account.get("acct"), Some(&2));
    assert_eq!(counters.most_at_once_per_app, 1);
}

#[test]
fn a_site_taken_away_takes_its_backup_along_and_makes_room() {
    let mut azure = azure();
    started(&mut azure, start(), &app("shop"), "hf-1");
    azure.remove_site(&app("shop"));
    assert_eq!(azure.under_way(start()), 0);
    assert_eq!(call(&mut azure, start(), get(&app("shop").to_string())).status, 404);
    started(&mut azure, start(), &app("api"), "hf-2");
    assert_eq!(azure.counters().most_at_once_per_account.get("acct"), Some(&1));
}
