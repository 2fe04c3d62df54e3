//! The life of a Domoticz plugin: the order of its callbacks, and its connections.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::abi::exports::cordon::plugin::domoticz::{self as abi, GuestIndices};
use crate::connection::{ConnectionEvent, Connections, Credit};
use crate::convert::{self, Told};
use crate::delivery::Delivery;
use crate::state::State;
use cordon_base::error::InstanceFailure;
use cordon_base::log::Level;
use cordon_runtime::framework::{Data, Event, Lifecycle, Setup, Step};
use cordon_runtime::instance::guest::Guest;
use cordon_runtime::instance::state::InstanceState;

/// How long threads may take to end after `onStop` (behaviour spec 2.4: ten
/// waits of one second, each with a line).
const THREAD_GRACE: u32 = 10;

/// How long threads may take to end before the log mentions them.
const THREAD_EXIT: Duration = Duration::from_millis(200);

/// How long connections may take to give their last events when stopping.
const DISCONNECT_GRACE: Duration = Duration::from_secs(5);

/// The parameter that is a setting of the hub.
const LANGUAGE: &str = "Language";

/// One life of a Domoticz plugin.
pub(crate) struct Life {
    pub(crate) state: Arc<State>,
    /// `Settings` at the start.
    pub(crate) settings: Vec<(String, String)>,
    /// The connections of this life.
    pub(crate) connections: Connections,
    /// Events of these connections.
    pub(crate) events: mpsc::Receiver<ConnectionEvent>,
    /// An event of a connection that has its turn.
    pub(crate) next: Option<ConnectionEvent>,
    /// The exports that only Domoticz plugins use, once there is a component.
    pub(crate) exports: Option<abi::Guest>,
}

impl Life {
    async fn call(&self, guest: &mut Guest<'_>, event: abi::Event) -> Result<(), InstanceFailure> {
        let Some(exports) = &self.exports else {
            return Ok(());
        };
        let name = convert::callback(&event);
        let call = exports.call_deliver(guest.hub(), event);
        guest.call(name, call).await.map(drop)
    }

    /// Gives the plugin an event of a connection. Its buffer is given back once the plugin has it.
    async fn tell(
        &self,
        guest: &mut Guest<'_>,
        event: ConnectionEvent,
    ) -> Result<(), InstanceFailure> {
        let (event, credit): (_, Option<Credit>) = convert::connection(event);
        self.call(guest, event).await?;
        drop(credit);
        Ok(())
    }

    /// Closes the connections, and gives the plugin their last events.
    async fn disconnect(&mut self, guest: &mut Guest<'_>) -> Result<(), InstanceFailure> {
        self.connections.shutdown();
        let grace = Instant::now() + DISCONNECT_GRACE;
        while self.connections.open() > 0 {
            tokio::select! {
                Some(event) = self.events.recv() => self.tell(guest, event).await?,
                () = sleep_until(grace) => break,
            }
        }
        while let Ok(event) = self.events.try_recv() {
            self.tell(guest, event).await?;
        }
        Ok(())
    }
}

impl Lifecycle for Life {
    fn data(&self) -> Data {
        let data: Data = self.state.clone();
        data
    }

    fn load(
        &mut self,
        store: &mut Store<InstanceState>,
        instance: &Instance,
    ) -> wasmtime::Result<()> {
        let exports = GuestIndices::new(&instance.instance_pre(&*store))?;
        self.exports = Some(exports.load(store, instance)?);
        Ok(())
    }

    fn set_up(&mut self, setup: &mut Setup) {
        setup.settings = std::mem::take(&mut self.settings);
        let parameter = setup.parameters.iter_mut().find(|(key, _)| key == LANGUAGE);
        let setting = setup.settings.iter().find(|(key, _)| key == LANGUAGE);
        if let (Some((_, parameter)), Some((_, setting))) = (parameter, setting) {
            parameter.clone_from(setting);
        }
    }

    fn begin<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(self.call(guest, abi::Event::Started))
    }

    fn settle(&mut self) -> bool {
        for request in self.state.requests.take() {
            self.connections.carry_out(request);
        }
        self.state.heartbeat.settle()
    }

    fn occurs(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            tokio::select! {
                Some(event) = self.events.recv() => self.next = Some(event),
                () = self.state.requests.came() => {}
            }
        })
    }

    fn attend<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async move {
            match self.next.take() {
                Some(event) => self.tell(guest, event).await,
                None => Ok(()),
            }
        })
    }

    fn deliver<'a>(&'a mut self, guest: &'a mut Guest<'_>, event: Event) -> Step<'a> {
        Box::pin(async move {
            let Ok(delivery) = event.downcast::<Delivery>() else {
                tracing::error!("a Domoticz plugin was sent an event of another framework");
                return Ok(());
            };
            let Delivery { event, charge } = *delivery;
            match event.into() {
                Told::Event(event) => self.call(guest, event).await?,
                Told::Call(name, arguments) => drop(guest.function(name, &arguments).await?),
            }
            drop(charge);
            Ok(())
        })
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.state.heartbeat.seconds()))
    }

    fn beat<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(self.call(guest, abi::Event::Heartbeat))
    }

    /// Stops as behaviour spec 2.4 says: connections first, `onStop` last, then the threads.
    fn end<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async move {
            self.state.requests.stop();
            self.disconnect(guest).await?;
            self.call(guest, abi::Event::Stopping).await?;
            // A thread that Python has joined is still on its way out of the component.
            guest.wait_for_threads(THREAD_EXIT).await?;
            for second in 1..=THREAD_GRACE {
                let alive = guest.shared().threads.alive();
                if alive == 0 {
                    return Ok(());
                }
                let line = format!(
                    "{alive} threads still run after onStop, {second} of {THREAD_GRACE} s waited"
                );
                guest.shared().log.hub(Level::Error, &line);
                guest.wait_for_threads(Duration::from_secs(1)).await?;
            }
            let line = "threads still run, the plugin is ended with them";
            guest.shared().log.hub(Level::Error, line);
            Ok(())
        })
    }
}
