//! Reports on instances and on the hub's process.

use std::sync::atomic::Ordering;

use super::configured::{Entry, Standing};
use cordon_base::limits::{DECLARATIONS, Limits};
use cordon_base::notes::now;
use cordon_control::report::{
    Denied, Health, InstanceReport, LastError, LimitReport, Source, State,
};
use cordon_runtime::instance::counters::{self, Status};
use cordon_runtime::instance::remote::Remote;
use cordon_store::ManagedHardware;

/// The report on an instance that has an actor.
pub(super) fn of_remote(remote: &Remote, source: Source) -> InstanceReport {
    let (spec, counters) = (&remote.spec, &remote.counters);
    let status = counters.status();
    let last = counters.last_error();
    let wishes = spec.log.notes().wishes().into_iter();
    let computed = remote.computed().as_millis();
    InstanceReport {
        name: spec.name.clone(),
        framework: spec.framework.name().to_owned(),
        key: spec.key.clone(),
        id: spec.hardware,
        source,
        state: state(&status),
        since: counters.since(),
        reason: status.reason().to_owned(),
        health: match counters.health() {
            counters::Health::Fine => Health::Fine,
            counters::Health::RaisedInStart => Health::RaisedInStart,
            counters::Health::Raising => Health::Raising,
        },
        last_error: last.map(|last| LastError {
            time: last.time,
            callback: last.callback,
            text: last.text,
        }),
        next_start: counters.next_start(),
        restarts: counters.restarts(),
        failures: counters.failures.load(Ordering::Relaxed),
        calls: counters.calls.load(Ordering::Relaxed),
        raised: counters.raised.load(Ordering::Relaxed),
        refused: counters.refused.load(Ordering::Relaxed),
        cpu: u64::try_from(computed).unwrap_or(u64::MAX),
        memory: remote.memory(),
        limits: limits(remote),
        denied: wishes
            .map(|wish| Denied {
                name: wish.name,
                what: wish.what,
                count: wish.count,
                time: wish.time,
            })
            .collect(),
    }
}

/// The report on an instance of the configuration.
pub(super) fn of_entry(entry: &Entry) -> InstanceReport {
    let (reason, since) = match &entry.standing {
        Standing::Alive(handle) => return of_remote(&handle.remote(), Source::Configuration),
        Standing::Unloaded { reason } => (reason.as_str(), entry.since),
        Standing::Waiting => ("its plugin was not read so far", entry.since),
    };
    let section = entry.section.as_ref();
    InstanceReport {
        framework: section.map_or("", |it| it.framework()).to_owned(),
        key: section.map(|it| it.plugin()).unwrap_or_default(),
        id: 0,
        since,
        ..unloaded(entry.name(), Source::Configuration, reason)
    }
}

/// The report on hardware from the API that has no actor.
pub(super) fn of_hardware(hardware: &ManagedHardware, problem: Option<&str>) -> InstanceReport {
    let (state, reason) = match (hardware.enabled, problem) {
        (false, _) => (State::Stopped, "the hardware is disabled"),
        (true, problem) => (
            State::Unloaded,
            problem.unwrap_or("its plugin was not read so far"),
        ),
    };
    InstanceReport {
        framework: "domoticz".to_owned(),
        key: hardware.key.clone(),
        id: hardware.id,
        state,
        ..unloaded(hardware.name.clone(), Source::Api, reason)
    }
}

fn unloaded(name: String, source: Source, reason: &str) -> InstanceReport {
    InstanceReport {
        name,
        framework: String::new(),
        key: String::new(),
        id: 0,
        source,
        state: State::Unloaded,
        since: now(),
        reason: reason.to_owned(),
        health: Health::Fine,
        last_error: None,
        next_start: None,
        restarts: 0,
        failures: 0,
        calls: 0,
        raised: 0,
        refused: 0,
        cpu: 0,
        memory: 0,
        limits: Vec::new(),
        denied: Vec::new(),
    }
}

fn state(status: &Status) -> State {
    match status {
        Status::Starting => State::Starting,
        Status::Running => State::Running,
        Status::Restarting { .. } => State::Restarting,
        Status::Parked { .. } => State::Parked,
        Status::Stopped => State::Stopped,
    }
}

/// Those limits that are cheap to ask about and of which something is in use.
fn limits(remote: &Remote) -> Vec<LimitReport> {
    let spec = &remote.spec;
    let limits: &Limits = &spec.limits;
    let (threads, bytes, files) = remote.counters.in_use();
    let used = [
        ("memory", remote.memory(), limits.memory),
        ("host-memory", spec.account.used(), limits.host_memory),
        (
            "inbox",
            limits.inbox.saturating_sub(remote.room()),
            limits.inbox,
        ),
        ("threads", threads, limits.threads),
        ("data-bytes", bytes, limits.data_bytes),
        ("data-files", files, limits.data_files),
    ];
    let used = used.into_iter().filter(|(_, used, _)| *used > 0);
    used.map(|(name, used, allowed)| {
        let declared = DECLARATIONS.iter().find(|it| it.name == name);
        LimitReport {
            name: name.to_owned(),
            used,
            allowed,
            unit: declared.map(|it| it.unit).unwrap_or_default().to_owned(),
        }
    })
    .collect()
}

/// Memory of this process that is in the machine's memory, in bytes; 0 when the system does not
/// say.
pub(super) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    let kibibytes: u64 = number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    kibibytes.saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_in_memory() {
        assert!(resident() > 1 << 20, "{}", resident());
    }

    #[test]
    fn hardware_that_does_not_run_says_why() {
        let mut hardware = ManagedHardware {
            id: 7,
            name: "A".to_owned(),
            key: "P".to_owned(),
            enabled: true,
            log_level: 7,
            parameters: std::collections::BTreeMap::new(),
        };
        let report = of_hardware(&hardware, Some("no plugin"));
        assert_eq!(
            (report.state, &*report.reason),
            (State::Unloaded, "no plugin")
        );
        hardware.enabled = false;
        assert_eq!(of_hardware(&hardware, None).state, State::Stopped);
    }
}
