//! The connections of one instance, driven by its actor.
//!
//! Owns the effect of each request in each state (spec 5.2). Nothing here waits: a request changes
//! the state, and a task does the rest. Dropping this ends every task and closes every socket
//! without events.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::{Context, Links, lock};
use super::delay::{DelayQueue, Delayed};
use super::echo::run_echoes;
use super::link::{Link, Phase, Sending};
use super::listener::run_listener;
use super::serial::run_serial;
use super::stream::run_client;
use super::udp::run_datagrams;
use super::{
    ConnectionEvent, ConnectionId, ConnectionLimits, Debt, Endpoint, LogSink, Request, State, udp,
};
use cordon_base::error::{Denied, LimitHit};
use cordon_protocol::{Codec, Credentials, Outbound};
use cordon_reach::Reach;
use cordon_reach::icmp;
use cordon_reach::tls_client::TlsClient;

/// Shortest timeout in milliseconds (rule 80).
const MIN_TIMEOUT_MS: u32 = 200;

/// Payloads that wait for their echo request; sending one takes no time, but for
/// the moment in which the host's name is resolved.
const ECHOES_WAITING: usize = 16;

/// All connections of one instance.
pub struct Connections {
    context: Arc<Context>,
    delays: Arc<DelayQueue>,
    /// The task that sends delayed messages runs; most plugins never need it.
    delaying: bool,
}

/// Answers `status` from any task, for as long as anybody asks.
#[derive(Clone)]
pub struct StatusBoard(Links);

impl StatusBoard {
    /// How the connection stands; nothing when it has no transport.
    pub fn status(&self, id: ConnectionId) -> Option<State> {
        let link = lock(&self.0).get(&id).cloned();
        link.and_then(|link| link.state())
    }
}

impl Connections {
    /// Prepares for an instance; nothing is opened.
    ///
    /// `events` is bounded by its maker: when it is full, reading stops.
    pub fn new(
        reach: Reach,
        limits: ConnectionLimits,
        credentials: Credentials,
        tls: Arc<TlsClient>,
        debt: Debt,
        log: LogSink,
        events: mpsc::Sender<ConnectionEvent>,
    ) -> Self {
        Self {
            context: Arc::new(Context::new(
                reach,
                limits,
                credentials,
                tls,
                debt,
                log,
                events,
            )),
            delays: Arc::default(),
            delaying: false,
        }
    }

    /// Carries out a request that the guest queued. Never waits; call it in a tokio runtime.
    ///
    /// A request that cannot be carried out is a line in the plugin's log, which names the change
    /// that would help; nothing is raised (spec 4.2).
    pub fn carry_out(&mut self, request: Request) {
        match request {
            Request::Disconnect { id } => self.disconnect(id),
            Request::Release { id } => self.release(id),
            Request::Connect {
                id,
                endpoint,
                timeout_ms,
            } => {
                let result = self.connect(id, &endpoint, timeout_ms);
                self.report("connect", &endpoint, result);
            }
            Request::Listen { id, endpoint } => {
                let result = self.listen(id, &endpoint);
                self.report("listen", &endpoint, result);
            }
            Request::Send {
                id,
                endpoint,
                message,
                delay_seconds,
            } => self.send(id, endpoint, message, delay_seconds),
        }
    }

    /// How the connection stands; nothing when it has no transport.
    pub fn status(&self, id: ConnectionId) -> Option<State> {
        self.board().status(id)
    }

    /// A handle that answers [`Connections::status`] in other tasks.
    pub fn board(&self) -> StatusBoard {
        StatusBoard(Arc::clone(&self.context.links))
    }

    /// Connections, listeners and accepted clients whose last event is not out.
    pub fn open(&self) -> usize {
        lock(&self.context.links).len()
    }

    /// Begins the end (spec 2.4): every connection is closed, and each gives its
    /// `Disconnected`. From here on requests are ignored with a line.
    pub fn shutdown(&mut self) {
        self.context.stopping.store(true, Ordering::Release);
        self.delays.clear();
        for link in lock(&self.context.links).values() {
            link.close();
        }
        self.context.tasks.close();
    }

    /// Waits, after [`Connections::shutdown`], until every event is in the channel.
    ///
    /// Take events out of the channel meanwhile: a full one holds this up.
    pub async fn drained(&self) {
        self.context.tasks.wait().await;
    }

    fn report(&self, what: &str, endpoint: &Endpoint, result: Result<(), String>) {
        if let Err(reason) = result {
            let name = &endpoint.name;
            self.context
                .error(format!("{what} refused for connection '{name}': {reason}"));
        }
    }

