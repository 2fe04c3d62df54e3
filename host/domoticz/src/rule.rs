//! The rules that people set for notifications, and the notifications that a new reading makes of
//! them.
//!
//! The rules are in the store and, as a copy, in memory: a reading must not wait for
//! the store to hear that nobody wants to know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::device::Device;
use super::kind::{self, Layout};
use super::notification::Notification;
use super::value::leading_number;
use cordon_store::{Store, StoreError};

/// Most rules of one device, and longest text of one.
const MAX_RULES: usize = 32;
const MAX_TEXT: usize = 4096;

/// Bytes of the name and of the state of a device in a notification: both are its
/// plugin's words, and they go to the inboxes of others.
const MAX_WORDS: usize = 512;

/// A rule as stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Row id, unique in the hub; 0 for one that is to be made.
    pub id: i64,
    /// Row id of its device.
    pub device: i64,
    /// The condition: `S` (switched on), `O` (switched off), or `kind;comparison;value` such as
    /// `T;>;25`. Kinds are T temperature, H humidity, B barometer, U UV, M usage, P percentage, N
    /// set point, F any other single figure; comparisons are `>`, `>=`, `=`, `!=`, `<=`, `<`.
    pub params: String,
    /// Text of the notification; empty for the hub's own.
    pub message: String,
    /// Names of the targets, joined by semicolons; empty for all.
    pub systems: String,
    /// From -2 to 2.
    pub priority: i32,
    /// Whether each reading counts, not only the one that makes the condition true.
    pub send_always: bool,
}

/// The rules in a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Rules {
    store: Store,
    copy: Arc<Mutex<Copy>>,
}

/// The rules that were read.
#[derive(Debug, Default)]
struct Copy {
    /// Counts the changes, so that rules read before a change are not kept after it.
    changes: u64,
    /// By device; `None` until read.
    rules: Option<HashMap<i64, Vec<Rule>>>,
}

impl Rules {
    /// The rules in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            copy: Arc::default(),
        }
    }

    /// These rules by way of another handle on the store.
    #[must_use]
    pub fn through(&self, store: &Store) -> Self {
        Self {
            store: store.clone(),
            copy: Arc::clone(&self.copy),
        }
    }

    /// The rules of a device, by id.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn of(&self, device: i64) -> Result<Vec<Rule>, StoreError> {
        let changes = {
            let copy = self.lock();
            if let Some(rules) = &copy.rules {
                return Ok(rules.get(&device).cloned().unwrap_or_default());
            }
            copy.changes
        };
        let all = self.store.read(read_all).await?;
        let rules = all.get(&device).cloned().unwrap_or_default();
        let mut copy = self.lock();
        if copy.changes == changes {
            copy.rules = Some(all);
        }
        Ok(rules)
    }

    /// Stores a rule: a new one when its id is 0. Returns its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a rule that cannot be, or one too many.
    pub async fn save(&self, rule: Rule) -> Result<i64, StoreError> {
        check(&rule).map_err(StoreError::Conflict)?;
        let id = self
            .store
            .write(move |transaction| write(transaction, &rule));
        let id = id.await;
        self.forget();
        id
    }

    /// Removes a rule; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn remove(&self, id: i64) -> Result<bool, StoreError> {
        self.delete("DELETE FROM notifications WHERE id = ?1", id)
            .await
    }

    /// Removes all rules of a device; returns whether there were any.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn clear(&self, device: i64) -> Result<bool, StoreError> {
        self.delete("DELETE FROM notifications WHERE device_id = ?1", device)
            .await
    }

    async fn delete(&self, sql: &'static str, id: i64) -> Result<bool, StoreError> {
        let removed = self.store.write(move |transaction| {
            let removed = transaction.prepare_cached(sql)?.execute([id])?;
            Ok::<_, StoreError>(removed > 0)
        });
        let removed = removed.await;
        self.forget();
        removed
    }

    fn lock(&self) -> MutexGuard<'_, Copy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next reader takes a new copy.
    fn forget(&self) {
        let mut copy = self.lock();
        copy.rules = None;
        copy.changes = copy.changes.wrapping_add(1);
    }
}

