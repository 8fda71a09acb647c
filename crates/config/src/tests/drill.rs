use super::*;

const SHOP: &str = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop";

/// The example with a drill of the policy.
fn with(drill: &str) -> String {
    EXAMPLE.replace("storage  = \"weu\"\n", &format!("storage  = \"weu\"\ndrill = {drill}\n"))
}

#[test]
fn a_drill_says_how_often_where_and_what_must_answer() {
    let text = with(&format!(
        "{{ every = \"30d\", into = \"{SHOP}/slots/drill\", probe = \"https://shop-drill.example.com/health\" }}"
    ));
    let checked = look(&text);
    let fleet = checked.fleet.unwrap_or_else(|| panic!("{}", rendered(&text)));
    let rule = fleet.policies[&PolicyName::new("gold")].drill.clone().unwrap();
    assert_eq!(rule.every, Duration::from_hours(30 * 24));
    assert_eq!(rule.into.short_name(), "shop/drill");
    assert_eq!(rule.probe.as_deref(), Some("https://shop-drill.example.com/health"));
    assert_eq!(look(EXAMPLE).fleet.unwrap().policies[&PolicyName::new("gold")].drill, None);
}

#[test]
fn no_drill_goes_over_an_app_that_a_policy_backs_up() {
    let text = rendered(&with(&format!("{{ every = \"30d\", into = \"{}\" }}", SHOP.to_uppercase())));
    let told = "`policy.gold.drill.into`: shop is backed up under the policy gold, and a drill replaces everything in it";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("help: name an app or a slot that is in no policy"), "{text}");
}

#[test]
fn errors_in_a_drill_are_reported_with_their_position() {
    let into = format!("into = \"{SHOP}/slots/drill\"");
    for (drill, told) in [
        (format!("{{ {into} }}"), "`policy.gold.drill` is missing `every`"),
        ("{ every = \"30d\" }".to_owned(), "`policy.gold.drill` is missing `into`"),
        (format!("{{ every = \"30m\", {into} }}"), "`policy.gold.drill.every`: expected at least 1h"),
        ("{ every = \"30d\", into = \"shop\" }".to_owned(), "is not the ARM id of an app"),
        (
            format!("{{ every = \"30d\", {into}, probe = \"http://shop.example.com/\" }}"),
            "plain http is for this",
        ),
        (
            format!("{{ every = \"30d\", {into}, probe = \"ftp://shop.example.com/\" }}"),
            "begins with https://",
        ),
        (format!("{{ every = \"30d\", {into}, prob = 1 }}"), "did you mean `probe`?"),
        ("\"30d\"".to_owned(), "expected a table such as"),
    ] {
        let text = rendered(&with(&drill));
        assert!(text.contains(told), "{drill}: {text}");
    }
    let elsewhere = EXAMPLE.replace("api_version", "subscriptions = [\"0a0a\"]\napi_version");
    let other = with(&format!("{{ every = \"30d\", {} }}", into.replace("0a0a", "0b0b")));
    let text = rendered(&other.replace("api_version", "subscriptions = [\"0a0a\"]\napi_version"));
    assert!(text.contains("no [azure] section serves the subscription 0b0b"), "{text}");
    assert!(look(&elsewhere).fleet.is_some());
}
