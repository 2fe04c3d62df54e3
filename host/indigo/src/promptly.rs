//! Steps that events set off, on a thread that everybody's events come over.
//!
//! A step about a device is a text with all of the device, which is as large as its plugin
//! makes it, and one event sets many steps off. A long step leaves the thread: it is
//! done on the pool of commands, in turn with others and at the cost of whoever caused it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tokio::runtime::Handle;

use super::action::Step;
use super::bounds::footprint;
use super::caller::Caller;
use super::execute::{begin_unasked, complain, find, run_all};
use super::failure::Failure;
use super::plugin::Waiting;
use super::server::IndigoServer;
use super::table::Collection;
use cordon_base::limits::Limits;

/// Bound of the steps that are carried out on a thread which everybody's events come over,
/// in bytes.
const PROMPT: u64 = 32 << 10;

/// Bytes of a step beside its device and the data of its event.
const STEP: u64 = 512;

/// How deep groups in groups are looked into for that.
const GROUPS: usize = 4;

/// Carries a step out that nobody is left to be told about, on a thread that everybody's
/// events come over.
pub(super) fn begin_promptly(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: Step,
    data: Option<Value>,
) {
    let bytes = data.as_ref().map_or(0, footprint);
    if is_prompt(server, caller, std::slice::from_ref(&step), bytes) {
        return begin_unasked(server, caller, step, data);
    }
    later(server, caller, bytes, move |server, caller| {
        begin_unasked(server, caller, step, data);
    });
}

/// Carries out the steps of a trigger or schedule because of an event, on a thread that
/// everybody's events come over.
pub(super) fn set_off(server: &Arc<IndigoServer>, caller: &Caller, steps: &[Step], data: Value) {
    let bytes = footprint(&data);
    if is_prompt(server, caller, steps, bytes) {
        return run_all(server, caller, steps, &data);
    }
    let steps = steps.to_vec();
    later(server, caller, bytes, move |server, caller| {
        run_all(server, caller, &steps, &data);
    });
}

/// Whether steps keep nobody waiting, with an event whose data takes so much. None are
/// carried out before others of the same doer that still wait.
fn is_prompt(server: &IndigoServer, caller: &Caller, steps: &[Step], bytes: u64) -> bool {
    let (waiting, _) = caller.steps(server);
    waiting.load(Ordering::Relaxed) == 0 && effort(server, steps, bytes, GROUPS) <= PROMPT
}

/// About how many bytes steps make the hub write: each hands the data of the event on, and
/// the device that it is about, which is as large as its plugin makes it. It is looked no
/// further than to [`PROMPT`].
fn effort(server: &IndigoServer, steps: &[Step], bytes: u64, groups: usize) -> u64 {
    let mut sum = 0_u64;
    for step in steps {
        let more = match step.fields.get("groupId") {
            Some(_) if groups == 0 => u64::MAX,
            Some(_) => match find(server, Collection::ActionGroups, step, "groupId") {
                Ok(group) => effort(server, &group.hidden.actions, bytes, groups - 1),
                Err(_) => 0,
            },
            None => match find(server, Collection::Devices, step, "deviceId") {
                Ok(device) => server.database().size(device.id).memory,
                Err(_) => 0,
            },
        };
        sum = sum
            .saturating_add(STEP)
            .saturating_add(bytes)
            .saturating_add(more);
        if sum > PROMPT {
            break;
        }
    }
    sum
}

/// Does something on the pool of commands, in turn with others and at the cost of whoever it
/// is done for, who pays for so many bytes until then.
fn later(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    bytes: u64,
    work: impl FnOnce(&Arc<IndigoServer>, &Caller) + Send + 'static,
) {
    let account = Arc::clone(server.account(caller));
    let (held, most) = caller.steps(server);
    let waiting = Waiting::take(held, 1, most);
    let waiting = waiting.map_err(|used| Failure::from(Limits::hit("inbox", used, most)));
    let kept = waiting.and_then(|waiting| Ok((waiting, account.charge(bytes)?)));
    let kept = match kept {
        Ok(kept) => kept,
        Err(failure) => return complain(server, caller, "steps of an event", &failure),
    };
    let (pool, runtime) = (server.pools.commands.clone(), Handle::current());
    let (server, caller) = (Arc::clone(server), caller.clone());
    let begun = pool.begin(&account, move || {
        let _runtime = runtime.enter();
        work(&server, &caller);
        drop(kept);
    });
    if let Err(error) = begun {
        tracing::error!(%error, "steps of an event were not carried out");
    }
}
