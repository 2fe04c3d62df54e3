//! `_queue`: `queue.SimpleQueue`, which executors and log handlers are built on.
//!
//! RustPython's own queue waits on a condition variable of the operating system, and a
//! component has none. Like the locks, this one is built on `threads.park` and
//! `unpark`: tasks switch only in blocking imports, so looking and taking is one step.
//! Waiters are woken in the order in which they came.

pub(crate) use _queue::module_def;

#[rustpython_vm::pymodule]
mod _queue {
    use std::collections::VecDeque;
    use std::time::{Duration, Instant};

    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyException, PyGenericAlias, PyType, PyTypeRef},
        common::lock::PyMutex,
        function::OptionalArg,
        pyclass,
        types::Constructor,
    };

    use crate::abi::cordon::plugin::threads;
    use crate::task;

    /// The items that were put and not taken, and the waiters in their order.
    #[derive(Debug, Default)]
    struct State {
        items: VecDeque<PyObjectRef>,
        waiting: VecDeque<u32>,
    }

    #[derive(rustpython_vm::FromArgs)]
    struct GetArgs {
        #[pyarg(any, default = true)]
        block: bool,
        #[pyarg(any, optional)]
        timeout: OptionalArg<PyObjectRef>,
    }

    impl GetArgs {
        /// When waiting ends; `None` for never.
        fn end(&self, vm: &VirtualMachine) -> PyResult<Option<Instant>> {
            let seconds = match &self.timeout {
                OptionalArg::Present(seconds) if self.block && !vm.is_none(seconds) => {
                    seconds.try_float(vm)?.to_f64()
                }
                _ => return Ok(None),
            };
            if seconds.is_nan() {
                return Err(vm.new_value_error("Invalid value NaN (not a number)"));
            }
            if seconds < 0.0 {
                return Err(vm.new_value_error("'timeout' must be a non-negative number"));
            }
            let duration = Duration::try_from_secs_f64(seconds)
                .map_err(|_| vm.new_overflow_error("timeout value is too large"))?;
            Ok(Instant::now().checked_add(duration))
        }
    }

    /// Raised by `get` when there is nothing and it may not wait any longer.
    #[pyattr]
    #[pyclass(module = "_queue", name = "Empty", base = PyException)]
    #[derive(Debug)]
    #[repr(transparent)]
    struct Empty(PyException);

    #[pyclass(flags(BASETYPE, HAS_WEAKREF))]
    impl Empty {}

    #[pyattr]
    #[pyclass(module = "_queue", name = "SimpleQueue")]
    #[derive(Debug, PyPayload)]
    struct SimpleQueue {
        state: PyMutex<State>,
    }

    #[pyclass(with(Constructor), flags(BASETYPE, HAS_WEAKREF))]
    impl SimpleQueue {
        #[pymethod]
        fn put(zelf: &Py<Self>, args: PutArgs) {
            let mut state = zelf.state.lock();
            state.items.push_back(args.item);
            if let Some(next) = state.waiting.pop_front() {
                threads::unpark(next);
            }
        }

        #[pymethod]
        fn put_nowait(zelf: &Py<Self>, item: PyObjectRef) {
            Self::put(zelf, PutArgs::of(item));
        }

        #[pymethod]
        fn get(zelf: &Py<Self>, args: GetArgs, vm: &VirtualMachine) -> PyResult {
            let end = args.end(vm)?;
            let me = task::current();
            let mut block = args.block;
            loop {
                {
                    let mut state = zelf.state.lock();
                    state.waiting.retain(|id| *id != me);
                    if let Some(item) = state.items.pop_front() {
                        // Woken for an item that another took meanwhile, a waiter
                        // sleeps on; so the items that are left are somebody else's.
                        if !state.items.is_empty()
                            && let Some(next) = state.waiting.pop_front()
                        {
                            threads::unpark(next);
                        }
                        return Ok(item);
                    }
                    if !block {
                        return Err(vm.new_exception_empty(Empty::class(&vm.ctx).to_owned()));
                    }
                    state.waiting.push_back(me);
                }
                let timeout = end.map(|end| {
                    let left = end.saturating_duration_since(Instant::now());
                    u64::try_from(left.as_nanos()).unwrap_or(u64::MAX)
                });
                // After the time one more look: an item may have come with its end.
                block = task::park(timeout);
            }
        }

        #[pymethod]
        fn get_nowait(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let args = GetArgs {
                block: false,
                timeout: OptionalArg::Missing,
            };
            Self::get(zelf, args, vm)
        }

        #[pymethod]
        fn empty(zelf: &Py<Self>) -> bool {
            zelf.state.lock().items.is_empty()
        }

        #[pymethod]
        fn qsize(zelf: &Py<Self>) -> usize {
            zelf.state.lock().items.len()
        }

        #[pymethod]
        fn __sizeof__(zelf: &Py<Self>) -> usize {
            let room = zelf.state.lock().items.capacity();
            size_of::<Self>() + room * size_of::<PyObjectRef>()
        }

        #[pyclassmethod]
        fn __class_getitem__(
            class: PyTypeRef,
            args: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<PyGenericAlias> {
            PyGenericAlias::from_args(class, args, vm)
        }
    }

    /// `put` never waits; the arguments beside the item are there for the sake of
    /// `queue.Queue`.
    #[derive(rustpython_vm::FromArgs)]
    struct PutArgs {
        #[pyarg(any)]
        item: PyObjectRef,
        #[pyarg(any, optional)]
        #[expect(dead_code, reason = "accepted and without effect, as in CPython")]
        block: OptionalArg<PyObjectRef>,
        #[pyarg(any, optional)]
        #[expect(dead_code, reason = "accepted and without effect, as in CPython")]
        timeout: OptionalArg<PyObjectRef>,
    }

    impl PutArgs {
        fn of(item: PyObjectRef) -> Self {
            Self {
                item,
                block: OptionalArg::Missing,
                timeout: OptionalArg::Missing,
            }
        }
    }

    impl Constructor for SimpleQueue {
        type Args = ();
        fn py_new(_cls: &Py<PyType>, _args: (), _vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Self {
                state: PyMutex::new(State::default()),
            })
        }
    }
}