fn check(rule: &Rule) -> Result<(), String> {
    if Condition::parse(&rule.params).is_none() {
        return Err(format!(
            "a notification cannot be about `{}`; use S, O, or a kind, a comparison and a value \
             such as T;>;25",
            rule.params
        ));
    }
    if !(-2..=2).contains(&rule.priority) {
        return Err("the priority must be from -2 to 2".to_owned());
    }
    if rule.message.len() > MAX_TEXT || rule.systems.len() > MAX_TEXT {
        return Err(format!("a text must not be over {MAX_TEXT} bytes"));
    }
    Ok(())
}

fn read_all(connection: &Connection) -> Result<HashMap<i64, Vec<Rule>>, StoreError> {
    let sql = "SELECT id, device_id, params, message, systems, priority, send_always
               FROM notifications ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rules = statement.query_map([], |row| {
        Ok(Rule {
            id: row.get(0)?,
            device: row.get(1)?,
            params: row.get(2)?,
            message: row.get(3)?,
            systems: row.get(4)?,
            priority: row.get(5)?,
            send_always: row.get(6)?,
        })
    })?;
    let mut all: HashMap<i64, Vec<Rule>> = HashMap::new();
    for rule in rules {
        let rule = rule?;
        all.entry(rule.device).or_default().push(rule);
    }
    Ok(all)
}

fn write(connection: &Connection, rule: &Rule) -> Result<i64, StoreError> {
    let count = "SELECT count(*) FROM notifications WHERE device_id = ?1 AND id != ?2";
    let others: i64 = connection
        .prepare_cached(count)?
        .query_row([rule.device, rule.id], |row| row.get(0))?;
    if usize::try_from(others).is_ok_and(|others| others >= MAX_RULES) {
        let text = format!("a device can have {MAX_RULES} notifications");
        return Err(StoreError::Conflict(text));
    }
    let sql = "INSERT INTO notifications
                   (id, device_id, params, message, systems, priority, send_always)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (id) DO UPDATE SET params = excluded.params,
                   message = excluded.message, systems = excluded.systems,
                   priority = excluded.priority, send_always = excluded.send_always
               RETURNING id";
    let values = (
        (rule.id != 0).then_some(rule.id),
        rule.device,
        &rule.params,
        &rule.message,
        &rule.systems,
        rule.priority,
        rule.send_always,
    );
    let id = connection
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))?;
    Ok(id)
}

/// The notifications that a new reading makes, each with the names of its targets.
pub(super) async fn due(
    rules: &Rules,
    before: &Device,
    after: &Device,
) -> Result<Vec<(Notification, String)>, StoreError> {
    let rules = rules.of(after.id).await?.into_iter();
    let due = rules.filter_map(|rule| {
        let condition = Condition::parse(&rule.params)?;
        let now = condition.holds(after);
        let news = rule.send_always || !condition.holds(before);
        (now && news).then(|| (message(after, &rule, &condition), rule.systems))
    });
    Ok(due.collect())
}

fn message(device: &Device, rule: &Rule, condition: &Condition) -> Notification {
    let (name, status) = (cut(&device.name), cut(&status(device)));
    let text = match (rule.message.as_str(), condition) {
        ("", Condition::Switch { .. }) => format!("{name} >> {}", status.to_uppercase()),
        ("", Condition::Figure { .. }) => format!("{name}: {status} ({})", rule.params),
        (text, _) => text.to_owned(),
    };
    Notification {
        name,
        subject: text.clone(),
        text,
        status,
        priority: rule.priority,
        sound: String::new(),
        image_file: String::new(),
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_WORDS);
    text.get(..end).unwrap_or_default().to_owned()
}

