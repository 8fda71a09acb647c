//! URLs that are not those of a container for backups.

/// The URL is not that of a container for backups. It is not repeated here: it may contain a SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContainer {
    /// It is not a URL.
    #[error("a container is given as a URL: https://ACCOUNT.blob.core.windows.net/CONTAINER")]
    Url,
    /// Plain HTTP would expose the SAS to the network.
    #[error("a container's URL must begin with https:// (http:// is for this machine only)")]
    Scheme,
    /// It has a query, a fragment or a user.
    #[error("a container's URL holds no query and no user: the SAS is given under `sas`")]
    Extra,
    /// The path is not that of a container.
    #[error(
        "a container's URL ends in the container's name and nothing more: https://ACCOUNT.blob.core.windows.net/CONTAINER"
    )]
    Path,
    /// Azure does not accept this name.
    #[error("a container's name is 3 to 63 lower-case letters, digits and hyphens")]
    Name,
    /// The name has upper-case letters.
    #[error("a container's name has no upper-case letters: write it in lower case")]
    UpperCase,
    /// A hyphen stands at an end of the name, or next to another.
    #[error("a container's name begins and ends with a letter or a digit, and has no two hyphens in a row")]
    Hyphens,
    /// `$web`, which the account may serve to everybody.
    #[error(
        "the container `$web` is a public website, and a backup holds the app's settings and passwords: name another"
    )]
    Website,
    /// `$logs` and the like.
    #[error("only storage itself writes to a container whose name begins with `$`: name another")]
    System,
    /// The host is that of another service of the account.
    #[error(
        "this is the account's {0} service, and backups go to its blob service: \
         https://ACCOUNT.blob.core.windows.net/CONTAINER"
    )]
    Service(&'static str),
    /// The host is the account's read-only copy in another region.
    #[error("this is the account's secondary endpoint, which takes no writes: leave out `-secondary`")]
    Secondary,
    /// The host is the name that DNS uses behind a private endpoint. No certificate is valid for it.
    #[error(
        "no certificate is valid for the name of a private endpoint: leave out `privatelink.`, and DNS leads there"
    )]
    PrivateLink,
    /// Azure does not accept this account name.
    #[error("a storage account's name, before `.blob.`, is 3 to 24 lower-case letters and digits")]
    Account,
    /// Azure's hosts listen on the port of HTTPS only.
    #[error("Azure's storage has no port of its own: leave out the port")]
    Port,
}
