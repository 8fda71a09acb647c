//! The keys of `[azure]` and `[storage.NAME]`.

use super::keys::{Form, Table, any, duration, flag, named, secret, table, tables, text, texts, url};
use crate::azure::API_VERSION;

/// `[azure]`, or several `[azure.NAME]`.
pub fn azure() -> Form {
    let description = "Who asks Azure: one [azure], or [azure.NAME] for each tenant.";
    let several = named("Several credentials, each as [azure.NAME].", cloud());
    any(description, [cloud().into(), several.into()])
}

fn cloud() -> Table {
    table("A credential, and where it is used.")
        .required("credential", credential())
        .key(
            "subscriptions",
            texts("The ids of the subscriptions that it serves; without, all that no other section serves."),
        )
        .key(
            "api_version",
            text("The API version of every request; 2018-02-01 or later.").default(API_VERSION),
        )
        .key("endpoint", url("The URL of ARM, for sovereign clouds and the simulator."))
        .key("authority", url("The URL of Entra, likewise."))
        .key("trusted_hosts", texts("Hosts beside Azure's own that may receive the credential's tokens."))
}

fn credential() -> Form {
    let tenant = || text("The tenant's id or domain.");
    let client = || text("The application's id.");
    let forms = [
        table("An application with a secret.")
            .is("kind", "client_secret")
            .required("tenant", tenant())
            .required("client_id", client())
            .required("secret", secret("The application's secret; in no Key Vault, which it opens.")),
        table("A workload identity of Kubernetes.")
            .is("kind", "workload_identity")
            .key("tenant", tenant())
            .key("client_id", client())
            .key("token_file", text("The file with its token.")),
        table("A managed identity of a virtual machine, of App Service or of Azure Arc.")
            .is("kind", "managed_identity")
            .key("client_id", text("The id of a user-assigned identity; without, the system's own.")),
        table("The login of `az login`.").is("kind", "azure_cli").key("tenant", tenant()),
    ];
    tables("The credential.", forms)
}

/// `[storage.NAME]`.
pub fn storage() -> Table {
    let container = "The container's URL, without a SAS. Its name may have `{app}`, `{resource_group}`, `{subscription}` and `{slot}`.";
    table("A container for backups.")
        .required("container", url(container))
        .required("sas", sas())
        .key(
            "create_container",
            flag("Whether a container that does not exist is created; needs a `sas` with `mint`.")
                .default(false),
        )
        .key("azure", text("The NAME of the [azure.NAME] whose credential opens this storage."))
}

fn sas() -> Form {
    let lifetime =
        || duration("How long a SAS lasts; 5 minutes more than each policy's deadline.").default("48h");
    let forms = [
        table("A SAS that is minted with a key of the storage account.")
            .is("mint", "account_key")
            .required("key", secret("One of the account's two keys."))
            .key("lifetime", lifetime()),
        table("A SAS that is minted with a key of the credential, for at most 6 d 23 h 40 min.")
            .is("mint", "user_delegation")
            .key("lifetime", lifetime()),
        table("A SAS that you write and renew.")
            .required("url", secret("The SAS, alone or after the container's URL.")),
    ];
    tables("Where the SAS comes from.", forms)
}
