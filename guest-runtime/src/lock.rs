//! `_cordon_lock`: the native half of Python's `_thread` module.
//!
//! Locks over `threads.park` and `threads.unpark`. Tasks switch only in blocking
//! imports, so looking at a lock and taking it is one step and needs no atomics.
//! `_cordon_thread.py` puts these classes in the place of RustPython's own, which
//! would wait on locks of the operating system.

pub(crate) use _cordon_lock::{Turns, module_def};

#[rustpython_vm::pymodule]
mod _cordon_lock {
    use std::cell::Cell;
    use std::collections::VecDeque;
    use std::time::{Duration, Instant};

    use rustpython_vm::{
        AsObject, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyTupleRef, PyType},
        common::lock::PyMutex,
        function::{FuncArgs, TimeoutSeconds},
        pyclass,
        types::{Constructor, Representable},
    };

    use crate::abi::cordon::plugin::{clock, threads};
    use crate::single::Single;
    use crate::task;

    /// Who holds a lock, how often, and who waits for it in order.
    #[derive(Debug, Default)]
    pub(crate) struct State {
        owner: u32,
        count: usize,
        waiting: VecDeque<u32>,
    }

    /// Longest wait in seconds that `acquire` takes (`threading.TIMEOUT_MAX`).
    const TIMEOUT_MAX: f64 = (i64::MAX / 1_000_000_000) as f64;

    #[derive(rustpython_vm::FromArgs)]
    struct AcquireArgs {
        #[pyarg(any, default = true)]
        blocking: bool,
        #[pyarg(any, default = TimeoutSeconds::new(-1.0))]
        timeout: TimeoutSeconds,
    }

    /// How long an `acquire` may wait: not at all, for ever, or until a moment.
    enum Patience {
        None,
        Forever,
        Until(Instant),
    }

    impl AcquireArgs {
        fn patience(&self, vm: &VirtualMachine) -> PyResult<Patience> {
            match (self.blocking, self.timeout.to_secs_f64()) {
                (false, t) if t != -1.0 => {
                    Err(vm.new_value_error("can't specify a timeout for a non-blocking call"))
                }
                (false, _) => Ok(Patience::None),
                (true, t) if t == -1.0 => Ok(Patience::Forever),
                (true, t) if t.is_nan() || t < 0.0 => {
                    Err(vm.new_value_error("timeout value must be a non-negative number"))
                }
                (true, t) if t > TIMEOUT_MAX => {
                    Err(vm.new_overflow_error("timeout value is too large"))
                }
                (true, t) => Ok(Instant::now()
                    .checked_add(Duration::from_secs_f64(t))
                    .map_or(Patience::Forever, Patience::Until)),
            }
        }
    }

    /// Takes the lock for the running task or waits for it.
    ///
    /// `reentrant` lets the owner take it again.
    fn acquire(state: &PyMutex<State>, patience: &Patience, reentrant: bool) -> bool {
        let me = task::current();
        loop {
            {
                let mut state = state.lock();
                if state.count == 0 || (reentrant && state.owner == me) {
                    state.owner = me;
                    state.count += 1;
                    return true;
                }
                if matches!(patience, Patience::None) {
                    return false;
                }
                state.waiting.push_back(me);
            }
            let timeout = match patience {
                Patience::Until(end) => {
                    Some(nanoseconds(end.saturating_duration_since(Instant::now())))
                }
                _ => None,
            };
            if !task::park(timeout) {
                let mut state = state.lock();
                state.waiting.retain(|id| *id != me);
                // Released between the timeout and now: take it after all.
                if state.count != 0 {
                    return false;
                }
            } else {
                state.lock().waiting.retain(|id| *id != me);
            }
        }
    }

    fn nanoseconds(duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Gives the lock up once and wakes the first that waits when it is free.
    fn release(state: &mut State) {
        state.count -= 1;
        if state.count == 0 {
            state.owner = 0;
            if let Some(next) = state.waiting.pop_front() {
                threads::unpark(next);
            }
        }
    }

    /// A lock for the runtime's own native modules: the task that has it may take
    /// it again.
    #[derive(Debug, Default)]
    pub(crate) struct Turns {
        state: PyMutex<State>,
    }

    /// Held until it is dropped.
    pub(crate) struct Turn<'a>(&'a Turns);

    impl Turns {
        /// Waits for the turn; other tasks run meanwhile.
        pub(crate) fn take(&self) -> Turn<'_> {
            acquire(&self.state, &Patience::Forever, true);
            Turn(self)
        }

        /// The turn if no other task has it.
        pub(crate) fn try_take(&self) -> Option<Turn<'_>> {
            acquire(&self.state, &Patience::None, true).then_some(Turn(self))
        }

        /// How often the turn is taken, one inside the other.
        pub(crate) fn depth(&self) -> usize {
            self.state.lock().count
        }
    }

    impl Drop for Turn<'_> {
        fn drop(&mut self) {
            release(&mut self.0.state.lock());
        }
    }

    #[pyattr]
    #[pyclass(module = "_thread", name = "lock")]
    #[derive(Debug, PyPayload)]
    struct Lock {
        state: PyMutex<State>,
    }

    #[pyclass(with(Constructor, Representable), flags(HAS_WEAKREF))]
    impl Lock {
        #[pymethod]
        #[pymethod(name = "acquire_lock")]
        fn acquire(zelf: &Py<Self>, args: AcquireArgs, vm: &VirtualMachine) -> PyResult<bool> {
            Ok(acquire(&zelf.state, &args.patience(vm)?, false))
        }

        #[pymethod]
        fn __enter__(zelf: &Py<Self>) -> bool {
            acquire(&zelf.state, &Patience::Forever, false)
        }

        #[pymethod]
        #[pymethod(name = "release_lock")]
        fn release(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let mut state = zelf.state.lock();
            if state.count == 0 {
                return Err(vm.new_runtime_error("release unlocked lock"));
            }
            release(&mut state);
            Ok(())
        }

        #[pymethod]
        fn __exit__(zelf: &Py<Self>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
            Self::release(zelf, vm)
        }

        #[pymethod]
        #[pymethod(name = "locked_lock")]
        fn locked(zelf: &Py<Self>) -> bool {
            zelf.state.lock().count != 0
        }

        #[pymethod]
        fn _at_fork_reinit(zelf: &Py<Self>) {
            *zelf.state.lock() = State::default();
        }
    }

    impl Constructor for Lock {
        type Args = ();
        fn py_new(_cls: &Py<PyType>, _args: (), _vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Self {
                state: PyMutex::new(State::default()),
            })
        }
    }

    impl Representable for Lock {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            let word = if zelf.state.lock().count != 0 {
                "locked"
            } else {
                "unlocked"
            };
            Ok(format!(
                "<{word} _thread.lock object at {:#x}>",
                zelf.get_id()
            ))
        }
    }

    #[pyattr]
    #[pyclass(module = "_thread", name = "RLock")]
    #[derive(Debug, PyPayload)]
    struct RLock {
        state: PyMutex<State>,
    }

    #[pyclass(with(Constructor, Representable), flags(BASETYPE, HAS_WEAKREF))]
    impl RLock {
        #[pymethod]
        fn acquire(zelf: &Py<Self>, args: AcquireArgs, vm: &VirtualMachine) -> PyResult<bool> {
            Ok(acquire(&zelf.state, &args.patience(vm)?, true))
        }

        #[pymethod]
        fn __enter__(zelf: &Py<Self>) -> bool {
            acquire(&zelf.state, &Patience::Forever, true)
        }

        #[pymethod]
        fn release(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let mut state = zelf.state.lock();
            if state.count == 0 || state.owner != task::current() {
                return Err(vm.new_runtime_error("cannot release un-acquired lock"));
            }
            release(&mut state);
            Ok(())
        }

        #[pymethod]
        fn __exit__(zelf: &Py<Self>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
            Self::release(zelf, vm)
        }

        #[pymethod]
        fn locked(zelf: &Py<Self>) -> bool {
            zelf.state.lock().count != 0
        }

        #[pymethod]
        fn _is_owned(zelf: &Py<Self>) -> bool {
            let state = zelf.state.lock();
            state.count != 0 && state.owner == task::current()
        }

        #[pymethod]
        fn _recursion_count(zelf: &Py<Self>) -> usize {
            let state = zelf.state.lock();
            if state.owner == task::current() {
                state.count
            } else {
                0
            }
        }

        #[pymethod]
        fn _release_save(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<(usize, u32)> {
            let mut state = zelf.state.lock();
            if state.count == 0 {
                return Err(vm.new_runtime_error("cannot release un-acquired lock"));
            }
            let saved = (state.count, state.owner);
            state.count = 1;
            release(&mut state);
            Ok(saved)
        }

        #[pymethod]
        fn _acquire_restore(
            zelf: &Py<Self>,
            saved: PyTupleRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let count: usize = match saved.first() {
                Some(count) => count.clone().try_into_value(vm)?,
                None => return Err(vm.new_type_error("a saved lock state is a pair")),
            };
            acquire(&zelf.state, &Patience::Forever, true);
            zelf.state.lock().count = count;
            Ok(())
        }

        #[pymethod]
        fn _at_fork_reinit(zelf: &Py<Self>) {
            *zelf.state.lock() = State::default();
        }
    }

    impl Constructor for RLock {
        type Args = FuncArgs;
        fn py_new(_cls: &Py<PyType>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Self {
                state: PyMutex::new(State::default()),
            })
        }
    }

    impl Representable for RLock {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            let state = zelf.state.lock();
            let word = if state.count == 0 {
                "unlocked"
            } else {
                "locked"
            };
            Ok(format!(
                "<{word} _thread.RLock object owner={} count={} at {:#x}>",
                state.owner,
                state.count,
                zelf.get_id()
            ))
        }
    }

    /// The id of the running thread.
    #[pyfunction]
    fn get_ident() -> u32 {
        task::current()
    }

    /// Starts a thread that calls `callable()`; returns its id.
    #[pyfunction]
    fn spawn(callable: PyObjectRef, vm: &VirtualMachine) -> PyResult<u32> {
        task::spawn(callable, vm)
    }

    /// Sleeps for a number of seconds, as `time.sleep` does.
    #[pyfunction]
    fn sleep(seconds: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let seconds = seconds.try_float(vm)?.to_f64();
        if seconds.is_nan() {
            return Err(vm.new_value_error("Invalid value NaN (not a number)"));
        }
        if seconds < 0.0 {
            return Err(vm.new_value_error("sleep length must be non-negative"));
        }
        let duration = Duration::try_from_secs_f64(seconds)
            .map_err(|_| vm.new_overflow_error("timestamp out of range for platform time_t"))?;
        task::blocking(|| clock::sleep(nanoseconds(duration)));
        Ok(())
    }

    /// Uninterrupted running time after which a thread lets the others run.
    /// CPython's switch interval is 5 ms.
    const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

    /// Events between two looks at the clock: a look costs a call to the hub,
    /// an event some tens of nanoseconds.
    const EVENTS_PER_LOOK: u32 = 256;

    /// Events since the last look, and when the running slice ends.
    static SLICE: Single<(Cell<u32>, Cell<Option<Instant>>)> =
        Single((Cell::new(0), Cell::new(None)));

    /// Called by `sys.monitoring` at jumps and function starts while a second
    /// thread exists: lets other tasks run once per switch interval.
    #[pyfunction]
    fn tick(_args: FuncArgs) {
        let (events, slice_end) = &*SLICE;
        events.set(events.get() + 1);
        if events.get() < EVENTS_PER_LOOK {
            return;
        }
        events.set(0);
        let now = Instant::now();
        match slice_end.get() {
            Some(end) if now < end => {}
            Some(_) => {
                task::blocking(threads::yield_now);
                slice_end.set(Some(Instant::now() + SWITCH_INTERVAL));
            }
            None => slice_end.set(Some(now + SWITCH_INTERVAL)),
        }
    }
}
