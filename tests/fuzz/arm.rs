//! Answers of Azure to every call, and the links in them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use holdfast_arm::{
    Arm, ArmClient, NoopCallObserver, RestoreBody, Settings, Token, TokenError, TokenSource, Transport,
    TransportError, TransportRequest, TransportResponse,
};
use holdfast_model::{AppId, BackupId, Clock, ManualClock, Timestamp};
use secrecy::SecretString;
use url::Url;

/// `STATUS CALL`, a blank line, and the body.
pub const BODIES: &[&str] = &[
    "200 0\n\n{\"value\":[{\"id\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop\",\"name\":\"shop\",\"type\":\"Microsoft.Web/sites\",\"location\":\"West Europe\",\"kind\":\"app\",\"tags\":{\"backup\":\"gold\"},\"properties\":{\"serverFarmId\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/serverfarms/p\",\"state\":\"Running\",\"sku\":\"Standard\",\"enabledHostNames\":[\"shop.azurewebsites.net\"]}}],\"nextLink\":null}",
    "200 3\n\n{\"id\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop/backups/12\",\"name\":\"shop\",\"type\":\"Microsoft.Web/sites/backups\",\"properties\":{\"id\":12,\"storageAccountUrl\":\"https://acct.blob.core.windows.net/backups?sv=2022-11-02&sig=REDACTED\",\"blobName\":\"hf-1.zip\",\"name\":\"hf-1\",\"status\":\"Succeeded\",\"sizeInBytes\":4000000,\"created\":\"2026-11-22T16:27:12.6\",\"log\":null,\"databases\":[{\"databaseType\":\"SqlAzure\",\"name\":\"shop\"}],\"scheduled\":false,\"finishedTimeStamp\":\"2026-11-22T16:28:12.6\",\"correlationId\":\"c\"}}",
    "200 5\n\n{\"value\":[{\"properties\":{\"id\":12,\"blobName\":\"hf-1.zip\",\"status\":1}}]}",
    "429 4\n\n{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}",
    "400 3\n\n{\"Code\":\"BadRequest\",\"Message\":\"The storage URI is invalid\",\"Details\":[{\"Message\":\"x\"},{\"ErrorEntity\":{\"Code\":\"1\"}}],\"Innererror\":null}",
    "200 10\n\n{\"databases\":[{\"databaseType\":\"MySql\",\"name\":\"shop\"}],\"siteName\":\"shop\"}",
    "200 12\n\n{\"value\":[{\"actions\":[\"*\"],\"notActions\":[\"*/write\"],\"dataActions\":[],\"notDataActions\":[]}]}",
    "200 13\n\n{\"properties\":{\"enabled\":true,\"storageAccountUrl\":\"https://acct.blob.core.windows.net/b?sig=x\",\"backupSchedule\":{\"frequencyInterval\":1,\"frequencyUnit\":\"Day\",\"keepAtLeastOneBackup\":true,\"retentionPeriodInDays\":30,\"startTime\":\"2026-01-01T00:00:00\"}}}",
    "502 3\n\n<html><body>Bad Gateway</body></html>",
];

pub const WORDS: &[&str] = &[
    "\"id\":",
    "\"properties\":",
    "\"status\":",
    "null",
    "[]",
    "{}",
    "\"created\":\"",
    "\"sizeInBytes\":-1",
    "\"value\":[",
    "\"nextLink\":\"",
    "9223372036854775808",
    "0001-01-01T00:00:00",
    "sig=",
    "Retry-After",
];

/// `STATUS CALL`, headers, a blank line, and the body.
pub const LINKS: &[&str] = &[
    "202 8\nlocation: https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop/operationresults/5ca1ab1e-0000-4000-8000-0000000000aa?api-version=2024-11-01\nretry-after: 15\n\n",
    "202 8\nazure-asyncoperation: https://management.azure.com/subscriptions/s/operations/1\n\n{\"status\":\"InProgress\"}",
    "200 0\n\n{\"value\":[],\"nextLink\":\"https://management.azure.com/subscriptions/s/providers/Microsoft.Web/sites?api-version=2024-11-01&$skiptoken=abc\"}",
    "302 11\nlocation: https://elsewhere.example/x\n\n",
    "202 11\nlocation: /subscriptions/s/operationresults/2\nretry-after: Fri, 31 Dec 9999 23:59:59 GMT\n\n",
];

