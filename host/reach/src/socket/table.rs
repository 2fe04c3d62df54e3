//! The table of an instance's sockets, and what can be done with one.

mod transfer;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny};
use socket2::SockAddr;
use tokio_util::sync::CancellationToken;

use super::access::{Access, is_for_many, own_socket};
use super::entry::Entry;
use super::options::{self, Device, OptionName};
use super::wait::{self, Events, Waiting};
use super::{
    BACKLOG, DATAGRAM_BYTES, Datagram, Description, Direction, EAGAIN, EBADF, EINVAL, EMFILE,
    EOPNOTSUPP, FIRST_HANDLE, Failure, Handle, Kind, LEFT, MessageFlags, OWN_BACKLOG,
    OWN_UNACCEPTED, RECEIVE_BYTES, UNACCEPTED,
};
use crate::Reach;
use crate::names::{HOST_NAME, LookupFailure, Purpose};
use cordon_base::descriptors::{Permit, Share};
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;

/// Clients or datagrams from strangers that one call throws away.
const STRANGERS: u32 = 32;

/// The sockets of one instance. Dropping it closes them.
pub struct Sockets {
    access: Access,
    limit: u64,
    buffer: u64,
    descriptors: Share,
    table: Mutex<BTreeMap<Handle, Open>>,
}

/// What a handle leads to.
#[derive(Clone)]
struct Open {
    entry: Arc<Entry>,
    closed: CancellationToken,
}

impl Sockets {
    /// An empty table.
    #[must_use]
    pub fn new(reach: Reach, limits: &Limits, log: PluginLog) -> Self {
        Self {
            access: Access {
                policy: reach.network,
                names: reach.names,
                log,
            },
            descriptors: reach.descriptors,
            limit: limits.sockets,
            buffer: limits.socket_buffer,
            table: Mutex::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<Handle, Open>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, handle: Handle) -> Result<Open, Failure> {
        let found = self.table().get(&handle).cloned();
        found.ok_or_else(|| Failure::new(EBADF))
    }

    fn entry(&self, handle: Handle) -> Result<Arc<Entry>, Failure> {
        Ok(self.open(handle)?.entry)
    }

    /// Every socket once or more often.
    fn own(&self) -> Vec<Arc<Entry>> {
        let table = self.table();
        table.values().map(|open| Arc::clone(&open.entry)).collect()
    }

    /// Whether `more` sockets fit.
    fn room(&self, more: u64) -> Result<(), Failure> {
        let open = u64::try_from(self.table().len()).unwrap_or(u64::MAX);
        let used = open.saturating_add(more);
        if used > self.limit {
            self.access
                .log
                .limit(&Limits::hit("sockets", used, self.limit));
            return Err(Failure::new(EMFILE));
        }
        Ok(())
    }

    /// A place for one more open socket.
    fn descriptor(&self) -> Result<Permit, Failure> {
        self.descriptors.take(1).map_err(|hit| {
            self.access.log.limit(&hit);
            Failure::new(EMFILE)
        })
    }

    fn insert(&self, entry: Arc<Entry>) -> Handle {
        let mut table = self.table();
        let mut handle = FIRST_HANDLE;
        for used in table.keys() {
            if *used != handle {
                break;
            }
            handle = handle.saturating_add(1);
        }
        let closed = CancellationToken::new();
        table.insert(handle, Open { entry, closed });
        handle
    }

    /// Makes a socket.
    ///
    /// # Errors
    ///
    /// EMFILE for the `sockets` limit; the system's.
    pub fn create(&self, v6: bool, kind: Kind) -> Result<Handle, Failure> {
        self.room(1)?;
        let entry = Entry::new(v6, kind, self.buffer, self.descriptor()?)?;
        Ok(self.insert(Arc::new(entry)))
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// EMFILE for the `sockets` limit; the system's.
    pub fn pair(&self, kind: Kind) -> Result<(Handle, Handle), Failure> {
        self.room(2)?;
        let descriptors = (self.descriptor()?, self.descriptor()?);
        let (one, two) = Entry::pair(kind, self.buffer, descriptors)?;
        Ok((self.insert(Arc::new(one)), self.insert(Arc::new(two))))
    }

    /// A second handle of one socket.
    ///
    /// # Errors
    ///
    /// EBADF; EMFILE for the `sockets` limit.
    pub fn duplicate(&self, handle: Handle) -> Result<Handle, Failure> {
        let entry = self.entry(handle)?;
        self.room(1)?;
        Ok(self.insert(entry))
    }

    /// Closes a handle and wakes who waits for it; false when there is none.
    pub fn close(&self, handle: Handle) -> bool {
        let Some(open) = self.table().remove(&handle) else {
            return false;
        };
        open.closed.cancel();
        let still_open = self
            .table()
            .values()
            .any(|other| Arc::ptr_eq(&other.entry, &open.entry));
        if !still_open {
            self.give_up(&open.entry);
        }
        if !still_open && Arc::strong_count(&open.entry) > 1 {
            // Whoever waits holds the socket until its turn comes; the peer and the
            // port must not wait for that.
            let _ = open.entry.io.shutdown(Direction::Both);
        }
        true
    }

    /// A client that is closed before an own listener has accepted it leaves what it has sent
    /// to the system. Few may; what the others have sent goes with them.
    fn give_up(&self, client: &Entry) {
        let Some(address) = client.bound().filter(|_| client.kind == Kind::Stream) else {
            return;
        };
        let own = self.own();
        let left: usize = own.iter().map(|own| own.reach().left()).sum();
        let waits = own.iter().any(|own| own.reach().leaves(address));
        if waits
            && left >= LEFT
            && let Err(error) = client.io.set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "an own client leaves what it has sent");
        }
    }

