//! HTTP Digest: passwords that are proved without being sent (RFC 7616).
//!
//! A challenge is signed by the hub and not kept. Only one that somebody answered with a right
//! password is remembered, so that no answer counts twice: strangers can make the hub remember
//! nothing. The memory is bounded: when it is full, the hub forgets all of it at once and asks
//! everybody anew.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::compare::same;

/// Seconds for which a challenge can be answered.
const LIFETIME: u64 = 300;
/// Challenges whose answers are remembered.
const REMEMBERED: usize = 1024;
/// Answers that may overtake one another, as those of a browser's connections do.
const WINDOW: u32 = 64;
/// Longest answer in bytes.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    /// The algorithm that clients shall prefer comes first.
    const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Sha256 => hexadecimal(&Sha256::digest(text.as_bytes())),
            Self::Md5 => hexadecimal(&Md5::digest(text.as_bytes())),
        }
    }
}

/// The hashes that answers of one user are checked with, instead of the password.
#[derive(Clone)]
pub(super) struct Secret {
    realm: Arc<str>,
    hashes: [String; 2],
}

impl Secret {
    pub(super) fn new(name: &str, realm: &Arc<str>, password: &str) -> Self {
        Self {
            realm: Arc::clone(realm),
            hashes: Algorithm::ALL.map(|algorithm| algorithm.hash(&[name, realm, password])),
        }
    }

    fn of(&self, algorithm: Algorithm) -> &str {
        let [sha256, md5] = &self.hashes;
        match algorithm {
            Algorithm::Sha256 => sha256,
            Algorithm::Md5 => md5,
        }
    }
}

/// A client's answer to a challenge.
#[derive(Debug)]
pub(super) struct Response<'a> {
    fields: HashMap<&'a str, String>,
    algorithm: Algorithm,
}

impl<'a> Response<'a> {
    /// Reads the rest of a header `Digest ...`; `None` when it is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let fields = fields(text)?;
        let given = fields.get("algorithm").map_or("MD5", String::as_str);
        let mut known = Algorithm::ALL.into_iter();
        let algorithm = known.find(|it| it.name().eq_ignore_ascii_case(given))?;
        Some(Self { fields, algorithm })
    }

    /// The user's name.
    pub(super) fn user(&self) -> &str {
        self.get("username")
    }

    fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether the answer proves the password for this request.
    pub(super) fn proves(&self, secret: &Secret, method: &str, target: &str) -> bool {
        let for_this = self.get("uri") == target
            && self.get("realm") == &*secret.realm
            && self.get("qop") == "auth"
            && self.count().is_some();
        let request = self.algorithm.hash(&[method, self.get("uri")]);
        let expected = self.algorithm.hash(&[
            secret.of(self.algorithm),
            self.get("nonce"),
            self.get("nc"),
            self.get("cnonce"),
            "auth",
            &request,
        ]);
        let given = self.get("response").to_ascii_lowercase();
        for_this & same(expected.as_bytes(), given.as_bytes())
    }

    /// How many answers to this challenge the client gave.
    fn count(&self) -> Option<u32> {
        let text = Some(self.get("nc")).filter(|text| text.len() == 8)?;
        u32::from_str_radix(text, 16)
            .ok()
            .filter(|count| *count > 0)
    }
}

/// The challenges of a hub.
pub(super) struct Challenges {
    /// The name of the place that the passwords are for, as clients are told.
    realm: Arc<str>,
    key: String,
    started: Instant,
    issued: AtomicU64,
    answered: Mutex<Answered>,
}

#[derive(Default)]
struct Answered {
    /// Challenges from before this one are no longer good.
    first: u64,
    /// The highest count of the answers to each, and which of those below it came.
    seen: HashMap<u64, (u64, u32, u64)>,
}

