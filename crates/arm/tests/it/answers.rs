//! Answers in the shapes that were recorded from Azure, with values of our own.

use holdfast_arm::{BackupBody, Database};
use holdfast_model::{AppId, BackupName};
use serde_json::{Value, json};

pub const SUBSCRIPTION: &str = "0c0ffee0-0000-4000-8000-00000000beef";
pub const SAS: &str =
    "https://hfacct.blob.core.windows.net/vault?sv=2022-11-02&sr=c&sp=rwdl&sig=S3CR3T-SIG%2Bx%3D";
pub const CONNECTION: &str = "Server=tcp:db.example;User ID=sa;Password=S3CR3T-PASSWORD;";

/// An error in the App Service provider's envelope.
pub const REFUSAL: &str = r#"{"Code":"Odd","Message":"no","Target":null,"Details":[],"Innererror":null}"#;

pub fn app() -> AppId {
    AppId::new(SUBSCRIPTION, "bakery", "bread", None)
}

pub fn slot() -> AppId {
    AppId::new(SUBSCRIPTION, "bakery", "bread", Some("dough"))
}

pub fn request() -> BackupBody {
    BackupBody {
        name: BackupName::new("hf-bread-0a1b2c3d4e-1"),
        storage_url: SAS.into(),
        databases: vec![Database {
            kind: holdfast_model::DatabaseKind::SqlAzure,
            name: "orders".into(),
            connection_string_name: Some("Orders".into()),
            connection_string: Some(CONNECTION.into()),
        }],
    }
}

/// The answer to POST /backup: the site's id and name around the backup, the SAS in full, a `Z` on the time.
pub fn created(app: &AppId) -> Value {
    json!({
        "id": app.to_string(), "name": app.short_name(), "type": "Microsoft.Web/sites", "location": "France Central",
        "properties": {
            "id": 480_021, "storageAccountUrl": SAS, "blobName": "hf-bread-0a1b2c3d4e-1",
            "name": "hf-bread-0a1b2c3d4e-1", "backupName": "hf-bread-0a1b2c3d4e-1", "status": "Created",
            "sizeInBytes": 0, "created": "2026-05-04T08:15:16.12345Z", "log": null, "databases": null,
            "scheduled": false, "correlationId": "11aa22bb-0000-4000-8000-000000000001", "websiteSizeInBytes": null,
        },
    })
}

/// An element of GET /backups: the backup's own id around it, no SAS, no `Z`.
pub fn listed(app: &AppId, id: i64, status: &str) -> Value {
    json!({
        "id": format!("{app}/backups/{id}"), "name": id.to_string(), "type": "Microsoft.Web/sites/backups",
        "location": "FranceCentral",
        "properties": {
            "id": id, "storageAccountUrl": "", "blobName": format!("hf-{id}.zip"), "name": format!("hf-{id}"),
            "backupName": format!("hf-{id}"), "status": status, "sizeInBytes": 7_311,
            "created": "2026-05-04T08:15:16.1234567", "log": "", "databases": null, "scheduled": true,
            "finishedTimeStamp": "2026-05-04T08:15:31.765432",
            "correlationId": "11aa22bb-0000-4000-8000-000000000002", "websiteSizeInBytes": 4_002,
        },
    })
}

pub fn list(items: &[Value]) -> Value {
    json!({ "value": items, "nextLink": null, "id": null })
}

pub fn site(name: &str) -> Value {
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Bakery");
    json!({
        "id": format!("{group}/providers/Microsoft.Web/sites/{name}"), "name": name, "type": "Microsoft.Web/sites",
        "kind": "app,linux", "location": "France Central", "tags": {"Backup": "gold", "odd": 5},
        "properties": {
            "name": name, "state": "Running", "sku": "PremiumV3",
            "serverFarmId": format!("{group}/providers/Microsoft.Web/serverfarms/Oven"),
            "vnetBackupRestoreEnabled": false, "inProgressOperationId": null,
        },
    })
}
