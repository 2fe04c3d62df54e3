//! The attack on one limit, and the consequence that its declaration promises.
//!
//! [`trips!`] makes the test and the entry in the table of tripped limits in one,
//! and the test asserts the line and the consequence of exactly that limit.

use cordon_base::limits::{self, Consequence, DECLARATIONS, Declaration, Limits};
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;

use crate::scene::{FLAT, Scene, assert_failures, until};

/// Python that goes past a limit.
pub struct Attack {
    source: String,
    limits: String,
    config: String,
    says: &'static [&'static str],
    flat: u64,
}

/// A test that trips a limit; `name` is the limit of its table entry.
pub trait Trip {
    async fn trip(self, name: &'static str);
}

/// A test that needs more than an [`Attack`].
pub struct By<F>(pub F);

impl<F: AsyncFnOnce(&'static str)> Trip for By<F> {
    async fn trip(self, name: &'static str) {
        (self.0)(name).await;
    }
}

/// Attacks in the first life only, so that the second shows that it is usable.
const LIFE: &str = r#"
import os
def onStart():
    if os.path.exists("/data/attacked"):
        Domoticz.Log("back")
        return
    open("/data/attacked", "w").close()
    attack()
    Domoticz.Log("goes on")
"#;

/// The line of the log, taken apart.
struct Told {
    used: u64,
    allowed: u64,
}

/// The words of `limit NAME: U used, A allowed; raise it with ...`, of which the remedy is one line
/// for the attacker's own section.
fn told(limit: &Declaration, line: &str) -> Told {
    let name = limit.name;
    let start = format!("limit {name}: ");
    let figures = line.split_once(&start).expect("the limit is named").1;
    let (used, rest) = figures.split_once(" used, ").expect("what was used");
    let (allowed, rest) = rest.split_once(" allowed").expect("what was allowed");
    // Of a callback's time the callback is told, and a remedy in the plugin.
    let rest = rest.trim_start_matches("; ");
    let advice = if limits::is_fixed(name) {
        "it is fixed".to_owned()
    } else {
        format!("raise it with `{name} = ")
    };
    let most = rest.starts_with("no instance can have more");
    let places =
        ["hardware", "indigo"].map(|it| format!("under [{it}.limits] of the [[{it}]] with "));
    let placed = places.iter().any(|place| rest.contains(place));
    let pasted = rest.contains(&advice) && (limits::is_fixed(name) || placed);
    assert!(pasted || most, "{line}");
    // Times have their unit beside the figure.
    let number = |text: &str| text.split(' ').next().and_then(|it| it.parse().ok());
    Told {
        used: number(used).expect("a number"),
        allowed: number(allowed).expect("a number"),
    }
}

/// Asserts that the line names the limit, its figures and the way to raise it.
pub fn assert_told(name: &str, limits: &Limits, line: &str) {
    let (declared, value) = limits
        .iter()
        .find(|(declared, _)| declared.name == name)
        .expect("a declared limit");
    let told = told(declared, line);
    assert_eq!(told.allowed, value, "{line}");
    assert!(told.used >= told.allowed, "{line}");
}

impl Attack {
    /// `source` defines `attack()`, which is called once, from `onStart`.
    pub fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            limits: String::new(),
            config: String::new(),
            says: &[],
            flat: FLAT,
        }
    }

    /// Overrides, as the inside of a TOML table.
    pub fn limits(mut self, limits: &str) -> Self {
        self.limits = limits.to_owned();
        self
    }

    /// The rest of the hardware section.
    pub fn config(mut self, config: impl Into<String>) -> Self {
        self.config = config.into();
        self
    }

    /// Lines that the attacker must write.
    pub fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    /// Bytes that the host may grow by instead of [`FLAT`].
    pub fn flat(mut self, flat: u64) -> Self {
        self.flat = flat;
        self
    }

    /// Starts it and returns when the limit was told of.
    async fn start(&self, scene: &mut Scene, name: &str) -> Remote {
        let source = format!("{}{LIFE}", self.source);
        let config = format!("limits = {{ {} }}\n{}", self.limits, self.config);
        let attacker = scene.attack(&source, &config).await;
        let line = scene.bench.line(&format!("limit {name}: ")).await;
        assert!(line.contains("Attacker: "), "{line}");
        assert_told(name, &attacker.spec.limits, &line);
        attacker
    }
}

impl Trip for Attack {
    /// Runs it and asserts the promises of `docs/limits.md` about this limit.
    async fn trip(self, name: &'static str) {
        let declared = DECLARATIONS.iter().find(|limit| limit.name == name);
        let mut scene = Scene::new().await;
        let attacker = self.start(&mut scene, name).await;
        match declared.expect("a declared limit").consequence {
            Consequence::Ended => {
                scene.said("the plugin is started again in 1 s").await;
                scene.said("back").await;
                assert_failures(&attacker, 1);
            }
            Consequence::Refused
            | Consequence::Dropped
            | Consequence::Throttled
            | Consequence::Killed => {
                scene.said("goes on").await;
                assert_failures(&attacker, 0);
            }
        }
        for line in self.says {
            scene.said(line).await;
        }
        let counters = &attacker.counters;
        until("the attacker runs", || counters.status() == Status::Running).await;
        scene.finish(self.flat).await;
    }
}

/// Tests that trip limits, and `TRIPPED`, the table of these limits: an entry is
/// made by its test, so none can stand there without one.
macro_rules! trips {
    ($($(#[$doc:meta])* $test:ident: $limit:literal => $trip:expr;)+) => {
        /// The limits that the tests of this module trip.
        pub const TRIPPED: &[&str] = &[$($limit,)+];
        $(
            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::attack::Trip::trip($trip, $limit).await;
            }
        )+
    };
}