/// The state of a device in words (spec 8.6).
fn status(device: &Device) -> String {
    if !kind::is_switch(device) {
        return device.s_value.clone();
    }
    match (kind::is_on(device), device.n_value) {
        (false, _) => "Off".to_owned(),
        // 2 sets a level, in both numberings of spec section 3 something like it.
        (true, 2 | 15) => format!("Level {}", device.last_level),
        (true, _) => "On".to_owned(),
    }
}

/// A state that a device has to be in.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Switch {
        on: bool,
    },
    Figure {
        kind: char,
        compare: Compare,
        value: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Above,
    AtLeast,
    Equal,
    Different,
    AtMost,
    Below,
}

impl Condition {
    fn parse(params: &str) -> Option<Self> {
        let mut parts = params.split(';').map(str::trim);
        let mut letters = parts.next()?.chars();
        let (kind, None) = (letters.next()?, letters.next()) else {
            return None;
        };
        match kind {
            'S' => return Some(Self::Switch { on: true }),
            'O' => return Some(Self::Switch { on: false }),
            'T' | 'H' | 'B' | 'U' | 'M' | 'P' | 'N' | 'F' => {}
            _ => return None,
        }
        let compare = match parts.next()? {
            ">" => Compare::Above,
            ">=" => Compare::AtLeast,
            "=" => Compare::Equal,
            "!=" => Compare::Different,
            "<=" => Compare::AtMost,
            "<" => Compare::Below,
            _ => return None,
        };
        let value: f64 = parts.next()?.parse().ok()?;
        value.is_finite().then_some(Self::Figure {
            kind,
            compare,
            value,
        })
    }

    fn holds(&self, device: &Device) -> bool {
        match self {
            Self::Switch { on } => kind::is_switch(device) && kind::is_on(device) == *on,
            Self::Figure {
                kind,
                compare,
                value,
            } => figure(device, *kind).is_some_and(|figure| compare.holds(figure, *value)),
        }
    }
}

impl Compare {
    fn holds(self, figure: f64, value: f64) -> bool {
        // Figures have at most four decimals.
        let same = (figure - value).abs() < 0.000_05;
        match self {
            Self::Above => figure > value && !same,
            Self::AtLeast => figure > value || same,
            Self::Equal => same,
            Self::Different => !same,
            Self::AtMost => figure < value || same,
            Self::Below => figure < value && !same,
        }
    }
}

