//! `_cordon_serial`: the hub's serial ports as the runtime's Python calls them.
//!
//! The module has one function per function of `wit/` and no logic. A function that can
//! fail returns its answer or a `(word, value)` pair; package `serial` makes exceptions
//! of the pairs.

pub(crate) use _cordon_serial::module_def;

#[rustpython_vm::pymodule]
mod _cordon_serial {
    use rustpython_vm::{
        PyObjectRef, PyResult, VirtualMachine, builtins::PyTupleRef, convert::ToPyObject,
        function::ArgBytesLike,
    };

    use crate::abi::cordon::plugin::serial::{
        self, FlowControl, Output, Parity, PortError, Settings,
    };
    use crate::{convert, task};

    /// `(baud rate, data bits, parity, stop bits, flow control)`, where parity is
    /// 0, 1 (odd) or 2 (even), and flow control 0, 1 (software) or 2 (hardware).
    fn settings(from: &PyTupleRef, vm: &VirtualMachine) -> PyResult<Settings> {
        let mut numbers = Vec::new();
        for item in from.as_slice() {
            numbers.push(item.clone().try_into_value::<u32>(vm)?);
        }
        let [baud_rate, data_bits, parity, stop_bits, flow] = *numbers.as_slice() else {
            return Err(vm.new_type_error("settings are five numbers"));
        };
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        Ok(Settings {
            baud_rate,
            data_bits: small(data_bits),
            parity: match parity {
                1 => Parity::Odd,
                2 => Parity::Even,
                _ => Parity::None,
            },
            stop_bits: small(stop_bits),
            flow_control: match flow {
                1 => FlowControl::Software,
                2 => FlowControl::Hardware,
                _ => FlowControl::None,
            },
        })
    }

    /// `(None, answer)`, or the word for the failure and its details.
    fn answer<T>(
        result: Result<T, PortError>,
        vm: &VirtualMachine,
        shape: impl FnOnce(T) -> PyObjectRef,
    ) -> PyObjectRef {
        let (word, value) = match result {
            Ok(value) => (None, shape(value)),
            Err(PortError::Denied(text)) => (Some("denied"), text.to_pyobject(vm)),
            Err(PortError::NotFound) => (Some("not-found"), vm.ctx.none()),
            Err(PortError::Busy) => (Some("busy"), vm.ctx.none()),
            Err(PortError::TooMany) => (Some("too-many"), vm.ctx.none()),
            Err(PortError::Closed) => (Some("closed"), vm.ctx.none()),
            Err(PortError::Failed(number)) => (Some("failed"), number.to_pyobject(vm)),
        };
        convert::tuple(vec![word.to_pyobject(vm), value], vm)
    }

    fn nothing(vm: &VirtualMachine) -> impl FnOnce(()) -> PyObjectRef {
        let none = vm.ctx.none();
        |()| none
    }

    #[pyfunction]
    fn ports(vm: &VirtualMachine) -> PyObjectRef {
        let ports = serial::ports().into_iter().map(|port| {
            let (vendor, product) = port.usb.unzip();
            let items = vec![
                port.path.to_pyobject(vm),
                vendor.map(u32::from).to_pyobject(vm),
                product.map(u32::from).to_pyobject(vm),
                port.serial_number.to_pyobject(vm),
                port.manufacturer.to_pyobject(vm),
                port.product.to_pyobject(vm),
            ];
            convert::tuple(items, vm)
        });
        let ports = ports.collect();
        vm.ctx.new_list(ports).into()
    }

    #[pyfunction]
    fn open(
        path: String,
        how: PyTupleRef,
        exclusive: bool,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let how = settings(&how, vm)?;
        let opened = task::blocking(|| serial::open(&path, how, exclusive));
        Ok(answer(opened, vm, |number| number.to_pyobject(vm)))
    }

    #[pyfunction]
    fn configure(port: u32, how: PyTupleRef, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let how = settings(&how, vm)?;
        Ok(answer(serial::configure(port, how), vm, nothing(vm)))
    }

    #[pyfunction]
    fn read(port: u32, max: u32, timeout_ns: Option<u64>, vm: &VirtualMachine) -> PyObjectRef {
        let data = task::blocking(|| serial::read(port, max, timeout_ns));
        answer(data, vm, |data| vm.ctx.new_bytes(data).into())
    }

    #[pyfunction]
    fn write(
        port: u32,
        data: ArgBytesLike,
        timeout_ns: Option<u64>,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        let data = data.borrow_buf().to_vec();
        let written = task::blocking(|| serial::write(port, &data, timeout_ns));
        answer(written, vm, |written| written.to_pyobject(vm))
    }

    #[pyfunction]
    fn drain(port: u32, vm: &VirtualMachine) -> PyObjectRef {
        answer(task::blocking(|| serial::drain(port)), vm, nothing(vm))
    }

    #[pyfunction]
    fn cancel_read(port: u32) {
        serial::cancel_read(port);
    }

    #[pyfunction]
    fn cancel_write(port: u32) {
        serial::cancel_write(port);
    }

    #[pyfunction]
    fn waiting(port: u32, vm: &VirtualMachine) -> PyObjectRef {
        answer(serial::waiting(port), vm, |(input, output)| {
            convert::tuple(vec![input.to_pyobject(vm), output.to_pyobject(vm)], vm)
        })
    }

    #[pyfunction]
    fn clear(port: u32, input: bool, output: bool, vm: &VirtualMachine) -> PyObjectRef {
        answer(serial::clear(port, input, output), vm, nothing(vm))
    }

    /// CTS, DSR, RI, CD.
    #[pyfunction]
    fn status(port: u32, vm: &VirtualMachine) -> PyObjectRef {
        answer(serial::status(port), vm, |lines| {
            let lines = [lines.cts, lines.dsr, lines.ri, lines.cd];
            let lines = lines.into_iter().map(|line| line.to_pyobject(vm));
            convert::tuple(lines.collect(), vm)
        })
    }

    /// `which` is 0 for RTS, 1 for DTR, 2 for the break condition.
    #[pyfunction]
    fn signal(port: u32, which: u8, on: bool, vm: &VirtualMachine) -> PyObjectRef {
        let which = match which {
            0 => Output::Rts,
            1 => Output::Dtr,
            _ => Output::BreakCondition,
        };
        answer(serial::signal(port, which, on), vm, nothing(vm))
    }

    #[pyfunction]
    fn close(port: u32) {
        serial::close(port);
    }
}
