//! What people did, with the person named once.

/// What was done, without the person, who stands beside it.
pub fn without_person(what: &str, person: &str) -> String {
    let claim = format!(" by claimed {person:?}");
    let Some((before, after)) = what.split_once(&claim) else { return what.to_owned() };
    let after = match after.strip_prefix(" (").and_then(|rest| rest.split_once(')')) {
        Some((_, after)) => after,
        None => after,
    };
    format!("{before}{after}")
}

/// What stands beside the claimed name in a claim: the user's number, the machine, the database role.
pub fn beside<'c>(claim: &'c str, person: &str) -> &'c str {
    let rest = claim.strip_prefix(&format!("claimed {person:?}")).unwrap_or(claim).trim();
    rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_does_not_name_its_person_twice() {
        for (what, shown) in [
            ("backup by claimed \"ann\" (uid 1000 on web-1)", "backup"),
            ("backup 7 held by claimed \"ann\": audit", "backup 7 held: audit"),
            ("no tick", "no tick"),
        ] {
            assert_eq!(without_person(what, "ann"), shown);
        }
        assert_eq!(beside("claimed \"ann\" (uid 1000 on web-1)", "ann"), "uid 1000 on web-1");
        assert_eq!(
            (beside("claimed \"ann\"", "ann"), beside("claimed \"bob\"", "ann")),
            ("", "claimed \"bob\"")
        );
    }
}
