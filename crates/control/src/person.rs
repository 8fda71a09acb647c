//! The person who runs the process, for the audit.

use holdfast_model::Actor;

/// The named person, else the user who is logged in by `variable`, else the number of the process's user.
///
/// The number of the user and the name of the machine stand beside the name: a name is a claim.
pub fn person(named: Option<String>, variable: impl Fn(&str) -> Option<String>) -> Actor {
    let logged_in = || ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable);
    let uid = user_number();
    let name = named
        .or_else(logged_in)
        .filter(|name| !name.trim().is_empty())
        .or_else(|| uid.map(|number| format!("uid {number}")))
        .unwrap_or_else(|| "unknown".to_owned());
    Actor { uid, host: host_name(), ..Actor::from(name) }
}

/// The number of the process's user.
fn user_number() -> Option<u32> {
    #[cfg(unix)]
    let user = Some(rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    let user: Option<u32> = None;
    user
}

/// The name of this machine, as its kernel has it; no environment variable counts.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::person;

    #[test]
    fn a_person_is_named_by_the_option_then_by_the_login_then_by_number() {
        let login = |name: &str| (name == "USER").then(|| "ann".to_owned());
        assert_eq!(person(Some("bob".into()), login).name, "bob");
        assert_eq!(person(None, login).name, "ann");
        for blank in [Some(" ".to_owned()), None] {
            let person = person(blank, |_| None);
            assert_eq!(Some(person.name), person.uid.map(|uid| format!("uid {uid}")));
        }
    }
}
