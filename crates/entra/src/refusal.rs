//! Why a token gives no login.

/// Why a token gives no login. The texts repeat nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is longer than a token of Entra.
    #[error("the token is longer than 16 kB")]
    TooLong,
    /// It is no compact JWS with two JSON objects.
    #[error("the token is no JWT of three parts")]
    Malformed,
    /// A field of its header or a claim is there twice: readers could differ in which one counts.
    #[error("the token has a field twice")]
    Duplicate,
    /// Its algorithm is `none`.
    #[error("the token is not signed")]
    Unsigned,
    /// Its algorithm is another one than RS256.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// It brings its key, or says where to get it.
    #[error("the token brings a key of its own")]
    OwnKey,
    /// It demands an extension.
    #[error("the token demands an extension that is not known")]
    Critical,
    /// It does not name its key.
    #[error("the token does not name its key")]
    NoKeyId,
    /// The issuer has no key of this name.
    #[error("the token is signed with a key that Entra ID does not have")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature of the token is wrong")]
    Signature,
    /// It is of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is of another tenant.
    #[error("the token is of another tenant")]
    Tenant,
    /// It is for another application.
    #[error("the token is for another application")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is an id token in place of an access token, or the reverse.
    #[error("the token is of another kind than the login needs")]
    Kind,
    /// It was issued for another login.
    #[error("the token is of another login")]
    Nonce,
    /// It names nobody.
    #[error("the token has no name")]
    Nameless,
}
