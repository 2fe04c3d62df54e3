//! `_cordon_processes`: the hub's processes as the runtime's Python calls them.
//!
//! The module has one function per function of `wit/` and no logic. A function that can
//! fail returns a word and its details; `_cordon_command.py` makes exceptions of
//! them.

pub(crate) use _cordon_processes::module_def;

#[rustpython_vm::pymodule]
mod _cordon_processes {
    use rustpython_vm::{
        PyObjectRef, PyResult, VirtualMachine,
        convert::ToPyObject,
        function::{ArgBytesLike, FuncArgs},
    };

    use crate::abi::cordon::plugin::processes::{
        self, Command, Exit, Redirection, SpawnError, StandardStream,
    };
    use crate::{convert, task};

    fn redirection(number: u8) -> Redirection {
        match number {
            1 => Redirection::Pipe,
            2 => Redirection::Output,
            _ => Redirection::Nothing,
        }
    }

    fn stream(number: u8) -> StandardStream {
        match number {
            0 => StandardStream::Input,
            1 => StandardStream::Output,
            _ => StandardStream::Errors,
        }
    }

    fn bytes(data: Option<Vec<u8>>, vm: &VirtualMachine) -> PyObjectRef {
        data.map_or_else(|| vm.ctx.none(), |data| vm.ctx.new_bytes(data).into())
    }

    #[pyfunction]
    fn find(program: String) -> Option<String> {
        processes::find(&program)
    }

    /// `(program, arguments, environment, folder, input, output, errors)`.
    #[pyfunction]
    fn spawn(arguments: FuncArgs, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let (program, words, environment, folder, input, output, errors): (
            String,
            Vec<String>,
            Vec<PyObjectRef>,
            Option<String>,
            u8,
            u8,
            u8,
        ) = arguments.bind(vm)?;
        let environment = environment
            .into_iter()
            .map(|pair| {
                let pair: Vec<String> = pair.try_into_value(vm)?;
                match <[String; 2]>::try_from(pair) {
                    Ok([name, value]) => Ok((name, value)),
                    Err(_) => Err(vm.new_type_error("a variable is a name and a value")),
                }
            })
            .collect::<PyResult<Vec<_>>>()?;
        let command = Command {
            program,
            arguments: words,
            environment,
            folder,
            input: redirection(input),
            output: redirection(output),
            errors: redirection(errors),
        };
        let (word, value) = match task::blocking(|| processes::spawn(&command)) {
            Ok(number) => ("started", number.to_pyobject(vm)),
            Err(SpawnError::Denied(text)) => ("denied", text.to_pyobject(vm)),
            Err(SpawnError::NotFound) => ("not-found", vm.ctx.none()),
            Err(SpawnError::NoFolder) => ("no-folder", vm.ctx.none()),
            Err(SpawnError::TooMany) => ("too-many", vm.ctx.none()),
            Err(SpawnError::Failed(number)) => ("failed", number.to_pyobject(vm)),
        };
        Ok(convert::tuple(vec![word.to_pyobject(vm), value], vm))
    }

    #[pyfunction]
    fn read(process: u32, from: u8, max: u32, vm: &VirtualMachine) -> PyObjectRef {
        let data = task::blocking(|| processes::read(process, stream(from), max));
        bytes(Some(data), vm)
    }

    #[pyfunction]
    fn write(process: u32, data: ArgBytesLike) -> Option<u32> {
        let data = data.borrow_buf().to_vec();
        task::blocking(|| processes::write(process, &data))
    }

    #[pyfunction]
    fn exchange(
        process: u32,
        input: ArgBytesLike,
        output: bool,
        errors: bool,
        timeout_ns: Option<u64>,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        let input = input.borrow_buf().to_vec();
        let moved =
            task::blocking(|| processes::exchange(process, &input, output, errors, timeout_ns));
        convert::tuple(
            vec![
                moved.written.to_pyobject(vm),
                bytes(moved.output, vm),
                bytes(moved.errors, vm),
            ],
            vm,
        )
    }

    #[pyfunction]
    fn close(process: u32, which: u8) {
        processes::close(process, stream(which));
    }

    /// The return code as Python shows it, or `None` while the process runs.
    #[pyfunction]
    fn wait(process: u32, timeout_ns: Option<u64>) -> Option<i32> {
        match task::blocking(|| processes::wait(process, timeout_ns))? {
            Exit::Exited(status) => Some(status),
            Exit::Signalled(signal) => Some(-signal),
        }
    }

    #[pyfunction]
    fn signal(process: u32, number: i32) -> bool {
        processes::signal(process, number)
    }

    #[pyfunction]
    fn release(process: u32) {
        processes::release(process);
    }
}
