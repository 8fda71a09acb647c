//! Forms that act: each is issued once, acts once, and remembers what came of it.
//!
//! The token in a form is random, so that only a page of the console has one. It is also the request's identity: a
//! form that is sent twice gets the answer of the first time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{Clock, Timestamp};
use holdfast_store::RequestKey;
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;

/// How long a form can be sent, and how long its result can be looked at.
const LASTS: Duration = Duration::from_hours(1);
/// Forms that are kept. The oldest gives way.
const KEPT: usize = 1_000;

/// The issued forms. `R` is what a form leads to.
pub struct Forms<R> {
    random: Arc<dyn SecureRandom + Send + Sync>,
    clock: Arc<dyn Clock>,
    issued: Mutex<VecDeque<Form<R>>>,
}

struct Form<R> {
    /// The SHA-256 of the token. Its first half is the id of the result.
    hash: [u8; 32],
    issued: Duration,
    /// The same by the wall clock.
    at: Timestamp,
    state: State<R>,
}

enum State<R> {
    Issued,
    UnderWay,
    Done(Arc<R>),
}

/// What a token permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// To act: no other request gets this answer until the claim is released.
    Act(Permit),
    /// To look at the result of the first time, which has this id.
    Done(String),
    /// Nothing: the first time is under way.
    UnderWay,
    /// Nothing: no such form was issued, or it is too old.
    Unknown,
}

/// The permission to act, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The id of the result.
    pub id: String,
    /// When the form was issued.
    pub at: Timestamp,
    /// The key that a program gave the request.
    pub request: Option<RequestKey>,
}

impl<R> fmt::Debug for Forms<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms").finish_non_exhaustive()
    }
}

impl<R> Forms<R> {
    /// No forms.
    pub fn new(random: Arc<dyn SecureRandom + Send + Sync>, clock: Arc<dyn Clock>) -> Self {
        Self { random, clock, issued: Mutex::default() }
    }

    /// A new token for a form of `owner`, such as a session; `None` where the system gives no randomness.
    pub fn issue(&self, owner: &str) -> Option<String> {
        let mut token = [0_u8; 16];
        self.random.fill(&mut token).ok()?;
        let token = hex(&token);
        self.remember(&owned(owner, &token));
        Some(token)
    }

    /// Takes the key of a request that a program made up. A new one may act.
    pub fn claim_key(&self, owner: &str, key: &str) -> Claim {
        let key = owned(owner, &format!("key {key}"));
        match self.claim_text(&key) {
            Claim::Unknown => {
                self.remember(&key);
                self.claim_text(&key)
            }
            known => known,
        }
    }

    fn remember(&self, token: &str) {
        let (issued, at) = (self.clock.elapsed(), self.clock.now());
        let mut forms = self.current();
        if forms.len() >= KEPT {
            forms.pop_front();
        }
        forms.push_back(Form { hash: hash(token), issued, at, state: State::Issued });
    }

    /// Takes the token of a form that `owner` sent. The form of another owner is unknown.
    pub fn claim(&self, owner: &str, token: &str) -> Claim {
        self.claim_text(&owned(owner, token))
    }

    fn claim_text(&self, text: &str) -> Claim {
        let hash = hash(text);
        let mut forms = self.current();
        let Some(form) = forms.iter_mut().find(|form| form.hash == hash) else { return Claim::Unknown };
        match form.state {
            State::Issued => {
                form.state = State::UnderWay;
                Claim::Act(Permit { id: id(&hash), at: form.at, request: None })
            }
            State::UnderWay => Claim::UnderWay,
            State::Done(_) => Claim::Done(id(&hash)),
        }
    }

    /// Gives a permit back: nothing was done, and the form can be sent again.
    pub fn release(&self, permit: &Permit) {
        self.set(permit, State::Issued);
    }

    /// Records what came of a permit. Its id is that of the result.
    pub fn finish(&self, permit: &Permit, result: R) {
        self.set(permit, State::Done(Arc::new(result)));
    }