/// The figure of this kind of notification, where the type of the device has one.
fn figure(device: &Device, letter: char) -> Option<f64> {
    let part = |index: usize| device.s_value.split(';').nth(index).map(leading_number);
    let kind = kind::of(device);
    if letter != 'F' && !kind.rules.contains(letter) {
        return None;
    }
    match (letter, kind.layout) {
        ('T', Layout::Wind) => part(4),
        #[allow(clippy::cast_precision_loss, reason = "a humidity is a percentage")]
        ('H', Layout::Humidity) => Some(device.n_value as f64),
        ('H', _) | ('B', Layout::TempBaro) => part(1),
        ('B', Layout::TempHumBaro) => part(3),
        _ => part(0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn switch(n_value: i64) -> Device {
        Device {
            id: 1,
            name: "Lamp".to_owned(),
            device_type: kind::LIGHT_SWITCH,
            n_value,
            used: 1,
            ..Device::default()
        }
    }

    fn sensor(s_value: &str) -> Device {
        Device {
            id: 1,
            name: "Room".to_owned(),
            device_type: 82,
            s_value: s_value.to_owned(),
            used: 1,
            ..Device::default()
        }
    }

    fn rule(params: &str) -> Rule {
        Rule {
            device: 1,
            params: params.to_owned(),
            ..Rule::default()
        }
    }

    fn holds(params: &str, device: &Device) -> bool {
        Condition::parse(params).unwrap().holds(device)
    }

    #[test]
    fn conditions_are_about_switches_and_figures() {
        assert!(holds("S", &switch(1)) && !holds("S", &switch(0)));
        assert!(holds("O", &switch(0)) && !holds("O", &switch(1)));
        assert!(!holds("O", &sensor("20;50;1")));
        let room = sensor("20.5;50;1");
        for (params, expected) in [
            ("T;>;20", true),
            ("T;>;20.5", false),
            ("T;>=;20.5", true),
            ("H;=;50", true),
            ("H;!=;50", false),
            ("T;<;20", false),
            ("T;<=;20.5", true),
            ("P;>;0", false),
        ] {
            assert_eq!(holds(params, &room), expected, "{params}");
        }
        for junk in ["", "SS", "X;>;1", "T;~;1", "T;>", "T;>;warm", "T;>;nan"] {
            assert_eq!(Condition::parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_message_names_the_device_and_its_state() {
        let on = message(&switch(1), &rule("S"), &Condition::Switch { on: true });
        assert_eq!((on.name.as_str(), on.status.as_str()), ("Lamp", "On"));
        assert_eq!((on.subject.as_str(), on.sound.as_str()), ("Lamp >> ON", ""));
        let dimmed = Device {
            last_level: 30,
            ..switch(2)
        };
        assert_eq!(status(&dimmed), "Level 30");
        let long = Device {
            name: "ß".repeat(1 << 20),
            ..sensor(&"x".repeat(1 << 20))
        };
        let condition = Condition::parse("F;!=;1").unwrap();
        let cut = message(&long, &rule("F;!=;1"), &condition);
        assert_eq!((cut.name.len(), cut.status.len()), (MAX_WORDS, MAX_WORDS));
        assert!(cut.text.len() < 3 * MAX_WORDS);
        let own = Rule {
            message: "Warm!".to_owned(),
            priority: 1,
            ..rule("T;>;20")
        };
        let condition = Condition::parse(&own.params).unwrap();
        let warm = message(&sensor("21;50;1"), &own, &condition);
        assert_eq!((warm.text.as_str(), warm.priority), ("Warm!", 1));
    }

    #[tokio::test]
    async fn a_rule_tells_once_or_always_and_never_outlives_its_device() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap();
        let device = store.write(|transaction| {
            transaction.execute_batch(
                "INSERT INTO hardware (id, name, key, created) VALUES (1, 'H', 'K', 0);
                 INSERT INTO devices VALUES (1, 1, 1, 'd', 'Room', 82, 1, 0, 0, '', 0, 0, 0, 0, 1,
                                             '', '', '', 0);",
            )?;
            Ok::<_, StoreError>(())
        });
        device.await.unwrap();
        let rules = Rules::new(store.clone());
        let id = rules.save(rule("T;>;20")).await.unwrap();
        let (cold, warm) = (sensor("20;50;1"), sensor("21;50;1"));
        let told =
            async |before: &Device, after: &Device| due(&rules, before, after).await.unwrap().len();
        assert_eq!(told(&cold, &warm).await, 1);
        assert_eq!(told(&warm, &warm).await, 0);
        assert_eq!(told(&warm, &cold).await, 0);
        let always = Rule {
            id,
            send_always: true,
            ..rule("T;>;20")
        };
        assert_eq!(rules.save(always.clone()).await.unwrap(), id);
        assert_eq!(told(&warm, &warm).await, 1);
        assert_eq!(rules.of(1).await.unwrap(), [always]);
        assert!(rules.remove(id).await.unwrap() && !rules.remove(id).await.unwrap());
        assert_eq!(told(&cold, &warm).await, 0);
        for bad in [
            rule("?"),
            Rule {
                priority: 3,
                ..rule("S")
            },
        ] {
            assert!(rules.save(bad).await.is_err());
        }
        for _ in 0..MAX_RULES {
            rules.save(rule("S")).await.unwrap();
        }
        assert!(rules.save(rule("S")).await.is_err());
        assert!(rules.clear(1).await.unwrap());
        assert!(rules.of(1).await.unwrap().is_empty());
    }
}
