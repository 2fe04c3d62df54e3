//! What the kernel tells about a port that exists, from its tree of devices.

use std::path::{Path, PathBuf};

use super::SerialPolicy;

/// A port that exists. Texts are absent where the kernel has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortInfo {
    /// The path as the operator wrote it.
    pub path: String,
    /// USB vendor and product.
    pub usb: Option<(u16, u16)>,
    /// Serial number of the device.
    pub serial_number: Option<String>,
    /// Manufacturer of the device.
    pub manufacturer: Option<String>,
    /// Name of the device.
    pub product: Option<String>,
}

/// Longest text that is passed on; a device chooses it.
const TEXT: usize = 256;

/// How far above a port's node the USB device is at most: interface, device.
const STEPS: usize = 4;

/// The ports of a policy that exist.
#[must_use]
pub fn existing(policy: &SerialPolicy) -> Vec<PortInfo> {
    policy.ports().filter_map(look).collect()
}

fn look(path: &Path) -> Option<PortInfo> {
    let real = path.canonicalize().ok()?;
    let info = PortInfo {
        path: path.to_str()?.to_owned(),
        ..PortInfo::default()
    };
    let node = Path::new("/sys/class/tty")
        .join(real.file_name()?)
        .join("device");
    Some(usb_device(&node).map_or(info.clone(), |device| describe(info, &device)))
}

/// The folder of the USB device that a port belongs to.
fn usb_device(node: &Path) -> Option<PathBuf> {
    let node = node.canonicalize().ok()?;
    let mut above = node.ancestors().take(STEPS);
    above
        .find(|folder| folder.join("idVendor").is_file())
        .map(Path::to_owned)
}

fn describe(info: PortInfo, device: &Path) -> PortInfo {
    let number = |name| u16::from_str_radix(&text(device, name)?, 16).ok();
    PortInfo {
        usb: number("idVendor").zip(number("idProduct")),
        serial_number: text(device, "serial"),
        manufacturer: text(device, "manufacturer"),
        product: text(device, "product"),
        ..info
    }
}

fn text(device: &Path, name: &str) -> Option<String> {
    let bytes = std::fs::read(device.join(name)).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..TEXT).unwrap_or(&bytes));
    Some(text.trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_usb_device_is_described_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("1-1/1-1:1.0/ttyUSB0");
        std::fs::create_dir_all(&port).unwrap();
        let device = folder.path().join("1-1");
        let facts = [
            ("idVendor", "0403\n"),
            ("idProduct", "6001\n"),
            ("product", "Adapter\n"),
        ];
        for (name, value) in facts {
            std::fs::write(device.join(name), value).unwrap();
        }
        let found = usb_device(&port).unwrap();
        let info = describe(PortInfo::default(), &found);
        assert_eq!(info.usb, Some((0x0403, 0x6001)));
        assert_eq!(info.product.as_deref(), Some("Adapter"));
        assert_eq!(info.serial_number, None);
    }
}
