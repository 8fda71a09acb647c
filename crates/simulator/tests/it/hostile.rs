//! Malformed and hostile requests: all get a response, and none changes anything.

use holdfast_simulator::{Method, Request};

use crate::support::*;

const PIECES: [&str; 24] = [
    "subscriptions",
    "/",
    "/",
    "/",
    "resourceGroups",
    "providers",
    "Microsoft.Web",
    "sites",
    "shop",
    "backup",
    "backups",
    "%2F",
    "%00",
    "%ff",
    "..",
    "acct",
    "9223372036854775808",
    "oauth2/v2.0/token",
    "?",
    "&",
    "=",
    "é",
    "rg-shops",
    "slots",
];
const PARAMETERS: [&str; 7] = [
    "api-version=2024-11-01",
    "%24skiptoken=18446744073709551615",
    "$skiptoken=-1",
    "comp=list",
    "restype=container",
    "prefix=%",
    "sig=%",
];

#[test]
fn any_request_is_answered_with_a_status_of_http_and_starts_nothing() {
    let mut azure = azure();
    let mut rng = fastrand::Rng::with_seed(21);
    let methods = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete];
    for _ in 0..4_000 {
        let mut target = "/".to_owned();
        for _ in 0..rng.usize(..14) {
            target.push_str(PIECES[rng.usize(..PIECES.len())]);
        }
        target.push('?');
        for _ in 0..rng.usize(..4) {
            target.push_str(PARAMETERS[rng.usize(..PARAMETERS.len())]);
            target.push('&');
        }
        let body: Vec<u8> = (0..rng.usize(..20)).map(|_| rng.u8(..)).collect();
        let request = Request::new(methods[rng.usize(..methods.len())], &target).with_body(body);
        let answer = call(&mut azure, start(), request);
        assert!((200..600).contains(&answer.status), "{target}");
    }
    assert_eq!((azure.accepted_posts().len(), azure.counters().blobs_written), (0, 0));
}

#[test]
fn any_body_of_a_post_is_read_or_refused() {
    let good = post_backup(&app("shop"), "hf-1", &good_url());
    let mut rng = fastrand::Rng::with_seed(22);
    let mut refused = 0;
    for _ in 0..400 {
        let mut azure = azure();
        let mut body = good.body.clone();
        for _ in 0..rng.usize(1..4) {
            let place = rng.usize(..body.len());
            body[place] = rng.u8(..);
        }
        let answer = call(&mut azure, start(), good.clone().with_body(body));
        assert!(matches!(answer.status, 200 | 400), "{}", answer.status);
        refused += u32::from(answer.status == 400);
        // Whatever was accepted comes to an end.
        assert_eq!(azure.under_way(after(100_000)), 0);
    }
    assert!((20..380).contains(&refused), "{refused}");
}

#[test]
fn a_page_beyond_the_end_of_a_list_is_empty() {
    let mut azure = azure();
    let path = format!("{}/backups?api-version=1&$skiptoken=18446744073709551615", app("shop"));
    let page = body(&call(&mut azure, start(), Request::new(Method::Get, &path)));
    assert_eq!((page["value"].as_array().map(Vec::len), page["nextLink"].as_str()), (Some(0), None));
}
