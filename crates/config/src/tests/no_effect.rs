use super::*;

const SHOP: &str = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop";

const WIKI: &str = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/wiki";

/// Messages and helps of warnings; the text has no errors.
fn warnings(text: &str) -> Vec<String> {
    let Checked { fleet, problems, .. } = look(text);
    assert!(fleet.is_some(), "{problems:#?}");
    let told =
        |problem: &Problem| format!("{}; {}", problem.message, problem.help.clone().unwrap_or_default());
    problems.iter().map(told).collect()
}

/// The example with these lines at its end, in its discover rule.
fn ending(lines: &str) -> String {
    format!("{EXAMPLE}{lines}\n")
}

#[test]
fn an_exclusion_that_can_be_no_app_is_an_error_with_the_text_to_write() {
    for (entry, help) in [
        (format!("{WIKI}/"), format!("write \"{WIKI}\"")),
        (WIKI[1..].to_owned(), format!("write \"{WIKI}\"")),
        ("wiki/".to_owned(), "write \"wiki\"".to_owned()),
        ("wiki.azurewebsites.net".to_owned(), "write \"wiki\"".to_owned()),
        ("wiki-*".to_owned(), "list each app, or require `tags` that it does not have".to_owned()),
    ] {
        let problems = look(&ending(&format!("exclude = [\"blog\", \"{entry}\"]"))).problems;
        let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
        assert_eq!((problem.severity, problem.key.as_str()), (Severity::Error, "discover[0].exclude[1]"));
        assert!(problem.message.contains("excludes nothing: expected the ARM id of an app"), "{problem}");
        assert_eq!(problem.help, Some(help));
    }
    let found = look(&ending(&format!("exclude = [\"{}\", \"Blog\"]", WIKI.to_uppercase())));
    assert_eq!(found.problems, []);
}

#[test]
fn an_exclusion_without_effect_is_a_warning() {
    for (exclude, expected) in [
        (format!("\"{SHOP}\""), "excludes nothing, because shop is an [[app]] with a policy"),
        ("\"shop\"".to_owned(), "excludes nothing, because shop is an [[app]] with a policy"),
        (WIKI.replace("0a0a", "0b0b"), "because the rule takes apps of the subscription 0a0a; move it"),
        (
            format!("{WIKI}/slots/staging"),
            "because the rule takes no slots; remove it, or write `slots = true`",
        ),
        ("wiki/staging".to_owned(), "because the rule takes no slots"),
    ] {
        let exclude = format!("\"{}\"", exclude.trim_matches('"'));
        let found = warnings(&ending(&format!("exclude = [{exclude}]")));
        assert!(found.len() == 1 && found[0].contains(expected), "{exclude}: {found:#?}");
        assert!(found[0].starts_with("`discover[0].exclude[0]`: "), "{found:#?}");
    }
    let found = warnings(&ending("exclude = [\"wiki\", \"Wiki\"]"));
    assert_eq!(
        found,
        ["`discover[0].exclude[1]`: is excluded already, as `discover[0].exclude[0]`; remove it"]
    );
    assert_eq!(warnings(&ending("slots = true\nexclude = [\"wiki/staging\"]")), [""; 0]);
    // An [[app]] without a policy is backed up by nothing, so the two agree.
    let without = ending("exclude = [\"shop\"]").replacen("policy = \"gold\"\n\n[[disc", "\n[[disc", 1);
    assert_eq!(warnings(&without), [""; 0]);
}

#[test]
fn a_rule_behind_one_that_takes_all_its_apps_is_a_warning() {
    let rule = |lines: &str| format!("[[discover]]\nsubscription = \"0A0A\"\npolicy = \"gold\"\n{lines}\n");
    let finds_nothing = "`discover[1]`: finds nothing, because `discover[0]` takes the same apps and the first rule that \
                         matches applies; move it before `discover[0]`, or remove it";
    // The first rule takes apps with backup = "gold".
    for (first, second, is_hidden) in [
        ("", "tags = { backup = \"gold\" }", true),
        ("", "tags = { Backup = \"gold\", team = \"web\" }", true),
        ("", "tags = { backup = \"silver\" }", false),
        ("", "", false),
        ("", "tags = { backup = \"gold\" }\nslots = true", false),
        ("slots = true", "tags = { backup = \"gold\" }\nslots = true", true),
        ("exclude = [\"wiki\"]", "tags = { backup = \"gold\" }", false),
        ("exclude = [\"wiki\"]", "tags = { backup = \"gold\" }\nexclude = [\"wiki\", \"blog\"]", true),
    ] {
        let found = warnings(&format!("{}{}", ending(first), rule(second)));
        let expected: &[&str] = if is_hidden { &[finds_nothing] } else { &[] };
        assert_eq!(found, expected, "{first} / {second}");
    }
    let misspelt = format!("{}{}", ending("exclude = [\"wiki/\"]"), rule("tags = { backup = \"gold\" }"));
    assert_eq!(look(&misspelt).problems.len(), 1, "the second rule takes what the first one was to exclude");
    let other = rule("tags = { backup = \"gold\" }").replace("0A0A", "0b0b");
    assert_eq!(warnings(&format!("{EXAMPLE}{other}")), [""; 0]);
}

#[test]
fn an_app_may_have_tags_of_its_own() {
    let app = |tags: &str| format!("{EXAMPLE}\n[[app]]\nid = \"{WIKI}\"\npolicy = \"gold\"\ntags = {tags}\n");
    let found = look(&app("{ Team = \"shop\", env = \"\" }")).fleet.unwrap().apps.pop().unwrap();
    assert_eq!(found.tags.iter().collect::<Vec<_>>(), [("env", ""), ("team", "shop")]);
    let long = "x".repeat(257);
    for tags in ["{ team = 1 }".to_owned(), "{ \"\" = \"x\" }".to_owned(), format!("{{ team = \"{long}\" }}")]
    {
        let found = errors(&app(&tags));
        assert!(found.len() == 1 && found[0].contains("app[1].tags"), "{found:?}");
    }
    let twice = rendered(&app("{ team = \"a\", Team = \"b\" }"));
    assert!(twice.contains("an app has one value of each tag"), "{twice:?}");
}

#[test]
fn a_tag_with_two_values_is_an_error() {
    let found = errors(&with("{ backup = \"gold\" }", "{ backup = \"gold\", Backup = \"silver\" }"));
    assert!(
        found.len() == 1 && found[0].contains("no app has this tag and `Backup` with another value"),
        "{found:?}"
    );
}

#[test]
fn a_policy_or_a_storage_that_nothing_uses_is_a_warning() {
    let storage = "[storage.old]\ncontainer = \"https://acct.blob.core.windows.net/old\"\nsas = { url = \"env:OLD\" }\n";
    let policy = "[policy.silver]\nschedule = \"0 3 * * *\"\nstorage = \"old\"\n";
    assert_eq!(
        warnings(&format!("{EXAMPLE}{storage}")),
        [
            "`storage.old`: no policy writes to the storage old; remove it, unless it holds backups that are still needed"
        ]
    );
    assert_eq!(
        warnings(&format!("{EXAMPLE}{storage}{policy}")),
        [
            "`policy.silver`: no [[app]] and no [[discover]] has the policy silver; remove it, or give it to apps"
        ]
    );
    let misspelt = format!("{EXAMPLE}{storage}{policy}[[app]]\nid = \"{WIKI}\"\npolicy = \"silvr\"\n");
    assert_eq!(look(&misspelt).problems.len(), 1, "a misspelt name is one error");
}
