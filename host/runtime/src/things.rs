//! The things of a framework, for whatever shows or bridges them.
//!
//! A page, a bridge or a list of figures is written once, against [`Things`], and serves every
//! framework. A thing is a device in the words of all frameworks.

use futures_util::future::BoxFuture;

use cordon_base::error::LimitHit;
use cordon_web::access::Rights;

/// An answer that takes a while.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ThingsError>>;

/// One thing, as it was when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// Its id, unique in its framework.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The instance that owns it, by the name that the framework has for it; empty for none.
    pub instance: String,
    /// The framework's word for the kind of thing.
    pub kind: String,
    /// Its values by name, in an order that stays.
    pub values: Vec<(String, Value)>,
    /// When it was last changed, in milliseconds since 1970; nothing when that is not known.
    pub changed: Option<i64>,
}

/// A value of a thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Yes or no.
    Truth(bool),
    /// A finite number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// A part of the list of things.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The things, by id in the framework's order. A page may be empty and not be the last.
    pub things: Vec<Thing>,
    /// The id after which the next page begins; nothing after the last page.
    pub next: Option<String>,
}

/// A wish of a user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Switch it on.
    On,
    /// Switch it off.
    Off,
    /// Switch it to the other state.
    Toggle,
    /// Set it to this level: percent for whatever dims, the framework's unit for a set point.
    Level(f64),
}

/// The values of a thing at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: i64,
    /// The values by name.
    pub values: Vec<(String, Value)>,
}

/// News of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These may have changed, may be new, or may be gone.
    Changed(Vec<String>),
    /// The watcher was too slow: any thing may have changed.
    Missed,
}

/// Somebody who watches the things.
pub trait Watch: Send {
    /// Waits for news; nothing when the framework has ended. May be given up at any time without
    /// losing any.
    fn next(&mut self) -> BoxFuture<'_, Option<News>>;
}

/// Why something about a thing was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThingsError {
    /// There is no such thing.
    #[error("there is no such thing")]
    Missing,
    /// The user may not do this.
    #[error("this user has no right to do this")]
    Forbidden,
    /// The thing cannot do this; the text says why.
    #[error("{0}")]
    Refused(String),
    /// The framework keeps no history.
    #[error("the framework keeps no history of its things")]
    NoHistory,
    /// The plugin that owns the thing is not running.
    #[error("the plugin of the thing is not running")]
    NotRunning,
    /// The plugin that owns the thing has too much to do.
    #[error("the plugin of the thing has too much to do")]
    Busy,
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The hub's fault; the text is for its log.
    #[error("{0}")]
    Unavailable(String),
}

/// The things of one framework.
pub trait Things: Send + Sync {
    /// The framework's name.
    fn framework(&self) -> &'static str;

    /// The things behind the one with this id; from the first on without one. An answer holds as
    /// many as take little room.
    ///
    /// # Errors
    ///
    /// [`ThingsError::Missing`] for a text that is no id, and [`ThingsError::Unavailable`].
    fn list<'a>(&'a self, after: Option<&'a str>) -> Answer<'a, Page>;

    /// Watches all things from now on.
    fn watch(&self) -> Box<dyn Watch>;

    /// Does what a user wishes, as the framework's own API does, for a user who has these rights
    /// there. The thing itself changes when its plugin says so.
    ///
    /// # Errors
    ///
    /// [`ThingsError`]; then nothing was done.
    fn operate<'a>(&'a self, rights: Rights, id: &'a str, operation: Operation) -> Answer<'a, ()>;

    /// The moments of a thing from `from` until before `until`, in seconds since 1970, oldest first;
    /// as many as the framework's own bound allows.
    ///
    /// # Errors
    ///
    /// [`ThingsError::NoHistory`] where there is none, and those of [`Self::list`].
    fn history<'a>(&'a self, id: &'a str, from: i64, until: i64) -> Answer<'a, Vec<Moment>>;
}
