//! `serial`: serial ports of the hub's machine.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::serial::{
    self as abi, FlowControl, Lines, Output, Parity, PortError, PortInfo, Settings,
};
use crate::instance::state::{InstanceState, Shared};
use cordon_base::log::Level;
use cordon_reach::serial::{self, OpenRefusal, Port};

/// Error number of Linux.
const ENOMEM: i32 = 12;

impl InstanceState {
    fn port(&self, port: u32) -> Result<Arc<Port>, PortError> {
        found(&self.shared, port)
    }
}

fn found(shared: &Shared, port: u32) -> Result<Arc<Port>, PortError> {
    let port = shared.ports.serial.get(port);
    port.map_err(|error| told(shared, error))
}

impl abi::Host for InstanceState {
    fn ports(&mut self) -> Vec<PortInfo> {
        let ports = self.shared.ports.serial.list();
        ports.into_iter().map(info).collect()
    }

    fn configure(&mut self, port: u32, settings: Settings) -> Result<(), PortError> {
        let done = self.port(port)?.configure(&settings_of(&settings));
        done.map_err(|error| told(&self.shared, error))
    }

    fn cancel_read(&mut self, port: u32) {
        if let Ok(port) = self.port(port) {
            port.cancel_read();
        }
    }

    fn cancel_write(&mut self, port: u32) {
        if let Ok(port) = self.port(port) {
            port.cancel_write();
        }
    }

    fn waiting(&mut self, port: u32) -> Result<(u32, u32), PortError> {
        let waiting = self.port(port)?.waiting();
        waiting.map_err(|error| told(&self.shared, error))
    }

    fn clear(&mut self, port: u32, input: bool, output: bool) -> Result<(), PortError> {
        let done = self.port(port)?.clear(input, output);
        done.map_err(|error| told(&self.shared, error))
    }

    fn status(&mut self, port: u32) -> Result<Lines, PortError> {
        let status = self.port(port)?.status();
        status
            .map(|[cts, dsr, ri, cd]| Lines { cts, dsr, ri, cd })
            .map_err(|error| told(&self.shared, error))
    }

    fn signal(&mut self, port: u32, output: Output, on: bool) -> Result<(), PortError> {
        let port = self.port(port)?;
        let done = match output {
            Output::Rts => port.set_rts(on),
            Output::Dtr => port.set_dtr(on),
            Output::BreakCondition => port.set_break(on),
        };
        done.map_err(|error| told(&self.shared, error))
    }

    fn close(&mut self, port: u32) {
        self.shared.ports.serial.close(port);
    }
}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn open(
        accessor: &Accessor<InstanceState, Self>,
        path: String,
        settings: Settings,
        exclusive: bool,
    ) -> Result<u32, PortError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let settings = settings_of(&settings);
        let opened = shared.ports.serial.open(&path, settings, exclusive).await;
        opened.map_err(|refusal| match refusal {
            OpenRefusal::Port(error) => told(&shared, error),
            OpenRefusal::Limit(hit) => {
                shared.log.limit(&hit);
                PortError::TooMany
            }
        })
    }

    async fn read(
        accessor: &Accessor<InstanceState, Self>,
        port: u32,
        max: u32,
        timeout_ns: Option<u64>,
    ) -> Result<Vec<u8>, PortError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let timeout = timeout_ns.map(Duration::from_nanos);
        let read = found(&shared, port)?.read(max, timeout).await;
        read.map_err(|error| told(&shared, error))
    }

    async fn write(
        accessor: &Accessor<InstanceState, Self>,
        port: u32,
        data: Vec<u8>,
        timeout_ns: Option<u64>,
    ) -> Result<u32, PortError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let timeout = timeout_ns.map(Duration::from_nanos);
        // The port may take its time, in as many threads as the plugin has.
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let _charge = shared.account.charge(length).map_err(|hit| {
            shared.log.limit(&hit);
            PortError::Failed(ENOMEM)
        })?;
        let written = found(&shared, port)?.write(&data, timeout).await;
        let written = written.map_err(|error| told(&shared, error))?;
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    async fn drain(accessor: &Accessor<InstanceState, Self>, port: u32) -> Result<(), PortError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let drained = found(&shared, port)?.drain().await;
        drained.map_err(|error| told(&shared, error))
    }
}

fn told(shared: &Shared, error: serial::PortError) -> PortError {
    match error {
        serial::PortError::Denied(denied) => {
            let text = denied.to_string();
            shared.log.plugin(true, Level::Error, &text);
            PortError::Denied(text)
        }
        serial::PortError::NotFound => PortError::NotFound,
        serial::PortError::Busy => PortError::Busy,
        serial::PortError::Closed => PortError::Closed,
        serial::PortError::Failed(number) => PortError::Failed(number),
    }
}

fn settings_of(settings: &Settings) -> serial::Settings {
    serial::Settings {
        baud_rate: settings.baud_rate,
        data_bits: settings.data_bits,
        parity: match settings.parity {
            Parity::None => serial::Parity::None,
            Parity::Odd => serial::Parity::Odd,
            Parity::Even => serial::Parity::Even,
        },
        stop_bits: settings.stop_bits,
        flow: match settings.flow_control {
            FlowControl::None => serial::Flow::None,
            FlowControl::Software => serial::Flow::Software,
            FlowControl::Hardware => serial::Flow::Hardware,
        },
    }
}

fn info(port: serial::PortInfo) -> PortInfo {
    PortInfo {
        path: port.path,
        usb: port.usb,
        serial_number: port.serial_number,
        manufacturer: port.manufacturer,
        product: port.product,
    }
}
