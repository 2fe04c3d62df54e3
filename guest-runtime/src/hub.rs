//! `_cordon`: the hub's functions as the runtime's Python calls them.
//!
//! The module has one function per function of `wit/` and no logic. Blocking functions
//! go through [`task::blocking`](crate::task::blocking).

pub(crate) use _cordon::module_def;

use crate::abi::cordon::plugin::log;

/// `log.level.error` as Python passes it.
pub const LEVEL_ERROR: u8 = 2;

/// `log.origin.core` as Python passes it.
pub const ORIGIN_CORE: u8 = 1;

/// Writes a record to the plugin's log; unknown numbers mean the normal case.
pub fn write_log(level: u8, origin: u8, text: &str) {
    let level = match level {
        1 => log::Level::Status,
        LEVEL_ERROR => log::Level::Error,
        3 => log::Level::Debug,
        _ => log::Level::Normal,
    };
    let origin = match origin {
        ORIGIN_CORE => log::Origin::Core,
        _ => log::Origin::Hardware,
    };
    log::write(level, origin, text);
}

#[rustpython_vm::pymodule]
mod _cordon {
    use rustpython_vm::{
        PyObjectRef, PyResult, VirtualMachine,
        builtins::{PyDictRef, PyTupleRef, PyUtf8StrRef},
        convert::ToPyObject,
        function::ArgBytesLike,
        pyclass, pystruct_sequence, pystruct_sequence_data,
        types::PyStructSequence,
    };

    use crate::abi::cordon::plugin::{
        code, commands, configuration, connections, devices, images, notifier, schedule, storage,
    };
    use crate::{convert, messages, task};

    #[pyfunction]
    fn log(level: u8, origin: u8, text: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let text = text.str(vm)?;
        crate::hub::write_log(level, origin, &text.to_string_lossy());
        Ok(())
    }

    #[pyfunction]
    fn heartbeat() -> u32 {
        schedule::heartbeat()
    }

    #[pyfunction]
    fn set_heartbeat(seconds: u32) {
        schedule::set_heartbeat(seconds);
    }

    #[pyfunction]
    fn code_keep(source_hash: PyUtf8StrRef, compiled: ArgBytesLike) {
        code::keep(source_hash.as_str(), &compiled.borrow_buf());
    }

    #[pyfunction]
    fn code_closed() {
        code::closed();
    }

    /// Bytes used and allowed, files used and allowed.
    #[pyfunction]
    fn storage(vm: &VirtualMachine) -> PyObjectRef {
        let room = storage::room();
        convert::tuple(
            vec![
                room.bytes_used.to_pyobject(vm),
                room.bytes_allowed.to_pyobject(vm),
                room.files_used.to_pyobject(vm),
                room.files_allowed.to_pyobject(vm),
            ],
            vm,
        )
    }

    #[pyfunction]
    fn configuration_load() -> Option<String> {
        task::blocking(configuration::load)
    }

