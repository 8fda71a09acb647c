//! The policies of the fleet file.

use holdfast_config::{Fleet, nearest};
use holdfast_model::{Policy, PolicyName};

use crate::error::{Error, ErrorKind};

/// The policy of this name; `NotFound` when the fleet file has none.
pub fn policy_named<'f>(fleet: &'f Fleet, name: &PolicyName) -> Result<&'f Policy, Error> {
    fleet.policies.get(name).ok_or_else(|| {
        let names = || fleet.policies.keys().map(PolicyName::as_str);
        let help = nearest(name.as_str(), names()).map_or_else(
            || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Error::new(ErrorKind::NotFound, format!("no policy is called `{name}`")).help(help)
    })
}
