//! The wire format of a message: `{"v":1,"run_id":"…","version":7,"nonce":42}`. It holds no secret of Azure's.

use holdfast_model::{RunId, Wakeup};
use serde::{Deserialize, Serialize};

/// The version this program writes, and the newest it reads.
const VERSION: u32 = 1;

/// Read first, to distinguish a newer version from a malformed message.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u32,
    run_id: RunId,
    version: i64,
    /// No lease has 0, so a message without a nonce moves nothing.
    #[serde(default)]
    nonce: i64,
}

/// Why a message cannot be read. The error never repeats the content, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A newer version of Holdfast wrote it.
    #[error("the message has version {0}, but this program reads versions up to {VERSION}: upgrade it")]
    Future(u32),
    /// It is not a message of Holdfast, or it was damaged.
    #[error("the message is not a wake-up (at line {line}, column {column})")]
    Malformed {
        /// The line at which parsing failed, from 1.
        line: usize,
        /// The column at which parsing failed, from 1.
        column: usize,
    },
}

/// The message body for a wake-up.
pub(crate) fn encode(wakeup: Wakeup) -> Vec<u8> {
    let Wakeup { run_id, version, nonce } = wakeup;
    format!(r#"{{"v":{VERSION},"run_id":"{run_id}","version":{version},"nonce":{nonce}}}"#).into_bytes()
}

/// The wake-up in a message body.
pub fn decode(body: &[u8]) -> Result<Wakeup, Unreadable> {
    let Versioned { v } = read(body)?;
    if v > VERSION {
        return Err(Unreadable::Future(v));
    }
    let Envelope { run_id, version, nonce, .. } = read(body)?;
    Ok(Wakeup { run_id, version, nonce })
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|error: serde_json::Error| Unreadable::Malformed {
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use holdfast_model::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_of_a_message_cause_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&body).is_err());
        }

        #[test]
        fn a_damaged_message_is_refused_or_names_a_run(place in 0_usize..90, byte: u8, version: i64, nonce: i64) {
            let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
            let mut body = encode(Wakeup { run_id, version, nonce });
            let place = place % body.len();
            body[place] = byte;
            if let Ok(read) = decode(&body) {
                // What decodes again encodes to the same wake-up: nothing is half read.
                prop_assert_eq!(decode(&encode(read)), Ok(read));
            }
        }
    }

    #[test]
    fn a_wakeup_survives_a_json_round_trip() {
        let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
        for version in [0, 7, i64::MAX] {
            let wakeup = Wakeup { run_id, version, nonce: version };
            assert_eq!(decode(&encode(wakeup)), Ok(wakeup));
        }
    }

    #[test]
    fn version_1_stays_readable() {
        let body = br#"{"v":1,"run_id":"019aa0f1-27c0-7c3e-a1b2-0123456789ab","version":42,"nonce":9}"#;
        let read = decode(body).unwrap();
        assert_eq!(
            (read.run_id.to_string().as_str(), read.version, read.nonce),
            ("019aa0f1-27c0-7c3e-a1b2-0123456789ab", 42, 9)
        );
        assert_eq!(encode(read), body);
        let forged = br#"{"v":1,"run_id":"019aa0f1-27c0-7c3e-a1b2-0123456789ab","version":42}"#;
        assert_eq!(decode(forged).map(|read| read.nonce), Ok(0), "no lease has this number");
    }

    #[test]
    fn a_newer_version_is_distinguished_from_a_malformed_message() {
        assert_eq!(decode(br#"{"v":2,"wake":"up"}"#), Err(Unreadable::Future(2)));
        for nonsense in [
            "",
            "{",
            "[]",
            "hello",
            r#"{"v":-1}"#,
            r#"{"v":1}"#,
            r#"{"v":1,"run_id":"x","version":1}"#,
            "\u{0}",
        ] {
            assert!(matches!(decode(nonsense.as_bytes()), Err(Unreadable::Malformed { .. })), "{nonsense}");
        }
    }

    #[test]
    fn what_an_unreadable_message_held_is_not_repeated() {
        let error = decode(br#"{"v":1,"run_id":"hunter2","version":1}"#).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
