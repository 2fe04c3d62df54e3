//! Sockets on their way to peers: own addresses, listeners and their clients, connects.

use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockAddr;

use super::super::access::own_socket;
use super::super::entry::Entry;
use super::super::{
    ALL_BACKLOGS, BACKLOG, EAGAIN, EINVAL, EOPNOTSUPP, Failure, Handle, Kind, OWN_BACKLOG,
    OWN_UNACCEPTED, UNACCEPTED,
};
use super::{STRANGERS, Sockets};

impl Sockets {
    /// Gives a socket its own address.
    ///
    /// # Errors
    ///
    /// EACCES with the line that grants the port; the system's.
    pub fn bind(&self, handle: Handle, address: SocketAddr) -> Result<(), Failure> {
        let entry = self.entry(handle)?;
        let open = self.access.check_bind(address.port());
        let open = open.map_err(|denied| self.access.refuse(&denied))?;
        entry.bind(address)?;
        entry.reach().open = open;
        Ok(())
    }

    /// Lets clients connect.
    ///
    /// # Errors
    ///
    /// EACCES with the line that grants the port; the system's.
    pub fn listen(&self, handle: Handle, backlog: u32) -> Result<(), Failure> {
        let entry = self.entry(handle)?;
        if entry.kind == Kind::Datagram || entry.paired {
            return Err(Failure::new(EOPNOTSUPP));
        }
        let checked = self.access.check_listen(&entry);
        checked.map_err(|denied| self.access.refuse(&denied))?;
        let (most, received) = match entry.reach().open {
            true => (BACKLOG, UNACCEPTED),
            false => (OWN_BACKLOG, OWN_UNACCEPTED),
        };
        // Clients have the listener's buffer until they are accepted. Bytes that they send before
        // are charged to nobody, and stay when they have gone.
        let received = received.min(self.buffer_size());
        entry.io.set_recv_buffer_size(received)?;
        let backlog = backlog.min(most).min(self.unaccepted(&entry));
        entry.io.listen(i32::try_from(backlog).unwrap_or(1))?;
        entry.forget_watch();
        let mut reach = entry.reach();
        reach.listening = true;
        reach.backlog = backlog;
        reach.received = i32::try_from(received).ok();
        Ok(())
    }

    /// How many clients may wait for this listener beside those of all others.
    fn unaccepted(&self, entry: &Arc<Entry>) -> u32 {
        let others = self
            .own()
            .into_iter()
            .filter(|own| !Arc::ptr_eq(own, entry));
        // Handles of one socket count as often: whoever duplicates a listener loses by it.
        let taken = others.map(|own| own.reach().backlog);
        ALL_BACKLOGS.saturating_sub(taken.fold(0, u32::saturating_add))
    }

    /// Takes the next client.
    ///
    /// # Errors
    ///
    /// EAGAIN when there is none; EMFILE for the `sockets` limit; the system's.
    pub fn accept(&self, handle: Handle) -> Result<(Handle, SocketAddr), Failure> {
        let entry = self.entry(handle)?;
        self.room(1)?;
        let mut descriptor = Some(self.descriptor()?);
        for _ in 0..STRANGERS {
            let (io, peer) = entry.io.accept()?;
            let peer = peer.as_socket().ok_or_else(|| Failure::new(EINVAL))?;
            let mut reach = entry.reach();
            let expected = reach.meets(peer);
            let welcome = reach.open || expected;
            drop(reach);
            if welcome && let Some(descriptor) = descriptor.take() {
                io.set_nonblocking(true)?;
                io.set_recv_buffer_size(self.buffer_size())?;
                let client = Entry::accepted(io, entry.v6, descriptor);
                return Ok((self.insert(Arc::new(client)), peer));
            }
        }
        Err(Failure::new(EAGAIN))
    }

    /// Begins to connect.
    ///
    /// # Errors
    ///
    /// EINPROGRESS; EACCES with the line that grants the target; the system's.
    pub fn connect(&self, handle: Handle, target: SocketAddr) -> Result<(), Failure> {
        let entry = self.entry(handle)?;
        let own = self.own();
        let checked = self.access.check_target(&entry, target, &own);
        // A datagram socket may have any target: plugins ask the socket for its own address then,
        // to learn that of the machine. Each sending is checked.
        if let (Err(denied), Kind::Stream) = (checked, entry.kind) {
            return Err(self.access.refuse(&denied));
        }
        let listener = match entry.kind {
            Kind::Stream => own_socket(Kind::Stream, target, &own),
            Kind::Datagram => None,
        };
        if listener.is_some_and(|listener| !listener.reach().has_room()) {
            return Err(Failure::new(EAGAIN));
        }
        let connected = entry.io.connect(&SockAddr::from(target));
        let already = connected
            .as_ref()
            .err()
            .and_then(std::io::Error::raw_os_error);
        // A connect that runs, or has succeeded, keeps its registration.
        if !matches!(already, Some(libc_errno::EALREADY | libc_errno::EISCONN)) {
            entry.forget_watch();
        }
        if let Some(listener) = listener
            && let Some(client) = entry.bound()
        {
            listener.reach().expect(client);
        }
        Ok(connected?)
    }
}

/// Two numbers that only matter here.
mod libc_errno {
    pub(super) const EALREADY: i32 = 114;
    pub(super) const EISCONN: i32 = 106;
}
