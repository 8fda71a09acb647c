//! The codes of problems: the one list of them, for the description and for docs/api.md.

/// Each code with its status and its meaning, by status.
pub const CODES: [(&str, u16, &str); 30] = [
    ("invalid", 400, "the request cannot be done as it is"),
    ("invalid_query", 400, "a parameter or a value cannot be read"),
    ("invalid_body", 400, "the body, or a header that goes with it, cannot be read"),
    ("not_confirmed", 400, "the body does not confirm the plan with its word"),
    ("login_demanded", 401, "the request has no login"),
    ("invalid_token", 401, "the token is unknown, revoked, expired or not of the tenant's Entra ID"),
    ("not_permitted", 403, "the role does not have the permission"),
    ("out_of_scope", 403, "the token may act on the apps of other policies alone"),
    ("forbidden", 403, "not in local mode, or from another site's page"),
    ("no_such_page", 404, "there is no such call"),
    ("no_such_app", 404, "no app of the fleet has the name"),
    ("no_such_run", 404, "the store has no such run"),
    ("no_such_plan", 404, "there is no such plan of the caller, or no longer"),
    ("no_such_result", 404, "what came of the request is no longer known"),
    ("not_found", 404, "what the request names does not exist"),
    ("method_not_allowed", 405, "the address takes other methods"),
    ("ambiguous_app", 409, "several apps have the name"),
    ("conflict", 409, "what exists contradicts the request, or has changed"),
    ("under_way", 409, "the same request is being carried out"),
    ("body_too_large", 413, "the body has more than 256 KiB, or with a fleet file more than 16 MiB"),
    ("unsupported_media_type", 415, "the body is not JSON"),
    ("refused", 422, "a rule forbids it, or what it needs cannot be used"),
    ("idempotency_key_reused", 422, "the key was used for another request"),
    ("too_many_logins", 429, "too many logins failed from this address"),
    ("failed", 500, "the request ended unexpectedly"),
    ("no_randomness", 500, "the system gives no randomness"),
    ("azure_unavailable", 502, "Azure or its storage does not answer, or refuses"),
    ("broker_unavailable", 503, "the broker does not answer"),
    ("entra_unavailable", 503, "Entra ID cannot be asked for its keys"),
    ("store_unavailable", 503, "the store does not answer"),
];

/// What every call may answer.
pub const OF_ALL: [&str; 7] = [
    "login_demanded",
    "invalid_token",
    "not_permitted",
    "forbidden",
    "too_many_logins",
    "entra_unavailable",
    "store_unavailable",
];

/// What a call with a body may answer.
pub const OF_BODY: [&str; 3] = ["invalid_body", "body_too_large", "unsupported_media_type"];

/// What a call that takes `Idempotency-Key` may answer.
pub const OF_ONCE: [&str; 5] =
    ["idempotency_key_reused", "under_way", "no_such_result", "failed", "no_randomness"];
