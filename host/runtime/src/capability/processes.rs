//! `processes`: programs that the hub runs for the plugin.

use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::processes::{
    self as abi, Command, Exchanged, Exit, Redirection, SpawnError, StandardStream,
};
use crate::instance::state::InstanceState;
use cordon_base::log::Level;
use cordon_reach::process::{self, Launch, SpawnRefusal};

impl abi::Host for InstanceState {
    async fn find(&mut self, program: String) -> Option<String> {
        let found = self.shared.ports.processes.find(program).await?;
        found.to_str().map(str::to_owned)
    }

    fn close(&mut self, process: u32, stream: StandardStream) {
        if let Some(process) = self.shared.ports.processes.get(process) {
            process.close(stream_of(stream));
        }
    }

    fn signal(&mut self, process: u32, signal: i32) -> bool {
        let process = self.shared.ports.processes.get(process);
        process.is_some_and(|process| process.signal(signal))
    }

    fn release(&mut self, process: u32) {
        self.shared.ports.processes.release(process);
    }
}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn spawn(
        accessor: &Accessor<InstanceState, Self>,
        command: Command,
    ) -> Result<u32, SpawnError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let launch = launch(command);
        let spawned = shared.ports.processes.spawn(launch).await;
        spawned.map_err(|refusal| match refusal {
            SpawnRefusal::Denied(denied) => {
                let text = denied.to_string();
                shared.log.plugin(true, Level::Error, &text);
                SpawnError::Denied(text)
            }
            SpawnRefusal::Limit(hit) => {
                shared.log.limit(&hit);
                SpawnError::TooMany
            }
            SpawnRefusal::DeniedOwn(denied) => {
                shared.log.denied(&denied);
                SpawnError::Denied(format!(
                    "denied: {}; the log of the instance has the line that allows it",
                    denied.what
                ))
            }
            SpawnRefusal::Elsewhere(path) => {
                let text = format!(
                    "the plugin starts a program where this machine has none of its name; it is {}",
                    path.display()
                );
                shared.log.hub(Level::Error, &text);
                SpawnError::NotFound
            }
            SpawnRefusal::NotFound => SpawnError::NotFound,
            SpawnRefusal::NoFolder => SpawnError::NoFolder,
            SpawnRefusal::Failed(error) => {
                tracing::debug!(hardware = shared.hardware, %error, "a process did not start");
                SpawnError::Failed(error.raw_os_error().unwrap_or(5))
            }
        })
    }

    async fn read(
        accessor: &Accessor<InstanceState, Self>,
        process: u32,
        stream: StandardStream,
        max: u32,
    ) -> Vec<u8> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        match find(accessor, process) {
            Some(process) => process.read(stream_of(stream), max).await,
            None => Vec::new(),
        }
    }

    async fn write(
        accessor: &Accessor<InstanceState, Self>,
        process: u32,
        data: Vec<u8>,
    ) -> Option<u32> {
        let data = one_write(data);
        let written = find(accessor, process)?.write(&data).await?;
        u32::try_from(written).ok()
    }

    async fn exchange(
        accessor: &Accessor<InstanceState, Self>,
        process: u32,
        input: Vec<u8>,
        output: bool,
        errors: bool,
        timeout_ns: Option<u64>,
    ) -> Exchanged {
        let timeout = timeout_ns.map(Duration::from_nanos);
        let input = one_write(input);
        let Some(process) = find(accessor, process) else {
            return Exchanged {
                written: Some(0),
                output: output.then(Vec::new),
                errors: errors.then(Vec::new),
            };
        };
        let moved = process.exchange(&input, output, errors, timeout).await;
        Exchanged {
            written: moved
                .written
                .map(|written| u32::try_from(written).unwrap_or(u32::MAX)),
            output: moved.output,
            errors: moved.errors,
        }
    }

    async fn wait(
        accessor: &Accessor<InstanceState, Self>,
        process: u32,
        timeout_ns: Option<u64>,
    ) -> Option<Exit> {
        let Some(process) = find(accessor, process) else {
            return Some(Exit::Exited(0));
        };
        let exit = match timeout_ns {
            Some(0) => process.exit(),
            timeout => process.wait(timeout.map(Duration::from_nanos)).await,
        };
        exit.map(|exit| match exit {
            process::Exit::Exited(status) => Exit::Exited(status),
            process::Exit::Signalled(signal) => Exit::Signalled(signal),
        })
    }
}

/// Cuts data to the most that a pipe takes at once: the call may wait for as long as the process
/// does not read, and would hold the rest for nothing.
fn one_write(mut data: Vec<u8>) -> Vec<u8> {
    if data.len() > process::child::CHUNK {
        data.truncate(process::child::CHUNK);
        data.shrink_to_fit();
    }
    data
}

fn find(
    accessor: &Accessor<InstanceState, HasSelf<InstanceState>>,
    number: u32,
) -> Option<std::sync::Arc<process::Process>> {
    accessor.with(|mut access| access.get().shared.ports.processes.get(number))
}

fn stream_of(stream: StandardStream) -> process::Stream {
    match stream {
        StandardStream::Input => process::Stream::Input,
        StandardStream::Output => process::Stream::Output,
        StandardStream::Errors => process::Stream::Errors,
    }
}

fn redirection(redirection: Redirection) -> process::Redirection {
    match redirection {
        Redirection::Nothing => process::Redirection::Nothing,
        Redirection::Pipe => process::Redirection::Pipe,
        Redirection::Output => process::Redirection::Output,
    }
}

fn launch(command: Command) -> Launch {
    Launch {
        program: command.program,
        arguments: command.arguments,
        environment: command.environment,
        folder: command.folder,
        input: redirection(command.input),
        output: redirection(command.output),
        errors: redirection(command.errors),
    }
}