impl Challenges {
    pub(super) fn new(realm: Arc<str>) -> Self {
        let part = || RandomState::new().build_hasher().finish();
        Self {
            realm,
            key: format!("{:016x}{:016x}{:016x}", part(), part(), part()),
            started: Instant::now(),
            issued: AtomicU64::new(0),
            answered: Mutex::default(),
        }
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// The headers that ask for an answer; `stale` when the last one came too late.
    pub(super) fn ask(&self, stale: bool) -> [String; 2] {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let nonce = self.nonce(self.seconds(), number);
        let stale = if stale { ", stale=true" } else { "" };
        let realm = &self.realm;
        Algorithm::ALL.map(|algorithm| {
            let name = algorithm.name();
            format!(
                "Digest realm=\"{realm}\", qop=\"auth\", algorithm={name}, nonce=\"{nonce}\", \
                 charset=UTF-8{stale}"
            )
        })
    }

    /// Whether an answer that proves a password answers a challenge of this hub that is
    /// still good, for the first time.
    pub(super) fn take(&self, response: &Response<'_>) -> bool {
        let Some((since, number)) = self.understood(response.get("nonce")) else {
            return false;
        };
        let (now, Some(count)) = (self.seconds(), response.count()) else {
            return false;
        };
        if now.saturating_sub(since) > LIFETIME {
            return false;
        }
        let mut answered = self.answered();
        if number < answered.first {
            return false;
        }
        let good = |since: u64| now.saturating_sub(since) <= LIFETIME;
        if answered.seen.len() >= REMEMBERED && !answered.seen.contains_key(&number) {
            answered.seen.retain(|_, (since, ..)| good(*since));
        }
        if answered.seen.len() >= REMEMBERED && !answered.seen.contains_key(&number) {
            answered.seen.clear();
            answered.first = self.issued.load(Ordering::Relaxed);
            return false;
        }
        let (_, highest, earlier) = answered.seen.entry(number).or_insert((since, 0, 0));
        if count > *highest {
            let by = count.saturating_sub(*highest);
            let moved = |bits: u64, by: u32| bits.checked_shl(by).unwrap_or(0);
            // The number that was the highest takes its place among those below the new one.
            let last = moved(u64::from(*highest > 0), by.saturating_sub(1));
            *earlier = moved(*earlier, by) | last;
            *highest = count;
            return true;
        }
        let below = highest.saturating_sub(count);
        if below == 0 || below > WINDOW {
            return false;
        }
        let bit = 1u64.checked_shl(below.saturating_sub(1)).unwrap_or(0);
        let fresh = *earlier & bit == 0;
        *earlier |= bit;
        fresh
    }

    fn nonce(&self, seconds: u64, number: u64) -> String {
        let signed = format!("{seconds:x}-{number:x}");
        let signature = Algorithm::Sha256.hash(&[&self.key, &signed, &self.key]);
        format!("{signed}-{signature}")
    }

    /// When a challenge was made, and its number.
    fn understood(&self, nonce: &str) -> Option<(u64, u64)> {
        let (seconds, rest) = nonce.split_once('-')?;
        let (number, _) = rest.split_once('-')?;
        let seconds = u64::from_str_radix(seconds, 16).ok()?;
        let number = u64::from_str_radix(number, 16).ok()?;
        same(self.nonce(seconds, number).as_bytes(), nonce.as_bytes()).then_some((seconds, number))
    }

    fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    fn answered(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `name=value, name="value"`: each name once.
fn fields(text: &str) -> Option<HashMap<&str, String>> {
    let mut found = HashMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                let (value, left) = after.split_at(end);
                (value.trim().to_owned(), left)
            }
        };
        if found.insert(name.trim(), value).is_some() {
            return None;
        }
        let left = left.trim_start();
        rest = match left.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if left.is_empty() => left,
            None => return None,
        };
    }
    Some(found)
}

