//! Silences: a person holds notifications back for a time.

use std::time::Duration;

use holdfast_control::operator_actions::{about_app, reason};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::{Actor, AppId, OperatorAction, PolicyName, RunId, TagFilter, Tags};
use holdfast_store::Store;

use crate::fold::{Rules, Seen, concerns, fold};
use crate::state::{NotifierState, Silence};

/// The longest silence. Who wants less for longer changes the rules.
const LONGEST: Duration = Duration::from_hours(31 * 24);

/// A request for a silence.
#[derive(Debug, Clone)]
pub struct SilenceRequest {
    /// The rule; `None` for all.
    pub rule: Option<String>,
    /// The policy; `None` for all.
    pub policy: Option<PolicyName>,
    /// The app; `None` for all.
    pub app: Option<AppId>,
    /// The tags of the apps; none for all.
    pub tags: Vec<TagFilter>,
    /// How long it lasts.
    pub lasts: Duration,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// Begins a silence. Nothing is lost: what is still open at its end is told then.
pub async fn silence(
    store: &dyn Store,
    request: SilenceRequest,
    rng: &mut fastrand::Rng,
) -> Result<RunId, Error> {
    let SilenceRequest { rule, policy, app, tags, lasts, reason: why, actor } = request;
    if lasts.is_zero() || lasts > LONGEST {
        let what = "a silence lasts at least a second and at most 31 days";
        return Err(
            Error::new(ErrorKind::Invalid, what).help("for longer, change the rules of the fleet file")
        );
    }
    let (why, now) = (reason(&why, "a silence")?, store.now().await?);
    if store.notifications().notifier().await?.is_none() {
        let what = "no process has sent notifications from this store yet";
        return Err(
            Error::new(ErrorKind::Refused, what).help("start `holdfast run` or `holdfast scheduler` first")
        );
    }
    let until = now + lasts;
    let action = OperatorAction::NotificationsSilenced { rule, policy, tags, until, reason: why };
    let record = about_app(&app.unwrap_or_else(AppId::unknown), (action, actor), now, rng);
    store.add_run(&record).await?;
    Ok(record.run.id)
}

/// Ends a silence before its time.
pub async fn end_silence(
    store: &dyn Store,
    id: RunId,
    (why, actor): (&str, Actor),
    rng: &mut fastrand::Rng,
) -> Result<Silence, Error> {
    let why = reason(why, "the end of a silence")?;
    let found = silences(store).await?.into_iter().find(|silence| silence.id == id);
    let Some(found) = found else {
        let what = format!("there is no silence {id} in force");
        return Err(Error::new(ErrorKind::NotFound, what).help("`holdfast notify silences` lists them"));
    };
    let action = OperatorAction::SilenceEnded { silence: id, reason: why };
    let app = found.app.clone().unwrap_or_else(AppId::unknown);
    store.add_run(&about_app(&app, (action, actor), store.now().await?, rng)).await?;
    Ok(found)
}

/// The silences in force: those that the notifier has read, and those of the events after its place.
pub async fn silences(store: &dyn Store) -> Result<Vec<Silence>, Error> {
    let place = store.notifications().notifier().await?;
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::Store, format!("what the notifier remembers cannot be read: {error}"))
    };
    let Some(place) = place else { return Ok(Vec::new()) };
    let mut state: NotifierState = serde_json::from_str(&place.state).map_err(unreadable)?;
    let mut through = place.through;
    let now = store.now().await?;
    loop {
        let events = store.audit(through, 1_000).await?;
        let Some(last) = events.last() else { break };
        through = last.link.seq;
        for event in events.iter().filter(|event| concerns(&event.event)) {
            let kind = holdfast_model::RunKind::OperatorAction;
            let seen = Seen { event, kind, policy: None, tags: &Tags::default() };
            fold(&mut state, &Rules::new(), seen, now);
        }
    }
    state.silences.retain(|silence| silence.until > now);
    Ok(state.silences)
}
