//! One slip in the documented example each, and the whole answer.

/// A text of the example, what stands in its place, and what is printed.
pub const MISTAKES: &[(&str, &str, &str)] = &[
    (
        r#"timezone = "Europe/Paris""#,
        r#"timezon = "Europe/Paris""#,
        r"error: unknown key `timezon` in `policy.gold`; did you mean `timezone`?
  --> fleet.toml:12:1
   |
12 | timezon = …
   | ^^^^^^^
   = help: known here: schedule, timezone, spread, catch_up, recovery_point_objective, overlap, retention, drill, storage, deadline, retry, poll, shrink_tolerance, partial_is_good, verify, native_schedule, tags, extends
",
    ),
    (
        r#"timezone = "Europe/Paris""#,
        r#"timezone = "Paris""#,
        r#"error: `policy.gold.timezone`: unknown time zone "Paris"; did you mean `Europe/Paris`?
  --> fleet.toml:12:12
   |
12 | timezone = "Paris"
   |            ^^^^^^^
   = help: zones have names such as "UTC" or "Europe/Paris"
"#,
    ),
    (
        r#""0 2 * * *""#,
        r#""0 2 * *""#,
        r#"error: `policy.gold.schedule`: `0 2 * *` is not a cron schedule: it has 4 fields; cron has five: minute hour day-of-month month day-of-week
  --> fleet.toml:11:12
   |
11 | schedule = "0 2 * *"
   |            ^^^^^^^^^
   = help: a daily schedule is `0 2 * * *`, or `@daily` for midnight
"#,
    ),
    (
        r#""0 2 * * *""#,
        r#""61 2 * * *""#,
        r#"error: `policy.gold.schedule`: `61 2 * * *` is not a cron schedule: the minute field has `61`; it takes 0 to 59
  --> fleet.toml:11:12
   |
11 | schedule = "61 2 * * *"
   |            ^^^^^^^^^^^^
"#,
    ),
    (
        r#""0 2 * * *""#,
        r"5",
        r#"error: `policy.gold.schedule`: expected cron text such as "0 2 * * *", found a whole number
  --> fleet.toml:11:12
   |
11 | schedule = 5
   |            ^
"#,
    ),
    (
        r#""0 2 * * *""#,
        r#""*/30 * * * *""#,
        r#"warning: `policy.gold.schedule`: up to 48 backups a day; Azure takes 12 a day of an app in the Basic and Standard tiers, and 50 in Premium and Isolated
  --> fleet.toml:11:12
   |
11 | schedule = "*/30 * * * *"
   |            ^^^^^^^^^^^^^^
   = help: what is over the limit ends as `skipped`
warning: `policy.gold.spread`: the spread of 2h is longer than the schedule's shortest interval, 30m
  --> fleet.toml:13:12
   |
13 | spread   = "2h"
   |            ^^^^
   = help: a tick of an app would fall into the next interval; choose a shorter spread
"#,
    ),
    (
        r#"spread   = "2h""#,
        r#"spread = "2 hours and a bit""#,
        r#"error: `policy.gold.spread`: expected a duration such as "90s", "2h" or "1h 30m", found "2 hours and a bit"
  --> fleet.toml:13:10
   |
13 | spread = "2 hours and a bit"
   |          ^^^^^^^^^^^^^^^^^^^
   = help: each part is a whole number and its unit, such as `1h 30m`
"#,
    ),
    (
        r#"spread   = "2h""#,
        r#"spread = "25h""#,
        r#"warning: `policy.gold.spread`: the spread of 1d 1h is longer than the schedule's shortest interval, 23h
  --> fleet.toml:13:10
   |
13 | spread = "25h"
   |          ^^^^^
   = help: a tick of an app would fall into the next interval; choose a shorter spread
"#,
    ),
    (
        r#"deadline = "4h""#,
        r#"deadline = "48h""#,
        r#"error: `policy.gold.deadline`: a backup may run for 2d, and its SAS from [storage.weu] lasts 2d: it must outlast the backup by 5m
  --> fleet.toml:15:12
   |
15 | deadline = "48h"
   |            ^^^^^
   = help: set the storage's `lifetime` to at least 2d 5m
"#,
    ),
    (
        r#"catch_up = "6h""#,
        r#"catch_up = "900d""#,
        r#"error: `policy.gold.catch_up`: expected at most 366 days, found "900d"
  --> fleet.toml:14:12
   |
14 | catch_up = "900d"
   |            ^^^^^^
"#,
    ),
    (
        r#"storage  = "weu""#,
        r#"storage = "weuu""#,
        r#"error: `policy.gold.storage`: no storage is called "weuu"; did you mean `weu`?
  --> fleet.toml:16:11
   |
16 | storage = "weuu"
   |           ^^^^^^
   = help: storages defined here: weu
"#,
    ),
    (
        r#"storage  = "weu""#,
        r#"storge = "weu""#,
        r"error: unknown key `storge` in `policy.gold`; did you mean `storage`?
  --> fleet.toml:16:1
   |
16 | storge = …
   | ^^^^^^
   = help: known here: schedule, timezone, spread, catch_up, recovery_point_objective, overlap, retention, drill, storage, deadline, retry, poll, shrink_tolerance, partial_is_good, verify, native_schedule, tags, extends
",
    ),
    (
        r#"recovery_point_objective = "26h""#,
        r#"recovery_point_objective = "20h""#,
        r#"warning: `policy.gold.recovery_point_objective`: 20h cannot be met: the longest interval of the schedule is 1d 1h
  --> fleet.toml:17:28
   |
17 | recovery_point_objective = "20h"
   |                            ^^^^^
   = help: schedule more often, or allow more than the longest interval
"#,
    ),
    (
        r#"{ attempts = 3, first = "5m", max = "1h" }"#,
        r#"{ attempts = 0, first = "5m" }"#,
        r#"error: `policy.gold.retry.timed_out.attempts`: expected a whole number from 1 to 100, found 0
  --> fleet.toml:19:32
   |
19 | retry.timed_out = { attempts = 0, first = "5m" }
   |                                ^
"#,
    ),
    (
        r#"{ attempts = 3, first = "5m", max = "1h" }"#,
        r#"{ first = "2h", max = "1h" }"#,
        r#"error: `policy.gold.retry.timed_out.first`: the first pause is longer than the longest, `max`
  --> fleet.toml:19:29
   |
19 | retry.timed_out = { first = "2h", max = "1h" }
   |                             ^^^^
"#,
    ),
    (
        r"retry.skipped ",
        r"retry.skiped ",
        r"error: unknown key `skiped` in `policy.gold.retry`; did you mean `skipped`?
  --> fleet.toml:20:7
   |
20 | retry.skiped   = { attempts = …, first = …, max = … }
   |       ^^^^^^
   = help: known here: timed_out, skipped, partial, transient
",
    ),
    (
        r#"policy = "gold"

[[disc"#,
        r#"policy = "golden"

[[disc"#,
        r#"error: `app[0].policy`: no policy is called "golden"; did you mean `gold`?
  --> fleet.toml:24:10
   |
24 | policy = "golden"
   |          ^^^^^^^^
   = help: policies defined here: gold
"#,
    ),
    (
        r#"policy = "gold"

[[disc"#,
        r#"policy = "silver"

[[disc"#,
        r#"error: `app[0].policy`: no policy is called "silver"
  --> fleet.toml:24:10
   |
24 | policy = "silver"
   |          ^^^^^^^^
   = help: policies defined here: gold
"#,
    ),
    (
        r#"sites/shop""#,
        r#"sites/""#,
        r#"error: `app[0].id`: `/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/` is not the ARM id of an app: expected /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME, with /slots/SLOT after it for a deployment slot
  --> fleet.toml:23:10
   |
23 | id     = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/"
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r#""/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop""#,
        r#""shop""#,
        r#"error: `app[0].id`: `shop` is not the ARM id of an app: expected /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME, with /slots/SLOT after it for a deployment slot
  --> fleet.toml:23:10
   |
23 | id     = "shop"
   |          ^^^^^^
"#,
    ),
    (
        r#"subscription = "0a0a""#,
        r#"subscription = "/subscriptions/0a0a""#,
        r#"error: `discover[0].subscription`: expected a subscription's id alone, found "/subscriptions/0a0a"
  --> fleet.toml:27:16
   |
27 | subscription = "/subscriptions/0a0a"
   |                ^^^^^^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r#"tags   = { backup = "gold" }"#,
        r#"tags = ["gold"]"#,
        r#"error: `discover[0].tags`: expected a table such as { backup = "gold" }, found a list
  --> fleet.toml:28:1
   |
28 | tags = […]
   | ^^^^
"#,
    ),
    (
        r#""client_secret""#,
        r#""client_secrets""#,
        r#"error: `azure.credential.kind`: expected one of client_secret, workload_identity, managed_identity, azure_cli, found "client_secrets"; did you mean `client_secret`?
 --> fleet.toml:3:24
  |
3 | credential  = { kind = "client_secrets", tenant = …, client_id = …, secret = … }
  |                        ^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r#"secret = "env:AZURE_CLIENT_SECRET""#,
        r#"sceret = "hunter2""#,
        r#"error: unknown key `sceret` in `azure.credential`; did you mean `secret`?
 --> fleet.toml:3:83
  |
3 | credential  = { kind = "client_secret", tenant = …, client_id = …, sceret = … }
  |                                                                    ^^^^^^
  = help: known here: kind, tenant, client_id, secret
"#,
    ),
    (
        r#""2024-11-01""#,
        r#""november""#,
        r#"error: `azure.api_version`: expected an api-version such as "2024-11-01", found "november"
 --> fleet.toml:4:15
  |
4 | api_version = "november"
  |               ^^^^^^^^^^
"#,
    ),
    (
        r#""2024-11-01""#,
        r#""2016-08-01""#,
        r#"error: `azure.api_version`: answers of 2016-08-01 carry database passwords
 --> fleet.toml:4:15
  |
4 | api_version = "2016-08-01"
  |               ^^^^^^^^^^^^
  = help: use 2018-02-01 or later
"#,
    ),
    (
        r"api_version =",
        r#"endpoint = "http://management.example.com"
api_version ="#,
        r#"error: `azure.endpoint`: expected https (http is for this machine only)
 --> fleet.toml:4:12
  |
4 | endpoint = "http://management.example.com"
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r"[storage.weu]",
        r"[storages.weu]",
        r#"error: unknown key `storages`; did you mean `storage`?
 --> fleet.toml:6:2
  |
6 | [storages.weu]
  |  ^^^^^^^^
  = help: known here: include, azure, storage, policy, defaults, app, discover, limits, engine, audit, control, channel, notify
error: `policy.gold.storage`: no storage is called "weu"
  --> fleet.toml:16:12
   |
16 | storage  = "weu"
   |            ^^^^^
   = help: no storages are defined
"#,
    ),
    (
        r"[[app]]",
        r"[app]",
        r"error: `app`: expected a list of tables, as in [[app]], found a table
  --> fleet.toml:22:1
   |
22 | [app]
   | ^^^^^
",
    ),
];
