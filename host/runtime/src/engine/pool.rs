//! How instances get their memory: from a pool where the address space allows it.
//!
//! A pooled slot reserves 4 GiB of address space and a guard behind it, so that
//! compiled code needs no bounds checks. Where the address space is bounded
//! (`ulimit -v`, small page tables, containers) the engine falls back to
//! allocating on demand, and says so.

use std::fmt;

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::engine::EngineOptions;
use crate::instance::state::TABLE_ELEMENTS;

/// Address space of a slot: the reservation and the guard of wasmtime 48 on 64 bits.
const SLOT: u64 = (4 << 30) + (32 << 20);

/// Stacks beyond one per instance, for Python threads: shared, and most plugins have
/// none. Every stack costs two memory mappings from the start, of which Linux allows
/// 65,530 to a process by default.
const MORE_STACKS: u32 = 1500;

/// Stacks that a pool always has beyond that.
const SPARE_STACKS: u32 = 1024;

/// Stacks in a pool of so many slots.
#[must_use]
pub fn stacks(slots: u32) -> u32 {
    slots
        .saturating_add(slots.min(MORE_STACKS))
        .saturating_add(SPARE_STACKS)
}

/// Stacks of these that no thread takes: a stack is given back a moment after its thread has ended,
/// and callbacks need stacks all the same.
const KEPT_STACKS: u32 = 64;

/// Threads of all instances together that a pool of so many slots has stacks for, beside the one
/// stack of each instance. More threads would take the stacks of other instances' callbacks.
#[must_use]
pub fn thread_stacks(slots: u32) -> u32 {
    stacks(slots)
        .saturating_sub(slots)
        .saturating_sub(KEPT_STACKS)
}

/// Tables of the guest: its function table and those of the adapter.
const TABLES_PER_INSTANCE: u32 = 4;

/// Memories of the guest component: the plugin's and the adapter's share one.
const MEMORIES_PER_INSTANCE: u32 = 1;

/// Core instances of the guest component: module, adapter, shims.
const CORE_INSTANCES_PER_INSTANCE: u32 = 8;

/// Bytes of a stack that stay mapped between two tasks, and are cleared in between: the use of an
/// ordinary callback.
const STACK_KEEP_RESIDENT: usize = 32 << 10;

/// Bytes of a function table that stay mapped when a slot is given back, and are cleared:
/// a start fills in a few entries on each of its pages.
const TABLE_KEEP_RESIDENT: usize = 256 << 10;

/// The allocation that was chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allocation {
    /// A pool of this many slots.
    Pooled {
        /// Instances that can be alive at once.
        slots: u32,
    },
    /// Memory is mapped for each instance.
    OnDemand {
        /// Why there is no pool.
        reason: String,
    },
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pooled { slots } => write!(f, "a pool of {slots} slots"),
            Self::OnDemand { reason } => write!(f, "on demand: {reason}"),
        }
    }
}

/// A plan for the allocation.
pub struct Pool {
    slots: u32,
    memory: u64,
    probed: Result<(), String>,
}

impl Pool {
    /// Probes the address space for as many slots as the options ask for.
    #[must_use]
    pub fn plan(options: &EngineOptions) -> Self {
        Self {
            slots: options.instances,
            memory: options.memory,
            probed: probe(u64::from(options.instances).saturating_mul(SLOT)),
        }
    }

    /// Writes the plan into the configuration.
    #[must_use]
    pub fn apply(self, config: &mut Config) -> Allocation {
        if let Err(reason) = self.probed {
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            return Allocation::OnDemand { reason };
        }
        let mut pool = PoolingAllocationConfig::default();
        // Nothing of a memory stays mapped: without the kernel's page map wasmtime would keep
        // its lowest addresses, where no start writes, and with it wasmtime 48 leaves pages
        // that were swapped out as they were, for the next instance to read.
        pool.total_component_instances(self.slots)
            .total_core_instances(self.slots.saturating_mul(CORE_INSTANCES_PER_INSTANCE))
            .total_memories(self.slots.saturating_mul(MEMORIES_PER_INSTANCE))
            .total_tables(self.slots.saturating_mul(TABLES_PER_INSTANCE))
            .total_stacks(stacks(self.slots))
            .max_memory_size(usize::try_from(self.memory).unwrap_or(usize::MAX))
            .max_core_instances_per_component(CORE_INSTANCES_PER_INSTANCE)
            .max_component_instance_size(4 << 20)
            .max_core_instance_size(4 << 20)
            .table_elements(TABLE_ELEMENTS)
            .async_stack_keep_resident(STACK_KEEP_RESIDENT)
            .table_keep_resident(TABLE_KEEP_RESIDENT);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Allocation::Pooled { slots: self.slots }
    }
}

/// Reserves the address space for a moment to see whether it is there.
fn probe(bytes: u64) -> Result<(), String> {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
    let gibibytes = bytes >> 30;
    let refused =
        |why: String| format!("{gibibytes} GiB of address space are not to be had ({why})");
    let length = usize::try_from(bytes).map_err(|_| refused("the machine has 32 bits".into()))?;
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing
    // that exists, and without access rights nothing is reached through it.
    let address =
        unsafe { mmap_anonymous(std::ptr::null_mut(), length, ProtFlags::empty(), flags) }
            .map_err(|error| refused(error.to_string()))?;
    // SAFETY: unmaps exactly the mapping that was made above and that nobody has seen.
    unsafe { munmap(address, length) }.map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_address_space_than_there_is_falls_back_and_says_so() {
        let options = EngineOptions {
            // 65,536 slots of 4 GiB are 256 TiB, more than 47 bits hold.
            instances: 65_536,
            ..EngineOptions::default()
        };
        let allocation = Pool::plan(&options).apply(&mut Config::new());
        assert!(
            matches!(&allocation, Allocation::OnDemand { reason } if reason.contains("GiB of address space")),
            "{allocation}"
        );
    }

    #[test]
    fn threads_leave_a_stack_for_every_instance() {
        for slots in [1, 100, 1000, 5000] {
            assert!(thread_stacks(slots) + slots < stacks(slots));
            assert!(thread_stacks(slots) > 512, "{slots}");
        }
    }

    #[test]
    fn a_few_slots_are_pooled() {
        let options = EngineOptions {
            instances: 4,
            ..EngineOptions::default()
        };
        let allocation = Pool::plan(&options).apply(&mut Config::new());
        assert_eq!(allocation, Allocation::Pooled { slots: 4 });
    }
}
