//! Drills: restores into a scratch app, which prove that a backup can be restored.

use holdfast_config::{FourEyes, is_probe};
use holdfast_model::{App, AppId, BackupId, DrillRule, Site};

use super::choose::Wanted;
use super::databases::Databases;
use super::plan_context::PlanContext;
use super::resolved::{Purpose, ResolvedRestore};
use super::target::Aim;
use crate::{Error, ErrorKind};

/// A request for a drill.
#[derive(Debug, Clone)]
pub struct DrillRequest {
    /// The app whose backup is restored, by its ARM id or short name.
    pub app: String,
    /// The backup; `None` for the newest good one.
    pub backup: Option<BackupId>,
    /// The scratch app; `None` for the one of the policy.
    pub into: Option<String>,
    /// The URL that must answer afterwards; `None` for the one of the policy.
    pub probe: Option<String>,
}

impl DrillRequest {
    /// Resolves the names of the request to apps.
    pub(super) async fn resolve(self, context: &PlanContext<'_>) -> Result<ResolvedRestore, Error> {
        let (source, fleet) = (context.app(&self.app).await?, context.control.fleet);
        let policy = source.policy.as_ref().and_then(|name| fleet.policies.get(name));
        let rule = policy.and_then(|policy| policy.drill.as_ref());
        let scratch = scratch(context, &into(&self, &source.id, rule)?).await?;
        require_scratch(&source.id, &scratch)?;
        require_agreed(&scratch.id, rule, fleet.four_eyes)?;
        let probe = self.probe.or_else(|| rule.and_then(|rule| rule.probe.clone()));
        if let Some(probe) = &probe {
            is_probe(probe)
                .map_err(|why| Error::new(ErrorKind::Invalid, format!("the URL of the probe: {why}")))?;
        }
        Ok(ResolvedRestore {
            source,
            wanted: self.backup.map_or(Wanted::Latest, Wanted::Id),
            aim: Aim::Over(scratch.id.clone()),
            target: Some(scratch),
            plan: None,
            overwrite: true,
            // The connection strings are production's: a drill that used them would overwrite production.
            databases: Databases::Ignore,
            ignore_conflicting_host_names: true,
            storage: None,
            purpose: Purpose::Drill { probe },
        })
    }
}

fn into(request: &DrillRequest, source: &AppId, rule: Option<&DrillRule>) -> Result<String, Error> {
    let named = request.into.clone();
    named.or_else(|| rule.map(|rule| rule.into.to_string())).ok_or_else(|| {
        let what = format!("no scratch app is named for a drill of {}", source.short_name());
        Error::new(ErrorKind::Invalid, what).help("name one with --into, or set `drill` in the policy")
    })
}

/// The scratch app, with its policy if it has one.
///
/// Azure is asked for this app alone too: a rule matches it even when its subscription could not be listed. No rule
/// matches slots.
async fn scratch(context: &PlanContext<'_>, into: &str) -> Result<App, Error> {
    let resolved = context.app(into).await?;
    if resolved.id.slot().is_some() {
        return Ok(resolved);
    }
    let sites: Vec<Site> = context.site(&resolved.id).await.ok().flatten().into_iter().collect();
    let matched = context.control.fleet.apps_with(&sites).into_iter().find(|app| app.id == resolved.id);
    Ok(matched.filter(|app| app.policy.is_some()).unwrap_or(resolved))
}

/// Refuses an app that a policy backs up: a drill replaces everything in the scratch app.
fn require_scratch(source: &AppId, scratch: &App) -> Result<(), Error> {
    let name = scratch.id.short_name();
    let what = match &scratch.policy {
        _ if scratch.id == *source => format!("{name} would be restored into itself"),
        Some(policy) => format!("{name} is backed up under the policy {policy}, so it is no scratch app"),
        None => return Ok(()),
    };
    let help = "name an app or a slot that is in no policy with --into";
    Err(Error::new(ErrorKind::Invalid, what).help(help))
}

/// Where a second person confirms restores, a drill replaces the scratch app of the policy alone: a drill needs nobody else.
fn require_agreed(scratch: &AppId, rule: Option<&DrillRule>, four_eyes: FourEyes) -> Result<(), Error> {
    if !four_eyes.restore || rule.is_some_and(|rule| rule.into == *scratch) {
        return Ok(());
    }
    let name = scratch.short_name();
    let what =
        format!("{name} is not the scratch app of the policy, and a second person confirms restores here");
    let help = format!("set `drill` in the policy, or restore over {name}, which a second person confirms");
    Err(Error::new(ErrorKind::Refused, what).help(help))
}

#[cfg(test)]
mod tests {
    use holdfast_model::PolicyName;

    use super::*;

    #[test]
    fn a_scratch_app_is_another_app_in_no_policy() {
        let id = |site| AppId::new("s", "g", site, None);
        let scratch = App::new(id("scratch"));
        assert!(require_scratch(&id("shop"), &scratch).is_ok());
        let itself = require_scratch(&id("scratch"), &scratch).unwrap_err();
        assert_eq!(itself.to_string(), "scratch would be restored into itself");
        let backed_up = App { policy: Some(PolicyName::new("gold")), ..scratch };
        let refused = require_scratch(&id("shop"), &backed_up).unwrap_err();
        assert!(refused.to_string().ends_with("under the policy gold, so it is no scratch app"));
    }

    #[test]
    fn a_drill_replaces_no_app_of_a_persons_choice_where_a_second_person_confirms_restores() {
        let id = |site| AppId::new("s", "g", site, None);
        let rule = DrillRule { every: std::time::Duration::from_hours(24), into: id("scratch"), probe: None };
        let both = FourEyes { restore: true, ..FourEyes::default() };
        for (scratch, rule, four_eyes, is_refused) in [
            ("scratch", Some(&rule), both, false),
            ("other", Some(&rule), both, true),
            ("other", None, both, true),
            ("other", None, FourEyes::default(), false),
        ] {
            assert_eq!(require_agreed(&id(scratch), rule, four_eyes).is_err(), is_refused, "{scratch}");
        }
    }

    #[test]
    fn the_scratch_app_of_the_request_precedes_the_one_of_the_policy() {
        let request = |into: Option<&str>| DrillRequest {
            app: "shop".to_owned(),
            backup: None,
            into: into.map(str::to_owned),
            probe: None,
        };
        let shop = AppId::new("s", "g", "shop", None);
        assert_eq!(into(&request(Some("scratch")), &shop, None).unwrap(), "scratch");
        let missing = into(&request(None), &shop, None).unwrap_err();
        assert_eq!(missing.to_string(), "no scratch app is named for a drill of shop");
    }
}