    /// What a handle stands for.
    ///
    /// # Errors
    ///
    /// EBADF.
    pub fn describe(&self, handle: Handle) -> Result<Description, Failure> {
        let entry = self.entry(handle)?;
        let listening = entry.reach().listening;
        Ok(Description {
            v6: entry.v6,
            kind: entry.kind,
            listening,
            paired: entry.paired,
        })
    }

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
        // Clients have the listener's buffer until they are accepted. What they send before
        // is charged to nobody, and stays when they have gone.
        let received = received.min(self.buffer_size());
        entry.io.set_recv_buffer_size(received)?;
        let backlog = i32::try_from(backlog.min(most)).unwrap_or(1);
        entry.io.listen(backlog)?;
        entry.forget_watch();
        entry.reach().listening = true;
        Ok(())
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
        // A datagram socket may have any target: plugins ask the socket for its own address
        // then, to learn that of the machine. Each sending is looked at.
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

    /// Ends one or both directions.
    ///
    /// # Errors
    ///
    /// EBADF, ENOTCONN.
    pub fn shutdown(&self, handle: Handle, direction: Direction) -> Result<(), Failure> {
        Ok(self.entry(handle)?.io.shutdown(direction)?)
    }

    /// The socket's own address; nothing for a pair.
    ///
    /// # Errors
    ///
    /// EBADF.
    pub fn local_address(&self, handle: Handle) -> Result<Option<SocketAddr>, Failure> {
        self.entry(handle)?.local()
    }

    /// The peer's address; nothing for a pair.
    ///
    /// # Errors
    ///
    /// EBADF, ENOTCONN.
    pub fn peer_address(&self, handle: Handle) -> Result<Option<SocketAddr>, Failure> {
        self.entry(handle)?.peer()
    }

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
            OptionName::SoRcvbuf | OptionName::SoSndbuf => self.bounded(value),
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
    fn buffer_size(&self) -> usize {
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

    /// Waits until a socket is ready; false when the timeout ran out.
    ///
    /// # Errors
    ///
    /// EBADF, at once or when it is closed meanwhile.
    pub async fn wait(
        &self,
        handle: Handle,
        events: Events,
        timeout: Option<Duration>,
    ) -> Result<bool, Failure> {
        let Open { entry, closed } = self.open(handle)?;
        let waiting = [Waiting {
            entry,
            closed,
            events,
        }];
        let ready = wait::poll(&waiting, timeout).await?;
        if ready.contains(&Events::INVALID) {
            return Err(Failure::new(EBADF));
        }
        Ok(ready.iter().any(|events| !events.is_empty()))
    }

    /// Waits until one of many is ready; an empty answer when the timeout ran out.
    ///
    /// # Errors
    ///
    /// EINVAL for more entries than the `sockets` limit.
    pub async fn poll(
        &self,
        sockets: &[(Handle, Events)],
        timeout: Option<Duration>,
    ) -> Result<Vec<(Handle, Events)>, Failure> {
        let count = u64::try_from(sockets.len()).unwrap_or(u64::MAX);
        if count > self.limit {
            let hit = Limits::hit("sockets", count, self.limit);
            self.access.log.limit(&hit);
            return Err(Failure::new(EINVAL));
        }
        let mut ready = Vec::new();
        let mut handles = Vec::with_capacity(sockets.len());
        let mut waiting = Vec::with_capacity(sockets.len());
        for (handle, events) in sockets {
            match self.open(*handle) {
                Ok(Open { entry, closed }) => {
                    handles.push(*handle);
                    waiting.push(Waiting {
                        entry,
                        closed,
                        events: *events,
                    });
                }
                Err(_) => ready.push((*handle, Events::INVALID)),
            }
        }
        let timeout = if ready.is_empty() {
            timeout
        } else {
            Some(Duration::ZERO)
        };
        let found = wait::poll(&waiting, timeout).await?;
        let found = handles.into_iter().zip(found);
        ready.extend(found.filter(|(_, events)| !events.is_empty()));
        Ok(ready)
    }

    /// The addresses of a name.
    ///
    /// # Errors
    ///
    /// [`LookupFailure`]; the log has been told of a denial and of a limit.
    pub async fn resolve(
        &self,
        name: &str,
        port: Option<u16>,
    ) -> Result<Vec<IpAddr>, LookupFailure> {
        let found = self.access.names.resolve(name, Purpose::Socket(port)).await;
        let mut addresses = Vec::new();
        for address in self.told(found)? {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(addresses)
    }

    /// The name of an address.
    ///
    /// # Errors
    ///
    /// [`LookupFailure`]; the log has been told of a limit.
    pub async fn reverse(&self, address: IpAddr) -> Result<String, LookupFailure> {
        let found = self.access.names.reverse(address).await;
        match found {
            // Plugins ask for the name of whoever connected; that is no attempt to reach it.
            Err(LookupFailure::Denied(_)) => found,
            found => self.told(found),
        }
    }

    fn told<T>(&self, found: Result<T, LookupFailure>) -> Result<T, LookupFailure> {
        match &found {
            Err(LookupFailure::Denied(denied)) => self.access.log.denied(denied),
            Err(LookupFailure::Limit(hit)) => self.access.log.limit(hit),
            _ => {}
        }
        found
    }

    /// What `gethostname` answers.
    #[must_use]
    pub fn host_name(&self) -> &'static str {
        HOST_NAME
    }
}

/// Two numbers that only matter here.
mod libc_errno {
    pub(super) const EALREADY: i32 = 114;
    pub(super) const EISCONN: i32 = 106;
}
