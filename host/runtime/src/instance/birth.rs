//! Makes a life from the parts that the instance has for it.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::framework::{Birth, Event};
use crate::instance::ports::Ports;
use crate::instance::run::{Ending, Life};
use crate::instance::setup::{Found, Looking};
use crate::instance::starts::Place;
use crate::instance::state::Shared;
use crate::instance::supervisor::Supervisor;
use crate::instance::threads::Threads;
use cordon_base::error::EngineError;

impl Supervisor {
    /// One life, from its place among the starts to its end.
    pub(super) async fn live(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        place: Place,
        looking: Looking,
    ) -> Result<Ending, EngineError> {
        // Before the place is given away to the meter: an instance that cannot even begin gives it
        // back.
        let cycle = self.spec.framework.live(Birth {
            spec: &self.spec,
            log: &self.spec.log,
            meter: &self.meter,
            reach: &self.reach,
            pools: &self.services.pools,
        });
        let cycle = cycle.await?;
        self.meter.begin(place);
        let spec = &*self.spec;
        let stacks = self.services.engine.thread_stacks();
        let (threads, spawned) = Threads::new(spec.limits.threads, stacks);
        let shared = Arc::new(Shared {
            hardware: spec.hardware,
            log: spec.log.clone(),
            limits: spec.limits.clone(),
            account: Arc::clone(&spec.account),
            pools: self.services.pools.clone(),
            threads,
            ports: Ports::new(spec, &spec.log, self.reach.clone()),
            framework: Arc::clone(&spec.framework),
            data: cycle.data(),
        });
        self.counters.born(Arc::downgrade(&shared));
        let life = Life {
            spec,
            shared,
            meter: Arc::clone(&self.meter),
            counters: &self.counters,
            orders: &self.orders,
            code: self.services.code.clone(),
            cycle,
            looking,
            found: Found::default(),
            told: None,
            inbox,
        };
        life.run(&self.services.engine, spawned).await
    }
}
