//! Python's `select` module: one call of the hub waits for many sockets.
//!
//! Descriptors below the first socket's are files, which are always ready.

pub(crate) use select::module_def;

#[rustpython_vm::pymodule(name = "select")]
mod select {
    use std::collections::HashMap;
    use std::fs::File;
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use indexmap::IndexMap;
    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyInt, PyList, PyTypeRef},
        common::lock::PyMutex,
        convert::ToPyObject,
        function::OptionalArg,
        pyclass,
    };

    use crate::abi::cordon::plugin::sockets::{self, Interest, Readiness, Waiting};
    use crate::{errno, task};

    /// The lowest handle of a socket.
    const FIRST_HANDLE: i32 = 10_000;

    #[pyattr]
    const POLLIN: u16 = 0x001;
    #[pyattr]
    const POLLPRI: u16 = 0x002;
    #[pyattr]
    const POLLOUT: u16 = 0x004;
    #[pyattr]
    const POLLERR: u16 = 0x008;
    #[pyattr]
    const POLLHUP: u16 = 0x010;
    #[pyattr]
    const POLLNVAL: u16 = 0x020;
    #[pyattr]
    const POLLRDNORM: u16 = 0x040;
    #[pyattr]
    const POLLRDBAND: u16 = 0x080;
    #[pyattr]
    const POLLWRNORM: u16 = 0x100;
    #[pyattr]
    const POLLWRBAND: u16 = 0x200;
    #[pyattr]
    const PIPE_BUF: u32 = 4096;

    #[pyattr]
    fn error(vm: &VirtualMachine) -> PyTypeRef {
        vm.ctx.exceptions.os_error.to_owned()
    }

    /// The descriptor that an object is or has.
    fn descriptor(object: &PyObject, vm: &VirtualMachine) -> PyResult<i32> {
        let number = if object.downcast_ref::<PyInt>().is_some() {
            object.to_owned()
        } else {
            let missing =
                || vm.new_type_error("argument must be an int, or have a fileno() method.");
            let method = vm
                .get_attribute_opt(object, "fileno")?
                .ok_or_else(missing)?;
            let number = method.call((), vm)?;
            if number.downcast_ref::<PyInt>().is_none() {
                return Err(vm.new_type_error("fileno() returned a non-integer"));
            }
            number
        };
        let fd: i64 = number.try_into_value(vm)?;
        if fd < 0 {
            return Err(vm.new_value_error(format!(
                "file descriptor cannot be a negative integer ({fd})"
            )));
        }
        i32::try_from(fd)
            .map_err(|_| vm.new_overflow_error("Python int too large to convert to C int"))
    }

    /// Whether the descriptor of a file is open.
    fn is_open(fd: i32) -> bool {
        // SAFETY: the descriptor is looked at and not closed; it may be of any file, or of none,
        // which is an answer as well.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        file.metadata().is_ok()
    }

    /// Waits for descriptors with masks of `POLL...`; gives those that are ready.
    fn wait(
        wanted: &[(i32, u16)],
        timeout: Option<Duration>,
        vm: &VirtualMachine,
    ) -> PyResult<HashMap<i32, u16>> {
        let mut found = HashMap::new();
        let mut waiting = Vec::with_capacity(wanted.len());
        for (fd, mask) in wanted {
            if *fd < FIRST_HANDLE {
                let ready = match is_open(*fd) {
                    true => mask & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM),
                    false => POLLNVAL,
                };
                if ready != 0 {
                    found.insert(*fd, ready);
                }
                continue;
            }
            let mut interest = Interest::empty();
            for (bits, flag) in [
                (POLLIN | POLLRDNORM, Interest::READABLE),
                (POLLOUT | POLLWRNORM, Interest::WRITABLE),
                (POLLPRI, Interest::URGENT),
            ] {
                if mask & bits != 0 {
                    interest = interest | flag;
                }
            }
            waiting.push(Waiting {
                socket: fd.unsigned_abs(),
                interest,
            });
        }
        let timeout = if found.is_empty() {
            timeout
        } else {
            Some(Duration::ZERO)
        };
        if waiting.is_empty() && timeout == Some(Duration::ZERO) {
            return Ok(found);
        }
        let nanoseconds = timeout.map(|it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX));
        let ready = task::blocking(|| sockets::poll(&waiting, nanoseconds))
            .map_err(|failure| errno::failure(&failure, vm))?;
        for socket in ready {
            let mut mask = 0;
            for (flag, bits) in [
                (Readiness::READABLE, POLLIN | POLLRDNORM),
                (Readiness::WRITABLE, POLLOUT | POLLWRNORM),
                (Readiness::URGENT, POLLPRI),
                (Readiness::ERROR, POLLERR),
                (Readiness::HUNG_UP, POLLHUP),
                (Readiness::INVALID, POLLNVAL),
            ] {
                if socket.readiness & flag == flag {
                    mask |= bits;
                }
            }
            if let Ok(fd) = i32::try_from(socket.socket) {
                found.insert(fd, mask);
            }
        }
        Ok(found)
    }

    fn seconds(timeout: Option<PyObjectRef>, vm: &VirtualMachine) -> PyResult<Option<f64>> {
        let Some(timeout) = timeout.filter(|timeout| !vm.is_none(timeout)) else {
            return Ok(None);
        };
        let Ok(timeout) = timeout.try_float(vm) else {
            return Err(vm.new_type_error("timeout must be a float or None"));
        };
        let seconds = timeout.to_f64();
        if seconds.is_nan() {
            return Err(vm.new_value_error("Invalid value NaN (not a number)"));
        }
        Ok(Some(seconds))
    }

    fn duration(seconds: f64, vm: &VirtualMachine) -> PyResult<Duration> {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|it| u64::try_from(it.as_nanos()).is_ok())
            .ok_or_else(|| vm.new_overflow_error("timeout is too large"))
    }

    /// The members of a list given to `select.select`: objects and their descriptors.
    fn members(list: PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<(PyObjectRef, i32)>> {
        let with_descriptor = |item: PyObjectRef| {
            let fd = descriptor(&item, vm)?;
            Ok((item, fd))
        };
        if let Some(list) = list.downcast_ref::<PyList>() {
            // A member's fileno() may take members out, which are then not waited for.
            let member = |at| list.borrow_vec().get(at).cloned();
            return (0..).map_while(member).map(with_descriptor).collect();
        }
        let items: Vec<PyObjectRef> = match vm.extract_elements_with(&list, Ok) {
            Err(error) if error.fast_isinstance(vm.ctx.exceptions.type_error) => {
                return Err(vm.new_type_error("arguments 1-3 must be sequences"));
            }
            items => items?,
        };
        items.into_iter().map(with_descriptor).collect()
    }

    #[pyfunction]
    fn select(
        rlist: PyObjectRef,
        wlist: PyObjectRef,
        xlist: PyObjectRef,
        timeout: OptionalArg<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult<(PyObjectRef, PyObjectRef, PyObjectRef)> {
        let timeout = match seconds(timeout.into_option(), vm)? {
            None => None,
            Some(seconds) if seconds < 0.0 => {
                return Err(vm.new_value_error("timeout must be non-negative"));
            }
            Some(seconds) => Some(duration(seconds, vm)?),
        };
        // The events that each list asks for, and those that put a member into the answer.
        let lists = [
            (members(rlist, vm)?, POLLIN, POLLIN | POLLHUP | POLLERR),
            (members(wlist, vm)?, POLLOUT, POLLOUT | POLLERR),
            (members(xlist, vm)?, POLLPRI, POLLPRI),
        ];
        let mut wanted: Vec<(i32, u16)> = Vec::new();
        let mut places = HashMap::new();
        for (members, asks, _) in &lists {
            for (_, fd) in members {
                let place = *places.entry(*fd).or_insert_with(|| {
                    wanted.push((*fd, 0));
                    wanted.len() - 1
                });
                wanted[place].1 |= asks;
            }
        }
        let ready = wait(&wanted, timeout, vm)?;
        if ready.values().any(|mask| mask & POLLNVAL != 0) {
            return Err(errno::error(errno::EBADF, vm));
        }
        let [readable, writable, urgent] = lists.map(|(members, _, counts)| {
            let chosen = members
                .into_iter()
                .filter(|(_, fd)| ready.get(fd).is_some_and(|mask| mask & counts != 0));
            vm.ctx
                .new_list(chosen.map(|(item, _)| item).collect())
                .into()
        });
        Ok((readable, writable, urgent))
    }

    /// `select.poll()`.
    #[pyclass(no_attr, module = "select", name = "poll")]
    #[derive(Debug, Default, PyPayload)]
    struct Poll {
        /// The events that each descriptor is asked for, in the order of registration. A plugin may
        /// register any number.
        wanted: PyMutex<IndexMap<i32, u16>>,
        running: AtomicBool,
    }

    fn mask(mask: &PyObject, vm: &VirtualMachine) -> PyResult<u16> {
        let number: i64 = mask.try_index(vm)?.try_to_primitive(vm)?;
        if number < 0 {
            return Err(vm.new_value_error("value must be positive"));
        }
        u16::try_from(number)
            .map_err(|_| vm.new_overflow_error("Python int too large for C unsigned short"))
    }

    #[pyfunction]
    fn poll() -> Poll {
        Poll::default()
    }

    #[pyclass(flags(DISALLOW_INSTANTIATION))]
    impl Poll {
        #[pymethod]
        fn register(
            zelf: &Py<Self>,
            fd: PyObjectRef,
            eventmask: OptionalArg<PyObjectRef>,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let fd = descriptor(&fd, vm)?;
            let mask = match eventmask {
                OptionalArg::Present(given) => mask(&given, vm)?,
                OptionalArg::Missing => POLLIN | POLLPRI | POLLOUT,
            };
            zelf.wanted.lock().insert(fd, mask);
            Ok(())
        }

        #[pymethod]
        fn modify(
            zelf: &Py<Self>,
            fd: PyObjectRef,
            eventmask: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let fd = descriptor(&fd, vm)?;
            let mask = mask(&eventmask, vm)?;
            let known = zelf.wanted.lock().get_mut(&fd).map(|asked| *asked = mask);
            // ENOENT.
            known.ok_or_else(|| errno::error(2, vm))
        }

        #[pymethod]
        fn unregister(zelf: &Py<Self>, fd: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let number = descriptor(&fd, vm)?;
            let known = zelf.wanted.lock().shift_remove(&number).is_some();
            match known {
                true => Ok(()),
                false => Err(vm.new_key_error(vm.ctx.new_int(number).into())),
            }
        }

        #[pymethod]
        fn poll(
            zelf: &Py<Self>,
            timeout: OptionalArg<PyObjectRef>,
            vm: &VirtualMachine,
        ) -> PyResult<PyObjectRef> {
            let timeout = match seconds(timeout.into_option(), vm)? {
                Some(milliseconds) if milliseconds >= 0.0 => {
                    // Rounded up, so that a wait is never too short.
                    Some(duration(milliseconds.ceil() / 1e3, vm)?)
                }
                _ => None,
            };
            if zelf.running.swap(true, Ordering::Relaxed) {
                return Err(vm.new_runtime_error("concurrent poll() invocation"));
            }
            let asked = zelf.wanted.lock().clone();
            let wanted: Vec<_> = asked.into_iter().collect();
            let ready = wait(&wanted, timeout, vm);
            zelf.running.store(false, Ordering::Relaxed);
            let ready = ready?;
            let entry = |(fd, asked): &(i32, u16)| {
                let always = POLLERR | POLLHUP | POLLNVAL;
                let mask = ready.get(fd)? & (asked | always);
                (mask != 0).then(|| (*fd, mask).to_pyobject(vm))
            };
            Ok(vm
                .ctx
                .new_list(wanted.iter().filter_map(entry).collect())
                .into())
        }
    }
}