    /// Whether the instance is stopping; if so a line has been written (rule 22).
    fn ignored(&self, what: &str, endpoint: &Endpoint) -> bool {
        let stopping = self.context.is_stopping();
        if stopping {
            let name = &endpoint.name;
            self.context.normal(format!(
                "{what} ignored for connection '{name}': the plugin is stopping"
            ));
        }
        stopping
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        endpoint: &Endpoint,
        timeout_ms: u32,
    ) -> Result<(), String> {
        if self.ignored("connect", endpoint) {
            return Ok(());
        }
        if (1..MIN_TIMEOUT_MS).contains(&timeout_ms) {
            return Err(format!(
                "a timeout is 0 or at least {MIN_TIMEOUT_MS} ms, not {timeout_ms}"
            ));
        }
        match endpoint.transport.as_str() {
            "TCP/IP" | "TLS/IP" if endpoint.port.trim().is_empty() => {
                return Err(format!("transport {} needs a Port", endpoint.transport));
            }
            "TCP/IP" | "TLS/IP" => {}
            "Serial" => {}
            other => return Err(format!("transport {other} cannot connect")),
        }
        let link = self.new_link(id, endpoint, Phase::Connecting, Sending::Stream)?;
        let timeout = (timeout_ms > 0).then(|| Duration::from_millis(u64::from(timeout_ms)));
        let context = Arc::clone(&self.context);
        if endpoint.transport == "Serial" {
            if Codec::is_secure(&endpoint.protocol) {
                let Endpoint { name, protocol, .. } = endpoint;
                self.context.error(format!(
                    "connection '{name}': protocol {protocol} is not encrypted on a serial port"
                ));
            }
            let task = run_serial(context, link, endpoint.clone(), timeout);
            self.context.spawn(task);
        } else {
            let task = run_client(context, link, endpoint.clone(), timeout);
            self.context.spawn(task);
        }
        Ok(())
    }

    fn listen(&mut self, id: ConnectionId, endpoint: &Endpoint) -> Result<(), String> {
        if self.ignored("listen", endpoint) {
            return Ok(());
        }
        match endpoint.transport.as_str() {
            "TCP/IP" => self.listen_for_clients(id, endpoint),
            "UDP/IP" => self.listen_for_datagrams(id, endpoint),
            "ICMP/IP" => self.listen_for_echoes(id, endpoint),
            other => Err(format!("transport {other} cannot listen")),
        }
    }

    fn listen_for_clients(&self, id: ConnectionId, endpoint: &Endpoint) -> Result<(), String> {
        // A text that is no number stands for any port (spec 6.5).
        let port = cordon_base::grants::parse_port(endpoint.port.trim()).unwrap_or(0);
        let checked = self.context.reach.network.check_listen(port);
        let link = self.new_link(id, endpoint, Phase::Listening, Sending::Stream)?;
        let link = self.allowed(link, checked)?;
        let task = run_listener(Arc::clone(&self.context), link, endpoint.clone(), port);
        self.context.spawn(task);
        Ok(())
    }

    fn listen_for_datagrams(&self, id: ConnectionId, endpoint: &Endpoint) -> Result<(), String> {
        let port = cordon_base::grants::parse_port(endpoint.port.trim()).unwrap_or(0);
        let group = udp::group(&endpoint.address);
        let network = &self.context.reach.network;
        let checked = network.check_listen(port).and_then(|()| match group {
            Some(group) => network.check_group(group.into(), port),
            None => Ok(()),
        });
        let link = self.new_link(id, endpoint, Phase::Connecting, Sending::Refused)?;
        let link = self.allowed(link, checked)?;
        let context = Arc::clone(&self.context);
        let task = run_datagrams(context, link, endpoint.clone(), port, group);
        self.context.spawn(task);
        Ok(())
    }

    fn listen_for_echoes(&self, id: ConnectionId, endpoint: &Endpoint) -> Result<(), String> {
        let (sender, payloads) = mpsc::channel(ECHOES_WAITING);
        let link = self.new_link(id, endpoint, Phase::Connecting, Sending::Echoes(sender))?;
        let task = run_echoes(Arc::clone(&self.context), link, endpoint.clone(), payloads);
        self.context.spawn(task);
        Ok(())
    }

    /// The link, or its failure if it is not allowed.
    fn allowed(&self, link: Arc<Link>, checked: Result<(), Denied>) -> Result<Arc<Link>, String> {
        match checked {
            Ok(()) => Ok(link),
            Err(denied) => {
                self.fail(link, "Permission denied");
                Err(denied.to_string())
            }
        }
    }

