//! WIT values to Python values and back, in the shapes that `_cordon_domoticz`
//! and its siblings expect: records as tuples in field order or, for the few
//! that have many optional fields, as dictionaries.

use rustpython_vm::{
    PyObjectRef, PyResult, TryFromObject, VirtualMachine,
    builtins::{PyDictRef, PyTupleRef},
    convert::ToPyObject,
};

use crate::abi::cordon::plugin::connections::Endpoint;
use crate::abi::cordon::plugin::devices::{Change, DeviceError, NewDevice, ValueUpdate};
use crate::abi::cordon::plugin::images::{Image, ImageError};
use crate::abi::exports::cordon::plugin::domoticz::{Command, DeviceKey, Event, Level};
use crate::abi::exports::cordon::plugin::guest::Setup;
use crate::messages::inbound;

/// A `str`.
pub fn text(value: &str, vm: &VirtualMachine) -> PyObjectRef {
    vm.ctx.new_str(value).into()
}

/// A `str` or `None`.
pub fn optional_text(value: Option<String>, vm: &VirtualMachine) -> PyObjectRef {
    value.map_or_else(|| vm.ctx.none(), |value| text(&value, vm))
}

/// A list of pairs of text.
pub fn pairs(values: Vec<(String, String)>, vm: &VirtualMachine) -> PyObjectRef {
    let items = values
        .into_iter()
        .map(|(key, value)| tuple(vec![text(&key, vm), text(&value, vm)], vm))
        .collect();
    vm.ctx.new_list(items).into()
}

/// A tuple of these items.
pub fn tuple(items: Vec<PyObjectRef>, vm: &VirtualMachine) -> PyObjectRef {
    vm.ctx.new_tuple(items).into()
}

/// `setup` as a dictionary with the record's field names.
///
/// # Errors
///
/// Only those that a dictionary raises.
pub fn setup(setup: Setup, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
    let dict = vm.ctx.new_dict();
    let put = |key: &'static str, value: PyObjectRef| dict.set_item(key, value, vm);
    put("framework", text(&setup.framework, vm))?;
    put("name", text(&setup.name, vm))?;
    put("hardware_id", setup.hardware_id.to_pyobject(vm))?;
    put("key", text(&setup.key, vm))?;
    put("plugin_folder", text(&setup.plugin_folder, vm))?;
    put("data_folder", text(&setup.data_folder, vm))?;
    put("parameters", pairs(setup.parameters, vm))?;
    put("settings", pairs(setup.settings, vm))?;
    put("environment", pairs(setup.environment, vm))?;
    put("started_at", setup.started_at.to_pyobject(vm))?;
    put("utc_offset", setup.utc_offset.to_pyobject(vm))?;
    put("time_zone", text(&setup.time_zone, vm))?;
    let modules = setup.modules.iter().map(|name| text(name, vm)).collect();
    put("modules", vm.ctx.new_list(modules).into())?;
    put("packages", setup.packages.to_pyobject(vm))?;
    let code = setup
        .code
        .map_or_else(|| vm.ctx.none(), |code| vm.ctx.new_bytes(code).into());
    put("code", code)?;
    Ok(dict.into())
}

/// The arguments of `deliver`: the kind of the event, then its parts.
///
/// # Errors
///
/// None today; the signature is that of its siblings.
pub fn event(event: Event, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    let named = |kind: &'static str, mut rest: Vec<PyObjectRef>| {
        rest.insert(0, vm.ctx.intern_str(kind).to_owned().into());
        rest
    };
    let key = |device: DeviceKey| vec![text(&device.device_id, vm), device.unit.to_pyobject(vm)];
    Ok(match event {
        Event::Started => named("started", vec![]),
        Event::Stopping => named("stopping", vec![]),
        Event::Heartbeat => named("heartbeat", vec![]),
        Event::Connected(it) => named(
            "connected",
            vec![
                it.id.to_pyobject(vm),
                it.parent.to_pyobject(vm),
                text(&it.peer_address, vm),
                text(&it.peer_port, vm),
                it.status.to_pyobject(vm),
                text(&it.description, vm),
            ],
        ),
        Event::Message(it) => named(
            "message",
            vec![
                it.id.to_pyobject(vm),
                inbound(it.data, vm),
                match it.sender {
                    Some(peer) => tuple(vec![text(&peer.address, vm), text(&peer.port, vm)], vm),
                    None => vm.ctx.none(),
                },
            ],
        ),
        Event::TimedOut(id) => named("timed-out", vec![id.to_pyobject(vm)]),
        Event::Disconnected(id) => named("disconnected", vec![id.to_pyobject(vm)]),
        Event::Command(it) => named("command", command(it, vm)),
        Event::DeviceAdded(it) => named("device-added", key(it)),
        Event::DeviceModified(it) => named("device-modified", key(it)),
        Event::DeviceRemoved(it) => named("device-removed", key(it)),
        Event::Security(it) => named(
            "security",
            vec![
                text(&it.device_id, vm),
                it.unit.to_pyobject(vm),
                it.level.to_pyobject(vm),
                text(&it.description, vm),
            ],
        ),
        Event::Notification(it) => named(
            "notification",
            vec![
                text(&it.name, vm),
                text(&it.subject, vm),
                text(&it.text, vm),
                text(&it.status, vm),
                it.priority.to_pyobject(vm),
                text(&it.sound, vm),
                text(&it.image_file, vm),
            ],
        ),
        Event::Settings(values) => named("settings", vec![pairs(values, vm)]),
    })
}

