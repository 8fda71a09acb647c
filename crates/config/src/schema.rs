//! The JSON Schema of the fleet file, by which editors complete and check it.
//!
//! It says which keys there are and what form each value has. What follows from several values, and from the names that a
//! file defines, only `holdfast config check` knows.

mod azure;
mod keys;
mod notify;
mod policy;

use holdfast_model::{DatabaseKind, Limits};
use serde_json::{Value, json};

use crate::control::{self, FourEyes};
use crate::fleet::EngineConfig;
use keys::{
    Table, arm_id, choice, count, duration, flag, list_of, named, rate, secret, table, tags, text, texts,
    words,
};

/// The JSON Schema of a fleet file, and of a file that it includes.
pub fn schema() -> Value {
    let file = table("A fleet of Holdfast: what each app is owed.")
        .key("include", texts("Files that are one fleet with this one: patterns below its folder, such as \"apps/*.toml\". An included file has none."))
        .key("azure", azure::azure())
        .key("storage", named("Containers for backups, each as [storage.NAME].", azure::storage()))
        .key("defaults", policy::defaults())
        .key("policy", named("What apps are owed, each as [policy.NAME].", policy::policy()))
        .key("app", list_of("Apps of the fleet.", app()))
        .key("discover", list_of("Rules that enroll apps by their tags. The first that matches applies; an [[app]] wins over all.", discover()))
        .key("limits", limits())
        .key("engine", engine())
        .key("audit", audit())
        .key("control", control())
        .key("channel", notify::channels())
        .key("notify", notify::rules());
    let Value::Object(file) = file.into() else { return Value::Null };
    let head = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Fleet file of Holdfast" });
    let head = head.as_object().cloned().unwrap_or_default();
    Value::Object(head.into_iter().chain(file).collect())
}

fn app() -> Table {
    let kinds = DatabaseKind::ALL.map(DatabaseKind::as_str);
    let database = table("A database that is backed up with the app, until Azure ends this on 2028-03-31.")
        .required("type", choice("Its kind.", &kinds))
        .required("name", text("Its name."))
        .key("connection_string", secret("Its connection string."))
        .key("connection_string_name", text("The name that the app's settings have for it."));
    table("An app of the fleet.")
        .required("id", arm_id("The ARM id, with /slots/SLOT for a deployment slot."))
        .key("policy", text("The name of its [policy.NAME]; an app without one is not backed up."))
        .key(
            "paused",
            flag("Whether no scheduled run starts, and retention deletes nothing of the app.").default(false),
        )
        .key(
            "tags",
            tags("Tags beside those that the app has in Azure; of two with one name, this one counts."),
        )
        .key("databases", list_of("Databases that are backed up with the app.", database))
}

fn discover() -> Table {
    table("A rule that enrolls apps by their tags.")
        .required("subscription", text("The id of the subscription to search."))
        .required("policy", text("The name of the [policy.NAME] of the apps that match."))
        .key("tags", tags("Tags that an app must have; any app without them."))
        .key(
            "slots",
            flag("Whether deployment slots are included; it costs one call for each app.").default(false),
        )
        .key("exclude", texts("ARM ids or short names, such as \"shop\" or \"shop/staging\", to leave out."))
}

fn limits() -> Table {
    let Limits { reads, writes, deletes, per_plan, per_account, outstanding } = Limits::default();
    let budget = |what: &str, budget: holdfast_model::Budget| {
        table(&format!("Calls to ARM that {what}, per subscription."))
            .key("capacity", rate("Calls at once; at least 1.").default(budget.capacity))
            .key("per_second", rate("Calls in each second after those.").default(budget.per_second))
    };
    table("Limits of what goes on at once.")
        .key("reads", budget("read", reads))
        .key("writes", budget("write", writes))
        .key("deletes", budget("delete", deletes))
        .key("per_plan", count("Backups at once in one App Service plan.", 1..=10_000).default(per_plan))
        .key("per_account", count("Backups at once to one storage account.", 1..=10_000).default(per_account))
        .key("outstanding", count("Steps that are leased at once.", 1..=100_000).default(outstanding))
}

fn engine() -> Table {
    let EngineConfig { lease, settle, concurrency, call_timeout } = EngineConfig::default();
    table("Settings of the processes that plan and execute runs.")
        .key("concurrency", count("Steps at once.", 1..=10_000).default(concurrency))
        .key("call_timeout", duration("The longest that one call to Azure may take.").lasts(call_timeout))
        .key("lease", duration("After this an unfinished step is dispatched again.").lasts(lease))
        .key(
            "settle",
            duration("How long a backup whose answer was lost must be absent before a new attempt.")
                .lasts(settle),
        )
}

fn audit() -> Table {
    let checkpoint = table("Signed checkpoints of the audit.")
        .key("every", duration("The interval between two.").default("1h"))
        .required(
            "to",
            texts("Where each is written: \"storage:NAME\", \"file:PATH\" or \"stdout\".").not_empty(),
        )
        .required("key", secret("An Ed25519 key in PKCS#8, as PEM or DER."))
        .key(
            "name",
            text("The name of the fleet in them: 1 to 64 letters, digits, `-`, `_` and `.`.")
                .default("holdfast"),
        );
    table("What keeps the audit honest.").key("checkpoint", checkpoint)
}

fn control() -> Table {
    let FourEyes { expire, .. } = FourEyes::default();
    table("What people may do.")
        .key("four_eyes", words("What a second person must confirm.", &control::WORDS))
        .key("four_eyes_expire", duration("How long such a request waits: 1m to 7d.").lasts(expire))
}