    /// Puts a new link in the table, if the id is free or its link is ending.
    ///
    /// A link that ends hands its slot on, so that a plugin at its limit can
    /// connect again from `onConnect` or `onDisconnect`.
    fn new_link(
        &self,
        id: ConnectionId,
        endpoint: &Endpoint,
        phase: Phase,
        sending: Sending,
    ) -> Result<Arc<Link>, String> {
        let context = &self.context;
        let (slot, waits_for) = match context.link(id) {
            Some(former) if former.is(Phase::Open) => return Err("it is connected".to_owned()),
            Some(former) if former.is_live() => return Err("it is connecting".to_owned()),
            Some(former) => {
                // One link may wait for another, but no queue of them.
                let waits = former.waits_for.as_ref();
                if waits.is_some_and(|done| !done.is_cancelled()) {
                    return Err("it is still disconnecting".to_owned());
                }
                (former.slot(), Some(former.done.clone()))
            }
            None => (None, None),
        };
        let slot = match slot {
            Some(slot) => slot,
            None => context.take_slot().map_err(|hit| context.over(&hit))?,
        };
        let mut link = Link::new(id, endpoint, phase, context, slot, waits_for);
        link.sending = sending;
        let link = Arc::new(link);
        context.insert(&link);
        Ok(link)
    }

    /// Tells of a failure with status -1, after which no disconnect comes.
    fn fail(&self, link: Arc<Link>, description: &str) {
        let context = Arc::clone(&self.context);
        let description = description.to_owned();
        link.advance(Phase::Closed);
        self.context.spawn(async move {
            if let Some(former) = &link.waits_for {
                former.cancelled().await;
            }
            let failed = ConnectionEvent::outcome(link.id, -1, description);
            context.finish(&link, failed).await;
        });
    }

    fn send(&mut self, id: ConnectionId, endpoint: Endpoint, message: Outbound, delay: u32) {
        if self.ignored("send", &endpoint) {
            return;
        }
        if delay == 0 {
            send_now(&self.context, id, &endpoint, &message);
            return;
        }
        let name = endpoint.name.clone();
        let delayed = Delayed {
            id,
            endpoint,
            message,
            charge: None,
        };
        let delay = Duration::from_secs(u64::from(delay));
        let (limits, account) = (&self.context.limits, &self.context.reach.account);
        match self.delays.push(delayed, delay, limits, account) {
            Ok(()) => self.start_delaying(),
            Err(hit) => refuse_send(&self.context, &name, &self.context.over(&hit)),
        }
    }

    fn start_delaying(&mut self) {
        if std::mem::replace(&mut self.delaying, true) {
            return;
        }
        let (context, delays) = (Arc::clone(&self.context), Arc::clone(&self.delays));
        let kill = self.context.kill.clone();
        // Not one of the tasks that `drained` waits for: this one never ends.
        tokio::spawn(async move {
            let work = async {
                loop {
                    let due = delays.due().await;
                    for Delayed {
                        id,
                        endpoint,
                        message,
                        charge: _charge,
                    } in due.messages
                    {
                        send_now(&context, id, &endpoint, &message);
                    }
                    for link in due.released.iter().filter_map(|&id| context.link(id)) {
                        link.close();
                    }
                }
            };
            kill.run_until_cancelled(context.paced(work)).await
        });
    }

    fn disconnect(&self, id: ConnectionId) {
        match self.context.link(id) {
            Some(link) if link.is_live() => link.close(),
            Some(link) => {
                let name = &link.name;
                self.context.error(format!(
                    "disconnect refused for connection '{name}': it is not connected"
                ));
            }
            None => self
                .context
                .error("disconnect refused: the connection is not connected".to_owned()),
        }
    }

    fn release(&self, id: ConnectionId) {
        if self.delays.postpone_release(id) {
            return;
        }
        if let Some(link) = self.context.link(id) {
            link.close();
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.context.kill.cancel();
    }
}

/// Encodes and queues a message if its connection can take it (spec 5.2).
fn send_now(context: &Context, id: ConnectionId, endpoint: &Endpoint, message: &Outbound) {
    if context.is_stopping() {
        return;
    }
    let sent = match context.link(id) {
        Some(link) if link.is(Phase::Open) => send_on(context, &link, message),
        None if endpoint.transport == "UDP/IP" => udp::send(context, endpoint, message),
        _ => Err("it is not connected".to_owned()),
    };
    if let Err(reason) = sent {
        refuse_send(context, &endpoint.name, &reason);
    }
}

fn send_on(context: &Context, link: &Link, message: &Outbound) -> Result<(), String> {
    if matches!(link.sending, Sending::Refused) {
        return Err("it listens for datagrams; send with another connection".to_owned());
    }
    let mut bytes = link.encode(message, &context.credentials)?;
    if matches!(link.sending, Sending::Echoes(_)) {
        // No request takes more.
        bytes.truncate(icmp::PAYLOAD);
        bytes.shrink_to_fit();
    }
    let count = bytes.len();
    match &link.sending {
        Sending::Echoes(waiting) => waiting
            .try_send(bytes)
            .map_err(|_| format!("{ECHOES_WAITING} echo requests wait already"))?,
        _ => link
            .outbox
            .push(&bytes)
            .map_err(|hit: LimitHit| context.over(&hit))?,
    }
    link.count(count);
    Ok(())
}

fn refuse_send(context: &Context, name: &str, reason: &str) {
    context.error(format!("send refused for connection '{name}': {reason}"));
}