    /// The result with this id.
    pub fn result(&self, wanted: &str) -> Option<Arc<R>> {
        let forms = self.current();
        let done = |form: &Form<R>| match &form.state {
            State::Done(result) if id(&form.hash) == wanted => Some(Arc::clone(result)),
            _ => None,
        };
        forms.iter().find_map(done)
    }

    fn set(&self, permit: &Permit, state: State<R>) {
        if let Some(form) = self.current().iter_mut().find(|form| id(&form.hash) == permit.id) {
            form.state = state;
        }
    }

    /// The forms that are not too old. A form that acts is kept until it is done.
    fn current(&self) -> std::sync::MutexGuard<'_, VecDeque<Form<R>>> {
        let now = self.clock.elapsed();
        let mut forms = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|form| matches!(form.state, State::UnderWay) || now.saturating_sub(form.issued) < LASTS);
        forms
    }
}

/// A token together with whom it belongs to.
fn owned(owner: &str, token: &str) -> String {
    format!("{} {owner} {token}", owner.len())
}

/// Tokens are compared by their hashes, so that the time of a comparison says nothing about a token.
fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

fn id(hash: &[u8; 32]) -> String {
    hex(&hash[..16])
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use holdfast_model::ManualClock;

    use super::*;

    fn forms() -> (Forms<u32>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Forms::new(Arc::new(ring::rand::SystemRandom::new()), Arc::clone(&clock) as _), clock)
    }

    fn permit(claim: Claim) -> Permit {
        match claim {
            Claim::Act(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_form_acts_once_and_then_leads_to_its_result() {
        let (forms, _) = forms();
        let token = forms.issue("ann").unwrap();
        let permit = permit(forms.claim("ann", &token));
        assert_eq!(forms.claim("ann", &token), Claim::UnderWay);
        forms.finish(&permit, 7);
        assert_eq!(forms.claim("ann", &token), Claim::Done(permit.id.clone()));
        assert_eq!(*forms.result(&permit.id).unwrap(), 7);
        assert_eq!(forms.result(&token), None, "the id of a result is no token");
        assert_eq!(forms.claim("ann", &permit.id), Claim::Unknown, "and no token is made from it");
    }

    #[test]
    fn a_form_that_did_nothing_can_be_sent_again_and_a_foreign_one_cannot() {
        let (forms, _) = forms();
        let token = forms.issue("ann").unwrap();
        assert_ne!(token, forms.issue("ann").unwrap());
        forms.release(&permit(forms.claim("ann", &token)));
        permit(forms.claim("ann", &token));
        let other = forms.issue("ann").unwrap();
        assert_eq!(forms.claim("bob", &other), Claim::Unknown, "another session's");
        for foreign in ["", "0", &token[1..]] {
            assert_eq!(forms.claim("ann", foreign), Claim::Unknown);
        }
    }

    #[test]
    fn an_old_form_does_not_act_and_one_under_way_is_not_forgotten() {
        let (forms, clock) = forms();
        let (old, acting) = (forms.issue("ann").unwrap(), forms.issue("ann").unwrap());
        permit(forms.claim("ann", &acting));
        clock.advance(LASTS);
        assert_eq!(
            (forms.claim("ann", &old), forms.claim("ann", &acting)),
            (Claim::Unknown, Claim::UnderWay)
        );
        for _ in 0..=KEPT {
            forms.issue("ann").unwrap();
        }
        assert!(forms.current().len() <= KEPT);
    }

    #[test]
    fn the_key_of_a_program_acts_once_and_is_no_form() {
        let (forms, _) = forms();
        let permit = permit(forms.claim_key("ann", "a"));
        assert_eq!(forms.claim_key("ann", "a"), Claim::UnderWay);
        assert_eq!(forms.claim("ann", "a"), Claim::Unknown);
        forms.finish(&permit, 1);
        assert_eq!(forms.claim_key("ann", "a"), Claim::Done(permit.id));
    }
}
