use super::*;

fn credential(text: &str) -> LoginCredential {
    text.parse().unwrap()
}

fn cloud(name: &str, endpoint: &str, trusted: &[&str]) -> Cloud {
    Cloud {
        name: name.to_owned(),
        credential: Credential::ManagedIdentity { client_id: None },
        endpoint: endpoint.parse().unwrap(),
        authority: None,
        api_version: "2024-11-01".to_owned(),
        trusted_hosts: trusted.iter().map(ToString::to_string).collect(),
        subscriptions: Vec::new(),
    }
}

fn database(text: &str, host: &str, clouds: &[Cloud]) -> Result<String, String> {
    let server = LoginServer { host: Some(host), has_login: false };
    let login = credential(text).for_database(server, clouds);
    login.map(|login| login.scope).map_err(|error| format!("{error}; {}", error.help))
}

fn broker(text: &str, scope: Option<&str>) -> Result<String, String> {
    let server = LoginServer { host: Some("broker.example"), has_login: false };
    let login = credential(text).for_broker(server, scope, &[]);
    login.map(|login| login.scope).map_err(|error| format!("{error}; {}", error.help))
}

#[test]
fn a_credential_is_a_kind_or_a_section_of_the_fleet_file() {
    for text in [
        "managed_identity",
        "managed_identity:8a5f",
        "workload_identity",
        "workload_identity:8a5f",
        "azure_cli",
        "azure",
        "azure.db",
    ] {
        assert_eq!(credential(text).to_string(), text);
        assert_eq!(credential(text).is_in_fleet_file(), text.starts_with("azure") && text != "azure_cli");
    }
    for text in ["", "azure.", "managed_identity:", "azure_cli:x", "client_secret", "contoso", "Azure"] {
        let error = text.parse::<LoginCredential>().unwrap_err().to_string();
        assert!(error.contains(":CLIENT_ID"), "{text}: {error}");
    }
}

#[test]
fn the_scope_is_that_of_the_cloud_of_the_database() {
    let public = "https://ossrdbms-aad.database.windows.net/.default";
    let government = "https://ossrdbms-aad.database.usgovcloudapi.net/.default";
    let china = "https://ossrdbms-aad.database.chinacloudapi.cn/.default";
    for (host, scope) in [
        ("db.postgres.database.azure.com", public),
        ("db.postgres.database.usgovcloudapi.net", government),
        ("db.postgres.database.chinacloudapi.cn", china),
        ("localhost", public),
        ("127.0.0.1", public),
        ("::1", public),
    ] {
        assert_eq!(database("managed_identity", host, &[]).as_deref(), Ok(scope), "{host}");
    }
    let clouds = [
        cloud("", "https://management.usgovcloudapi.net", &["db.contoso.com"]),
        cloud("cn", "https://management.chinacloudapi.cn", &[]),
    ];
    assert_eq!(
        database("azure", "db.postgres.database.usgovcloudapi.net", &clouds).as_deref(),
        Ok(government)
    );
    assert_eq!(database("azure", "DB.contoso.com", &clouds).as_deref(), Ok(government));
    assert_eq!(database("azure.cn", "localhost", &clouds).as_deref(), Ok(china));
    let socket = LoginServer { host: None, has_login: false };
    assert_eq!(credential("azure_cli").for_database(socket, &[]).unwrap().scope, public);
}

#[test]
fn a_token_goes_to_no_database_but_azures_and_the_trusted() {
    let clouds = [cloud("", "https://management.azure.com", &["db.contoso.com"])];
    for (text, host) in [
        ("managed_identity", "db.contoso.com"),
        ("managed_identity", "db.postgres.database.azure.com.thief.example"),
        ("azure", "thief.example"),
        ("azure", "db.postgres.database.chinacloudapi.cn"),
    ] {
        let error = database(text, host, &clouds).unwrap_err();
        let expected = format!("a token of {text} would be sent to {host}");
        assert!(error.starts_with(&expected) && error.contains("trusted_hosts"), "{error}");
    }
    let error = database("azure.db", "localhost", &clouds).unwrap_err();
    assert!(error.contains("no section [azure.db]") && error.contains("it has: azure"), "{error}");
}

#[test]
fn a_url_has_no_second_login() {
    let server = LoginServer { host: Some("localhost"), has_login: true };
    let error = credential("managed_identity").for_database(server, &[]).unwrap_err();
    assert_eq!(error.what, "database_url has a login of its own, beside the credential managed_identity");
    let error = credential("azure").for_broker(server, Some("api://x/.default"), &[]).unwrap_err();
    assert_eq!(error.what, "amqp_url has a login of its own, beside the credential azure");
}

#[test]
fn a_broker_receives_tokens_for_itself_alone() {
    for scope in ["api://8a5f0c3e/.default", "https://contoso.onmicrosoft.com/rabbitmq/.default"] {
        assert_eq!(broker("managed_identity", Some(scope)).as_deref(), Ok(scope));
    }
    for scope in [
        "https://management.azure.com/.default",
        "https://storage.azure.com/.default",
        "https://vault.azure.net/.default",
        "https://ossrdbms-aad.database.windows.net/.default",
        "https://graph.microsoft.com/.default",
        "https://MANAGEMENT.usgovcloudapi.net/.default",
    ] {
        let error = broker("managed_identity", Some(scope)).unwrap_err();
        assert!(error.contains("which is Azure's own") && error.contains("Application ID URI"), "{error}");
    }
    for scope in [None, Some(""), Some("/.default"), Some("api://8a5f0c3e"), Some("api://8a5f0c3e/.default ")]
    {
        let error = broker("managed_identity", scope).unwrap_err();
        assert!(error.contains("expected an Application ID URI and /.default"), "{error}");
    }
}
