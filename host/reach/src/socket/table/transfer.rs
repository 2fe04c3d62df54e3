//! Bytes and datagrams, out and in.

use std::net::SocketAddr;

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny};

use super::super::access::is_for_many;
use super::super::entry::Entry;
use super::super::{
    DATAGRAM_BYTES, Datagram, EAGAIN, Failure, Handle, Kind, MessageFlags, RECEIVE_BYTES,
};
use super::{STRANGERS, Sockets};

impl Sockets {
    /// Sends on a connected socket.
    ///
    /// # Errors
    ///
    /// EAGAIN when the buffer is full; EACCES for a datagram to a target without a
    /// grant; the system's.
    pub fn send(&self, handle: Handle, data: &[u8], flags: MessageFlags) -> Result<u32, Failure> {
        let entry = self.entry(handle)?;
        if entry.kind == Kind::Datagram {
            // At each sending: a port that was the instance's own may be another's by now.
            if let Some(peer) = entry.peer().ok().flatten().filter(|_| !entry.paired) {
                let checked = self.access.check_target(&entry, peer, &self.own());
                checked.map_err(|denied| self.access.refuse(&denied))?;
                entry.reach().asked_all |= is_for_many(peer);
            }
        }
        let sent = rustix::net::send(&*entry.io, data, send_flags(flags))?;
        Ok(u32::try_from(sent).unwrap_or(u32::MAX))
    }

    /// Sends one datagram.
    ///
    /// # Errors
    ///
    /// EACCES with the line that grants the target; the system's.
    pub fn send_to(
        &self,
        handle: Handle,
        data: &[u8],
        target: SocketAddr,
        flags: MessageFlags,
    ) -> Result<u32, Failure> {
        let entry = self.entry(handle)?;
        if entry.kind == Kind::Stream {
            // The system ignores the target of a connected stream, and must not
            // connect one here.
            return self.send(handle, data, flags);
        }
        let checked = self.access.check_target(&entry, target, &self.own());
        checked.map_err(|denied| self.access.refuse(&denied))?;
        let sent = rustix::net::sendto(&*entry.io, data, send_flags(flags), &target)?;
        entry.reach().asked_all |= is_for_many(target);
        Ok(u32::try_from(sent).unwrap_or(u32::MAX))
    }

    /// Receives.
    ///
    /// # Errors
    ///
    /// EAGAIN when there is nothing; the system's.
    pub fn receive(
        &self,
        handle: Handle,
        size: u32,
        flags: MessageFlags,
    ) -> Result<Vec<u8>, Failure> {
        let entry = self.entry(handle)?;
        if entry.kind == Kind::Datagram && !entry.paired {
            return Ok(self.take(&entry, size, flags)?.data);
        }
        let mut data = buffer(&entry, size);
        if data.capacity() == 0 {
            return Ok(data);
        }
        rustix::net::recv(&*entry.io, spare_capacity(&mut data), receive_flags(flags))?;
        Ok(data)
    }

    /// Receives, and tells from whom.
    ///
    /// # Errors
    ///
    /// EAGAIN when there is nothing; the system's.
    pub fn receive_from(
        &self,
        handle: Handle,
        size: u32,
        flags: MessageFlags,
    ) -> Result<Datagram, Failure> {
        let entry = self.entry(handle)?;
        self.take(&entry, size, flags)
    }

    /// Takes data off a socket; data from strangers is thrown away.
    fn take(&self, entry: &Entry, size: u32, flags: MessageFlags) -> Result<Datagram, Failure> {
        for _ in 0..STRANGERS {
            let mut data = buffer(entry, size);
            let mut flags_now = receive_flags(flags);
            // An empty buffer takes a datagram off the queue all the same.
            flags_now.set(RecvFlags::TRUNC, entry.kind == Kind::Datagram);
            let mut one = [0_u8; 1];
            let (length, source) = if data.capacity() == 0 {
                let (_, length, source) =
                    rustix::net::recvfrom(&*entry.io, &mut one[..0], flags_now)?;
                (length, source)
            } else {
                let (_, length, source) =
                    rustix::net::recvfrom(&*entry.io, spare_capacity(&mut data), flags_now)?;
                (length, source)
            };
            let source = source.and_then(socket_address);
            if let (Kind::Datagram, false, Some(source)) = (entry.kind, entry.paired, source)
                && !self.access.may_hear(entry, source, &self.own())
            {
                if flags.peek {
                    let _ = rustix::net::recv(&*entry.io, &mut one[..], RecvFlags::empty());
                }
                continue;
            }
            return Ok(Datagram {
                length: u32::try_from(length).unwrap_or(u32::MAX),
                data,
                source,
            });
        }
        Err(Failure::new(EAGAIN))
    }
}

/// Room for the bytes that one call may receive.
fn buffer(entry: &Entry, size: u32) -> Vec<u8> {
    let most = match entry.kind {
        Kind::Stream => RECEIVE_BYTES,
        Kind::Datagram => DATAGRAM_BYTES,
    };
    Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0))
}

fn receive_flags(flags: MessageFlags) -> RecvFlags {
    let mut system = RecvFlags::empty();
    system.set(RecvFlags::PEEK, flags.peek);
    system.set(RecvFlags::OOB, flags.out_of_band);
    system
}

fn send_flags(flags: MessageFlags) -> SendFlags {
    let mut system = SendFlags::NOSIGNAL;
    system.set(SendFlags::OOB, flags.out_of_band);
    system.set(SendFlags::MORE, flags.more);
    system
}

fn socket_address(address: SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(address).ok()
}
