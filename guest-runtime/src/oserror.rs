//! `OSError` with Linux's numbers.
//!
//! The interpreter knows the platform's numbers only. Two things are put right here.
//! `OSError(number, ...)` picks its subclass by Linux's number. An exception that the
//! interpreter made of an error of the platform gets Linux's number and words when it
//! is first looked at; the way in which it was made tells it from others.

use std::cell::OnceCell;

use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine,
    builtins::{PyBaseException, PyInt, PyStr, PyType},
    function::{FuncArgs, PySetterValue},
    types::Callable,
};

use crate::errno;
use crate::single::Single;

/// The attributes of the interpreter's own that the ones set here lead to.
struct Own {
    errno: PyObjectRef,
    strerror: PyObjectRef,
    args: PyObjectRef,
    reduce: PyObjectRef,
}

static OWN: Single<OnceCell<Own>> = Single(OnceCell::new());

/// Puts module `errno`, `os.strerror` and the exceptions right. Called before the
/// snapshot, and before any module of Python's is imported.
///
/// # Errors
///
/// When the interpreter lacks something that is replaced here.
pub fn install(vm: &VirtualMachine) -> PyResult<()> {
    name_numbers(vm)?;
    let posix = vm.import("posix", 0)?;
    let strerror = vm.new_function("strerror", |number: i32| errno::described(number));
    posix.set_attr("strerror", strerror, vm)?;

    let class = vm.ctx.exceptions.os_error;
    let own = |class: &Py<PyType>, name: &'static str| {
        let found = class.get_attr(vm.ctx.intern_str(name));
        found.ok_or_else(|| vm.new_attribute_error(name))
    };
    let own = Own {
        errno: own(class, "errno")?,
        strerror: own(class, "strerror")?,
        args: own(vm.ctx.exceptions.base_exception_type, "args")?,
        reduce: own(class, "__reduce__")?,
    };
    if OWN.set(own).is_err() {
        return Err(vm.new_runtime_error("OSError is set up once"));
    }
    attribute(class, "errno", |own| &own.errno, vm);
    attribute(class, "strerror", |own| &own.strerror, vm);
    attribute(class, "args", |own| &own.args, vm);
    let reduce = |error: PyObjectRef, vm: &VirtualMachine| -> PyResult {
        settle(&error, vm)?;
        let Some(own) = OWN.get() else {
            return Ok(vm.ctx.none());
        };
        own.reduce.call((error,), vm)
    };
    class.set_str_attr(
        "__reduce__",
        vm.new_method("__reduce__", class, reduce),
        &vm.ctx,
    );
    show_settled(class, vm)?;

    class.slots().vectorcall.store(Some(construct));
    vm.ctx.types.type_type.slots().call.store(Some(call_type));
    Ok(())
}

/// Module `errno` as Linux has it.
fn name_numbers(vm: &VirtualMachine) -> PyResult<()> {
    let module = vm.import("errno", 0)?;
    let Some(names) = module.dict() else {
        return Ok(());
    };
    let former: Vec<PyObjectRef> = names.clone().into_iter().map(|(name, _)| name).collect();
    for name in former {
        let is_number = name
            .downcast_ref::<PyStr>()
            .is_some_and(|name| name.to_string_lossy().starts_with('E'));
        if is_number {
            names.del_item(&*name, vm)?;
        }
    }
    let codes = vm.ctx.new_dict();
    for (name, number) in errno::names() {
        let number: PyObjectRef = vm.ctx.new_int(number).into();
        names.set_item(name, number.clone(), vm)?;
        if !codes.contains_key(&*number, vm) {
            codes.set_item(&*number, vm.ctx.new_str(name).into(), vm)?;
        }
    }
    names.set_item("errorcode", codes.into(), vm)
}

/// An attribute that is settled before it is looked at or set.
fn attribute(
    class: &'static Py<PyType>,
    name: &str,
    own: impl Fn(&Own) -> &PyObjectRef + Copy + Send + Sync + 'static,
    vm: &VirtualMachine,
) {
    let get = move |error: PyObjectRef, vm: &VirtualMachine| -> PyResult {
        settle(&error, vm)?;
        read(own, &error, vm)
    };
    let set =
        move |error: PyObjectRef, value: PySetterValue, vm: &VirtualMachine| -> PyResult<()> {
            settle(&error, vm)?;
            match value {
                PySetterValue::Assign(value) => write(own, &error, value, vm),
                PySetterValue::Delete => Err(vm.new_type_error("can't delete attribute")),
            }
        };
    class.set_str_attr(
        name,
        vm.ctx.new_static_getset(name, class, get, set),
        &vm.ctx,
    );
}

/// `repr` looks at the arguments without asking for the attribute.
fn show_settled(class: &Py<PyType>, vm: &VirtualMachine) -> PyResult<()> {
    class.slots().repr.store(Some(|error, vm| {
        settle(error, vm)?;
        let base = vm.ctx.exceptions.base_exception_type;
        match base.slots().repr.load() {
            Some(repr) => repr(error, vm),
            None => Ok(vm.ctx.empty_str.to_owned()),
        }
    }));
    let special = vm.call_method(class.as_object(), "__subclasses__", ())?;
    for class in special.try_to_value::<Vec<PyRef<PyType>>>(vm)? {
        show_settled(&class, vm)?;
    }
    Ok(())
}

