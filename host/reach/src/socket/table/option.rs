//! Options of sockets, with the sizes of their buffers bounded, and memberships of groups.

use std::net::SocketAddr;

use cordon_base::limits::Limits;

use super::super::options::{self, Device, OptionName};
use super::super::{Failure, Handle};
use super::Sockets;

impl Sockets {
    /// Reads an option.
    ///
    /// # Errors
    ///
    /// EBADF, ENOPROTOOPT.
    pub fn get_option(&self, handle: Handle, name: OptionName) -> Result<i32, Failure> {
        let entry = self.entry(handle)?;
        options::get(&entry, name)
    }

    /// Sets an option; sizes of buffers are cut to the `socket-buffer` limit.
    ///
    /// # Errors
    ///
    /// EBADF, EINVAL, ENOPROTOOPT.
    pub fn set_option(&self, handle: Handle, name: OptionName, value: i32) -> Result<(), Failure> {
        let entry = self.entry(handle)?;
        let value = match name {
            // That of a listener is its clients' until they are accepted.
            OptionName::SoRcvbuf => match entry.reach().received {
                Some(most) => value.min(most),
                None => self.bounded(value),
            },
            OptionName::SoSndbuf => self.bounded(value),
            _ => value,
        };
        options::set(&entry, name, value)
    }

    /// The size of a buffer that the system, which doubles it, makes no larger than
    /// the limit.
    fn bounded(&self, value: i32) -> i32 {
        let used = u64::try_from(value).unwrap_or(0).saturating_mul(2);
        if used <= self.buffer {
            return value;
        }
        let hit = Limits::hit("socket-buffer", used, self.buffer);
        self.access.log.limit(&hit);
        i32::try_from(self.buffer / 2).unwrap_or(i32::MAX)
    }

    /// The size to ask for, which the system doubles, of a buffer as large as the limit.
    pub(super) fn buffer_size(&self) -> usize {
        usize::try_from(self.buffer / 2)
            .unwrap_or(usize::MAX)
            .max(1)
    }

    /// Joins or leaves a group.
    ///
    /// # Errors
    ///
    /// EACCES with the line that grants the group; the system's.
    pub fn membership(
        &self,
        handle: Handle,
        group: SocketAddr,
        device: Device,
        join: bool,
    ) -> Result<(), Failure> {
        let entry = self.entry(handle)?;
        if join {
            let port = entry.bound().map_or(0, |bound| bound.port());
            let checked = self.access.policy.check_group(group.ip(), port);
            checked.map_err(|denied| self.access.refuse(&denied))?;
        }
        options::membership(&entry, group, device, join)
    }
}
