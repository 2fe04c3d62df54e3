//! Facts about packages by name: the one table behind `cordon install` and `cordon check`.
//!
//! A package that is missing here is no problem: pip decides which packages there are. The table
//! only turns "no" into a sentence that helps.

use super::normal_name;

/// The ways to get a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of the runtime, which stands for this version.
    Provided(&'static str),
    /// Has pure-Python wheels.
    Pure,
    /// Has a pure form that must be built from its source, with these environment
    /// variables.
    Build(&'static [(&'static str, &'static str)]),
    /// Needs code of the machine; the sentence names the remedy.
    Native(&'static str),
}

/// One package.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Name on the package index.
    pub name: &'static str,
    /// Top-level modules, where they are not the name in lower case.
    pub modules: &'static [&'static str],
    /// The way to get it.
    pub kind: Kind,
}

const fn known(name: &'static str, modules: &'static [&'static str], kind: Kind) -> Known {
    Known {
        name,
        modules,
        kind,
    }
}

use Kind::{Build, Native, Provided, Pure};

const GPIO: &str = "it drives pins of the machine, which a plugin cannot reach; use a device that is reached over the network or a granted serial port";
const BLUETOOTH: &str = "there is no Bluetooth in the component; use a gateway that offers the devices over the network, such as an MQTT or ESPHome one";
const ARRAYS: &str = "it is native; for the few sums a plugin needs, use `math` and `statistics`";
const GRAPHICS: &str = "drawing is native; have a program outside of the plugin draw";

/// The table, in the order of the names.
pub const KNOWN: &[Known] = &[
    known("aiohttp", &[], Build(&[("AIOHTTP_NO_EXTENSIONS", "1")])),
    known("bleak", &[], Native(BLUETOOTH)),
    known("bluepy", &[], Native(BLUETOOTH)),
    known("beautifulsoup4", &["bs4"], Pure),
    known(
        "cffi",
        &["_cffi_backend"],
        Native("it loads native libraries, which a component cannot"),
    ),
    known("cryptography", &[], Provided("43.0.3")),
    known(
        "evdev",
        &[],
        Native("input devices of the machine are out of reach"),
    ),
    known(
        "frozenlist",
        &[],
        Build(&[("FROZENLIST_NO_EXTENSIONS", "1")]),
    ),
    known(
        "grpcio",
        &["grpc"],
        Native("it is native; look for an HTTP or MQTT interface of the same device"),
    ),
    known("ifaddr", &[], Provided("0.2.0")),
    known("jinja2", &[], Pure),
    known(
        "lxml",
        &[],
        Native("it is native; `xml.etree.ElementTree` of the standard library does most of it"),
    ),
    known("markupsafe", &[], Build(&[])),
    known("matplotlib", &[], Native(GRAPHICS)),
    known("msgpack", &[], Build(&[("MSGPACK_PUREPYTHON", "1")])),
    known("multidict", &[], Build(&[("MULTIDICT_NO_EXTENSIONS", "1")])),
    known(
        "netifaces",
        &[],
        Native("it asks the kernel for interfaces; a plugin's network is what its grants name"),
    ),
    known("numpy", &[], Native(ARRAYS)),
    known("opencv-python", &["cv2"], Native(GRAPHICS)),
    known(
        "orjson",
        &[],
        Native("it is native; `json` of the standard library, or `simplejson`, does the same"),
    ),
    known("paho-mqtt", &["paho"], Pure),
    known("pandas", &[], Native(ARRAYS)),
    known(
        "pexpect",
        &[],
        Native("it starts programs on a terminal; use `subprocess` with an `exec` grant"),
    ),
    known("pillow", &["PIL"], Native(GRAPHICS)),
    known("propcache", &[], Build(&[("PROPCACHE_NO_EXTENSIONS", "1")])),
    known(
        "psutil",
        &[],
        Native("it looks at the machine's processes, which a plugin cannot see"),
    ),
    known("pybluez", &["bluetooth"], Native(BLUETOOTH)),
    known("pycryptodome", &["Crypto"], Provided("3.20.0")),
    known("pycryptodomex", &["Cryptodome"], Provided("3.20.0")),
    known(
        "pydantic-core",
        &["pydantic_core"],
        Native(
            "it is native and wanted by pydantic 2; `pydantic<2` is pure: pin it with `cordon install PLUGIN \"pydantic<2\"`",
        ),
    ),
    known(
        "pynacl",
        &["nacl"],
        Native("it is native; `cryptography` is part of the runtime and has X25519 and ChaCha20"),
    ),
    known(
        "pyobjc-core",
        &["objc", "AppKit", "Foundation"],
        Native("it is for macOS only"),
    ),
    known(
        "pyopenssl",
        &["OpenSSL"],
        Native("use `ssl` of the standard library"),
    ),
    known("pyserial", &["serial"], Provided("3.5")),
    known("python-dateutil", &["dateutil"], Pure),
    known("python-miio", &["miio"], Pure),
    known(
        "pyusb",
        &["usb"],
        Native("USB is out of reach; a granted serial port is not"),
    ),
    known(
        "pyyaml",
        &["yaml", "_yaml"],
        Build(&[("PYYAML_FORCE_LIBYAML", "0")]),
    ),
    known(
        "pyzmq",
        &["zmq"],
        Native("it is native; look for an HTTP, MQTT or plain TCP interface of the same service"),
    ),
    known("rpi-gpio", &["RPi"], Native(GPIO)),
    known("rpi.lgpio", &[], Native(GPIO)),
    known("scipy", &[], Native(ARRAYS)),
    known("simplejson", &[], Pure),
    known("smbus2", &[], Native(GPIO)),
    known("spidev", &[], Native(GPIO)),
    known(
        "ujson",
        &[],
        Native("it is native; `json` of the standard library, or `simplejson`, does the same"),
    ),
    known(
        "uvloop",
        &[],
        Native("it is native and not needed: asyncio's own event loop does the same"),
    ),
    known("websocket-client", &["websocket"], Pure),
    known("websockets", &[], Build(&[("BUILD_EXTENSION", "no")])),
    known(
        "wrapt",
        &[],
        Build(&[("WRAPT_INSTALL_EXTENSIONS", "false")]),
    ),
    known("yarl", &[], Build(&[("YARL_NO_EXTENSIONS", "1")])),
    known("zeroconf", &[], Build(&[("SKIP_CYTHON", "1")])),
];

/// The facts about the package with this name.
#[must_use]
pub fn package(name: &str) -> Option<&'static Known> {
    let name = normal_name(name);
    KNOWN.iter().find(|known| normal_name(known.name) == name)
}