fn command(command: Command, vm: &VirtualMachine) -> Vec<PyObjectRef> {
    let level = match command.level {
        Level::Whole(level) => level.to_pyobject(vm),
        Level::Real(level) => level.to_pyobject(vm),
    };
    vec![
        text(&command.device_id, vm),
        command.unit.to_pyobject(vm),
        text(&command.command, vm),
        level,
        text(&command.color, vm),
    ]
}

/// An icon set as a tuple in the order of the WIT record.
pub fn image(image: Image, vm: &VirtualMachine) -> PyObjectRef {
    tuple(
        vec![
            image.id.to_pyobject(vm),
            text(&image.base, vm),
            text(&image.name, vm),
            text(&image.description, vm),
        ],
        vm,
    )
}

/// `(True, *images)` or `(False, reason, *figures or text)`.
pub fn image_result(result: Result<Vec<Image>, ImageError>, vm: &VirtualMachine) -> PyObjectRef {
    let refused = |reason: &str, rest: Vec<PyObjectRef>| {
        let mut items = vec![vm.ctx.new_bool(false).into(), text(reason, vm)];
        items.extend(rest);
        tuple(items, vm)
    };
    match result {
        Ok(images) => {
            let mut items: Vec<PyObjectRef> = vec![vm.ctx.new_bool(true).into()];
            items.extend(images.into_iter().map(|it| image(it, vm)));
            tuple(items, vm)
        }
        Err(ImageError::Invalid(why)) => refused("invalid", vec![text(&why, vm)]),
        Err(ImageError::Missing) => refused("missing", vec![]),
        Err(ImageError::Unavailable) => refused("unavailable", vec![]),
        Err(ImageError::Limit((which, used, limit))) => refused(
            "limit",
            vec![
                text(&which, vm),
                used.to_pyobject(vm),
                limit.to_pyobject(vm),
            ],
        ),
    }
}

/// `(True, *parts)` or `(False, reason, *figures)`.
pub fn device_result(
    result: Result<Vec<PyObjectRef>, DeviceError>,
    vm: &VirtualMachine,
) -> PyObjectRef {
    let refused = |reason: &str| tuple(vec![vm.ctx.new_bool(false).into(), text(reason, vm)], vm);
    match result {
        Ok(mut parts) => {
            parts.insert(0, vm.ctx.new_bool(true).into());
            tuple(parts, vm)
        }
        Err(DeviceError::BadUnit) => refused("bad-unit"),
        Err(DeviceError::Exists) => refused("exists"),
        Err(DeviceError::Missing) => refused("missing"),
        Err(DeviceError::NotAccepting) => refused("not-accepting"),
        Err(DeviceError::Unavailable) => refused("unavailable"),
        Err(DeviceError::Limit((which, used, limit))) => tuple(
            vec![
                vm.ctx.new_bool(false).into(),
                text("limit", vm),
                text(&which, vm),
                used.to_pyobject(vm),
                limit.to_pyobject(vm),
            ],
            vm,
        ),
    }
}

/// Reads the items of a tuple one after the other.
pub struct Fields<'a> {
    items: std::slice::Iter<'a, PyObjectRef>,
    vm: &'a VirtualMachine,
}

impl<'a> Fields<'a> {
    /// From the first on.
    pub fn new(tuple: &'a PyTupleRef, vm: &'a VirtualMachine) -> Self {
        Self {
            items: tuple.as_slice().iter(),
            vm,
        }
    }

