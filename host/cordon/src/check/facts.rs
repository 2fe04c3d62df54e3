//! The files that the two components write, as read by the hub: untrusted text.

use serde::Deserialize;

/// The facts that stand in the sources (`python/read.py`).
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
    /// Places where the plugin listens.
    pub listens: Vec<Listen>,
    /// Programs that the plugin starts.
    pub programs: Vec<Program>,
    /// Serial ports that the plugin opens.
    pub serial: Vec<Serial>,
    /// Hosts that the plugin pings.
    pub pings: Vec<Ping>,
    /// Files that the plugin writes beside its code.
    pub writes: Vec<Call>,
    /// Pauses of a fixed length.
    pub sleeps: Vec<Sleep>,
    /// Threads that the plugin makes.
    pub threads: Vec<Call>,
    /// Thread pools that the plugin makes.
    pub pools: Vec<Pool>,
    /// Requests without a time limit.
    pub unbounded: Vec<Call>,
    /// Names of attributes that the plugin sets.
    pub attributes: Vec<String>,
    /// Functions that are nearly callbacks.
    pub near: Vec<Near>,
    /// Names that are used and that nothing defines.
    pub undefined: Vec<Named>,
    /// Modules with which the plugin reaches the network.
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
                /// Line in the file, from 1.
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
        /// The name that is taken from the module.
        name: Option<String>,
        /// Whether the failure of the import is caught.
        guarded: bool,
        /// Whether the import stands in a function or a class.
        late: bool,
        /// The `try` it stands in, as `FILE:LINE`, when that catches its failure.
        tried: Option<String>,
        /// The `try` whose handler of a failed import it stands in.
        fallback: Option<String>,
        /// The name that the import gives to the module or member.
        binds: Option<String>,
        /// Whether it stands in a package of others that lies beside the plugin.
        bundled: bool,
        /// Whether the module is the plugin's own.
        local: bool,
    }
    /// A name.
    Named {
        /// The name.
        name: String,
    }
    /// A function that is nearly a callback.
    Near {
        /// Its name.
        name: String,
        /// The callback that is meant.
        right: String,
        /// Whether only the case of letters differs.
        sure: bool,
    }
    /// A use of the API.
    Member {
        /// Such as `Domoticz.Log`.
        member: String,
        /// Whether its absence is asked for or caught.
        guarded: bool,
    }
    /// A host in the text.
    Host {
        /// Name or address.
        host: String,
        /// Port, or 0.
        port: u16,
        /// Scheme of the address that the host was part of, or empty.
        scheme: String,
    }
    /// A listener.
    Listen {
        /// Port, or 0 when it is not in the text.
        port: u16,
        /// The class or function that listens.
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
        /// The function that is called.
        call: String,
    }
    /// A pause.
    Sleep {
        /// Its length.
        seconds: f64,
        /// The function that the pause is in.
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
    /// The file's path below the code folder.
    pub file: String,
    /// Lines in the file.
    pub lines: u64,
    /// Why the file cannot be parsed.
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
    /// The message of the parser.
    pub message: String,
    /// The part of the line that is Python 2.
    pub python2: Option<Python2>,
}

/// Something that only Python 2 understands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Python2 {
    /// Line in the file.
    pub line: u32,
    /// Such as `print statement`.
    pub what: String,
    /// Text of the line.
    pub text: String,
}

/// The outcomes of the imports (`python/probe.py`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// The imports, in order.
    pub imports: Vec<Tried>,
    /// For each member of the API, whether it exists.
    pub api: std::collections::BTreeMap<String, bool>,
    /// The import of the plugin itself.
    pub plugin: Option<Ran>,
    /// For methods that the definitions of an Indigo plugin name, whether its class has them.
    pub methods: std::collections::BTreeMap<String, bool>,
    /// The plugin's own files that this import ran to their end.
    pub ran: Vec<String>,
    /// The module that was being imported when the component ended.
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
    /// File that the exception was raised in.
    pub file: String,
    /// Line in that file.
    pub line: u32,
    /// The module that is not there.
    pub missing: Option<String>,
    /// Time that the import took, in milliseconds.
    pub took_ms: u64,
}
