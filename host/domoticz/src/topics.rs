//! The browsers that follow plugins, and the messages of plugins on their way to them (rule 194).
//!
//! A message is made once and shared. It is charged to the plugin that sent it until the last
//! browser has it. A browser that reads too slowly misses messages; it holds up nobody.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use cordon_base::account::Charge;

/// Browsers at a time.
const MAX_FOLLOWERS: usize = 32;
/// Browsers of one address among them, and of one user.
const MAX_EACH: usize = 8;
/// Plugins that one browser follows.
const MAX_TOPICS: usize = 64;
/// Longest key of a plugin that can be followed, in bytes.
const MAX_KEY: usize = 512;
/// Messages that wait for one browser.
const MAX_WAITING: usize = 32;

/// A message to browsers, as text, with its charge.
#[derive(Debug)]
pub struct Message {
    text: String,
    _charge: Charge,
}

impl Message {
    /// A message that is charged.
    #[must_use]
    pub fn new(text: String, charge: Charge) -> Arc<Self> {
        Arc::new(Self {
            text,
            _charge: charge,
        })
    }

    /// Its JSON.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The browsers that follow plugins. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Topics(Arc<Mutex<Followers>>);

#[derive(Debug, Default)]
struct Followers {
    /// Number of the last follower.
    last: u64,
    all: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    number: u64,
    address: IpAddr,
    user: String,
    /// Keys of the plugins that it follows.
    keys: BTreeSet<String>,
    waiting: mpsc::Sender<Arc<Message>>,
}

/// One browser. It leaves when this is dropped.
#[derive(Debug)]
pub struct Follower {
    topics: Topics,
    number: u64,
    messages: mpsc::Receiver<Arc<Message>>,
}

impl Topics {
    /// A browser of this user at this address; nothing when there are too many. The name is empty for
    /// nobody in particular.
    #[must_use]
    pub fn join(&self, address: IpAddr, user: &str) -> Option<Follower> {
        let mut followers = self.lock();
        let all = &followers.all;
        let each = all.iter().filter(|it| it.address == address).count();
        let of_user = all.iter().filter(|it| it.user == user).count();
        let is_many = !user.is_empty() && of_user >= MAX_EACH;
        if all.len() >= MAX_FOLLOWERS || each >= MAX_EACH || is_many {
            return None;
        }
        let (waiting, messages) = mpsc::channel(MAX_WAITING);
        followers.last = followers.last.saturating_add(1);
        let number = followers.last;
        followers.all.push(Member {
            number,
            address,
            user: user.to_owned(),
            keys: BTreeSet::new(),
            waiting,
        });
        drop(followers);
        Some(Follower {
            topics: self.clone(),
            number,
            messages,
        })
    }

    /// Whether anybody follows the plugin with this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.lock().all.iter().any(|it| it.keys.contains(key))
    }

    /// Sends a message to all who follow the plugin with this key.
    pub fn send(&self, key: &str, message: &Arc<Message>) {
        let followers = self.lock();
        for member in followers.all.iter().filter(|it| it.keys.contains(key)) {
            if member.waiting.try_send(Arc::clone(message)).is_err() {
                tracing::debug!(plugin = key, "a browser is too slow for a message");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Followers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// Follows the plugin with this key from now on; `false` for a key that is too long, or one too
    /// many.
    pub fn follow(&self, key: &str) -> bool {
        self.with(|keys| {
            let fits = key.len() <= MAX_KEY && keys.len() < MAX_TOPICS;
            if fits {
                keys.insert(key.to_owned());
            }
            fits || keys.contains(key)
        })
    }

    /// Follows it no more.
    pub fn leave(&self, key: &str) {
        self.with(|keys| keys.remove(key));
    }

    /// The next message; waits for it.
    pub async fn next(&mut self) -> Option<Arc<Message>> {
        self.messages.recv().await
    }

    fn with(&self, change: impl FnOnce(&mut BTreeSet<String>) -> bool) -> bool {
        let mut followers = self.topics.lock();
        let mut all = followers.all.iter_mut();
        let own = all.find(|it| it.number == self.number);
        own.is_some_and(|it| change(&mut it.keys))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.topics.lock().all.retain(|it| it.number != self.number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use cordon_base::account::Account;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn message(account: &Arc<Account>) -> Arc<Message> {
        Message::new("{}".to_owned(), account.charge(100).unwrap())
    }

    #[tokio::test]
    async fn a_message_reaches_those_who_follow_its_plugin() {
        let (topics, account) = (Topics::default(), Account::of_hub());
        let (mut one, mut other) = (
            topics.join(HERE, "").unwrap(),
            topics.join(HERE, "").unwrap(),
        );
        assert!(!topics.has("K"));
        assert!(one.follow("K") && other.follow("k"));
        assert!(topics.has("K"));
        topics.send("K", &message(&account));
        assert_eq!(one.next().await.unwrap().text(), "{}");
        assert!(other.messages.try_recv().is_err());
        one.leave("K");
        topics.send("K", &message(&account));
        assert!(one.messages.try_recv().is_err());
        drop(one);
        drop(other);
        assert!(topics.lock().all.is_empty());
    }

    #[test]
    fn a_slow_browser_misses_messages_and_holds_few() {
        let (topics, account) = (Topics::default(), Account::of_hub());
        let mut slow = topics.join(HERE, "").unwrap();
        slow.follow("K");
        for _ in 0..3 * MAX_WAITING {
            topics.send("K", &message(&account));
        }
        assert_eq!(account.used(), 100 * MAX_WAITING as u64);
        let mut got = 0;
        while slow.messages.try_recv().is_ok() {
            got += 1;
        }
        assert_eq!((got, account.used()), (MAX_WAITING, 0));
    }

    #[test]
    fn browsers_and_what_they_follow_are_bounded() {
        let topics = Topics::default();
        let of_one: Vec<_> = (0..MAX_EACH + 1).map(|_| topics.join(HERE, "")).collect();
        assert_eq!(of_one.iter().flatten().count(), MAX_EACH);
        drop(of_one);
        let address = |number: u8| IpAddr::from([10, 0, 0, number]);
        let of_user: Vec<_> = (0..40).map(|it| topics.join(address(it), "eve")).collect();
        assert_eq!(of_user.iter().flatten().count(), MAX_EACH);
        assert!(topics.join(address(41), "ann").is_some());
        drop(of_user);
        let all: Vec<_> = (0..=40)
            .map(|number| topics.join(address(number), ""))
            .collect();
        assert_eq!(all.iter().flatten().count(), MAX_FOLLOWERS);
        let follower = all.into_iter().flatten().next().unwrap();
        assert!(!follower.follow(&"k".repeat(MAX_KEY + 1)));
        let taken = (0..MAX_TOPICS + 1).filter(|it| follower.follow(&it.to_string()));
        assert_eq!(taken.count(), MAX_TOPICS);
        assert!(follower.follow("0"), "it is followed already");
    }
}
