//! The clients of ARM, one for each credential of the fleet file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::{Arm, ArmClient, CallObserver, Clouds, PUBLIC_ENDPOINT, PUBLIC_SCOPE, Settings};
use holdfast_config::{Cloud, EngineConfig, Fleet};
use holdfast_model::Clock;
use url::Url;

use crate::error::Error;
use crate::remembering::Remember;
use crate::scope_tokens::ScopeTokens;

/// Creates a client for each `[azure]` section. Reads the secrets, and sends nothing.
pub fn arm_clients(
    fleet: &Fleet,
    clock: &Arc<dyn Clock>,
    observer: &Arc<dyn CallObserver>,
    rng: &mut fastrand::Rng,
    remember: Remember,
) -> Result<Clouds, Error> {
    let mut clouds = Clouds { by_subscription: BTreeMap::new(), otherwise: None };
    for cloud in &fleet.clouds {
        let tokens = ScopeTokens::new(cloud, &scope(&cloud.endpoint), remember);
        let arm = client(cloud, fleet, tokens, clock, observer, rng.fork());
        let arm =
            arm.map_err(|error| Error::PrepareSection { section: section(cloud), source: Box::new(error) })?;
        for subscription in &cloud.subscriptions {
            clouds.by_subscription.insert(subscription.clone(), Arc::clone(&arm));
        }
        if cloud.subscriptions.is_empty() {
            clouds.otherwise = Some(arm);
        }
    }
    Ok(clouds)
}

fn client(
    cloud: &Cloud,
    fleet: &Fleet,
    tokens: ScopeTokens,
    clock: &Arc<dyn Clock>,
    observer: &Arc<dyn CallObserver>,
    rng: fastrand::Rng,
) -> Result<Arc<dyn Arm>, Error> {
    tokens.check()?;
    let settings = Settings {
        api_version: cloud.api_version.clone(),
        call_timeout: fleet.engine.call_timeout,
        token_timeout: token_timeout(&fleet.engine),
        ..Settings::new(cloud.endpoint.clone())
    };
    let (tokens, clock, observer) = (Arc::new(tokens), Arc::clone(clock), Arc::clone(observer));
    let client = ArmClient::over_http(settings, tokens, clock, observer, rng);
    Ok(Arc::new(client.map_err(Error::PrepareClient)?))
}

/// Longest wait for a token.
pub fn token_timeout(engine: &EngineConfig) -> Duration {
    engine.call_timeout.min(Duration::from_secs(30))
}

/// The scope of ARM's tokens in the cloud with this endpoint.
pub fn scope(endpoint: &Url) -> String {
    let endpoint = endpoint.as_str().trim_end_matches('/');
    if endpoint == PUBLIC_ENDPOINT { PUBLIC_SCOPE.to_owned() } else { format!("{endpoint}/.default") }
}

/// The section's name in the fleet file, such as `azure.contoso`.
pub fn section(cloud: &Cloud) -> String {
    if cloud.name.is_empty() { "azure".to_owned() } else { format!("azure.{}", cloud.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_that_of_the_endpoints_cloud() {
        let scope_of = |url: &str| scope(&Url::parse(url).unwrap());
        assert_eq!(scope_of(PUBLIC_ENDPOINT), PUBLIC_SCOPE);
        assert_eq!(
            scope_of("https://management.chinacloudapi.cn/"),
            "https://management.chinacloudapi.cn/.default"
        );
    }
}
