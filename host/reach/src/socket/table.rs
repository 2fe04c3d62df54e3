//! The table of an instance's sockets, and the calls on them.

mod connect;
mod option;
mod transfer;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::entry::Entry;
use super::wait::{self, Events, Waiting};
use super::{
    Description, Direction, EBADF, EINVAL, EMFILE, FIRST_HANDLE, Failure, Handle, Kind, LEFT,
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

/// The socket that a handle leads to.
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
            // A call that waits holds the socket until its turn comes; the peer and the port must
            // not wait for that.
            let _ = open.entry.io.shutdown(Direction::Both);
        }
        true
    }

    /// A client that is closed before an own listener has accepted it leaves the bytes that it has
    /// sent to the system. Few clients may do so; the bytes of the others go with them.
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

    /// The socket that a handle stands for.
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

    /// The answer of `gethostname`.
    #[must_use]
    pub fn host_name(&self) -> &'static str {
        HOST_NAME
    }
}
