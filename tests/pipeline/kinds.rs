//! A fleet file with every kind of run: slots, databases, retention, drills and native schedules.
//!
//! It also has an app of the tier Free, and a storage whose SAS lacks permissions.

use std::fmt::Write as _;
use std::path::Path;

use holdfast_model::AppId;
use holdfast_simulator::{Fleet, FleetSite};

/// The number of apps in no policy: the scratch app of drills, and one of the tier Free.
pub(crate) const WITHOUT_POLICY: usize = 2;

/// The connection strings of the two databases.
const SHOP_DB: &str = "Server=tcp:shop.example.net;Database=shop;User=sa;Password=hush-9Zk+4/Wq";
const MAIL_DB: &str = "host=mail.example.net;dbname=mail;user=mail;password=hush-7Xv+2/Rm";
/// The signature of the unusable SAS.
const REFUSED: &str = "ZXhwaXJlZC1hbmQtbmV2ZXItdG8tYmUtcmVhZC1ub3c=";

/// The retention rule that keeps the fewest backups.
const KEEPS_ONE: &str = "keep_at_least = 0, daily = 1";

/// The indexes of the apps with a special role.
pub(crate) mod site_index {
    pub(crate) const SCRATCH: usize = 0;
    pub(crate) const FREE: usize = 1;
    /// Has a database whose connection string is in the environment.
    pub(crate) const SHOP: usize = 2;
    /// Has a database whose connection string is in a file.
    pub(crate) const MAIL: usize = 3;
    /// The first of two apps with a drill policy.
    pub(crate) const DRILLED: usize = 4;
    /// Has the retention rule that keeps the fewest backups.
    pub(crate) const HARSH: usize = 6;
    /// The first of the apps without a special role.
    pub(crate) const OTHERS: usize = 7;
}

/// Adds slots to the fleet, and sets the tier of one app to Free.
pub(crate) fn furnish(fleet: &mut Fleet) {
    *fleet = std::mem::take(fleet).with_slots(5);
    fleet.sites[site_index::FREE].site.tier = Some("Free".to_owned());
}

/// The first app without a special role that has a slot.
pub(crate) fn with_slot(fleet: &Fleet) -> &AppId {
    let is_like = |site: &&FleetSite| {
        let id = &site.site.id;
        let of_site = |other: &&FleetSite| other.site.id.site() == id.site();
        id.slot().is_none() && fleet.sites.iter().filter(of_site).count() > 1
    };
    &fleet.sites[site_index::OTHERS + 8..].iter().find(is_like).expect("slots were added").site.id
}

/// Writes the files of secrets that the fleet file refers to.
pub(crate) fn put_secrets(folder: &Path, container: &str) {
    std::fs::write(folder.join("mail-db"), MAIL_DB).unwrap();
    let signature = REFUSED.replace('=', "%3D");
    for (name, expiry, may) in [("weak-sas", "2999", "rl"), ("expired-sas", "2020", "rwdl")] {
        let window = format!("st=2020-01-01T00:00:00Z&se={expiry}-01-02T00:00:00Z");
        let sas = format!("{container}?sv=2022-11-02&{window}&sr=c&sp={may}&sig={signature}");
        std::fs::write(folder.join(name), sas).unwrap();
    }
}

/// Writes two bad fleet files: one with an expired SAS, and one that also has a rule that keeps nothing.
pub(crate) fn put_refused(folder: &Path) {
    let file = std::fs::read_to_string(folder.join("fleet.toml")).unwrap();
    let file = file.replace("weak-sas", "expired-sas");
    std::fs::write(folder.join("expired.toml"), &file).unwrap();
    std::fs::write(folder.join("refused.toml"), file.replace(KEEPS_ONE, "keep_at_least = 0")).unwrap();
}

/// The environment variables that the fleet file refers to.
pub(crate) fn env() -> Vec<(&'static str, String)> {
    vec![("SHOP_DB", SHOP_DB.to_owned())]
}

/// The secrets of this fleet.
pub(crate) fn secrets() -> Vec<String> {
    let passwords = [SHOP_DB, MAIL_DB].map(|text| text.rsplit('=').next().unwrap());
    passwords.into_iter().chain([SHOP_DB, MAIL_DB, REFUSED]).map(str::to_owned).collect()
}

/// Extends a fleet file without apps to every kind of run. `at` has the URL of Azure and the folder of the files.
pub(crate) fn fleet_file(plain: &str, fleet: &Fleet, (url, folder): (&str, &Path)) -> String {
    let folder = folder.display();
    let apps: Vec<&AppId> = fleet.apps().collect();
    let gold = "[policy.gold]\n";
    let (before, after) = plain.split_once(gold).expect("it has one policy");
    let (terms, limits) = after.split_once("[limits]\n").expect("limits come after it");
    let container = before.lines().find(|line| line.starts_with("container")).expect("it has a storage");
    let rule = |keeps| format!("retention = {{ days = 0, {keeps}, dry_run = false }}\n");
    let scratch = apps[site_index::SCRATCH];
    let probe = format!("{url}/_site/{}", scratch.site());
    let drill = format!("drill = {{ every = \"30d\", into = \"{scratch}\", probe = \"{probe}\" }}\n");
    let native = "native_schedule = { every = \"7 days\", retention_days = 14 }\n";
    let weak = terms.replace("storage = \"sim\"", "storage = \"weak\"");
    let mut text = format!(
        "{before}[storage.weak]\n{container}\nsas = {{ url = \"file:{folder}/weak-sas\" }}\n\
         {gold}{native}{}{terms}\
         [policy.drilled]\n{drill}{}{terms}\
         [policy.harsh]\n{}{terms}\
         [policy.weak]\n{weak}\
         [limits]\n{limits}",
        rule("keep_at_least = 2"),
        rule("keep_at_least = 2"),
        rule(KEEPS_ONE)
    );
    for (index, app) in apps.iter().enumerate() {
        let policy = match index {
            site_index::SCRATCH | site_index::FREE => None,
            site_index::DRILLED | 5 => Some("drilled"),
            site_index::HARSH => Some("harsh"),
            _ => Some("gold"),
        };
        let database = match index {
            site_index::SHOP => Some(("shop", "env:SHOP_DB".to_owned())),
            site_index::MAIL => Some(("mail", format!("file:{folder}/mail-db"))),
            _ => None,
        };
        writeln!(text, "[[app]]\nid = \"{app}\"").unwrap();
        if let Some(policy) = policy {
            writeln!(text, "policy = \"{policy}\"").unwrap();
        }
        if let Some((name, reference)) = database {
            let kind = "type = \"SqlAzure\"";
            writeln!(
                text,
                "databases = [{{ {kind}, name = \"{name}\", connection_string = \"{reference}\" }}]"
            )
            .unwrap();
        }
    }
    text
}
