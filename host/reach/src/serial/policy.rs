//! Decides which serial ports an instance has: the granted ports, and those that the operator typed
//! into its parameters.

use std::path::Path;

use cordon_base::error::Denied;
use cordon_base::grants::GrantedPath;
use cordon_base::hint::Origin;

/// Where ports live. A parameter that is no path below it is no port but, say, the
/// number of a TCP port.
const DEVICES: &str = "/dev/";

/// The ports of one instance.
#[derive(Debug, Clone, Default)]
pub struct SerialPolicy {
    ports: Vec<GrantedPath>,
    origin: Origin,
}

impl SerialPolicy {
    /// The policy from the grants and the values of the parameters that name a
    /// port. Defaults of a plugin's definition must not be among them: they are
    /// the plugin author's words, not the operator's.
    #[must_use]
    pub fn new<'a>(grants: &[GrantedPath], typed: impl IntoIterator<Item = &'a str>) -> Self {
        let own = typed
            .into_iter()
            .map(str::trim)
            .filter(|value| value.starts_with(DEVICES))
            .filter_map(|value| value.parse().ok());
        let mut ports = grants.to_vec();
        for port in own {
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        Self {
            ports,
            origin: Origin::default(),
        }
    }

    /// The policy of an instance that comes from there.
    #[must_use]
    pub fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = origin.clone();
        self
    }

    /// Every port of the instance, whether it exists or not.
    pub fn ports(&self) -> impl Iterator<Item = &Path> {
        self.ports.iter().map(GrantedPath::path)
    }

    /// The granted path that `asked` means, links followed.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn granted(&self, asked: &str) -> Result<&Path, Denied> {
        let found = self
            .ports
            .iter()
            .find(|port| port.is_file(Path::new(asked)));
        found.map(GrantedPath::path).ok_or_else(|| {
            let printable: String = asked
                .chars()
                .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
                .take(200)
                .collect();
            Denied::new(
                format!("opening the serial port {printable}"),
                format!("serial = [\"{printable}\"]"),
                &self.origin,
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn typed_ports_and_granted_ones_are_the_instances_own() {
        let grants = ["/dev/ttyGRANTED".parse().unwrap()];
        let policy = SerialPolicy::new(&grants, ["/dev/ttyTYPED", "8080", "", "/etc/passwd"]);
        assert!(policy.granted("/dev/ttyGRANTED").is_ok());
        assert!(policy.granted("/dev/ttyTYPED").is_ok());
        for asked in ["/etc/passwd", "/dev/ttyOTHER", "/dev/../dev/ttyTYPED", ""] {
            assert!(policy.granted(asked).is_err(), "{asked}");
        }
        let denied = policy.granted("/dev/ttyS9").unwrap_err();
        assert_eq!(denied.grant, "serial = [\"/dev/ttyS9\"]");
    }

    #[test]
    fn a_link_to_a_granted_port_is_the_port() {
        let folder = tempfile::tempdir().unwrap();
        let (port, link) = (folder.path().join("port"), folder.path().join("by-id"));
        std::fs::write(&port, "").unwrap();
        std::os::unix::fs::symlink(&port, &link).unwrap();
        let policy = SerialPolicy::new(&[link.to_str().unwrap().parse().unwrap()], []);
        assert_eq!(policy.granted(port.to_str().unwrap()).unwrap(), link);
    }
}