/// A quoted text up to its end, and the text after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next()?),
            other => value.push(other),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REALM: &str = "here";

    fn challenges() -> Challenges {
        Challenges::new(REALM.into())
    }

    fn ann(password: &str) -> Secret {
        Secret::new("ann", &REALM.into(), password)
    }

    /// The answer of a client to a challenge.
    fn answer(challenges: &Challenges, count: u32, nonce: Option<&str>) -> (String, String) {
        let [asked, _] = challenges.ask(false);
        let fresh = fields(asked.strip_prefix("Digest ").unwrap()).unwrap();
        let nonce = nonce.unwrap_or(&fresh["nonce"]).to_owned();
        let algorithm = Algorithm::Sha256;
        let secret = algorithm.hash(&["ann", REALM, "p:w"]);
        let request = algorithm.hash(&["GET", "/a?b=1"]);
        let nc = format!("{count:08x}");
        let response = algorithm.hash(&[&secret, &nonce, &nc, "c", "auth", &request]);
        let text = format!(
            "username=\"ann\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"/a?b=1\", \
             algorithm=SHA-256, qop=auth, nc={nc}, cnonce=\"c\", response=\"{response}\""
        );
        (text, nonce)
    }

    #[test]
    fn an_answer_proves_the_password_for_its_own_request() {
        let challenges = challenges();
        let (text, _) = answer(&challenges, 1, None);
        let response = Response::parse(&text).unwrap();
        let right = ann("p:w");
        assert_eq!(response.user(), "ann");
        assert!(response.proves(&right, "GET", "/a?b=1"));
        assert!(!response.proves(&right, "POST", "/a?b=1"));
        assert!(!response.proves(&right, "GET", "/a?b=2"));
        assert!(!response.proves(&ann("x"), "GET", "/a?b=1"));
        for (part, other) in [
            ("qop=auth", "qop=auth-int"),
            ("nc=00000001", "nc=00000000"),
            ("nc=00000001", "nc=1"),
            ("realm=\"here\"", "realm=\"other\""),
            ("cnonce=\"c\"", "cnonce=\"d\""),
            ("SHA-256", "MD5"),
        ] {
            let changed = text.replace(part, other);
            assert_ne!(changed, text);
            let response = Response::parse(&changed).unwrap();
            assert!(!response.proves(&right, "GET", "/a?b=1"), "{other}");
        }
    }

    #[test]
    fn no_answer_counts_twice_and_some_may_overtake_others() {
        let challenges = challenges();
        let (_, nonce) = answer(&challenges, 1, None);
        let take = |count: u32| {
            let (text, _) = answer(&challenges, count, Some(&nonce));
            challenges.take(&Response::parse(&text).unwrap())
        };
        assert!(take(1) && !take(1) && take(4) && take(2) && !take(2) && !take(4) && !take(1));
        assert!(take(3) && !take(3));
        assert!(
            take(68) && take(5) && !take(5) && !take(4),
            "one is 64 below"
        );
        assert!(take(1000) && take(999) && !take(68) && !take(6));
    }

    #[test]
    fn only_challenges_of_this_hub_are_answered() {
        let (here, there) = (challenges(), challenges());
        let (text, nonce) = answer(&here, 1, None);
        let response = Response::parse(&text).unwrap();
        assert!(!there.take(&response));
        let (older, rest) = nonce.split_once('-').unwrap();
        assert_eq!(older, "0");
        let (forged, _) = answer(&here, 1, Some(&format!("1-{rest}")));
        assert!(!here.take(&Response::parse(&forged).unwrap()));
        assert!(here.take(&response));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_everybody_is_asked_anew() {
        let challenges = challenges();
        let (early, _) = answer(&challenges, 1, None);
        for _ in 0..REMEMBERED {
            let (text, _) = answer(&challenges, 1, None);
            assert!(challenges.take(&Response::parse(&text).unwrap()));
        }
        let (text, _) = answer(&challenges, 1, None);
        assert!(!challenges.take(&Response::parse(&text).unwrap()));
        assert!(challenges.answered().seen.is_empty());
        // A challenge from before is not good any more, and a new one is.
        assert!(!challenges.take(&Response::parse(&early).unwrap()));
        let (text, _) = answer(&challenges, 1, None);
        assert!(challenges.take(&Response::parse(&text).unwrap()));
    }

    #[test]
    fn a_challenge_is_good_for_a_while() {
        let mut challenges = challenges();
        let (text, _) = answer(&challenges, 1, None);
        let ago = std::time::Duration::from_secs(LIFETIME + 1);
        challenges.started = challenges.started.checked_sub(ago).unwrap();
        assert!(!challenges.take(&Response::parse(&text).unwrap()));
    }

    #[test]
    fn headers_are_read_as_they_come() {
        let found = fields("a=1 ,b=\"x, \\\"y\\\"\",c = d").unwrap();
        assert_eq!(
            (&*found["a"], &*found["b"], &*found["c"]),
            ("1", "x, \"y\"", "d")
        );
        for bad in ["a", "a=\"x", "a=\"x\" b=1", "a=1, a=2", "a=\"\\"] {
            assert!(fields(bad).is_none(), "{bad}");
        }
        assert!(Response::parse("algorithm=SHA-1").is_none());
        assert!(Response::parse(&format!("a={}", "x".repeat(LONGEST))).is_none());
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_panic(text in "[ -~]{0,120}", nonce in "[0-9a-f-]{0,40}") {
            let challenges = challenges();
            let text = format!("{text},nonce=\"{nonce}\",nc=00000001");
            if let Some(response) = Response::parse(&text) {
                prop_assert!(!response.proves(&ann("b"), "GET", "/"));
                prop_assert!(!challenges.take(&response));
            }
        }
    }
}
