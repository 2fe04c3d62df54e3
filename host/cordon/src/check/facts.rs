//! What the two components write down, as read by the hub: untrusted text.

use serde::Deserialize;

/// What the sources have in them (`python/read.py`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The files that were read, the entry first.
    pub files: Vec<File>,
    /// Imports, those of the plugin's own modules included.
    pub imports: Vec<Import>,
    /// Callbacks that are defined.
    pub callbacks: Vec<Named>,
    /// Uses of the hub's API.
    pub api: Vec<Member>,
    /// Hosts that stand in the text.
    pub hosts: Vec<Host>,
    /// Places where it listens.
    pub listens: Vec<Listen>,
    /// Programs that it starts.
    pub programs: Vec<Program>,
    /// Serial ports that it opens.
    pub serial: Vec<Serial>,
    /// Hosts that it pings.
    pub pings: Vec<Ping>,
    /// Files that it writes beside its code.
    pub writes: Vec<Call>,
    /// Pauses of a fixed length.
    pub sleeps: Vec<Sleep>,
    /// Threads that it makes.
    pub threads: Vec<Call>,
    /// Thread pools that it makes.
    pub pools: Vec<Pool>,
    /// Requests without a time limit.
    pub unbounded: Vec<Call>,
    /// Modules it uses to reach the network.
    pub network: Vec<String>,
    /// Names of the standard library's modules, as the interpreter knows them.
    pub library: Vec<String>,
}

impl Facts {
    /// Whether the entry itself cannot be parsed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.files.first().is_none_or(|file| file.error.is_some())
    }
}

/// Makes a record of the facts: named fields, then where it stands.
macro_rules! records {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $kind:ty,)* })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Default, Deserialize)]
            #[serde(default)]
            pub struct $name {
                $($(#[doc = $field_doc])+ pub $field: $kind,)*
                /// File below the code folder.
                pub file: String,
                /// Line in it, from 1.
                pub line: u32,
            }
        )+
    };
}

records! {
    /// An import.
    Import {
        /// The module.
        module: String,
        /// The name that is taken from it.
        name: Option<String>,
        /// Whether its failure is caught.
        guarded: bool,
        /// Whether it stands in a function or a class.
        late: bool,
        /// The `try` it stands in, as `FILE:LINE`, when that catches its failure.
        tried: Option<String>,
        /// The `try` whose handler of a failed import it stands in.
        fallback: Option<String>,
        /// The name it gives to what it imports.
        binds: Option<String>,
        /// Whether it stands in a package of others that lies beside the plugin.
        bundled: bool,
        /// Whether it is the plugin's own.
        local: bool,
    }
    /// A callback.
    Named {
        /// Its name.
        name: String,
    }
    /// A use of the API.
    Member {
        /// Such as `Domoticz.Log`.
        member: String,
    }
    /// A host in the text.
    Host {
        /// Name or address.
        host: String,
        /// Port, or 0.
        port: u16,
        /// Scheme of the address it was part of, or empty.
        scheme: String,
    }
    /// A listener.
    Listen {
        /// Port, or 0 when it is not in the text.
        port: u16,
        /// What listens.
        what: String,
    }
    /// A program.
    Program {
        /// Its name or path, or empty when it is not in the text.
        program: String,
        /// Whether a shell runs it.
        shell: bool,
    }
    /// A serial port.
    Serial {
        /// Its name, or empty when it is not in the text.
        port: String,
    }
    /// A ping.
    Ping {
        /// The host, or empty when it is not in the text.
        host: String,
    }
    /// A call.
    Call {
        /// What is called.
        call: String,
    }
    /// A pause.
    Sleep {
        /// Its length.
        seconds: f64,
        /// The function it is in.
        function: String,
    }
    /// A thread pool.
    Pool {
        /// Its size, or 0 when it is not in the text.
        workers: u64,
    }
}

/// A file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    /// File below the code folder.
    pub file: String,
    /// Lines in it.
    pub lines: u64,
    /// Why it cannot be parsed.
    pub error: Option<Broken>,
}

/// Why a file cannot be parsed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Broken {
    /// Line, or 0.
    pub line: u32,
    /// Text of the line.
    pub text: String,
    /// What the parser says.
    pub message: String,
    /// What of it is Python 2.
    pub python2: Option<Python2>,
}

/// Something that only Python 2 understands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Python2 {
    /// Line.
    pub line: u32,
    /// Such as `print statement`.
    pub what: String,
    /// Text of the line.
    pub text: String,
}

/// How the imports went (`python/probe.py`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// The imports, in order.
    pub imports: Vec<Tried>,
    /// Which members of the API there are.
    pub api: std::collections::BTreeMap<String, bool>,
    /// The import of the plugin itself.
    pub plugin: Option<Ran>,
    /// The plugin's own files that this import ran to their end.
    pub ran: Vec<String>,
    /// What was being imported when the component ended.
    pub trying: Option<String>,
    /// Why the component ended, where it did not end by itself.
    #[serde(skip)]
    pub ended: Option<String>,
}

/// One import.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tried {
    /// The module.
    pub module: String,
    /// The name that was taken from it.
    pub name: Option<String>,
    /// The exception.
    pub error: Option<String>,
    /// The module that is not there.
    pub missing: Option<String>,
    /// `library`, `runtime`, `packages` or `plugin`.
    pub origin: String,
}

/// The import of the plugin.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ran {
    /// The exception.
    pub error: Option<String>,
    /// File it was raised in.
    pub file: String,
    /// Line in it.
    pub line: u32,
    /// The module that is not there.
    pub missing: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}
