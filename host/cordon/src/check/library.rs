//! What is known of modules of the standard library, now and before.

/// Modules that import well and do less than they say, with what to expect.
const CAVEATS: &[(&str, &str)] = &[
    ("subprocess", "starts programs with an `exec` grant only"),
    (
        "multiprocessing",
        "processes cannot be started; threads can",
    ),
    ("ctypes", "native libraries cannot be loaded"),
    ("signal", "there are no signals to be handled"),
    ("pty", "there are no terminals"),
    ("webbrowser", "there is no browser to be opened"),
    ("tkinter", "there is no screen"),
    ("resource", "the hub's limits count, not the system's"),
];

/// Modules that only Python 2 has, with what took their place.
const PYTHON2: &[(&str, &str)] = &[
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("httplib", "http.client"),
    ("Queue", "queue"),
    ("ConfigParser", "configparser"),
    ("SocketServer", "socketserver"),
    ("BaseHTTPServer", "http.server"),
    ("SimpleHTTPServer", "http.server"),
    ("StringIO", "io"),
    ("cStringIO", "io"),
    ("cPickle", "pickle"),
    ("exceptions", "builtins"),
    ("commands", "subprocess"),
    ("thread", "threading"),
    ("xmlrpclib", "xmlrpc.client"),
    ("Cookie", "http.cookies"),
    ("cookielib", "http.cookiejar"),
    ("HTMLParser", "html.parser"),
    ("Tkinter", "tkinter"),
    ("__builtin__", "builtins"),
    ("anydbm", "dbm"),
    ("md5", "hashlib"),
    ("sets", "set"),
];

/// Modules that the standard library had until lately; no index has them under this name.
const DROPPED: &[&str] = &[
    "aifc",
    "asynchat",
    "asyncore",
    "audioop",
    "cgi",
    "cgitb",
    "chunk",
    "crypt",
    "distutils",
    "imghdr",
    "imp",
    "lib2to3",
    "mailcap",
    "msilib",
    "nis",
    "nntplib",
    "ossaudiodev",
    "pipes",
    "smtpd",
    "sndhdr",
    "spwd",
    "sunau",
    "telnetlib",
    "uu",
    "xdrlib",
];

fn find(table: &[(&str, &'static str)], module: &str) -> Option<&'static str> {
    let top = module.split('.').next().unwrap_or_default();
    table
        .iter()
        .find(|(name, _)| *name == top)
        .map(|(_, text)| *text)
}

/// What to expect of a module that imports well.
#[must_use]
pub fn caveat(module: &str) -> Option<&'static str> {
    find(CAVEATS, module)
}

/// What took the place of a module of Python 2.
#[must_use]
pub fn successor(module: &str) -> Option<&'static str> {
    find(PYTHON2, module)
}

/// Whether a module belongs, or belonged, to the standard library.
#[must_use]
pub fn is_standard(top: &str, names: &[String]) -> bool {
    DROPPED.contains(&top) || names.iter().any(|name| name == top)
}