pub const LINK_WORDS: &[&str] = &[
    "https://",
    "http://",
    "//",
    "\\\\",
    "@",
    ":443",
    "management.azure.com",
    "management.azure.com.elsewhere.example",
    "elsewhere.example",
    "..",
    "%2e%2e/",
    "#",
    "?",
    "location: ",
    "\nretry-after: ",
    "\"nextLink\":\"",
];

/// Answers every request with the same response, and remembers the hosts that were asked.
#[derive(Default)]
struct Scripted {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    asked: Mutex<Vec<Url>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.url);
        if asked.len() > 3 {
            return Err(TransportError::not_sent("a list without end"));
        }
        Ok(TransportResponse { status: self.status, headers: self.headers.clone(), body: self.body.clone() })
    }
}

#[derive(Debug)]
struct Tokens;

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, TokenError> {
        Ok(Token { secret: SecretString::from("token"), expires_on: Timestamp::MAX_UTC })
    }
}

/// `STATUS CALL`, headers and body of an input.
fn response(input: &[u8]) -> (u32, Scripted) {
    let split = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = split.map_or((input, &b""[..]), |at| (&input[..at], &input[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut numbers =
        lines.next().unwrap_or_default().split(' ').map(|text| text.parse::<u32>().unwrap_or(200));
    let (status, call) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(0));
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let status = u16::try_from(status).unwrap_or(200).clamp(100, 599);
    (call, Scripted { status, headers, body: body.to_vec(), ..Scripted::default() })
}

/// Makes the call of an input, and returns the URLs that were asked.
fn asked(input: &[u8]) -> Vec<Url> {
    let (call, scripted) = response(input);
    let transport = Arc::new(scripted);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let settings = Settings::new(holdfast_arm::PUBLIC_ENDPOINT.parse().unwrap());
    let rng = fastrand::Rng::with_seed(1);
    let client = ArmClient::new(
        settings,
        Arc::clone(&transport) as _,
        Arc::new(Tokens),
        clock,
        Arc::new(NoopCallObserver),
        rng,
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(make(&client, call));
    let asked = transport.asked.lock().unwrap();
    asked.clone()
}

async fn make(arm: &dyn Arm, call: u32) {
    let app = AppId::new("s", "g", "shop", None);
    let (id, sas) = (BackupId(12), SecretString::from("https://acct.blob.core.windows.net/b?sv=1&sig=x"));
    let restore = RestoreBody {
        storage_url: sas.clone(),
        blob: "hf-1.zip".into(),
        target: app.clone(),
        overwrite: true,
        plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: true,
    };
    // Only that it answers counts.
    let told = match call % 14 {
        0 => format!("{:?}", arm.sites(app.subscription()).await),
        1 => format!("{:?}", arm.slots(&app).await),
        2 => format!("{:?}", arm.site(&app).await),
        3 => format!("{:?}", arm.get_backup(&app, id).await),
        4 => format!("{:?}", arm.list_backups(&app).await),
        5 => format!("{:?}", arm.list_site_backups(&app).await),
        6 => format!("{:?}", arm.delete_backup(&app, id).await),
        7 => format!("{:?}", arm.backup_secrets(&app, id, Some(&sas)).await),
        8 => format!("{:?}", arm.restore(&app, id, &restore).await),
        9 => format!("{:?}", arm.restore_from_blob(&app, &restore).await),
        10 => format!("{:?}", arm.discover(&app, &restore).await),
        11 => format!("{:?}", arm.operation(&app, &format!("{app}/operationresults/5ca1ab1e")).await),
        12 => format!("{:?}", arm.permissions(&app).await),
        _ => format!("{:?}", arm.schedule(&app).await),
    };
    assert!(!told.is_empty());
}

/// Every answer is read or refused.
pub fn bodies(input: &[u8]) -> Result<(), String> {
    asked(input);
    Ok(())
}

/// No link leads a request, and the token with it, to another host.
pub fn links(input: &[u8]) -> Result<(), String> {
    let endpoint: Url = holdfast_arm::PUBLIC_ENDPOINT.parse().unwrap();
    let foreign = asked(input).into_iter().find(|url| url.origin() != endpoint.origin());
    foreign.map_or(Ok(()), |url| Err(format!("a request went to {url}")))
}