/// The facts about the package that has this top-level module.
#[must_use]
pub fn by_module(module: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.modules.contains(&module))
        .or_else(|| package(module).filter(|known| known.modules.is_empty()))
}

/// Packages that Indigo installs for all plugins, and those that come with them. Cordon has some of
/// them in its runtime and installs none. `_cordon_indigo_import.py` has the same.
const PREINSTALLED: [&str; 18] = [
    "anyio",
    "certifi",
    "charset-normalizer",
    "cryptography",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jinja2",
    "markupsafe",
    "matplotlib",
    "numpy",
    "pillow",
    "pyserial",
    "python-dateutil",
    "requests",
    "urllib3",
    "websockets",
];

/// Whether Indigo has this package without anybody asking for it.
#[must_use]
pub fn is_preinstalled(name: &str) -> bool {
    PREINSTALLED.contains(&normal_name(name).as_str())
}

/// The packages that are part of the runtime, with the version each stands for.
pub fn provided() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().filter_map(|known| match known.kind {
        Provided(version) => Some((known.name, version)),
        _ => None,
    })
}

/// Advice about a package without a pure-Python wheel: a sentence.
#[must_use]
pub fn advice(name: &str) -> String {
    match package(name).map(|known| known.kind) {
        Some(Provided(version)) => {
            format!("version {version} is part of the runtime; ask for no other")
        }
        Some(Build(_)) => format!(
            "its source has a pure form; add `--build {name}`, which runs its build script on this machine"
        ),
        Some(Native(advice)) => advice.to_owned(),
        Some(Pure) | None => format!(
            "it has no pure-Python wheel for Python {}; try an older version, or `--build {name}` when its source can do without native code",
            super::PYTHON
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_any_spelling_and_by_its_module() {
        assert_eq!(package("PyYAML").unwrap().name, "pyyaml");
        assert_eq!(by_module("yaml").unwrap().name, "pyyaml");
        assert_eq!(by_module("zeroconf").unwrap().name, "zeroconf");
        assert!(by_module("pyyaml").is_none(), "that is not its module");
        assert!(by_module("requests").is_none());
    }

    #[test]
    fn every_name_stands_once() {
        let names: std::collections::BTreeSet<_> =
            KNOWN.iter().map(|known| normal_name(known.name)).collect();
        assert_eq!(names.len(), KNOWN.len());
    }

    #[test]
    fn advice_names_what_to_type() {
        assert!(advice("PyYAML").contains("--build PyYAML"));
        assert!(advice("numpy").contains("native"));
        assert!(advice("pydantic-core").contains("pydantic<2"));
    }
}
