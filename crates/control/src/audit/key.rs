//! Ed25519 keys of checkpoints: read, made, and used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

/// What precedes the 32 bytes of a private key in PKCS#8 version 1 (RFC 8410, section 7).
const PRIVATE: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What precedes the 32 bytes of a public key (RFC 8410, section 4).
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that cannot be used. No text here repeats a part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It is no Ed25519 key in PKCS#8.
    #[error(
        "it is not an Ed25519 private key in PKCS#8 (PEM or DER): `holdfast audit keygen` or `openssl genpkey -algorithm ed25519` makes one"
    )]
    Private,
    /// It is no Ed25519 public key.
    #[error(
        "it is not an Ed25519 public key (PEM or DER): `holdfast audit keygen` or `openssl pkey -pubout` prints one"
    )]
    Public,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

/// The private key that signs checkpoints.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

/// A public key that checkpoints are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    raw: [u8; 32],
}

impl SigningKey {
    /// Reads a key in PKCS#8: PEM, the base64 of DER, or DER.
    pub fn read(content: &[u8]) -> Result<Self, InvalidKey> {
        let der = der(content, "PRIVATE KEY").ok_or(InvalidKey::Private)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| InvalidKey::Private)?;
        let id = VerifyingKey::of(&pair).ok_or(InvalidKey::Private)?.id();
        Ok(Self { pair, id })
    }

    /// The id of its public key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key.
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        VerifyingKey::of(&self.pair)
    }

    /// The signature of `payload`, in base64.
    pub fn sign(&self, payload: &[u8]) -> String {
        BASE64.encode(self.pair.sign(payload))
    }
}

impl VerifyingKey {
    /// Reads a SubjectPublicKeyInfo: PEM, the base64 of DER, or DER.
    pub fn read(content: &[u8]) -> Result<Self, InvalidKey> {
        let der = der(content, "PUBLIC KEY").ok_or(InvalidKey::Public)?;
        let raw = der.strip_prefix(&PUBLIC).and_then(|raw| raw.try_into().ok());
        raw.map(|raw| Self { raw }).ok_or(InvalidKey::Public)
    }

    fn of(pair: &Ed25519KeyPair) -> Option<Self> {
        Some(Self { raw: pair.public_key().as_ref().try_into().ok()? })
    }

    fn der(&self) -> Vec<u8> {
        [&PUBLIC[..], &self.raw].concat()
    }

    /// Its id in checkpoints: the first 16 hex digits of the SHA-256 of its DER.
    pub fn id(&self) -> String {
        let hash = digest(&SHA256, &self.der());
        hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// As PEM.
    pub fn pem(&self) -> String {
        pem(&self.der(), "PUBLIC KEY")
    }

    /// Whether `signature`, in base64, is this key's signature of `payload`.
    pub fn signed(&self, payload: &[u8], signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, self.raw).verify(payload, &signature).is_ok()
    }
}

/// A new private key, as PEM that OpenSSL reads too.
pub fn generate(random: &dyn SecureRandom) -> Result<SecretString, InvalidKey> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    random.fill(&mut *seed).map_err(|_| InvalidKey::NoRandomness)?;
    let der = Zeroizing::new([&PRIVATE[..], &*seed].concat());
    Ok(SecretString::from(pem(&der, "PRIVATE KEY")))
}

/// The randomness of the operating system.
pub fn system_random() -> impl SecureRandom {
    ring::rand::SystemRandom::new()
}

/// Reads the private key of a PEM.
pub fn read_pem(pem: &SecretString) -> Result<SigningKey, InvalidKey> {
    SigningKey::read(pem.expose_secret().as_bytes())
}

fn pem(der: &[u8], label: &str) -> String {
    let text = Zeroizing::new(BASE64.encode(der));
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *text)
}

/// The DER of a PEM, of the base64 of DER, or of DER.
fn der(content: &[u8], label: &str) -> Option<Zeroizing<Vec<u8>>> {
    if content.first() == Some(&0x30)
        && content.get(1).is_some_and(|length| usize::from(*length) + 2 == content.len())
    {
        return Some(Zeroizing::new(content.to_vec()));
    }
    let text = std::str::from_utf8(content).ok()?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let inner = match text.split_once(&begin) {
        Some((_, after)) => after.split_once(&end)?.0,
        None => text,
    };
    let letters: Zeroizing<String> =
        Zeroizing::new(inner.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    BASE64.decode(letters.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIM/W+wIX9TAsaYJINh5NuddAbgCIyNM1cIwZWRzmG98P
-----END PRIVATE KEY-----
";

    #[test]
    fn a_key_is_read_as_pem_as_base64_and_as_der() {
        let pem = generate(&system_random()).unwrap();
        let key = read_pem(&pem).unwrap();
        let body: String = pem.expose_secret().lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(&body).unwrap();
        for content in [body.as_bytes(), &der, OPENSSL.as_bytes()] {
            SigningKey::read(content).unwrap();
        }
        assert_eq!(SigningKey::read(&der).unwrap().id(), key.id());
        let public = key.verifying_key().unwrap();
        assert_eq!(VerifyingKey::read(public.pem().as_bytes()), Ok(public.clone()));
        assert_eq!((VerifyingKey::read(&public.der()), public.id().as_str()), (Ok(public.clone()), key.id()));
    }

    #[test]
    fn a_key_of_openssl_has_the_public_key_and_the_id_that_openssl_prints() {
        let public = SigningKey::read(OPENSSL.as_bytes()).unwrap().verifying_key().unwrap();
        let printed = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA1brxOSfDS09uAnvatDWbLZtjdpiaiR8SyuIZGUe+PR8=
-----END PUBLIC KEY-----
";
        assert_eq!((public.pem().as_str(), public.id().as_str()), (printed, "bb3f75f309e5d1f2"));
    }

    #[test]
    fn a_signature_holds_for_its_payload_and_its_key_alone() {
        let [key, other] = [(); 2].map(|()| read_pem(&generate(&system_random()).unwrap()).unwrap());
        let signature = key.sign(b"payload");
        let public = key.verifying_key().unwrap();
        assert!(public.signed(b"payload", &signature));
        assert!(!public.signed(b"payloae", &signature));
        assert!(!other.verifying_key().unwrap().signed(b"payload", &signature));
        assert!(!public.signed(b"payload", "no base64"));
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let secret = "MC4CAQAwBQYDK2VwBCIEIC4zmrY5";
        for text in ["", "hush", secret, "-----BEGIN PRIVATE KEY-----\nMC4C\n"] {
            let error = SigningKey::read(text.as_bytes()).unwrap_err();
            assert_eq!(error, InvalidKey::Private, "{text}");
            assert!(!error.to_string().contains(secret));
            assert_eq!(VerifyingKey::read(text.as_bytes()), Err(InvalidKey::Public), "{text}");
        }
        let public = read_pem(&SecretString::from(OPENSSL)).unwrap().verifying_key().unwrap();
        assert_eq!(SigningKey::read(public.pem().as_bytes()).unwrap_err(), InvalidKey::Private);
    }
}
