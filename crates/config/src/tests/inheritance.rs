use holdfast_model::Policy;

use super::*;

/// The example, whose policy gold takes its zone and pauses from `[defaults]`, with a policy that extends it.
fn fleet_file() -> String {
    let gold = with("timezone = \"Europe/Paris\"\n", "");
    let gold = gold.replace("spread   = \"2h\"\n", "");
    let rest = r#"
[defaults]
timezone = "Europe/Rome"
spread = "1h"
retry.partial = { attempts = 7 }

[policy.silver]
extends = "gold"
schedule = "0 5 * * *"
spread = "3h"
retention = "none"
retry.skipped = { attempts = 2 }

[[app]]
id     = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/blog"
policy = "silver"
"#;
    format!("{gold}{rest}")
}

fn policy(fleet: &Fleet, name: &str) -> Policy {
    fleet.policies[&PolicyName::new(name)].clone()
}

#[test]
fn a_policy_takes_what_it_leaves_out_from_the_one_it_extends_and_then_from_the_defaults() {
    let Checked { fleet, problems, .. } = look(&fleet_file());
    assert_eq!(problems, []);
    let fleet = fleet.unwrap();
    let (gold, silver) = (policy(&fleet, "gold"), policy(&fleet, "silver"));
    assert_eq!(gold.schedule.fingerprint(), "0 2 * * * Europe/Rome 3600s");
    assert_eq!(silver.schedule.fingerprint(), "0 5 * * * Europe/Rome 10800s");
    assert_eq!(silver.recovery_point_objective, gold.recovery_point_objective);
    assert_eq!((gold.retention.is_some(), silver.retention), (true, None), "`none` undoes what is inherited");
    let (ours, theirs) = (silver.policy_snapshot.retries, gold.policy_snapshot.retries);
    assert_eq!((ours.partial.attempts, theirs.partial.attempts), (7, 7));
    assert_eq!(ours.timed_out, theirs.timed_out, "each kind of failure is inherited by itself");
    assert_eq!(ours.skipped, Retry::seconds(2, 1_800, 7_200), "and replaced whole");
}

#[test]
fn each_value_is_told_with_its_section_and_line() {
    let fleet = look(&fleet_file()).fleet.unwrap();
    let file = fleet_file();
    let line = |text: &str| file.lines().position(|line| line.starts_with(text)).map(|index| index + 1);
    let silver = &fleet.effective[&PolicyName::new("silver")];
    let found = |key: &str| {
        let value = silver.iter().find(|value| value.key == key).unwrap();
        (value.value.as_str(), value.section.as_deref(), value.line)
    };
    assert_eq!(found("schedule"), ("\"0 5 * * *\"", Some("policy.silver"), line("schedule = \"0 5")));
    assert_eq!(found("timezone"), ("\"Europe/Rome\"", Some("defaults"), line("timezone")));
    assert_eq!(found("deadline"), ("\"4h\"", Some("policy.gold"), line("deadline")));
    assert_eq!(found("retention"), ("none", Some("policy.silver"), line("retention = \"none\"")));
    let partial = "{ attempts = 7, first = \"15m\", max = \"1h\" }";
    assert_eq!(found("retry.partial"), (partial, Some("defaults"), line("retry.partial")));
    assert_eq!(found("overlap"), ("\"skip\"", None, None), "built in");
}

#[test]
fn a_mistake_in_what_is_inherited_is_told_once_where_it_stands() {
    let wrong =
        fleet_file().replace("spread = \"1h\"", "spraed = \"1h\"").replace("\"Europe/Rome\"", "\"Rome\"");
    let told = errors(&wrong);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("`defaults.timezone`: unknown time zone \"Rome\""), "{told:#?}");
    assert!(told[1].contains("unknown key `spraed` in `defaults`; did you mean `spread`?"), "{told:#?}");
}

#[test]
fn what_cannot_be_extended_is_an_error() {
    let cases = [
        (
            "extends = \"gold\"",
            "extends = \"gild\"",
            "`policy.silver.extends`: no policy is called \"gild\"; did you mean `gold`?",
        ),
        ("extends = \"gold\"", "extends = \"silver\"", "policies extend each other: silver, silver"),
        (
            "extends = \"gold\"",
            "extends = 1",
            "`policy.silver.extends`: expected the name of a [policy.NAME], found a whole number",
        ),
        (
            "[defaults]\n",
            "[defaults]\nextends = \"gold\"\n",
            "`defaults.extends`: [defaults] extends no policy",
        ),
    ];
    for (was, is, expected) in cases {
        let told = errors(&fleet_file().replace(was, is));
        assert!(told.iter().any(|error| error.contains(expected)), "{is}: {told:#?}");
    }
    let circle = fleet_file().replace("[policy.gold]\n", "[policy.gold]\nextends = \"silver\"\n");
    let told = errors(&circle);
    assert!(told.iter().any(|error| error.contains("extend each other: gold, silver, gold")), "{told:#?}");
    let none = fleet_file().replace("[defaults]", "defaults = 1\n[elsewhere]");
    assert!(!errors(&none).is_empty());
}

#[test]
fn a_policy_that_others_extend_needs_no_app_of_its_own() {
    let without = fleet_file().replace("policy = \"gold\"", "policy = \"silver\"");
    assert_eq!(rendered(&without), "");
}

#[test]
fn tags_are_merged_by_name_and_each_is_told_with_its_section_and_line() {
    let file = fleet_file()
        .replace("[defaults]\n", "[defaults]\ntags = { Team = \"ops\", env = \"prod\" }\n")
        .replace("[policy.silver]\n", "[policy.silver]\ntags.team = \"shop\"\n")
        + "tags = { tier = \"2\" }\n\n[policy.bare]\nextends = \"gold\"\ntags = \"none\"\n";
    let Checked { fleet, problems, .. } = look(&file);
    assert!(problems.iter().all(|problem| problem.message.contains("has the policy bare")), "{problems:#?}");
    let fleet = fleet.unwrap();
    let of = |policy: &str| fleet.tags.of_policies[&PolicyName::new(policy)].to_string();
    assert_eq!(
        (of("gold"), of("silver"), of("bare")),
        ("env=prod, team=ops".into(), "env=prod, team=shop".into(), String::new())
    );
    let line = |text: &str| file.lines().position(|line| line.starts_with(text)).map(|index| index + 1);
    let silver = &fleet.effective[&PolicyName::new("silver")];
    let tags: Vec<_> = silver
        .iter()
        .filter(|value| value.is_tag())
        .map(|value| (value.key.as_ref(), value.section.as_deref(), value.line))
        .collect();
    let wanted = [
        ("tags.team", Some("policy.silver"), line("tags.team")),
        ("tags.env", Some("defaults"), line("tags = { Team")),
    ];
    assert_eq!(tags, wanted);
    let blog = fleet.apps.iter().find(|app| app.id.site() == "blog").unwrap();
    assert_eq!(fleet.tags_of(blog).to_string(), "env=prod, team=shop, tier=2");
    assert_eq!(fleet.tags.of_apps[&blog.id][0].line, line("tags = { tier"));
}