fn read(own: impl Fn(&Own) -> &PyObjectRef, error: &PyObject, vm: &VirtualMachine) -> PyResult {
    match OWN.get() {
        Some(kept) => vm.call_method(
            own(kept),
            "__get__",
            (error.to_owned(), error.class().to_owned()),
        ),
        None => Ok(vm.ctx.none()),
    }
}

fn write(
    own: impl Fn(&Own) -> &PyObjectRef,
    error: &PyObject,
    value: PyObjectRef,
    vm: &VirtualMachine,
) -> PyResult<()> {
    if let Some(kept) = OWN.get() {
        vm.call_method(own(kept), "__set__", (error.to_owned(), value))?;
    }
    Ok(())
}

/// Gives an exception that the interpreter made of an error of the platform's
/// Linux's number and words. The others stay as they are.
fn settle(error: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let number = read(|own| &own.errno, error, vm)?;
    let Some(number) = number.downcast_ref::<PyInt>() else {
        return Ok(());
    };
    let Ok(number) = number.try_to_primitive::<i32>(vm) else {
        return Ok(());
    };
    let Some(base) = error.downcast_ref::<PyBaseException>() else {
        return Ok(());
    };
    let args = base.args();
    let rest = args.as_slice().get(2..).unwrap_or_default();
    let bare = rest.len() == 3 && rest.iter().all(|value| vm.is_none(value));
    let text = read(|own| &own.strerror, error, vm)?;
    let text = text
        .downcast_ref::<PyStr>()
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default();
    let from_system = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once("(os error "))
        .is_some_and(|(_, last)| last.parse() == Ok(number));
    let without_number = number == 0 && text == "operation not supported on this platform";
    let would_block =
        number == errno::PLATFORM_EAGAIN && error.class().is(vm.ctx.exceptions.blocking_io_error);
    if !(bare || from_system || without_number || would_block) {
        return Ok(());
    }
    // A few of the interpreter's own errors have Linux's number already.
    let is_linux = !from_system && errno::words(number).is_some_and(|own| text.starts_with(own));
    let linux = if is_linux {
        number
    } else {
        errno::of_platform(number)
    };
    let text = if from_system || without_number {
        errno::described(linux)
    } else {
        text
    };
    let number: PyObjectRef = vm.ctx.new_int(linux).into();
    let text: PyObjectRef = vm.ctx.new_str(text).into();
    write(|own| &own.errno, error, number.clone(), vm)?;
    write(|own| &own.strerror, error, text.clone(), vm)?;
    let rest = if bare { &[] } else { rest };
    let args = [number, text].into_iter().chain(rest.iter().cloned());
    write(
        |own| &own.args,
        error,
        vm.ctx.new_tuple(args.collect()).into(),
        vm,
    )
}

/// The exception for a number of Linux's.
pub fn raised(number: i32, text: String, vm: &VirtualMachine) -> PyRef<PyBaseException> {
    let number = vm.ctx.new_int(number).into();
    let args = vec![number, vm.ctx.new_str(text).into()];
    let made = of_number(args.into(), vm).and_then(|error| {
        let error = error.downcast::<PyBaseException>();
        error.map_err(|_| vm.new_type_error("OSError() made no exception"))
    });
    made.unwrap_or_else(|failure| failure)
}

/// `OSError(...)` without keywords.
fn of_number(mut args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let class = vm.ctx.exceptions.os_error;
    // Five arguments and no file tell the interpreter's own exceptions from others.
    if (3..=5).contains(&args.args.len()) && args.args.get(2).is_some_and(|name| vm.is_none(name)) {
        args.args.truncate(2);
    }
    let number = args
        .args
        .first()
        .filter(|_| (2..=5).contains(&args.args.len()));
    let number = number
        .and_then(|number| number.downcast_ref::<PyInt>())
        .and_then(|number| number.try_to_primitive::<i32>(vm).ok());
    if let Some(special) = number.and_then(|number| errno::class(number, vm)) {
        return PyType::slot_call(special.as_object(), args, vm);
    }
    let Some(new) = class.slots().new.load() else {
        return Err(vm.new_type_error("cannot create 'OSError' instances"));
    };
    let (Some(number), Some(first)) = (number, args.args.first_mut()) else {
        return new(class.to_owned(), args, vm);
    };
    // The interpreter would pick a subclass by its own numbers, of which none is 0.
    *first = vm.ctx.new_int(0).into();
    let error = new(class.to_owned(), args, vm)?;
    let number: PyObjectRef = vm.ctx.new_int(number).into();
    write(|own| &own.errno, &error, number.clone(), vm)?;
    if let Some(base) = error.downcast_ref::<PyBaseException>() {
        let rest = base.args();
        let rest = rest.as_slice().iter().skip(1).cloned();
        let args = [number].into_iter().chain(rest).collect();
        write(|own| &own.args, &error, vm.ctx.new_tuple(args).into(), vm)?;
    }
    Ok(error)
}

/// Carries out a call of class `OSError` itself.
fn construct(
    class: &PyObject,
    args: Vec<PyObjectRef>,
    count: usize,
    names: Option<&[PyObjectRef]>,
    vm: &VirtualMachine,
) -> PyResult {
    let args = FuncArgs::from_vectorcall_owned(args, count, names);
    call_type(class, args, vm)
}

/// Carries out a call of any class.
fn call_type(class: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    if class.is(vm.ctx.exceptions.os_error) && args.kwargs.is_empty() {
        return of_number(args, vm);
    }
    PyType::slot_call(class, args, vm)
}