    #[pyfunction]
    fn configuration_store(json: PyUtf8StrRef) -> Option<&'static str> {
        let json = json.as_str().to_owned();
        match task::blocking(|| configuration::store(&json)) {
            Ok(()) => None,
            Err(configuration::StoreError::TooLarge) => Some("too-large"),
            Err(configuration::StoreError::Unavailable) => Some("unavailable"),
        }
    }

    #[pyfunction]
    fn reply(json: PyUtf8StrRef) {
        commands::reply(json.as_str());
    }

    /// `(None, reply)` or the kind of the failure and its text.
    #[pyfunction]
    fn call(name: PyUtf8StrRef, arguments: PyUtf8StrRef, vm: &VirtualMachine) -> PyObjectRef {
        use commands::FailureKind as Kind;
        let name = name.as_str().to_owned();
        let arguments = arguments.as_str().to_owned();
        let (kind, text) = match task::blocking(|| commands::call(&name, &arguments)) {
            Ok(reply) => (None, reply),
            Err(failure) => {
                let kind = match failure.kind {
                    Kind::Value => "value",
                    Kind::Key => "key",
                    Kind::Index => "index",
                    Kind::Plugin => "plugin",
                    Kind::Type => "type",
                    Kind::Timeout => "timeout",
                    Kind::Unsupported => "unsupported",
                    Kind::Limit => "limit",
                    Kind::Other => "other",
                };
                (Some(kind), failure.message)
            }
        };
        convert::tuple(vec![kind.to_pyobject(vm), text.to_pyobject(vm)], vm)
    }

    /// The contract's record `device`, its fields by name.
    #[pystruct_sequence_data]
    struct RowData {
        id: PyObjectRef,
        unit: PyObjectRef,
        device_id: PyObjectRef,
        name: PyObjectRef,
        device_type: PyObjectRef,
        sub_type: PyObjectRef,
        switch_type: PyObjectRef,
        n_value: PyObjectRef,
        s_value: PyObjectRef,
        signal_level: PyObjectRef,
        battery_level: PyObjectRef,
        last_level: PyObjectRef,
        image: PyObjectRef,
        used: PyObjectRef,
        description: PyObjectRef,
        color: PyObjectRef,
        options: PyObjectRef,
        last_update: PyObjectRef,
        adjustment: PyObjectRef,
        multiplier: PyObjectRef,
    }

    #[pyattr]
    #[pystruct_sequence(name = "device", module = "_cordon", data = "RowData")]
    struct PyRow;

    #[pyclass(with(PyStructSequence))]
    impl PyRow {}

    fn row(row: devices::Device, vm: &VirtualMachine) -> PyObjectRef {
        let data = RowData {
            id: row.id.to_pyobject(vm),
            unit: row.unit.to_pyobject(vm),
            device_id: convert::text(&row.device_id, vm),
            name: convert::text(&row.name, vm),
            device_type: row.device_type.to_pyobject(vm),
            sub_type: row.sub_type.to_pyobject(vm),
            switch_type: row.switch_type.to_pyobject(vm),
            n_value: row.n_value.to_pyobject(vm),
            s_value: convert::text(&row.s_value, vm),
            signal_level: row.signal_level.to_pyobject(vm),
            battery_level: row.battery_level.to_pyobject(vm),
            last_level: row.last_level.to_pyobject(vm),
            image: row.image.to_pyobject(vm),
            used: row.used.to_pyobject(vm),
            description: convert::text(&row.description, vm),
            color: convert::text(&row.color, vm),
            options: convert::pairs(row.options, vm),
            last_update: convert::text(&row.last_update, vm),
            adjustment: row.adjustment.to_pyobject(vm),
            multiplier: row.multiplier.to_pyobject(vm),
        };
        PyRow::from_data(data, vm).into()
    }

    #[pyfunction]
    fn devices_list(vm: &VirtualMachine) -> PyObjectRef {
        let rows = task::blocking(devices::list)
            .into_iter()
            .map(|found| row(found, vm))
            .collect();
        vm.ctx.new_list(rows).into()
    }

    #[pyfunction]
    fn device_get(device_id: Option<String>, unit: u32, vm: &VirtualMachine) -> PyObjectRef {
        let found = task::blocking(|| devices::get(device_id.as_deref(), unit));
        found.map_or_else(|| vm.ctx.none(), |found| row(found, vm))
    }

    #[pyfunction]
    fn device_create(device: PyTupleRef, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let device = convert::new_device(&device, vm)?;
        let result = task::blocking(|| devices::create(&device));
        let result = result.map(|stored| vec![row(stored, vm)]);
        Ok(convert::device_result(result, vm))
    }

    #[pyfunction]
    fn device_update(id: i64, change: PyDictRef, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let change = convert::change(&change, vm)?;
        let result = task::blocking(|| devices::update(id, &change));
        let result = result.map(|stored| vec![row(stored, vm)]);
        Ok(convert::device_result(result, vm))
    }

    #[pyfunction]
    fn device_delete(id: i64, vm: &VirtualMachine) -> PyObjectRef {
        let result = task::blocking(|| devices::delete(id));
        convert::device_result(result.map(|()| vec![]), vm)
    }

    #[pyfunction]
    fn device_touch(id: i64, vm: &VirtualMachine) -> PyObjectRef {
        let result = task::blocking(|| devices::touch(id));
        let result = result.map(|stored| vec![row(stored, vm)]);
        convert::device_result(result, vm)
    }

    #[pyfunction]
    fn notifier_register(name: PyUtf8StrRef) {
        notifier::register(name.as_str());
    }

    #[pyfunction]
    fn images_list(vm: &VirtualMachine) -> PyObjectRef {
        let images = task::blocking(images::list)
            .into_iter()
            .map(|image| convert::image(image, vm))
            .collect();
        vm.ctx.new_list(images).into()
    }

    #[pyfunction]
    fn image_create(archive: ArgBytesLike, vm: &VirtualMachine) -> PyObjectRef {
        let archive = archive.borrow_buf().to_vec();
        let result = task::blocking(|| images::create(&archive));
        convert::image_result(result, vm)
    }

    #[pyfunction]
    fn image_delete(id: i64, vm: &VirtualMachine) -> PyObjectRef {
        let result = task::blocking(|| images::delete(id));
        convert::image_result(result.map(|()| vec![]), vm)
    }

    /// `None` for a queued request, else the word for the refusal.
    fn queued(result: Result<(), connections::Refusal>) -> Option<&'static str> {
        match result {
            Ok(()) => None,
            Err(connections::Refusal::InboxFull) => Some("inbox-full"),
            Err(connections::Refusal::TooLarge) => Some("too-large"),
            Err(connections::Refusal::Stopping) => Some("stopping"),
        }
    }

    #[pyfunction]
    fn connection_connect(
        id: u32,
        endpoint: PyTupleRef,
        timeout_ms: u32,
        vm: &VirtualMachine,
    ) -> PyResult<Option<&'static str>> {
        let endpoint = convert::endpoint(&endpoint, vm)?;
        Ok(queued(connections::connect(id, &endpoint, timeout_ms)))
    }

    #[pyfunction]
    fn connection_listen(
        id: u32,
        endpoint: PyTupleRef,
        vm: &VirtualMachine,
    ) -> PyResult<Option<&'static str>> {
        let endpoint = convert::endpoint(&endpoint, vm)?;
        Ok(queued(connections::listen(id, &endpoint)))
    }

    #[pyfunction]
    fn connection_send(
        id: u32,
        endpoint: PyTupleRef,
        message: PyObjectRef,
        delay: u32,
        vm: &VirtualMachine,
    ) -> PyResult<Option<&'static str>> {
        let endpoint = convert::endpoint(&endpoint, vm)?;
        let message = messages::outbound(message, vm)?;
        Ok(queued(connections::send(id, &endpoint, &message, delay)))
    }

    #[pyfunction]
    fn connection_disconnect(id: u32) -> Option<&'static str> {
        queued(connections::disconnect(id))
    }

    #[pyfunction]
    fn connection_release(id: u32) {
        connections::release(id);
    }

    #[pyfunction]
    fn connection_status(id: u32, vm: &VirtualMachine) -> PyObjectRef {
        match connections::status(id) {
            None => vm.ctx.none(),
            Some(state) => convert::tuple(
                vec![
                    state.connecting.to_pyobject(vm),
                    state.connected.to_pyobject(vm),
                    state.bytes_transferred.to_pyobject(vm),
                    vm.ctx.new_str(state.last_seen).into(),
                ],
                vm,
            ),
        }
    }
}
