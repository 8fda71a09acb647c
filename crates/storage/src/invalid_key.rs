//! An account key that cannot sign.

/// The bytes of a storage account's key.
pub(crate) const KEY_BYTES: usize = 64;

/// The text is not an account key. It is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It is not base64.
    #[error("it is not base64: give one of the account's two keys alone, 88 letters that end in ==")]
    NotBase64,
    /// It has this many bytes.
    #[error(
        "it is {0} bytes long, and an account's key has {KEY_BYTES} (88 letters that end in ==): copy it again"
    )]
    Length(usize),
    /// It is a connection string.
    #[error("it is a connection string: give the text after `AccountKey=` alone")]
    ConnectionString,
    /// It is a SAS.
    #[error("it is a SAS and not an account key: write `sas = {{ url = … }}`")]
    Sas,
    /// The SAS that it signed cannot be read.
    #[error("the SAS that it signs cannot be read")]
    Signed,
}