    /// The next item.
    ///
    /// # Errors
    ///
    /// `TypeError` when there is none or it is of another type.
    pub fn next<T: TryFromObject>(&mut self) -> PyResult<T> {
        match self.items.next() {
            Some(item) => T::try_from_object(self.vm, item.clone()),
            None => Err(self.vm.new_type_error("a field is missing")),
        }
    }
}

/// A list of tuples.
///
/// # Errors
///
/// `TypeError` when the object is no list, and the errors of `item`.
pub fn list_of<T>(
    object: &PyObjectRef,
    vm: &VirtualMachine,
    mut item: impl FnMut(&mut Fields<'_>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    let objects: Vec<PyObjectRef> = object.try_to_value(vm)?;
    objects
        .into_iter()
        .map(|object| {
            let tuple = PyTupleRef::try_from_object(vm, object)?;
            item(&mut Fields::new(&tuple, vm))
        })
        .collect()
}

fn read_pairs(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<(String, String)>> {
    list_of(object, vm, |fields| Ok((fields.next()?, fields.next()?)))
}

/// A new device from a tuple in the order of the WIT record.
///
/// # Errors
///
/// `TypeError` when a field has another type: a fault of the runtime's Python.
pub fn new_device(tuple: &PyTupleRef, vm: &VirtualMachine) -> PyResult<NewDevice> {
    let mut fields = Fields::new(tuple, vm);
    Ok(NewDevice {
        unit: fields.next()?,
        device_id: fields.next()?,
        name: fields.next()?,
        prefix_name: fields.next()?,
        device_type: fields.next()?,
        sub_type: fields.next()?,
        switch_type: fields.next()?,
        n_value: fields.next()?,
        s_value: fields.next()?,
        signal_level: fields.next()?,
        battery_level: fields.next()?,
        image: fields.next()?,
        used: fields.next()?,
        description: fields.next()?,
        color: fields.next()?,
        options: read_pairs(&fields.next()?, vm)?,
    })
}

/// A change from a dictionary in which a missing key means no change.
///
/// # Errors
///
/// `TypeError` when a value has another type.
pub fn change(dict: &PyDictRef, vm: &VirtualMachine) -> PyResult<Change> {
    fn get<T: TryFromObject>(
        dict: &PyDictRef,
        key: &'static str,
        vm: &VirtualMachine,
    ) -> PyResult<Option<T>> {
        match dict.get_item_opt(key, vm)? {
            Some(value) if !vm.is_none(&value) => T::try_from_object(vm, value).map(Some),
            _ => Ok(None),
        }
    }
    let value = |key: &'static str| -> PyResult<Option<ValueUpdate>> {
        let Some(tuple) = get::<PyTupleRef>(dict, key, vm)? else {
            return Ok(None);
        };
        let mut fields = Fields::new(&tuple, vm);
        Ok(Some(ValueUpdate {
            n_value: fields.next()?,
            s_value: fields.next()?,
            signal_level: fields.next()?,
            battery_level: fields.next()?,
        }))
    };
    Ok(Change {
        value: value("value")?,
        silent_value: value("silent_value")?,
        name: get(dict, "name", vm)?,
        description: get(dict, "description", vm)?,
        device_type: get(dict, "device_type", vm)?,
        sub_type: get(dict, "sub_type", vm)?,
        switch_type: get(dict, "switch_type", vm)?,
        image: get(dict, "image", vm)?,
        signal_level: get(dict, "signal_level", vm)?,
        battery_level: get(dict, "battery_level", vm)?,
        used: get(dict, "used", vm)?,
        color: get(dict, "color", vm)?,
        options: match get::<PyObjectRef>(dict, "options", vm)? {
            Some(options) => Some(read_pairs(&options, vm)?),
            None => None,
        },
        timed_out: get(dict, "timed_out", vm)?,
    })
}

/// An endpoint from a tuple in the order of the WIT record.
///
/// # Errors
///
/// `TypeError` when a field has another type.
pub fn endpoint(tuple: &PyTupleRef, vm: &VirtualMachine) -> PyResult<Endpoint> {
    let mut fields = Fields::new(tuple, vm);
    Ok(Endpoint {
        name: fields.next()?,
        transport: fields.next()?,
        protocol: fields.next()?,
        address: fields.next()?,
        port: fields.next()?,
        baud: fields.next()?,
    })
}
