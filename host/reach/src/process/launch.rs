//! Starting one process.
//!
//! Through the standard library's `posix_spawn`: a fork of the hub would copy the
//! page tables of every instance. So nothing runs between fork and exec, and the
//! resource limits are set from outside right after the start.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use super::SpawnRefusal;
use super::environment::Environment;
use super::outside::Outside;
use super::policy::ProcessPolicy;
use cordon_base::error::Denied;
use cordon_base::grants::ExecGrant;
use cordon_base::hint::Origin;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;

/// Cost of an argument or a variable beside its bytes, here and for the system.
const TEXT: usize = 64;

/// Where a standard stream leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirection {
    /// Nowhere.
    Nothing,
    /// To the plugin.
    Pipe,
    /// Where standard output leads; only for standard error.
    Output,
}

/// The process to be started, as the plugin asked for it.
#[derive(Debug)]
pub struct Launch {
    /// Path or name of the program.
    pub program: String,
    /// Arguments after the name.
    pub arguments: Vec<String>,
    /// Variables that are wished for.
    pub environment: Vec<(String, String)>,
    /// Working folder in the component's terms.
    pub folder: Option<String>,
    /// Standard input.
    pub input: Redirection,
    /// Standard output.
    pub output: Redirection,
    /// Standard error.
    pub errors: Redirection,
}

/// A process that runs, and the hub's ends of its pipes.
pub struct Started {
    /// Until somebody keeps it.
    pub(super) child: Option<Child>,
    pub(super) input: Option<OwnedFd>,
    pub(super) output: Option<OwnedFd>,
    pub(super) errors: Option<OwnedFd>,
}

impl Drop for Started {
    /// Nobody waits for it any more: the instance is gone.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
        }
    }
}

impl Launch {
    /// Bytes that it holds, with the cost of each text.
    #[must_use]
    pub fn size(&self) -> u64 {
        let arguments = self.arguments.iter().map(String::len);
        let variables = self.environment.iter();
        let variables = variables.map(|(name, value)| name.len().saturating_add(value.len()));
        let folder = self.folder.as_ref().map_or(0, String::len);
        let texts = arguments
            .chain(variables)
            .chain([self.program.len(), folder]);
        let bytes = texts.fold(0, |sum: usize, text| {
            sum.saturating_add(text).saturating_add(TEXT)
        });
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Starts the process. Waits for the system.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal`] when no grant names the program or the system refuses.
    pub fn start(
        self,
        policy: &ProcessPolicy,
        time: Duration,
        log: &PluginLog,
    ) -> Result<Started, SpawnRefusal> {
        let granted = policy.granted(&self.program)?;
        let path = granted.program.path();
        policy.check_file(path)?;
        keep_inherited();
        let (output, stdout, stderr) = self.outputs().map_err(SpawnRefusal::Failed)?;
        let environment = Environment::new(self.environment, &granted.env);
        if !environment.withheld.is_empty() {
            log.denied(&withheld(&environment.withheld, granted, log.origin()));
        }
        let mut outside = Outside::new(policy.folders());
        let arguments = outside.arguments(path, self.arguments);
        if let Some(kept) = outside.kept {
            log.hub(Level::Error, &no_words(path, &kept));
        }
        let mut command = Command::new(path);
        command
            .args(arguments)
            .env_clear()
            .envs(environment.passed)
            .current_dir(policy.folder(self.folder.as_deref())?)
            .process_group(0)
            .stdin(stdio(self.input))
            .stdout(stdout)
            .stderr(stderr);
        let mut child = command.spawn().map_err(SpawnRefusal::Failed)?;
        // The pipes' other ends, which would keep them open.
        drop(command);
        bound(&child, time);
        Ok(Started {
            input: child.stdin.take().map(OwnedFd::from),
            output: output.or_else(|| child.stdout.take().map(OwnedFd::from)),
            errors: child.stderr.take().map(OwnedFd::from),
            child: Some(child),
        })
    }

    /// The hub's end of a pipe that both outputs share, and the ends for the
    /// process.
    fn outputs(&self) -> io::Result<(Option<OwnedFd>, Stdio, Stdio)> {
        match (self.output, self.errors) {
            (Redirection::Pipe, Redirection::Output) => {
                let (reader, writer) = io::pipe()?;
                let second = writer.try_clone()?;
                Ok((Some(reader.into()), writer.into(), second.into()))
            }
            (output, Redirection::Output) => Ok((None, stdio(output), Stdio::null())),
            (output, errors) => Ok((None, stdio(output), stdio(errors))),
        }
    }
}

/// The line that would pass on the variables that were withheld.
fn withheld(names: &[String], granted: &ExecGrant, origin: &Origin) -> Denied {
    let program = granted.program.path().display();
    let names: Vec<_> = granted.env.iter().chain(names).collect();
    Denied::new(
        format!("setting variables of the environment for {program}"),
        format!("exec = [{{ program = \"{program}\", env = {names:?} }}]"),
        origin,
    )
}

/// Why a path in a text for a shell means nothing to it, and the remedy.
fn no_words(program: &Path, path: &str) -> String {
    format!(
        "{} is given a text with the path {path}, which only the plugin knows: the folder's path on \
         this machine would need quotes there. Give the path as an argument of its own, without \
         shell=True, or use a folder for the hub's data or its plugins whose path has no spaces",
        program.display()
    )
}

fn stdio(redirection: Redirection) -> Stdio {
    match redirection {
        Redirection::Pipe => Stdio::piped(),
        Redirection::Nothing | Redirection::Output => Stdio::null(),
    }
}

/// Keeps from programs the files that the hub itself has inherited from whoever started it.
/// Everything that the hub opens is kept from them when it is opened.
fn keep_inherited() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
            tracing::warn!("/proc is not there: programs inherit what the hub inherited");
            return;
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let numbers = names.filter_map(|name| name.to_str()?.parse::<i32>().ok());
        for number in numbers.filter(|number| *number > 2) {
            // SAFETY: the number is used for one call that neither reads nor closes. If it is
            // closed or another file's by now, that call fails or repeats a step that has been done
            // to that file already.
            let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
            let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
        }
    });
}

/// No core files, and no more computing time than there is time. Memory and the
/// number of processes are not bounded: the system counts the latter by user,
/// and the hub is one.
fn bound(child: &Child, time: Duration) {
    let pid = Pid::from_child(child);
    let seconds = time.as_secs().saturating_add(1);
    for (resource, most) in [(Resource::Core, 0), (Resource::Cpu, seconds)] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // A process that has ended already needs no bounds.
        if let Err(error) = prlimit(Some(pid), resource, limit) {
            tracing::debug!(%error, "a process could not be bounded");
        }
    }
}
